/*
 * Which of all chunks are worth reading: who has the most of the words of a
 * query, or of its vector.
 *
 * One long document may have more good chunks than there are candidates, and so
 * may those that must not leave the machine; both have a share of their own, so
 * that nothing is lost behind them. The most are found by counting how many
 * reach what, since to sort all would take longer than to compare them.
 */
#include "base/base.h"

#include "files/query.h"

#include <math.h>

#include "base/mem.h"

#define BUCKETS 2048
#define DOCUMENT_SHARE 4 /* candidates of a document for each hit it may be */

struct pick {
    uint32_t at, segment;
    float key;
};

enum by { BY_WORDS, BY_VECTOR };

/* Those with words are ordered by their vectors where the words are alike. */
static float
key_of(const struct query_scan *s, size_t k, enum by by)
{
    if (by == BY_VECTOR)
        return s->similarity[k];
    return s->words[k] > 0 ? s->words[k] * 4 + 1 + s->similarity[k] : 0;
}

static int
by_key(const void *a, const void *b)
{
    const struct pick *x = a, *y = b;

    if (x->key != y->key)
        return x->key > y->key ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* The key that about `want` chunks reach; 0 if there are not so many. */
static float
cut_of(const struct query_scan *s, uint8_t local, enum by by, size_t want)
{
    uint32_t count[BUCKETS] = {0};
    size_t sum = 0;
    float most = 0;

    for (size_t k = 0; k < s->n; k++)
        if ((s->flags[k] & SCAN_LOCAL) == local)
            most = fmaxf(most, key_of(s, k, by));
    if (!(most > 0))
        return 0;
    for (size_t k = 0; k < s->n; k++) {
        float key = key_of(s, k, by);

        if (key > 0 && (s->flags[k] & SCAN_LOCAL) == local)
            count[(size_t)(key / most * (BUCKETS - 1))]++;
    }
    for (size_t b = BUCKETS; b-- > 0;) {
        sum += count[b];
        if (sum >= want) /* a little less, as division may round */
            return (float)b / (BUCKETS - 1) * most * 0.9999f;
    }
    return 0;
}

/* How many of a document were taken: a table of the few that are. */
struct taken {
    int64_t document[4 * QUERY_MAX];
    uint16_t n[4 * QUERY_MAX];
};

static bool
take(struct taken *t, int64_t document, unsigned share)
{
    size_t size = COUNT_OF(t->document);
    size_t i = (size_t)((uint64_t)document * 0x9e3779b97f4a7c15u >> 40) % size;

    while (t->n[i] > 0 && t->document[i] != document)
        i = (i + 1) % size;
    if (share > 0 && t->n[i] >= share)
        return false;
    t->document[i] = document;
    t->n[i]++;
    return true;
}

/* Picks of one kind: into list, which has room for all that pass `cut`. */
static size_t
pick_above(const struct query_scan *s, uint8_t local, enum by by, float cut,
           struct pick *list)
{
    size_t n = 0;

    for (size_t g = 0; g < s->n_segments; g++)
        for (size_t k = s->segment[g].at;
             k < s->segment[g].at + s->segment[g].n; k++) {
            float key = key_of(s, k, by);

            if (key > 0 && key >= cut && (s->flags[k] & SCAN_LOCAL) == local)
                list[n++] = (struct pick){(uint32_t)k, (uint32_t)g, key};
        }
    qsort(list, n, sizeof(list[0]), by_key);
    return n;
}

/* What all rounds of picking share. */
struct picking {
    const struct query_scan *s;
    struct pick *list;
    uint8_t *chosen; /* in which round; 0: not */
    uint8_t round;
    size_t want;
    unsigned share; /* of one document; 0: any */
    struct query_candidate *out;
    size_t n;
};

/* Pick from the first n of the list; how many there are now of this round, also
 * by earlier ones. */
static size_t
pick_some(struct picking *p, size_t n)
{
    struct taken taken = {.n = {0}};
    size_t got = 0;

    for (size_t i = 0; i < n && got < p->want; i++) {
        uint32_t at = p->list[i].at;
        const struct query_segment *g = &p->s->segment[p->list[i].segment];

        if (!take(&taken, g->document, p->share))
            continue;
        got++;
        if (p->chosen[at] != 0)
            continue;
        p->chosen[at] = p->round;
        p->out[p->n++] = (struct query_candidate){
            g->no + (at - g->at), g->document,
            (p->s->flags[at] & SCAN_LOCAL) != 0,
            (p->s->flags[at] & SCAN_MODEL) != 0};
    }
    return got;
}

static void
pick_kind(struct picking *p, uint8_t local, enum by by)
{
    float cut = cut_of(p->s, local, by, 4 * p->want);
    size_t before = p->n;
    size_t n = pick_above(p->s, local, by, cut, p->list);

    p->round++;
    if (pick_some(p, n) >= p->want / 2 || cut <= 0)
        return;
    /* Most of them are of one document: once more, with all there are. */
    for (size_t i = 0; i < n; i++)
        if (p->chosen[p->list[i].at] == p->round)
            p->chosen[p->list[i].at] = 0;
    p->n = before;
    (void)pick_some(p, pick_above(p->s, local, by, 0, p->list));
}

struct query_candidate *
query_scan_pick(const struct query *q, const struct query_scan *s, size_t *n)
{
    struct picking p = {.s = s,
                        .want = 6 * (size_t)q->ask->top_k,
                        .share = q->ask->per_document * DOCUMENT_SHARE};
    uint8_t locals = q->ask->leaves ? SCAN_LOCAL : 0;

    if (p.want < QUERY_MIN)
        p.want = QUERY_MIN;
    if (p.want > QUERY_MAX)
        p.want = QUERY_MAX;
    p.list = xmalloc((s->n + 1) * sizeof(*p.list));
    p.chosen = xcalloc(s->n + 1, 1);
    p.out = arena_alloc(q->arena, 4 * QUERY_MAX * sizeof(*p.out));
    for (uint8_t local = 0; local <= locals; local++) {
        pick_kind(&p, local, BY_WORDS);
        pick_kind(&p, local, BY_VECTOR);
    }
    free(p.chosen);
    free(p.list);
    *n = p.n;
    return p.out;
}
