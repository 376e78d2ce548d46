/*
 * Between glob.c, which matches, and glob_read.c, which reads patterns. Inside
 * files/.
 */
#ifndef FILES_GLOB_INSIDE_H
#define FILES_GLOB_INSIDE_H

#include "files/glob.h"

enum item_kind {
    ITEM_CHAR, /* this one */
    ITEM_ANY,  /* one that is no border */
    ITEM_SET,  /* one of these, or none of these */
    ITEM_STAR, /* any number that are no border */
    ITEM_ALL,  /* any number */
    ITEM_GAP,  /* white space */
    ITEM_FORK, /* also go on three items further */
};

struct item {
    enum item_kind kind;
    uint32_t c;
    bool negated;
    size_t first, count; /* of the ranges */
};

struct range {
    uint32_t first, last;
};

struct glob {
    enum glob_kind kind;
    size_t n, n_ranges;
    struct item *items;   /* owned */
    struct range *ranges; /* owned */
};

/* The character at s (n > 0) and its bytes; one that is no UTF-8 is a character
 * of its own, beyond Unicode's. */
uint32_t glob_char(const char *s, size_t n, size_t *len);

#endif
