/*
 * The sweep. A worker looks and deletes; the loop only says when. Several
 * processes may sweep one store: who comes second finds nothing.
 */
#include "base/base.h"

#include "chat/sweep.h"

#include "base/log.h"
#include "base/mem.h"
#include "chat/core.h"
#include "chat/erase.h"

struct gone {
    char owner[STORE_OWNER_MAX + 1];
    char id[IDENT_SESSION_MAX + 1];
    uint64_t no;
};

struct sweep {
    struct engine *en;
    struct loop_timer timer;
    struct job job;
    /* the worker's while it works */
    uint64_t from; /* number of the session to go on with */
    struct gone gone[SWEEP_DELETES];
    size_t n;
    size_t deleted;
};

static void start(struct sweep *w, int64_t in_ms);

static bool
take(void *arg, const struct session *s)
{
    struct sweep *w = arg;
    struct gone *g = &w->gone[w->n];

    (void)snprintf(g->owner, sizeof(g->owner), "%s", s->owner);
    (void)snprintf(g->id, sizeof(g->id), "%s", s->id);
    g->no = s->no;
    return ++w->n < SWEEP_DELETES;
}

/* Worker. */
static void
sweep_run(void *arg)
{
    struct sweep *w = arg;
    uint64_t next = 0;

    w->n = w->deleted = 0;
    if (store_expired(w->en->store, w->from, SWEEP_LOOKS, &next, take, w) != OK)
        return;
    for (size_t i = 0; i < w->n; i++)
        if (erase(w->en, w->gone[i].owner, w->gone[i].id, w->gone[i].no,
                  ERASE_EXPIRED, NULL) == OK)
            w->deleted++;
    w->from = w->n == SWEEP_DELETES ? w->from : next;
}

static void
on_swept(struct mail *m)
{
    struct sweep *w = m->arg;

    if (w->deleted > 0)
        log_info("sweep.done", "deleted=%zu", w->deleted);
    /* Temporary ones come last, and hold memory. */
    start(w, w->deleted == SWEEP_DELETES || w->from >= STORE_NO_TEMPORARY
                 ? 0
                 : SWEEP_MS);
}

static void
on_timer(struct loop_timer *timer)
{
    struct sweep *w = timer->arg;

    (void)memset(&w->job, 0, sizeof(w->job));
    w->job.run = sweep_run;
    w->job.arg = w;
    w->job.done.fn = on_swept;
    w->job.done.arg = w;
    workers_run(w->en->workers, &w->job);
}

static void
start(struct sweep *w, int64_t in_ms)
{
    w->timer.fn = on_timer;
    w->timer.arg = w;
    loop_timer_set(w->en->loop, &w->timer, loop_now_ms(w->en->loop) + in_ms);
}

struct sweep *
sweep_new(struct engine *en)
{
    struct sweep *w = xcalloc(1, sizeof(*w));

    w->en = en;
    start(w, 0);
    return w;
}

void
sweep_free(struct sweep *w)
{
    if (w == NULL)
        return;
    loop_timer_clear(w->en->loop, &w->timer);
    free(w);
}
