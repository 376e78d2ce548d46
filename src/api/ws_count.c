/*
 * Counting by client: a hash table that doubles, its entries freed with the
 * last socket. The hash is seeded, as a key may be chosen by its client.
 */
#include "base/base.h"

#include "api/ws_count.h"

#include <sys/random.h>

#include "base/mem.h"

#define BUCKETS_FIRST 64 /* power of two */

struct ws_count {
    struct ws_count *next; /* in the bucket */
    uint64_t hash;
    size_t n;
    char key[];
};

struct ws_counts {
    struct ws_count **buckets; /* owned */
    size_t n_buckets, n;
    uint64_t seed;
};

static uint64_t
hash_of(const struct ws_counts *c, const char *key)
{
    uint64_t h = c->seed ^ 0xcbf29ce484222325u; /* FNV-1a */

    for (; *key != '\0'; key++)
        h = (h ^ (unsigned char)*key) * 0x100000001b3u;
    return h ^ h >> 29;
}

struct ws_counts *
ws_counts_new(void)
{
    struct ws_counts *c = xcalloc(1, sizeof(*c));

    c->n_buckets = BUCKETS_FIRST;
    c->buckets = xcalloc(c->n_buckets, sizeof(*c->buckets));
    if (getrandom(&c->seed, sizeof(c->seed), 0) != sizeof(c->seed))
        c->seed = (uintptr_t)c;
    return c;
}

void
ws_counts_free(struct ws_counts *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->n_buckets; i++) {
        while (c->buckets[i] != NULL) {
            struct ws_count *n = c->buckets[i];

            c->buckets[i] = n->next;
            free(n);
        }
    }
    free(c->buckets);
    free(c);
}

static void
grow(struct ws_counts *c)
{
    size_t n_more = 2 * c->n_buckets;
    struct ws_count **more = xcalloc(n_more, sizeof(*more));

    for (size_t i = 0; i < c->n_buckets; i++) {
        while (c->buckets[i] != NULL) {
            struct ws_count *n = c->buckets[i];
            struct ws_count **to = &more[n->hash & (n_more - 1)];

            c->buckets[i] = n->next;
            n->next = *to;
            *to = n;
        }
    }
    free(c->buckets);
    c->buckets = more;
    c->n_buckets = n_more;
}

struct ws_count *
ws_count_take(struct ws_counts *c, const char *key, size_t max)
{
    uint64_t hash = hash_of(c, key);
    struct ws_count *n = c->buckets[hash & (c->n_buckets - 1)];
    size_t len = strlen(key);

    while (n != NULL && (n->hash != hash || strcmp(n->key, key) != 0))
        n = n->next;
    if (n == NULL) {
        if (c->n >= c->n_buckets)
            grow(c);
        n = xcalloc(1, sizeof(*n) + len + 1);
        memcpy(n->key, key, len + 1);
        n->hash = hash;
        n->next = c->buckets[hash & (c->n_buckets - 1)];
        c->buckets[hash & (c->n_buckets - 1)] = n;
        c->n++;
    } else if (max > 0 && n->n >= max) {
        return NULL;
    }
    n->n++;
    return n;
}

void
ws_count_give(struct ws_counts *c, struct ws_count *n)
{
    struct ws_count **at;

    if (n == NULL || --n->n > 0)
        return;
    at = &c->buckets[n->hash & (c->n_buckets - 1)];
    while (*at != n)
        at = &(*at)->next;
    *at = n->next;
    c->n--;
    free(n);
}
