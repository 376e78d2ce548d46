/* Tests of upstream/sse_parse.c. Every input is fed whole, in pieces of each
 * small length, and cut in two at every place: the events must be the same. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/mem.h"
#include "upstream/sse_parse.h"

/* Events as text: name, '(', data, ')' each. */
static enum err
note_event(void *arg, const char *name, const char *data, size_t n)
{
    struct buf *out = arg;

    buf_adds(out, name);
    buf_addc(out, '(');
    buf_add(out, data, n);
    buf_addc(out, ')');
    return OK;
}

/* Feed copies of exact length, so that a sanitizer sees a look ahead. */
static void
feed(struct sse_parser *p, const char *s, size_t n, struct buf *out)
{
    char *copy = xmemdup0(s, n);
    char *tight = xmalloc(n);

    memcpy(tight, copy, n);
    assert_int_equal(sse_parse(p, tight, n, note_event, out), OK);
    memset(tight, 'x', n); /* nothing may point there any more */
    free(tight);
    free(copy);
}

static void
feed_in_pieces(const char *s, size_t n, size_t piece, struct buf *out)
{
    struct sse_parser p;
    size_t at;

    sse_parse_init(&p);
    for (at = 0; at < n; at += piece)
        feed(&p, s + at, n - at < piece ? n - at : piece, out);
    sse_parse_release(&p);
}

static void
feed_cut(const char *s, size_t n, size_t cut, struct buf *out)
{
    struct sse_parser p;

    sse_parse_init(&p);
    feed(&p, s, cut, out);
    feed(&p, s + cut, n - cut, out);
    sse_parse_release(&p);
}

static void
expect(const char *s, size_t n, const char *want)
{
    struct buf out;
    size_t i;

    buf_init(&out, 1024 * 1024);
    for (i = 1; i <= n; i++) {
        buf_clear(&out);
        feed_in_pieces(s, n, i, &out);
        assert_string_equal(buf_cstr(&out), want);
    }
    for (i = 1; i < n; i++) {
        buf_clear(&out);
        feed_cut(s, n, i, &out);
        assert_string_equal(buf_cstr(&out), want);
    }
    buf_release(&out);
}

#define EXPECT(s, want) expect(s, sizeof(s) - 1, want)

static void
all_line_ends_mean_the_same(void **state)
{
    (void)state;
    EXPECT("data: a\n\ndata: b\n\n", "(a)(b)");
    EXPECT("data: a\r\n\r\ndata: b\r\n\r\n", "(a)(b)");
    EXPECT("data: a\r\rdata: b\r\r", "(a)(b)");
    EXPECT("data: a\n\r\ndata: b\r\n\n", "(a)(b)");
    EXPECT("\n\r\n\r\rdata: a\n\n", "(a)");
}

static void
data_lines_are_joined_with_lf(void **state)
{
    (void)state;
    EXPECT("data: a\ndata: b\n\n", "(a\nb)");
    EXPECT("data: a\r\ndata\r\ndata:\r\ndata: b\r\n\r\n", "(a\n\n\nb)");
    EXPECT("data\n\n", "()");
    EXPECT("data:\n\n", "()");
}

static void
one_space_after_the_colon_is_stripped(void **state)
{
    (void)state;
    EXPECT("data:a\n\ndata: a\n\ndata:  a \n\n", "(a)(a)( a )");
    EXPECT("data:\ta\n\n", "(\ta)");
}

static void
names_hold_for_one_event(void **state)
{
    (void)state;
    EXPECT("event: x\ndata: a\n\ndata: b\n\n", "x(a)(b)");
    EXPECT("data: a\nevent: y\nevent: z\n\n", "z(a)");
    EXPECT("event: lost\n\ndata: a\n\n", "(a)");
}

static void
a_long_name_is_cut(void **state)
{
    (void)state;
    EXPECT("event: "
           "0123456789012345678901234567890123456789012345678901234567890123"
           "456789\ndata: a\n\n",
           "012345678901234567890123456789012345678901234567890123456789012"
           "(a)");
}

static void
comments_and_unknown_fields_are_ignored(void **state)
{
    (void)state;
    EXPECT(": ping\n\ndata: a\n: in between\nid: 7\nretry: 9\nfoo: bar\n"
           "Data: no\n data: no\ndata : no\n\n",
           "(a)");
}

static void
an_unfinished_event_is_dropped(void **state)
{
    (void)state;
    EXPECT("data: a\n\ndata: b\n", "(a)");
    EXPECT("data: a\n\ndata: b", "(a)");
    EXPECT("data: a\n", "");
}

static void
a_byte_order_mark_is_dropped_once(void **state)
{
    (void)state;
    EXPECT("\xef\xbb\xbf"
           "data: a\n\n",
           "(a)");
    EXPECT("\xef\xbb\xbf\ndata: a\n\n", "(a)");
    EXPECT("data: a\n\n\xef\xbb\xbf"
           "data: b\n\n",
           "(a)");
}

static void
only_three_characters_end_a_line(void **state)
{
    (void)state;
    EXPECT("data: a\xe2\x80\xa8"
           "b\xc2\x85"
           "c\v\f\n\n",
           "(a\xe2\x80\xa8"
           "b\xc2\x85"
           "c\v\f)");
}

