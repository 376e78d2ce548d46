/* Tests of upstream/ndjson.c. Every input is fed whole, in pieces of each
 * small length, and cut in two at every place: the lines must be the same. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/mem.h"
#include "upstream/ndjson.h"

/* Lines as text: (line) each. */
static enum err
note_line(void *arg, const char *line, size_t n)
{
    struct buf *out = arg;

    buf_addc(out, '(');
    buf_add(out, line, n);
    buf_addc(out, ')');
    return n == 4 && memcmp(line, "stop", 4) == 0 ? ERR_HUP : OK;
}

/* Feed a copy of exact length, so that a sanitizer sees a look ahead. */
static enum err
feed(struct ndjson *p, const char *s, size_t n, struct buf *out)
{
    char *copy = xmalloc(n);
    enum err e;

    memcpy(copy, s, n);
    e = ndjson_feed(p, copy, n, note_line, out);
    memset(copy, 'x', n); /* nothing may point there any more */
    free(copy);
    return e;
}

static void
expect_pieces(const char *s, size_t n, size_t first, size_t piece,
              const char *want, enum err want_err)
{
    struct ndjson p;
    struct buf out;
    enum err e = OK;
    size_t at, k = first;

    buf_init(&out, 1024 * 1024);
    ndjson_init(&p);
    for (at = 0; e == OK && at < n; at += k, k = piece) {
        if (k > n - at)
            k = n - at;
        e = feed(&p, s + at, k, &out);
    }
    if (e == OK)
        e = ndjson_end(&p, note_line, &out);
    assert_int_equal(e, want_err);
    assert_string_equal(buf_cstr(&out), want);
    ndjson_release(&p);
    buf_release(&out);
}

static void
expect(const char *s, size_t n, const char *want, enum err want_err)
{
    size_t i;

    for (i = 1; i <= n; i++)
        expect_pieces(s, n, i, i, want, want_err);
    for (i = 1; i < n; i++)
        expect_pieces(s, n, i, n, want, want_err);
}

#define EXPECT(s, want) expect(s, sizeof(s) - 1, want, OK)

static void
lf_ends_a_line_and_cr_before_it_is_cut(void **state)
{
    (void)state;
    EXPECT("{}\n[1]\n", "({})([1])");
    EXPECT("{}\r\n[1]\r\n", "({})([1])");
    EXPECT("a\rb\r\r\nc\n", "(a\rb\r)(c)");
}

static void
blank_lines_are_skipped(void **state)
{
    (void)state;
    EXPECT("\n\r\n \t \n\na\n\n  \n", "(a)");
    EXPECT(" a \n", "( a )");
    EXPECT("", "");
    EXPECT("  ", "");
}

static void
the_last_line_needs_no_end(void **state)
{
    (void)state;
    EXPECT("a\nb", "(a)(b)");
    EXPECT("a\r", "(a)");
}

static void
nul_is_a_byte_like_others(void **state)
{
    static const char s[] = "a\0\nb\n";
    struct ndjson p;
    struct buf out;

    (void)state;
    buf_init(&out, 1024);
    ndjson_init(&p);
    assert_int_equal(ndjson_feed(&p, s, sizeof(s) - 1, note_line, &out), OK);
    assert_int_equal(out.len, 7);
    assert_memory_equal(out.data, "(a\0)(b)", 7);
    ndjson_release(&p);
    buf_release(&out);
}

static void
the_reader_may_stop(void **state)
{
    static const char s[] = "a\nstop\nb\n", last[] = "a\nstop";

    (void)state;
    expect(s, sizeof(s) - 1, "(a)(stop)", ERR_HUP);
    expect(last, sizeof(last) - 1, "(a)(stop)", ERR_HUP);
}

/* Counts instead of keeping. */
static enum err
count_bytes(void *arg, const char *line, size_t n)
{
    (void)line;
    *(size_t *)arg += n;
    return OK;
}

static void
the_limit_is_the_same_for_any_split(void **state)
{
    static const size_t splits[] = {0, 1, NDJSON_LINE_MAX / 2};
    char *s = xmalloc(NDJSON_LINE_MAX + 3);
    size_t i, over;

    (void)state;
    memset(s, 'x', NDJSON_LINE_MAX + 3);
    for (over = 0; over < 2; over++) {
        size_t n = NDJSON_LINE_MAX + over;

        s[n] = '\r';
        s[n + 1] = '\n';
        for (i = 0; i < COUNT_OF(splits); i++) {
            size_t seen = 0;
            struct ndjson p;
            enum err e;

            ndjson_init(&p);
            e = ndjson_feed(&p, s, splits[i], count_bytes, &seen);
            if (e == OK)
                e = ndjson_feed(&p, s + splits[i], n + 2 - splits[i],
                                count_bytes, &seen);
            assert_int_equal(e, over > 0 ? ERR_TOOBIG : OK);
            assert_int_equal(seen, over > 0 ? 0 : n);
            ndjson_release(&p);
        }
        s[n] = 'x';
    }
    free(s);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(lf_ends_a_line_and_cr_before_it_is_cut),
        cmocka_unit_test(blank_lines_are_skipped),
        cmocka_unit_test(the_last_line_needs_no_end),
        cmocka_unit_test(nul_is_a_byte_like_others),
        cmocka_unit_test(the_reader_may_stop),
        cmocka_unit_test(the_limit_is_the_same_for_any_split),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
