/*
 * Fetches. A job goes to the loop as a letter, becomes a transfer there, and
 * ends in exactly one call of its function: with the reply, with a failure, or
 * because the fetcher was stopped, whichever is first. From the letter on it is
 * the loop's; the mutex is for the list alone, so that stopping finds the jobs
 * whose letters were not read any more. Such a job lives on, ended, until the
 * loop drops its letter.
 *
 * A thread that waits shares a small record with its job, and leaves it behind
 * should the loop be gone without having told anybody.
 */
#include "base/base.h"

#include "auth/fetch.h"

#include <pthread.h>
#include <stdatomic.h>

#include "auth/fetch_admit.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define WAIT_MARGIN_MS 2000 /* after which the loop is thought to be gone */
#define RETRY_S 2

struct job {
    struct mail mail;
    struct fetcher *f;
    struct job *prev, *next; /* fetcher's */
    struct upstream_request q;
    struct transfer *transfer;
    struct buf reply;
    int status;
    bool secret;
    bool mailed; /* the letter is on its way */
    bool over;   /* fn was called */
    fetch_fn *fn;
    void *arg;
};

struct fetcher {
    struct loop *loop;
    struct transfers *transfers;
    atomic_uint n_waiting; /* threads */
    pthread_mutex_t mu;    /* guards what follows */
    bool stopped;
    struct job *jobs;
    size_t n_jobs;
};

/* --- a job ---------------------------------------------------------------- */

static void
job_free(struct job *j)
{
    upstream_request_release(&j->q);
    if (j->secret)
        mem_wipe(j->reply.data, j->reply.cap);
    buf_release(&j->reply);
    free(j);
}

/* Under the mutex. */
static void
job_unlink(struct job *j)
{
    struct fetcher *f = j->f;

    if (j->prev != NULL)
        j->prev->next = j->next;
    else
        f->jobs = j->next;
    if (j->next != NULL)
        j->next->prev = j->prev;
    f->n_jobs--;
}

/* Tell, once. The job is gone after this, or when its letter is. */
static void
job_end(struct job *j, enum err e, const char *body, size_t n,
        const struct problem *why)
{
    struct fetcher *f = j->f;

    (void)pthread_mutex_lock(&f->mu);
    job_unlink(j);
    (void)pthread_mutex_unlock(&f->mu);
    j->over = true;
    transfer_cancel(j->transfer);
    j->transfer = NULL;
    j->fn(j->arg, e, j->status, body, n, why);
    if (!j->mailed)
        job_free(j);
}

static enum err
later(enum err e, struct problem *why)
{
    (void)problem_set(why, e, NULL, NULL, NULL);
    why->retry_after_s = RETRY_S;
    return e;
}

static enum err
failed(enum transfer_end end, struct problem *why)
{
    if (end == TRANSFER_FORBIDDEN)
        return problem_set(why, ERR_FORBIDDEN, "address_not_allowed",
                           "This address may not be called",
                           "It is not one of the internet at large.");
    if (end == TRANSFER_TIMEOUT)
        return problem_set(why, ERR_TIMEOUT, "fetch_timeout",
                           "A server that was asked is too slow", NULL);
    return problem_set(why, ERR_UPSTREAM, "fetch_failed",
                       "A server that was asked gave no usable reply", NULL);
}

static void
on_head(void *arg, const struct upstream_head *head)
{
    struct job *j = arg;

    j->status = head->status;
}

static void
on_data(void *arg, const char *p, size_t n)
{
    struct job *j = arg;
    struct problem why = {.err = OK};

    buf_add(&j->reply, p, n);
    if (buf_status(&j->reply) == OK)
        return;
    log_warn("auth.fetch", "reason=\"reply too long\" max=%zu", j->reply.max);
    (void)failed(TRANSFER_OVERSIZE, &why);
    job_end(j, why.err, "", 0, &why);
}

