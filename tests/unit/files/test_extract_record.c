/* Tests of files/extract_record.c: both ends, and what is not believed. */
#include "readers_test.h"

#include "files/extract_record.h"

#define OUT_MAX (4 * 1024 * 1024)

/* Feed it in pieces of a size; how it ended. */
static enum err
feed(struct seen *s, const char *bytes, size_t n, size_t piece, bool *ended)
{
    struct record_reader r;
    enum err e = OK;

    seen_begin(s);
    record_reader_init(&r, seen_block, s, &s->facts);
    for (size_t i = 0; i < n && e == OK; i += piece)
        e = record_feed(&r, bytes + i, n - i < piece ? n - i : piece);
    s->why = r.why;
    *ended = r.ended;
    record_reader_release(&r);
    return e;
}

static void
some_records(struct buf *out)
{
    struct facts f = {.width = 640,
                      .height = 480,
                      .has_place = true,
                      .latitude = -33.5,
                      .longitude = 151.25,
                      .title = "T\xC3\xA9",
                      .type = "image/jpeg",
                      .taken = "2024-05-01T16:35:11",
                      .tags = "a\nb"};
    char big[BLOCK_MAX];

    (void)memset(big, 'x', sizeof(big));
    buf_init(out, OUT_MAX);
    record_begin(out);
    record_block(out, &(struct block){BLOCK_HEADING, 2, 1, false, "Head", 4});
    record_block(out, &(struct block){BLOCK_TEXT, 0, 1, true, big, BLOCK_MAX});
    record_block(out, &(struct block){BLOCK_TEXT, 0, 1, false, "end", 3});
    record_block(out, &(struct block){BLOCK_ROW, 0, 7, false, "a\tb", 3});
    record_facts(out, &f);
    record_end(out, SKIP_NOT);
}

static void
any_split_gives_the_same(void **state)
{
    static const size_t pieces[] = {1, 2, 3, 7, 13, 100, 4096, 1 << 20};
    struct buf out, first;

    (void)state;
    some_records(&out);
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        struct seen s;
        bool ended;

        assert_int_equal(feed(&s, out.data, out.len, pieces[i], &ended), OK);
        assert_true(ended);
        assert_int_equal(s.blocks, 4);
        assert_string_equal(s.facts.title, "T\xC3\xA9");
        assert_string_equal(s.facts.tags, "a\nb");
        assert_int_equal(s.facts.width, 640);
        assert_true(s.facts.latitude == -33.5 && s.facts.longitude == 151.25);
        if (i == 0)
            first = s.text;
        else
            assert_string_equal(buf_cstr(&s.text), buf_cstr(&first));
        if (i > 0)
            buf_release(&s.text);
    }
    assert_non_null(strstr(buf_cstr(&first), "H2@1:Head|T@1:xxx"));
    assert_non_null(strstr(buf_cstr(&first), "xxx+end|R@7:a\tb"));
    buf_release(&first);
    buf_release(&out);
}

static void
what_is_cut_off_has_not_ended(void **state)
{
    struct buf out;

    (void)state;
    some_records(&out);
    for (size_t n = 0; n<out.len; n += n> 60 && n + 600 < out.len ? 64 : 1) {
        struct seen s;
        bool ended;

        assert_int_equal(feed(&s, out.data, n, 4096, &ended), OK);
        assert_false(ended);
        buf_release(&s.text);
    }
    buf_release(&out);
}

static void
assert_refused(const struct buf *out, enum skip why)
{
    struct seen s;
    bool ended;

    assert_int_equal(feed(&s, out->data, out->len, 4096, &ended),
                     ERR_IMPOSSIBLE);
    assert_int_equal(s.why, why);
    buf_release(&s.text);
}

static void
refuse_block(struct block b)
{
    struct buf out;

    buf_init(&out, OUT_MAX);
    record_begin(&out);
    record_block(&out, &b);
    assert_refused(&out, SKIP_BROKEN);
    buf_release(&out);
}

static void
blocks_that_cannot_be_are_refused(void **state)
{
    static char big[BLOCK_MAX + 1];

    (void)state;
    (void)memset(big, 'x', sizeof(big));
    refuse_block((struct block){(enum block_kind)9, 0, 0, false, "x", 1});
    refuse_block((struct block){BLOCK_TEXT, 1, 0, false, "x", 1});
    refuse_block((struct block){BLOCK_HEADING, 0, 0, false, "x", 1});
    refuse_block((struct block){BLOCK_HEADING, 7, 0, false, "x", 1});
    refuse_block((struct block){BLOCK_TEXT, 0, -1, false, "x", 1});
    refuse_block((struct block){BLOCK_TEXT, 0, 0, false, "", 0});
    refuse_block((struct block){BLOCK_TEXT, 0, 0, false, big, sizeof(big)});
    refuse_block((struct block){BLOCK_TEXT, 0, 0, false, "a\0b", 3});
    refuse_block((struct block){BLOCK_TEXT, 0, 0, false, "a\x1B[2J", 5});
    refuse_block((struct block){BLOCK_TEXT, 0, 0, false, "\xC2\x9B", 2});
    refuse_block((struct block){BLOCK_TEXT, 0, 0, false, "\xC3", 1});
    refuse_block((struct block){BLOCK_TEXT, 0, 0, false, "\xED\xA0\x80", 3});
}

