/*
 * The workers: a queue, a mutex, a few threads.
 *
 * Jobs are few and long (a file, a search) compared with what a mutex costs,
 * so this is the textbook queue: first in, first out, one condition variable.
 * The result does not come back here: a job names a letter, and that is
 * posted to the loop. Whether there is one is read before the job runs,
 * because a job without a letter may free itself in run.
 *
 * Workers take no signals; those belong to the main thread.
 */
#include "base/base.h"

#include "base/worker.h"

#include <pthread.h>
#include <signal.h>

#include "base/log.h"
#include "base/mem.h"

struct workers {
    struct loop *loop;  /* borrowed; may be NULL if no job has a letter */
    pthread_mutex_t mu; /* guards head, tail, closed */
    pthread_cond_t some;
    struct job *head; /* oldest */
    struct job **tail;
    bool closed;
    unsigned count;
    pthread_t threads[];
};

/* The next job; NULL when closed and nothing is left. */
static struct job *
next_job(struct workers *w)
{
    struct job *j;

    (void)pthread_mutex_lock(&w->mu);
    while (!w->head && !w->closed)
        (void)pthread_cond_wait(&w->some, &w->mu);
    j = w->head;
    if (j) {
        w->head = j->next;
        if (!w->head)
            w->tail = &w->head;
    }
    (void)pthread_mutex_unlock(&w->mu);
    return j;
}

static void *
work(void *arg)
{
    struct workers *w = arg;
    struct job *j;

    while ((j = next_job(w))) {
        bool tell = j->done.fn != NULL;

        j->run(j->arg);
        if (tell)
            loop_post(w->loop, &j->done);
    }
    return NULL;
}

struct workers *
workers_new(unsigned threads, struct loop *l)
{
    struct workers *w = xcalloc(1, sizeof(*w) + threads * sizeof(pthread_t));
    sigset_t all;
    sigset_t before;

    w->loop = l;
    w->tail = &w->head;
    (void)pthread_mutex_init(&w->mu, NULL);
    (void)pthread_cond_init(&w->some, NULL);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    while (w->count < threads) {
        int e = pthread_create(&w->threads[w->count], NULL, work, w);

        if (e) {
            log_error("worker.thread", "errno=%d have=%u", e, w->count);
            break;
        }
        w->count++;
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (w->count == 0) {
        workers_free(w);
        return NULL;
    }
    return w;
}

void
workers_free(struct workers *w)
{
    if (!w)
        return;
    (void)pthread_mutex_lock(&w->mu);
    w->closed = true;
    (void)pthread_cond_broadcast(&w->some);
    (void)pthread_mutex_unlock(&w->mu);
    for (unsigned i = 0; i < w->count; i++)
        (void)pthread_join(w->threads[i], NULL);
    (void)pthread_cond_destroy(&w->some);
    (void)pthread_mutex_destroy(&w->mu);
    free(w);
}

void
workers_run(struct workers *w, struct job *j)
{
    j->next = NULL;
    (void)pthread_mutex_lock(&w->mu);
    assert(!w->closed);
    *w->tail = j;
    w->tail = &j->next;
    (void)pthread_cond_signal(&w->some);
    (void)pthread_mutex_unlock(&w->mu);
}
