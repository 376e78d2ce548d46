/*
 * What a store is made of. For store.c and store_read.c.
 */
#ifndef STORE_STORE_INSIDE_H
#define STORE_STORE_INSIDE_H

#include "store/commit.h"

struct store {
    const struct backend *be; /* constant, as are all */
    void *impl;               /* be's */
    struct committer *committer;
};

#endif
