/*
 * Group commit. A durable transaction costs about one fdatasync however many
 * operations it holds, so the committer takes everything that waits, applies
 * it in order, syncs once and reports. It adds no delay to gather more: while
 * one transaction is being written the next batch forms by itself.
 *
 * A batch is bounded in operations and in bytes, so that one of them neither
 * holds all others up nor outgrows a transaction. A batch that the disk has
 * no room for fails as a whole and is not tried again piece by piece: on a
 * full disk that would be one failing sync for each operation. A batch that
 * is too big for one transaction is halved.
 *
 * What needs no disk (the backend says so) is applied when it is taken from the
 * queue, and waits for no transaction.
 *
 * Results are computed before the commit and reported after it, in order of
 * submission, by the callback of each operation, which may free it.
 */
#include "base/base.h"

#include "store/commit.h"

#include <pthread.h>
#include <signal.h>

#include "base/log.h"
#include "base/mailbox.h"
#include "base/mem.h"

#define BATCH_OPS 1024
#define BATCH_BYTES (32 * 1024 * 1024) /* of text and extra */
#define TEND_MS 10000                  /* between two house-keepings */

struct committer {
    const struct backend *be; /* borrowed */
    void *impl;               /* borrowed */
    struct mailbox box;
    struct mail stop; /* its arrival ends the thread */
    pthread_t thread;
    store_change_fn *on_change; /* constant since the first operation; NULL */
    void *change_arg;

    struct mail *waiting; /* taken from box, oldest first; committer's */
    bool stopping;        /* committer's */
    int64_t tend_ms;      /* monotonic: when next; committer's */

    /* Written by the committer, read by any thread (atomic). */
    uint64_t commits, ops, failures;
    bool full;
};

/* mail is the first member of an op. */
_Static_assert(offsetof(struct store_op, mail) == 0, "op_of");

static struct store_op *
op_of(struct mail *m)
{
    return (struct store_op *)(void *)m;
}

static size_t
message_bytes(const struct message *m)
{
    return m->text_len + m->extra_len;
}

static size_t
import_bytes(const struct store_op *op)
{
    size_t bytes = 0;

    for (uint32_t i = 0; i < op->import.n; i++)
        bytes += message_bytes(&op->import.messages[i]);
    return bytes;
}

static size_t
records_bytes(const struct store_op *op)
{
    size_t bytes = 0;

    for (size_t i = 0; i < op->records.n; i++)
        if (op->records.changes[i].value != NULL)
            bytes += op->records.changes[i].len;
    return bytes;
}

static size_t
op_bytes(const struct store_op *op)
{
    switch (op->kind) {
    case STORE_TURN_BEGIN: return message_bytes(&op->begin.user);
    case STORE_TURN_END: return message_bytes(&op->end.answer);
    case STORE_SESSION_SUMMARY: return op->summary.text_len;
    case STORE_MESSAGE_EXTRA: return op->extra.len;
    case STORE_SESSION_IMPORT: return import_bytes(op);
    case STORE_RECORDS: return records_bytes(op);
    case STORE_SESSION_PATCH:
        return op->patch.context == NULL
                   ? 0
                   : strnlen(op->patch.context, STORE_CONTEXT_MAX);
    default: return 0;
    }
}

static bool
fits(const char *s, size_t max)
{
    return strnlen(s, max + 1) <= max;
}

static bool
message_fits(const struct message *m)
{
    return m->text_len <= STORE_TEXT_MAX && m->extra_len <= STORE_EXTRA_MAX &&
           fits(m->provider, STORE_NAME_MAX) && fits(m->model, STORE_NAME_MAX);
}

/* NULL is not said at all. */
static bool
patch_fits(const struct store_op *op)
{
    const struct {
        const char *s;
        size_t max;
    } said[] = {
        {op->patch.title, STORE_TITLE_MAX},
        {op->patch.context, STORE_CONTEXT_MAX},
        {op->patch.model, STORE_NAME_MAX},
        {op->patch.tags, STORE_TAGS_MAX},
    };

    for (size_t i = 0; i < COUNT_OF(said); i++)
        if (said[i].s != NULL && !fits(said[i].s, said[i].max))
            return false;
    return true;
}

static bool
reserve_fits(const struct ledger_reserve *r)
{
    if (r->n == 0)
        return true;
    if (r->n > LEDGER_CHARGES_MAX || !fits(r->owner, STORE_OWNER_MAX) ||
        !fits(r->model, LEDGER_NAME_MAX))
        return false;
    for (size_t i = 0; i < r->n; i++)
        if (!fits(r->charges[i].name, LEDGER_NAME_MAX))
            return false;
    return true;
}

