/* Tests of base/json.c and base/json_scan.c: JSON in. */
#include "base_test.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

#define B(s) (s), sizeof(s) - 1

struct sample {
    const char *s;
    size_t n;
};
#define S(s)               \
    {                      \
        (s), sizeof(s) - 1 \
    }

/* In memory of exactly its size, so that AddressSanitizer sees a byte too
 * far. */
static enum err
check(const char *s, size_t n)
{
    char *copy = xmalloc(n);
    struct problem why;
    cJSON *tree = NULL;
    enum err e;
    enum err p;

    if (n)
        memcpy(copy, s, n);
    memset(&why, 0, sizeof(why));
    e = json_check(copy, n, &why);
    p = json_parse(copy, n, &tree, NULL);
    assert_int_equal(e, p);
    assert_int_equal(p == OK, tree != NULL);
    if (e)
        assert_string_equal(why.code, "invalid_json");
    cJSON_Delete(tree);
    free(copy);
    return e;
}

static void
what_the_rfc_allows_is_taken(void **state)
{
    static const struct sample good[] = {
        S("null"),
        S(" true "),
        S("\t\r\n false\n"),
        S("0"),
        S("-0"),
        S("-0.0e-0"),
        S("1E5"),
        S("1e+5"),
        S("123456789012345678901234567890"),
        S("1.7976931348623157e308"),
        S("0.1e309"),
        S("17976931348623157e292"),
        S("1e-99999"),
        S("0e99999999999999999999999999"),
        S("0.00e999"),
        S("\"\""),
        S("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\uD83D\\uDE00\""),
        S("\"\x7F\xC3\xA4\xF0\x9F\x98\x80\xEF\xBF\xBF\""),
        S("[]"),
        S("{}"),
        S("[1,[2,[3]],{}]"),
        S("{\"\":0}"),
        S("{\"a\":1,\"A\":2,\"b\":{\"a\":1}}"),
        S("[{\"a\":1},{\"a\":1}]"),
        S("{\"a\":{\"x\":1},\"b\":{\"x\":1},\"x\":1}"),
        S("[-0.00000000000000000000000000000000000000000000000000000000000000"
          "000000000000001]"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++)
        if (check(good[i].s, good[i].n) != OK)
            fail_msg("refused: %s", good[i].s);
}

static void
all_refused(const struct sample *bad, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (check(bad[i].s, bad[i].n) != ERR_BADREQ)
            fail_msg("taken: %s", bad[i].s);
}

static void
what_the_rfc_forbids_is_refused(void **state)
{
    static const struct sample bad[] = {
        S(""),           S(" "),
        S("nul"),        S("nullx"),
        S("True"),       S("NaN"),
        S("Infinity"),   S("-Infinity"),
        S("01"),         S("-01"),
        S("-"),          S("+1"),
        S(".5"),         S("1."),
        S("1.e5"),       S("1e"),
        S("1e+"),        S("0x1"),
        S("1_0"),        S("1 2"),
        S("1\0"),        S("\0"),
        S("[1,]"),       S("[,1]"),
        S("[1 2]"),      S("[1"),
        S("["),          S("]"),
        S("[}"),         S("{]"),
        S("{\"a\"}"),    S("{\"a\":}"),
        S("{\"a\":1,}"), S("{,\"a\":1}"),
        S("{a:1}"),      S("{'a':1}"),
        S("{\"a\" 1}"),  S("{\"a\":1 \"b\":2}"),
        S("{1:2}"),      S("{\"a\":1"),
        S("{\"a\""),     S("{\"a\":"),
        S("{\"a\":1,"),  S("{"),
    };

    (void)state;
    all_refused(bad, COUNT_OF(bad));
}

static void
broken_strings_and_doubled_names_are_refused(void **state)
{
    static const struct sample bad[] = {
        S("\""),
        S("\"a"),
        S("\"\\"),
        S("\"\\\""),
        S("\"\\x\""),
        S("\"\\\0\""),
        S("\"\\u12\""),
        S("\"\\u12g4\""),
        S("\"\\u0000\""),
        S("\"\n\""),
        S("\"\x1F\""),
        S("\"\0\""),
        S("\"\\uD800\""),
        S("\"\\uDC00\""),
        S("\"\\uD800\\uD800\""),
        S("\"\\uD800\\n\""),
        S("\"\\uD83D\\uDE0"),
        S("\"\xFF\""),
        S("\"\xC0\x80\""),
        S("\"\xED\xA0\x80\""),
        S("\"\xC3"),
        S("\xEF\xBB\xBF{}"),
        S("\xEF\xBB\xBF"),
        S("{}{}"),
        S("{} //"),
        S("/**/{}"),
        S("\xC2\xA0{}"),
        S("[1]\f"),
        S("{\"a\":1,\"a\":2}"),
        S("{\"a\":1,\"\\u0061\":2}"),
        S("{\"\\uD83D\\uDE00\":1,\"\xF0\x9F\x98\x80\":2}"),
        S("{\"\\n\":1,\"\\u000A\":2}"),
        S("{\"\\/\":1,\"/\":2}"),
        S("{\"b\":{\"a\":1,\"c\":2,\"a\":3}}"),
        S("1e309"),
        S("-1e309"),
        S("1e999999999999999999999"),
        S("1.7976931348623159e308"),
        S("17976931348623159e292"),
        S("0.0001e313"),
    };

    (void)state;
    all_refused(bad, COUNT_OF(bad));
}

static void
every_beginning_of_a_text_is_refused(void **state)
{
    static const char s[] =
        "{\"a\":[1.5e+3,true,false,null,\"\\uD83D\\uDE00\xF0\x9F\x98\x80\\n\"]"
        ",\"b\":{\"c\":-0}}";

    (void)state;
    assert_int_equal(check(B(s)), OK);
    for (size_t n = 0; n < sizeof(s) - 1; n++)
        assert_int_equal(check(s, n), ERR_BADREQ);
}

static void
the_edge_of_the_doubles_is_exact(void **state)
{
    /* 2^1024 - 2^970 is the least number that rounds to infinity. */
    char s[400] =
        "17976931348623158079372897140530341507993413271003782693617377898044"
        "49682927647509466490179775872070963302864166928879109465555478519404"
        "02630657488671505820681908902000708383676273854845817711531764475730"
        "27006985557136695962284291481986083493647529271907416844436551070434"
        "2711559699508093042880177904174497792";
    size_t n = strlen(s);

    (void)state;
    assert_int_equal(n, 309);
    assert_int_equal(check(s, n), ERR_BADREQ);
    memcpy(s + n, ".000e0", 7);
    assert_int_equal(check(s, n + 6), ERR_BADREQ);
    s[n - 1]--; /* one less */
    assert_int_equal(check(s, n), OK);
    memcpy(s + n, ".999", 5);
    assert_int_equal(check(s, n + 4), OK);
}

static void
depth_ends_where_it_says(void **state)
{
    char s[400];

    (void)state;
    for (size_t depth = 1; depth <= 2 * (size_t)JSON_DEPTH_MAX; depth++) {
        memset(s, '[', depth);
        memset(s + depth, ']', depth);
        assert_int_equal(check(s, 2 * depth),
                         depth <= JSON_DEPTH_MAX ? OK : ERR_BADREQ);
    }
    memset(s, '[', sizeof(s));
    assert_int_equal(check(s, sizeof(s)), ERR_BADREQ);
}

static void
the_reason_names_the_place_and_never_the_content(void **state)
{
    struct problem why;

    (void)state;
    assert_int_equal(json_check(B("{\"secret\":hunter2}"), &why), ERR_BADREQ);
    assert_int_equal(why.err, ERR_BADREQ);
    assert_string_equal(why.code, "invalid_json");
    assert_non_null(strstr(why.message, "byte 10"));
    assert_null(strstr(why.message, "hunter2"));
    assert_int_equal(json_check(B("{\"k\":1, \"k\":2}"), &why), ERR_BADREQ);
    assert_non_null(strstr(why.message, "byte 8"));
    assert_non_null(strstr(why.message, "twice"));
    assert_int_equal(json_check(B("[1]x"), &why), ERR_BADREQ);
    assert_non_null(strstr(why.message, "byte 3"));
    assert_int_equal(json_check(B("x"), NULL), ERR_BADREQ);
}

/* {"k0":0,"k1":0,...} and, if wanted, one name twice. */
static void
many_names(struct buf *b, size_t count, bool twice)
{
    buf_clear(b);
    for (size_t i = 0; i < count; i++)
        buf_addf(b, "%c\"k%zu\":0", i ? ',' : '{', i * 7919 % count);
    if (twice)
        buf_adds(b, ",\"k\\u0035\":0");
    buf_addc(b, '}');
    assert_int_equal(buf_status(b), OK);
}

static void
duplicates_are_found_among_any_number_of_names(void **state)
{
    static const size_t counts[] = {6, 7, 8, 9, 31, 32, 33, 64, 1000, 5000};
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        many_names(&b, counts[i], false);
        assert_int_equal(check(b.data, b.len), OK);
        many_names(&b, counts[i], true);
        assert_int_equal(check(b.data, b.len), ERR_BADREQ);
    }
    buf_release(&b);
}

