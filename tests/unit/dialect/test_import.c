/*
 * Tests of dialect/import.h. Each file of tests/import/ that has a .want
 * beside it is read whole, in pieces and cut off at each point, and what it
 * holds must be what is written there.
 */
#include "import_test.h"

#include "../sanitized.h"

#include <dirent.h>

#define FOLDER "tests/import/"

/* --- the files ------------------------------------------------------------ */

static const size_t pieces[] = {SIZE_MAX / 2, 1, 7, 1460};

static void
read_in_pieces(const char *path, const char *s, size_t n, const char *want)
{
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        struct told t;

        told_init(&t);
        IGNORE(told_import(&t, s, n, pieces[i]));
        if (strcmp(buf_cstr(&t.out), want) != 0)
            fail_msg("%s in pieces of %zu:\n%s\ninstead of:\n%s", path,
                     pieces[i], buf_cstr(&t.out), want);
        buf_release(&t.out);
    }
}

/* Where the record behind p begins: a session with its messages, or a fault;
 * NULL: there is none. */
static const char *
next_record(const char *p)
{
    while ((p = strchr(p, '\n')) != NULL) {
        p++;
        if (strncmp(p, "session ", 8) == 0 || strncmp(p, "fault ", 6) == 0)
            return p;
        if (*p != ' ')
            return NULL;
    }
    return NULL;
}

/* How much of a transcript is records, without the last one if so wanted. */
static size_t
records_len(const char *told, bool without_last)
{
    const char *p = told, *last = told, *next;

    if (*told != 's' && *told != 'f')
        return 0;
    if (strncmp(told, "stop ", 5) == 0)
        return 0;
    while ((next = next_record(p)) != NULL)
        last = p = next;
    if (without_last)
        return (size_t)(last - told);
    for (p = last; *(p = strchr(p, '\n') + 1) == ' ';)
        ;
    return (size_t)(p - told);
}

/* What is told of a file that is cut off is the beginning of what is told of
 * the whole one, and has all that was whole. A line that is cut, the last one,
 * may differ. Messages that are items are told together, as far as they came:
 * of those it is only asked that it is seen that the file ended early. */
static void
read_cut_off(const char *path, const char *s, size_t n, const char *want)
{
    bool lines = strstr(path, ".jsonl") != NULL;
    bool loose = strstr(path, "messages") != NULL ||
                 strstr(path, "noise") != NULL;

    for (size_t cut = 0; cut + 2 < n; cut++) {
        struct told t;
        const char *p, *next;
        size_t len;
        enum err e;

        told_init(&t);
        e = told_import(&t, s, cut, 997);
        if (e != ERR_BADREQ && !(lines && e == OK))
            fail_msg("%s, %zu bytes: taken as whole", path, cut);
        len = records_len(buf_cstr(&t.out), lines);
        if (!loose && strncmp(t.out.data, want, len) != 0)
            fail_msg("%s, %zu bytes:\n%s", path, cut, t.out.data);
        for (p = want; !loose && (next = next_record(p)) != NULL; p = next)
            if (strtoul(strchr(next, '@') + 1, NULL, 10) <= cut)
                if (len < (size_t)(p - want))
                    fail_msg("%s, %zu bytes: lost:\n%s", path, cut, p);
        buf_release(&t.out);
    }
}

static void
each_file_gives_what_is_written_beside_it(void **state)
{
    DIR *dir = opendir(FOLDER);
    const struct dirent *entry;
    size_t files = 0;

    (void)state;
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        const char *dot = strrchr(entry->d_name, '.');
        char path[300], want_path[320];
        char *s, *want;
        size_t n, want_n;

        if (dot == NULL || strncmp(dot, ".json", 5) != 0)
            continue;
        (void)snprintf(path, sizeof(path), FOLDER "%s", entry->d_name);
        (void)snprintf(want_path, sizeof(want_path), "%s.want", path);
        s = read_file(path, &n);
        want = read_file(want_path, &want_n);
        read_in_pieces(path, s, n, want);
        read_cut_off(path, s, n, want);
        free(s);
        free(want);
        files++;
    }
    (void)closedir(dir);
    assert_true(files >= 10);
}

/* --- recognising ---------------------------------------------------------- */

static void
expect(const char *s, const char *want)
{
    read_in_pieces(s, s, strlen(s), want);
}

