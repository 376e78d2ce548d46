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

static const char samples_footer[] =
    "*No model is configured: this is what Parley's samples say of themselves. "
    "To talk to a model, set a key such as `OPENAI_API_KEY` in `.env` and "
    "restart.*\n";

static const char talk_footer[] =
    "*No model is configured. To talk to one, set a key such as "
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

/* Is a section what an excerpt stands under? Its headings are "A > B". */
static bool
is_under(const struct excerpt *x, const struct section *s)
{
    size_t n = strlen(x->heading), at = n - s->title_len;

    return n >= s->title_len &&
           memcmp(x->heading + at, s->title, s->title_len) == 0 &&
           (at == 0 || (at >= 3 && memcmp(x->heading + at - 3, " > ", 3) == 0));
}

/* The number of an excerpt that was found for the question and is of this
 * section, so that it can be cited and opened; 0: there is none. */
static size_t
number_of(const struct ask *ask, const struct docs *d, size_t i)
{
    const struct section *s = &d->sections[i];

    for (size_t k = 0; ask != NULL && d->names != NULL && k < ask->n_excerpts;
         k++) {
        const struct excerpt *x = &ask->excerpts[k];

        if (x->sample && !x->image && is_under(x, s) &&
            strcmp(x->name, d->names[s->file]) == 0)
            return k + 1;
    }
    return 0;
}

static void
tell_section(struct buf *out, const struct ask *ask, const struct docs *d,
             size_t i, const bool *chosen)
{
    docs_tell_title(out, &d->sections[i], number_of(ask, d, i));
    docs_tell_units(out, d, &d->sections[i], chosen);
}

/* Which numbers are which files; second may be n_sections. */
static void
tell_sources(struct buf *out, const struct ask *ask, const struct docs *d,
             size_t first, size_t second)
{
    size_t one = number_of(ask, d, first);
    size_t two = second < d->n_sections ? number_of(ask, d, second) : 0;

    if (one > 0)
        buf_addf(out, "[%zu] %s", one, ask->excerpts[one - 1].name);
    if (two > 0 && two != one)
        buf_addf(out, "%s[%zu] %s", one > 0 ? " · " : "", two,
                 ask->excerpts[two - 1].name);
    if (one > 0 || two > 0)
        buf_adds(out, "\n\n");
}

/* Most words of the question are nowhere, or half of them and a row only
 * happens to have another: it is about something else. */
static bool
is_strange(const struct query *q, const struct unit *best)
{
    return 2 * q->unknown > q->n ||
           (2 * q->unknown == q->n && best->kind == UNIT_ROW);
}

/* False: the documents say nothing about it. */
static bool
tell_match(struct buf *out, const struct ask *ask, const struct docs *d,
           const struct query *q, struct offline_fit *fit)
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
            ((is.cover >= COVER_MIN && !is_strange(q, &d->units[is.best])) ||
             section_named(q, &d->sections[first]));
    if (found) {
        *fit = (struct offline_fit){
            .cover = is.cover, .named = section_named(q, &d->sections[first])};
        second = another_section(q, d, scores, first, &is);
        docs_choose(d, &d->sections[first], scores,
                    second < d->n_sections ? TOLD_MAX - 1 : TOLD_MAX, chosen);
        tell_section(out, ask, d, first, chosen);
        if (second < d->n_sections) {
            docs_choose(d, &d->sections[second], scores, 1, chosen);
            tell_section(out, ask, d, second, chosen);
        }
        tell_sources(out, ask, d, first, second);
    }
    free(scores);
    free(chosen);
    return found;
}

/* False: the documents say nothing about it. */
static bool
tell_answer(struct buf *out, const struct ask *ask, const struct docs *d,
            const char *message, size_t n, struct offline_fit *fit)
{
    struct query q;

    *fit = (struct offline_fit){.cover = 0};
    query_init(&q, d, message, n);
    if (q.n > 0)
        return tell_match(out, ask, d, &q, fit);
    docs_tell_intro(out, d);
    return true;
}

/* Is the question rather one for the documents than for one's own files? */
static bool
is_about_parley(const struct offline_fit *docs, const struct offline_fit *files)
{
    return (docs->named && !files->named) ||
           (files->code && docs->cover >= files->cover);
}

static void
tell_nothing(struct buf *out, const struct ask *ask, const struct docs *d,
             bool image)
{
    bool own = ask != NULL && ask->searched;

    if (image)
        buf_addf(out, "I found no image of that%s.\n\n",
                 own ? " among your files" : "");
    else
        buf_addf(out,
                 "I found nothing about that in %sParley's documents, and "
                 "they are all I know.\n\n",
                 own ? "your files, nor in " : "");
    docs_tell_topics(out, d);
}

/* One's own files say best what one asks, but where a question is clearly about
 * Parley. Its documents are told as they are, not as they were found, since
 * whole they tell more. Returns what the answer ends with. */
static const char *
tell_best(struct buf *out, const struct docs *d, const struct ask *ask,
          const char *message, size_t n)
{
    bool own = ask != NULL && ask->n_excerpts > 0 && !ask->excerpts[0].sample;
    enum offline_images images = ask == NULL
                                     ? IMAGES_NOT_ASKED
                                     : offline_images(ask, message, n, out);
    struct offline_fit files, docs;
    const char *end = footer;
    struct buf from_files;

    if (images == IMAGES_TOLD)
        return own ? files_footer : samples_footer;
    buf_init(&from_files, out->max - out->len);
    own = own && offline_from_files(ask, message, n, &from_files, &files);
    if (images == IMAGES_NONE && !own) {
        tell_nothing(out, ask, d, true);
    } else if (!tell_answer(out, ask, d, message, n, &docs) && !own) {
        tell_nothing(out, ask, d, false);
    } else if (own && !is_about_parley(&docs, &files)) {
        buf_clear(out);
        buf_add(out, from_files.data, from_files.len);
        end = files_footer;
    }
    buf_release(&from_files);
    return end;
}

enum err
offline_answer(const struct docs *d, const struct ask *ask, const char *message,
               size_t n, struct buf *out)
{
    const char *end = footer;

    switch (words_kind(message, n)) {
    case WORDS_GREETING:
        buf_adds(out, "Hello! I am Parley without a model: I can answer "
                      "questions about your files and about Parley "
                      "itself.\n\n");
        docs_tell_topics(out, d);
        end = talk_footer;
        break;
    case WORDS_THANKS:
        buf_adds(out, "You are welcome.\n\n");
        end = talk_footer;
        break;
    case WORDS_BYE:
        buf_adds(out, "Goodbye!\n\n");
        end = talk_footer;
        break;
    case WORDS_WELL:
        buf_adds(out, "All right.\n\n");
        end = talk_footer;
        break;
    case WORDS_OTHER:
        if (words_everything(message, n))
            docs_tell_everything(out, d);
        else
            end = tell_best(out, d, ask, message, n);
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
