/*
 * The sweep. A worker looks and deletes; the loop only says when. Several
 * processes may sweep one store: who comes second finds nothing.
 *
 * Temporary sessions hold memory that others wait for, so each step looks at
 * them first, however far it has come with those on disk. The upkeep of the
 * ledger (chat/charge.h) is done on the way.
 */
#include "base/base.h"

#include "chat/sweep.h"

#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/mem.h"
#include "chat/charge.h"
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
    uint64_t from;      /* number of the session to go on with */
    uint64_t temporary; /* likewise, of temporary ones */
    struct gone gone[SWEEP_DELETES];
    size_t n;
    size_t deleted;
    bool full;                   /* there may be more to do at once */
    struct charge_sweep charges; /* what dead processes left */
    uint32_t pruned;             /* the day on which the ledger was */
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

/* A step through the sessions from a number on. */
static void
sweep_from(struct sweep *w, uint64_t *from)
{
    uint64_t next = 0;
    size_t deleted = 0;

    w->n = 0;
    if (store_expired(w->en->store, *from, SWEEP_LOOKS, &next, take, w) != OK)
        return;
    for (size_t i = 0; i < w->n; i++)
        if (erase(w->en, w->gone[i].owner, w->gone[i].id, w->gone[i].no,
                  ERASE_EXPIRED, NULL) == OK)
            deleted++;
    if (w->n < SWEEP_DELETES)
        *from = next;
    w->full |= deleted == SWEEP_DELETES;
    w->deleted += deleted;
}

/* Once a day, until nothing is left to be taken away. */
static void
prune(struct sweep *w)
{
    int64_t now_ms = clock_wall_ms();
    bool more;

    if (w->pruned == ledger_day(now_ms) ||
        charge_prune(w->en->store, now_ms, conf_int(CONF_LEDGER_KEEP_DAYS),
                     &more) != OK)
        return;
    w->full |= more;
    if (!more)
        w->pruned = ledger_day(now_ms);
}

/* Worker. */
static void
sweep_run(void *arg)
{
    struct sweep *w = arg;

    w->deleted = 0;
    charge_sweep(w->en->store, &w->charges);
    w->full = w->charges.more;
    prune(w);
    sweep_from(w, &w->temporary);
    if (w->temporary == 0)
        w->temporary = STORE_NO_TEMPORARY;
    else
        w->full |= w->temporary > STORE_NO_TEMPORARY;
    sweep_from(w, &w->from);
    if (w->from >= STORE_NO_TEMPORARY)
        w->from = 0; /* those were looked at */
}

static void
on_swept(struct mail *m)
{
    struct sweep *w = m->arg;

    if (w->deleted > 0)
        log_info("sweep.done", "deleted=%zu", w->deleted);
    if (w->charges.settled > 0)
        log_warn("sweep.settled", "reserves=%zu", w->charges.settled);
    for (size_t i = 0; i < w->charges.n_open; i++)
        mend_turn(w->en, NULL, &w->charges.open[i], NULL);
    start(w, w->full ? 0 : SWEEP_MS);
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
    w->temporary = STORE_NO_TEMPORARY;
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
