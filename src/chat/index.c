/*
 * What is to be done is noted under a mutex, a letter to the loop starts a job
 * on a worker, and the job takes all that is there: sessions to forget first,
 * then those that grew, then a slice of the walk (index_walk.c).
 *
 * While turns are running it rests before each job: words can be found a little
 * later, and turns should not wait for a processor. A search does not rest.
 *
 * When something fails, what grew is left to the next walk, which is due after
 * a pause that grows from RETRY_MS. What was to be forgotten is kept.
 *
 * A process that ends does what was noted, for LAST_MS, but begins no walk,
 * except for one that a search asked for: a process that answers one CGI
 * request has no other time.
 */
#include "base/base.h"

#include "chat/index.h"

#include <malloc.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/mem.h"
#include "chat/core.h"
#include "chat/index_queue.h"
#include "chat/index_walk.h"

#define START_MS 500  /* from the start to the first walk */
#define SLICE_MS 100  /* of a walk, between which others use the worker */
#define REST_MS 2000  /* before a job, while turns are running */
#define RETRY_MS 1000 /* after a failure */
#define RETRY_MAX_MS 300000
#define LAST_MS 2000    /* of work when the process ends */
#define GONE_MAX 100000 /* sessions that wait; more are left to a walk */
/* Bytes of text, and the heap is given back: to cut it into words takes some
 * times that. */
#define TRIM_BYTES (1024 * 1024)

struct index {
    struct engine *en;
    char dir[4096]; /* constant */
    struct search *search;
    struct mail kick;
    struct job job;
    struct loop_timer timer; /* loop's */
    struct loop_timer rest;  /* likewise */
    int64_t retry_ms;        /* loop's: of the next failure; 0: none yet */

    pthread_mutex_t mu; /* guards what is noted, all below */
    struct grown_list grown;
    struct numbers gone, cleared;
    bool walk;   /* one is wanted, or under way */
    bool asked;  /* by a search */
    bool active; /* a letter or a job is under way */
    bool paused; /* until the timer */
    bool failed; /* the last job did */

    struct walker walker; /* the job's */
};

/* --- noting --------------------------------------------------------------- */

static bool
is_waiting(const struct index *ix)
{
    return ix->grown.first != NULL || ix->gone.n > 0 || ix->cleared.n > 0 ||
           ix->walk;
}

/* With the mutex. True: the letter is to be posted. */
static bool
set_active(struct index *ix)
{
    if (ix->active || ix->paused || !is_waiting(ix))
        return false;
    ix->active = true;
    return true;
}

static void
unlock_and_kick(struct index *ix)
{
    bool kick = set_active(ix);

    (void)pthread_mutex_unlock(&ix->mu);
    if (kick)
        loop_post(ix->en->loop, &ix->kick);
}

void
index_grown(struct index *ix, const char *owner, const char *session_id)
{
    if (ix == NULL)
        return;
    (void)pthread_mutex_lock(&ix->mu);
    ix->walk |= !grown_note(&ix->grown, owner, session_id);
    unlock_and_kick(ix);
}

void
index_erased(struct index *ix, uint64_t session_no, bool stays)
{
    struct numbers *to;

    if (ix == NULL)
        return;
    (void)pthread_mutex_lock(&ix->mu);
    to = stays ? &ix->cleared : &ix->gone;
    if (session_no == 0 || to->n == GONE_MAX)
        ix->walk = ix->asked = true;
    else
        numbers_add(to, session_no);
    unlock_and_kick(ix);
}

static void
want_walk(struct index *ix)
{
    (void)pthread_mutex_lock(&ix->mu);
    ix->walk = ix->asked = true;
    unlock_and_kick(ix);
}

bool
index_busy(struct index *ix)
{
    bool busy;

    if (ix == NULL)
        return false;
    (void)pthread_mutex_lock(&ix->mu);
    busy = (ix->active || is_waiting(ix)) && !ix->paused;
    (void)pthread_mutex_unlock(&ix->mu);
    return busy;
}

