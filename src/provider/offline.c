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
#define TOLD_MAX 4                    /* units in an answer */
#define TOP 3                         /* units that make a section's score */
#define LONG_BYTES_MIN (12 * 1024)    /* of a long answer, if there is so much */
#define COVER_MIN 0.34                /* share of the question that matched */
#define SECOND_MIN 0.75               /* a second section, if so near */
#define TITLE_WEIGHT 0.8
#define TOPICS_MAX 6

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
        q->weight[i] = log_about(
            1 + (double)d->n_units / (0.5 + (double)having));
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

static double
unit_score(const struct query *q, const struct unit *u)
{
    return matched(q, u->words, u->n_words) * 2.2 /
           (1 + 1.2 * (0.25 + 0.75 * (double)u->n_words / q->mean));
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
    return s->n_units == 0
               ? 0
               : sum + TITLE_WEIGHT * matched(q, s->words, s->n_words);
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

/* --- telling ------------------------------------------------------------ */

/* Where the target of the link whose "]" is at s ends; NULL if it is no link,
 * or one that works outside of the documents. */
static const char *
link_end(const char *s, const char *end)
{
    const char *close;

    if (end - s < 3 || s[1] != '(' || strncmp(s + 2, "http", 4) == 0)
        return NULL;
    close = memchr(s, ')', (size_t)(end - s));
    return close;
}

/* Text as it is in the document, but for links that would lead nowhere (their
 * words stay) and, in running text, line ends (they become spaces). */
static void
tell(struct buf *out, const char *s, size_t n, bool lines)
{
    const char *end = s + n, *open = NULL, *skip;

    for (; s < end; s++) {
        if (*s == '[' && memchr(s, ']', (size_t)(end - s)) != NULL &&
            link_end(memchr(s, ']', (size_t)(end - s)), end) != NULL) {
            open = s;
        } else if (*s == ']' && open != NULL) {
            skip = link_end(s, end);
            open = NULL;
            if (skip != NULL)
                s = skip;
        } else if (*s == '\n' && !lines) {
            while (s + 1 < end && (unsigned char)s[1] <= ' ')
                s++;
            buf_addc(out, ' ');
        } else {
            buf_addc(out, *s);
        }
    }
}

static void
tell_title(struct buf *out, const struct section *s)
{
    if (s->title_len == 0)
        return;
    buf_adds(out, "**");
    tell(out, s->title, s->title_len, false);
    buf_adds(out, "**\n\n");
}

/* The chosen units of a section: sentences run on, blocks stand alone. */
static void
tell_units(struct buf *out, const struct docs *d, const struct section *s,
           const bool *chosen)
{
    bool open = false;
    size_t u;

    for (u = s->first; u < s->first + s->n_units; u++) {
        const struct unit *unit = &d->units[u];

        if (!chosen[u])
            continue;
        if (open)
            buf_adds(out, unit->block ? "\n\n" : " ");
        tell(out, unit->text, unit->len, unit->block);
        open = !unit->block;
        if (unit->block)
            buf_adds(out, "\n\n");
    }
    if (open)
        buf_adds(out, "\n\n");
}

static void
tell_topics(struct buf *out, const struct docs *d)
{
    size_t i, n = 0;

    buf_adds(out, "You can ask about:\n\n");
    for (i = 0; i < d->n_sections && n < TOPICS_MAX; i++) {
        const struct section *s = &d->sections[i];

        if (s->n_units == 0 || (i == 0 && d->n_sections > TOPICS_MAX))
            continue;
        buf_adds(out, "- ");
        tell(out, s->title, s->title_len, false);
        buf_addc(out, '\n');
        n++;
    }
    buf_addc(out, '\n');
}

static void
tell_everything(struct buf *out, const struct docs *d)
{
    size_t i, told = 0;

    for (i = 0; i < d->n_sections && told < LONG_BYTES_MIN; i++) {
        tell(out, d->sections[i].text, d->sections[i].len, true);
        told += d->sections[i].len;
    }
    buf_adds(out, "\n\n");
}

/* --- choosing ----------------------------------------------------------- */

/* Mark the best units of one section: those that match, and if only its title
 * does, its first ones. */
static void
choose_units(const struct section *s, const double *scores, size_t max,
             bool *chosen)
{
    size_t u, n, end = s->first + s->n_units;

    for (n = 0; n < max; n++) {
        size_t best = end;

        for (u = s->first; u < end; u++) {
            if (!chosen[u] && scores[u] > 0 &&
                (best == end || scores[u] > scores[best]))
                best = u;
        }
        if (best == end)
            break;
        chosen[best] = true;
    }
    for (u = s->first; n == 0 && u < end && u < s->first + 2; u++)
        chosen[u] = true;
}

/* The best section but for one, or n_sections. */
static size_t
best_section(const struct query *q, const struct docs *d,
             const double *scores, size_t but, double *score)
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

/* False: the documents say nothing about it. */
static bool
tell_match(struct buf *out, const struct docs *d, const struct query *q)
{
    double *scores = xcalloc(d->n_units + 1, sizeof(*scores));
    bool *chosen = xcalloc(d->n_units + 1, sizeof(*chosen));
    size_t first, second, u;
    double first_score, second_score;
    bool found;

    for (u = 0; u < d->n_units; u++)
        scores[u] = unit_score(q, &d->units[u]);
    first = best_section(q, d, scores, d->n_sections, &first_score);
    found = first < d->n_sections &&
            cover(q, d, &d->sections[first]) >= COVER_MIN;
    if (found) {
        second = best_section(q, d, scores, first, &second_score);
        if (second_score < SECOND_MIN * first_score)
            second = d->n_sections;
        choose_units(&d->sections[first], scores,
                     second < d->n_sections ? TOLD_MAX - 1 : TOLD_MAX, chosen);
        if (second < d->n_sections)
            choose_units(&d->sections[second], scores, 1, chosen);
        for (u = 0; u < d->n_sections; u++) {
            if (u != first && u != second)
                continue;
            tell_title(out, &d->sections[u]);
            tell_units(out, d, &d->sections[u], chosen);
        }
    }
    free(scores);
    free(chosen);
    return found;
}

enum err
offline_answer(const struct docs *d, const char *message, size_t n,
               struct buf *out)
{
    struct query q;

    if (words_greeting(message, n)) {
        buf_adds(out, "Hello! I am Parley without a model: I can answer "
                      "questions about Parley itself.\n\n");
        tell_topics(out, d);
    } else if (words_everything(message, n)) {
        tell_everything(out, d);
    } else {
        query_init(&q, d, message, n);
        if (!tell_match(out, d, &q)) {
            buf_adds(out, "I found nothing about that in Parley's documents, "
                          "and they are all I know.\n\n");
            tell_topics(out, d);
        }
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
