/* Tests of the splitter of <think>…</think>: each text is fed in every split
 * into two, and byte by byte. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/buf.h"
#include "provider/think.h"

struct told {
    struct buf text, reasoning;
    bool mixed; /* reasoning came after text */
};

/* A part_fn. */
static void
write_part(void *arg, const struct part *p)
{
    struct told *t = arg;

    assert_true(p->len > 0);
    if (p->kind == PART_TEXT) {
        buf_add(&t->text, p->text, p->len);
    } else {
        assert_int_equal(p->kind, PART_REASONING);
        buf_add(&t->reasoning, p->text, p->len);
        t->mixed |= t->text.len > 0;
    }
}

/* Fed in pieces of n bytes, the first one of first bytes. */
static void
expect_pieces(const char *s, size_t first, size_t n, const char *reasoning,
              const char *text)
{
    struct told told = {.mixed = false};
    size_t at, len = strlen(s), piece = first;
    struct think t;

    buf_init(&told.text, 4096);
    buf_init(&told.reasoning, 4096);
    think_init(&t);
    for (at = 0; at < len; at += piece, piece = n) {
        if (piece > len - at)
            piece = len - at;
        think_feed(&t, s + at, piece, write_part, &told);
    }
    think_flush(&t, write_part, &told);
    think_flush(&t, write_part, &told); /* nothing is left */
    if (strcmp(buf_cstr(&told.text), text) != 0 ||
        strcmp(buf_cstr(&told.reasoning), reasoning) != 0 || told.mixed)
        fail_msg("%s, %zu then %zu: \"%s\" and \"%s\"", s, first, n,
                 buf_cstr(&told.reasoning), buf_cstr(&told.text));
    buf_release(&told.text);
    buf_release(&told.reasoning);
}

static void
expect(const char *s, const char *reasoning, const char *text)
{
    size_t i, len = strlen(s);

    for (i = 0; i <= len; i++)
        expect_pieces(s, i > 0 ? i : len + 1, len + 1, reasoning, text);
    expect_pieces(s, 1, 1, reasoning, text);
    expect_pieces(s, 3, 3, reasoning, text);
}

static void
thoughts_are_taken_apart(void **state)
{
    (void)state;
    expect("<think>a b</think>c d", "a b", "c d");
    expect("<think>\n a\nb \n</think>\n\n c\n", "a\nb \n", "c\n");
    expect(" \n\t<think>a</think>b", "a", "b");
    expect("<think></think>b", "", "b");
    expect("<think>\n</think>\nb", "", "b");
    expect("<think>a</think>", "a", "");
    expect("<think>a", "a", "");
    expect("<think>", "", "");
    expect("", "", "");
}

static void
what_only_looks_like_a_tag_stays(void **state)
{
    (void)state;
    expect("<thinking>a</thinking>", "", "<thinking>a</thinking>");
    expect("<THINK>a", "", "<THINK>a");
    expect("<<think>a", "", "<<think>a");
    expect("< think>a", "", "< think>a");
    expect("a<think>b</think>", "", "a<think>b</think>");
    expect("<think>a<b</thin></<//think><</think>c", "a<b</thin></<//think><",
           "c");
    expect("<think>a</think>b<think>c</think>", "a", "b<think>c</think>");
    expect("</think>a", "", "</think>a");
    expect("<think><think>a</think>b", "<think>a", "b");
    expect("<th", "", "<th");
    expect(" \n<", "", " \n<");
    expect("<think>a</thin", "a</thin", "");
    expect(" a", "", " a");
    expect("\r\n", "", "\r\n");
}

static void
little_is_held_back(void **state)
{
    char spaces[THINK_HELD_MAX * 2 + 1];
    char text[sizeof(spaces) + 16];

    (void)state;
    memset(spaces, ' ', sizeof(spaces) - 1);
    spaces[sizeof(spaces) - 1] = '\0';
    expect(spaces, "", spaces);
    (void)snprintf(text, sizeof(text), "%s<think>a", spaces);
    expect(text, "", text);
    spaces[THINK_HELD_MAX / 2] = '\0';
    (void)snprintf(text, sizeof(text), "%s<think>a", spaces);
    expect(text, "a", "");
}

static void
a_flush_ends_the_hope_for_a_tag(void **state)
{
    struct told told = {.mixed = false};
    struct think t;

    (void)state;
    buf_init(&told.text, 64);
    buf_init(&told.reasoning, 64);
    think_init(&t);
    think_feed(&t, "<thi", 4, write_part, &told);
    assert_int_equal(told.text.len, 0);
    think_flush(&t, write_part, &told);
    think_feed(&t, "nk>a", 4, write_part, &told);
    assert_string_equal(buf_cstr(&told.text), "<think>a");
    think_init(&t);
    buf_clear(&told.text);
    think_feed(&t, "<think>a</", 10, write_part, &told);
    think_flush(&t, write_part, &told);
    think_feed(&t, "b</think>c", 10, write_part, &told);
    assert_string_equal(buf_cstr(&told.reasoning), "a</b");
    assert_string_equal(buf_cstr(&told.text), "c");
    buf_release(&told.text);
    buf_release(&told.reasoning);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(thoughts_are_taken_apart),
        cmocka_unit_test(what_only_looks_like_a_tag_stays),
        cmocka_unit_test(little_is_held_back),
        cmocka_unit_test(a_flush_ends_the_hope_for_a_tag),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
