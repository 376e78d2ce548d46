/*
 * The broker's other end: one thread answers at once (files to be opened), the
 * other reads (uploads as they come, then folders). A folder that is looked
 * through is left for an upload, and taken up again where it was: what has not
 * changed costs a look at its time.
 *
 * Of several such processes on one data folder only one keeps the folders
 * current: who holds the lock on `crawl.lock`, until it ends. Uploads are read
 * by the process that is asked to.
 */
#include "base/base.h"

#include "files/serve_inside.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "files/receive.h"

#define LOOK_MS 1000 /* between two looks at who reads */

void
serve_answer(int sock, enum err e, enum skip skip, int fd)
{
    struct broker_reply reply = {.err = e, .skip = skip};

    (void)broker_send(sock, &reply, sizeof(reply), fd); /* it may have left */
}

bool
serve_is_asked(void *arg)
{
    struct server *sv = arg;
    bool yes;

    (void)pthread_mutex_lock(&sv->mu);
    yes = sv->stopping || sv->first != NULL;
    (void)pthread_mutex_unlock(&sv->mu);
    return yes;
}

/* --- the reading thread --------------------------------------------------- */

/* The next wish; NULL: none came until then, or it is over. */
static struct wanted *
next_wanted(struct server *sv, int64_t until_ms)
{
    struct wanted *w;

    (void)pthread_mutex_lock(&sv->mu);
    while (sv->first == NULL && !sv->stopping) {
        int64_t left_ms = until_ms - clock_mono_ms();
        struct timespec at;

        if (left_ms <= 0)
            break;
        (void)clock_gettime(CLOCK_REALTIME, &at);
        at.tv_sec += (time_t)(left_ms / 1000 + 1);
        (void)pthread_cond_timedwait(&sv->come, &sv->mu, &at);
    }
    w = sv->first;
    if (w != NULL)
        sv->first = w->next;
    if (sv->first == NULL)
        sv->last = NULL;
    (void)pthread_mutex_unlock(&sv->mu);
    return w;
}

static bool
is_stopping(struct server *sv)
{
    bool yes;

    (void)pthread_mutex_lock(&sv->mu);
    yes = sv->stopping;
    (void)pthread_mutex_unlock(&sv->mu);
    return yes;
}

static void
read_wanted(struct server *sv, struct wanted *w)
{
    enum skip skip = SKIP_NOT;
    enum err e = serve_read(sv, w->document, &skip);

    if (w->reply >= 0) {
        serve_answer(w->reply, e, skip, -1);
        (void)close(w->reply);
    }
    free(w);
}

static void *
reading(void *arg)
{
    struct server *sv = arg;
    int64_t next_ms = 0;

    receive_sweep(sv->s->dir);
    sv->again_ms = clock_mono_ms();
    while (!is_stopping(sv)) {
        bool is_soon = sv->again_ms > 0 && sv->again_ms < next_ms;
        struct wanted *w = next_wanted(sv, is_soon ? sv->again_ms : next_ms);

        if (w != NULL) {
            read_wanted(sv, w);
        } else if (sv->again_ms > 0 && clock_mono_ms() >= sv->again_ms) {
            sv->again_ms = 0;
            if (!serve_read_waiting(sv))
                sv->again_ms = clock_mono_ms();
            else if (sv->again_ms == 0)
                sv->pause_ms = 0;
        } else if (clock_mono_ms() >= next_ms) {
            next_ms = serve_crawl(sv);
        }
    }
    return NULL;
}

/* --- serving -------------------------------------------------------------- */

/* Takes reply. */
static void
want(struct server *sv, int64_t document, int reply)
{
    struct wanted *w = xcalloc(1, sizeof(*w));

    w->document = document;
    w->reply = reply;
    (void)pthread_mutex_lock(&sv->mu);
    if (sv->last != NULL)
        sv->last->next = w;
    else
        sv->first = w;
    sv->last = w;
    (void)pthread_cond_signal(&sv->come);
    (void)pthread_mutex_unlock(&sv->mu);
}

/* Is the reading thread at one file for so long that it will not end? What it
 * has begun counts as a try (files/tried.h), and who started us starts another
 * one, which reads on. */
static void
end_if_stuck(const struct server *sv)
{
    int64_t since_ms = tried_since_ms(sv->tried);
    int patience_s = sv->s->patience_s > 0 ? sv->s->patience_s
                                           : SERVE_PATIENCE_S;

    if (since_ms == 0 ||
        clock_mono_ms() - since_ms < patience_s * INT64_C(1000))
        return;
    log_error("files.stuck", "seconds=%d", patience_s);
    (void)kill(getpid(), SIGKILL);
}

/* False: its other end is closed. */
static bool
await_request(const struct server *sv)
{
    struct pollfd p = {sv->sock, POLLIN, 0};

    while (poll(&p, 1, LOOK_MS) <= 0)
        end_if_stuck(sv);
    end_if_stuck(sv);
    return (p.revents & POLLIN) != 0;
}

static void
serve_socket(struct server *sv)
{
    struct broker_request rq;
    ssize_t n;
    int reply;

    while (await_request(sv) &&
           (n = broker_take(sv->sock, &rq, sizeof(rq), &reply)) > 0) {
        bool whole = n == (ssize_t)sizeof(rq);

        if (whole && rq.op == BROKER_READ) {
            want(sv, rq.document, reply);
            continue;
        }
        if (whole && rq.op == BROKER_OPEN && reply >= 0)
            serve_open(sv, rq.document, reply);
        if (reply >= 0)
            (void)close(reply);
    }
}

static void
stop(struct server *sv)
{
    struct wanted *w, *next;

    (void)pthread_mutex_lock(&sv->mu);
    sv->stopping = true;
    w = sv->first;
    sv->first = sv->last = NULL;
    (void)pthread_cond_signal(&sv->come);
    (void)pthread_mutex_unlock(&sv->mu);
    for (; w != NULL; w = next) {
        next = w->next;
        if (w->reply >= 0)
            (void)close(w->reply);
        free(w);
    }
}

/* What is in the middle of being read when the server is stopped is not to
 * blame for it. */
static struct tried *at_end;

static void
on_term(int signo)
{
    tried_forgive(at_end);
    (void)signal(signo, SIG_DFL);
    (void)raise(signo);
}

int
serve_run(const struct serve *s, int sock)
{
    struct sigaction sa = {.sa_handler = on_term, .sa_flags = (int)SA_NODEFER};
    struct server sv = {.s = s, .sock = sock, .crawl_lock = -1};
    pthread_t thread;

    if (files_open(s->dir, &sv.files) != OK)
        return 1; /* the log says why */
    sv.tried = tried_open(s->dir);
    at_end = sv.tried;
    (void)sigaction(SIGTERM, &sa, NULL);
    serve_confine(s);
    (void)pthread_mutex_init(&sv.mu, NULL);
    (void)pthread_cond_init(&sv.come, NULL);
    if (pthread_create(&thread, NULL, reading, &sv) != 0) {
        log_error("files.serve", "error=\"no thread\"");
        tried_close(sv.tried);
        files_close(sv.files);
        return 1;
    }
    serve_socket(&sv);
    stop(&sv);
    (void)pthread_join(thread, NULL);
    (void)signal(SIGTERM, SIG_DFL);
    tried_close(sv.tried);
    files_close(sv.files);
    if (sv.crawl_lock >= 0)
        (void)close(sv.crawl_lock);
    (void)pthread_cond_destroy(&sv.come);
    (void)pthread_mutex_destroy(&sv.mu);
    return 0;
}
