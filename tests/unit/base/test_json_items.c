/* Tests of base/json_items.c: a JSON text, cut into items as it arrives. */
#include "base_test.h"

#include "base/json.h"
#include "base/json_items.h"
#include "base/mem.h"

#define OUT_MAX (4 * 1024 * 1024)
#define ITEM_MAX 4096
#define STOP_AFTER_NONE SIZE_MAX

/* What was told, as a text: "item@3/1:{}\n", "broken@3/0:rule@7\n". */
struct told {
    struct buf out;
    size_t items;
    size_t stop_after;
};

static enum err
note(void *arg, const struct json_item *it)
{
    struct told *t = arg;

    if (it->rule != NULL) {
        assert_null(it->s);
        buf_addf(&t->out, "broken@%d/%u:%s@%d\n", (int)it->at, it->list,
                 it->rule, (int)it->broken_at);
    } else {
        cJSON *tree = NULL;

        assert_int_equal(json_parse_deep(it->s, it->n, &tree, NULL), OK);
        cJSON_Delete(tree);
        buf_addf(&t->out, "%s@%d/%u:", it->head ? "head" : "item", (int)it->at,
                 it->list);
        buf_add(&t->out, it->s, it->n);
        buf_addc(&t->out, '\n');
    }
    return ++t->items > t->stop_after ? ERR_HUP : OK;
}

/* In pieces, each in memory of its exact size. */
static enum err
feed(struct json_items *p, struct told *t, const char *s, size_t n,
     size_t piece)
{
    enum err e = OK;

    for (size_t at = 0; at < n && e == OK; at += piece) {
        size_t len = n - at < piece ? n - at : piece;
        char *copy = xmalloc(len);

        memcpy(copy, s + at, len);
        e = json_items_feed(p, copy, len, note, t);
        free(copy);
    }
    return e == OK ? json_items_end(p, note, t) : e;
}

static void
cut(struct told *t, const char *s, size_t n, size_t piece)
{
    struct json_items p;
    enum err e;

    buf_init(&t->out, OUT_MAX);
    t->items = 0;
    t->stop_after = STOP_AFTER_NONE;
    json_items_init(&p, "sessions", ITEM_MAX);
    e = feed(&p, t, s, n, piece);
    if (e != OK) {
        assert_int_equal(e, ERR_BADREQ);
        buf_addf(&t->out, "stop:%s@%d\n", p.rule, (int)p.broken_at);
        assert_int_equal(json_items_feed(&p, "{}", 2, note, t), ERR_BADREQ);
    } else {
        assert_null(p.rule);
    }
    json_items_release(&p);
}

static void
expect_n(const char *s, size_t n, const char *want)
{
    static const size_t pieces[] = {SIZE_MAX / 2, 1, 2, 3, 7, 1460};
    struct told t;

    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        cut(&t, s, n, pieces[i]);
        if (strcmp(buf_cstr(&t.out), want) != 0)
            fail_msg("in pieces of %zu:\n%s\ninstead of:\n%s\nof: %s",
                     pieces[i], buf_cstr(&t.out), want, s);
        buf_release(&t.out);
    }
}

static void
expect(const char *s, const char *want)
{
    expect_n(s, strlen(s), want);
}

static void
an_array_is_cut_into_what_is_in_it(void **state)
{
    (void)state;
    expect("[]", "");
    expect(" [ ] \n", "");
    expect("[{\"a\":[1,{}]},{}]", "item@1/1:{\"a\":[1,{}]}\nitem@14/1:{}\n");
    expect("[1, -2.5e3 ,\"a,]\\\"\",null,[],true]",
           "item@1/1:1\nitem@4/1:-2.5e3\nitem@12/1:\"a,]\\\"\"\n"
           "item@20/1:null\nitem@25/1:[]\nitem@28/1:true\n");
    expect("[{ \"a\" : \"}]{[\" }\n,\n{\"b\":\"\\\\\"}\n]\n",
           "item@1/1:{ \"a\" : \"}]{[\" }\nitem@20/1:{\"b\":\"\\\\\"}\n");
}

static void
one_object_is_one_item(void **state)
{
    (void)state;
    expect("{}", "item@0/0:{}\n");
    expect(" {\n\"a\": {\"sessions\":[1]},\n\"b\":\"sessions\"} ",
           "item@1/0:{\n\"a\": {\"sessions\":[1]},\n\"b\":\"sessions\"}\n");
    expect("{\"messages\":[{\"role\":\"user\"}]}",
           "item@0/0:{\"messages\":[{\"role\":\"user\"}]}\n");
}