static void
large_objects_take_time_in_proportion(void **state)
{
    struct buf b;
    int64_t start;

    (void)state;
    buf_init(&b, 16 << 20);
    many_names(&b, 200000, false);
    start = clock_mono_ms();
    assert_int_equal(json_check(b.data, b.len, NULL), OK);
    /* Pairs would be 2 * 10^10 comparisons: minutes. */
    assert_true(clock_mono_ms() - start < 10000);
    buf_release(&b);
}

static void
the_number_of_values_has_a_ceiling(void **state)
{
    struct problem why;
    cJSON *tree;
    struct buf b;

    (void)state;
    buf_init(&b, 4 << 20);
    buf_adds(&b, "[0");
    for (size_t i = 2; i < JSON_VALUES_MAX; i++)
        buf_adds(&b, ",0");
    buf_adds(&b, "]");
    assert_int_equal(json_check(b.data, b.len, &why), OK);
    b.len--;
    buf_adds(&b, ",0]");
    assert_int_equal(json_check(b.data, b.len, &why), ERR_TOOBIG);
    assert_int_equal(json_parse(b.data, b.len, &tree, &why), ERR_TOOBIG);
    assert_null(tree);
    buf_release(&b);
}

static void
long_numbers_keep_their_value(void **state)
{
    static const char s[] =
        "{\"a\":1.0000000000000000000000000000000000000000000000000000000000000"
        "00000000000000000000000000e2,"
        "\"1111111111111111111111111111111111111111"
        "1111111111111111111111111111111\\\"\":[3.14159265358979323846264338327"
        "95028841971693993751058209749445923,-7],\"z\":2}";
    cJSON *tree;

    (void)state;
    assert_int_equal(json_parse(B(s), &tree, NULL), OK);
    assert_true(json_i64(tree, "a", 0) == 100);
    assert_true(json_i64(tree, "z", 0) == 2);
    assert_true(tree->child->next->child->valuedouble == 3.141592653589793);
    assert_true(tree->child->next->child->next->valueint == -7);
    assert_int_equal(strlen(tree->child->next->string), 72);
    cJSON_Delete(tree);
}

