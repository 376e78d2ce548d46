/* Tests of what several providers share: provider/wire.h. */
#include "base/base.h"

#include "asking.h"
#include "provider/wire.h"
#include "provider/wire_reply.h"

/* --- requests ------------------------------------------------------------ */

static void
a_secret_is_one_header_of_one_line(void **state)
{
    struct upstream_request q;
    struct problem why = {.err = OK};

    (void)state;
    upstream_request_init(&q, 10);
    assert_int_equal(wire_secret(&q, "X-Key", "", NULL, "h", &why), OK);
    assert_int_equal(wire_secret(&q, "X-Key", "", "", "h", &why), OK);
    assert_int_equal(q.n_headers, 0);
    assert_int_equal(wire_secret(&q, "X-Key", "Bearer ", "k", "h", &why), OK);
    assert_string_equal(header_of(&q, "X-Key"), "Bearer k");
    assert_int_equal(wire_secret(&q, "X-Two", "", "k\nX: y", "hint", &why),
                     ERR_BADREQ);
    assert_string_equal(why.code, "provider_key");
    assert_string_equal(why.message, "hint");
    assert_int_equal(q.n_headers, 1);
    upstream_request_release(&q);
}

static void
only_objects_are_sent_as_json(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"{\"a\":1}", "{'v':{'a':1}}"},
        {" \n{}", "{'v':{}}"},
        {"", "{'v':{'k':''}}"},
        {"[1]", "{'v':{'k':'[1]'}}"},
        {"{\"a\":1,\"a\":2}", "{'v':{'k':'{\\\"a\\\":1,\\\"a\\\":2}'}}"},
        {"{\"a\":1}}", "{'v':{'k':'{\\\"a\\\":1}}'}}"},
        {"\"\xff\"", "{'v':{'k':'\\\"\xef\xbf\xbd\\\"'}}"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(rows); i++) {
        struct upstream_request q;
        struct json_out j;

        upstream_request_init(&q, 1000);
        json_out_init(&j, &q.body);
        json_begin_obj(&j);
        wire_put_object(&j, "v", rows[i].text, strlen(rows[i].text), "k");
        json_end_obj(&j);
        expect_body(&q, rows[i].want);
        upstream_request_release(&q);
    }
}

static void
a_schema_is_kept_as_it_was_written(void **state)
{
    struct wire_format f;
    struct problem why;

    (void)state;
    assert_int_equal(
        wire_format_read("{\"type\":\"json_schema\",\"json_schema\":"
                         "{\"schema\":{\"maximum\": 12345678901234567890}}}",
                         &f, &why),
        OK);
    assert_int_equal(f.kind, WIRE_FORMAT_SCHEMA);
    assert_string_equal(f.schema, "{\"maximum\": 12345678901234567890}");
    wire_format_release(&f);
    assert_int_equal(wire_format_read(NULL, &f, &why), OK);
    assert_int_equal(f.kind, WIRE_FORMAT_TEXT);
    wire_format_release(&f);
}

