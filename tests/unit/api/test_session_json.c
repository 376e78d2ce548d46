/*
 * Tests of api/session_json.c: a session written as JSON, and what a body may
 * change of one: each member alone, taken back, at its limit and past it.
 */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "api/session_json.h"
#include "base/clock.h"

/* --- out ------------------------------------------------------------------ */

static void
assert_written(const struct session *s, const char *want)
{
    struct json_out j;
    struct buf b;

    buf_init(&b, 1 << 16);
    json_out_init(&j, &b);
    json_begin_obj(&j);
    session_put(&j, s);
    json_end_obj(&j);
    assert_string_equal(buf_cstr(&b), want);
    buf_release(&b);
}

static void
a_session_without_anything_says_so(void **state)
{
    struct session s = {.id = "abc", .created_ms = 0, .updated_ms = 1500};

    (void)state;
    assert_written(&s, "{\"session_id\":\"abc\",\"title\":\"\","
                       "\"created_at\":\"1970-01-01T00:00:00.000Z\","
                       "\"updated_at\":\"1970-01-01T00:00:01.500Z\","
                       "\"conversation_length\":0,\"pinned\":false,"
                       "\"archived\":false,\"temporary\":false,\"tags\":[],"
                       "\"model\":null,"
                       "\"expires_at\":null,\"open_turn_id\":null}");
}

/* The number of messages of all lines, the owner and the internal number are
 * nobody's business. */
static void
a_session_with_everything(void **state)
{
    struct session s = {.id = "abc",
                        .owner = "ann",
                        .title = "A \"name\"",
                        .titled = true,
                        .created_ms = 1000,
                        .updated_ms = 2000,
                        .expires_ms = 3000,
                        .no = 77,
                        .n_messages = 9,
                        .length = 4,
                        .branched = true,
                        .pinned = true,
                        .archived = true,
                        .has_context = true,
                        .temporary = true,
                        .model = "openai/gpt",
                        .tags = "work\nat home\n",
                        .open = true};

    (void)state;
    assert_int_equal(
        ident_parse("0190a0b0-0000-7000-8000-000000000001", 36, &s.open_turn),
        OK);
    assert_written(
        &s, "{\"session_id\":\"abc\",\"title\":\"A \\\"name\\\"\","
            "\"created_at\":\"1970-01-01T00:00:01.000Z\","
            "\"updated_at\":\"1970-01-01T00:00:02.000Z\","
            "\"conversation_length\":4,\"pinned\":true,\"archived\":true,"
            "\"temporary\":true,\"tags\":[\"work\",\"at home\"],"
            "\"model\":\"openai/gpt\","
            "\"expires_at\":\"1970-01-01T00:00:03.000Z\","
            "\"open_turn_id\":\"0190a0b0-0000-7000-8000-000000000001\"}");
}

static void
a_tag_is_found_whole(void **state)
{
    (void)state;
    assert_true(session_has_tag("work\nhome\n", "work"));
    assert_true(session_has_tag("work\nhome\n", "home"));
    assert_false(session_has_tag("work\nhome\n", "wor"));
    assert_false(session_has_tag("work\nhome\n", "ork"));
    assert_false(session_has_tag("work\nhome\n", "works"));
    assert_false(session_has_tag("work\nhome\n", "work\nhome"));
    assert_false(session_has_tag("work\nhome\n", ""));
    assert_false(session_has_tag("", "work"));
    assert_false(session_has_tag("", ""));
}

/* --- in ------------------------------------------------------------------- */

static cJSON *tree; /* what c borrows from */
static struct session_change c;
static struct problem why;

static enum err
change(const char *body)
{
    cJSON_Delete(tree);
    why = (struct problem){.err = OK};
    assert_int_equal(json_parse(body, strlen(body), &tree, &why), OK);
    return session_change_read(tree, &c, &why);
}

static int
teardown(void **state)
{
    (void)state;
    cJSON_Delete(tree);
    tree = NULL;
    return 0;
}

static void
assert_invalid(const char *body, const char *code)
{
    assert_int_equal(change(body), ERR_BADREQ);
    assert_int_equal(why.err, ERR_BADREQ);
    assert_string_equal(why.code, code);
}

