/* Tests of chat/extra.c: what is known of an answer beside its text. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "chat/extra.h"
#include "store/store.h"

/* In a block of its own size, without a NUL: a sanitizer sees a read past
 * the end. */
static void
read_tight(struct extra *x, const char *s, size_t n)
{
    char *copy = xmalloc(n > 0 ? n : 1);

    memcpy(copy, s, n);
    extra_read(x, copy, n);
    free(copy); /* nothing points into it */
}

static void
assert_member(const char *have, const char *want)
{
    if (want == NULL)
        assert_null(have);
    else
        assert_string_equal(have, want);
}

static void
assert_read(const char *text, const char *notes, const char *calls,
            const char *context)
{
    struct extra x;

    read_tight(&x, text, strlen(text));
    assert_member(x.notes, notes);
    assert_member(x.tool_calls, calls);
    assert_member(x.context, context);
    extra_release(&x);
    assert_null(x.notes);
    extra_release(&x); /* also of one that is empty */
}

static void
members_are_cut_out_as_they_stand(void **state)
{
    (void)state;
    assert_read("{\"notes\":[{\"code\":\"a\",\"message\":\"b\"}],"
                "\"tool_calls\":[1,[2,{}]],\"context\":{\"x\":{\"y\":[]}}}",
                "[{\"code\":\"a\",\"message\":\"b\"}]", "[1,[2,{}]]",
                "{\"x\":{\"y\":[]}}");
    assert_read("{\"context\":{\"n\":12345678901234567890,\"f\":1.10}}", NULL,
                NULL, "{\"n\":12345678901234567890,\"f\":1.10}");
    assert_read("{\"other\":{\"notes\":[1]},\"notes\":[2],\"s\":\"notes\"}",
                "[2]", NULL, NULL);
    assert_read("{\"a\":1,\"b\":null,\"c\":\"\",\"notes\":[]}", "[]", NULL,
                NULL);
}

static void
strings_hide_what_is_in_them(void **state)
{
    (void)state;
    assert_read("{\"a\":\"}],\\\"notes\\\":[1]\",\"notes\":[\"]}\\\\\"]}",
                "[\"]}\\\\\"]", NULL, NULL);
    assert_read("{\"notes\":[\"\\\"]\\u005d\xC3\xA4\"],\"tool_calls\":[]}",
                "[\"\\\"]\\u005d\xC3\xA4\"]", "[]", NULL);
}

static void
white_space_is_dropped_but_not_from_strings(void **state)
{
    (void)state;
    assert_read(" \n{ \"notes\" :\t[ { \"a b\" : \" c  d \" } ,\r\n 1 ] , "
                "\"context\" : { } } \n",
                "[{\"a b\":\" c  d \"},1]", NULL, "{}");
}

static void
what_is_of_another_kind_is_not_there(void **state)
{
    static const char *const none[] = {
        "",
        " ",
        "{}",
        " { } ",
        "[]",
        "[{\"notes\":[1]}]",
        "null",
        "5",
        "\"notes\"",
        "{\"notes\":null,\"tool_calls\":{},\"context\":[]}",
        "{\"notes\":\"[]\",\"tool_calls\":1,\"context\":true}",
        "{\"Notes\":[1],\"note\":[1],\"notess\":[1]}",
        "{\"notes\":[1]",         /* cut off */
        "{\"notes\":[1]}}",       /* too long */
        "{\"notes\":[1],}",       /* not JSON */
        "{\"notes\":[\"\xC3\"]}", /* not UTF-8 */
        "{\"notes\":[1],\"notes\":[2]}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(none); i++)
        assert_read(none[i], NULL, NULL, NULL);
}

static void
cut_anywhere_it_is_nothing(void **state)
{
    static const char text[] =
        "{\"notes\":[{\"code\":\"a\\\"b\"}],\"context\":{\"a\":[1,2.5e3]}}";
    struct extra x;

    (void)state;
    for (size_t n = 0; n < sizeof(text) - 1; n++) {
        read_tight(&x, text, n);
        assert_null(x.notes);
        assert_null(x.context);
        extra_release(&x);
    }
    read_tight(&x, text, sizeof(text) - 1);
    assert_non_null(x.notes);
    assert_non_null(x.context);
    extra_release(&x);
}

static void
assert_written(const struct extra *x, const char *want)
{
    struct buf b;

    buf_init(&b, STORE_EXTRA_MAX);
    extra_write(&b, x);
    assert_string_equal(buf_cstr(&b), want);
    buf_release(&b);
}

static void
what_is_written_is_read_again(void **state)
{
    struct extra x = {.notes = "[1]", .tool_calls = "[2]", .context = "{}"};

    (void)state;
    assert_written(&x, "{\"notes\":[1],\"tool_calls\":[2],\"context\":{}}");
    assert_read("{\"notes\":[1],\"tool_calls\":[2],\"context\":{}}", "[1]",
                "[2]", "{}");
    x = (struct extra){.context = "{\"a\":1}"};
    assert_written(&x, "{\"context\":{\"a\":1}}");
    x = (struct extra){.notes = "[]", .tool_calls = "[]"};
    assert_written(&x, "");
    x = (struct extra){.notes = NULL};
    assert_written(&x, "");
}

/* An array of one string, n bytes in all. */
static char *
array_of(size_t n)
{
    char *s = xmalloc(n + 1);

    memset(s, 'x', n);
    memcpy(s, "[\"", 2);
    memcpy(s + n - 2, "\"]", 3);
    return s;
}

static void
what_does_not_fit_is_left_out(void **state)
{
    /* {"notes":…, and the comma that is counted */
    size_t fits = STORE_EXTRA_MAX - 2 - strlen("\"notes\":,");
    struct extra x = {.notes = "[1]", .context = "{}"}, back;
    struct buf b;

    (void)state;
    buf_init(&b, STORE_EXTRA_MAX);
    for (size_t more = 0; more < 2; more++) {
        char *big = array_of(fits + more);

        x = (struct extra){.notes = big};
        buf_clear(&b);
        extra_write(&b, &x);
        assert_int_equal(buf_status(&b), OK);
        assert_int_equal(b.len, more == 0 ? STORE_EXTRA_MAX - 1 : 0);
        x = (struct extra){
            .notes = "[1]", .tool_calls = big, .context = "{\"a\":1}"};
        buf_clear(&b);
        extra_write(&b, &x);
        assert_int_equal(buf_status(&b), OK);
        assert_string_equal(buf_cstr(&b),
                            "{\"notes\":[1],\"context\":{\"a\":1}}");
        free(big);
    }
    extra_read(&back, b.data, b.len);
    assert_string_equal(back.context, "{\"a\":1}");
    extra_release(&back);
    buf_release(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_cut_out_as_they_stand),
        cmocka_unit_test(strings_hide_what_is_in_them),
        cmocka_unit_test(white_space_is_dropped_but_not_from_strings),
        cmocka_unit_test(what_is_of_another_kind_is_not_there),
        cmocka_unit_test(cut_anywhere_it_is_nothing),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(what_does_not_fit_is_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