/* --- the job: sessions ---------------------------------------------------- */

/* Forget some numbers; those that could not be are noted again. */
static enum err
forget(struct index *ix, struct numbers *from, bool stays)
{
    struct numbers some;
    enum err e = OK;

    (void)pthread_mutex_lock(&ix->mu);
    some = *from;
    *from = (struct numbers){.no = NULL};
    (void)pthread_mutex_unlock(&ix->mu);
    if (some.n > 0)
        e = stays ? search_clear(ix->search, some.no, some.n)
                  : search_forget(ix->search, some.no, some.n);
    if (e != OK) {
        (void)pthread_mutex_lock(&ix->mu);
        for (size_t i = 0; i < some.n; i++)
            numbers_add(from, some.no[i]);
        (void)pthread_mutex_unlock(&ix->mu);
    }
    free(some.no);
    return e;
}

static enum err
feed_grown(struct index *ix)
{
    struct grown *all;
    uint64_t cursor = WALK_DONE;
    enum err e = OK;

    (void)pthread_mutex_lock(&ix->mu);
    all = grown_take(&ix->grown);
    (void)pthread_mutex_unlock(&ix->mu);
    for (struct grown *g = all; g != NULL && e == OK; g = g->next)
        e = feed_session(&ix->walker.feed, g->owner, g->id);
    if (e == OK && all != NULL) /* is it still the one that we filled? */
        e = search_cursor(ix->search, &cursor);
    grown_free(all);
    if (cursor == 0) {
        (void)pthread_mutex_lock(&ix->mu);
        ix->walk = true;
        (void)pthread_mutex_unlock(&ix->mu);
    }
    return e;
}

static enum err
walk_on(struct index *ix)
{
    bool over;
    enum err e = walk_step(&ix->walker, &over);

    if (e == OK && over) {
        (void)pthread_mutex_lock(&ix->mu);
        ix->walk = ix->asked = false;
        (void)pthread_mutex_unlock(&ix->mu);
    }
    return e;
}

/* --- the job -------------------------------------------------------------- */

static bool
has_more(struct index *ix, bool ending, bool *walk)
{
    bool more;

    (void)pthread_mutex_lock(&ix->mu);
    *walk = ending ? ix->asked : ix->walk && !engine_draining(ix->en);
    more = ix->grown.first != NULL || ix->gone.n > 0 || ix->cleared.n > 0 ||
           *walk;
    (void)pthread_mutex_unlock(&ix->mu);
    return more;
}

static void
run(struct index *ix, int64_t until_ms, bool ending)
{
    enum err e = OK;
    bool walk;

    while (e == OK && has_more(ix, ending, &walk) &&
           clock_mono_ms() < until_ms) {
        e = forget(ix, &ix->gone, false);
        if (e == OK)
            e = forget(ix, &ix->cleared, true);
        if (e == OK)
            e = feed_grown(ix);
        if (e == OK && walk)
            e = walk_on(ix);
    }
    (void)pthread_mutex_lock(&ix->mu);
    ix->failed = e != OK;
    ix->walk |= e != OK;
    (void)pthread_mutex_unlock(&ix->mu);
    if (e != OK)
        log_warn("index.behind", "code=%s", err_code(e));
    if (ix->walker.feed.bytes >= TRIM_BYTES) {
        ix->walker.feed.bytes = 0;
        (void)malloc_trim(0);
    }
}

/* Worker. */
static void
index_run(void *arg)
{
    run(arg, clock_mono_ms() + SLICE_MS, false);
}

/* The first walk, and those after a failure. */
static void
on_timer(struct loop_timer *t)
{
    struct index *ix = t->arg;

    (void)pthread_mutex_lock(&ix->mu);
    ix->paused = false;
    ix->walk = true;
    unlock_and_kick(ix);
}

