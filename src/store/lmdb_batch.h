/*
 * One write transaction and the operations in it. For lmdb_*.c only; the
 * committer's thread. Functions that return int return LMDB's codes: not 0
 * means that the whole transaction must be aborted. What an operation alone
 * met goes to its err, and then it has written nothing.
 */
#ifndef STORE_LMDB_BATCH_H
#define STORE_LMDB_BATCH_H

#include "store/key.h"
#include "store/lmdb_env.h"
#include "store/record.h"

struct batch {
    struct lmdb *l;
    MDB_txn *txn;
    MDB_cursor *cursors[DB__N]; /* NULL until used; gone with txn */
    uint64_t next_no;           /* of the next session; 0: not looked up */
    int64_t now_ms;             /* wall clock */
    bool wrote;
};

/* v is borrowed until the next write of the batch. */
MUST_USE int batch_get(struct batch *b, enum db db, const void *key,
                       size_t key_len, MDB_val *v);
MUST_USE int batch_put(struct batch *b, enum db db, const void *key,
                       size_t key_len, const void *data, size_t n);
/* A key that is probably the last one: fills its pages. MDB_KEYEXIST, with
 * nothing written, if it is there. */
MUST_USE int batch_put_new(struct batch *b, enum db db, const void *key,
                           size_t key_len, const void *data, size_t n);
MUST_USE int batch_put_message(struct batch *b, uint64_t no,
                               const struct message *m);
/* A key that is not there is fine. */
MUST_USE int batch_del(struct batch *b, enum db db, const void *key,
                       size_t key_len);
/* Open it if need be. */
MUST_USE int batch_cursor(struct batch *b, enum db db, MDB_cursor **out);

/* The session as the batch has it. *err is OK, ERR_NOTFOUND, ERR_FORBIDDEN
 * (another owner's) or ERR_STORE (a damaged record). */
MUST_USE int batch_session(struct batch *b, const char *owner, const char *id,
                           struct session *out, enum err *err);
MUST_USE int batch_session_by_no(struct batch *b, uint64_t no,
                                 struct session *out, enum err *err);
MUST_USE int batch_put_session(struct batch *b, const struct session *s);
/* Move a session in its owner's list; old NULL: it is new. */
MUST_USE int batch_recent(struct batch *b, const struct session *old,
                          const struct session *s);

/* lmdb_turn.c */
MUST_USE int batch_turn_begin(struct batch *b, struct store_op *op);
MUST_USE int batch_turn_end(struct batch *b, struct store_op *op);
/* lmdb_session.c */
MUST_USE int batch_title(struct batch *b, struct store_op *op);
MUST_USE int batch_summary(struct batch *b, struct store_op *op);
MUST_USE int batch_delete(struct batch *b, struct store_op *op);
/* The number for a new session. */
MUST_USE int batch_next_no(struct batch *b, uint64_t *out);

#endif