static void
the_lenient_parser_is_cjson_within_bounds(void **state)
{
    static const struct sample bad[] = {
        S(""),   S("{"),     S("{\"1\":1,"), S("[1,"), S("x"),
        S("\""), S("\"\\u"), S("[\"a\\"),    S("nul"), S("-"),
    };
    struct buf b;
    cJSON *tree = json_parse_lenient(B("{\"a\":1,\"a\":2}"));

    (void)state;
    assert_int_equal(json_i64(tree, "a", 0), 1);
    cJSON_Delete(tree);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        char *copy = xmalloc(bad[i].n);

        memcpy(copy, bad[i].s, bad[i].n);
        assert_null(json_parse_lenient(copy, bad[i].n));
        free(copy);
    }
    buf_init(&b, 1 << 20);
    for (int i = 0; i < 5000; i++)
        buf_addc(&b, '[');
    assert_null(json_parse_lenient(b.data, b.len));
    buf_clear(&b);
    buf_addc(&b, '"');
    for (int i = 0; i < 5000; i++)
        buf_addc(&b, 'x');
    buf_addc(&b, '"');
    tree = json_parse_lenient(b.data, b.len);
    assert_true(cJSON_IsString(tree));
    cJSON_Delete(tree);
    buf_release(&b);
}

static void
the_lenient_parser_bounds_its_tree(void **state)
{
    struct buf b;
    cJSON *tree;

    (void)state;
    buf_init(&b, 1 << 22);
    buf_adds(&b, "[\"[{,\\\",[\"");
    for (int i = 2; i < JSON_VALUES_MAX; i++)
        buf_adds(&b, ",\"\"");
    buf_addc(&b, ']');
    tree = json_parse_lenient(b.data, b.len);
    assert_int_equal(cJSON_GetArraySize(tree), JSON_VALUES_MAX - 1);
    cJSON_Delete(tree);
    b.len--;
    buf_adds(&b, ",1]");
    assert_null(json_parse_lenient(b.data, b.len));
    buf_clear(&b);
    buf_addc(&b, '"'); /* a long text with many commas is one value */
    for (int i = 0; i < JSON_VALUES_MAX; i++)
        buf_adds(&b, ",[");
    buf_addc(&b, '"');
    tree = json_parse_lenient(b.data, b.len);
    assert_true(cJSON_IsString(tree));
    cJSON_Delete(tree);
    buf_release(&b);
}