static bool
spent_fits(const struct ledger_spent *s)
{
    return s->worst || s->model == NULL ||
           (fits(s->owner, STORE_OWNER_MAX) && fits(s->model, LEDGER_NAME_MAX));
}

static bool
end_fits(const struct store_op *op)
{
    return message_fits(&op->end.answer) && spent_fits(&op->end.spent);
}

static bool
begin_fits(const struct store_op *op)
{
    return message_fits(&op->begin.user) &&
           (op->begin.title == NULL ||
            fits(op->begin.title, STORE_TITLE_MAX)) &&
           reserve_fits(&op->begin.reserve);
}

static bool
import_fits(const struct store_op *op)
{
    for (uint32_t i = 0; i < op->import.n; i++)
        if (!message_fits(&op->import.messages[i]))
            return false;
    return patch_fits(op);
}

static enum err
owner_check(const struct store_op *op)
{
    const char *id = op->session_id;

    return fits(op->owner, STORE_OWNER_MAX) && op->owner_change.to != NULL &&
                   fits(op->owner_change.to, STORE_OWNER_MAX) &&
                   (id == NULL ||
                    ident_session_valid(id, strnlen(id, IDENT_SESSION_MAX + 1)))
               ? OK
               : ERR_BADREQ;
}

static enum err
records_check(const struct store_op *op)
{
    if (op->records.n == 0)
        return ERR_BADREQ;
    if (op->records.n > STORE_RECORDS_MAX)
        return ERR_TOOBIG;
    for (size_t i = 0; i < op->records.n; i++) {
        const struct record_change *c = &op->records.changes[i];

        if (c->n == 0 || c->expires_ms < 0)
            return ERR_BADREQ;
        if (c->n > STORE_RECORD_NAME_MAX ||
            (c->value != NULL && c->len > STORE_RECORD_MAX))
            return ERR_TOOBIG;
    }
    return OK;
}

/* Backends and records rely on these bounds. */
static enum err
op_check(const struct store_op *op)
{
    if (op->kind == STORE_RECORDS)
        return records_check(op);
    if (op->kind == STORE_SESSION_OWNER)
        return owner_check(op);
    if (op->kind == STORE_RESERVE)
        return reserve_fits(&op->reserve.what) ? OK : ERR_TOOBIG;
    if (op->kind == STORE_SETTLE)
        return spent_fits(&op->settle.spent) ? OK : ERR_TOOBIG;
    if (op->kind != STORE_TURN_END && op->kind != STORE_PROBE &&
        op->kind != STORE_LEDGER_PRUNE &&
        (!fits(op->owner, STORE_OWNER_MAX) ||
         !ident_session_valid(op->session_id,
                              strnlen(op->session_id, IDENT_SESSION_MAX + 1))))
        return ERR_BADREQ;
    if ((op->kind == STORE_TURN_BEGIN && !begin_fits(op)) ||
        (op->kind == STORE_TURN_END && !end_fits(op)) ||
        (op->kind == STORE_SESSION_PATCH && !patch_fits(op)) ||
        (op->kind == STORE_SESSION_IMPORT && !import_fits(op)) ||
        (op->kind == STORE_SESSION_SUMMARY &&
         op->summary.text_len > STORE_SUMMARY_MAX) ||
        (op->kind == STORE_MESSAGE_EXTRA && op->extra.len > STORE_EXTRA_MAX))
        return ERR_TOOBIG;
    return op->kind == STORE_SESSION_PATCH && op->patch.set_expires &&
                   op->patch.expires_ms < 0
               ? ERR_BADREQ
               : OK;
}

static void
count(uint64_t *counter, uint64_t more)
{
    (void)__atomic_add_fetch(counter, more, __ATOMIC_RELAXED);
}

/* The op may be freed by this. */
static void
tell(struct committer *c, struct store_op *op)
{
    void *moved = op->kind == STORE_SESSION_OWNER ? op->owner_change.moved
                                                  : NULL;

    if (op->err == OK && c->on_change != NULL)
        c->on_change(c->change_arg, op);
    op->done(op);
    free(moved);
}

/* Nothing durable comes of it? Then it is done here. */
static bool
apply_now(struct committer *c, struct store_op *op)
{
    if (c->be->instant == NULL || !c->be->instant(c->impl, op))
        return false;
    count(&c->ops, 1);
    tell(c, op);
    return true;
}

