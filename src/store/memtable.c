/*
 * Chains in buckets, which are doubled when there are as many things as
 * buckets; they are never made fewer, since what was there once will be there
 * again. The hash is FNV-1a over a random start.
 */
#include "base/base.h"

#include "store/memtable.h"

#include <pthread.h>

#include "base/ident.h"
#include "base/mem.h"

#define BUCKETS_MIN 64

static uint64_t start;
static pthread_once_t start_once = PTHREAD_ONCE_INIT;

static void
start_set(void)
{
    ident_random(&start, sizeof(start));
}

uint64_t
mem_hash(uint64_t on, const void *p, size_t n)
{
    const uint8_t *b = p;
    uint64_t h;

    (void)pthread_once(&start_once, start_set);
    h = start ^ on;
    for (size_t i = 0; i < n; i++)
        h = (h ^ b[i]) * UINT64_C(1099511628211);
    return h ^ h >> 29;
}

uint64_t
mem_hash_str(uint64_t on, const char *s)
{
    return mem_hash(on, s, strlen(s) + 1);
}

static struct mem_node **
bucket(const struct mem_table *t, uint64_t hash)
{
    return &t->buckets[hash & (t->n_buckets - 1)];
}

static void
grow(struct mem_table *t)
{
    struct mem_table wide = {.n_buckets = t->n_buckets == 0 ? BUCKETS_MIN
                                                            : 2 * t->n_buckets,
                             .n = t->n};

    wide.buckets = xcalloc(wide.n_buckets, sizeof(struct mem_node *));
    for (size_t i = 0; i < t->n_buckets; i++) {
        struct mem_node *n = t->buckets[i], *next;

        for (; n != NULL; n = next) {
            struct mem_node **to = bucket(&wide, n->hash);

            next = n->next;
            n->next = *to;
            *to = n;
        }
    }
    free(t->buckets);
    *t = wide;
}

void
mem_table_release(struct mem_table *t)
{
    assert(t->n == 0);
    free(t->buckets);
    *t = (struct mem_table){.n = 0};
}

void
mem_table_add(struct mem_table *t, struct mem_node *n, uint64_t hash)
{
    struct mem_node **to;

    if (t->n == t->n_buckets)
        grow(t);
    to = bucket(t, hash);
    n->hash = hash;
    n->next = *to;
    *to = n;
    t->n++;
}

void
mem_table_remove(struct mem_table *t, struct mem_node *n)
{
    struct mem_node **at = bucket(t, n->hash);

    while (*at != n)
        at = &(*at)->next;
    *at = n->next;
    t->n--;
}

struct mem_node *
mem_table_first(const struct mem_table *t, uint64_t hash)
{
    struct mem_node *n = t->n == 0 ? NULL : *bucket(t, hash);

    while (n != NULL && n->hash != hash)
        n = n->next;
    return n;
}

struct mem_node *
mem_table_next(const struct mem_node *n)
{
    uint64_t hash = n->hash;

    do
        n = n->next;
    while (n != NULL && n->hash != hash);
    return (struct mem_node *)(uintptr_t)n;
}
