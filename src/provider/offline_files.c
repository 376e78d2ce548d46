/*
 * An answer from files alone: of the excerpts that were found for a question,
 * the ones that speak of most of it, told by their best sentences as they
 * stand, each with the number of its excerpt. Nothing is made up; where too
 * little fits, nothing is told.
 */
#include "base/base.h"

#include "base/mem.h"
#include "provider/offline.h"
#include "provider/provider.h"

#define TOLD_MAX 4     /* excerpts in an answer */
#define UNITS_MAX 3    /* sentences of the first one */
#define KEEP_MIN 0.6   /* of the best one's score: others are told as well */
#define COVER_MIN 0.34 /* share of the question that the best one speaks of */
#define NEAR_MIN 0.35  /* similarity that stands for words in common */
#define TEXT_MAX (64 * 1024)

struct telling {
    const struct ask *ask;
    struct docs *docs;
    double *scores; /* of units */
    bool *chosen;   /* units */
    bool *told;     /* sections */
};

/* What code calls parse_amount people call "parse amount": the words of its
 * units from `first` on are those of such names. */
static void
split_names(struct docs *d, size_t first)
{
    for (size_t i = first; i < d->n_units; i++) {
        struct unit *u = &d->units[i];
        char *text = xmemdup0(u->text, u->len);

        for (char *s = text; *s != '\0'; s++)
            if (*s == '_')
                *s = ' ';
        free(u->words);
        u->words = docs_words(text, u->len, &u->n_words);
        free(text);
    }
}

/* The last of its headings, or its name. */
static const char *
title_of(const struct excerpt *x)
{
    const char *title = x->heading, *next;

    while ((next = strstr(title, " > ")) != NULL)
        title = next + 3;
    return *title != '\0' ? title : x->name;
}

/* Each excerpt is a document of its own: its number is the file's. */
static struct docs *
cut_excerpts(const struct ask *ask)
{
    struct docs *d = xcalloc(1, sizeof(*d));

    d->files = xcalloc(ask->n_excerpts, sizeof(*d->files));
    for (size_t i = 0; i < ask->n_excerpts; i++) {
        const struct excerpt *x = &ask->excerpts[i];
        size_t first = d->n_units;
        struct buf text;

        buf_init(&text, TEXT_MAX);
        buf_addf(&text, "## %s\n\n", title_of(x));
        excerpt_markdown(x, &text);
        d->files[d->n_files++] = xstrdup(buf_cstr(&text));
        buf_release(&text);
        docs_cut(d, d->files[i]);
        if (x->code)
            split_names(d, first);
    }
    return d;
}

/* Is the same text told already? Excerpts of one document overlap. */
static bool
is_told(const struct telling *t, const struct unit *u)
{
    for (size_t i = 0; i < t->docs->n_units; i++) {
        const struct unit *other = &t->docs->units[i];

        if (t->chosen[i] && other != u && other->len == u->len &&
            memcmp(other->text, u->text, u->len) == 0)
            return true;
    }
    return false;
}

/* The best section that is not told yet; n_sections: none fits at all. One that
 * is near the question as a whole counts for more. */
static size_t
best_section(const struct telling *t, const struct query *q,
             struct rating *rating)
{
    const struct docs *d = t->docs;
    size_t best = d->n_sections;

    (void)memset(rating, 0, sizeof(*rating));
    for (size_t i = 0; i < d->n_sections; i++) {
        const struct section *s = &d->sections[i];
        struct rating r = section_rate(q, d, s, t->scores);

        r.score *= 0.5 + t->ask->excerpts[s->file].similarity;
        if (!t->told[i] && s->n_units > 0 && r.score > rating->score) {
            *rating = r;
            best = i;
        }
    }
    return best;
}

static void
tell_section(struct buf *out, struct telling *t, size_t i, size_t max)
{
    const struct section *s = &t->docs->sections[i];
    bool *mine = xcalloc(t->docs->n_units + 1, sizeof(*mine));
    bool any = false;

    t->told[i] = true;
    docs_choose(t->docs, s, t->scores, max, mine);
    for (size_t u = s->first; u < s->first + s->n_units; u++) {
        mine[u] = mine[u] && !is_told(t, &t->docs->units[u]);
        t->chosen[u] = mine[u];
        any = any || mine[u];
    }
    if (any) {
        buf_addf(out, "**%.*s** [%zu]\n\n", (int)s->title_len, s->title,
                 s->file + 1);
        docs_tell_units(out, t->docs, s, mine);
    }
    free(mine);
}

/* False: nothing fits. */
static bool
tell(struct buf *out, struct telling *t, const struct query *q,
     struct offline_fit *fit)
{
    struct rating is, first;
    size_t i = best_section(t, q, &first);
    double near = t->ask->excerpts[0].similarity;

    if (i == t->docs->n_sections && near >= NEAR_MIN && i > 0)
        i = 0; /* no word in common, and yet much alike */
    else if (i == t->docs->n_sections ||
             (first.cover < COVER_MIN &&
              !section_named(q, &t->docs->sections[i])))
        return false;
    *fit = (struct offline_fit){
        .cover = first.cover,
        .named = section_named(q, &t->docs->sections[i]),
        .code = t->ask->excerpts[t->docs->sections[i].file].code,
    };
    tell_section(out, t, i, UNITS_MAX);
    for (size_t n = 1; n < TOLD_MAX; n++) {
        i = best_section(t, q, &is);
        if (i == t->docs->n_sections || is.score < KEEP_MIN * first.score ||
            is.cover < first.cover / 2)
            break;
        tell_section(out, t, i, 1);
    }
    return true;
}

/* Is anything told of a section up to this one of the same file? */
static bool
is_first_told(const struct telling *t, size_t i)
{
    const struct section *s = t->docs->sections;

    for (size_t k = 0; k < i; k++)
        if (t->told[k] && s[k].file == s[i].file)
            return false;
    return t->told[i];
}

/* Which numbers are which files. */
static void
tell_files(struct buf *out, const struct telling *t)
{
    const char *sep = "";

    for (size_t i = 0; i < t->docs->n_sections; i++) {
        size_t file = t->docs->sections[i].file;

        if (!is_first_told(t, i))
            continue;
        buf_addf(out, "%s[%zu] %s", sep, file + 1, t->ask->excerpts[file].name);
        sep = " · ";
    }
    buf_adds(out, "\n\n");
}

bool
offline_from_files(const struct ask *ask, const char *message, size_t n,
                   struct buf *out, struct offline_fit *fit)
{
    struct telling t = {.ask = ask};
    struct query q;
    bool found;

    *fit = (struct offline_fit){.cover = 0};
    if (ask->n_excerpts == 0)
        return false;
    t.docs = cut_excerpts(ask);
    t.scores = xcalloc(t.docs->n_units + 1, sizeof(*t.scores));
    t.chosen = xcalloc(t.docs->n_units + 1, sizeof(*t.chosen));
    t.told = xcalloc(t.docs->n_sections + 1, sizeof(*t.told));
    query_init(&q, t.docs, message, n);
    for (size_t u = 0; u < t.docs->n_units; u++)
        t.scores[u] = unit_score(&q, &t.docs->units[u]);
    found = q.n > 0 && tell(out, &t, &q, fit);
    if (found)
        tell_files(out, &t);
    docs_free(t.docs);
    free(t.scores);
    free(t.chosen);
    free(t.told);
    return found;
}
