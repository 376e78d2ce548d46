/*
 * What a store stands on. store.c and commit.c know the rules of the seam
 * (threads, group commit, waiting, statistics); a backend knows where records
 * live. For the store's own files only.
 *
 * apply and instant are called by one thread, the committer. All others are
 * called by any thread, also while apply runs, and see whole batches or
 * nothing of them. A backend never calls an op's done. What STORE_SESSION_OWNER
 * moved is given in memory that whoever called apply frees.
 */
#ifndef STORE_BACKEND_H
#define STORE_BACKEND_H

#include "store/store.h"

/* A session's summary, wanted and given. */
struct summary_query {
    struct session_summary *out;
    struct buf *text; /* put behind what is in it; NULL: not wanted */
};

struct message_query {
    const char *owner; /* NULL: whosever it is */
    const char *session_id;
    uint32_t leaf;    /* of the line; STORE_HEAD: the session's */
    uint32_t before;  /* seq; UINT32_MAX: the end */
    uint32_t limit;   /* 0: the session only */
    size_t bytes_max; /* of text and extra; 0: no bound */
    bool all;         /* every line, in the order of seq, from `from` on:
                         leaf, before and bytes_max mean nothing */
    uint32_t from;    /* seq */
    bool gone_too;    /* also of a session whose time is over */
    struct summary_query *summary; /* NULL: not wanted */
    struct buf *context;           /* put behind what is in it; NULL likewise */
};

struct session_query {
    const char *owner; /* NULL: whosever are gone and not deleted */
    uint32_t limit;
    const struct session *after; /* of an owner's; NULL: from the start */
    uint64_t from, *next;        /* of those that are gone: see store_expired */
    bool everyone;               /* without owner: also those not gone */
    uint64_t *count;             /* not NULL: of an owner; none is given */
};

/* Of records: see store_record, store_records. */
struct record_query {
    const void *name; /* of the one that is wanted, or that all begin with */
    size_t n;
    bool all;          /* all that begin so: */
    const void *after; /* behind this name; NULL: from the first */
    size_t n_after;
    uint32_t limit;
};

struct backend {
    const char *name;

    MUST_USE enum err (*open)(void **impl, const struct store_config *c);
    void (*close)(void *impl);

    /* Apply n operations in order and make them durable as one transaction:
     * fill their out members and set err of each, OK or what that operation
     * alone met (it then changed nothing). OK: it is on disk. Else nothing of
     * it happened: ERR_FULL for want of space, ERR_TOOBIG when fewer
     * operations at once may fit, ERR_STORE; err of the ops is unspecified.
     * *wrote is set when there was anything to make durable. With n = 0, now
     * and then: house-keeping. */
    MUST_USE enum err (*apply)(void *impl, struct store_op *const ops[],
                               size_t n, bool *wrote);

    /* NULL, or: apply an operation at once if nothing durable comes of it, and
     * set its err. False: nothing happened, it is to be applied with others.
     * The committer. */
    bool (*instant)(void *impl, struct store_op *op);

    /* store_session, store_messages, store_line, store_all_messages,
     * store_summary (which ERR_NOTFOUND is about, then), store_context. sess,
     * fn may be NULL. */
    MUST_USE enum err (*messages)(void *impl, const struct message_query *q,
                                  struct session *sess, message_fn *fn,
                                  void *arg);
    /* One turn, ERR_NOTFOUND if it or its session is not there; or, with
     * NULL, all open ones of sessions that are. */
    MUST_USE enum err (*turns)(void *impl, const struct ident *one, turn_fn *fn,
                               void *arg);
    /* owner, scope, key: see store_idem. */
    MUST_USE enum err (*idem)(void *impl, const char *owner, const char *scope,
                              const char *key, struct ident *out);
    /* store_sessions, store_expired, store_walk, store_session_count. */
    MUST_USE enum err (*sessions)(void *impl, const struct session_query *q,
                                  session_fn *fn, void *arg);
    /* store_record (ERR_NOTFOUND), store_records. */
    MUST_USE enum err (*records)(void *impl, const struct record_query *q,
                                 record_fn *fn, void *arg);
    /* store_ledger. NULL: there is none. */
    MUST_USE enum err (*ledger)(void *impl, const struct ledger_query *q);
    /* sessions, messages, map_bytes, used_bytes of *out. */
    void (*stats)(void *impl, struct store_stats *out);
};

/* --- rules that all backends share: backend.c, pure ----------------------- */

/* Is its time over? ttl_ms as in struct store_config. */
bool backend_gone(const struct session *s, int64_t ttl_ms, int64_t now_ms);

/* What STORE_TURN_BEGIN or set_head names: a seq, STORE_ROOT for "none", and
 * STORE_HEAD for the line's last. ERR_NOTFOUND: there is no such message. */
MUST_USE enum err backend_parent(const struct session *s, uint32_t named,
                                 bool root, uint32_t *parent);
/* The length of the line of a message (or of STORE_ROOT), where it is known
 * without a walk; false: it is not. */
bool backend_length(const struct session *s, uint32_t leaf, uint32_t *length);
/* Count a message in that is put behind parent: sets its seq and parent, and
 * branched. The head stays. */
void backend_count(struct session *s, struct message *m, uint32_t parent);
/* The question of a turn that is open: nothing else is put into a session
 * while one is, so it is the last message. STORE_ROOT: there is none. */
uint32_t backend_question(const struct session *s);
/* The question of STORE_TURN_BEGIN is put in next: what its title does. */
void backend_title(struct session *s, const struct store_op *op);
/* A new session, all but its number. */
void backend_session(struct session *s, const struct store_op *op,
                     int64_t at_ms);
/* May STORE_SESSION_PATCH change a session that is there? */
MUST_USE enum err backend_patch_there(const struct store_op *op,
                                      const struct session *s, bool gone);
/* Is what STORE_SESSION_IMPORT puts into this session (as it is, or a new one)
 * in order? */
MUST_USE enum err backend_import_check(const struct store_op *op,
                                       const struct session *s);
/* What STORE_SESSION_PATCH says, all but set_head. */
void backend_patch(struct session *s, const struct store_op *op);
/* Nothing is known yet of what a STORE_TURN_BEGIN finds. */
void backend_begin_clear(struct store_op *op);
/* What STORE_SESSION_CLEAR leaves. */
void backend_clear(struct session *s);

/* STORE_SESSION_OWNER: nothing was moved yet; one more was. */
void backend_moved_none(struct store_op *op);
void backend_moved(struct store_op *op, const char *id);
/* How many may be, at once. */
uint32_t backend_moves_max(const struct store_op *op);

/* Is a record as a change expects it? value is what it has, or NULL: there is
 * none. */
bool backend_record_expected(const struct record_change *c, const void *value,
                             size_t len);
/* Is there no such record after this change? */
bool backend_record_gone(const struct record_change *c, int64_t now_ms);
/* The change before number i of STORE_RECORDS that is of the same name, or
 * NULL. */
const struct record_change *backend_record_before(const struct store_op *op,
                                                  size_t i);

/* The sum of two costs, of which -1 is not known; at most what a record
 * holds. */
static inline int64_t
backend_add_cost(int64_t a, int64_t b)
{
    if (a < 0 || b < 0)
        return a < 0 ? b : a;
    return b > INT64_MAX - 1 - a ? INT64_MAX - 1 : a + b;
}

extern const struct backend lmdb_backend;
extern const struct backend memstore_backend;
/* What a program opens: temporary sessions live in a memstore, all others in
 * LMDB (store/split.h). */
extern const struct backend split_backend;

#endif