static void
an_empty_change_says_nothing(void **state)
{
    const char *const bodies[] = {"{}", "{\"unknown\":7,\"Title\":\"x\"}"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        assert_int_equal(change(bodies[i]), OK);
        assert_null(c.op.patch.title);
        assert_null(c.op.patch.context);
        assert_null(c.op.patch.model);
        assert_null(c.op.patch.tags);
        assert_null(c.leaf);
        assert_false(c.op.patch.titled);
        assert_false(c.op.patch.set_pinned || c.op.patch.set_archived ||
                     c.op.patch.set_expires || c.op.patch.set_head);
        assert_false(c.op.patch.create);
    }
    assert_invalid("[]", "invalid_json");
    assert_invalid("\"title\"", "invalid_json");
    assert_invalid("null", "invalid_json");
}

static void
all_at_once(void **state)
{
    (void)state;
    assert_int_equal(
        change("{\"title\":\"T\",\"context\":\"C\",\"model\":\"M\","
               "\"leaf\":\"L\",\"pinned\":true,\"archived\":false,"
               "\"temporary\":true,\"tags\":[\"a\",\"b\",\"a\"],"
               "\"expires_at\":\"2199-01-01T00:00:00Z\"}"),
        OK);
    assert_string_equal(c.op.patch.title, "T");
    assert_true(c.op.patch.titled);
    assert_string_equal(c.op.patch.context, "C");
    assert_string_equal(c.op.patch.model, "M");
    assert_string_equal(c.leaf, "L");
    assert_true(c.op.patch.set_pinned && c.op.patch.pinned);
    assert_true(c.op.patch.set_archived && !c.op.patch.archived);
    assert_true(c.temporary_said && c.op.temporary);
    assert_string_equal(c.op.patch.tags, "a\nb\n");
    assert_true(c.op.patch.set_expires);
    assert_true(c.op.patch.expires_ms == INT64_C(7226582400000));
}

static void
null_takes_back(void **state)
{
    (void)state;
    assert_int_equal(change("{\"title\":null,\"context\":null,\"model\":null,"
                            "\"leaf\":null,\"pinned\":null,\"archived\":null,"
                            "\"tags\":null,\"expires_at\":null}"),
                     OK);
    assert_string_equal(c.op.patch.title, "");
    assert_false(c.op.patch.titled); /* it may be named by itself again */
    assert_string_equal(c.op.patch.context, "");
    assert_string_equal(c.op.patch.model, "");
    assert_string_equal(c.leaf, "");
    assert_true(c.op.patch.set_pinned && !c.op.patch.pinned);
    assert_true(c.op.patch.set_archived && !c.op.patch.archived);
    assert_string_equal(c.op.patch.tags, "");
    assert_true(c.op.patch.set_expires && c.op.patch.expires_ms == 0);
    assert_int_equal(change("{\"tags\":[]}"), OK);
    assert_string_equal(c.op.patch.tags, "");
}

/* A body with a string of n bytes. */
static const char *
body_of(const char *before, size_t n, const char *after)
{
    static char body[STORE_CONTEXT_MAX + 100];
    char *to = body + snprintf(body, sizeof(body), "%s", before);

    memset(to, 'x', n);
    (void)snprintf(to + n, sizeof(body) - (size_t)(to + n - body), "%s", after);
    return body;
}

static void
texts_have_limits_and_are_strings(void **state)
{
    static const struct {
        const char *name;
        size_t max;
    } texts[] = {{"title", STORE_TITLE_MAX},
                 {"context", STORE_CONTEXT_MAX},
                 {"model", STORE_NAME_MAX},
                 {"leaf", IDENT_TEXT_LEN}};
    static const char *const others[] = {"7", "true", "[]", "{}", "[\"x\"]"};
    char before[40], code[40], body[80];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        (void)snprintf(before, sizeof(before), "{\"%s\":\"", texts[i].name);
        (void)snprintf(code, sizeof(code), "invalid_%s", texts[i].name);
        assert_int_equal(change(body_of(before, texts[i].max, "\"}")), OK);
        assert_invalid(body_of(before, texts[i].max + 1, "\"}"), code);
        for (size_t k = 0; k < COUNT_OF(others); k++) {
            (void)snprintf(body, sizeof(body), "{\"%s\":%s}", texts[i].name,
                           others[k]);
            assert_invalid(body, code);
            assert_non_null(strstr(why.message, texts[i].name));
        }
    }
}

