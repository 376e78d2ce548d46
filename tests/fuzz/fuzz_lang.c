/*
 * Fuzzes src/lang: the whole analysis of a text, its title, and the summary of
 * the conversation that its paragraphs make. Bytes that are no UTF-8 are
 * replaced first, as the server refuses them. All that points into the text
 * must lie within it, at borders of characters; what is told is UTF-8; and an
 * analysis is the same when done again.
 */
#include "base/base.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "lang/analysis.h"
#include "lang/lexicon.h"
#include "lang/sentiment.h"
#include "lang/summary_text.h"
#include "lang/title.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TOLD_MAX (8 * 1024 * 1024)
#define MESSAGES 24

static const char words[] = "good\t3\nbad\t-3\ncan't stand\t-3\nnot good\t-2\n"
                            "love\t3\nlike\t2\nterrible\t-3\nwar\t-2\n";

static const struct lexicon *
lexicon(void)
{
    static struct lexicon *lex; /* kept for all runs */

    if (lex == NULL && lexicon_read(&lex, words, sizeof(words) - 1, NULL))
        abort();
    return lex;
}

static bool
is_border(const char *s, size_t n, size_t i)
{
    return i == n || (i < n && ((unsigned char)s[i] & 0xC0) != 0x80);
}

/* p..p+len within s[0..n), whole characters. */
static bool
is_inside(const char *p, size_t len, const char *s, size_t n)
{
    return p >= s && len <= n && p + len <= s + n &&
           is_border(s, n, (size_t)(p - s)) &&
           is_border(s, n, (size_t)(p - s) + len);
}

static void
check_reading(const struct reading *r, const char *s, size_t n)
{
    const struct sentences *all = &r->sentences;
    size_t before = 0;

    assert(all->n <= SENTENCES_MAX && all->plain_len <= n);
    assert(utf8_valid(all->plain, all->plain_len));
    for (size_t i = 0; i < all->n; i++) {
        const struct sentence *x = &all->at[i];
        size_t n_tokens;
        const struct token *t = reading_tokens(r, i, &n_tokens);

        assert(x->len > 0 && x->len <= SENTENCE_LEN_MAX);
        assert(is_inside(x->text, x->len, all->plain, all->plain_len));
        assert(x->start >= before && x->start < x->end && x->end <= n);
        assert(is_border(s, n, x->start) && is_border(s, n, x->end));
        before = x->end;
        for (size_t k = 0; k < n_tokens; k++) {
            assert(t[k].stem < r->n_stems && t[k].len > 0);
            assert(
                is_inside(all->plain + t[k].start, t[k].len, x->text, x->len));
        }
    }
}

static void
check(const struct analysis *a, const char *s, size_t n)
{
    const struct sentences *all = &a->reading.sentences;

    check_reading(&a->reading, s, n);
    assert(a->n_points <= ANALYSIS_POINTS_MAX);
    for (size_t i = 0; i < a->n_points; i++)
        assert(a->points[i] < all->n &&
               (i == 0 || a->points[i] > a->points[i - 1]));
    assert(a->sentiment.score >= -1 && a->sentiment.score <= 1);
    assert(a->sentiment.n_top <= SENTIMENT_TOP_MAX);
    for (size_t i = 0; i < a->sentiment.n_top; i++)
        assert(is_inside(a->sentiment.top[i].text, a->sentiment.top[i].len,
                         all->plain, all->plain_len));
    assert(a->phrases.n <= ANALYSIS_PHRASES_MAX);
    for (size_t i = 0; i < a->phrases.n; i++)
        assert(a->phrases.at[i].score > 0 &&
               is_inside(a->phrases.at[i].text, a->phrases.at[i].len,
                         all->plain, all->plain_len));
    assert(a->entities.n <= ENTITIES_MAX);
    for (size_t i = 0; i < a->entities.n; i++) {
        const struct entity *e = &a->entities.at[i];

        assert(e->count > 0 && e->len > 0 && e->len <= ENTITY_LEN_MAX);
        assert(is_inside(e->text, e->len, all->plain, all->plain_len) ||
               is_inside(e->text, e->len, s, n));
    }
}

static void
tell(struct buf *out, const char *s, size_t n)
{
    struct analysis a;

    if (analysis_run(s, n, lexicon(), &a))
        abort();
    check(&a, s, n);
    analysis_tell(out, &a);
    analysis_release(&a);
}

/* Its paragraphs, said by turns. */
static void
summarise(struct buf *out, const char *s, size_t n)
{
    struct summary_message m[MESSAGES];
    size_t count = 0, i = 0, told;

    while (i < n && count < MESSAGES) {
        const char *end = memmem(s + i, n - i, "\n\n", 2);
        size_t to = end != NULL ? (size_t)(end - s) : n;

        m[count] = (struct summary_message){
            count % 2 == 0 ? "user" : "assistant", s + i, to - i};
        count++;
        i = to + 2;
    }
    told = summary_text(out, m, count);
    assert(told <= SUMMARY_EXCHANGES_MAX && (told > 0 || out->len == 0));
}

static void
entitle(struct buf *out, const char *s, size_t n)
{
    for (size_t max = 8; max < 80; max += 24) {
        buf_clear(out);
        if (title_text(out, s, n, max))
            assert(out->len > 0 && out->len <= max &&
                   utf8_valid(out->data, out->len));
        else
            assert(out->len == 0);
        buf_clear(out);
        if (title_clean(out, s, n, max))
            assert(out->len > 0 && out->len <= max &&
                   utf8_valid(out->data, out->len) &&
                   memchr(out->data, '\n', out->len) == NULL);
        else
            assert(out->len == 0);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf text, first, again;
    char *copy;

    if (size > SENTENCES_INPUT_MAX / 4)
        return 0;
    buf_init(&text, 3 * size + 1);
    utf8_scrub(&text, (const char *)data, size);
    copy = xmemdup0(text.data != NULL ? text.data : "", text.len);
    buf_init(&first, TOLD_MAX);
    buf_init(&again, TOLD_MAX);
    tell(&first, copy, text.len);
    tell(&again, copy, text.len);
    assert(utf8_valid(first.data, first.len) && first.len == again.len &&
           memcmp(first.data, again.data, first.len) == 0);
    buf_clear(&first);
    summarise(&first, copy, text.len);
    assert(first.len == 0 || utf8_valid(first.data, first.len));
    entitle(&first, copy, text.len);
    buf_release(&again);
    buf_release(&first);
    buf_release(&text);
    free(copy);
    return 0;
}
