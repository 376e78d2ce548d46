/*
 * Writing the stream log. Appends of one turn of the loop go into one write
 * transaction, kept open from the first append to streamlog_commit: then a
 * commit is a few stores into the map, and no append costs a system call.
 *
 * LMDB gives up a transaction in which it ran out of pages, with all that was
 * in it. But earlier appends must stand when a later one finds no room, so
 * each is also kept in memory until the commit: the transaction is aborted,
 * room is made, and everything is done again.
 *
 *   streamlog_file.c    the files: locks, trust, growth
 *   streamlog_room.c    free pages, dropping, sweeping
 *   streamlog_read.c    readers
 *   streamlog_memory.c  streams of temporary sessions, which are in none of it
 */
#include "base/base.h"

#include "store/streamlog_env.h"

#include "base/clock.h"
#include "base/log.h"

#define REDO_BYTES (8 * 1024 * 1024) /* more than this is committed early */
#define REDO_COUNT 16384             /* LMDB bounds the pages of one */
#define REDO_KEEP (256 * 1024)       /* bytes of it that stay allocated */
#define TRIES 16

/* What may have to be done again. The record follows the entry. */
enum redo_kind { REDO_HEAD, REDO_EVENT, REDO_DROP };
struct redo {
    uint32_t kind;
    uint32_t len; /* of the record */
    uint8_t key[KEY_EVENT_LEN];
};

_Static_assert(sizeof(struct redo) == 8 + KEY_EVENT_LEN, "no padding");

/* --- the transaction ---------------------------------------------------- */

static size_t
tree_pages(const struct streamlog *l)
{
    MDB_stat st;

    if (mdb_stat(l->w, l->dbi, &st) != 0)
        return 0;
    return st.ms_branch_pages + st.ms_leaf_pages + st.ms_overflow_pages;
}

/* New pages of the tree, and copies of old ones: no write copies more than a
 * leaf and a branch that were not copied yet, and no page is copied twice. */
static size_t
used_pages(const struct streamlog *l)
{
    size_t now, copied;

    if (l->w == NULL)
        return 0;
    now = tree_pages(l);
    copied = 2 * l->writes < l->tree_pages ? 2 * l->writes : l->tree_pages;
    return copied + (now > l->tree_pages ? now - l->tree_pages : 0);
}

int
streamlog_begin(struct streamlog *l)
{
    int rc = MDB_PANIC;

    if (l->w != NULL)
        return 0;
    for (int i = 0; i < TRIES && l->env != NULL; i++) {
        rc = mdb_txn_begin(l->env, NULL, 0, &l->w);
        if (rc == 0) {
            rc = mdb_cursor_open(l->w, l->dbi, &l->wc);
            if (rc != 0)
                streamlog_abort(l);
            else
                l->tree_pages = tree_pages(l);
            l->writes = l->bound = 0;
            l->dirty = false;
            return rc;
        }
        l->w = NULL;
        if (rc != MDB_MAP_RESIZED)
            break;
        streamlog_rest(l);
        if (streamlog_adopt(l) != OK)
            break;
    }
    return rc;
}

void
streamlog_abort(struct streamlog *l)
{
    if (l->w != NULL)
        mdb_txn_abort(l->w); /* and its cursor */
    l->w = NULL;
    l->wc = NULL;
}

int
streamlog_commit_now(struct streamlog *l)
{
    uint64_t id = mdb_txn_id(l->w);
    int rc = mdb_txn_commit(l->w);

    l->w = NULL;
    l->wc = NULL;
    if (rc == 0 && l->dirty) {
        l->own_txnid = id;
        l->commits++;
    }
    return rc;
}