static void
the_named_array_of_an_object_is_cut_and_its_head_told(void **state)
{
    (void)state;
    expect("{\"sessions\":[]}", "head@0/1:{}\n");
    expect(
        "{\"format\":\"parley\", \"version\":1 ,\n \"sessions\" : [ {\"a\":1},"
        "2 ] , \"z\":[{}] }",
        "head@0/1:{\"format\":\"parley\", \"version\":1 }\n"
        "item@50/1:{\"a\":1}\nitem@58/1:2\n");
    /* Of another kind, elsewhere, or spelt otherwise it is not the one. */
    expect("{\"sessions\":{\"a\":[1]}}",
           "item@0/0:{\"sessions\":{\"a\":[1]}}\n");
    expect("{\"a\":\"sessions\",\"b\":[1]}",
           "item@0/0:{\"a\":\"sessions\",\"b\":[1]}\n");
    expect("{\"session\":[1],\"sessionss\":[2],\"sessions\\u0020\":[3]}",
           "item@0/0:{\"session\":[1],\"sessionss\":[2],"
           "\"sessions\\u0020\":[3]}\n");
    expect_n("{\"sessions\0\0\":[1]}", 18,
             "broken@0/0:control character in a string@10\n");
    expect("[{\"sessions\":[1]}]", "item@1/1:{\"sessions\":[1]}\n");
    expect("{\"sessions\":\"x\",\"a\":[1]}",
           "item@0/0:{\"sessions\":\"x\",\"a\":[1]}\n");
}

static void
lines_are_texts_of_their_own(void **state)
{
    (void)state;
    expect("{\"a\":1}\n{\"b\":2}\n\n{\"c\":3}",
           "item@0/0:{\"a\":1}\nitem@8/0:{\"b\":2}\nitem@17/0:{\"c\":3}\n");
    expect("{\"a\":1}\r\n[{},2]\r\n[3]\r\n",
           "item@0/0:{\"a\":1}\nitem@10/1:{}\nitem@13/1:2\nitem@18/2:3\n");
    /* Texts behind one another need no lines. */
    expect("{\n\"a\":1}{\"b\":\n2} [3]",
           "item@0/0:{\n\"a\":1}\nitem@8/0:{\"b\":\n2}\nitem@18/1:3\n");
}

static void
a_mark_at_the_beginning_of_the_file_is_passed_over(void **state)
{
    (void)state;
    expect("\xEF\xBB\xBF[{}]", "item@4/1:{}\n");
    expect("\xEF\xBB", "stop:empty@2\n");
    expect("\xEF\xBBx[{}]", "stop:unexpected character@0\n");
    expect("[{}]\xEF\xBB\xBF",
           "item@1/1:{}\nstop:expected an object or an array@4\n");
}

static void
a_broken_item_costs_no_other(void **state)
{
    (void)state;
    expect("[{\"a\":1},{\"a\":tru},{\"b\":2}]",
           "item@1/1:{\"a\":1}\nbroken@9/1:unexpected character@14\n"
           "item@19/1:{\"b\":2}\n");
    expect("[{\"a\":\"\xC3\x28\"},{}]",
           "broken@1/1:ill-formed UTF-8@7\nitem@12/1:{}\n");
    expect("[{\"a\":\"x\ny\"},{}]",
           "broken@1/1:control character in a string@8\nitem@13/1:{}\n");
    expect("[{\"a\":1,\"a\":2},{}]",
           "broken@1/1:name occurs twice in an object@8\nitem@15/1:{}\n");
    expect("[01,{},nope]", "broken@1/1:malformed number@1\n"
                           "item@4/1:{}\n"
                           "broken@7/1:unexpected character@7\n");
    expect("{\"a\":1,\"a\":2,\"sessions\":[{}]}",
           "broken@0/1:name occurs twice in an object@7\nitem@25/1:{}\n");
}

static void
a_broken_line_costs_no_other(void **state)
{
    (void)state;
    expect("{\"a\":1}\n{\"a\":\n{\"b\":2}\n",
           "item@0/0:{\"a\":1}\nbroken@8/0:ends too early@13\n"
           "item@14/0:{\"b\":2}\n");
    expect("{\"a\":1}\n{\"a\":\"x\n{\"b\":2}\n",
           "item@0/0:{\"a\":1}\nbroken@8/0:control character in a string@15\n"
           "item@16/0:{\"b\":2}\n");
    expect("{\"a\":1}\nhello, world\n[1,\n{\"b\":]}]\n{}",
           "item@0/0:{\"a\":1}\n"
           "broken@8/0:expected an object or an array@8\n"
           "item@22/1:1\nbroken@24/1:ends too early@24\n"
           "broken@25/0:unexpected character@30\n"
           "item@34/0:{}\n");
    expect("{\"a\":1}\n{\"b\":2",
           "item@0/0:{\"a\":1}\nbroken@8/0:ends too early@14\n");
}

