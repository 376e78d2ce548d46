/*
 * One check, among its parts:
 *   fsck.c          opening, the order, the repair
 *   fsck_session.c  sessions with their messages
 *   fsck_turn.c     turns, those that are open, keys
 *   fsck_ledger.c   what was used, and what is reserved
 *   fsck_list.c     what lists, counts and belongs to sessions
 *   fsck_record.c   values under names
 * For fsck*.c only. A part reads and says what is wrong and what should be
 * written; nothing is written before all has been read.
 */
#ifndef STORE_FSCK_INSIDE_H
#define STORE_FSCK_INSIDE_H

#include "store/fsck.h"
#include "store/lmdb_read.h"

#define FSCK_KEY_MAX 256 /* of a key as text, with its NUL */
#define FSCK_FIX_MAX 511 /* of a key that is mended: LMDB's longest */

struct fsck_fix {
    enum db db;
    uint8_t key[FSCK_FIX_MAX];
    size_t key_len;
    void *data; /* owned; NULL: the record is removed */
    size_t len;
};

struct fsck {
    const struct fsck_config *conf;
    struct fsck_result *result;
    MDB_txn *txn;
    MDB_dbi dbi[DB__N];
    bool have[DB__N]; /* an older store has not all of them */
    bool quiet;       /* faults were told before */
    bool mending;     /* fixes are wanted */
    bool listed;      /* each session is in its owner's list */
    MDB_cursor *messages;
    void *owners;           /* tsearch(3): struct fsck_owner, owned */
    void *standings;        /* fsck_ledger.c's */
    struct fsck_fix *fixes; /* owned; empty unless mending */
    size_t n_fixes, cap;
};

struct fsck_owner {
    uint64_t sessions;
    char name[STORE_OWNER_MAX + 1];
};

/* fsck_env.c. Open a store to read; out->bytes is set. An LMDB result, ENOENT:
 * there is none, MDB_CORRUPTED: its file is too short. */
MUST_USE int fsck_env_open(const char *dir, bool still, struct fsck_result *out,
                           MDB_env **env);
/* fsck_env.c. A result of LMDB says that another process made the store larger
 * than this one mapped it; it is mapped as it is now, and what said so can be
 * done again. No transaction of this environment may be open. */
MUST_USE bool fsck_env_grew(MDB_env *env, int rc);
/* fsck_env.c. Begins to read a store that others may write to. An LMDB
 * result. */
MUST_USE int fsck_env_begin(MDB_env *env, MDB_txn **txn);

void fsck_fault(struct fsck *f, enum db db, const char *key, bool fixable,
                const char *what, ...) PRINTF(5, 6);
/* What a repair writes; the bytes are copied. data NULL: it removes it. */
void fsck_fix(struct fsck *f, enum db db, const void *key, size_t key_len,
              const void *data, size_t len);
/* A fault that is mended by taking its record away. */
void fsck_drop(struct fsck *f, enum db db, const MDB_val *k, const char *what);

/* An LMDB result; MDB_NOTFOUND also when there is no such database. */
MUST_USE int fsck_get(struct fsck *f, enum db db, const void *key,
                      size_t key_len, MDB_val *v);
bool fsck_has(struct fsck *f, enum db db, const void *key, size_t key_len);
/* ERR_NOTFOUND; ERR_STORE: there, but not to be read. */
MUST_USE enum err fsck_session(struct fsck *f, uint64_t no,
                               struct session *out);
MUST_USE enum err fsck_message(struct fsck *f, uint64_t no, uint32_t seq,
                               struct message *out);
MUST_USE enum err fsck_turn(struct fsck *f, const struct ident *id,
                            struct turn_info *out, uint64_t *no);
/* Each record of a database. */
typedef void fsck_record_fn(struct fsck *f, const MDB_val *k, const MDB_val *v);
void fsck_walk(struct fsck *f, enum db db, fsck_record_fn *fn);
/* A key as text. */
void fsck_key(char out[FSCK_KEY_MAX], enum db db, const MDB_val *k);

/* fsck_session.c */
void fsck_sessions(struct fsck *f);
/* Messages of sessions that are not there. After fsck_sessions. */
void fsck_orphans(struct fsck *f);
/* fsck_turn.c */
void fsck_turns(struct fsck *f);
/* fsck_ledger.c */
void fsck_ledger(struct fsck *f);
/* fsck_list.c; after fsck_sessions */
void fsck_lists(struct fsck *f);
/* fsck_record.c */
void fsck_records(struct fsck *f);
/* One more session of an owner. */
void fsck_count_owner(struct fsck *f, const char *owner);
void fsck_owners_free(struct fsck *f);

#endif
