/*
 * The front of the store: which backend, what is written, and the call that
 * waits. It holds no record itself. Reads are in store_read.c.
 *
 * store_apply sleeps on a condition of its own rather than on a shared one:
 * a batch of a hundred wakes a hundred threads once each.
 */
#include "base/base.h"

#include "store/store.h"

#include <pthread.h>

#include "base/mem.h"
#include "store/commit.h"
#include "store/store_inside.h"

enum err
store_open_on(struct store **out, const struct backend *be,
              const struct store_config *c)
{
    struct store *s = xcalloc(1, sizeof(*s));
    enum err e;

    s->be = be;
    e = be->open(&s->impl, c);
    if (e != OK)
        goto fail;
    e = committer_new(&s->committer, be, s->impl);
    if (e != OK)
        goto close;
    *out = s;
    return OK;
close:
    be->close(s->impl);
fail:
    free(s);
    return e;
}

enum err
store_open(struct store **out, const struct store_config *c)
{
    return store_open_on(out, &split_backend, c);
}

void
store_close(struct store *s)
{
    if (s == NULL)
        return;
    committer_free(s->committer);
    s->be->close(s->impl);
    free(s);
}

/* --- writes ------------------------------------------------------------- */

void
store_submit(struct store *s, struct store_op *op)
{
    committer_submit(s->committer, op);
}

struct waiter {
    pthread_mutex_t mu; /* guards over */
    pthread_cond_t cond;
    bool over;
};

static void
wake(struct store_op *op)
{
    struct waiter *w = op->arg;

    /* Signalled under the lock: the waiter's stack is gone after it. */
    (void)pthread_mutex_lock(&w->mu);
    w->over = true;
    (void)pthread_cond_signal(&w->cond);
    (void)pthread_mutex_unlock(&w->mu);
}

enum err
store_apply(struct store *s, struct store_op *op)
{
    struct waiter w = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER,
                       false};
    void *arg = op->arg;

    op->done = wake;
    op->arg = &w;
    committer_submit(s->committer, op);
    (void)pthread_mutex_lock(&w.mu);
    while (!w.over)
        (void)pthread_cond_wait(&w.cond, &w.mu);
    (void)pthread_mutex_unlock(&w.mu);
    (void)pthread_cond_destroy(&w.cond);
    (void)pthread_mutex_destroy(&w.mu);
    op->arg = arg;
    return op->err;
}

void
store_on_change(struct store *s, store_change_fn *fn, void *arg)
{
    committer_on_change(s->committer, fn, arg);
}

void
store_stats(struct store *s, struct store_stats *out)
{
    memset(out, 0, sizeof(*out));
    committer_stats(s->committer, out);
    s->be->stats(s->impl, out);
}
