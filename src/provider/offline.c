/*
 * The provider that needs no network: it answers questions about Parley from
 * Parley's own documents, so that whoever has just started it sees it work,
 * and learns how to connect a model. It picks sentences, it does not write
 * any, so it says nothing that the documents do not say; and it repeats
 * nothing of what it was asked.
 *
 * The section whose units fit the question best (offline_score.c), and a second
 * one if it is nearly as good, are told: of each the best few units in reading
 * order, or a sentence with the list that it leads to.
 *
 * The documents are read once, at the first question, and kept. Any thread.
 */
#include "base/base.h"

#include "provider/offline.h"

#include <pthread.h>

#include "base/conf.h"
#include "base/mem.h"
#include "provider/provider.h"

#define TOLD_MAX 4      /* units in an answer */
#define COVER_MIN 0.34  /* share of the question that matched */
#define KEEP_MIN 0.6    /* of the best unit's score: others are told as well */
#define SECOND_MIN 0.85 /* a second section, if so near */
#define LIST_MAX 12     /* items told because of the sentence before them */

static const char footer[] =
    "*No model is configured: this comes from Parley's own documents. To "
    "talk to a model, set a key such as `OPENAI_API_KEY` in `.env` and "
    "restart.*\n";

static const char files_footer[] =
    "*No model is configured: these are sentences of your files as they "
    "stand. To talk to a model about them, set a key such as "
    "`OPENAI_API_KEY` in `.env` and restart.*\n";

/* --- choosing ----------------------------------------------------------- */

/* A sentence that ends in a colon brings its list or table along. */
static bool
choose_list(const struct docs *d, size_t u, size_t end, bool *chosen)
{
    enum unit_kind kind;
    size_t n;

    if (!d->units[u].leads || u + 1 == end)
        return false;
    kind = d->units[u + 1].kind;
    if (kind != UNIT_ITEM && kind != UNIT_ROW)
        return false;
    for (n = 1; n <= LIST_MAX && u + n < end && d->units[u + n].kind == kind;
         n++)
        chosen[u + n] = true;
    return true;
}

void
docs_choose(const struct docs *d, const struct section *s, const double *scores,
            size_t max, bool *chosen)
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
        chosen[best] = true;
        if (n == 0 && choose_list(d, best, end, chosen))
            return;
        if (n == 0)
            least = KEEP_MIN * scores[best];
    }
    for (u = s->first; n == 0 && u < end && u < s->first + 2; u++)
        chosen[u] = true;
}

/* The best section but for one, or n_sections. */
static size_t
best_section(const struct query *q, const struct docs *d, const double *scores,
             size_t but, struct rating *rating)
{
    size_t i, best = d->n_sections;

    memset(rating, 0, sizeof(*rating));
    for (i = 0; i < d->n_sections; i++) {
        struct rating r = section_rate(q, d, &d->sections[i], scores);

        if (i != but && r.score > rating->score) {
            *rating = r;
            best = i;
        }
    }
    return best;
}

/* A second section, if it is nearly as good and speaks of as much; or
 * n_sections. What comes before all others is no addition to them, nor is a
 * row that only happens to match; and there is nothing for developers beside
 * what is for users. */
static size_t
another_section(const struct query *q, const struct docs *d,
                const double *scores, size_t first, const struct rating *is)
{
    struct rating r;
    size_t second = best_section(q, d, scores, first, &r);

    if (second == d->n_sections || second == 0 ||
        r.score < SECOND_MIN * is->score || r.cover < is->cover ||
        d->units[r.best].kind == UNIT_ROW ||
        d->sections[second].file > d->sections[first].file)
        return d->n_sections;
    return second;
}

static void
tell_section(struct buf *out, const struct docs *d, size_t i,
             const bool *chosen)
{
    docs_tell_title(out, &d->sections[i]);
    docs_tell_units(out, d, &d->sections[i], chosen);
}

/* False: the documents say nothing about it. */
static bool
tell_match(struct buf *out, const struct docs *d, const struct query *q)
{
    double *scores = xcalloc(d->n_units + 1, sizeof(*scores));
    bool *chosen = xcalloc(d->n_units + 1, sizeof(*chosen));
    size_t first, second, u;
    struct rating is;
    bool found;

    for (u = 0; u < d->n_units; u++)
        scores[u] = unit_score(q, &d->units[u]);
    first = best_section(q, d, scores, d->n_sections, &is);
    found = first < d->n_sections &&
            (is.cover >= COVER_MIN || section_named(q, &d->sections[first]));
    if (found) {
        second = another_section(q, d, scores, first, &is);
        docs_choose(d, &d->sections[first], scores,
                    second < d->n_sections ? TOLD_MAX - 1 : TOLD_MAX, chosen);
        tell_section(out, d, first, chosen);
        if (second < d->n_sections) {
            docs_choose(d, &d->sections[second], scores, 1, chosen);
            tell_section(out, d, second, chosen);
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
offline_answer(const struct docs *d, const struct ask *ask, const char *message,
               size_t n, struct buf *out)
{
    const char *end = footer;

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
        else if (ask != NULL && offline_from_files(ask, message, n, out))
            end = files_footer;
        else
            tell_answer(out, d, message, n);
        break;
    }
    buf_adds(out, end);
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
    return offline_answer(docs, ask, last->text, last->len, out);
}

const struct provider provider_offline = {
    .name = "offline",
    .answer = answer,
};
