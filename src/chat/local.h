/*
 * The answer of a provider without a network (offline): made whole by a
 * worker, then handed out word by word, so that a user without a key sees what
 * a stream is like. Loop thread only.
 */
#ifndef CHAT_LOCAL_H
#define CHAT_LOCAL_H

#include "base/loop.h"
#include "base/worker.h"
#include "provider/provider.h"

struct local;
struct local_config {
    struct loop *loop;
    struct workers *workers;
    int64_t delay_ms; /* between two pieces; 0: all at once */
};
/* The answer ended, or could not be made. */
typedef void local_done_fn(void *arg, enum err e);

/* Copies of config and ask what it needs. Never calls back before it
 * returned; part must not cancel. It is gone after done. */
struct local *local_start(const struct local_config *c,
                          const struct provider *provider,
                          const struct ask *ask, part_fn *part,
                          local_done_fn *done, void *arg);
/* No callback comes any more. NULL is fine. */
void local_cancel(struct local *l);

#endif
