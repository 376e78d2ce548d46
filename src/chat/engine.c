/*
 * The engine: opens everything in order, runs the loop, takes what the
 * acceptors post, and stops without losing a turn. It holds no turn logic (see
 * turn.c) and knows no HTTP. All of it runs on the loop thread but for the
 * posting functions.
 */
#include "base/base.h"

#include "chat/engine.h"

#include <sys/resource.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/metric.h"
#include "chat/command_key.h"
#include "chat/core.h"
#include "chat/file_embed.h"
#include "chat/index.h"
#include "chat/relay.h"
#include "chat/summary.h"
#include "chat/sweep.h"
#include "chat/titles.h"
#include "chat/watch.h"

#define FDS_PER_TURN 2    /* the reader's and the provider's */
#define FDS_RESERVED 256  /* store, sockets, acceptors */
#define CUT_GRACE_MS 2000 /* from cutting turns to giving up on them */
#define STOP_POLL_MS 50   /* for wishes to cancel, and orphans */
#define DRAIN_POLL_MS 20

/* --- opening and closing ------------------------------------------------- */

/* Descriptors decide how many turns can run: raise the soft limit. */
static size_t
turn_capacity(size_t *descriptors)
{
    struct rlimit lim;
    int64_t set = conf_int(CONF_MAX_STREAMS);
    size_t n;

    *descriptors = FDS_RESERVED;
    if (getrlimit(RLIMIT_NOFILE, &lim) != 0)
        return set > 0 ? (size_t)set : 256;
    lim.rlim_cur = lim.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &lim);
    (void)getrlimit(RLIMIT_NOFILE, &lim);
    n = lim.rlim_cur > 2 * FDS_RESERVED
            ? (size_t)(lim.rlim_cur - FDS_RESERVED) / FDS_PER_TURN
            : FDS_RESERVED / FDS_PER_TURN;
    *descriptors = n * FDS_PER_TURN;
    return set > 0 && (size_t)set < n ? (size_t)set : n;
}

static void
on_orphan(void *arg, const struct ident *turn)
{
    mend_turn(arg, NULL, turn, NULL);
}

static bool
flush_turns(struct loop_hook *hook)
{
    struct engine *en = hook->arg;
    bool any = en->dirty != NULL;

    while (en->dirty != NULL) {
        struct turn *t = en->dirty;

        en->dirty = t->dirty_next;
        t->dirty = false;
        turn_flush(t);
    }
    return any;
}

static enum err
open_stores(struct engine *en)
{
    const char *data = conf_str(CONF_DATA_DIR);
    struct store_config sc = {.dir = NULL};
    struct streamlog_config lc = {.dir = NULL};
    char dir[4096];
    enum err e;

    if ((size_t)snprintf(dir, sizeof(dir), "%s/store", data) >= sizeof(dir))
        return ERR_STORE;
    sc.dir = dir;
    sc.map_bytes = (size_t)conf_int(CONF_STORE_MAP_MIB) << 20;
    sc.session_ttl_ms = 1000 * conf_int(CONF_SESSION_TTL);
    sc.temporary_ttl_ms = 1000 * conf_int(CONF_TEMPORARY_TTL);
    budget_init(&en->temporary, (size_t)conf_int(CONF_TEMPORARY_MIB) << 20);
    if (en->temporary.max > 0)
        sc.temporary = &en->temporary;
    e = store_open(&en->store, &sc);
    if (e != OK)
        return e;
    (void)snprintf(dir, sizeof(dir), "%s/streams", data);
    lc.dir = dir;
    lc.map_max = (size_t)conf_int(CONF_STREAM_LOG_MIB) << 20;
    lc.grace_ms = conf_int(CONF_STREAM_GRACE_MS);
    lc.temporary = sc.temporary;
    e = streamlog_open(&en->log, &lc);
    return e == OK ? allowances_open(&en->allowances) : e;
}

static void
read_settings(struct engine *en)
{
    en->system_prompt = conf_str(CONF_SYSTEM_PROMPT);
    en->orphan_ms = conf_int(CONF_ORPHAN_MS);
    en->gen = (struct generator_config){
        .loop = en->loop,
        .transfers = en->transfers,
        .workers = en->workers,
        .limits =
            {
                .connect_ms = (int)conf_int(CONF_UPSTREAM_CONNECT_MS),
                .first_byte_ms = (int)conf_int(CONF_UPSTREAM_FIRST_BYTE_MS),
                .idle_ms = (int)conf_int(CONF_UPSTREAM_IDLE_MS),
                .total_ms = (int)conf_int(CONF_UPSTREAM_TOTAL_MS),
            },
        .retries = (int)conf_int(CONF_UPSTREAM_RETRIES),
        .offline_delay_ms = conf_int(CONF_OFFLINE_DELAY_MS),
        .circuits = en->circuits,
        .cache = en->cache,
    };
    en->sessions_max = (uint64_t)conf_int(CONF_MAX_SESSIONS);
    en->messages_max = (uint32_t)conf_int(CONF_MAX_MESSAGES);
}