static void
a_zero_byte_is_data(void **state)
{
    static const char s[] = "data: a\0b\n\n";
    struct buf out;

    (void)state;
    buf_init(&out, 64);
    feed_in_pieces(s, sizeof(s) - 1, 3, &out);
    assert_int_equal(out.len, 5);
    assert_memory_equal(out.data, "(a\0b)", 5);
    buf_release(&out);
}

static void
an_event_past_the_limit_is_refused_in_any_split(void **state)
{
    size_t n = SSE_PARSE_EVENT_MAX + 100, piece;
    char *s = xmalloc(n);
    struct sse_parser p;
    struct buf out;

    (void)state;
    memset(s, 'x', n);
    memcpy(s, "data: ", 6);
    memcpy(s + n - 2, "\n\n", 2);
    buf_init(&out, 64);
    for (piece = n; piece > 50000; piece = piece / 10) {
        enum err e = OK;
        size_t at;

        sse_parse_init(&p);
        for (at = 0; e == OK && at < n; at += piece)
            e = sse_parse(&p, s + at, n - at < piece ? n - at : piece,
                          note_event, &out);
        assert_int_equal(e, ERR_TOOBIG);
        assert_int_equal(out.len, 0);
        sse_parse_release(&p);
    }
    buf_release(&out);
    free(s);
}

static void
many_lines_count_together(void **state)
{
    size_t n = 1024 * 1024, i;
    char *s = xmalloc(n);
    struct sse_parser p;
    enum err e = OK;

    (void)state;
    memset(s, 'x', n);
    memcpy(s, "data: ", 6);
    s[n - 1] = '\n';
    sse_parse_init(&p);
    for (i = 0; e == OK && i < 20; i++)
        e = sse_parse(&p, s, n, note_event, NULL);
    assert_int_equal(e, ERR_TOOBIG);
    assert_int_equal(i, 17);
    sse_parse_release(&p);
    free(s);
}

static enum err
refuse(void *arg, const char *name, const char *data, size_t n)
{
    int *calls = arg;

    (void)name;
    (void)data;
    (void)n;
    return ++*calls == 2 ? ERR_UPSTREAM : OK;
}

static void
an_error_of_the_callback_stops_and_is_returned(void **state)
{
    static const char s[] = "data: a\n\ndata: b\n\ndata: c\n\n";
    struct sse_parser p;
    int n = 0;

    (void)state;
    sse_parse_init(&p);
    assert_int_equal(sse_parse(&p, s, sizeof(s) - 1, refuse, &n), ERR_UPSTREAM);
    assert_int_equal(n, 2);
    sse_parse_release(&p);
}

static void
a_whole_line_is_not_copied(void **state)
{
    static const char s[] = "data: one whole line\n\n";
    struct sse_parser p;
    struct buf out;

    (void)state;
    buf_init(&out, 64);
    sse_parse_init(&p);
    assert_int_equal(sse_parse(&p, s, sizeof(s) - 1, note_event, &out), OK);
    assert_int_equal(p.line.cap + p.data.cap, 0);
    sse_parse_release(&p);
    buf_release(&out);
}

/* What an event has as id, fed byte by byte. */
static enum err
note_id(void *arg, const char *name, const char *data, size_t n)
{
    struct sse_parser *p = arg;

    (void)name;
    assert_int_equal(n, strlen(p->id));
    assert_memory_equal(data, p->id, n);
    return OK;
}

static void
an_id_is_kept_until_the_next(void **state)
{
    static const char text[] = "id: a.1\ndata: a.1\n\ndata: a.1\n\n"
                               "data: b\nid:b\n\n"
                               "id: 123456789.123456789.123456789.123456789."
                               "123456789.123456789.1234\ndata: b\n\n"
                               "id\ndata:\n\n";
    struct sse_parser p;

    (void)state;
    sse_parse_init(&p);
    for (size_t i = 0; i < sizeof(text) - 1; i++)
        assert_int_equal(sse_parse(&p, text + i, 1, note_id, &p), OK);
    assert_string_equal(p.id, "");
    sse_parse_release(&p);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_is_kept_until_the_next),
        cmocka_unit_test(all_line_ends_mean_the_same),
        cmocka_unit_test(data_lines_are_joined_with_lf),
        cmocka_unit_test(one_space_after_the_colon_is_stripped),
        cmocka_unit_test(names_hold_for_one_event),
        cmocka_unit_test(a_long_name_is_cut),
        cmocka_unit_test(comments_and_unknown_fields_are_ignored),
        cmocka_unit_test(an_unfinished_event_is_dropped),
        cmocka_unit_test(a_byte_order_mark_is_dropped_once),
        cmocka_unit_test(only_three_characters_end_a_line),
        cmocka_unit_test(a_zero_byte_is_data),
        cmocka_unit_test(an_event_past_the_limit_is_refused_in_any_split),
        cmocka_unit_test(many_lines_count_together),
        cmocka_unit_test(an_error_of_the_callback_stops_and_is_returned),
        cmocka_unit_test(a_whole_line_is_not_copied),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
