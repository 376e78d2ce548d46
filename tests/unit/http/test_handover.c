/* Tests of http/handover.c: the bytes between chat.cgi and the engine. */
#include "http_test.h"

#include "http/handover.h"

static const char *vars[REQUEST_PARAMS_MAX + 1];

static void
the_head_is_as_documented(void **state)
{
    const struct handover sent = {0x1234, 0x01020304};
    struct handover got;
    uint8_t head[HANDOVER_HEAD_LEN];

    (void)state;
    handover_head(head, &sent);
    assert_memory_equal(head, "PCG1\x34\x12\0\0\x04\x03\x02\x01", 12);
    assert_int_equal(handover_parse_head(&got, head), OK);
    assert_int_equal(got.vars_len, 0x1234);
    assert_int_equal(got.body_len, 0x01020304);
}

static void
another_magic_or_too_much_is_refused(void **state)
{
    struct handover h = {REQUEST_PARAMS_BYTES, HANDOVER_NO_BODY}, got;
    uint8_t head[HANDOVER_HEAD_LEN];

    (void)state;
    handover_head(head, &h);
    assert_int_equal(handover_parse_head(&got, head), OK);
    assert_true(got.body_len == HANDOVER_NO_BODY);
    h.vars_len++;
    handover_head(head, &h);
    assert_int_equal(handover_parse_head(&got, head), ERR_TOOBIG);
    head[3] = '2';
    assert_int_equal(handover_parse_head(&got, head), ERR_BADREQ);
}

static void
variables_are_split_at_their_nuls(void **state)
{
    (void)state;
    assert_int_equal(handover_parse_vars("A=1\0B=\0C=x=y", 13, vars), OK);
    assert_string_equal(vars[0], "A=1");
    assert_string_equal(vars[1], "B=");
    assert_string_equal(vars[2], "C=x=y");
    assert_null(vars[3]);
    assert_int_equal(handover_parse_vars("", 0, vars), OK);
    assert_null(vars[0]);
}

static void
broken_variables_are_refused(void **state)
{
    char many[4 * (REQUEST_PARAMS_MAX + 1)];

    (void)state;
    assert_int_equal(handover_parse_vars("A=1", 3, vars), ERR_BADREQ);
    assert_int_equal(handover_parse_vars("A=1\0B=1", 7, vars), ERR_BADREQ);
    assert_int_equal(handover_parse_vars("A", 2, vars), ERR_BADREQ);
    assert_int_equal(handover_parse_vars("\0", 1, vars), ERR_BADREQ);
    for (size_t i = 0; i < sizeof(many); i += 4)
        memcpy(many + i, "A=1", 4);
    assert_int_equal(handover_parse_vars(many, sizeof(many) - 4, vars), OK);
    assert_int_equal(handover_parse_vars(many, sizeof(many), vars), ERR_TOOBIG);
}

static void
only_the_web_servers_variables_are_passed(void **state)
{
    static const char *const environment[] = {"PATH=/bin",
                                              "HTTP_HOST=h",
                                              "HOME=/root",
                                              "PATH_INFO=/x",
                                              "PATH_INFOX=no",
                                              "HTTPS=on",
                                              "HTTPSX=no",
                                              "SCRIPT_NAME=/c",
                                              "OPENAI_API_KEY=",
                                              "REQUEST_URI=",
                                              "QUERY_STRING=a",
                                              "NONSENSE",
                                              NULL};
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    assert_int_equal(handover_add_vars(&b, environment), OK);
    assert_int_equal(handover_parse_vars(b.data, b.len, vars), OK);
    assert_string_equal(vars[0], "HTTP_HOST=h");
    assert_string_equal(vars[1], "PATH_INFO=/x");
    assert_string_equal(vars[2], "HTTPS=on");
    assert_string_equal(vars[3], "SCRIPT_NAME=/c");
    assert_string_equal(vars[4], "REQUEST_URI=");
    assert_string_equal(vars[5], "QUERY_STRING=a");
    assert_null(vars[6]);
    buf_release(&b);
}

static void
more_variables_than_fit_are_too_big(void **state)
{
    const char *environment[REQUEST_PARAMS_MAX + 2];
    struct buf b;

    (void)state;
    for (int i = 0; i <= REQUEST_PARAMS_MAX; i++)
        environment[i] = "HTTP_A=1";
    environment[REQUEST_PARAMS_MAX + 1] = NULL;
    buf_init(&b, REQUEST_PARAMS_BYTES);
    assert_int_equal(handover_add_vars(&b, environment), ERR_TOOBIG);
    buf_release(&b);
    buf_init(&b, 20);
    environment[3] = NULL;
    assert_int_equal(handover_add_vars(&b, environment), ERR_TOOBIG);
    buf_release(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_head_is_as_documented),
        cmocka_unit_test(another_magic_or_too_much_is_refused),
        cmocka_unit_test(variables_are_split_at_their_nuls),
        cmocka_unit_test(broken_variables_are_refused),
        cmocka_unit_test(only_the_web_servers_variables_are_passed),
        cmocka_unit_test(more_variables_than_fit_are_too_big),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