static void
what_is_no_conversation_is_told_with_its_place(void **state)
{
    (void)state;
    expect("[]", "items=0 sessions=0 messages=0 left_out=0 faults=0\n");
    expect("{\"a\":[1]}",
           "fault 1@0 not a conversation of a format that is known\n"
           "items=1 sessions=0 messages=0 left_out=0 faults=1\n");
    expect("[{\"mapping\":{}}, 5 ,{\"messages\":[1]}]",
           "fault 1@1 no messages in it\n"
           "fault 2@17 not a conversation of a format that is known\n"
           "fault 3@20 a message must be an object\n"
           "items=3 sessions=0 messages=0 left_out=0 faults=3\n");
    expect("PK\003\004", "stop invalid_import: The file cannot be read from "
                         "byte 0 on: expected an object or an array.\n"
                         "items=0 sessions=0 messages=0 left_out=0 faults=0\n");
}

static void
a_list_of_ours_is_ours_and_one_of_others_is_not(void **state)
{
    (void)state;
    expect("{\"format\":\"parley\",\"sessions\":[{\"messages\":[]}]}",
           "session 1@31 parley\n"
           "items=1 sessions=1 messages=0 left_out=0 faults=0\n");
    expect("{\"sessions\":[{\"messages\":[]},{\"messages\":[{\"role\":"
           "\"system\",\"content\":\"x\"},{\"role\":\"user\",\"content\":"
           "\"y\"}]}]}",
           "fault 1@13 no messages in it\n"
           "session 2@29 openai context=\"x\"\n  user <-1 text=\"y\"\n"
           "items=2 sessions=1 messages=1 left_out=0 faults=1\n");
    /* The head is that of its own text. */
    expect("{\"format\":\"parley\",\"sessions\":[]}\n[{\"messages\":[]}]\n",
           "fault 1@35 no messages in it\n"
           "items=1 sessions=0 messages=0 left_out=0 faults=1\n");
}

static void
each_array_of_messages_is_a_conversation(void **state)
{
    (void)state;
    expect("[{\"role\":\"user\",\"content\":\"a\"}]\n"
           "[{\"role\":\"user\",\"content\":\"b\"},"
           "{\"role\":\"assistant\",\"content\":\"c\"}]\n"
           "{\"role\":\"user\",\"content\":\"d\"}\n"
           "{\"messages\":[{\"role\":\"user\",\"content\":\"e\"}]}\n"
           "{\"role\":\"user\",\"content\":\"f\"}\n",
           "session 1@1 openai\n  user <-1 text=\"a\"\n"
           "session 2@33 openai\n  user <-1 text=\"b\"\n"
           "  assistant <0 text=\"c\"\n"
           "session 5@129 openai\n  user <-1 text=\"e\"\n"
           "session 4@99 openai\n  user <-1 text=\"d\"\n"
           "  user <0 text=\"f\"\n"
           "items=6 sessions=4 messages=6 left_out=0 faults=0\n");
}

static void
times_are_told_apart_by_their_size(void **state)
{
    static const struct {
        const char *json;
        int64_t ms;
    } times[] = {
        {"1700000000", 1700000000000},
        {"1700000000.123", 1700000000123},
        {"1700000000123", 1700000000123},
        {"1700000000123456", 1700000000123},
        {"1700000000123456789", 1700000000123},
        {"17000000001234567890123", 0},
        {"\"2023-11-14T22:13:20Z\"", 1700000000000},
        {"\"2023-11-14 22:13:20.5\"", 1700000000500},
        {"\"2023-11-14T23:13:20.123456+01:00\"", 1700000000123},
        {"0", 0},
        {"-1", 0},
        {"1e300", 0},
        {"\"tomorrow\"", 0},
        {"\"1969-12-31T23:59:59Z\"", 0},
        {"\"2023-02-30T00:00:00Z\"", 0},
        {"true", 0},
        {"null", 0},
        {"{}", 0},
    };
    char text[200], want[300], at[40];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        (void)snprintf(text, sizeof(text),
                       "{\"messages\":[{\"role\":\"user\",\"content\":\"x\","
                       "\"timestamp\":%s}]}",
                       times[i].json);
        at[0] = '\0';
        if (times[i].ms != 0)
            (void)snprintf(at, sizeof(at), " at=%" PRId64, times[i].ms);
        (void)snprintf(want, sizeof(want),
                       "session 1@0 openai\n  user <-1%s text=\"x\"\n"
                       "items=1 sessions=1 messages=1 left_out=0 faults=0\n",
                       at);
        expect(text, want);
    }
}

static void
who_is_told_can_stop_it(void **state)
{
    size_t n;
    char *s = read_file(FOLDER "chatgpt.json", &n);

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct told t;

        told_init(&t);
        t.stop_after = i;
        assert_int_equal(told_import(&t, s, n, 100), ERR_HUP);
        assert_int_equal(t.calls, i + 1);
        buf_release(&t.out);
    }
    free(s);
}

