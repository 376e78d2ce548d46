/*
 * One write transaction and the operations in it. For lmdb_*.c only; the
 * committer's thread. Functions that return int return LMDB's codes: not 0
 * means that the whole transaction must be aborted. What an operation alone
 * met goes to its err, and then it has written nothing.
 */
#ifndef STORE_LMDB_BATCH_H
#define STORE_LMDB_BATCH_H

#include "store/lmdb_read.h"

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
/* The key that batch_get has just found in db, and the same length. */
MUST_USE int batch_put_found(struct batch *b, enum db db, const void *key,
                             size_t key_len, const void *data, size_t n);
/* A key that is probably the last one: fills its pages. MDB_KEYEXIST, with
 * nothing written, if it is there. */
MUST_USE int batch_put_new(struct batch *b, enum db db, const void *key,
                           size_t key_len, const void *data, size_t n);
/* Room for n bytes under a key, to be filled before the next write. */
MUST_USE int batch_reserve(struct batch *b, enum db db, const void *key,
                           size_t key_len, size_t n, void **out);
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
/* Move a session in its owner's list, in which it is at was_ms. */
MUST_USE int batch_relist(struct batch *b, const struct session *s,
                          int64_t was_ms);

/* lmdb_turn.c */
MUST_USE int batch_turn_begin(struct batch *b, struct store_op *op);
MUST_USE int batch_turn_end(struct batch *b, struct store_op *op);
/* lmdb_session.c */
/* As batch_session, and what is not there is made in s, with a number, if
 * `create` is set; *fresh says so. ERR_LIMIT: the owner has sessions_max (0:
 * any number) of them. Nothing is written. */
MUST_USE int batch_session_or_new(struct batch *b, const struct store_op *op,
                                  bool create, int64_t at_ms,
                                  uint64_t sessions_max, struct session *s,
                                  bool *fresh, enum err *err);
/* All records of a new session. */
MUST_USE int batch_put_new_session(struct batch *b, const struct session *s);
/* The owner has `more` sessions more. To be called before the list changes. */
MUST_USE int batch_count_owner(struct batch *b, const char *owner,
                               int64_t more);
/* The session of an operation that only its owner may have done, and that
 * needs one: ERR_NOTFOUND otherwise, also when its time is over. */
MUST_USE int batch_own_session(struct batch *b, struct store_op *op,
                               struct session *s);
MUST_USE int batch_clear(struct batch *b, struct store_op *op);
MUST_USE int batch_delete(struct batch *b, struct store_op *op);
/* lmdb_extra.c */
MUST_USE int batch_extra(struct batch *b, struct store_op *op);
/* lmdb_owner.c */
MUST_USE int batch_owner(struct batch *b, struct store_op *op);
/* lmdb_records.c */
MUST_USE int batch_records(struct batch *b, struct store_op *op);
/* lmdb_ledger.c */
/* Does it fit? *err is ERR_LIMIT if not. Nothing is written. */
MUST_USE int batch_hold_check(struct batch *b, const struct ident *turn,
                              struct ledger_reserve *r, int64_t at_ms,
                              enum err *err);
/* Reserve it, instead of what this turn has reserved. */
MUST_USE int batch_hold(struct batch *b, const struct ident *turn,
                        const struct process *process,
                        const struct ledger_reserve *r, int64_t at_ms);
/* Take back what a turn reserved, if it did, and count what it used. */
MUST_USE int batch_settle(struct batch *b, const struct ident *turn,
                          const struct ledger_spent *spent, int64_t at_ms);
MUST_USE int batch_reserve_op(struct batch *b, struct store_op *op);
MUST_USE int batch_settle_op(struct batch *b, struct store_op *op);
/* lmdb_ledger_prune.c */
/* Take records of the ledger away: of one kind, of periods from one on and
 * before another, until *n are limit. */
MUST_USE int batch_ledger_drop(struct batch *b, uint8_t kind, uint32_t from,
                               uint32_t before, uint32_t limit, uint32_t *n);
MUST_USE int batch_ledger_prune(struct batch *b, struct store_op *op);
/* lmdb_import.c */
MUST_USE int batch_import(struct batch *b, struct store_op *op);
/* lmdb_patch.c */
/* Put the context that an operation's patch has, if it has one. */
MUST_USE int batch_put_context(struct batch *b, const struct store_op *op,
                               uint64_t no);
MUST_USE int batch_patch(struct batch *b, struct store_op *op);
MUST_USE int batch_summary(struct batch *b, struct store_op *op);
/* The length of the line of a message, or of STORE_ROOT. */
MUST_USE int batch_line_length(struct batch *b, const struct session *s,
                               uint32_t leaf, uint32_t *length, enum err *err);

#endif
