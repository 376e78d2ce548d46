/*
 * The provider that needs no network: it answers questions about Parley from
 * Parley's own documents, so that whoever has just started it sees it work,
 * and learns how to connect a model. It picks sentences, it does not write
 * any, so it says nothing that the documents do not say; and it repeats
 * nothing of what it was asked.
 *
 * A unit (a sentence, an item, a block of code) scores by the words it shares
 * with the question, rare words counting more and long units less (the BM25
 * formula without its counting of repetitions). The section with the best
 * units, and a second one if it is nearly as good, are told in reading order.
 *
 * The documents are read once, at the first question, and kept. Any thread.
 */
#include "base/base.h"

#include "provider/offline.h"

#include <pthread.h>

#include "base/conf.h"
#include "base/mem.h"
#include "provider/provider.h"

#define QUERY_WORDS_MAX 32
#define TOLD_MAX 4      /* units in an answer */
#define TOP 3           /* units that make a section's score */
#define COVER_MIN 0.34  /* share of the question that matched */
#define KEEP_MIN 0.6    /* of the best unit's score: others are told as well */
#define SECOND_MIN 0.85 /* a second section, if so near */
#define LIST_MAX 12     /* items told because of the sentence before them */
#define TITLE_WEIGHT 0.8
#define LATER_WEIGHT 0.6 /* of documents after the first: for developers */

static const char footer[] =
    "*No model is configured: this comes from Parley's own documents. To "
    "talk to a model, set `OPENAI_API_KEY` in `.env` and restart.*\n";

struct query {
    uint32_t words[QUERY_WORDS_MAX];
    double weight[QUERY_WORDS_MAX]; /* rare words weigh more */
    size_t n;
    double total; /* of all weights */
    double mean;  /* words in a unit, on average */
};

/* --- scoring ------------------------------------------------------------ */

static bool
has_word(const uint32_t *words, size_t n, uint32_t w)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (words[i] == w)
            return true;
    }
    return false;
}

/* The logarithm to base 2 of v >= 1, straight between the powers of two. */
static double
log_about(double v)
{
    double whole = 0;

    for (; v >= 2; v /= 2)
        whole++;
    return whole + v - 1;
}

static void
weigh(struct query *q, const struct docs *d)
{
    size_t i, u, words = 0;

    for (u = 0; u < d->n_units; u++)
        words += d->units[u].n_words;
    q->mean = d->n_units > 0 ? (double)words / (double)d->n_units + 1 : 1;
    for (i = 0; i < q->n; i++) {
        size_t having = 0;

        for (u = 0; u < d->n_units; u++)
            having += has_word(d->units[u].words, d->units[u].n_words,
                               q->words[i]);
        q->weight[i] = log_about(1 +
                                 (double)d->n_units / (0.5 + (double)having));
        if (having == 0) /* as likely a common word as a telling one */
            q->weight[i] *= 0.5;
        q->total += q->weight[i];
    }
}

static void
query_init(struct query *q, const struct docs *d, const char *s, size_t n)
{
    const char *end = s + n;
    uint32_t w;
    bool stop;

    memset(q, 0, sizeof(*q));
    while (q->n < QUERY_WORDS_MAX && (w = words_next(&s, end, &stop)) != 0) {
        if (!stop && !has_word(q->words, q->n, w))
            q->words[q->n++] = w;
    }
    weigh(q, d);
}

/* The weight of the question's words that are among these. */
static double
matched(const struct query *q, const uint32_t *words, size_t n)
{
    double sum = 0;
    size_t i;

    for (i = 0; i < q->n; i++) {
        if (has_word(words, n, q->words[i]))
            sum += q->weight[i];
    }
    return sum;
}

/* Prose says more than a row, and code without a word about it little. */
static const double kind_weight[] = {
    [UNIT_SENTENCE] = 1,
    [UNIT_ITEM] = 0.9,
    [UNIT_ROW] = 0.55,
    [UNIT_CODE] = 0.8,
};

static double
unit_score(const struct query *q, const struct unit *u)
{
    return kind_weight[u->kind] * matched(q, u->words, u->n_words) * 2.2 /
           (1 + 1.2 * (0.5 + 0.5 * (double)u->n_words / q->mean));
}

/* The title, and the best few units: a long section is not better for it. */
static double
section_score(const struct query *q, const struct section *s,
              const double *scores)
{
    double top[TOP] = {0};
    double sum;
    size_t u;

    for (u = s->first; u < s->first + s->n_units; u++) {
        double v = scores[u];
        int i;

        for (i = 0; i < TOP; i++) {
            if (v > top[i]) {
                double pushed = top[i];

                top[i] = v;
                v = pushed;
            }
        }
    }
    sum = top[0] + 0.5 * top[1] + 0.25 * top[2];
    sum += TITLE_WEIGHT * matched(q, s->words, s->n_words);
    return s->n_units == 0 ? 0 : sum * (s->file == 0 ? 1 : LATER_WEIGHT);
}

/* How much of the question do a section's title and units speak of? */
static double
cover(const struct query *q, const struct docs *d, const struct section *s)
{
    double sum = 0;
    size_t i, u;

    for (i = 0; i < q->n; i++) {
        bool found = has_word(s->words, s->n_words, q->words[i]);

        for (u = s->first; !found && u < s->first + s->n_units; u++)
            found = has_word(d->units[u].words, d->units[u].n_words,
                             q->words[i]);
        sum += found ? q->weight[i] : 0;
    }
    return q->total > 0 ? sum / q->total : 0;
}

