/*
 * The ranks of sentences by power iteration.
 *
 * Where the paper counts shared words over the logarithms of lengths, words
 * weigh here by how few sentences hold them (cosine of tf-idf), which later
 * work found better and which needs no stop-word luck in other languages. What
 * stands first, in the text and in its paragraph, is preferred, as writers do.
 *
 * What cannot stand alone is damped after the ranking: questions, sentences of
 * a few words or very many, those that lean on the one before ("This is …"),
 * and those that announce a list. Headings and rows of tables take no part
 * unless there is nothing else.
 */
#include "base/base.h"

#include "lang/textrank.h"

#include <math.h>

#include "base/mem.h"
#include "lang/letter.h"
#include "lang/reading.h"

#define DAMPING 0.85
#define ROUNDS_MAX 50
#define ENOUGH 1e-6     /* change of a rank between two rounds */
#define SIMILAR 0.05    /* less is no edge */
#define ALIKE_WORDS 64  /* of a sentence, to compare it by */
#define ALIKE 0.65      /* shared part of the shorter one's words */
#define WORDS_MIN 4     /* fewer hardly say a thing */
#define WORDS_GOOD 24   /* more are hard to read */
#define LEAD_WEIGHT 1.0 /* more for the first sentence, less for the next */

/* A word of a sentence that is compared. */
struct posting {
    uint32_t stem, node;
    float weight; /* length of the sentence's vector: 1 */
};

struct graph {
    const struct reading *r;
    uint32_t *nodes; /* owned; the sentences */
    size_t n;
    struct posting *words; /* owned; sorted by stem, then node */
    size_t n_words;
    float *edges; /* owned; n * n */
};

/* ---- who takes part -------------------------------------------------- */

static size_t
content(const struct reading *r, size_t i)
{
    size_t n, count = 0;
    const struct token *t = reading_tokens(r, i, &n);

    for (size_t k = 0; k < n; k++)
        count += (t[k].flags & (TOKEN_SKIP | TOKEN_NUMBER)) == 0;
    return count;
}

static bool
takes_part(const struct reading *r, size_t i, bool all)
{
    enum plain_kind kind = r->sentences.at[i].kind;

    return (all || kind == PLAIN_PROSE || kind == PLAIN_ITEM) &&
           content(r, i) > 0;
}

/* All that take part, then a sample of them. */
static void
choose(struct graph *g)
{
    const size_t most = TEXTRANK_SENTENCES_MAX, edge = most / 8;
    size_t n = 0, middle;

    g->nodes = xcalloc(g->r->sentences.n + 1, sizeof(g->nodes[0]));
    for (int all = 0; all < 2 && n == 0; all++) {
        for (size_t i = 0; i < g->r->sentences.n; i++) {
            if (takes_part(g->r, i, all != 0))
                g->nodes[n++] = (uint32_t)i;
        }
    }
    g->n = n < most ? n : most;
    if (n <= most)
        return;
    middle = most - 2 * edge;
    for (size_t i = 0; i < middle; i++)
        g->nodes[edge + i] = g->nodes[edge + i * (n - 2 * edge) / middle];
    memmove(g->nodes + most - edge, g->nodes + n - edge,
            edge * sizeof(g->nodes[0]));
}

/* ---- how much they share --------------------------------------------- */

static int
by_stem(const void *a, const void *b)
{
    const struct posting *x = a, *y = b;

    if (x->stem != y->stem)
        return x->stem < y->stem ? -1 : 1;
    return x->node < y->node ? -1 : x->node > y->node;
}

static void
collect(struct graph *g)
{
    size_t most = 0, n;

    for (size_t i = 0; i < g->n; i++) {
        (void)reading_tokens(g->r, g->nodes[i], &n);
        most += n;
    }
    g->words = xcalloc(most + 1, sizeof(g->words[0]));
    for (size_t i = 0; i < g->n; i++) {
        const struct token *t = reading_tokens(g->r, g->nodes[i], &n);

        for (size_t k = 0; k < n; k++) {
            if ((t[k].flags & TOKEN_SKIP) == 0)
                g->words[g->n_words++] = (struct posting){
                    .stem = t[k].stem, .node = (uint32_t)i, .weight = 1};
        }
    }
    qsort(g->words, g->n_words, sizeof(g->words[0]), by_stem);
}

/* The same word of one sentence becomes one posting; weights are tf * idf over
 * the length of the sentence's vector. */
