/*
 * What reads have in common: a snapshot, and a record found in it. For
 * lmdb_*.c only. A damaged record is logged where it was found. Any thread
 * with a read transaction; those that take a cursor, the committer too.
 */
#ifndef STORE_LMDB_READ_H
#define STORE_LMDB_READ_H

#include "base/log.h"
#include "store/key.h"
#include "store/lmdb_env.h"
#include "store/record.h"

struct snapshot {
    struct lmdb *l;
    MDB_txn *txn;
    int64_t now_ms; /* wall clock */
};

/* OK must be followed by lmdb_snapshot_end. */
MUST_USE enum err lmdb_snapshot_begin(struct snapshot *s, struct lmdb *l);
void lmdb_snapshot_end(struct snapshot *s);

/* Log it. */
static inline enum err
lmdb_damaged(const char *db)
{
    log_error("store.damaged", "db=%s", db);
    return ERR_STORE;
}

/* ERR_NOTFOUND; what is given is borrowed from the snapshot. */
MUST_USE enum err lmdb_get(const struct snapshot *s, enum db db,
                           const void *key, size_t n, MDB_val *v);
/* Whether its time is over or not. */
MUST_USE enum err lmdb_session_by_no(const struct snapshot *s, uint64_t no,
                                     struct session *out);

/* --- lmdb_line.c --------------------------------------------------------- */

/* How many messages the line of seq `leaf` has, by a walk. c is a cursor on
 * the messages. ERR_STORE: something of it is damaged or missing. */
MUST_USE enum err lmdb_line_length(MDB_cursor *c, uint64_t no, uint32_t leaf,
                                   uint32_t *length);
/* Is seq on the line of leaf? */
MUST_USE enum err lmdb_line_has(MDB_cursor *c, uint64_t no, uint32_t leaf,
                                uint32_t seq, bool *has);
/* The messages that q wants, of session sess. */
MUST_USE enum err lmdb_line_give(const struct snapshot *s,
                                 const struct message_query *q,
                                 const struct session *sess, message_fn *fn,
                                 void *arg);

/* --- lmdb_list.c --------------------------------------------------------- */

/* How many sessions an owner has: from its record, or counted where
 * there is none. Any kind of transaction; an LMDB result. */
MUST_USE int lmdb_owner_count(struct lmdb *l, MDB_txn *txn, const char *owner,
                              uint64_t *out);

#endif
