/*
 * What stands beside the sessions: their ids, their owners' lists and counts,
 * their summaries and contexts. The sessions have been asked for their
 * entries; here the entries are asked for their sessions.
 *
 * Owners are counted in a tree of their own, the one thing whose memory grows
 * with a store that is sound.
 */
#include "base/base.h"

#include "store/fsck_inside.h"

#include <search.h>

#include "base/mem.h"

/* --- owners ----------------------------------------------------------- */

static int
compare(const void *a, const void *b)
{
    const struct fsck_owner *x = a, *y = b;

    return strcmp(x->name, y->name);
}

void
fsck_count_owner(struct fsck *f, const char *owner)
{
    struct fsck_owner key = {.sessions = 1}, **at;

    (void)snprintf(key.name, sizeof(key.name), "%s", owner);
    at = tfind(&key, &f->owners, compare);
    if (at != NULL) {
        (*at)->sessions++;
        return;
    }
    at = tsearch(xmemdup0(&key, sizeof(key)), &f->owners, compare);
    if (at == NULL)
        abort(); /* no memory */
    f->result->owners++;
}

void
fsck_owners_free(struct fsck *f)
{
    tdestroy(f->owners, free);
    f->owners = NULL;
}

/* A store of an older version has no count of owners who did nothing since;
 * then their list is counted. */
static void
check_owner(struct fsck *f, const MDB_val *k, const MDB_val *v)
{
    char text[FSCK_KEY_MAX];
    uint8_t record[RECORD_SCALAR_LEN];
    struct fsck_owner key = {.sessions = 0}, **at;
    uint64_t says;

    if (k->mv_size > STORE_OWNER_MAX) {
        fsck_drop(f, DB_OWNERS, k, "the key is no owner");
        return;
    }
    memcpy(key.name, k->mv_data, k->mv_size); /* one NUL stands for "" */
    at = tfind(&key, &f->owners, compare);
    if (at == NULL) {
        fsck_drop(f, DB_OWNERS, k, "has no sessions");
        return;
    }
    if (record_scalar_read(v->mv_data, v->mv_size, &says) == OK &&
        says == (*at)->sessions)
        return;
    fsck_key(text, DB_OWNERS, k);
    fsck_fault(f, DB_OWNERS, text, true, "has %" PRIu64 " sessions",
               (*at)->sessions);
    record_scalar_write(record, (*at)->sessions);
    fsck_fix(f, DB_OWNERS, k->mv_data, k->mv_size, record, sizeof(record));
}

/* --- lists ------------------------------------------------------------ */

static void
check_id(struct fsck *f, const MDB_val *k, const MDB_val *v)
{
    struct session s;
    uint64_t no;
    enum err e;

    if (key_no_read(v->mv_data, v->mv_size, &no) != OK) {
        /* If a session has that id, it puts its number there. */
        fsck_drop(f, DB_SESSION_IDS, k, "has no number");
        return;
    }
    e = fsck_session(f, no, &s);
    if (e == ERR_NOTFOUND)
        fsck_drop(f, DB_SESSION_IDS, k, "names a session that is not there");
    else if (e == OK && (strlen(s.id) != k->mv_size ||
                         memcmp(s.id, k->mv_data, k->mv_size) != 0))
        fsck_drop(f, DB_SESSION_IDS, k, "names a session with another id");
}

static void
check_recent(struct fsck *f, const MDB_val *k, const MDB_val *v)
{
    uint8_t key[KEY_RECENT_MAX];
    struct session s;
    uint64_t no;
    enum err e = ERR_NOTFOUND;
    size_t n;

    (void)v;
    if (key_recent_read(k->mv_data, k->mv_size, &no) == OK)
        e = fsck_session(f, no, &s);
    if (e == ERR_STORE)
        return; /* the session's own fault */
    if (e == ERR_NOTFOUND) {
        fsck_drop(f, DB_RECENT, k, "lists a session that is not there");
        return;
    }
    n = key_recent(key, s.owner, s.updated_ms, no);
    if (n != k->mv_size || memcmp(key, k->mv_data, n) != 0)
        fsck_drop(f, DB_RECENT, k, "lists a session at a wrong place");
}

/* --- what belongs to a session ---------------------------------------- */

static void
check_summary(struct fsck *f, const MDB_val *k, const MDB_val *v)
{
    struct session_summary sum;
    struct session s;
    const char *text;
    uint64_t no;
    size_t len;
    enum err e = ERR_NOTFOUND;

    if (key_no_read(k->mv_data, k->mv_size, &no) == OK)
        e = fsck_session(f, no, &s);
    if (e == ERR_NOTFOUND)
        fsck_drop(f, DB_SUMMARIES, k, "belongs to no session");
    else if (record_summary_read(v->mv_data, v->mv_size, &sum, &text, &len) !=
             OK)
        fsck_drop(f, DB_SUMMARIES, k, "cannot be decoded");
    else if (e == OK &&
             (sum.upto_seq > s.n_messages || (sum.upto_seq == 0 && len > 0)))
        fsck_drop(f, DB_SUMMARIES, k, "is of messages that are not there");
}

static void
check_context(struct fsck *f, const MDB_val *k, const MDB_val *v)
{
    char key[FSCK_KEY_MAX];
    const char *text;
    struct session s;
    uint64_t no;
    size_t len;
    enum err e = ERR_NOTFOUND;

    if (key_no_read(k->mv_data, k->mv_size, &no) == OK)
        e = fsck_session(f, no, &s);
    if (e == ERR_NOTFOUND) {
        fsck_drop(f, DB_CONTEXTS, k, "belongs to no session");
        return;
    }
    if (record_context_read(v->mv_data, v->mv_size, &text, &len) == OK)
        return;
    fsck_key(key, DB_CONTEXTS, k);
    fsck_fault(f, DB_CONTEXTS, key, false, "cannot be decoded");
}

/* All that is known of are numbers; the format was looked at before. */
static void
check_meta(struct fsck *f, const MDB_val *k, const MDB_val *v)
{
    static const char *const known[] = {"next", "probe", "listed"};
    uint64_t number;

    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (k->mv_size == strlen(known[i]) &&
            memcmp(k->mv_data, known[i], k->mv_size) == 0 &&
            record_scalar_read(v->mv_data, v->mv_size, &number) != OK)
            fsck_fault(f, DB_META, known[i], false, "cannot be decoded");
}

void
fsck_lists(struct fsck *f)
{
    fsck_walk(f, DB_SESSION_IDS, check_id);
    fsck_walk(f, DB_RECENT, check_recent);
    fsck_walk(f, DB_OWNERS, check_owner);
    fsck_walk(f, DB_SUMMARIES, check_summary);
    fsck_walk(f, DB_CONTEXTS, check_context);
    fsck_walk(f, DB_META, check_meta);
}
