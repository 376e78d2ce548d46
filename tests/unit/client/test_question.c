/* Tests of client/question.c: the JSON of a question. */
#include "client_test.h"

static void
a_question_has_what_was_given(void **state)
{
    struct parley_config c = {.url = "http://h", .session_id = "s1"};
    struct parley_attachment file = {"image/png", "\x89PNG", 4};
    struct parley_ask ask = {.message = "say \"hi\"\n",
                             .model = "m",
                             .context = "",
                             .attachments = &file,
                             .n_attachments = 1};
    struct parley *p = parley_new(&c, NULL);
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    question_json(&out, p, &ask, "k", "chat");
    assert_string_equal(buf_cstr(&out),
                        "{\"type\":\"chat\",\"message\":\"say \\\"hi\\\"\\n\","
                        "\"model\":\"m\",\"session_id\":\"s1\","
                        "\"client_message_id\":\"k\",\"stream\":true,"
                        "\"attachments\":[{\"media_type\":\"image/png\","
                        "\"data\":\"iVBORw==\"}]}");
    buf_release(&out);
    parley_free(p);
}

static void
what_was_not_given_is_not_there(void **state)
{
    struct parley_config c = {.url = "http://h"};
    struct parley_ask ask = {.message = "hi"};
    struct parley *p = parley_new(&c, NULL);
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    question_json(&out, p, &ask, "k", NULL);
    assert_string_equal(buf_cstr(&out), "{\"message\":\"hi\","
                                        "\"client_message_id\":\"k\","
                                        "\"stream\":true}");
    buf_release(&out);
    parley_free(p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_has_what_was_given),
        cmocka_unit_test(what_was_not_given_is_not_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