static void
a_broken_first_line_is_one_of_many_if_another_text_follows(void **state)
{
    (void)state;
    expect("{\"a\"]}\n{\"b\":2}\n{\"c\":3\n{}",
           "broken@0/0:unexpected character@4\nitem@7/0:{\"b\":2}\n"
           "broken@15/0:ends too early@21\nitem@22/0:{}\n");
    expect("# notes\n\n[1]\n",
           "broken@0/0:expected an object or an array@0\nitem@10/1:1\n");
    expect("{\"a\"]}", "stop:unexpected character@4\n");
    expect("{\"a\"]}\n", "stop:unexpected character@4\n");
    expect("{\"a\":[}],\n  \"b\":2\n}", "stop:unexpected character@6\n");
    expect("<html>\n<body>", "stop:expected an object or an array@0\n");
}

static void
where_the_structure_is_lost_reading_stops(void **state)
{
    (void)state;
    expect("", "stop:empty@0\n");
    expect(" \n ", "stop:empty@3\n");
    expect("\n[{} {}]", "item@2/1:{}\n"
                        "stop:expected a comma or an end@5\n");
    expect("[\n{},]", "item@2/1:{}\nstop:unexpected character@5\n");
    expect("[\n{}}", "item@2/1:{}\nstop:expected a comma or an end@4\n");
    expect("[\n{\"a\":[}]", "stop:unexpected character@8\n");
    expect("[\n:", "stop:unexpected character@2\n");
    expect("[\n,", "stop:unexpected character@2\n");
    expect("{\n}\n3", "item@0/0:{\n}\n"
                      "stop:expected an object or an array@4\n");
    expect_n("[\n\0]", 4, "stop:control character@2\n");
    expect_n("[\n1\0]", 5, "item@2/1:1\nstop:expected a comma or an end@3\n");
}

static void
every_cut_tells_what_was_whole_and_that_it_ended(void **state)
{
    static const char text[] = "{\"v\":1,\n\"sessions\":[{\"a\":[\"}\"]}, 12,"
                               " \"x\"],\n\"z\":{}}";
    static const char whole[] = "head@0/1:{\"v\":1}\n"
                                "item@20/1:{\"a\":[\"}\"]}\n"
                                "item@33/1:12\nitem@37/1:\"x\"\n";
    struct told t;
    char *stop;

    (void)state;
    expect(text, whole);
    for (size_t n = 1; n < sizeof(text) - 1; n++) {
        cut(&t, text, n, 1);
        stop = strstr(buf_cstr(&t.out), "stop:ends too early@");
        assert_non_null(stop);
        assert_int_equal(strtol(stop + 20, NULL, 10), n);
        assert_memory_equal(t.out.data, whole, (size_t)(stop - t.out.data));
        /* Not less than what had its end. */
        for (const char *p = whole; (p = strchr(p, '@')) != NULL; p++) {
            size_t from = (size_t)strtol(p + 1, NULL, 10);
            size_t len = strcspn(strchr(p, ':') + 1, "\n");

            if (from > 0 && from + len < n)
                assert_true(p < whole + (stop - t.out.data));
        }
        buf_release(&t.out);
    }
}

static void
escapes_that_text_cannot_hold_are_replaced(void **state)
{
    (void)state;
    expect("[\"a\\u0000b\",\"\\ud83d!\",\"\\ud83d\\ude00\",\"\\\\ud83d\"]",
           "item@1/1:\"a\\ufffdb\"\nitem@12/1:\"\\ufffd!\"\n"
           "item@22/1:\"\\ud83d\\ude00\"\nitem@37/1:\"\\\\ud83d\"\n");
}

static void
depth_is_that_of_an_item(void **state)
{
    enum { DEEP = JSON_DEEP_MAX };
    char text[2 * DEEP + 100], want[2 * DEEP + 100];

    (void)state;
    (void)memset(text, '[', 1 + DEEP);
    (void)memset(text + 1 + DEEP, ']', 1 + DEEP);
    text[2 + 2 * DEEP] = '\0';
    (void)snprintf(want, sizeof(want), "item@1/1:%.*s\n", 2 * DEEP, text + 1);
    expect(text, want);
    (void)memset(text, '[', 2 + DEEP);
    (void)memset(text + 2 + DEEP, ']', 1 + DEEP);
    (void)snprintf(text + 3 + 2 * DEEP, 10, ",{}]");
    (void)snprintf(want, sizeof(want),
                   "broken@1/1:nested too deeply@%d\nitem@%d/1:{}\n", 1 + DEEP,
                   4 + 2 * DEEP);
    expect(text, want);
    /* Brackets of the wrong kind are seen where a depth is kept. */
    (void)memset(text, '[', 100);
    (void)snprintf(text + 99, 10, "\n}");
    expect(text, "stop:unexpected character@100\n");
}

