/*
 * The committer: one thread that takes every operation that waits, has the
 * backend make them durable in one transaction, and reports each. While it
 * commits, the next ones gather; there is no other delay. For store.c.
 */
#ifndef STORE_COMMIT_H
#define STORE_COMMIT_H

#include "store/backend.h"

struct committer;

/* be and impl are borrowed until committer_free. ERR_STORE: no thread. */
MUST_USE enum err committer_new(struct committer **out,
                                const struct backend *be, void *impl);
/* Commit what is queued, join, free. NULL is fine. */
void committer_free(struct committer *c);
void committer_submit(struct committer *c, struct store_op *op);
/* See store_on_change. */
void committer_on_change(struct committer *c, store_change_fn *fn, void *arg);
/* commits, ops, failures, full of *out. Any thread. */
void committer_stats(struct committer *c, struct store_stats *out);

/* As store_open, on a given backend: for tests and benchmarks. */
MUST_USE enum err store_open_on(struct store **out, const struct backend *be,
                                const struct store_config *c);

#endif
