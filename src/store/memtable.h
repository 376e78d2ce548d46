/*
 * A hash table of things that have its node as their first member. It owns
 * none of them. For the store in memory; with its lock.
 */
#ifndef STORE_MEMTABLE_H
#define STORE_MEMTABLE_H

#include "base/base.h"

struct mem_node {
    struct mem_node *next; /* in the bucket */
    uint64_t hash;
};

struct mem_table { /* zeroed: empty */
    struct mem_node **buckets;
    size_t n_buckets; /* 0, or a power of two */
    size_t n;
};

/* Frees nothing but the table: it must be empty. */
void mem_table_release(struct mem_table *t);
void mem_table_add(struct mem_table *t, struct mem_node *n, uint64_t hash);
/* n is in it. */
void mem_table_remove(struct mem_table *t, struct mem_node *n);
/* The first with this hash, then the next; NULL: there is none. */
struct mem_node *mem_table_first(const struct mem_table *t, uint64_t hash);
struct mem_node *mem_table_next(const struct mem_node *n);

/* The hash of bytes, put on top of another one (0: none). Names that clients
 * choose are mixed with a number that nobody outside knows. */
uint64_t mem_hash(uint64_t on, const void *p, size_t n);
uint64_t mem_hash_str(uint64_t on, const char *s); /* its end is part of it */

#endif
