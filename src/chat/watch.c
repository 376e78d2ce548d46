/*
 * Waking those who watch sessions. The committer's thread and the loop share a
 * small array: how many watch a session whose id falls into a bucket, and which
 * buckets changed. So a commit costs a load where nobody watches, and a letter
 * where somebody does; who shares the bucket is woken in vain. A watch is
 * counted before it looks at the store, and a change is in the store before
 * its bucket is looked at: one of both sees the other.
 *
 * Other processes' commits do not say what they changed: all are woken. The
 * time when a session's time is over wakes nobody; who watches looks now and
 * then.
 */
#include "base/base.h"

#include "chat/watch.h"

#include <stdatomic.h>

#include "base/mem.h"
#include "base/metric.h"
#include "chat/core.h"
#include "chat/index.h"

#define BUCKETS 256 /* power of two */
#define POLL_MS 100 /* how often others' commits are looked for */

struct watches {
    struct engine *en;
    struct watch *heads[BUCKETS];
    size_t n;
    bool stopped;
    struct loop_timer poll;
    uint64_t others; /* commits of other processes seen */
    struct mail mail;
    /* shared with the committer */
    atomic_uint watched[BUCKETS];
    atomic_bool changed[BUCKETS];
    atomic_bool posted; /* the letter is on its way */
};

static unsigned
bucket_of(const char *id)
{
    uint32_t h = 2166136261u; /* FNV-1a */

    for (; *id != '\0'; id++)
        h = (h ^ (uint8_t)*id) * 16777619u;
    return (h ^ (h >> 16)) % BUCKETS;
}

/* --- in this process ------------------------------------------------------ */

/* Committer. Who watches is woken once for any number of changes. */
static void
note(struct watches *ws, const char *session_id)
{
    unsigned b = bucket_of(session_id);

    if (atomic_load(&ws->watched[b]) == 0 ||
        atomic_exchange(&ws->changed[b], true))
        return;
    if (!atomic_exchange(&ws->posted, true))
        loop_post(ws->en->loop, &ws->mail);
}

/* Those who watch a session for its old owner see it end; the words in it are
 * to be found by the new one. */
static void
on_given(struct watches *ws, const struct store_op *op)
{
    for (uint32_t i = 0; i < op->owner_change.n; i++) {
        note(ws, op->owner_change.moved[i]);
        index_grown(ws->en->index, op->owner_change.to,
                    op->owner_change.moved[i]);
    }
}

/* Committer. What is said about a session, but not in it, is nobody's news. */
static void
on_change(void *arg, const struct store_op *op)
{
    struct watches *ws = arg;

    if (op->kind == STORE_SESSION_OWNER)
        on_given(ws, op);
    if (op->kind == STORE_SESSION_OWNER || op->kind == STORE_PROBE ||
        op->kind == STORE_SESSION_SUMMARY || op->kind == STORE_MESSAGE_EXTRA ||
        op->session_id == NULL)
        return;
    note(ws, op->session_id);
}

static void
wake_bucket(struct watches *ws, unsigned b)
{
    struct watch *next;

    for (struct watch *w = ws->heads[b]; w != NULL; w = next) {
        next = w->next;
        w->calls->wake(w);
    }
}

static void
on_letter(struct mail *m)
{
    struct watches *ws = m->arg;

    atomic_store(&ws->posted, false);
    for (unsigned b = 0; b < BUCKETS; b++)
        if (atomic_load(&ws->changed[b])) {
            atomic_store(&ws->changed[b], false);
            wake_bucket(ws, b);
        }
}

/* --- in other processes --------------------------------------------------- */

static void
poll_set(struct watches *ws)
{
    loop_timer_set(ws->en->loop, &ws->poll,
                   loop_now_ms(ws->en->loop) + POLL_MS);
}

static uint64_t
others(struct watches *ws)
{
    struct store_stats st;

    store_stats(ws->en->store, &st);
    return st.others;
}

static void
on_poll(struct loop_timer *t)
{
    struct watches *ws = t->arg;
    uint64_t now = others(ws);

    if (now > ws->others) { /* for a moment it may be told too low */
        ws->others = now;
        for (unsigned b = 0; b < BUCKETS; b++)
            wake_bucket(ws, b);
    }
    if (ws->n > 0)
        poll_set(ws);
}

/* --- coming and going ----------------------------------------------------- */

enum err
watch_join(struct engine *en, struct watch *w, const char *session_id)
{
    struct watches *ws = en->watches;

    if (ws->n >= en->capacity || engine_descriptors_left(en) == 0)
        return ERR_BUSY;
    if (ws->n++ == 0) {
        ws->others = others(ws);
        poll_set(ws);
    }
    w->bucket = bucket_of(session_id);
    w->prev = NULL;
    w->next = ws->heads[w->bucket];
    if (w->next != NULL)
        w->next->prev = w;
    ws->heads[w->bucket] = w;
    (void)atomic_fetch_add(&ws->watched[w->bucket], 1);
    metric_add(METRIC_READERS, 1);
    if (ws->stopped)
        w->calls->stop(w);
    return OK;
}

void
watch_leave(struct engine *en, struct watch *w)
{
    struct watches *ws = en->watches;

    if (w->prev != NULL)
        w->prev->next = w->next;
    else
        ws->heads[w->bucket] = w->next;
    if (w->next != NULL)
        w->next->prev = w->prev;
    (void)atomic_fetch_sub(&ws->watched[w->bucket], 1);
    if (--ws->n == 0)
        loop_timer_clear(en->loop, &ws->poll);
    en->busy_ms = loop_now_ms(en->loop);
    metric_add(METRIC_READERS, -1);
}

struct watches *
watches_new(struct engine *en)
{
    struct watches *ws = xcalloc(1, sizeof(*ws));

    ws->en = en;
    ws->poll.fn = on_poll;
    ws->poll.arg = ws;
    ws->mail.fn = on_letter;
    ws->mail.arg = ws;
    store_on_change(en->store, on_change, ws);
    return ws;
}

size_t
watches_count(const struct watches *ws)
{
    return ws->n;
}

void
watches_stop(struct watches *ws)
{
    struct watch *next;

    ws->stopped = true;
    for (unsigned b = 0; b < BUCKETS; b++)
        for (struct watch *w = ws->heads[b]; w != NULL; w = next) {
            next = w->next;
            w->calls->stop(w);
        }
}

void
watches_free(struct watches *ws)
{
    if (ws == NULL)
        return;
    for (unsigned b = 0; b < BUCKETS; b++)
        while (ws->heads[b] != NULL)
            ws->heads[b]->calls->drop(ws->heads[b]);
    loop_timer_clear(ws->en->loop, &ws->poll);
    free(ws);
}