static void
weigh(struct graph *g)
{
    double *lengths = xcalloc(g->n + 1, sizeof(lengths[0]));
    size_t n = 0, first = 0;

    for (size_t i = 0; i < g->n_words; i++) {
        if (n > 0 && g->words[n - 1].stem == g->words[i].stem &&
            g->words[n - 1].node == g->words[i].node)
            g->words[n - 1].weight += 1;
        else
            g->words[n++] = g->words[i];
    }
    g->n_words = n;
    for (size_t i = 0; i < n; i++) {
        if (i + 1 < n && g->words[i + 1].stem == g->words[i].stem)
            continue;
        for (size_t k = first; k <= i; k++) {
            double idf = log(1.0 + (double)g->n / (double)(i + 1 - first));

            g->words[k].weight = (float)((1 + log(g->words[k].weight)) * idf);
            lengths[g->words[k].node] += (double)g->words[k].weight *
                                         (double)g->words[k].weight;
        }
        first = i + 1;
    }
    for (size_t i = 0; i < n; i++)
        g->words[i].weight /= (float)sqrt(lengths[g->words[i].node]);
    free(lengths);
}

static void
connect(struct graph *g)
{
    size_t first = 0;

    g->edges = xcalloc(g->n * g->n + 1, sizeof(g->edges[0]));
    for (size_t i = 0; i < g->n_words; i++) {
        if (i + 1 < g->n_words && g->words[i + 1].stem == g->words[i].stem)
            continue;
        for (size_t a = first; a <= i; a++) {
            for (size_t b = first; b <= i; b++) {
                const struct posting *x = &g->words[a], *y = &g->words[b];

                if (a != b)
                    g->edges[x->node * g->n + y->node] += x->weight * y->weight;
            }
        }
        first = i + 1;
    }
    /* Each row becomes the shares that a sentence gives to the others. */
    for (size_t a = 0; a < g->n; a++) {
        float *row = g->edges + a * g->n, sum = 0;

        for (size_t b = 0; b < g->n; b++) {
            if (row[b] < (float)SIMILAR)
                row[b] = 0;
            sum += row[b];
        }
        for (size_t b = 0; b < g->n && sum > 0; b++)
            row[b] /= sum;
    }
}

/* ---- the ranks ------------------------------------------------------- */

/* Where the random reader begins: shares that add up to 1. */
static void
jump(const struct graph *g, double *to)
{
    double sum = 0;

    for (size_t i = 0; i < g->n; i++) {
        bool opens = i == 0 || g->r->sentences.at[g->nodes[i]].block !=
                                   g->r->sentences.at[g->nodes[i - 1]].block;

        to[i] = 1 + (opens ? 0.25 : 0);
        sum += to[i];
    }
    for (size_t i = 0; i < g->n; i++)
        to[i] /= sum;
}

static void
iterate(const struct graph *g, double *rank)
{
    double *to = xcalloc(g->n + 1, sizeof(to[0]));
    double *next = xcalloc(g->n + 1, sizeof(next[0]));
    double change = 1;

    jump(g, to);
    memcpy(rank, to, g->n * sizeof(rank[0]));
    for (int round = 0; round < ROUNDS_MAX && change > ENOUGH; round++) {
        change = 0;
        for (size_t i = 0; i < g->n; i++)
            next[i] = (1 - DAMPING) * to[i];
        for (size_t a = 0; a < g->n; a++) {
            const float *row = g->edges + a * g->n;

            for (size_t b = 0; b < g->n; b++)
                next[b] += DAMPING * rank[a] * (double)row[b];
        }
        for (size_t i = 0; i < g->n; i++) {
            change = fmax(change, fabs(next[i] - rank[i]));
            rank[i] = next[i];
        }
    }
    free(next);
    free(to);
}

/* Words that point back when they begin a sentence. */
static bool
leans(const struct reading *r, const struct token *t)
{
    static const char *const words[] = {
        "this", "that", "these", "those", "it",  "they", "he",   "she",
        "but",  "and",  "so",    "also",  "or",  "then", "yes",  "no",
        "thus", "das",  "dies",  "diese", "sie", "er",   "es",   "aber",
        "und",  "auch", "ja",    "nein",  "il",  "elle", "mais", "pero"};
    char folded[WORD_FOLD_MAX + 1];

    (void)word_fold(r->sentences.plain + t->start, t->len, folded);
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (strcmp(folded, words[i]) == 0)
            return true;
    }
    return false;
}