/* As deep as a tree can be: two levels for each message. */
static void
a_deep_tree_is_read_as_far_as_json_may_be_deep(void **state)
{
    static const char open[] = "{\"messageId\":\"%d\",\"isCreatedByUser\":"
                               "%s,\"text\":\"t\",\"children\":[";

    (void)state;
    for (int messages = 478; messages <= 480; messages++) {
        struct told t;
        struct buf text;
        char *end;

        buf_init(&text, TOLD_MAX);
        buf_adds(&text, "{\"conversationId\":\"c\",\"messages\":[");
        for (int i = 0; i < messages; i++)
            buf_addf(&text, open, i, i % 2 == 0 ? "true" : "false");
        for (int i = 0; i < messages; i++)
            buf_adds(&text, "]}");
        buf_adds(&text, "]}");
        told_init(&t);
        assert_int_equal(told_import(&t, text.data, text.len, 1000), OK);
        end = strstr(buf_cstr(&t.out), "items=");
        if (messages < 480)
            assert_int_equal(strtol(strstr(end, "messages=") + 9, NULL, 10),
                             messages);
        else
            assert_non_null(strstr(t.out.data, " nested too deeply\n"));
        buf_release(&t.out);
        buf_release(&text);
    }
}

/* --- limits --------------------------------------------------------------- */

/* Counts only. */
static enum err
count_session(void *arg, const struct import_session *s)
{
    size_t *bytes = arg;

    for (size_t i = 0; i < s->n_messages; i++)
        *bytes += s->messages[i].text_len;
    return OK;
}

static enum err
count_fault(void *arg, const struct import_fault *f)
{
    (void)arg;
    (void)f;
    return OK;
}

static void
must_feed(struct import *im, const char *s, size_t n)
{
    assert_int_equal(import_feed(im, s, n, NULL), OK);
}

static void
feed_run(struct import *im, char c, size_t n)
{
    char piece[65536];

    (void)memset(piece, c, sizeof(piece));
    for (; n > 0; n -= n < sizeof(piece) ? n : sizeof(piece))
        must_feed(im, piece, n < sizeof(piece) ? n : sizeof(piece));
}

/* One conversation of so many bytes, and a small one behind it. */
static void
conversation_of(size_t n, size_t sessions, size_t faults)
{
    static const char begin[] =
        "[{\"messages\":[{\"role\":\"user\",\"content\":\"";
    static const char end[] = "\"}]}";
    static const char next[] =
        ",{\"messages\":[{\"role\":\"user\",\"content\":\"y\"}]}]";
    size_t bytes = 0, text = n - (sizeof(begin) - 2) - (sizeof(end) - 1);
    struct import_sink sink = {count_session, count_fault, &bytes};
    struct import im;

    import_init(&im, &sink);
    must_feed(&im, begin, sizeof(begin) - 1);
    feed_run(&im, 'x', text);
    must_feed(&im, end, sizeof(end) - 1);
    must_feed(&im, next, sizeof(next) - 1);
    assert_int_equal(import_end(&im, NULL), OK);
    assert_int_equal(im.report.sessions, sessions);
    assert_int_equal(im.report.faults, faults);
    assert_int_equal(bytes, sessions == 2 ? text + 1 : 1);
    import_release(&im);
}

static void
a_conversation_may_have_its_limit_and_no_byte_more(void **state)
{
    (void)state;
    conversation_of(IMPORT_CONVERSATION_MAX, 2, 0);
    conversation_of(IMPORT_CONVERSATION_MAX + 1, 1, 1);
}

static void
loose_messages(size_t count, size_t messages, size_t faults)
{
    static const char one[] = "{\"role\":\"user\",\"content\":\"z\"}\n";
    size_t bytes = 0;
    struct import_sink sink = {count_session, count_fault, &bytes};
    struct import im;

    import_init(&im, &sink);
    for (size_t i = 0; i < count; i++)
        must_feed(&im, one, sizeof(one) - 1);
    /* Another list is another conversation. */
    must_feed(&im, "[", 1);
    must_feed(&im, one, sizeof(one) - 2);
    must_feed(&im, "]\n", 2);
    assert_int_equal(import_end(&im, NULL), OK);
    assert_int_equal(im.report.messages, messages + 1);
    assert_int_equal(im.report.faults, faults);
    import_release(&im);
}