static void
an_item_may_have_its_limit_and_no_byte_more(void **state)
{
    char text[2 * ITEM_MAX];
    struct told t;

    (void)state;
    for (int over = 0; over <= 1; over++) {
        size_t n = ITEM_MAX + (size_t)over;

        text[0] = '[';
        text[1] = '"';
        memset(text + 2, 'x', n - 2);
        (void)snprintf(text + n, 16, "\",{}]");
        for (size_t piece = 1; piece < 9000; piece += 1459) {
            cut(&t, text, strlen(text), piece);
            assert_int_equal(t.items, 2);
            assert_int_equal(
                over, strncmp(buf_cstr(&t.out), "broken@1/1:long", 15) == 0);
            assert_non_null(strstr(buf_cstr(&t.out), "/1:{}\n"));
            buf_release(&t.out);
        }
    }
}

static void
a_long_value_outside_of_items_needs_no_memory(void **state)
{
    struct json_items p;
    struct told t = {.stop_after = STOP_AFTER_NONE};

    (void)state;
    buf_init(&t.out, OUT_MAX);
    json_items_init(&p, "sessions", ITEM_MAX);
    assert_int_equal(
        json_items_feed(&p, "{\"sessions\":[1],\"z\":\"", 21, note, &t), OK);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(json_items_feed(&p, "xxxxxxxxxxxxxxxx", 16, note, &t),
                         OK);
    assert_true(p.item.cap <= ITEM_MAX);
    assert_int_equal(json_items_feed(&p, "\"}", 2, note, &t), OK);
    assert_int_equal(json_items_end(&p, note, &t), OK);
    assert_string_equal(buf_cstr(&t.out), "head@0/1:{}\nitem@13/1:1\n");
    json_items_release(&p);
    buf_release(&t.out);
}

static void
who_is_told_can_stop_it(void **state)
{
    static const char text[] = "{\"sessions\":[1,2,3]}\n";
    struct told t;
    struct json_items p;

    (void)state;
    for (size_t n = 0; n < 4; n++) {
        buf_init(&t.out, OUT_MAX);
        t.items = 0;
        t.stop_after = n;
        json_items_init(&p, "sessions", ITEM_MAX);
        assert_int_equal(feed(&p, &t, text, sizeof(text) - 1, 5), ERR_HUP);
        assert_int_equal(t.items, n + 1);
        json_items_release(&p);
        buf_release(&t.out);
    }
}

static void
without_a_member_no_array_of_an_object_is_cut(void **state)
{
    struct json_items p;
    struct told t = {.stop_after = STOP_AFTER_NONE};

    (void)state;
    buf_init(&t.out, OUT_MAX);
    json_items_init(&p, NULL, ITEM_MAX);
    assert_int_equal(feed(&p, &t, "{\"sessions\":[1]}", 16, 3), OK);
    assert_string_equal(buf_cstr(&t.out), "item@0/0:{\"sessions\":[1]}\n");
    json_items_release(&p);
    buf_release(&t.out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_array_is_cut_into_what_is_in_it),
        cmocka_unit_test(one_object_is_one_item),
        cmocka_unit_test(the_named_array_of_an_object_is_cut_and_its_head_told),
        cmocka_unit_test(lines_are_texts_of_their_own),
        cmocka_unit_test(a_mark_at_the_beginning_of_the_file_is_passed_over),
        cmocka_unit_test(a_broken_item_costs_no_other),
        cmocka_unit_test(a_broken_line_costs_no_other),
        cmocka_unit_test(
            a_broken_first_line_is_one_of_many_if_another_text_follows),
        cmocka_unit_test(where_the_structure_is_lost_reading_stops),
        cmocka_unit_test(every_cut_tells_what_was_whole_and_that_it_ended),
        cmocka_unit_test(escapes_that_text_cannot_hold_are_replaced),
        cmocka_unit_test(depth_is_that_of_an_item),
        cmocka_unit_test(an_item_may_have_its_limit_and_no_byte_more),
        cmocka_unit_test(a_long_value_outside_of_items_needs_no_memory),
        cmocka_unit_test(who_is_told_can_stop_it),
        cmocka_unit_test(without_a_member_no_array_of_an_object_is_cut),
    };

    return cmocka_run_group_tests_name("json_items", tests, NULL, NULL);
}