/* NULL: answers are not kept. */
static struct cache *
open_cache(void)
{
    struct cache_config c = {
        .max = (size_t)conf_int(CONF_CACHE_MIB) << 20,
        .ttl_ms = 1000 * conf_int(CONF_CACHE_TTL_S),
        .shared = conf_int(CONF_CACHE_SHARED) != 0,
    };

    return c.ttl_ms > 0 ? cache_new(&c) : NULL;
}

enum err
engine_open(struct engine **out)
{
    struct engine *en = xcalloc(1, sizeof(*en));
    struct hub_config hc = {.loop = NULL};
    enum err e;

    *out = en;
    (void)pthread_mutex_init(&en->call_mu, NULL);
    en->loop = loop_new();
    e = open_stores(en);
    if (e != OK) {
        engine_close(en);
        *out = NULL;
        return e;
    }
    en->capacity = turn_capacity(&en->descriptors);
    en->workers = workers_new((unsigned)conf_int(CONF_WORKERS), en->loop);
    en->transfers = transfers_new(en->loop);
    en->circuits = circuits_new(conf_int(CONF_CIRCUIT_OPEN_MS));
    en->cache = open_cache();
    en->scales = token_scales_new();
    transfers_trust(en->transfers, conf_str(CONF_UPSTREAM_CA));
    en->keys = command_keys_new();
    en->sessions = sessions_new((size_t)conf_int(CONF_SESSION_QUEUE_MAX));
    /* Turns put their text into the log before the hub commits and reads. */
    en->hook.fn = flush_turns;
    en->hook.arg = en;
    loop_hook_add(en->loop, &en->hook);
    en->relays = relays_new(en);
    hc.loop = en->loop;
    hc.log = en->log;
    hc.ping_ms = conf_int(CONF_PING_MS);
    hc.orphan = on_orphan;
    hc.arg = en;
    en->hub = hub_new(&hc);
    read_settings(en);
    en->summaries = asides_new(en, &summary_kind);
    en->titles = asides_new(en, &title_kind);
    en->sweep = sweep_new(en);
    en->watches = watches_new(en);
    en->index = index_new(en);
    en->busy_ms = clock_mono_ms();
    return OK;
}

void
engine_close(struct engine *en)
{
    if (en == NULL)
        return;
    workers_free(en->workers);
    index_finish(en->index);
    store_close(en->store);
    en->closed = true;
    if (en->loop != NULL)
        loop_drop_mail(en->loop); /* of the threads that ended just now */
    while (en->turns != NULL)     /* what the drain left */
        turn_abandon(en->turns);
    relays_free(en->relays);
    asides_free(en->summaries);
    asides_free(en->titles);
    sweep_free(en->sweep);
    watches_free(en->watches);
    index_free(en->index);
    mend_close(en);
    transfers_free(en->transfers);
    circuits_free(en->circuits);
    cache_free(en->cache);
    command_keys_free(en->keys);
    token_scales_free(en->scales);
    allowances_free(en->allowances);
    hub_free(en->hub);
    while (en->holds != NULL)
        en->holds->drop(en->holds);
    file_embed_free(en->file_embed);
    streamlog_close(en->log);
    loop_free(en->loop);
    (void)pthread_mutex_destroy(&en->call_mu);
    sessions_free(en->sessions);
    free(en);
}

void
engine_run(struct engine *en)
{
    mend_all_left(en);
    loop_run(en->loop);
    (void)pthread_mutex_lock(&en->call_mu);
    en->over = true;
    (void)pthread_mutex_unlock(&en->call_mu);
    loop_drop_mail(en->loop); /* acceptors may wait for it */
}

struct loop *
engine_loop(struct engine *en)
{
    return en->loop;
}

struct index *
engine_index(struct engine *en)
{
    return en->index;
}

struct store *
engine_store(struct engine *en)
{
    return en->store;
}

/* --- turns come and go --------------------------------------------------- */

/* Cancel what nobody follows any more, if that is wished. */
static void
cancel_orphans(struct engine *en)
{
    int64_t now_ms = loop_now_ms(en->loop);

    for (struct turn *t = en->turns, *next; t != NULL; t = next) {
        next = t->next;
        if (t->stream == NULL || stream_first_reader(t->stream) != NULL)
            t->alone_ms = 0;
        else if (t->alone_ms == 0)
            t->alone_ms = now_ms;
        else if (now_ms - t->alone_ms >= en->orphan_ms &&
                 t->finish == FINISH_NONE)
            turn_cancel(t);
    }
}