/* Does the question name the section? */
static bool
is_named(const struct query *q, const struct section *s)
{
    size_t i;

    for (i = 0; i < s->n_words; i++) {
        if (!has_word(q->words, q->n, s->words[i]))
            return false;
    }
    return s->n_words > 0;
}

/* --- choosing ----------------------------------------------------------- */

/* A sentence that ends in a colon brings its list or table along. */
static void
choose_list(const struct docs *d, size_t u, size_t end, bool *chosen)
{
    enum unit_kind kind;
    size_t n;

    if (!d->units[u].leads || u + 1 == end)
        return;
    kind = d->units[u + 1].kind;
    if (kind != UNIT_ITEM && kind != UNIT_ROW)
        return;
    for (n = 1; n <= LIST_MAX && u + n < end && d->units[u + n].kind == kind;
         n++)
        chosen[u + n] = true;
}

/* Mark the best units of one section: those that match not much worse than the
 * best, and if only its title does, its first ones. */
static void
choose_units(const struct docs *d, const struct section *s,
             const double *scores, size_t max, bool *chosen)
{
    size_t u, n, end = s->first + s->n_units;
    double least = 0;

    for (n = 0; n < max; n++) {
        size_t best = end;

        for (u = s->first; u < end; u++) {
            if (!chosen[u] && scores[u] > least &&
                (best == end || scores[u] > scores[best]))
                best = u;
        }
        if (best == end)
            break;
        if (n == 0)
            least = KEEP_MIN * scores[best];
        chosen[best] = true;
    }
    for (u = s->first; n == 0 && u < end && u < s->first + 2; u++)
        chosen[u] = true;
    for (u = end; u > s->first; u--)
        if (chosen[u - 1])
            choose_list(d, u - 1, end, chosen);
}

/* The best section but for one, or n_sections. */
static size_t
best_section(const struct query *q, const struct docs *d, const double *scores,
             size_t but, double *score)
{
    size_t i, best = d->n_sections;

    *score = 0;
    for (i = 0; i < d->n_sections; i++) {
        double v = i == but ? 0 : section_score(q, &d->sections[i], scores);

        if (v > *score) {
            *score = v;
            best = i;
        }
    }
    return best;
}

/* A second section, if it is nearly as good and speaks of as much; or
 * n_sections. */
static size_t
another_section(const struct query *q, const struct docs *d,
                const double *scores, size_t first, double first_score)
{
    double score;
    size_t second = best_section(q, d, scores, first, &score);

    if (second == d->n_sections || score < SECOND_MIN * first_score ||
        cover(q, d, &d->sections[second]) < cover(q, d, &d->sections[first]))
        return d->n_sections;
    return second;
}

/* False: the documents say nothing about it. */
static bool
tell_match(struct buf *out, const struct docs *d, const struct query *q)
{
    double *scores = xcalloc(d->n_units + 1, sizeof(*scores));
    bool *chosen = xcalloc(d->n_units + 1, sizeof(*chosen));
    size_t first, second, u;
    double score;
    bool found;

    for (u = 0; u < d->n_units; u++)
        scores[u] = unit_score(q, &d->units[u]);
    first = best_section(q, d, scores, d->n_sections, &score);
    found = first < d->n_sections &&
            (is_named(q, &d->sections[first]) ||
             cover(q, d, &d->sections[first]) >= COVER_MIN);
    if (found) {
        second = another_section(q, d, scores, first, score);
        choose_units(d, &d->sections[first], scores,
                     second < d->n_sections ? TOLD_MAX - 1 : TOLD_MAX, chosen);
        if (second < d->n_sections)
            choose_units(d, &d->sections[second], scores, 1, chosen);
        for (u = 0; u < d->n_sections; u++) {
            if (u != first && u != second)
                continue;
            docs_tell_title(out, &d->sections[u]);
            docs_tell_units(out, d, &d->sections[u], chosen);
        }
    }
    free(scores);
    free(chosen);
    return found;
}

static void
tell_answer(struct buf *out, const struct docs *d, const char *message,
            size_t n)
{
    struct query q;

    query_init(&q, d, message, n);
    if (q.n == 0) {
        docs_tell_intro(out, d);
    } else if (!tell_match(out, d, &q)) {
        buf_adds(out, "I found nothing about that in Parley's documents, and "
                      "they are all I know.\n\n");
        docs_tell_topics(out, d);
    }
}

enum err
offline_answer(const struct docs *d, const char *message, size_t n,
               struct buf *out)
{
    switch (words_kind(message, n)) {
    case WORDS_GREETING:
        buf_adds(out, "Hello! I am Parley without a model: I can answer "
                      "questions about Parley itself.\n\n");
        docs_tell_topics(out, d);
        break;
    case WORDS_THANKS: buf_adds(out, "You are welcome.\n\n"); break;
    case WORDS_OTHER:
        if (words_everything(message, n))
            docs_tell_everything(out, d);
        else
            tell_answer(out, d, message, n);
        break;
    }
    buf_adds(out, footer);
    return buf_status(out);
}

/* --- the provider ------------------------------------------------------- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct docs *docs; /* set by load_once, constant afterwards */

static void
load_once(void)
{
    docs = docs_load(conf_root());
}

static enum err
answer(const struct ask *ask, struct buf *out)
{
    const struct ask_message *last;

    assert(ask->n_messages > 0);
    last = &ask->messages[ask->n_messages - 1];
    (void)pthread_once(&once, load_once);
    return offline_answer(docs, last->text, last->len, out);
}

const struct provider provider_offline = {
    .name = "offline",
    .answer = answer,
};
