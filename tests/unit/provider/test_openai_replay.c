/*
 * Replays of the OpenAI provider (replay.h). Each case holds request.json as
 * well: the request, as it must be built for another server than OpenAI's
 * (members in any order).
 */
#include "base/base.h"

#include <math.h>

#include "provider/openai.h"
#include "replay.h"

#define MESSAGES_MAX 16

static const struct replay replay = {
    .provider = &provider_openai,
    .folder = "tests/replay/openai",
    .reply = "reply.sse",
};

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
    ask->whole = cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(o, "stream"));
    cJSON_ArrayForEach(m, json_arr(o, "stop"))
        ask->stop[ask->n_stop++] = m->valuestring;
}

static void
replay_request(const char *name)
{
    static const struct account acc = {.base_url = "http://127.0.0.1:1/v1",
                                       .key = ""};
    struct ask_message messages[MESSAGES_MAX] = {0};
    struct upstream_request q;
    struct problem why;
    struct ask ask;
    size_t n;
    char *text = replay_file(&replay, name, "request.json", &n);
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
    (void)state;
    replay_all(&replay, 45, replay_request);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_cases_read_as_they_should),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