/* How well a sentence stands alone: at most 1. */
static double
alone(const struct reading *r, size_t i)
{
    const struct sentence *s = &r->sentences.at[i];
    size_t n, letters = 0;
    const struct token *t = reading_tokens(r, i, &n);
    uint32_t end = letter_before(s->text, s->len);
    double fit = 1;

    for (size_t k = 0; k < n; k++)
        letters += t[k].flags & TOKEN_CJK ? 1 : 3;
    letters /= 3; /* words; three characters are about one */
    if (letters < WORDS_MIN)
        fit *= 0.3;
    else if (letters < 2 * WORDS_MIN)
        fit *= 0.85;
    if (letters > WORDS_GOOD) /* long ones share much for being long */
        fit *= fmax((double)WORDS_GOOD / (double)letters, 0.4);
    if (s->kind == PLAIN_ITEM)
        fit *= 0.8;
    if (end == '?' || end == 0xFF1F)
        fit *= 0.5;
    if (end == ':')
        fit *= 0.35;
    if (i > 0 && n > 0 && leans(r, &t[0]))
        fit *= 0.7;
    return fit;
}

void
textrank_read(struct textrank *t, const struct reading *r)
{
    struct graph g = {.r = r};
    double *rank, best = 0;

    t->n = r->sentences.n;
    t->rank = xcalloc(t->n + 1, sizeof(t->rank[0]));
    choose(&g);
    collect(&g);
    weigh(&g);
    connect(&g);
    rank = xcalloc(g.n + 1, sizeof(rank[0]));
    iterate(&g, rank);
    for (size_t i = 0; i < g.n; i++) {
        double lead = 1 + LEAD_WEIGHT / (1 + 0.5 * (double)i);
        double value = rank[i] * alone(r, g.nodes[i]) * lead;

        t->rank[g.nodes[i]] = value;
        best = fmax(best, value);
    }
    for (size_t i = 0; i < t->n && best > 0; i++)
        t->rank[i] /= best;
    free(rank);
    free(g.edges);
    free(g.words);
    free(g.nodes);
}

void
textrank_release(struct textrank *t)
{
    free(t->rank);
    memset(t, 0, sizeof(*t));
}

/* ---- the choice ------------------------------------------------------ */

/* How many words of a stand in b, too. */
static size_t
shared(const struct token *a, size_t na, const struct token *b, size_t nb)
{
    size_t count = 0;

    for (size_t i = 0; i < na; i++) {
        for (size_t k = 0; k < nb && (a[i].flags & TOKEN_SKIP) == 0; k++) {
            if (a[i].stem == b[k].stem) {
                count++;
                break;
            }
        }
    }
    return count;
}

bool
textrank_alike(const struct reading *r, size_t a, size_t b)
{
    size_t na, nb, ca = 0, cb = 0;
    const struct token *ta = reading_tokens(r, a, &na);
    const struct token *tb = reading_tokens(r, b, &nb);

    na = na < ALIKE_WORDS ? na : ALIKE_WORDS;
    nb = nb < ALIKE_WORDS ? nb : ALIKE_WORDS;
    for (size_t i = 0; i < na; i++)
        ca += (ta[i].flags & TOKEN_SKIP) == 0;
    for (size_t i = 0; i < nb; i++)
        cb += (tb[i].flags & TOKEN_SKIP) == 0;
    if (ca == 0 || cb == 0)
        return ca == cb;
    if (ca <= cb)
        return (double)shared(ta, na, tb, nb) >= ALIKE * (double)ca;
    return (double)shared(tb, nb, ta, na) >= ALIKE * (double)cb;
}

static int
by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

size_t
textrank_pick(const struct textrank *t, const struct reading *r, size_t from,
              size_t to, const struct textrank_want *want, uint32_t *out)
{
    bool *seen = xcalloc(t->n + 1, sizeof(seen[0]));
    size_t n = 0, bytes = 0;

    assert(from <= to && to <= t->n);
    while (n < want->sentences) {
        size_t best = to, len;
        bool alike = false;

        for (size_t i = from; i < to; i++) {
            if (!seen[i] && t->rank[i] > 0 &&
                (best == to || t->rank[i] > t->rank[best]))
                best = i;
        }
        if (best == to)
            break;
        seen[best] = true;
        len = r->sentences.at[best].len;
        for (size_t i = 0; i < n && !alike; i++)
            alike = textrank_alike(r, best, out[i]);
        if (alike || (want->bytes > 0 && bytes + len > want->bytes))
            continue;
        bytes += len;
        out[n++] = (uint32_t)best;
    }
    free(seen);
    qsort(out, n, sizeof(out[0]), by_number);
    return n;
}
