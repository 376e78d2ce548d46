/*
 * The process' side of the audit log: a queue and the thread that empties it.
 *
 * An event becomes text where it happens, and is put into the queue under a
 * mutex; nobody holds that mutex over I/O. The thread takes all there is and
 * appends it as one batch, so that a disk that is slow makes batches larger,
 * not waits longer. Where nobody waits for an event, the thread lingers a
 * little first: turns end one by one, and each batch costs a wait for the disk.
 * If the process is killed in this time, those events are gone.
 *
 * When a batch cannot be written it goes back to the front of the queue, and is
 * tried again each second, and at once when somebody waits for another event.
 */
#include "base/base.h"

#include "ops/audit.h"

#include <pthread.h>
#include <signal.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "ops/audit_file.h"

#define LINGER_MS 50
#define AGAIN_MS 1000
#define BATCH_EVENTS 1024

struct event {
    struct event *next;
    uint64_t seq;
    size_t len;
    char body[];
};

static struct audit {
    struct audit_file file; /* the writer's */
    pthread_t thread;
    pthread_mutex_t mu;  /* guards what follows */
    pthread_cond_t some; /* there is something to do */
    pthread_cond_t told; /* written or failed has moved on */
    struct event *head;  /* oldest */
    struct event **tail;
    size_t bytes;     /* queued, and in the writer's hands */
    uint64_t seq;     /* of the newest event */
    uint64_t urgent;  /* of the newest event that somebody waits for */
    uint64_t tried;   /* written, or not: see err */
    uint64_t written; /* all up to this one are on disk */
    enum err err;     /* of those up to `tried` that are not */
    int64_t lost;     /* events for which there was no room */
    bool closed;
} * the; /* NULL: not started */

/* --- the queue -------------------------------------------------------- */

static struct event *
event_new(const struct audit_fact *f)
{
    struct event *ev;
    struct buf body;

    buf_init(&body, AUDIT_LINE_MAX);
    audit_body(&body, f, clock_wall_ms());
    assert(!body.over); /* AUDIT_LINE_MAX has room for any fact */
    ev = xmalloc(sizeof(*ev) + body.len);
    ev->next = NULL;
    ev->len = body.len;
    (void)memcpy(ev->body, body.data, body.len);
    buf_release(&body);
    return ev;
}

/* Locked. */
static void
push(struct audit *a, struct event *ev)
{
    ev->seq = ++a->seq;
    *a->tail = ev;
    a->tail = &ev->next;
    a->bytes += ev->len;
}

/* Locked. Takes ev. The event's number; 0: there was no room. */
static uint64_t
offer(struct audit *a, struct event *ev)
{
    if (a->bytes + ev->len > AUDIT_QUEUE_MAX) {
        if (a->lost++ == 0)
            log_error("audit.lost", "queued=%zu", a->bytes);
        metric_add(METRIC_AUDIT_LOST, 1);
        free(ev);
        return 0;
    }
    push(a, ev);
    return ev->seq;
}

void
audit_event(const struct audit_fact *f)
{
    struct audit *a = the;
    struct event *ev;

    if (a == NULL)
        return;
    ev = event_new(f);
    (void)pthread_mutex_lock(&a->mu);
    IGNORE(offer(a, ev) == 0);
    (void)pthread_cond_signal(&a->some);
    (void)pthread_mutex_unlock(&a->mu);
}

enum err
audit_event_wait(const struct audit_fact *f)
{
    struct audit *a = the;
    struct event *ev;
    uint64_t seq;
    enum err e = OK;

    if (a == NULL)
        return OK;
    ev = event_new(f);
    (void)pthread_mutex_lock(&a->mu);
    seq = offer(a, ev);
    if (seq == 0) {
        e = ERR_FULL;
    } else {
        a->urgent = seq;
        (void)pthread_cond_signal(&a->some);
        while (a->tried < seq)
            (void)pthread_cond_wait(&a->told, &a->mu);
        if (a->written < seq) /* OK: part of the queue was written by now */
            e = a->err != OK ? a->err : ERR_STORE;
    }
    (void)pthread_mutex_unlock(&a->mu);
    return e;
}

/* --- the thread ------------------------------------------------------- */

/* Locked. Wait so long, or until somebody waits for an event, or the end. */
static void
linger(struct audit *a, int64_t ms)
{
    struct timespec until;
    int r = 0;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(ms / 1000);
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    while (r == 0 && !a->closed && a->urgent <= a->tried)
        r = pthread_cond_timedwait(&a->some, &a->mu, &until);
}

/* Locked. The first events of the queue, BATCH_EVENTS at most. */
static size_t
take(struct audit *a, struct event *taken[BATCH_EVENTS])
{
    size_t n = 0;

    if (a->lost > 0 && a->bytes < AUDIT_QUEUE_MAX / 2) {
        struct audit_fact f = {.what = AUDIT_LOST,
                               .with = {AUDIT_NUMBER("count", a->lost)}};

        a->lost = 0;
        push(a, event_new(&f));
    }
    while (a->head != NULL && n < BATCH_EVENTS) {
        taken[n++] = a->head;
        a->head = a->head->next;
    }
    if (a->head == NULL)
        a->tail = &a->head;
    return n;
}

