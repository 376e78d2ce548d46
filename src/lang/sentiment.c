/*
 * Adding up how words sound, in the manner of VADER (Hutto and Gilbert, 2014)
 * with AFINN's scores.
 *
 * A sentence becomes a row of items: words, faces, marks that divide it. Each
 * word of the lexicon takes what the three words before do to it: "very" makes
 * more of it, "slightly" less, "not" turns it round and takes some of its
 * strength. What comes after "but" weighs three times what came before. The sum
 * is squeezed into -1..1.
 *
 * A text's score is the mean of its sentences that have one; those that have
 * none thin it, so a report with one sad sentence stays neutral.
 */
#include "base/base.h"

#include "lang/sentiment.h"

#include <math.h>

#include "base/mem.h"
#include "lang/letter.h"
#include "lang/lexicon.h"
#include "lang/reading.h"
#include "lang/sentiment_item.h"

#define REACH 3         /* words that a negation or an adverb reaches */
#define NOT_GOOD 0.6    /* what is left of a good word that is denied */
#define NOT_BAD 0.45    /* and of a bad one */
#define CAPS_FACTOR 1.2 /* for a word in capitals among others */
#define BANG 0.3        /* for each "!", up to three */
#define BEFORE_BUT 0.5
#define AFTER_BUT 1.5
#define SQUEEZE 15.0 /* a sum of 4 becomes 0.72 */
#define THIN 0.2     /* of a sentence that has no score */
#define CLEAR 0.1    /* a score of this is positive */
#define BOTH 0.5     /* the weaker side over the stronger one: mixed */
#define MIXED_MAX 0.35
#define LONG_TEXT 60 /* words */
#define SPARSE 0.06  /* weight for each word: less is no opinion */

struct scorer {
    const struct reading *r;
    const struct lexicon *lex; /* NULL: faces only */
    struct sentiment *out;
    struct items items; /* of the sentence */
    bool shouting;      /* most of the text is in capitals */
    double plus, minus; /* of the text */
};

/* ---- weights --------------------------------------------------------- */

/* "like" is a verb after these, and a comparison elsewhere. */
static bool
is_liked(const struct scorer *x, size_t i)
{
    static const char *const before[] = {
        "i",   "we",    "you",    "they",    "really", "also", "people",
        "not", "don't", "didn't", "doesn't", "dont",   "do",   "did",
        "who", "users", "still",  "always",  "will",   "kids", "everyone"};

    return i > 0 && x->items.at[i - 1].kind == SENTIMENT_ITEM_WORD &&
           sentiment_is_one_of(x->items.at[i - 1].word, before,
                               COUNT_OF(before));
}

/* The score of the longest entry that begins at item i; how many items it
 * takes, 0: there is none. */
static size_t
find(const struct scorer *x, size_t i, int *score)
{
    size_t best = 0, len = 0;
    char key[LEXICON_KEY_MAX + 1];

    for (size_t k = 0; k < LEXICON_WORDS_MAX && i + k < x->items.n; k++) {
        const struct sentiment_item *item = &x->items.at[i + k];
        size_t n = strlen(item->word);
        int found;

        if (item->kind != SENTIMENT_ITEM_WORD || n == 0 ||
            len + n + 1 > LEXICON_KEY_MAX)
            break;
        if (k > 0)
            key[len++] = ' ';
        memcpy(key + len, item->word, n);
        len += n;
        if (lexicon_find(x->lex, key, len, &found)) {
            best = k + 1;
            *score = found;
        }
    }
    if (best == 1 && strcmp(x->items.at[i].word, "like") == 0 &&
        !is_liked(x, i))
        *score = 0;
    return best;
}

/* "not only" says yes. */
static bool
denies(const struct scorer *x, size_t i)
{
    static const char *const only[] = {"only", "just", "merely", "simply"};

    return x->items.at[i].negates &&
           !(i + 1 < x->items.n && sentiment_is_one_of(x->items.at[i + 1].word,
                                                       only, COUNT_OF(only)));
}

/* What the words before item i make of its score. */
static double
in_context(const struct scorer *x, size_t i, double score, size_t *from)
{
    double factor = 1, fade = 1;
    bool denied = false;

    for (size_t k = 1; k <= REACH && k <= i; k++, fade -= 0.1) {
        const struct sentiment_item *item = &x->items.at[i - k];

        if (item->kind != SENTIMENT_ITEM_WORD || item->but)
            break;
        if (denies(x, i - k)) {
            denied = !denied;
            *from = item->start;
        } else {
            factor *= 1 + (item->boost - 1) * fade;
        }
    }
    if (denied)
        factor *= score > 0 ? -NOT_GOOD : -NOT_BAD;
    if (x->items.at[i].caps && !x->shouting)
        factor *= CAPS_FACTOR;
    return score * factor;
}

static void
weigh(struct scorer *x)
{
    size_t but = SIZE_MAX, len;

    for (size_t i = 0; i < x->items.n; i += len) {
        struct sentiment_item *item = &x->items.at[i];
        int score = 0;

        len = 1;
        if (item->kind == SENTIMENT_ITEM_FACE) {
            item->weight = item->face;
        } else if (item->kind == SENTIMENT_ITEM_WORD && x->lex != NULL) {
            size_t took = find(x, i, &score);

            if (took > 0) {
                const struct sentiment_item *last = &x->items.at[i + took - 1];

                item->weight = in_context(x, i, score, &item->from);
                item->len = last->start + last->len - item->start;
                len = took;
            }
        }
        if (item->but && i > 0)
            but = i;
    }
    for (size_t i = 0; i < x->items.n && but != SIZE_MAX; i++)
        x->items.at[i].weight *= i < but ? BEFORE_BUT : AFTER_BUT;
}

