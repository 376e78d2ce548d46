/*
 * Replays of the OpenAI provider: each folder of tests/replay/openai holds
 *   request.json  the request, as it must be built for another server than
 *                 OpenAI's (members in any order)
 *   reply.sse     the reply's body, byte for byte
 *   want.txt      the parts that it means, one a line, neighbours merged
 * The reply is read whole, byte by byte, in pieces of 7 and 1460 bytes, in two
 * pieces cut at every place, and ended early at every place.
 */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <dirent.h>
#include <math.h>

#include "openai_test.h"

#define FOLDER "tests/replay/openai"
#define MESSAGES_MAX 16

static char *
read_file(const char *name, const char *file, size_t *n)
{
    char path[512], *s = xmalloc(1024 * 1024);
    FILE *f;

    snprintf(path, sizeof(path), FOLDER "/%s/%s", name, file);
    f = fopen(path, "rb");
    if (f == NULL)
        fail_msg("%s is missing (run from the root of the project)", path);
    *n = fread(s, 1, 1024 * 1024 - 1, f);
    fclose(f);
    s[*n] = '\0';
    return s;
}

/* --- the reply ----------------------------------------------------------- */

static void
expect_reading(const char *name, const char *s, size_t n, size_t first,
               size_t piece, const char *want)
{
    struct transcript t;

    transcript_init(&t);
    (void)transcript_read(&t, s, n, first, piece);
    if (strcmp(buf_cstr(&t.out), want) != 0 || t.broken)
        fail_msg("%s, %zu then %zu bytes a piece:\n%s--- wanted:\n%s", name,
                 first, piece, buf_cstr(&t.out), want);
    transcript_release(&t);
}

/* All text of a transcript, as JSON strings without the quotes. */
static void
text_of(const char *lines, struct buf *out)
{
    const char *line, *end;

    buf_clear(out);
    for (line = lines; *line != '\0'; line = end + 1) {
        end = strchr(line, '\n');
        if (strncmp(line, "text ", 5) == 0)
            buf_add(out, line + 6, (size_t)(end - line) - 7);
    }
}

/* Ended early, a reply yields a beginning of its text, and success only if
 * its end was told. */
static void
expect_beginning(const char *name, const char *s, size_t n, const char *want)
{
    struct buf all, some;
    struct transcript t;
    enum err e;

    buf_init(&all, TRANSCRIPT_MAX);
    buf_init(&some, TRANSCRIPT_MAX);
    transcript_init(&t);
    e = transcript_read(&t, s, n, n, n);
    text_of(want, &all);
    text_of(buf_cstr(&t.out), &some);
    if ((e == OK) != t.ended || some.len > all.len ||
        memcmp(buf_cstr(&all), buf_cstr(&some), some.len) != 0 || t.broken)
        fail_msg("%s, ended after %zu bytes:\n%s", name, n, buf_cstr(&t.out));
    transcript_release(&t);
    buf_release(&all);
    buf_release(&some);
}

static void
replay_reply(const char *name)
{
    static const size_t pieces[] = {1, 7, 1460};
    size_t n, want_len, i;
    char *reply = read_file(name, "reply.sse", &n);
    char *want = read_file(name, "want.txt", &want_len);

    expect_reading(name, reply, n, n, n, want);
    for (i = 0; i < COUNT_OF(pieces); i++)
        expect_reading(name, reply, n, pieces[i], pieces[i], want);
    for (i = 1; i < n; i++)
        expect_reading(name, reply, n, i, n, want);
    for (i = 0; i < n; i++)
        expect_beginning(name, reply, i, want);
    free(reply);
    free(want);
}

/* --- the request --------------------------------------------------------- */

static double
number_or_nan(const cJSON *o, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, name);

    return cJSON_IsNumber(v) ? v->valuedouble : NAN;
}

static void
ask_of(const cJSON *o, struct ask *ask, struct ask_message *messages)
{
    const cJSON *m;

    memset(ask, 0, sizeof(*ask));
    ask->model = json_str(o, "model");
    ask->messages = messages;
    cJSON_ArrayForEach(m, json_arr(o, "messages")) {
        struct ask_message *to = &messages[ask->n_messages];

        assert_int_equal(role_parse(json_str(m, "role"), &to->role), OK);
        to->text = json_str(m, "content");
        to->len = strlen(to->text);
        if (to->role == ROLE_SYSTEM && ask->n_messages == 0)
            ask->system = to->text;
        else
            assert_in_range(++ask->n_messages, 1, MESSAGES_MAX);
    }
    ask->temperature = number_or_nan(o, "temperature");
    ask->top_p = number_or_nan(o, "top_p");
    ask->max_tokens = json_i64(o, "max_tokens", 0);
    cJSON_ArrayForEach(m, json_arr(o, "stop"))
        ask->stop[ask->n_stop++] = m->valuestring;
}

static void
replay_request(const char *name)
{
    static const struct account acc = {"http://127.0.0.1:1/v1", ""};
    struct ask_message messages[MESSAGES_MAX];
    struct upstream_request q;
    struct problem why;
    struct ask ask;
    size_t n;
    char *text = read_file(name, "request.json", &n);
    cJSON *want = NULL, *got = NULL;

    assert_int_equal(json_parse(text, n, &want, NULL), OK);
    ask_of(want, &ask, messages);
    upstream_request_init(&q, 1024 * 1024);
    assert_int_equal(openai_build(&ask, &acc, &q, &why), OK);
    assert_int_equal(json_parse(q.body.data, q.body.len, &got, NULL), OK);
    if (!cJSON_Compare(want, got, true))
        fail_msg("%s asks with\n%s", name, buf_cstr(&q.body));
    cJSON_Delete(want);
    cJSON_Delete(got);
    upstream_request_release(&q);
    free(text);
}

static void
all_cases_read_as_they_should(void **state)
{
    struct dirent **list;
    int i, n, cases = 0;

    (void)state;
    n = scandir(FOLDER, &list, NULL, alphasort);
    if (n < 0)
        fail_msg("no " FOLDER " (run from the root of the project)");
    for (i = 0; i < n; i++) {
        if (list[i]->d_name[0] != '.') {
            replay_request(list[i]->d_name);
            replay_reply(list[i]->d_name);
            cases++;
        }
        free(list[i]);
    }
    free(list);
    assert_true(cases >= 20);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_cases_read_as_they_should),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