static void
pause_after_failure(struct index *ix)
{
    ix->retry_ms = ix->retry_ms == 0 ? RETRY_MS : 2 * ix->retry_ms;
    if (ix->retry_ms > RETRY_MAX_MS)
        ix->retry_ms = RETRY_MAX_MS;
    loop_timer_set(ix->en->loop, &ix->timer,
                   loop_now_ms(ix->en->loop) + ix->retry_ms);
}

static void
on_run(struct mail *m)
{
    struct index *ix = m->arg;
    bool failed;

    (void)pthread_mutex_lock(&ix->mu);
    ix->active = false;
    failed = ix->paused = ix->failed;
    unlock_and_kick(ix);
    if (failed)
        pause_after_failure(ix);
    else
        ix->retry_ms = 0;
}

static void
start(struct index *ix)
{
    ix->job = (struct job){.run = index_run, .arg = ix};
    ix->job.done.fn = on_run;
    ix->job.done.arg = ix;
    workers_run(ix->en->workers, &ix->job);
}

static void
on_rest(struct loop_timer *t)
{
    start(t->arg);
}

static void
on_kick(struct mail *m)
{
    struct index *ix = m->arg;
    bool asked;

    (void)pthread_mutex_lock(&ix->mu);
    asked = ix->asked;
    (void)pthread_mutex_unlock(&ix->mu);
    if (asked || engine_running(ix->en) == 0) {
        start(ix);
        return;
    }
    ix->rest.fn = on_rest;
    ix->rest.arg = ix;
    loop_timer_set(ix->en->loop, &ix->rest,
                   loop_now_ms(ix->en->loop) + REST_MS);
}

/* --- life ----------------------------------------------------------------- */

struct index *
index_new(struct engine *en)
{
    struct index *ix = xcalloc(1, sizeof(*ix));
    int n = snprintf(ix->dir, sizeof(ix->dir), "%s/search",
                     conf_str(CONF_DATA_DIR));

    if (n < 0 || (size_t)n >= sizeof(ix->dir) ||
        search_open(&ix->search, ix->dir) != OK) {
        log_error("index.open", "error=\"its name is too long\"");
        free(ix);
        return NULL;
    }
    ix->en = en;
    (void)pthread_mutex_init(&ix->mu, NULL);
    walker_init(&ix->walker, en->store, ix->search, ix->dir);
    ix->kick.fn = on_kick;
    ix->kick.arg = ix;
    ix->timer.fn = on_timer;
    ix->timer.arg = ix;
    loop_timer_set(en->loop, &ix->timer, clock_mono_ms() + START_MS);
    return ix;
}

void
index_finish(struct index *ix)
{
    if (ix != NULL && !ix->paused)
        run(ix, clock_mono_ms() + LAST_MS, true);
}

void
index_free(struct index *ix)
{
    if (ix == NULL)
        return;
    loop_timer_clear(ix->en->loop, &ix->timer);
    loop_timer_clear(ix->en->loop, &ix->rest);
    search_close(ix->search);
    grown_free(ix->grown.first);
    free(ix->gone.no);
    free(ix->cleared.no);
    (void)pthread_mutex_destroy(&ix->mu);
    free(ix);
}

/* --- looking -------------------------------------------------------------- */

enum err
index_query(struct index *ix, const struct search_ask *ask, uint64_t session_no,
            char next[SEARCH_CURSOR_MAX], search_fn *fn, void *arg, bool *whole)
{
    uint64_t cursor = 0;
    bool busy = index_busy(ix); /* before: what is added since may be missed */
    enum err e;

    *whole = false;
    next[0] = '\0';
    if (ix == NULL)
        return ERR_STORE;
    e = search_cursor(ix->search, &cursor);
    if (e == ERR_STORE) /* if it was damaged it is a new one now */
        e = search_cursor(ix->search, &cursor);
    if (e == OK)
        e = session_no == 0 ? search_query(ix->search, ask, next, fn, arg)
                            : search_query_messages(ix->search, ask, session_no,
                                                    next, fn, arg);
    if (e == ERR_STORE || (e == OK && cursor != WALK_DONE))
        want_walk(ix);
    else
        *whole = e == OK && !busy;
    return e;
}