/* ---- sums ------------------------------------------------------------ */

static bool
same_wording(const struct sentiment_word *a, const struct sentiment_word *b)
{
    char x[WORD_FOLD_MAX + 1], y[WORD_FOLD_MAX + 1];

    (void)word_fold(a->text, a->len, x);
    (void)word_fold(b->text, b->len, y);
    return strcmp(x, y) == 0;
}

/* Keep the strongest, in order. */
static void
keep_top(struct sentiment *out, const struct sentiment_word *w)
{
    size_t i;

    for (i = 0; i < out->n_top; i++) {
        if (same_wording(&out->top[i], w)) {
            if (fabs(w->weight) <= fabs(out->top[i].weight))
                return;
            memmove(&out->top[i], &out->top[i + 1],
                    (out->n_top - i - 1) * sizeof(out->top[0]));
            out->n_top--;
            break;
        }
    }
    for (i = 0; i < out->n_top; i++) {
        if (fabs(w->weight) > fabs(out->top[i].weight))
            break;
    }
    if (i == SENTIMENT_TOP_MAX)
        return;
    if (out->n_top == SENTIMENT_TOP_MAX)
        out->n_top--;
    memmove(&out->top[i + 1], &out->top[i],
            (out->n_top - i) * sizeof(out->top[0]));
    out->top[i] = *w;
    out->n_top++;
}

static double
add_up(struct scorer *x, size_t sentence)
{
    const char *text = x->r->sentences.at[sentence].text;
    double sum = 0;
    size_t bangs = x->items.bangs < 3 ? x->items.bangs : 3;

    for (size_t i = 0; i < x->items.n; i++) {
        const struct sentiment_item *item = &x->items.at[i];
        struct sentiment_word w = {.text = text + item->from,
                                   .len = item->start + item->len - item->from,
                                   .weight = item->weight};

        if (fabs(item->weight) < 0.01)
            continue;
        sum += item->weight;
        x->plus += fmax(item->weight, 0);
        x->minus += fmax(-item->weight, 0);
        x->out->positive += item->weight > 0;
        x->out->negative += item->weight < 0;
        keep_top(x->out, &w);
    }
    if (fabs(sum) < 0.01)
        return 0;
    sum += (sum > 0 ? BANG : -BANG) * (double)bangs;
    return sum / sqrt(sum * sum + SQUEEZE);
}

/* Nothing can be said: no words that the lexicon could know? */
static bool
is_foreign(const struct reading *r)
{
    size_t latin = 0;

    if (r->lang != LANG_NONE)
        return r->lang != LANG_EN;
    for (size_t i = 0; i < r->n_tokens; i++) {
        unsigned char c = (unsigned char)r->sentences.plain[r->tokens[i].start];

        latin += c < 0x80 && letter_is_alpha(c);
    }
    return 2 * latin < r->n_tokens || latin == 0;
}

static enum sentiment_label
label(const struct scorer *x, double score)
{
    size_t hits = x->out->positive + x->out->negative;
    double weaker = fmin(x->plus, x->minus);

    if (hits == 0)
        return x->lex != NULL ? SENTIMENT_NEUTRAL : SENTIMENT_UNKNOWN;
    if (x->r->n_tokens >= LONG_TEXT &&
        x->plus + x->minus < SPARSE * (double)x->r->n_tokens)
        return SENTIMENT_NEUTRAL;
    if (weaker >= BOTH * fmax(x->plus, x->minus) && fabs(score) < MIXED_MAX)
        return SENTIMENT_MIXED;
    if (fabs(score) < CLEAR)
        return SENTIMENT_NEUTRAL;
    return score > 0 ? SENTIMENT_POSITIVE : SENTIMENT_NEGATIVE;
}

static bool
is_shouting(const struct reading *r)
{
    size_t caps = 0;

    for (size_t i = 0; i < r->n_tokens; i++)
        caps += (r->tokens[i].flags & TOKEN_CAPS) != 0;
    return 2 * caps > r->n_tokens;
}

void
sentiment_read(struct sentiment *out, const struct reading *r,
               const struct lexicon *lex)
{
    struct scorer x = {.r = r, .out = out};
    double sum = 0, share = 0;

    memset(out, 0, sizeof(*out));
    out->sentences = xcalloc(r->sentences.n + 1, sizeof(out->sentences[0]));
    x.lex = is_foreign(r) ? NULL : lex;
    x.shouting = is_shouting(r);
    for (size_t i = 0; i < r->sentences.n; i++) {
        double score;

        items_read(&x.items, r, i);
        weigh(&x);
        score = add_up(&x, i);
        out->sentences[i] = score;
        sum += score;
        share += fabs(score) > 0 ? 1 : THIN;
    }
    out->score = share > 0 ? sum / share : 0;
    out->label = label(&x, out->score);
    items_release(&x.items);
}

void
sentiment_release(struct sentiment *s)
{
    free(s->sentences);
    memset(s, 0, sizeof(*s));
}

const char *
sentiment_name(enum sentiment_label which)
{
    static const char *const names[SENTIMENT__MAX] = {
        [SENTIMENT_UNKNOWN] = "unknown",   [SENTIMENT_POSITIVE] = "positive",
        [SENTIMENT_NEGATIVE] = "negative", [SENTIMENT_NEUTRAL] = "neutral",
        [SENTIMENT_MIXED] = "mixed",
    };

    return names[which];
}