static void
an_order_that_cannot_be_is_refused(void **state)
{
    const struct block text = {BLOCK_TEXT, 0, 2, false, "x", 1};
    const struct block before = {BLOCK_TEXT, 0, 1, false, "x", 1};
    const struct block more = {BLOCK_TEXT, 0, 2, true, "x", 1};
    const struct block row = {BLOCK_ROW, 0, 2, false, "x", 1};
    const struct facts f = {.type = ""};
    struct buf out;

    (void)state;
    buf_init(&out, OUT_MAX);
    record_begin(&out); /* pages go backwards */
    record_block(&out, &text);
    record_block(&out, &before);
    assert_refused(&out, SKIP_BROKEN);

    buf_clear(&out); /* it goes on as something else */
    record_begin(&out);
    record_block(&out, &more);
    record_block(&out, &row);
    assert_refused(&out, SKIP_BROKEN);

    buf_clear(&out); /* it goes on and does not */
    record_begin(&out);
    record_block(&out, &more);
    record_end(&out, SKIP_NOT);
    assert_refused(&out, SKIP_BROKEN);

    buf_clear(&out); /* facts twice */
    record_begin(&out);
    record_facts(&out, &f);
    record_facts(&out, &f);
    assert_refused(&out, SKIP_BROKEN);

    buf_clear(&out); /* a block behind the facts */
    record_begin(&out);
    record_facts(&out, &f);
    record_block(&out, &text);
    assert_refused(&out, SKIP_BROKEN);

    buf_clear(&out); /* something behind the end */
    record_begin(&out);
    record_end(&out, SKIP_NOT);
    record_end(&out, SKIP_NOT);
    assert_refused(&out, SKIP_BROKEN);

    buf_clear(&out);
    record_begin(&out);
    record_end(&out, SKIP__N);
    assert_refused(&out, SKIP_BROKEN);

    buf_clear(&out);
    buf_adds(&out, "PX2\nB");
    assert_refused(&out, SKIP_BROKEN);

    buf_clear(&out);
    buf_adds(&out, "PX1\nZ");
    assert_refused(&out, SKIP_BROKEN);
    buf_release(&out);
}

static void
refuse_facts(struct facts f)
{
    struct buf out;

    buf_init(&out, OUT_MAX);
    record_begin(&out);
    record_facts(&out, &f);
    assert_refused(&out, SKIP_BROKEN);
    buf_release(&out);
}

static void
facts_that_cannot_be_are_refused(void **state)
{
    struct facts f = {.title = "a\nb\x01\xC3(", .camera = "x\x7Fy"};

    (void)state;
    refuse_facts((struct facts){.width = 2000000});
    refuse_facts((struct facts){.taken = "yesterday"});
    refuse_facts((struct facts){.has_place = true, .latitude = 91});
    refuse_facts((struct facts){.has_place = true, .longitude = 1.0 / 0.0});
    refuse_facts((struct facts){.title = "two\nlines"});
    refuse_facts((struct facts){.camera = "\x1B[2J"});
    refuse_facts((struct facts){.tags = "\xFF"});
    record_clean(&f);
    assert_string_equal(f.title, "a\nb(");
    assert_string_equal(f.camera, "xy");
}

static void
too_much_text_is_a_bomb(void **state)
{
    static char big[BLOCK_MAX];
    const struct block b = {BLOCK_TEXT, 0, 0, false, big, BLOCK_MAX};
    struct record_reader r;
    struct seen s;
    struct buf out;
    enum err e = OK;
    size_t n = 0;

    (void)state;
    (void)memset(big, 'x', sizeof(big));
    seen_begin(&s);
    buf_init(&out, OUT_MAX);
    record_reader_init(&r, seen_block, &s, &s.facts);
    record_begin(&out);
    while (e == OK && n <= EXTRACT_TEXT_MAX / BLOCK_MAX + 1) {
        record_block(&out, &b);
        e = record_feed(&r, out.data, out.len);
        buf_clear(&out);
        buf_clear(&s.text);
        n++;
    }
    assert_int_equal(e, ERR_IMPOSSIBLE);
    assert_int_equal(r.why, SKIP_BOMB);
    assert_int_equal(n, EXTRACT_TEXT_MAX / BLOCK_MAX + 1);
    record_reader_release(&r);
    buf_release(&s.text);
    buf_release(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_split_gives_the_same),
        cmocka_unit_test(what_is_cut_off_has_not_ended),
        cmocka_unit_test(blocks_that_cannot_be_are_refused),
        cmocka_unit_test(an_order_that_cannot_be_is_refused),
        cmocka_unit_test(facts_that_cannot_be_are_refused),
        cmocka_unit_test(too_much_text_is_a_bomb),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
