/*
 * Values under names in the store in memory: an array in the order of names.
 * Temporary sessions have none, so this is for tests alone, and few of them
 * put many.
 */
#include "base/base.h"

#include "store/memstore_data.h"

#include "base/clock.h"
#include "base/mem.h"

static bool
is_over(const struct mem_record *r)
{
    return r->expires_ms != 0 && r->expires_ms <= clock_wall_ms();
}

static int
compare(const void *a, size_t n_a, const void *b, size_t n_b)
{
    size_t n = n_a < n_b ? n_a : n_b;
    int c = n > 0 ? memcmp(a, b, n) : 0;

    return c != 0 ? c : (n_a > n_b) - (n_a < n_b);
}

/* The first that does not come before that name. */
static size_t
find(const struct memstore *ms, const void *name, size_t n)
{
    size_t from = 0, to = ms->n_records;

    while (from < to) {
        size_t at = from + (to - from) / 2;
        const struct mem_record *r = &ms->records[at];

        if (compare(r->name, r->n, name, n) < 0)
            from = at + 1;
        else
            to = at;
    }
    return from;
}

static bool
is_named(const struct memstore *ms, size_t at, const void *name, size_t n)
{
    return at < ms->n_records &&
           compare(ms->records[at].name, ms->records[at].n, name, n) == 0;
}

/* --- reading ------------------------------------------------------------ */

static enum err
give_one(const struct memstore *ms, const struct record_query *q, record_fn *fn,
         void *arg)
{
    size_t at = find(ms, q->name, q->n);
    const struct mem_record *r;

    if (!is_named(ms, at, q->name, q->n) || is_over(&ms->records[at]))
        return ERR_NOTFOUND;
    r = &ms->records[at];
    (void)fn(arg, r->name, r->n, r->value, r->len);
    return OK;
}

static void
give_all(const struct memstore *ms, const struct record_query *q, record_fn *fn,
         void *arg)
{
    size_t at = find(ms, q->name, q->n);
    uint32_t left = q->limit;

    if (q->after != NULL && compare(q->after, q->n_after, q->name, q->n) >= 0) {
        at = find(ms, q->after, q->n_after);
        at += is_named(ms, at, q->after, q->n_after);
    }
    for (; at < ms->n_records && left > 0; at++) {
        const struct mem_record *r = &ms->records[at];

        if (r->n < q->n || (q->n > 0 && memcmp(r->name, q->name, q->n) != 0))
            return;
        if (is_over(r))
            continue;
        if (!fn(arg, r->name, r->n, r->value, r->len))
            return;
        left--;
    }
}

enum err
memstore_records(void *impl, const struct record_query *q, record_fn *fn,
                 void *arg)
{
    struct memstore *ms = impl;
    enum err e = OK;

    (void)pthread_rwlock_rdlock(&ms->lock);
    if (q->all)
        give_all(ms, q, fn, arg);
    else
        e = give_one(ms, q, fn, arg);
    (void)pthread_rwlock_unlock(&ms->lock);
    return e;
}

/* --- changing ----------------------------------------------------------- */

static void
record_drop(struct memstore *ms, size_t at)
{
    free(ms->records[at].name);
    free(ms->records[at].value);
    ms->n_records--;
    memmove(&ms->records[at], &ms->records[at + 1],
            (ms->n_records - at) * sizeof(ms->records[0]));
}

static void
record_put(struct memstore *ms, size_t at, const struct record_change *c)
{
    ms->records = xrealloc(ms->records,
                           (ms->n_records + 1) * sizeof(ms->records[0]));
    memmove(&ms->records[at + 1], &ms->records[at],
            (ms->n_records - at) * sizeof(ms->records[0]));
    ms->n_records++;
    ms->records[at] = (struct mem_record){
        .name = xmemdup0(c->name, c->n),
        .n = c->n,
        .value = xmemdup0(c->len > 0 ? c->value : "", c->len),
        .len = c->len,
        .expires_ms = c->expires_ms,
    };
}

static bool
is_expected(const struct memstore *ms, const struct store_op *op, size_t i,
            int64_t now_ms)
{
    const struct record_change *c = &op->records.changes[i];
    const struct record_change *before = backend_record_before(op, i);
    size_t at = find(ms, c->name, c->n);

    if (before != NULL)
        return backend_record_gone(before, now_ms)
                   ? backend_record_expected(c, NULL, 0)
                   : backend_record_expected(c, before->value, before->len);
    if (!is_named(ms, at, c->name, c->n) || is_over(&ms->records[at]))
        return backend_record_expected(c, NULL, 0);
    return backend_record_expected(c, ms->records[at].value,
                                   ms->records[at].len);
}

enum err
memstore_change_records(struct memstore *ms, struct store_op *op)
{
    int64_t now_ms = clock_wall_ms();

    for (size_t i = 0; i < op->records.n; i++) {
        op->records.wrong = i;
        if (!is_expected(ms, op, i, now_ms))
            return ERR_CONFLICT;
    }
    op->records.wrong = 0;
    for (size_t i = 0; i < op->records.n; i++) {
        const struct record_change *c = &op->records.changes[i];
        size_t at = find(ms, c->name, c->n);

        if (is_named(ms, at, c->name, c->n))
            record_drop(ms, at);
        if (!backend_record_gone(c, now_ms))
            record_put(ms, at, c);
    }
    return OK;
}

void
memstore_records_free(struct memstore *ms)
{
    while (ms->n_records > 0)
        record_drop(ms, ms->n_records - 1);
    free(ms->records);
    ms->records = NULL;
}