static void
on_done(void *arg, const struct transfer_result *r)
{
    struct job *j = arg;
    struct problem why = {.err = OK};
    bool bad = j->status >= 400;

    j->transfer = NULL;
    if (r->end == TRANSFER_COMPLETE) {
        if (bad)
            job_end(j, OK, r->error_body, r->error_len, &why);
        else
            job_end(j, OK, j->reply.len > 0 ? j->reply.data : "", j->reply.len,
                    &why);
        return;
    }
    log_warn("auth.fetch", "reason=\"%s\"", LOG_TEXT(r->reason));
    (void)failed(r->end, &why);
    job_end(j, why.err, "", 0, &why);
}

static void
on_mail(struct mail *m)
{
    static const struct transfer_limits limits = {
        .connect_ms = FETCH_CONNECT_MS, .total_ms = FETCH_TOTAL_MS};
    static const struct transfer_calls calls = {
        .head = on_head, .data = on_data, .done = on_done};
    struct job *j = m->arg;
    struct problem why = {.err = OK};

    j->mailed = false;
    if (j->over) {
        job_free(j);
        return;
    }
    j->transfer = transfer_start(j->f->transfers, &j->q, &limits, &calls, j);
    if (j->transfer != NULL)
        return;
    (void)problem_set(&why, ERR_BADREQ, "invalid_url", "The URL is not valid",
                      "%s", "");
    job_end(j, why.err, "", 0, &why);
}

/* The loop has ended. */
static void
drop_mail(struct mail *m)
{
    struct job *j = m->arg;
    struct problem why = {.err = OK};

    j->mailed = false;
    if (j->over) {
        job_free(j);
        return;
    }
    (void)later(ERR_STOPPING, &why);
    job_end(j, why.err, "", 0, &why);
}

/* --- asking --------------------------------------------------------------- */

/* Hand the job over, unless there are too many. */
static enum err
job_post(struct job *j, struct problem *why)
{
    struct fetcher *f = j->f;
    enum err e = OK;

    (void)pthread_mutex_lock(&f->mu);
    if (f->stopped) {
        e = later(ERR_STOPPING, why);
    } else if (f->n_jobs == FETCH_AT_ONCE_MAX) {
        e = later(ERR_BUSY, why);
    } else {
        j->next = f->jobs;
        if (j->next != NULL)
            j->next->prev = j;
        f->jobs = j;
        f->n_jobs++;
        j->mailed = true;
        loop_post(f->loop, &j->mail);
    }
    (void)pthread_mutex_unlock(&f->mu);
    return e;
}

enum err
fetch_start(struct fetcher *f, const struct fetch_ask *ask, size_t reply_max,
            fetch_fn *fn, void *arg, struct problem *why)
{
    struct job *j = xcalloc(1, sizeof(*j));
    enum err e;

    j->f = f;
    j->fn = fn;
    j->arg = arg;
    j->secret = ask->secret;
    j->mail.fn = on_mail;
    j->mail.drop = drop_mail;
    j->mail.arg = j;
    if (j->secret)
        buf_init_secret(&j->reply, reply_max);
    else
        buf_init(&j->reply, reply_max);
    e = fetch_build(&j->q, ask, why);
    if (e == OK)
        e = job_post(j, why);
    if (e != OK)
        job_free(j);
    return e;
}

/* --- waiting -------------------------------------------------------------- */

struct wait {
    pthread_mutex_t mu;
    pthread_cond_t told;
    int holders; /* the thread and the job */
    bool done;
    bool secret;
    enum err e;
    int status;
    struct buf body;
    struct problem why;
};

static void
wait_drop(struct wait *w)
{
    bool last;

    (void)pthread_mutex_lock(&w->mu);
    last = --w->holders == 0;
    (void)pthread_mutex_unlock(&w->mu);
    if (!last)
        return;
    if (w->secret)
        mem_wipe(w->body.data, w->body.cap);
    buf_release(&w->body);
    (void)pthread_cond_destroy(&w->told);
    (void)pthread_mutex_destroy(&w->mu);
    free(w);
}

