/* The chunker: where it cuts, what it keeps, and that nothing gets lost. */
#include "chunk_test.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define KEPT_MAX 64

/* Chunks, kept. */
struct kept {
    struct chunks_text all;
    char *text[KEPT_MAX], *heading[KEPT_MAX];
    int page[KEPT_MAX];
    size_t n;
};

static enum err
keep(void *arg, const struct chunk *c)
{
    struct kept *k = arg;

    assert_true(k->n < KEPT_MAX);
    k->text[k->n] = xmemdup0(c->text, c->len);
    k->heading[k->n] = xstrdup(c->heading);
    k->page[k->n] = c->page;
    k->n++;
    return chunks_take(&k->all, c);
}

static struct block
block(enum block_kind kind, int level, const char *text)
{
    return (struct block){
        .kind = kind, .level = level, .text = text, .len = strlen(text)};
}

/* The chunks of some blocks; their text is compared with the document's. */
static void
cut(struct kept *k, const struct block *blocks, size_t n)
{
    struct chunker *c = chunker_new(keep, k);
    struct document_text d = {.any = false};

    memset(k, 0, sizeof(*k));
    buf_init(&k->all.text, DOCUMENT_MAX);
    buf_init(&d.text, DOCUMENT_MAX);
    for (size_t i = 0; i < n; i++) {
        document_add(&d, &blocks[i]);
        assert_int_equal(chunker_add(c, &blocks[i]), OK);
    }
    document_end(&d);
    assert_int_equal(chunker_end(c), OK);
    assert_same_text(&d, &k->all);
    buf_release(&d.text);
    chunker_free(c);
}

static void
forget(struct kept *k)
{
    for (size_t i = 0; i < k->n; i++) {
        free(k->text[i]);
        free(k->heading[i]);
    }
    buf_release(&k->all.text);
}

/* unit, times over. */
static char *
times(const char *unit, size_t n)
{
    size_t len = strlen(unit);
    char *s = xmalloc(n * len + 1);

    for (size_t i = 0; i < n; i++)
        memcpy(s + i * len, unit, len);
    s[n * len] = '\0';
    return s;
}

static bool
ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), k = strlen(end);

    return n >= k && strcmp(s + n - k, end) == 0;
}

static bool
begins_with(const char *s, const char *begin)
{
    return strncmp(s, begin, strlen(begin)) == 0;
}

/* --- what a document's text is -------------------------------------------- */

static void
a_document_without_blocks_has_no_chunks(void **state)
{
    struct kept k;

    (void)state;
    cut(&k, NULL, 0);
    assert_int_equal(k.n, 0);
    forget(&k);
}

static void
blocks_are_parted_by_empty_lines_and_rows_by_line_ends(void **state)
{
    const struct block b[] = {
        block(BLOCK_HEADING, 2, "Tea"), block(BLOCK_TEXT, 0, "Boil water."),
        block(BLOCK_ROW, 0, "a pot"), block(BLOCK_ROW, 0, "a cup"),
        block(BLOCK_CODE, 0, "boil()\npour()")};
    struct kept k;

    (void)state;
    cut(&k, b, COUNT_OF(b));
    assert_int_equal(k.n, 1);
    assert_string_equal(k.text[0], "## Tea\n\nBoil water.\n\na pot\na cup\n\n"
                                   "boil()\npour()\n");
    assert_string_equal(k.heading[0], "Tea");
    forget(&k);
}

static void
a_block_in_parts_is_one_line(void **state)
{
    struct block b[] = {
        block(BLOCK_HEADING, 1, "Long "), block(BLOCK_HEADING, 1, "heading"),
        block(BLOCK_TEXT, 0, "one "), block(BLOCK_TEXT, 0, "two")};
    struct kept k;

    (void)state;
    b[0].more = b[2].more = true;
    cut(&k, b, COUNT_OF(b));
    assert_int_equal(k.n, 1);
    assert_string_equal(k.text[0], "# Long heading\n\none two\n");
    forget(&k);
}

/* --- where it cuts -------------------------------------------------------- */

static void
a_heading_begins_a_chunk_without_overlap(void **state)
{
    const struct block b[] = {
        block(BLOCK_TEXT, 0, "Before."), block(BLOCK_HEADING, 1, "One"),
        block(BLOCK_TEXT, 0, "First."),  block(BLOCK_HEADING, 2, "Two"),
        block(BLOCK_TEXT, 0, "Second."), block(BLOCK_HEADING, 1, "Three"),
        block(BLOCK_TEXT, 0, "Third.")};
    struct kept k;

    (void)state;
    cut(&k, b, COUNT_OF(b));
    assert_int_equal(k.n, 4);
    assert_string_equal(k.text[0], "Before.\n\n");
    assert_string_equal(k.heading[0], "");
    assert_string_equal(k.text[1], "# One\n\nFirst.\n\n");
    assert_string_equal(k.heading[1], "One");
    assert_string_equal(k.heading[2], "One > Two");
    assert_string_equal(k.heading[3], "Three");
    assert_false(k.all.over);
    forget(&k);
}