static void
a_schema_without_a_type_gets_one(void **state)
{
    static const struct {
        const char *schema, *want;
    } rows[] = {
        {"{\"type\":\"object\"}", "{'s':{'type':'object'}}"},
        {" { \"maximum\": 12345678901234567890}",
         "{'s':{'type':'object', 'maximum': 12345678901234567890}}"},
        {"{}", "{'s':7}"},
        {"[]", "{'s':7}"},
        {"{\"a\"", "{'s':7}"},
        {NULL, "{'s':7}"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(rows); i++) {
        struct upstream_request q;
        struct json_out j;

        upstream_request_init(&q, 1000);
        json_out_init(&j, &q.body);
        json_begin_obj(&j);
        wire_put_schema(&j, "s", rows[i].schema, "7");
        json_end_obj(&j);
        expect_body(&q, rows[i].want);
        upstream_request_release(&q);
    }
}

static void
an_image_is_bytes_or_an_address(void **state)
{
    static const struct {
        const char *media_type, *text, *type, *data;
    } rows[] = {
        {"image/png", "AAAA", "image/png", "AAAA"},
        {"image/png", "", "image/png", ""},
        {NULL, "data:image/gif;base64,BB==", "image/gif", "BB=="},
        {NULL, "DATA:;base64,", "", ""},
        {NULL, "https://a/b.png", NULL, "https://a/b.png"},
        {NULL, "data:", NULL, "data:"},
        {NULL, "data:,x", NULL, NULL},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(rows); i++) {
        struct piece p = {.kind = PIECE_IMAGE,
                          .text = rows[i].text,
                          .len = strlen(rows[i].text),
                          .media_type = rows[i].media_type};
        struct wire_image image;
        struct problem why = {.err = OK};

        if (rows[i].data == NULL) {
            assert_int_equal(wire_image(&p, &image, &why), ERR_IMPOSSIBLE);
            assert_string_equal(why.code, "image_not_supported");
            continue;
        }
        assert_int_equal(wire_image(&p, &image, &why), OK);
        assert_int_equal(image.data.n, strlen(rows[i].data));
        assert_memory_equal(image.data.p, rows[i].data, image.data.n);
        assert_int_equal(image.type.p != NULL, rows[i].type != NULL);
        if (rows[i].type == NULL)
            continue;
        assert_int_equal(image.type.n, strlen(rows[i].type));
        assert_memory_equal(image.type.p, rows[i].type, image.type.n);
    }
}

/* --- replies -------------------------------------------------------------- */

static enum err
note_event(void *arg, const char *name, const char *data, size_t n)
{
    buf_addf(arg, "%s:", name);
    buf_add(arg, data, n);
    return n > 3 ? ERR_HUP : OK;
}

/* Fed byte by byte. */
static enum err
feed(struct wire_reply *r, const char *s, struct buf *events,
     struct problem *why)
{
    enum err e = OK;

    buf_clear(events);
    wire_reply_init(r);
    for (; *s != '\0' && e == OK; s++)
        e = wire_reply_feed(r, s, 1, note_event, events, "hint", why);
    return e;
}

static void
the_first_byte_tells_what_a_reply_is(void **state)
{
    struct problem why = {.err = OK};
    struct wire_reply r;
    struct buf events;

    (void)state;
    buf_init(&events, 1000);
    assert_int_equal(feed(&r, " \r\n\t", &events, &why), OK);
    assert_int_equal(r.mode, WIRE_START);
    wire_reply_release(&r);
    assert_int_equal(feed(&r, "\n {\"a\":\ndata: x\n\n", &events, &why), OK);
    assert_int_equal(r.mode, WIRE_JSON);
    assert_string_equal(buf_cstr(&r.json), "{\"a\":\ndata: x\n\n");
    assert_int_equal(events.len, 0);
    wire_reply_release(&r);
    assert_int_equal(
        feed(&r, "\ndata: x\n\nevent: e\ndata: {}\n\n", &events, &why), OK);
    assert_int_equal(r.mode, WIRE_EVENTS);
    assert_string_equal(buf_cstr(&events), ":xe:{}");
    wire_reply_release(&r);
    assert_int_equal(feed(&r, "data: done\n\n", &events, &why), OK);
    assert_string_equal(buf_cstr(&events), ":done"); /* ERR_HUP is no error */
    wire_reply_release(&r);
    assert_int_equal(feed(&r, " <html>", &events, &why), ERR_UPSTREAM);
    assert_string_equal(why.message, "hint");
    wire_reply_release(&r);
    buf_release(&events);
}

static void
a_reply_in_one_piece_has_a_limit_and_one_that_ended_is_ignored(void **state)
{
    static char many[64 * 1024];
    struct problem why = {.err = OK};
    struct wire_reply r;
    size_t n = 0;

    (void)state;
    memset(many, '{', sizeof(many));
    wire_reply_init(&r);
    while (wire_reply_feed(&r, many, sizeof(many), note_event, NULL, "hint",
                           &why) == OK)
        n += sizeof(many);
    assert_int_equal(n, WIRE_BODY_MAX);
    assert_string_equal(why.code, "provider_garbage");
    r.mode = WIRE_ENDED;
    assert_int_equal(wire_reply_feed(&r, "<", 1, note_event, NULL, "h", &why),
                     OK);
    wire_reply_release(&r);
}

static void
times_have_a_zone_and_are_not_before_1970(void **state)
{
    (void)state;
    assert_int_equal(wire_time("2024-12-06T00:48:09Z"), 1733446089);
    assert_int_equal(wire_time("2024-12-06T00:48:09.983619Z"), 1733446089);
    assert_int_equal(wire_time("2024-12-06T06:18:09+05:30"), 1733446089);
    assert_int_equal(wire_time("2024-12-05T17:48:09.1-07:00"), 1733446089);
    assert_int_equal(wire_time("1970-01-01T00:00:00Z"), 0);
    assert_int_equal(wire_time("1012-09-29T00:00:00Z"), -1);
    assert_int_equal(wire_time("2024-12-06T00:48:09"), -1);
    assert_int_equal(wire_time("2024-12-06T00:48:09Z "), -1);
    assert_int_equal(wire_time("2024-12-06T00:48:09+5:30"), -1);
    assert_int_equal(wire_time("2024-12-06"), -1);
    assert_int_equal(wire_time(""), -1);
    assert_int_equal(wire_time(NULL), -1);
}

/* --- places in a text ---------------------------------------------------- */

/* NULL: there is nothing. The text is a block of its own, so that a sanitizer
 * sees any look ahead. */
static void
expect_found(const char *text, const char *path, const char *want)
{
    size_t n = strlen(text);
    char *copy = xmalloc(n > 0 ? n : 1);
    struct wire_slice at = {NULL, 0};
    bool found;

    memcpy(copy, text, n);
    found = wire_find(copy, n, path, &at);
    if (found != (want != NULL))
        fail_msg("%s in %s", path, text);
    if (found && want != NULL) {
        assert_int_equal(at.n, strlen(want));
        assert_memory_equal(at.p, want, at.n);
    }
    free(copy);
}

static void
a_place_is_found_by_names_and_numbers(void **state)
{
    static const char text[] =
        " { \"a\" : [ 1 , \"x\\\"]}\" , { \"b\" : { } , \"c\": [[],[2]] } ] ,"
        " \"b\":-1.50 ,\"\":null}";

    (void)state;
    expect_found(text, "b", "-1.50");
    expect_found(text, "", "null");
    expect_found(text, "a/0", "1");
    expect_found(text, "a/1", "\"x\\\"]}\"");
    expect_found(text, "a/2/b", "{ }");
    expect_found(text, "a/2/c", "[[],[2]]");
    expect_found(text, "a/2/c/1/0", "2");
    expect_found(text, "a/3", NULL);
    expect_found(text, "a/x", NULL);
    expect_found(text, "a/-1", NULL);
    expect_found(text, "b/0", NULL);
    expect_found(text, "c", NULL);
    expect_found("{\"a\":1,\"a\":2}", "a", "1");
}

static void
nothing_is_found_in_what_is_no_json(void **state)
{
    static const char *const texts[] = {
        "",        " ",           "{",     "{\"a",      "{\"a\"",
        "{\"a\":", "{\"a\":[1",   "{a:1}", "{\"a\" 1}", "{,\"a\":1}",
        "[\"a\"]", "{\"a\":\"",   "{\"\\", "{\"x\":}",  "{\"a\":}",
        "\"a\"",   "{\"a\":\"\\",
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(texts); i++)
        expect_found(texts[i], "a", NULL);
}

static void
note_args(void *arg, const struct part *p)
{
    assert_int_equal(p->kind, PART_ARGS);
    assert_int_equal(p->index, 3);
    buf_add(arg, p->text, p->len);
}

static void
arguments_are_told_as_they_were_written(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"{\"a\":{ \"n\" : 12345678901234567890 ,\n\"s\":\"a  b\" }}",
         "{\"n\":12345678901234567890,\"s\":\"a  b\"}"},
        {"{\"a\":{}}", "{}"},
        {"{\"\\u0061\":{\"n\":1.50}}", "{\"n\":1.5}"},
        {"{\"a\":{\"s\":\"\\ud800\"}}", "{\"s\":\"\xef\xbf\xbd\"}"},
        {"{\"a\":{\"s\":\"\xff\"}}", "{\"s\":\"\xef\xbf\xbd\"}"},
        {"{\"a\":[1]}", ""},
        {"{\"a\":\"{}\"}", ""},
        {"{}", ""},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(rows); i++) {
        struct wire_slice text = {rows[i].text, strlen(rows[i].text)};
        cJSON *tree = json_parse_mended(text.p, text.n);
        struct buf out;

        buf_init(&out, 1000);
        wire_tell_args(cJSON_GetObjectItemCaseSensitive(tree, "a"), &text, "a",
                       3, note_args, &out);
        assert_string_equal(buf_cstr(&out), rows[i].want);
        buf_release(&out);
        cJSON_Delete(tree);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_is_one_header_of_one_line),
        cmocka_unit_test(only_objects_are_sent_as_json),
        cmocka_unit_test(a_schema_is_kept_as_it_was_written),
        cmocka_unit_test(a_schema_without_a_type_gets_one),
        cmocka_unit_test(an_image_is_bytes_or_an_address),
        cmocka_unit_test(the_first_byte_tells_what_a_reply_is),
        cmocka_unit_test(
            a_reply_in_one_piece_has_a_limit_and_one_that_ended_is_ignored),
        cmocka_unit_test(times_have_a_zone_and_are_not_before_1970),
        cmocka_unit_test(a_place_is_found_by_names_and_numbers),
        cmocka_unit_test(nothing_is_found_in_what_is_no_json),
        cmocka_unit_test(arguments_are_told_as_they_were_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