static void
on_fetched(void *arg, enum err e, int status, const char *body, size_t n,
           const struct problem *why)
{
    struct wait *w = arg;

    (void)pthread_mutex_lock(&w->mu);
    w->e = e;
    w->status = status;
    w->why = *why;
    buf_add(&w->body, body, n);
    w->done = true;
    (void)pthread_cond_signal(&w->told);
    (void)pthread_mutex_unlock(&w->mu);
    wait_drop(w);
}

static struct wait *
wait_new(size_t reply_max, bool secret)
{
    struct wait *w = xcalloc(1, sizeof(*w));
    pthread_condattr_t attr;

    w->holders = 2;
    w->secret = secret;
    buf_init(&w->body,
             reply_max > TRANSFER_ERROR_MAX ? reply_max : TRANSFER_ERROR_MAX);
    (void)pthread_mutex_init(&w->mu, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&w->told, &attr);
    (void)pthread_condattr_destroy(&attr);
    return w;
}

/* Sleep until it is told, or the loop must be gone. */
static enum err
wait_for(struct wait *w, struct buf *reply, int *status, struct problem *why)
{
    int64_t until_ms = clock_mono_ms() + FETCH_TOTAL_MS + WAIT_MARGIN_MS;
    struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};
    enum err e;
    int rc = 0;

    (void)pthread_mutex_lock(&w->mu);
    while (!w->done && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&w->told, &w->mu, &until);
    if (!w->done) {
        e = failed(TRANSFER_TIMEOUT, why);
    } else if (w->e != OK) {
        e = w->e;
        *why = w->why;
    } else {
        e = OK;
        *status = w->status;
        buf_clear(reply);
        buf_add(reply, w->body.data,
                w->body.len < reply->max ? w->body.len : reply->max);
    }
    (void)pthread_mutex_unlock(&w->mu);
    return e;
}

bool
fetch_place_take(struct fetcher *f)
{
    if (atomic_fetch_add(&f->n_waiting, 1) < FETCH_WAITING_MAX)
        return true;
    fetch_place_leave(f);
    return false;
}

void
fetch_place_leave(struct fetcher *f)
{
    (void)atomic_fetch_sub(&f->n_waiting, 1);
}

enum err
fetch_wait(struct fetcher *f, const struct fetch_ask *ask, struct buf *reply,
           int *status, struct problem *why)
{
    struct wait *w;
    enum err e;

    if (!fetch_place_take(f))
        return later(ERR_BUSY, why);
    w = wait_new(reply->max, ask->secret);
    e = fetch_start(f, ask, reply->max, on_fetched, w, why);
    if (e != OK)
        wait_drop(w); /* the job's */
    else
        e = wait_for(w, reply, status, why);
    wait_drop(w);
    fetch_place_leave(f);
    return e;
}

/* --- life ----------------------------------------------------------------- */

struct fetcher *
fetcher_new(struct loop *l, struct transfers *ts)
{
    struct fetcher *f = xcalloc(1, sizeof(*f));

    f->loop = l;
    f->transfers = ts;
    (void)pthread_mutex_init(&f->mu, NULL);
    return f;
}

void
fetcher_stop(struct fetcher *f)
{
    struct problem why = {.err = OK};
    struct job *j;

    (void)later(ERR_STOPPING, &why);
    for (;;) {
        (void)pthread_mutex_lock(&f->mu);
        f->stopped = true;
        j = f->jobs;
        (void)pthread_mutex_unlock(&f->mu);
        if (j == NULL)
            return;
        job_end(j, why.err, "", 0, &why);
    }
}

void
fetcher_free(struct fetcher *f)
{
    if (f == NULL)
        return;
    fetcher_stop(f);
    assert(f->n_waiting == 0);
    (void)pthread_mutex_destroy(&f->mu);
    free(f);
}