static void
flags_are_true_or_false(void **state)
{
    static const char *const others[] = {"0", "1", "\"true\"", "[]", "{}"};
    char body[80];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        (void)snprintf(body, sizeof(body), "{\"pinned\":%s}", others[i]);
        assert_invalid(body, "invalid_pinned");
        (void)snprintf(body, sizeof(body), "{\"archived\":%s}", others[i]);
        assert_invalid(body, "invalid_archived");
        (void)snprintf(body, sizeof(body), "{\"temporary\":%s}", others[i]);
        assert_invalid(body, "invalid_temporary");
    }
    assert_int_equal(change("{\"temporary\":false}"), OK);
    assert_true(c.temporary_said && !c.op.temporary);
    assert_int_equal(change("{}"), OK);
    assert_false(c.temporary_said);
}

/* A body with n tags, all different, of len bytes. */
static const char *
body_of_tags(int n, int len)
{
    static char body[2000];
    size_t at = (size_t)snprintf(body, sizeof(body), "{\"tags\":[");

    for (int i = 0; i < n; i++)
        at += (size_t)snprintf(body + at, sizeof(body) - at, "%s\"%0*d\"",
                               i > 0 ? "," : "", len, i);
    (void)snprintf(body + at, sizeof(body) - at, "]}");
    return body;
}

static void
tags_have_limits(void **state)
{
    static const char *const others[] = {
        "\"a\"",           "7",          "true",
        "{\"a\":1}",       "[7]",        "[null]",
        "[\"a\",[\"b\"]]", "[\"\"]",     "[\" \\t\"]",
        "[\"a\\nb\"]",     "[\"a\\r\"]",
    };
    char body[80];

    (void)state;
    assert_int_equal(change(body_of_tags(SESSION_TAGS_MAX, SESSION_TAG_MAX)),
                     OK);
    assert_int_equal(strlen(c.op.patch.tags),
                     SESSION_TAGS_MAX * (SESSION_TAG_MAX + 1));
    assert_invalid(body_of_tags(SESSION_TAGS_MAX + 1, 2), "invalid_tags");
    assert_invalid(body_of_tags(1, SESSION_TAG_MAX + 1), "invalid_tags");
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        (void)snprintf(body, sizeof(body), "{\"tags\":%s}", others[i]);
        assert_invalid(body, "invalid_tags");
    }
    /* What is said twice counts once. */
    assert_int_equal(change("{\"tags\":[\"a\",\"a\",\"a\",\"a\",\"a\",\"a\","
                            "\"a\",\"a\",\"a\",\"a\",\"a\",\"b\"]}"),
                     OK);
    assert_string_equal(c.op.patch.tags, "a\nb\n");
}

static void
a_time_is_one_to_come(void **state)
{
    static const char *const others[] = {"\"\"",
                                         "\"tomorrow\"",
                                         "\"2199-13-01T00:00:00Z\"",
                                         "\"2199-01-01\"",
                                         "4102444800",
                                         "true",
                                         "[]",
                                         "\"1970-01-01T00:00:00Z\"",
                                         "\"1960-01-01T00:00:00Z\""};
    char body[80], text[CLOCK_ISO_LEN + 1];
    int64_t now_ms = clock_wall_ms();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        (void)snprintf(body, sizeof(body), "{\"expires_at\":%s}", others[i]);
        assert_invalid(body, "invalid_expires_at");
    }
    clock_iso(text, now_ms - 1);
    (void)snprintf(body, sizeof(body), "{\"expires_at\":\"%s\"}", text);
    assert_invalid(body, "invalid_expires_at");
    clock_iso(text, now_ms + 60000);
    (void)snprintf(body, sizeof(body), "{\"expires_at\":\"%s\"}", text);
    assert_int_equal(change(body), OK);
    assert_true(c.op.patch.expires_ms == now_ms + 60000);
}

static void
the_first_that_is_wrong_is_named(void **state)
{
    (void)state;
    assert_invalid("{\"tags\":7,\"title\":7}", "invalid_title");
    assert_string_equal(why.error, "Invalid title");
    assert_string_equal(why.message,
                        "'title' is a string of at most 256 bytes.");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_without_anything_says_so),
        cmocka_unit_test(a_session_with_everything),
        cmocka_unit_test(a_tag_is_found_whole),
        cmocka_unit_test_teardown(an_empty_change_says_nothing, teardown),
        cmocka_unit_test_teardown(all_at_once, teardown),
        cmocka_unit_test_teardown(null_takes_back, teardown),
        cmocka_unit_test_teardown(texts_have_limits_and_are_strings, teardown),
        cmocka_unit_test_teardown(flags_are_true_or_false, teardown),
        cmocka_unit_test_teardown(tags_have_limits, teardown),
        cmocka_unit_test_teardown(a_time_is_one_to_come, teardown),
        cmocka_unit_test_teardown(the_first_that_is_wrong_is_named, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