int
streamlog_delete(struct streamlog *l, const struct ident *turn, size_t *budget)
{
    uint8_t key[KEY_EVENT_LEN];
    MDB_val k = {sizeof(key), key}, v;
    int rc;

    key_event(key, turn, 0);
    for (rc = mdb_cursor_get(l->wc, &k, &v, MDB_SET_RANGE); rc == 0;
         rc = mdb_cursor_get(l->wc, &k, &v, MDB_NEXT)) {
        struct ident whose;
        uint32_t seq;

        if (key_event_read(k.mv_data, k.mv_size, &whose, &seq) != OK)
            return MDB_CORRUPTED;
        if (!ident_eq(&whose, turn) || *budget == 0)
            return 0;
        --*budget;
        l->writes++;
        l->bound++;
        rc = mdb_cursor_del(l->wc, 0);
        if (rc != 0)
            return rc;
        l->dirty = true;
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Write one entry into the transaction. */
static int
execute(struct streamlog *l, const struct redo *r, const void *record)
{
    MDB_val k = {KEY_EVENT_LEN, (void *)(uintptr_t)r->key};
    MDB_val v = {r->len, (void *)(uintptr_t)record};
    size_t all = SIZE_MAX;
    struct ident turn;
    int rc;

    if (r->kind == REDO_DROP) {
        memcpy(turn.b, r->key, sizeof(turn.b));
        return streamlog_delete(l, &turn, &all);
    }
    l->writes++;
    rc = mdb_cursor_put(l->wc, &k, &v,
                        r->kind == REDO_EVENT ? MDB_NOOVERWRITE : 0);
    if (rc == 0)
        l->dirty = true;
    return rc;
}

int
streamlog_redo(struct streamlog *l)
{
    int rc;

    streamlog_abort(l);
    rc = streamlog_begin(l);
    for (size_t at = 0; at < l->redo.len && rc == 0;) {
        struct redo r;

        memcpy(&r, l->redo.data + at, sizeof(r));
        rc = execute(l, &r, l->redo.data + at + sizeof(r));
        at += sizeof(r) + r.len;
    }
    if (rc != 0)
        streamlog_abort(l);
    else
        l->bound = used_pages(l);
    return rc;
}

static void
redo_clear(struct streamlog *l)
{
    buf_clear(&l->redo);
    buf_trim(&l->redo, REDO_KEEP);
    l->redo_count = 0;
}

static enum err
failed(const char *what, int rc)
{
    log_error("streams.failed", "at=%s error=\"%s\"", what, mdb_strerror(rc));
    return ERR_STORE;
}

/* Make room for what the transaction has taken and some pages more, and do
 * everything again, the newest entry included. */
static enum err
redo_with_room(struct streamlog *l, size_t pages, bool force)
{
    pages += used_pages(l);
    for (int i = 0; i < TRIES; i++) {
        enum err e;
        int rc;

        streamlog_abort(l);
        e = streamlog_room(l, pages, force);
        if (e != OK)
            return e;
        rc = streamlog_redo(l);
        if (rc == 0)
            return OK;
        if (rc == MDB_KEYEXIST || rc == MDB_TXN_FULL) /* another's, meanwhile */
            return rc == MDB_TXN_FULL ? ERR_FULL : ERR_CONFLICT;
        if (rc != MDB_MAP_FULL)
            return failed("redo", rc);
        force = true;
    }
    return ERR_FULL;
}

/* --- appending ---------------------------------------------------------- */

/* The most pages that writing a record of n bytes may take: its leaf and a
 * split of it, a branch now and then, and pages of its own if it is long. */
static size_t
pages_of(const struct streamlog *l, size_t n)
{
    return 3 + n / l->page;
}

/* Keep an entry: the place of its record, for the caller to fill; or NULL. */
static char *
redo_add(struct streamlog *l, enum redo_kind kind, const struct ident *turn,
         uint32_t seq, size_t len)
{
    char *room = buf_room(&l->redo, sizeof(struct redo) + len);
    struct redo r = {.kind = kind, .len = (uint32_t)len};

    if (room == NULL)
        return NULL;
    key_event(r.key, turn, seq);
    memcpy(room, &r, sizeof(r));
    l->redo.len += sizeof(r) + len;
    l->redo_count++;
    return room + sizeof(r);
}

/* The newest entry could not be done: without it, then. */
static void
redo_remove(struct streamlog *l, size_t mark)
{
    l->redo.len = mark;
    l->redo_count--;
    if (l->w == NULL && l->redo_count > 0 && streamlog_redo(l) != 0) {
        log_error("streams.lost", "entries=%u", (unsigned)l->redo_count);
        l->lost = true;
    }
}

static int
execute_at(struct streamlog *l, size_t mark)
{
    struct redo r;
    int rc = streamlog_begin(l);

    memcpy(&r, l->redo.data + mark, sizeof(r));
    return rc != 0 ? rc : execute(l, &r, l->redo.data + mark + sizeof(r));
}

/* Are so many pages free, and the margin? Counted only if the bound fails. */
static bool
roomy(const struct streamlog *l, size_t pages)
{
    size_t need = pages + STREAMLOG_MARGIN;

    if (l->free_pages >= need + (l->w == NULL ? 0 : l->bound))
        return true;
    return l->free_pages >= need + used_pages(l);
}

/* Do the newest entry, which begins at mark. */
static enum err
write_newest(struct streamlog *l, size_t mark, size_t pages)
{
    enum err e;
    int rc;

    if (l->w == NULL && streamlog_txnid(l) != l->own_txnid)
        l->free_pages = 0; /* another process took some: count again */
    if (!roomy(l, pages)) {
        if (l->w != NULL && clock_mono_ms() < l->room_retry_ms) {
            redo_remove(l, mark); /* full, as it was a moment ago */
            return ERR_FULL;
        }
        e = redo_with_room(l, pages, false);
    } else {
        rc = execute_at(l, mark);
        l->bound += pages;
        if (rc == 0)
            return OK;
        if (rc == MDB_KEYEXIST) {
            redo_remove(l, mark);
            return ERR_CONFLICT;
        }
        e = rc == MDB_MAP_FULL ? redo_with_room(l, pages, true)
                               : failed("append", rc);
    }
    if (e != OK) {
        streamlog_abort(l);
        redo_remove(l, mark);
    }
    return e;
}

/* Before an entry of n bytes: is there a transaction to add to? */
static enum err
ready(struct streamlog *l, size_t n)
{
    if (l->env == NULL || l->lost)
        return ERR_STORE;
    if (n > STREAMLOG_EVENT_MAX)
        return ERR_TOOBIG;
    if (l->redo_count < REDO_COUNT && l->redo.len + n <= REDO_BYTES)
        return OK;
    return l->redo_count == 0 ? OK : streamlog_commit(l);
}

enum err
streamlog_put_head(struct streamlog *l, const struct ident *turn,
                   const struct stream_head *h)
{
    uint8_t record[RECORD_HEAD_MAX];
    size_t n, mark;
    char *place;
    enum err e;

    if (h->temporary && l->memory == NULL)
        return ERR_IMPOSSIBLE;
    if (h->temporary) {
        memory_streams_put_head(l->memory, turn, h);
        return OK;
    }
    n = record_head_write(record, h);
    e = ready(l, n);
    if (e != OK)
        return e;
    mark = l->redo.len;
    place = redo_add(l, REDO_HEAD, turn, 0, n);
    if (place == NULL)
        return ERR_TOOBIG;
    memcpy(place, record, n);
    return write_newest(l, mark, pages_of(l, n));
}

enum err
streamlog_append(struct streamlog *l, const struct ident *turn, uint32_t seq,
                 enum event_type type, const void *data, size_t n)
{
    size_t len = RECORD_EVENT_HEAD + n, mark;
    char *place;
    enum err e;

    assert(seq > 0);
    if (memory_streams_has(l->memory, turn)) {
        e = memory_streams_append(l->memory, turn, seq, type, data, n);
        l->stats.appends += e == OK;
        return e;
    }
    e = ready(l, n);
    if (e != OK)
        return e;
    mark = l->redo.len;
    place = redo_add(l, REDO_EVENT, turn, seq, len);
    if (place == NULL)
        return ERR_TOOBIG;
    record_event_write((uint8_t *)place, type);
    if (n > 0)
        memcpy(place + RECORD_EVENT_HEAD, data, n);
    e = write_newest(l, mark, pages_of(l, len));
    if (e == OK)
        l->stats.appends++;
    return e;
}

enum err
streamlog_drop(struct streamlog *l, const struct ident *turn)
{
    size_t mark;
    enum err e;
    int rc;

    if (memory_streams_drop(l->memory, turn)) {
        l->stats.drops++;
        return OK;
    }
    e = ready(l, 0);
    if (e != OK)
        return e;
    mark = l->redo.len;
    if (redo_add(l, REDO_DROP, turn, 0, 0) == NULL)
        return ERR_TOOBIG;
    /* From the margin, if need be: it makes room. */
    rc = execute_at(l, mark);
    if (rc == 0) {
        l->stats.drops++;
        return OK;
    }
    e = rc == MDB_MAP_FULL ? ERR_FULL : failed("drop", rc);
    streamlog_abort(l);
    redo_remove(l, mark);
    return e;
}

/* --- commit ------------------------------------------------------------- */

enum err
streamlog_commit(struct streamlog *l)
{
    enum err e = l->lost ? ERR_STORE : OK;
    int rc = 0;

    streamlog_rest(l);
    for (int i = 0; i < TRIES && l->w != NULL && e == OK; i++) {
        size_t used = used_pages(l);

        rc = streamlog_commit_now(l);
        if (rc == 0) {
            l->stats.commits++;
            l->free_pages -= l->free_pages < used ? l->free_pages : used;
        } else if (rc == MDB_MAP_FULL) {
            e = redo_with_room(l, used, true);
        } else {
            e = failed("commit", rc);
        }
    }
    if (e == OK && rc != 0)
        e = ERR_STORE;
    streamlog_abort(l);
    redo_clear(l);
    l->lost = false;
    return e == OK ? OK : ERR_STORE;
}