static void
the_lenient_parser_takes_white_space_behind_and_nothing_else(void **state)
{
    static const struct sample good[] = {
        S("{} "), S("{}      \t\r\n"), S("[1]\n\n"), S("1 "), S("\"x\"\t"),
    };
    static const struct sample bad[] = {
        S("{} tail"), S("{}{}"), S("{},"),      S("{}]"),  S("[1]2"),
        S("1 2"),     S("{}\0"), S("{} \0 "),   S("{}\v"), S("{}\xC2\xA0"),
        S("truex"),   S("1x"),   S("nullnull"),
    };
    struct buf b;
    cJSON *tree;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        tree = json_parse_lenient(good[i].s, good[i].n);
        assert_non_null(tree);
        cJSON_Delete(tree);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_null(json_parse_lenient(bad[i].s, bad[i].n));
    buf_init(&b, 1 << 20); /* too long for the stack's copy */
    buf_adds(&b, "[]");
    for (int i = 0; i < 5000; i++)
        buf_addc(&b, ' ');
    tree = json_parse_lenient(b.data, b.len);
    assert_non_null(tree);
    cJSON_Delete(tree);
    buf_addc(&b, ']');
    assert_null(json_parse_lenient(b.data, b.len));
    buf_release(&b);
}

static cJSON *
sample_object(void)
{
    cJSON *o;

    assert_int_equal(
        json_parse(B("{\"s\":\"text\",\"t\":true,\"f\":false,\"i\":42,"
                     "\"d\":1.5,\"n\":null,\"o\":{\"x\":1},\"a\":[1],"
                     "\"big\":1e300,\"neg\":-9223372036854775808}"),
                   &o, NULL),
        OK);
    return o;
}

static void
getters_fill_what_is_there(void **state)
{
    cJSON *o = sample_object();
    const char *s = "was";
    bool t = false;
    bool f = true;
    int64_t i = 0;
    double d = 0;

    (void)state;
    assert_int_equal(json_get_str(o, "s", &s, NULL), OK);
    assert_string_equal(s, "text");
    assert_int_equal(json_get_bool(o, "t", &t, NULL), OK);
    assert_int_equal(json_get_bool(o, "f", &f, NULL), OK);
    assert_true(t && !f);
    assert_int_equal(json_get_i64(o, "i", 42, 42, &i, NULL), OK);
    assert_int_equal(i, 42);
    assert_int_equal(json_get_i64(o, "neg", INT64_MIN, 0, &i, NULL), OK);
    assert_true(i == INT64_MIN);
    assert_int_equal(json_get_num(o, "d", 1, 2, &d, NULL), OK);
    assert_true(d == 1.5);
    cJSON_Delete(o);
}

static void
missing_and_null_leave_the_default(void **state)
{
    static const char *const names[] = {"n", "nowhere", "S", ""};
    cJSON *o = sample_object();
    const char *s = "was";
    bool b = true;
    int64_t i = 7;
    double d = 0.5;

    (void)state;
    for (size_t k = 0; k < COUNT_OF(names); k++) {
        assert_int_equal(json_get_str(o, names[k], &s, NULL), OK);
        assert_int_equal(json_get_bool(o, names[k], &b, NULL), OK);
        assert_int_equal(json_get_i64(o, names[k], 0, 1, &i, NULL), OK);
        assert_int_equal(json_get_num(o, names[k], 0, 1, &d, NULL), OK);
    }
    assert_int_equal(json_get_str(NULL, "s", &s, NULL), OK);
    assert_string_equal(s, "was");
    assert_true(b && i == 7 && d == 0.5);
    cJSON_Delete(o);
}

