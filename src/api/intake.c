/*
 * What waits to be written lies in one arena, which is emptied when it was: so
 * a file of any size costs the memory of a round.
 *
 * A round is small. One sync of the disk serves all that is in it, and a turn
 * that ends meanwhile is committed behind it: with a megabyte that is a moment,
 * and larger rounds were hardly faster.
 */
#include "base/base.h"

#include "api/intake.h"

#include <pthread.h>
#include <stdatomic.h>

#include "api/intake_session.h"
#include "base/clock.h"
#include "base/mem.h"

#define ROUND_SESSIONS 64

struct told {
    size_t item;
    const char *rule; /* static */
};

struct intake {
    struct intake_config c;
    int64_t now_ms;
    struct import import;
    struct problem why;    /* of reading */
    enum err stored;       /* of writing */
    struct arena arena;    /* of what waits */
    struct intake_op **at; /* owned; what waits */
    size_t n, cap, bytes;
    struct intake_totals totals;
    struct told *faults; /* owned */
    size_t n_faults;     /* that are told */

    /* while it is written */
    atomic_size_t left;
    void (*written)(void *arg);
    void *arg;
};

static void
fault(struct intake *in, size_t item, const char *rule)
{
    in->totals.faults++;
    if (in->n_faults == INTAKE_FAULTS_MAX)
        return;
    if ((in->n_faults & (in->n_faults - 1)) == 0) /* a power of two, or none */
        in->faults = xrealloc(in->faults,
                              (2 * in->n_faults + 1) * sizeof(*in->faults));
    in->faults[in->n_faults++] = (struct told){item, rule};
}

static void
keep(struct intake *in, struct intake_op *w)
{
    if (in->n == in->cap) {
        in->cap = in->cap == 0 ? ROUND_SESSIONS : 2 * in->cap;
        in->at = xrealloc(in->at, in->cap * sizeof(struct intake_op *));
    }
    in->at[in->n++] = w;
    in->bytes += w->bytes;
}

static enum err
on_session(void *arg, const struct import_session *s)
{
    struct intake *in = arg;
    const char *rule = intake_refused(s);

    if (in->c.format != NULL &&
        strcmp(in->c.format, import_format_name(s->format)) != 0)
        rule = "not of the format that was asked for";
    if (rule != NULL)
        fault(in, s->item, rule);
    else
        keep(in, intake_op_new(&in->c, &in->arena, in->now_ms, s));
    return OK;
}

static enum err
on_fault(void *arg, const struct import_fault *f)
{
    fault(arg, f->item, f->rule);
    return OK;
}

/* --- life ----------------------------------------------------------------- */

struct intake *
intake_new(const struct intake_config *c)
{
    struct intake *in = xcalloc(1, sizeof(*in));
    struct import_sink sink = {on_session, on_fault, in};

    in->c = *c;
    in->now_ms = clock_wall_ms();
    arena_init(&in->arena);
    import_init(&in->import, &sink);
    return in;
}

void
intake_free(struct intake *in)
{
    if (in == NULL)
        return;
    import_release(&in->import);
    arena_release(&in->arena);
    free(in->at);
    free(in->faults);
    free(in);
}

/* --- reading -------------------------------------------------------------- */

enum err
intake_read(struct intake *in, const char *s, size_t n)
{
    assert(n <= INTAKE_PIECE);
    return import_feed(&in->import, s, n, &in->why);
}

enum err
intake_read_end(struct intake *in)
{
    return import_end(&in->import, &in->why);
}

bool
intake_full(const struct intake *in)
{
    return in->bytes >= INTAKE_ROUND || in->n >= ROUND_SESSIONS;
}

bool
intake_empty(const struct intake *in)
{
    return in->n == 0;
}

/* --- writing -------------------------------------------------------------- */

/* Committer. */
static void
on_stored(struct store_op *op)
{
    struct intake *in = op->arg;
    void (*written)(void *arg) = in->written;
    void *arg = in->arg;

    if (atomic_fetch_sub(&in->left, 1) == 1)
        written(arg);
}

void
intake_write(struct intake *in, void (*written)(void *arg), void *arg)
{
    struct store *store = in->c.store;
    size_t n = in->n;

    if (n == 0) {
        written(arg);
        return;
    }
    in->written = written;
    in->arg = arg;
    atomic_store(&in->left, n);
    /* With the last one it may be gone, so that one is not looked up here. */
    for (size_t i = 0; i < n; i++) {
        struct store_op *op = &in->at[i]->op;

        op->done = on_stored;
        op->arg = in;
        store_submit(store, op);
    }
}