static void
headings_alone_stay_with_what_follows(void **state)
{
    const struct block b[] = {block(BLOCK_HEADING, 1, "Handbook"),
                              block(BLOCK_HEADING, 2, "Start"),
                              block(BLOCK_TEXT, 0, "Push the button.")};
    struct kept k;

    (void)state;
    cut(&k, b, COUNT_OF(b));
    assert_int_equal(k.n, 1);
    assert_string_equal(k.heading[0], "Handbook > Start");
    forget(&k);
}

static void
a_long_path_keeps_its_end(void **state)
{
    char *title = times("word ", 50);
    const struct block b[] = {block(BLOCK_HEADING, 1, title),
                              block(BLOCK_HEADING, 2, "Inner one"),
                              block(BLOCK_TEXT, 0, "Text.")};
    struct kept k;

    (void)state;
    cut(&k, b, COUNT_OF(b));
    assert_string_equal(k.heading[0], "Inner one");
    forget(&k);
    free(title);
}

static void
paragraphs_are_kept_whole_where_they_fit(void **state)
{
    char *text = times("A sentence of some thirty bytes. ", 18);
    const struct block b[] = {
        block(BLOCK_TEXT, 0, text), block(BLOCK_TEXT, 0, text),
        block(BLOCK_TEXT, 0, text), block(BLOCK_TEXT, 0, text)};
    struct kept k;

    (void)state;
    cut(&k, b, COUNT_OF(b));
    assert_int_equal(k.n, 4);
    for (size_t i = 0; i < k.n; i++)
        assert_true(ends_with(k.text[i], i == 3 ? "bytes. \n" : "bytes. \n\n"));
    assert_true(k.all.over);
    forget(&k);
    free(text);
}

static void
a_long_paragraph_is_cut_between_sentences(void **state)
{
    char *text = times(
        "Dr. Weber came at 3.30 p.m. on the 4. May, e.g. by train. "
        "\"Was it late?\" she asked J. Kahn. No! It was not… ",
        40);
    const struct block b[] = {block(BLOCK_TEXT, 0, text)};
    struct kept k;

    (void)state;
    cut(&k, b, COUNT_OF(b));
    assert_in_range(k.n, 5, 12);
    for (size_t i = 0; i < k.n; i++) {
        assert_true(begins_with(k.text[i], "Dr. Weber") ||
                    begins_with(k.text[i], "\"Was it") ||
                    begins_with(k.text[i], "No!") ||
                    begins_with(k.text[i], "It was"));
        assert_true(
            ends_with(k.text[i], "train. ") || ends_with(k.text[i], "Kahn. ") ||
            ends_with(k.text[i], "late?\" ") || ends_with(k.text[i], "No! ") ||
            ends_with(k.text[i], "… ") || i + 1 == k.n);
    }
    forget(&k);
    free(text);
}

static void
sentences_of_scripts_without_spaces_are_seen(void **state)
{
    char *text = times("今天天气很好。我们去公园散步吧！", 40);
    const struct block b[] = {block(BLOCK_TEXT, 0, text)};
    struct kept k;

    (void)state;
    cut(&k, b, COUNT_OF(b));
    assert_true(k.n > 1);
    for (size_t i = 0; i < k.n; i++)
        assert_true(begins_with(k.text[i], "今天") ||
                    begins_with(k.text[i], "我们"));
    forget(&k);
    free(text);
}

static void
code_is_cut_between_lines_best_at_an_empty_one(void **state)
{
    char *part = times("    call(one, two, three);\n", 24), text[4096];
    struct block b[1];
    struct kept k;

    (void)state;
    (void)snprintf(text, sizeof(text), "f()\n%s\ng()\n%s\nh()\n%send", part,
                   part, part);
    b[0] = block(BLOCK_CODE, 0, text);
    cut(&k, b, COUNT_OF(b));
    assert_int_equal(k.n, 3);
    assert_true(begins_with(k.text[0], "f()\n"));
    assert_true(ends_with(k.text[0], "three);\n\n"));
    assert_true(begins_with(k.text[1], "    call(one, two, three);\n"));
    assert_non_null(strstr(k.text[1], "\n\ng()\n"));
    assert_true(ends_with(k.text[1], "three);\n\n"));
    forget(&k);
    free(part);
}

static void
a_long_sentence_is_cut_between_words(void **state)
{
    char *text = times("word after word ", 400);
    const struct block b[] = {block(BLOCK_TEXT, 0, text)};
    struct kept k;

    (void)state;
    cut(&k, b, COUNT_OF(b));
    assert_true(k.n >= 4);
    for (size_t i = 0; i < k.n; i++)
        assert_true(begins_with(k.text[i], "word ") ||
                    begins_with(k.text[i], "after "));
    forget(&k);
    free(text);
}

static void
characters_are_never_cut(void **state)
{
    char *text = times("ü€😀", 1500); /* chunks_take checks each */
    const struct block b[] = {block(BLOCK_TEXT, 0, text)};
    struct kept k;

    (void)state;
    cut(&k, b, COUNT_OF(b));
    assert_true(k.n >= 8);
    forget(&k);
    free(text);
}