/* Move the next batch from what waits; returns its size. What is out of
 * bounds is refused here, and what is done at once is reported. */
static size_t
batch_take(struct committer *c, struct store_op *ops[BATCH_OPS])
{
    size_t n = 0, bytes = 0;

    while (c->waiting != NULL && n < BATCH_OPS) {
        struct mail *m = c->waiting;

        if (m == &c->stop) {
            c->stopping = true;
            c->waiting = m->next;
            continue;
        }
        bytes += op_bytes(op_of(m));
        if (n > 0 && bytes > BATCH_BYTES)
            break;
        c->waiting = m->next;
        if (op_of(m)->kind == STORE_SESSION_OWNER)
            op_of(m)->owner_change.moved = NULL;
        op_of(m)->err = op_check(op_of(m));
        if (op_of(m)->err != OK)
            op_of(m)->done(op_of(m));
        else if (!apply_now(c, op_of(m)))
            ops[n++] = op_of(m);
    }
    return n;
}

/* Count, tell, and forget. */
static void
batch_report(struct committer *c, struct store_op *const ops[], size_t n,
             enum err e, bool wrote)
{
    if (e == OK) {
        if (wrote) {
            count(&c->commits, 1);
            __atomic_store_n(&c->full, false, __ATOMIC_RELAXED);
        }
        count(&c->ops, n);
    } else {
        count(&c->failures, 1);
        if (e == ERR_FULL)
            __atomic_store_n(&c->full, true, __ATOMIC_RELAXED);
    }
    for (size_t i = 0; i < n; i++) {
        struct store_op *op = ops[i];

        if (e != OK)
            op->err = e;
        tell(c, op);
    }
}

static void
batch_commit(struct committer *c, struct store_op *const ops[], size_t n)
{
    bool wrote = false;
    enum err e = c->be->apply(c->impl, ops, n, &wrote);

    if (e == ERR_TOOBIG && n > 1) {
        batch_commit(c, ops, n / 2);
        batch_commit(c, ops + n / 2, n - n / 2);
        return;
    }
    batch_report(c, ops, n, e, wrote);
}

static int64_t
now_ms(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void
tend(struct committer *c)
{
    int64_t now = now_ms();
    bool wrote = false;

    if (now < c->tend_ms)
        return;
    c->tend_ms = now + TEND_MS;
    if (c->be->apply(c->impl, NULL, 0, &wrote) != OK)
        log_warn("store.tend", "error=failed");
}

static void *
committer_run(void *arg)
{
    struct committer *c = arg;
    struct store_op *ops[BATCH_OPS];
    size_t n;

    while (!c->stopping) {
        c->waiting = mailbox_wait(&c->box, TEND_MS);
        while ((n = batch_take(c, ops)) > 0)
            batch_commit(c, ops, n);
        tend(c);
    }
    return NULL;
}

enum err
committer_new(struct committer **out, const struct backend *be, void *impl)
{
    struct committer *c = xcalloc(1, sizeof(*c));
    sigset_t all, before;
    enum err e;
    int rc;

    c->be = be;
    c->impl = impl;
    c->tend_ms = now_ms() + TEND_MS;
    e = mailbox_init(&c->box);
    if (e != OK)
        goto fail;
    /* Signals are other threads' business. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&c->thread, NULL, committer_run, c);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        log_error("store.committer", "error=\"%s\"", strerror(rc));
        e = ERR_STORE;
        goto release;
    }
    *out = c;
    return OK;
release:
    mailbox_release(&c->box);
fail:
    free(c);
    return e;
}

void
committer_free(struct committer *c)
{
    if (c == NULL)
        return;
    mailbox_post(&c->box, &c->stop);
    (void)pthread_join(c->thread, NULL);
    mailbox_release(&c->box);
    free(c);
}

void
committer_submit(struct committer *c, struct store_op *op)
{
    assert(op->done != NULL);
    mailbox_post(&c->box, &op->mail);
}

void
committer_on_change(struct committer *c, store_change_fn *fn, void *arg)
{
    c->change_arg = arg;
    c->on_change = fn;
}

void
committer_stats(struct committer *c, struct store_stats *out)
{
    out->commits = __atomic_load_n(&c->commits, __ATOMIC_RELAXED);
    out->ops = __atomic_load_n(&c->ops, __ATOMIC_RELAXED);
    out->failures = __atomic_load_n(&c->failures, __ATOMIC_RELAXED);
    out->full = __atomic_load_n(&c->full, __ATOMIC_RELAXED);
}