static void
another_type_is_a_problem_with_a_name(void **state)
{
    cJSON *o = sample_object();
    struct problem why;
    const char *s = "was";
    bool b = true;
    int64_t i = 7;
    double d = 0.5;

    (void)state;
    assert_int_equal(json_get_str(o, "i", &s, &why), ERR_BADREQ);
    assert_string_equal(why.message, "i must be a string");
    assert_non_null(strstr(why.error, ": i"));
    assert_int_equal(json_get_bool(o, "s", &b, &why), ERR_BADREQ);
    assert_string_equal(why.message, "s must be true or false");
    assert_int_equal(json_get_i64(o, "d", 0, 9, &i, &why), ERR_BADREQ);
    assert_string_equal(why.message, "d must be a whole number from 0 to 9");
    assert_int_equal(json_get_i64(o, "i", 0, 9, &i, &why), ERR_BADREQ);
    assert_int_equal(json_get_i64(o, "big", 0, INT64_MAX, &i, &why),
                     ERR_BADREQ);
    assert_int_equal(json_get_i64(o, "t", 0, 9, &i, &why), ERR_BADREQ);
    assert_int_equal(json_get_num(o, "d", 0, 1, &d, &why), ERR_BADREQ);
    assert_string_equal(why.message, "d must be a number from 0 to 1");
    assert_int_equal(json_get_num(o, "a", 0, 1, &d, NULL), ERR_BADREQ);
    assert_string_equal(s, "was");
    assert_true(b && i == 7 && d == 0.5);
    cJSON_Delete(o);
}

static void
lenient_getters_read_a_wrong_type_as_missing(void **state)
{
    cJSON *o = sample_object();

    (void)state;
    assert_string_equal(json_str(o, "s"), "text");
    assert_null(json_str(o, "i"));
    assert_null(json_str(o, "n"));
    assert_null(json_str(NULL, "s"));
    assert_int_equal(json_i64(o, "i", -1), 42);
    assert_int_equal(json_i64(o, "d", -1), -1);
    assert_int_equal(json_i64(o, "big", -1), -1);
    assert_int_equal(json_i64(o, "s", -1), -1);
    assert_non_null(json_obj(o, "o"));
    assert_null(json_obj(o, "a"));
    assert_non_null(json_arr(o, "a"));
    assert_null(json_arr(o, "o"));
    cJSON_Delete(o);
}

static void
a_tree_with_secrets_is_wiped_before_it_is_freed(void **state)
{
    static const char text[] = "{\"token\":\"sk-1\",\"a\":[{\"b\":\"sk-2\"}]}";
    cJSON *o = NULL;
    char *first, *second;

    (void)state;
    json_wipe(NULL);
    assert_int_equal(json_parse(text, strlen(text), &o, NULL), OK);
    /* Taken out, so that they can be looked at afterwards. */
    first = o->child->valuestring;
    second = o->child->next->child->child->valuestring;
    assert_string_equal(first, "sk-1");
    assert_string_equal(second, "sk-2");
    o->child->type |= cJSON_IsReference; /* cJSON does not free it then */
    o->child->next->child->child->type |= cJSON_IsReference;
    json_wipe(o);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(first[i], 0);
        assert_int_equal(second[i], 0);
    }
    free(first);
    free(second);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_rfc_allows_is_taken),
        cmocka_unit_test(what_the_rfc_forbids_is_refused),
        cmocka_unit_test(broken_strings_and_doubled_names_are_refused),
        cmocka_unit_test(every_beginning_of_a_text_is_refused),
        cmocka_unit_test(the_edge_of_the_doubles_is_exact),
        cmocka_unit_test(depth_ends_where_it_says),
        cmocka_unit_test(the_reason_names_the_place_and_never_the_content),
        cmocka_unit_test(duplicates_are_found_among_any_number_of_names),
        cmocka_unit_test(large_objects_take_time_in_proportion),
        cmocka_unit_test(the_number_of_values_has_a_ceiling),
        cmocka_unit_test(long_numbers_keep_their_value),
        cmocka_unit_test(the_lenient_parser_is_cjson_within_bounds),
        cmocka_unit_test(the_lenient_parser_bounds_its_tree),
        cmocka_unit_test(
            the_lenient_parser_takes_white_space_behind_and_nothing_else),
        cmocka_unit_test(getters_fill_what_is_there),
        cmocka_unit_test(missing_and_null_leave_the_default),
        cmocka_unit_test(another_type_is_a_problem_with_a_name),
        cmocka_unit_test(lenient_getters_read_a_wrong_type_as_missing),
        cmocka_unit_test(a_tree_with_secrets_is_wiped_before_it_is_freed),
    };

    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
