/*
 * Putting the parts together, and telling them.
 *
 * The text is read once; each part looks at the same reading. How many key
 * points there are grows with the text: one of three sentences, five at most.
 */
#include "base/base.h"

#include "lang/analysis.h"

#include "base/buf.h"
#include "base/text.h"
#include "lang/letter.h"
#include "lang/textrank.h"

#define SENTENCES_PER_POINT 3
#define TOLD_ENTITIES 8 /* of a kind */
#define TOLD_WORDS 4    /* of good and of bad ones */

enum err
analysis_run(const char *text, size_t n, const struct lexicon *lex,
             struct analysis *out)
{
    struct textrank_want want = {.bytes = ANALYSIS_POINTS_BYTES};
    struct textrank ranks;
    enum err e = reading_read(&out->reading, text, n);
    size_t sentences = out->reading.sentences.n;

    if (e)
        return e;
    want.sentences = (sentences + SENTENCES_PER_POINT - 1) /
                     SENTENCES_PER_POINT;
    if (want.sentences > ANALYSIS_POINTS_MAX)
        want.sentences = ANALYSIS_POINTS_MAX;
    textrank_read(&ranks, &out->reading);
    out->n_points = textrank_pick(&ranks, &out->reading, 0, sentences, &want,
                                  out->points);
    if (out->n_points == 0) { /* the best is longer than that */
        want.bytes = 0;
        want.sentences = want.sentences > 0 ? 1 : 0;
        out->n_points = textrank_pick(&ranks, &out->reading, 0, sentences,
                                      &want, out->points);
    }
    textrank_release(&ranks);
    sentiment_read(&out->sentiment, &out->reading, lex);
    phrases_read(&out->phrases, &out->reading, ANALYSIS_PHRASES_MAX);
    entities_read(&out->entities, &out->reading, text, n);
    return OK;
}

void
analysis_release(struct analysis *a)
{
    sentiment_release(&a->sentiment);
    reading_release(&a->reading);
}

const char *
analysis_point(const struct analysis *a, size_t i, size_t *n)
{
    const struct sentence *s = &a->reading.sentences.at[a->points[i]];

    assert(i < a->n_points);
    *n = s->len;
    return s->text;
}

/* ---- telling --------------------------------------------------------- */

/* Would this sign mean something in Markdown here? */
static bool
is_sign(const char *s, size_t n, size_t i)
{
    switch (s[i]) {
    case '*':
    case '`':
    case '\\': return true;
    case '_':
        return i == 0 || i + 1 == n || !letter_is_word(letter_before(s, i)) ||
               !(letter_is_word((unsigned char)s[i + 1]) ||
                 (unsigned char)s[i + 1] >= 0x80);
    case '<':
        return i + 1 < n && (s[i + 1] == '/' || s[i + 1] == '!' ||
                             letter_is_alpha((unsigned char)s[i + 1]));
    default: return false;
    }
}

void
analysis_add_plain(struct buf *out, const char *s, size_t n, size_t max)
{
    size_t end = n;

    if (max > 0 && n > max) {
        for (end = max; end > max / 2 && s[end] != ' '; end--) {}
        if (s[end] != ' ')
            end = utf8_whole(s, max);
    }
    for (size_t i = 0; i < end; i++) {
        if (is_sign(s, n, i))
            buf_addc(out, '\\');
        buf_addc(out, s[i]);
    }
    if (end < n)
        buf_adds(out, " …");
}

static void
tell_words(struct buf *out, const struct sentiment *s, bool good)
{
    size_t told = 0;

    for (size_t i = 0; i < s->n_top && told < TOLD_WORDS; i++) {
        const struct sentiment_word *w = &s->top[i];

        if ((w->weight > 0) != good)
            continue;
        buf_adds(out, told++ > 0 ? ", " : good ? "\n- good: " : "\n- bad: ");
        analysis_add_plain(out, w->text, w->len, 0);
    }
}

static void
tell_sentiment(struct buf *out, const struct sentiment *s)
{
    buf_addf(out, "**Sentiment:** %s", sentiment_name(s->label));
    if (s->label != SENTIMENT_UNKNOWN)
        buf_addf(out, " (%.2f)", s->score + 0.0);
    if (s->n_top > 0)
        buf_addc(out, '\n');
    tell_words(out, s, true);
    tell_words(out, s, false);
    buf_addc(out, '\n');
}

static void
tell_entities(struct buf *out, const struct entities *all)
{
    static const char *const heads[ENTITY__MAX] = {
        "Names",       "Organisations", "Dates",  "Times",    "Money",
        "Percentages", "Quantities",    "E-mail", "Addresses"};
    size_t told = 0;

    if (all->n > 0)
        buf_adds(out, "\n**Entities**\n");
    for (size_t i = 0; i < all->n; i++) {
        const struct entity *e = &all->at[i];

        if (i == 0 || e->kind != e[-1].kind) {
            buf_addf(out, "\n- %s: ", heads[e->kind]);
            told = 0;
        }
        if (told++ >= TOLD_ENTITIES)
            continue;
        buf_adds(out, told > 1 ? ", " : "");
        if (e->kind == ENTITY_URL)
            buf_add(out, e->text, e->len);
        else
            analysis_add_plain(out, e->text, e->len, 0);
        if (e->count > 1)
            buf_addf(out, " (%zu)", e->count);
    }
    if (all->n > 0)
        buf_addc(out, '\n');
}

void
analysis_tell(struct buf *out, const struct analysis *a)
{
    tell_sentiment(out, &a->sentiment);
    if (a->n_points > 0)
        buf_adds(out, "\n**Key points**\n\n");
    for (size_t i = 0; i < a->n_points; i++) {
        size_t n;
        const char *s = analysis_point(a, i, &n);

        buf_adds(out, "- ");
        analysis_add_plain(out, s, n, ANALYSIS_POINT_MAX);
        buf_addc(out, '\n');
    }
    for (size_t i = 0; i < a->phrases.n; i++) {
        buf_adds(out, i > 0 ? ", " : "\n**Key phrases:** ");
        analysis_add_plain(out, a->phrases.at[i].text, a->phrases.at[i].len, 0);
    }
    if (a->phrases.n > 0)
        buf_addc(out, '\n');
    tell_entities(out, &a->entities);
}
