/*
 * How well a unit, and a section, of the documents answers a question.
 *
 * A unit scores by the words it shares with the question, rare words counting
 * more and long units less (the BM25 formula without its counting of
 * repetitions). A row of a table scores more the more of its name was asked
 * for: the settings are a long table, and most of its rows share a word with
 * most questions. For the same reason a section is rated by its best few units
 * only, and by how much of the question one of them speaks of. Any thread; no
 * I/O, no globals.
 */
#include "base/base.h"

#include "provider/offline.h"

#define TOP 3 /* units that make a section's score */
#define TITLE_WEIGHT 0.8
#define NAME_WEIGHT 0.8 /* of a row whose name was asked for in full */
#define LENGTH_MIN 0.5  /* of the mean: still shorter is no better */
#define COVER_WEIGHT 0.6
#define OVERVIEW_WEIGHT 0.7 /* of what comes before all other sections */
#define NAMED_WEIGHT 1.25   /* of a section that the question names */
#define LATER_WEIGHT 0.4    /* of documents after the first: for developers */

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

static bool
unit_has(const struct unit *u, uint32_t w)
{
    return has_word(u->words, u->n_words, w) ||
           has_word(u->names, u->n_names, w);
}

/* --- the question ------------------------------------------------------- */

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
            having += unit_has(&d->units[u], q->words[i]);
        q->weight[i] = log_about(1 +
                                 (double)d->n_units / (0.5 + (double)having));
        if (having == 0) { /* as likely a common word as a telling one */
            q->weight[i] *= 0.5;
            q->unknown++;
        }
        q->total += q->weight[i];
    }
}

void
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

/* --- units -------------------------------------------------------------- */

/* Is the question for this row? 1 if it asks for the row's name and for nothing
 * else, little if some word is in both. */
static double
named_share(const struct query *q, const struct unit *u)
{
    double in_name, sum = 0;
    size_t i, n = 0;

    for (i = 0; i < u->n_names; i++)
        n += has_word(q->words, q->n, u->names[i]);
    if (n == 0 || q->total <= 0)
        return 0;
    for (i = 0; i < q->n; i++)
        sum += has_word(u->names, u->n_names, q->words[i]) ? q->weight[i] : 0;
    in_name = (double)n / (double)u->n_names;
    return in_name * in_name * sum / q->total;
}

/* Prose says more than a row, and code without a word about it little. */
static double
kind_weight(const struct unit *u)
{
    switch (u->kind) {
    case UNIT_ITEM: return 0.9;
    case UNIT_ROW: return 0.65;
    case UNIT_CODE: return u->alone ? 0.6 : 1;
    default: return 1;
    }
}

double
unit_score(const struct query *q, const struct unit *u)
{
    double sum = 0, length = (double)u->length / q->mean;
    size_t i;

    for (i = 0; i < q->n; i++)
        sum += unit_has(u, q->words[i]) ? q->weight[i] : 0;
    sum *= kind_weight(u) * (1 + NAME_WEIGHT * named_share(q, u));
    if (length < LENGTH_MIN)
        length = LENGTH_MIN;
    return sum * 2.2 / (1 + 1.2 * (0.5 + 0.5 * length));
}

/* --- sections ----------------------------------------------------------- */

/* The best units of a section, best first; how many match at all. */
static size_t
find_top(const struct section *s, const double *scores, size_t top[TOP])
{
    size_t n = 0, u, i;

    for (u = s->first; u < s->first + s->n_units; u++) {
        size_t at = u;

        if (scores[u] <= 0)
            continue;
        for (i = 0; i < n; i++) {
            if (scores[at] > scores[top[i]]) {
                size_t pushed = top[i];

                top[i] = at;
                at = pushed;
            }
        }
        if (n < TOP)
            top[n++] = at;
    }
    return n;
}

/* The weight of the question's words that a section's title or some of its
 * units have. */
static double
weight_in(const struct query *q, const struct docs *d, const struct section *s,
          const size_t *units, size_t n)
{
    double sum = 0;
    size_t i, k;

    for (i = 0; i < q->n; i++) {
        bool found = has_word(s->words, s->n_words, q->words[i]);

        for (k = 0; !found && k < n; k++)
            found = unit_has(&d->units[units[k]], q->words[i]);
        sum += found ? q->weight[i] : 0;
    }
    return sum;
}

struct rating
section_rate(const struct query *q, const struct docs *d,
             const struct section *s, const double *scores)
{
    static const double weight[TOP] = {1, 0.5, 0.25};
    struct rating r = {.best = s->first};
    size_t top[TOP], n = find_top(s, scores, top), i;
    double most = 0;

    if (s->n_units == 0 || q->total <= 0)
        return r;
    if (n > 0)
        r.best = top[0];
    for (i = 0; i < TOP && i < n; i++) {
        double alone = weight_in(q, d, s, &top[i], 1);

        r.score += weight[i] * scores[top[i]];
        most = alone > most ? alone : most;
    }
    r.score += TITLE_WEIGHT * weight_in(q, d, s, NULL, 0);
    r.cover = weight_in(q, d, s, top, n) / q->total;
    /* One unit that speaks of it all is better than some that share it. */
    most = (r.cover + 3 * most / q->total) / 4;
    r.score *= 1 - COVER_WEIGHT + COVER_WEIGHT * most;
    if (s == d->sections)
        r.score *= OVERVIEW_WEIGHT;
    else if (s->file > 0)
        r.score *= LATER_WEIGHT;
    if (section_named(q, s))
        r.score *= NAMED_WEIGHT;
    return r;
}

bool
section_named(const struct query *q, const struct section *s)
{
    size_t i;

    for (i = 0; i < s->n_words; i++) {
        if (!has_word(q->words, q->n, s->words[i]))
            return false;
    }
    return s->n_words > 0;
}