static void
messages_of_a_conversation_are_bounded_in_number_and_bytes(void **state)
{
    static const char mebibyte[] = "{\"role\":\"user\",\"content\":\"";
    size_t bytes = 0;
    struct import_sink sink = {count_session, count_fault, &bytes};
    struct import im;

    (void)state;
    loose_messages(IMPORT_MESSAGES_MAX, IMPORT_MESSAGES_MAX, 0);
    loose_messages(IMPORT_MESSAGES_MAX + 1, 0, 1);
    import_init(&im, &sink);
    for (int i = 0; i < 40; i++) {
        must_feed(&im, mebibyte, sizeof(mebibyte) - 1);
        feed_run(&im, 'x', 1024 * 1024);
        must_feed(&im, "\"}\n", 3);
    }
    assert_int_equal(import_end(&im, NULL), OK);
    assert_int_equal(im.report.sessions, 0);
    assert_int_equal(im.report.faults, 1);
    import_release(&im);
}

/* --- memory --------------------------------------------------------------- */

/* The most memory that this process ever had, in bytes. */
static size_t
most_memory(void)
{
    char line[256];
    size_t kib = 0;
    FILE *f = fopen("/proc/self/status", "r");

    assert_non_null(f);
    while (fgets(line, sizeof(line), f) != NULL)
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtoul(line + 6, NULL, 10);
    (void)fclose(f);
    assert_true(kib > 0);
    return kib * 1024;
}

static void
feed_node(struct import *im, int i, int n)
{
    char head[400];
    int len;

    len = snprintf(head, sizeof(head),
                   "%s\"n%d\":{\"id\":\"n%d\",\"message\":{\"id\":\"n%d\","
                   "\"author\":{\"role\":\"%s\",\"name\":null},"
                   "\"create_time\":%d.5,\"content\":{\"content_type\":"
                   "\"text\",\"parts\":[\"\\u00fc ",
                   i == 0 ? "" : ",", i, i, i,
                   i % 2 == 0 ? "user" : "assistant", 1700000000 + i);
    must_feed(im, head, (size_t)len);
    feed_run(im, "abcdefgh"[i % 8], 2000);
    len = snprintf(head, sizeof(head),
                   "\"]},\"metadata\":{\"model_slug\":\"gpt-4o\"},"
                   "\"recipient\":\"all\"},\"parent\":\"n%d\",\"children\":"
                   "[\"n%d\"]}",
                   i - 1, i + 1 < n ? i + 1 : 0);
    must_feed(im, head, (size_t)len);
}

static void
fifty_megabytes_need_the_memory_of_one_conversation(void **state)
{
    enum { CONVERSATIONS = 480, NODES = 48 };
    size_t bytes = 0, before, after;
    struct import_sink sink = {count_session, count_fault, &bytes};
    struct import im;

    (void)state;
    before = most_memory();
    import_init(&im, &sink);
    for (int c = 0; c < CONVERSATIONS; c++) {
        must_feed(&im, c == 0 ? "[" : ",", 1);
        must_feed(&im, "{\"title\":\"t\",\"mapping\":{", 24);
        for (int i = 0; i < NODES; i++)
            feed_node(&im, i, NODES);
        must_feed(&im, "},\"current_node\":\"n47\"}", 23);
    }
    must_feed(&im, "]", 1);
    assert_int_equal(import_end(&im, NULL), OK);
    assert_true(im.items.at > 50 * 1000 * 1000);
    assert_int_equal(im.report.sessions, CONVERSATIONS);
    assert_int_equal(im.report.messages, CONVERSATIONS * NODES);
    assert_int_equal(bytes, (size_t)CONVERSATIONS * NODES * 2003);
    import_release(&im);
    after = most_memory();
    /* A conversation is about 110 kB here; its text, its tree and room to
     * grow are a few times that. */
    if (!SANITIZED && after - before > 2 * 1024 * 1024)
        fail_msg("needed %zu bytes more", after - before);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        /* First: those behind it need more memory. */
        cmocka_unit_test(fifty_megabytes_need_the_memory_of_one_conversation),
        cmocka_unit_test(each_file_gives_what_is_written_beside_it),
        cmocka_unit_test(what_is_no_conversation_is_told_with_its_place),
        cmocka_unit_test(a_list_of_ours_is_ours_and_one_of_others_is_not),
        cmocka_unit_test(each_array_of_messages_is_a_conversation),
        cmocka_unit_test(times_are_told_apart_by_their_size),
        cmocka_unit_test(who_is_told_can_stop_it),
        cmocka_unit_test(a_deep_tree_is_read_as_far_as_json_may_be_deep),
        cmocka_unit_test(a_conversation_may_have_its_limit_and_no_byte_more),
        cmocka_unit_test(
            messages_of_a_conversation_are_bounded_in_number_and_bytes),
    };

    return cmocka_run_group_tests_name("import", tests, NULL, NULL);
}