static void
cancel_wished(struct engine *en)
{
    struct stream_head head;

    for (struct turn *t = en->turns, *next; t != NULL; t = next) {
        next = t->next;
        if (t->step == TURN_RUNNING && t->begun &&
            streamlog_head(en->log, &t->id, &head) == OK && head.stop)
            turn_cancel(t);
    }
    streamlog_rest(en->log);
}

static void
stop_poll(struct loop_timer *timer)
{
    struct engine *en = timer->arg;

    if (en->orphan_ms > 0)
        cancel_orphans(en);
    if (streamlog_others(en->log))
        cancel_wished(en);
    if (en->turns != NULL)
        loop_timer_set(en->loop, timer, loop_now_ms(en->loop) + STOP_POLL_MS);
}

size_t
engine_descriptors_left(const struct engine *en)
{
    size_t used = FDS_PER_TURN * atomic_load(&en->running) +
                  watches_count(en->watches);

    return used < en->descriptors ? en->descriptors - used : 0;
}

bool
engine_full(const struct engine *en)
{
    return atomic_load(&en->running) >= en->capacity ||
           engine_descriptors_left(en) < FDS_PER_TURN;
}

void
engine_turn_begun(struct engine *en)
{
    atomic_fetch_add(&en->running, 1);
    if (en->stop_poll.slot == 0) {
        en->stop_poll.fn = stop_poll;
        en->stop_poll.arg = en;
        loop_timer_set(en->loop, &en->stop_poll,
                       loop_now_ms(en->loop) + STOP_POLL_MS);
    }
    metric_add(METRIC_TURNS, 1);
    metric_add(METRIC_TURNS_RUNNING, 1);
}

void
engine_turn_over(struct engine *en)
{
    atomic_fetch_sub(&en->running, 1);
    metric_add(METRIC_TURNS_RUNNING, -1);
    en->busy_ms = loop_now_ms(en->loop);
}

static void
drain_poll(struct loop_timer *timer)
{
    struct engine *en = timer->arg;
    int64_t now_ms = loop_now_ms(en->loop);

    if (en->turns == NULL && en->mends == NULL && en->holds == NULL &&
        metric_get(METRIC_READERS) == 0) {
        loop_stop(en->loop);
        return;
    }
    if (now_ms >= en->drain_deadline_ms) {
        for (struct turn *t = en->turns, *next; t != NULL; t = next) {
            next = t->next;
            turn_cut(t);
        }
        relays_cut(en->relays);
    }
    if (now_ms >= en->drain_deadline_ms + CUT_GRACE_MS) {
        log_warn("engine.drain", "left=%zu", atomic_load(&en->running));
        loop_stop(en->loop);
        return;
    }
    loop_timer_set(en->loop, timer, now_ms + DRAIN_POLL_MS);
}

void
engine_drain(struct engine *en, int64_t deadline_ms)
{
    if (atomic_exchange(&en->draining, true))
        return;
    en->drain_deadline_ms = loop_now_ms(en->loop) + deadline_ms;
    en->drain_timer.fn = drain_poll;
    en->drain_timer.arg = en;
    loop_timer_set(en->loop, &en->drain_timer, loop_now_ms(en->loop));
    watches_stop(en->watches);
    asides_cut(en->summaries);
    asides_cut(en->titles);
    file_embed_stop(en->file_embed);
}

void
engine_hold(struct engine *en, struct engine_hold *h)
{
    h->prev = NULL;
    h->next = en->holds;
    if (h->next != NULL)
        h->next->prev = h;
    en->holds = h;
}

void
engine_release(struct engine *en, struct engine_hold *h)
{
    if (h->prev != NULL)
        h->prev->next = h->next;
    else
        en->holds = h->next;
    if (h->next != NULL)
        h->next->prev = h->prev;
}

bool
engine_draining(const struct engine *en)
{
    return atomic_load(&en->draining);
}

size_t
engine_running(struct engine *en)
{
    return atomic_load(&en->running);
}

uint64_t
engine_sessions_max(const struct engine *en)
{
    return en->sessions_max;
}

size_t
engine_capacity(const struct engine *en)
{
    return en->capacity;
}

int64_t
engine_idle_ms(const struct engine *en)
{
    if (en->turns != NULL || en->holds != NULL ||
        metric_get(METRIC_READERS) > 0 || asides_busy(en->summaries) ||
        asides_busy(en->titles) || index_busy(en->index) ||
        file_embed_busy(en->file_embed) ||
        budget_used(&en->temporary) > 0) /* it would end with us */
        return 0;
    return loop_now_ms(en->loop) - en->busy_ms;
}

void
engine_log_stats(struct engine *en, struct streamlog_stats *out)
{
    streamlog_stats(en->log, out);
}
