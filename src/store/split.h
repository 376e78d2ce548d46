/*
 * A backend before two others: temporary sessions live in a memstore, all
 * others in the one that is given. For store.c and tests.
 */
#ifndef STORE_SPLIT_H
#define STORE_SPLIT_H

#include "store/backend.h"

/* As the open of split_backend, with another one than LMDB behind it. */
MUST_USE enum err split_open(void **impl, const struct backend *durable,
                             const struct store_config *c);

#endif