/* Not locked. */
static enum err
append(struct audit *a, struct event *const *taken, size_t n, size_t *done)
{
    struct audit_entry_body *bodies = xcalloc(n, sizeof(*bodies));
    enum err e;

    for (size_t i = 0; i < n; i++) {
        bodies[i].data = taken[i]->body;
        bodies[i].len = taken[i]->len;
    }
    e = audit_file_append(&a->file, bodies, n, done);
    free(bodies);
    metric_add(METRIC_AUDIT_LINES, (int64_t)*done);
    if (e != OK) {
        metric_add(METRIC_AUDIT_FAILURES, 1);
        if (a->err == OK)
            log_error("audit.failed", "error=\"%s\"", strerror(errno));
    } else if (a->err != OK) {
        log_info("audit.resumed", "lines=%zu", *done);
    }
    return e;
}

/* Locked. What is written is over; the rest goes back to the front, and what
 * was queued behind it up to event `upto` could not have been written either:
 * whoever waits for that need not wait for the disk. */
static void
settle(struct audit *a, struct event **taken, size_t n, size_t done,
       uint64_t upto)
{
    if (done > 0)
        a->written = taken[done - 1]->seq;
    if (done == n)
        upto = taken[n - 1]->seq;
    if (a->tried < upto)
        a->tried = upto;
    for (size_t i = n; i > done; i--) {
        taken[i - 1]->next = a->head;
        if (a->head == NULL)
            a->tail = &taken[i - 1]->next;
        a->head = taken[i - 1];
    }
    for (size_t i = 0; i < done; i++) {
        a->bytes -= taken[i]->len;
        free(taken[i]);
    }
    (void)pthread_cond_broadcast(&a->told);
}

static void *
writer(void *arg)
{
    struct event **taken = xcalloc(BATCH_EVENTS, sizeof(struct event *));
    struct audit *a = arg;

    (void)pthread_mutex_lock(&a->mu);
    for (;;) {
        size_t n, done = 0;
        uint64_t upto;
        enum err e;

        while (a->head == NULL && a->lost == 0 && !a->closed)
            (void)pthread_cond_wait(&a->some, &a->mu);
        if (a->head == NULL && a->lost == 0)
            break;
        linger(a, a->err != OK ? AGAIN_MS : LINGER_MS);
        n = take(a, taken);
        upto = a->seq;
        (void)pthread_mutex_unlock(&a->mu);
        e = append(a, taken, n, &done);
        (void)pthread_mutex_lock(&a->mu);
        a->err = e;
        settle(a, taken, n, done, upto);
        if (e != OK && a->closed)
            break;
    }
    (void)pthread_mutex_unlock(&a->mu);
    free(taken);
    return NULL;
}

/* --- beginning and end ------------------------------------------------ */

bool
audit_config_load(struct audit_config *c)
{
    c->dir = conf_str(CONF_DATA_DIR);
    c->key = conf_str(CONF_AUDIT_KEY);
    if (c->key[0] == '\0')
        c->key = conf_str(CONF_SECRET_KEY);
    c->file_max = (size_t)conf_int(CONF_AUDIT_MAX_MIB) << 20;
    return conf_int(CONF_AUDIT) != 0;
}

static enum err
start_thread(struct audit *a)
{
    sigset_t all, before;
    int r;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    r = pthread_create(&a->thread, NULL, writer, a);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r == 0)
        return OK;
    log_error("audit.thread", "error=\"%s\"", strerror(r));
    return ERR_STORE;
}

static void
audit_free(struct audit *a)
{
    while (a->head != NULL) {
        struct event *ev = a->head;

        a->head = ev->next;
        free(ev);
    }
    (void)pthread_cond_destroy(&a->told);
    (void)pthread_cond_destroy(&a->some);
    (void)pthread_mutex_destroy(&a->mu);
    audit_file_close(&a->file);
    free(a);
}

enum err
audit_start(const struct audit_config *c)
{
    struct audit *a = xcalloc(1, sizeof(*a));
    pthread_condattr_t attr;
    enum err e;

    assert(the == NULL);
    e = audit_file_open(&a->file, c);
    if (e != OK) {
        free(a);
        return e;
    }
    a->tail = &a->head;
    (void)pthread_mutex_init(&a->mu, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&a->some, &attr);
    (void)pthread_cond_init(&a->told, NULL);
    (void)pthread_condattr_destroy(&attr);
    e = start_thread(a);
    if (e != OK) {
        audit_free(a);
        return e;
    }
    the = a;
    return OK;
}

void
audit_stop(void)
{
    struct audit *a = the;
    uint64_t left;

    if (a == NULL)
        return;
    (void)pthread_mutex_lock(&a->mu);
    a->closed = true;
    (void)pthread_cond_signal(&a->some);
    (void)pthread_mutex_unlock(&a->mu);
    (void)pthread_join(a->thread, NULL);
    left = a->seq - a->written + (uint64_t)a->lost;
    if (left > 0)
        log_error("audit.unwritten", "events=%" PRIu64, left);
    the = NULL;
    audit_free(a);
}
