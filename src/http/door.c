/*
 * The acceptors: a few threads that wait at all doors at once. Each has an
 * epoll of its own over the listening sockets with EPOLLEXCLUSIVE, so one
 * arrival wakes one thread, not all; a busy thread tries the door that it was
 * called to again before it waits, which spares the wait under load. An eventfd
 * that is never read wakes everybody for the end.
 *
 * What stands behind a door is a row: its accept function, which returns a
 * whole request. Signals are for the main thread and blocked here.
 */
#include "base/base.h"

#include "http/door.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "http/engine_door.h"
#include "http/fcgi.h"

#define THREADS_MAX 64
#define SERVE_MAX 64       /* requests of one door in a row */
#define NO_FDS_PAUSE_MS 10 /* until somebody has closed a descriptor */

typedef enum err accept_fn(int listen_fd, const struct door_config *c,
                           struct request **out, struct problem *why);

struct entry {
    int fd;
    accept_fn *accept;
};

struct doors {
    struct door_config config; /* constant while threads run */
    struct entry entries[2];   /* constant */
    unsigned n_entries;
    int stop_fd; /* eventfd; written once, at the end */
    atomic_bool stopping;
    pthread_t threads[THREADS_MAX];
    unsigned n_threads;
};

static void
pause_ms(long ms)
{
    struct timespec t = {.tv_nsec = ms * 1000000};

    (void)nanosleep(&t, NULL);
}

/* Serve what waits at one door. False: nothing did. */
static bool
serve(struct doors *d, const struct entry *at)
{
    struct problem why = {0};
    struct request *rq = NULL;
    enum err e = at->accept(at->fd, &d->config, &rq, &why);

    if (e == ERR_AGAIN)
        return false;
    if (e == ERR_BUSY) {
        pause_ms(NO_FDS_PAUSE_MS);
        return false;
    }
    if (e == OK) {
        log_set_request(rq->id);
        d->config.fn(d->config.arg, rq, &why);
        log_set_request(NULL);
    }
    return true;
}

/* Serve what waits at door i, but not for ever: there may be another door. */
static void
serve_some(struct doors *d, uint32_t i)
{
    if (i >= d->n_entries)
        return; /* the end */
    for (int n = 0; n < SERVE_MAX && !atomic_load(&d->stopping); n++)
        if (!serve(d, &d->entries[i]))
            return;
}

static int
open_epoll(const struct doors *d)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.u32 = d->n_entries};
    int ep = epoll_create1(EPOLL_CLOEXEC);

    if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, d->stop_fd, &ev) != 0)
        goto failed;
    ev.events = EPOLLIN | EPOLLEXCLUSIVE;
    for (unsigned i = 0; i < d->n_entries; i++) {
        ev.data.u32 = i;
        if (epoll_ctl(ep, EPOLL_CTL_ADD, d->entries[i].fd, &ev) != 0)
            goto failed;
    }
    return ep;
failed:
    log_error("door.epoll", "errno=%d", errno);
    if (ep >= 0)
        (void)close(ep);
    return -1;
}

struct acceptor {
    struct doors *doors;
    int ep;
};

static void *
acceptor_run(void *arg)
{
    struct acceptor *a = arg;
    struct doors *d = a->doors;
    struct epoll_event ev[4];

    while (!atomic_load(&d->stopping)) {
        int n = epoll_wait(a->ep, ev, COUNT_OF(ev), -1);

        if (n < 0 && errno != EINTR) {
            log_error("door.wait", "errno=%d", errno);
            break;
        }
        for (int i = 0; i < n; i++)
            serve_some(d, ev[i].data.u32);
    }
    (void)close(a->ep);
    free(a);
    return NULL;
}

static enum err
start_thread(struct doors *d)
{
    struct acceptor *a = xcalloc(1, sizeof(*a));
    sigset_t all, before;
    int r;

    a->doors = d;
    a->ep = open_epoll(d);
    if (a->ep < 0) {
        free(a);
        return ERR_INTERNAL;
    }
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    r = pthread_create(&d->threads[d->n_threads], NULL, acceptor_run, a);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r != 0) {
        log_error("door.thread", "errno=%d", r);
        (void)close(a->ep);
        free(a);
        return ERR_INTERNAL;
    }
    d->n_threads++;
    return OK;
}

static void
add_entry(struct doors *d, int fd, accept_fn *fn)
{
    int flags = fcntl(fd, F_GETFL);

    (void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    d->entries[d->n_entries].fd = fd;
    d->entries[d->n_entries++].accept = fn;
}

enum err
doors_open(struct doors **out, const struct door_config *c)
{
    struct doors *d;
    enum err e = fcgi_init();

    if (e)
        return e;
    d = xcalloc(1, sizeof(*d));
    d->config = *c;
    if (c->fcgi_fd >= 0)
        add_entry(d, c->fcgi_fd, fcgi_accept);
    if (c->engine_fd >= 0)
        add_entry(d, c->engine_fd, engine_door_accept);
    d->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (d->stop_fd < 0) {
        log_error("door.eventfd", "errno=%d", errno);
        free(d);
        return ERR_INTERNAL;
    }
    for (unsigned i = 0; !e && i < c->threads && i < THREADS_MAX; i++)
        e = start_thread(d);
    if (e) {
        doors_close(d);
        return e;
    }
    *out = d;
    return OK;
}

void
doors_close(struct doors *d)
{
    uint64_t one = 1;

    if (!d)
        return;
    atomic_store(&d->stopping, true);
    if (write(d->stop_fd, &one, sizeof(one)) < 0)
        log_error("door.stop", "errno=%d", errno);
    for (unsigned i = 0; i < d->n_threads; i++)
        (void)pthread_join(d->threads[i], NULL);
    (void)close(d->stop_fd);
    free(d);
}

bool
door_is_fcgi(void)
{
    int listening = 0;
    socklen_t n = sizeof(listening);

    return getsockopt(STDIN_FILENO, SOL_SOCKET, SO_ACCEPTCONN, &listening,
                      &n) == 0 &&
           listening;
}
