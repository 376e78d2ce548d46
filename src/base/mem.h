/*
 * Memory: allocation that dies rather than fails, and the arena that holds
 * what lives as long as one request. No length from outside reaches these
 * unchecked (STYLE: die for want of memory, never for size).
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include "base/base.h"

void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n);
char *xstrdup(const char *s);            /* NULL gives NULL */
char *xmemdup0(const void *p, size_t n); /* copy, NUL added */

/* Overwrite what was secret, before its memory is given back. NULL is fine. */
void mem_wipe(void *p, size_t n);
void mem_wipe_str(char *s);    /* up to its NUL */
void mem_free_secret(char *s); /* the same, then free */

struct arena_block;
struct arena {
    struct arena_block *head; /* owned */
    size_t used;              /* bytes handed out */
};

/* An arena starts empty and allocates nothing until used. All memory is
 * aligned to 16 bytes and freed by release. One thread at a time. */
void arena_init(struct arena *a);
void arena_release(struct arena *a);
void *arena_alloc(struct arena *a, size_t n);       /* zeroed */
char *arena_strdup(struct arena *a, const char *s); /* NULL gives NULL */
char *arena_memdup0(struct arena *a, const void *p, size_t n);

#endif
