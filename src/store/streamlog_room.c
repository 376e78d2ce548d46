/*
 * Room in the stream log, and what makes some: growth, and dropping streams
 * that have ended.
 *
 * LMDB needs pages even to delete. So a margin is kept that appends never
 * use: a lower bound of the free pages is kept, less the most that each
 * transaction may have taken. At the margin the free pages are counted anew
 * (the rest of the map and LMDB's list of free ones), and if there are too
 * few the map grows, or, at its ceiling or on a full disk, the oldest ended
 * streams go, whatever their grace. Turn ids are ordered by time, so the
 * oldest are at the left edge of the tree.
 *
 * Pages that a transaction frees may be used again two transactions later
 * (LMDB keeps what the last meta page but one still shows); an empty one in
 * between makes that now.
 */
#include "base/base.h"

#include "store/streamlog_env.h"

#include "base/clock.h"
#include "base/log.h"

#define DROP_STREAMS 64   /* in one transaction */
#define DROP_RECORDS 2048 /* in one transaction */
#define SWEEP_STEPS 4     /* streams looked at for each that may go */
#define RETRY_MS 100      /* between two searches for room in vain */
#define ROUNDS 16
#define DEAD_MS (24 * 3600 * 1000) /* a stream nobody ended is kept so long */

/* --- counting ----------------------------------------------------------- */

/* Free pages: behind the last used one, and in the free list. */
static enum err
count_free(struct streamlog *l, size_t *out)
{
    enum err e = streamlog_snapshot(l);
    MDB_envinfo info;
    MDB_cursor *c;
    MDB_val k, v;
    size_t n;

    if (e != OK)
        return e;
    (void)mdb_env_info(l->env, &info);
    n = info.me_mapsize / l->page - (info.me_last_pgno + 1);
    if (mdb_cursor_open(l->r, 0, &c) != 0)
        return ERR_STORE;
    while (mdb_cursor_get(c, &k, &v, MDB_NEXT) == 0) {
        size_t pages;

        memcpy(&pages, v.mv_data, sizeof(pages));
        n += pages;
    }
    mdb_cursor_close(c);
    *out = n;
    return OK;
}

/* --- dropping ----------------------------------------------------------- */

/* What stands at or after a key: its stream, and whether it can go. A stream
 * without a head is the rest of one that was dropped in part. */
struct found {
    struct ident turn;
    bool headless;
    bool readable;
    struct stream_head head;
};

static int
find_stream(MDB_cursor *c, const struct ident *from, bool past,
            struct found *out)
{
    uint8_t key[KEY_EVENT_LEN];
    MDB_val k = {sizeof(key), key}, v;
    uint32_t seq;
    int rc;

    key_event(key, from, past ? UINT32_MAX : 0);
    rc = mdb_cursor_get(c, &k, &v, MDB_SET_RANGE);
    if (rc != 0)
        return rc;
    if (key_event_read(k.mv_data, k.mv_size, &out->turn, &seq) != OK)
        return MDB_CORRUPTED;
    out->headless = seq != 0;
    out->readable = out->headless ||
                    record_head_read(v.mv_data, v.mv_size, &out->head) == OK;
    return 0;
}

static bool
may_go(const struct found *f, int64_t before_ms, int64_t dead_before_ms)
{
    if (f->headless || !f->readable)
        return true;
    if (f->head.ended)
        return f->head.ended_ms < before_ms;
    return f->head.begun_ms < dead_before_ms &&
           !process_alive(&f->head.process);
}

/* A change of nothing: makes pages freed by the last transaction usable. */
static int
empty_commit(struct streamlog *l)
{
    uint8_t key[KEY_EVENT_LEN] = {0};
    MDB_val k = {sizeof(key), key}, v = {1, key};
    int rc = streamlog_begin(l);

    if (rc == 0)
        rc = mdb_cursor_put(l->wc, &k, &v, 0);
    if (rc == 0)
        rc = mdb_cursor_del(l->wc, 0);
    if (rc == 0) {
        l->dirty = true;
        return streamlog_commit_now(l);
    }
    streamlog_abort(l);
    return rc;
}

/* One transaction that drops ended streams from the left edge on. *n is how
 * many records went. */
static int
drop_some(struct streamlog *l, size_t *n)
{
    size_t budget = DROP_RECORDS, streams = 0;
    struct ident at = {{0}};
    bool past = false;
    int rc = streamlog_begin(l);

    *n = 0;
    while (rc == 0 && budget > 0 && streams < DROP_STREAMS) {
        struct found f;

        rc = find_stream(l->wc, &at, past, &f);
        if (rc != 0)
            break;
        at = f.turn;
        past = true;
        if (!may_go(&f, INT64_MAX, INT64_MIN))
            continue;
        rc = streamlog_delete(l, &f.turn, &budget);
        streams++;
    }
    if (rc != 0 && rc != MDB_NOTFOUND) {
        streamlog_abort(l);
        return rc;
    }
    *n = DROP_RECORDS - budget;
    if (*n == 0) {
        streamlog_abort(l);
        return 0;
    }
    rc = streamlog_commit_now(l);
    if (rc == 0) {
        l->stats.drops += streams;
        log_warn("streams.dropped", "why=full streams=%zu records=%zu", streams,
                 *n);
        rc = empty_commit(l);
    }
    return rc;
}