static const char *
rule_of(const struct store_op *op)
{
    switch (op->err) {
    case ERR_LIMIT:
        return op->import.messages_max > 0 &&
                       op->import.n > op->import.messages_max
                   ? "it has too many messages"
                   : "there are too many sessions";
    case ERR_TOOBIG: return "a message of it is too long";
    case ERR_FULL: return "the store is full";
    default: return "it could not be stored";
    }
}

static void
settle_one(struct intake *in, struct intake_op *w)
{
    enum err e = w->op.err;

    if (e == OK) {
        in->totals.sessions++;
        in->totals.messages += w->op.import.n;
        if (in->c.stored != NULL)
            in->c.stored(in->c.arg, in->c.owner, w->id);
        return;
    }
    fault(in, w->item, rule_of(&w->op));
    if (e == ERR_FULL || e == ERR_STORE)
        in->stored = e;
}

bool
intake_settle(struct intake *in)
{
    size_t again = 0;

    for (size_t i = 0; i < in->n; i++) {
        struct intake_op *w = in->at[i];

        if (w->op.err == ERR_CONFLICT && !w->renamed) {
            w->renamed = true;
            intake_new_ids(w);
            in->at[again++] = w;
        } else {
            settle_one(in, w);
        }
    }
    in->n = again;
    if (again > 0)
        return true;
    in->bytes = 0;
    arena_release(&in->arena);
    arena_init(&in->arena);
    return false;
}

enum err
intake_status(const struct intake *in)
{
    return in->stored;
}

struct waiter {
    pthread_mutex_t mu; /* guards over */
    pthread_cond_t some;
    bool over;
};

static void
on_waited(void *arg)
{
    struct waiter *w = arg;

    (void)pthread_mutex_lock(&w->mu);
    w->over = true;
    (void)pthread_cond_signal(&w->some);
    (void)pthread_mutex_unlock(&w->mu);
}

enum err
intake_write_all(struct intake *in)
{
    struct waiter w = {.over = false};

    (void)pthread_mutex_init(&w.mu, NULL);
    (void)pthread_cond_init(&w.some, NULL);
    do {
        w.over = false;
        intake_write(in, on_waited, &w);
        (void)pthread_mutex_lock(&w.mu);
        while (!w.over)
            (void)pthread_cond_wait(&w.some, &w.mu);
        (void)pthread_mutex_unlock(&w.mu);
    } while (intake_settle(in));
    (void)pthread_cond_destroy(&w.some);
    (void)pthread_mutex_destroy(&w.mu);
    return in->stored;
}

/* --- telling -------------------------------------------------------------- */

static const char *
rule_of_end(enum err e)
{
    switch (e) {
    case ERR_BADREQ: return "the file cannot be read on";
    case ERR_STOPPING: return "the server stops: nothing more was read";
    case ERR_INTERNAL: return "the rest of the file could not be read";
    default: return "the store failed: nothing more was read";
    }
}

enum err
intake_end(struct intake *in, enum err e, struct problem *why)
{
    in->totals.left_out = in->import.report.left_out;
    if (e == OK || e == ERR_BADREQ)
        e = in->stored != OK ? in->stored : e;
    if (e == OK)
        return OK;
    /* What is stored is told, whatever came then. */
    if (in->totals.sessions > 0) {
        if (in->n_faults == INTAKE_FAULTS_MAX)
            in->n_faults--; /* this one says more */
        fault(in, in->import.report.items + 1, rule_of_end(e));
        return OK;
    }
    if (e == ERR_BADREQ && in->why.err != OK)
        *why = in->why;
    else
        (void)problem_set(why, e, NULL, NULL, NULL);
    return e;
}

void
intake_totals(const struct intake *in, struct intake_totals *out)
{
    *out = in->totals;
    out->left_out = in->import.report.left_out;
}

void
intake_put(struct intake *in, struct json_out *j)
{
    json_put_i64(j, "sessions", (int64_t)in->totals.sessions);
    json_put_i64(j, "messages", (int64_t)in->totals.messages);
    json_put_i64(j, "left_out", (int64_t)in->totals.left_out);
    if (in->totals.faults > in->n_faults)
        json_put_i64(j, "faults_in_all", (int64_t)in->totals.faults);
    json_name(j, "faults");
    json_begin_arr(j);
    for (size_t i = 0; i < in->n_faults; i++) {
        json_begin_obj(j);
        json_put_i64(j, "item", (int64_t)in->faults[i].item);
        json_put_str(j, "rule", in->faults[i].rule);
        json_end_obj(j);
    }
    json_end_arr(j);
}

void
intake_each_fault(const struct intake *in, intake_fault_fn *fn, void *arg)
{
    for (size_t i = 0; i < in->n_faults; i++)
        fn(arg, in->faults[i].item, in->faults[i].rule);
}