static void
a_chunk_has_the_page_of_its_start(void **state)
{
    char *text = times("A sentence of some thirty bytes. ", 24);
    struct block b[] = {block(BLOCK_TEXT, 0, text), block(BLOCK_TEXT, 0, text),
                        block(BLOCK_TEXT, 0, text)};
    struct kept k;

    (void)state;
    for (int i = 0; i < 3; i++)
        b[i].page = i + 4;
    cut(&k, b, COUNT_OF(b));
    assert_int_equal(k.n, 3);
    assert_int_equal(k.page[0], 4);
    assert_int_equal(k.page[1], 4); /* it begins with a sentence of page 4 */
    assert_int_equal(k.page[2], 5);
    forget(&k);
    free(text);
}

static void
overlap_is_a_sentence_or_two(void **state)
{
    char *text = times("This one is forty bytes of some length. ", 60);
    const struct block b[] = {block(BLOCK_TEXT, 0, text)};
    struct kept k;
    int64_t shared = -(int64_t)strlen(text) - 1;

    (void)state;
    cut(&k, b, COUNT_OF(b));
    for (size_t i = 0; i < k.n; i++)
        shared += (int64_t)strlen(k.text[i]);
    assert_int_equal(shared, 80 * (int64_t)(k.n - 1));
    forget(&k);
    free(text);
}

/* --- the rest ------------------------------------------------------------- */

static enum err
refuse_third(void *arg, const struct chunk *c)
{
    (void)arg;
    return c->seq == 2 ? ERR_STORE : OK;
}

static void
what_the_taker_says_ends_it(void **state)
{
    char *text = times("A sentence of some thirty bytes. ", 200);
    const struct block b = block(BLOCK_TEXT, 0, text);
    struct chunker *c = chunker_new(refuse_third, NULL);

    (void)state;
    assert_int_equal(chunker_add(c, &b), ERR_STORE);
    chunker_free(c);
    chunker_free(NULL);
    free(text);
}

/* Text of a block: words, sentences, lines, and what is none of these. */
static size_t
random_text(unsigned *seed, char *out, size_t max)
{
    static const char *const units[] = {
        "word ", "a", " ",  "\n",    "End. ", "No! ", "é",   "漢字",
        "。",    "😀", ". ", "z.B. ", "12",    "\t",   "-- ", "So it is. "};
    size_t want = 1 + (size_t)rand_r(seed) % (max - 16), n = 0;
    int habit = rand_r(seed) % 4;

    while (n < want) {
        const char *unit = habit == 0 ? units[rand_r(seed) % 3]
                                      : units[rand_r(seed) % COUNT_OF(units)];

        memcpy(out + n, unit, strlen(unit));
        n += strlen(unit);
    }
    return n;
}

static void
random_blocks_come_back_as_they_were(void **state)
{
    char *text = xmalloc(BLOCK_MAX);
    unsigned seed = 7;

    (void)state;
    for (int round = 0; round < 300; round++) {
        struct document_text d = {.any = false};
        struct chunks_text x = {.n = 0};
        struct chunker *c = chunker_new(chunks_take, &x);
        int n = rand_r(&seed) % 40;

        buf_init(&d.text, DOCUMENT_MAX);
        buf_init(&x.text, DOCUMENT_MAX);
        for (int i = 0; i < n; i++) {
            struct block b = {.kind = (enum block_kind)(rand_r(&seed) % 4),
                              .page = rand_r(&seed) % 3,
                              .more = rand_r(&seed) % 8 == 0,
                              .text = text};

            b.level = b.kind == BLOCK_HEADING ? 1 + rand_r(&seed) % 6 : 0;
            b.len = random_text(&seed, text,
                                rand_r(&seed) % 9 == 0 ? BLOCK_MAX : 400);
            document_add(&d, &b);
            assert_int_equal(chunker_add(c, &b), OK);
        }
        document_end(&d);
        assert_int_equal(chunker_end(c), OK);
        assert_same_text(&d, &x);
        chunker_free(c);
        buf_release(&d.text);
        buf_release(&x.text);
    }
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_without_blocks_has_no_chunks),
        cmocka_unit_test(
            blocks_are_parted_by_empty_lines_and_rows_by_line_ends),
        cmocka_unit_test(a_block_in_parts_is_one_line),
        cmocka_unit_test(a_heading_begins_a_chunk_without_overlap),
        cmocka_unit_test(headings_alone_stay_with_what_follows),
        cmocka_unit_test(a_long_path_keeps_its_end),
        cmocka_unit_test(paragraphs_are_kept_whole_where_they_fit),
        cmocka_unit_test(a_long_paragraph_is_cut_between_sentences),
        cmocka_unit_test(sentences_of_scripts_without_spaces_are_seen),
        cmocka_unit_test(code_is_cut_between_lines_best_at_an_empty_one),
        cmocka_unit_test(a_long_sentence_is_cut_between_words),
        cmocka_unit_test(characters_are_never_cut),
        cmocka_unit_test(a_chunk_has_the_page_of_its_start),
        cmocka_unit_test(overlap_is_a_sentence_or_two),
        cmocka_unit_test(what_the_taker_says_ends_it),
        cmocka_unit_test(random_blocks_come_back_as_they_were),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