/* --- room --------------------------------------------------------------- */

/* One step: grow, or drop. OK: worth counting again. */
static enum err
make_room(struct streamlog *l, size_t pages)
{
    size_t n;
    int rc;
    enum err e;

    streamlog_rest(l);
    e = streamlog_grow(l, pages * l->page);
    if (e != ERR_FULL)
        return e;
    rc = drop_some(l, &n);
    if (rc != 0 && rc != MDB_MAP_FULL) {
        log_error("streams.drop", "error=\"%s\"", mdb_strerror(rc));
        return ERR_STORE;
    }
    return rc == 0 && n > 0 ? OK : ERR_FULL;
}

enum err
streamlog_room(struct streamlog *l, size_t pages, bool force)
{
    size_t need = pages + STREAMLOG_MARGIN;
    enum err e = OK;

    assert(l->w == NULL);
    if (!force && l->free_pages >= need)
        return OK;
    if (l->env == NULL)
        return ERR_STORE;
    for (int i = 0; i < ROUNDS; i++) {
        if (!force) {
            e = count_free(l, &l->free_pages);
            if (e != OK || l->free_pages >= need)
                return e;
        }
        if (clock_mono_ms() < l->room_retry_ms)
            return ERR_FULL;
        e = make_room(l, need);
        if (e != OK)
            break;
        force = false;
    }
    if (e == ERR_FULL)
        l->room_retry_ms = clock_mono_ms() + RETRY_MS;
    return e == OK ? ERR_FULL : e;
}

/* --- sweeping ----------------------------------------------------------- */

/* Drop one stream in the transaction of this turn of the loop. */
static bool
sweep_one(struct streamlog *l, const struct ident *turn, size_t *budget)
{
    int rc = streamlog_begin(l);

    if (rc == 0)
        rc = streamlog_delete(l, turn, budget);
    if (rc == 0)
        return true;
    /* Not now; but what others appended stands. */
    if (l->w != NULL && streamlog_redo(l) != 0)
        l->lost = true;
    return false;
}

/* streamlog_after, of what is on disk. */
static enum err
after_on_disk(struct streamlog *l, struct ident *turn, struct stream_head *out)
{
    struct found f;
    int rc;

    do {
        if (streamlog_snapshot(l) != OK)
            return ERR_STORE;
        l->at_event = false;
        rc = find_stream(l->rc, turn, true, &f);
        if (rc != 0)
            return rc == MDB_NOTFOUND ? ERR_NOTFOUND : ERR_STORE;
        *turn = f.turn;
    } while (f.headless || !f.readable);
    *out = f.head;
    return OK;
}

enum err
streamlog_after(struct streamlog *l, struct ident *turn,
                struct stream_head *out)
{
    struct ident kept = *turn;
    struct stream_head head;
    enum err in_memory = memory_streams_after(l->memory, &kept, &head);
    enum err e = after_on_disk(l, turn, out);

    if (in_memory == OK &&
        (e == ERR_NOTFOUND ||
         (e == OK && memcmp(kept.b, turn->b, sizeof(kept.b)) < 0))) {
        *turn = kept;
        *out = head;
        return OK;
    }
    return e;
}

size_t
streamlog_sweep(struct streamlog *l, int64_t wall_ms, size_t max)
{
    size_t budget = DROP_RECORDS;
    size_t dropped = memory_streams_sweep(l->memory, wall_ms - l->conf.grace_ms,
                                          max);
    bool past = false;

    for (size_t i = 0; i < max * SWEEP_STEPS + SWEEP_STEPS; i++) {
        struct found f;
        int rc;

        if (dropped == max || budget == 0 || streamlog_snapshot(l) != OK)
            break;
        l->at_event = false;
        rc = find_stream(l->rc, &l->sweep_at, past, &f);
        if (rc != 0) { /* the end: begin again next time */
            l->sweep_at = (struct ident){{0}};
            break;
        }
        l->sweep_at = f.turn;
        past = true;
        if (!may_go(&f, wall_ms - l->conf.grace_ms, wall_ms - DEAD_MS))
            continue;
        if (!sweep_one(l, &f.turn, &budget))
            break;
        if (!f.headless)
            dropped++;
    }
    l->stats.drops += dropped;
    return dropped;
}
