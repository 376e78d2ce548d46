/*
 * What survives: sessions, messages, turns. This is the seam: lmdb.c is the
 * embedded store, others follow. Reads may come from any thread. Writes are
 * operations mailed to the committer, which batches whatever is waiting into
 * one durable transaction (group commit) and reports each result after that
 * transaction is on disk: acknowledged means durable.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/buf.h"
#include "base/ident.h"
#include "base/loop.h"
#include "base/process.h"
#include "store/ledger.h"
#include "store/session.h"

#define STORE_CONTEXT_MAX (64 * 1024)    /* bytes of a session's context */
#define STORE_SUMMARY_MAX (16 * 1024)    /* bytes of a session's summary */
#define STORE_IDEM_MS (24 * 3600 * 1000) /* how long a key is remembered */
#define STORE_RECORD_NAME_MAX 255        /* bytes of a record's name */
#define STORE_RECORD_MAX 4096            /* bytes of a record's value */
#define STORE_RECORDS_MAX 256            /* changes of one STORE_RECORDS */
#define STORE_MOVES_MAX 500              /* sessions of STORE_SESSION_OWNER */

struct store;

/* --- open --------------------------------------------------------------- */

struct budget; /* base/budget.h */

struct store_config {
    const char *dir;  /* DATA_DIR/store; made if missing, mode 0700 */
    size_t map_bytes; /* sparse */
    /* A session for which no time is set is gone so long after it was last
     * used, ms, and no turn of it is open; 0: never. One that is gone reads as
     * not there. */
    int64_t session_ttl_ms;
    struct budget *temporary; /* of the memory for temporary sessions;
                                 borrowed; NULL: there are none */
    int64_t temporary_ttl_ms; /* of those, as session_ttl_ms */
};
/* Open and start the committer. ERR_STORE with a log line: a remote file
 * system, a newer version, a damaged file, no permission. */
MUST_USE enum err store_open(struct store **out, const struct store_config *c);
/* Commit what is queued, join, close. NULL is fine. */
void store_close(struct store *s);

/* --- reads: any thread -------------------------------------------------- */

/* Each is one snapshot. A callback runs inside of it: what it is given is
 * good until it returns, and it must not call the store. */

/* ERR_NOTFOUND also when it is another owner's. */
MUST_USE enum err store_session(struct store *s, const char *owner,
                                const char *id, struct session *out);
/* Messages of the session's line with seq < before (UINT32_MAX: the newest),
 * the last `limit` of them, given in order; and at most bytes_max of text and
 * extra (0: no such bound; the newest are kept; at least one). Each is passed
 * to fn, borrowed for the call; fn returns false to stop. sess may be NULL,
 * else it is filled from the same snapshot. */
typedef bool message_fn(void *arg, const struct message *m);
MUST_USE enum err store_messages(struct store *s, const char *owner,
                                 const char *id, uint32_t before,
                                 uint32_t limit, size_t bytes_max,
                                 struct session *sess, message_fn *fn,
                                 void *arg);
/* The same of another line: that of the message with seq leaf (STORE_HEAD: the
 * session's; STORE_ROOT is the same number, and never a message). ERR_NOTFOUND:
 * there is no such message. *sess is as it is stored: its head and length are
 * those of its own line. */
MUST_USE enum err store_line(struct store *s, const char *owner, const char *id,
                             uint32_t leaf, uint32_t before, uint32_t limit,
                             size_t bytes_max, struct session *sess,
                             message_fn *fn, void *arg);
/* Does the line of leaf hold the message with seq? False also where there is
 * no such session or leaf, and when the store cannot be read. */
bool store_line_holds(struct store *s, const char *owner, const char *id,
                      uint32_t leaf, uint32_t seq);
/* All messages of a session with seq >= from, `limit` of them, in the order of
 * seq, whatever line they are on. */
MUST_USE enum err store_all_messages(struct store *s, const char *owner,
                                     const char *id, uint32_t from,
                                     uint32_t limit, struct session *sess,
                                     message_fn *fn, void *arg);
/* All of them, also of a session whose time is over: for who deletes it. */
MUST_USE enum err store_last_look(struct store *s, const char *owner,
                                  const char *id, struct session *sess,
                                  message_fn *fn, void *arg);
/* The seq of a message of that session; ERR_NOTFOUND. A walk over it. */
MUST_USE enum err store_find_message(struct store *s, const char *owner,
                                     const char *id,
                                     const struct ident *message,
                                     uint32_t *seq);
/* The session's context is put behind what is in text; nothing if it has none.
 * ERR_NOTFOUND: no such session; ERR_TOOBIG: it does not fit text. */
MUST_USE enum err store_context(struct store *s, const char *owner,
                                const char *id, struct buf *text);
/* What stands for a session's oldest messages: its text is put behind what is
 * in text (NULL: not wanted). ERR_NOTFOUND also when the session has none;
 * ERR_TOOBIG: it does not fit text. */
struct session_summary {
    uint32_t upto_seq;  /* it stands for the messages before that one */
    int64_t cost_micro; /* micro-dollars, of all that were written; -1: not
                           known */
};
MUST_USE enum err store_summary(struct store *s, const char *owner,
                                const char *id, struct session_summary *out,
                                struct buf *text);
MUST_USE enum err store_turn(struct store *s, const struct ident *turn,
                             struct turn_info *out);
/* One message of the turn's session by seq. */
MUST_USE enum err store_turn_answer(struct store *s, const struct turn_info *t,
                                    message_fn *fn, void *arg);
/* The turn that an idempotency key made, if it is still remembered. */
MUST_USE enum err store_idem(struct store *s, const char *owner,
                             const char *scope, const char *key,
                             struct ident *out);
/* Sessions of an owner, most recently updated first, after the cursor
 * (NULL: from the start). fn returns false to stop. */
typedef bool session_fn(void *arg, const struct session *sess);
MUST_USE enum err store_sessions(struct store *s, const char *owner,
                                 const struct session *after, uint32_t limit,
                                 session_fn *fn, void *arg);
/* Sessions that are gone since their time is over, whoever owns them, but not
 * yet deleted: looks at up to `limit` records from number `from` on (0: the
 * first) and sets *next to where to go on, 0 at the end. */
MUST_USE enum err store_expired(struct store *s, uint64_t from, uint32_t limit,
                                uint64_t *next, session_fn *fn, void *arg);
/* The same with all sessions, also those whose time is over. */
MUST_USE enum err store_walk(struct store *s, uint64_t from, uint32_t limit,
                             uint64_t *next, session_fn *fn, void *arg);
/* How many sessions an owner has, with those whose time is over and that are
 * not deleted yet. */
MUST_USE enum err store_session_count(struct store *s, const char *owner,
                                      uint64_t *out);
/* Whose session it is, whoever asks; also of a temporary one. ERR_NOTFOUND
 * also when its time is over. A temporary one may have the id of another one
 * of another owner: then it is the other one's that is told, so who asks for
 * somebody looks for that somebody's own session first. */
MUST_USE enum err store_session_owner(struct store *s, const char *id,
                                      char owner[STORE_OWNER_MAX + 1]);
/* Records are small values under names, for accounts (auth/), which know what
 * is in them. Names and values are bytes. One whose time is over reads as not
 * there. The value is put behind what is in out. ERR_NOTFOUND; ERR_TOOBIG: it
 * does not fit. */
MUST_USE enum err store_record(struct store *s, const void *name, size_t n,
                               struct buf *out);
/* All records whose names begin with prefix and come behind `after` (NULL:
 * from the first), in the order of names, `limit` of them. fn returns false to
 * stop. */
typedef bool record_fn(void *arg, const char *name, size_t n, const char *value,
                       size_t len);
MUST_USE enum err store_records(struct store *s, const void *prefix,
                                size_t n_prefix, const void *after,
                                size_t n_after, uint32_t limit, record_fn *fn,
                                void *arg);
/* The ledger: rows, reserves or an account. */
MUST_USE enum err store_ledger(struct store *s, const struct ledger_query *q);
/* Every turn that is open, for recovery. */
typedef bool turn_fn(void *arg, const struct turn_info *t);
MUST_USE enum err store_open_turns(struct store *s, turn_fn *fn, void *arg);

/* --- writes: any thread ------------------------------------------------- */

enum store_kind {
    STORE_TURN_BEGIN,
    STORE_TURN_END,
    STORE_SESSION_PATCH,
    STORE_SESSION_CLEAR,
    STORE_SESSION_DELETE,
    STORE_SESSION_SUMMARY,
    STORE_MESSAGE_EXTRA,
    STORE_SESSION_IMPORT,
    STORE_SESSION_OWNER,
    STORE_RECORDS,
    STORE_RESERVE,
    STORE_SETTLE,
    STORE_LEDGER_PRUNE,
    STORE_PROBE /* a tiny durable write: is the disk writable again? */
};

/* What STORE_RECORDS does to one record. */
enum record_expect {
    RECORD_ANY,
    RECORD_ABSENT,  /* there is none of that name */
    RECORD_PRESENT, /* there is one */
    RECORD_SAME     /* there is one, and its value is `was` */
};
struct record_change {
    const char *name;   /* bytes; borrowed, as all of it */
    size_t n;           /* 1 to STORE_RECORD_NAME_MAX */
    const char *value;  /* NULL: it is taken away, if it is there */
    size_t len;         /* at most STORE_RECORD_MAX */
    int64_t expires_ms; /* wall clock; 0: never */
    enum record_expect expect;
    const char *was; /* for RECORD_SAME */
    size_t was_len;
};

/* One write. Embed or allocate; the store's until done is called, exactly
 * once, on the committer thread, after the commit. Strings are borrowed until
 * then. */
struct store_op;
typedef void store_done_fn(struct store_op *op);
struct store_op {
    struct mail mail; /* store's */
    enum store_kind kind;
    enum err err;        /* out */
    store_done_fn *done; /* must not block; usually a loop_post */
    void *arg;

    const char *owner;
    const char *session_id;
    /* In: if the session is made by this (begin.create, patch.create, import),
     * it is a temporary one; ERR_IMPOSSIBLE if it is there and is not, or there
     * are none; ERR_FULL: the memory for them is used up. Out: it is one. What
     * ends a turn of one always fits. */
    bool temporary;

    /* STORE_TURN_BEGIN: create the session if it is not there (create), put
     * the user's message and mark the turn open. ERR_CONFLICT when another
     * turn of the session is open (open_turn says which), or its message
     * count is not expect_messages (UINT32_MAX: any), the session's time is
     * over and it waits to be deleted (expired), or the key was used (existing
     * is that turn and idem_hit is set). ERR_NOTFOUND: another owner's
     * session, or no such parent. ERR_LIMIT: it would be one session or
     * message too many (too_many_sessions says which). The head moves to the
     * new message. */
    struct {
        bool create;
        uint32_t expect_messages;
        uint32_t parent; /* seq of the message that it follows; STORE_HEAD: the
                            line's last; op->begin.root: none */
        bool root;
        uint32_t messages_max; /* of a session, with the answer; 0: any */
        uint64_t sessions_max; /* of this owner; 0: any */
        const char *title; /* for a session in which nothing was said yet and
                              that has none; NULL: none (ERR_TOOBIG) */
        struct ident turn, answer_message;
        struct process process;
        struct message user;    /* seq is set by the store */
        const char *idem_scope; /* NULL: no key */
        const char *idem_key;
        /* What the turn reserves. ERR_LIMIT, with its over: it does not fit.
         * A temporary session takes none: ERR_CONFLICT, STORE_RESERVE it
         * before. */
        struct ledger_reserve reserve;
        /* out */
        bool idem_hit;
        struct ident existing;  /* idem_hit: that turn */
        struct ident open_turn; /* the one in the way, or zero */
        bool expired;
        bool too_many_sessions;
        uint32_t n_messages; /* of all lines, with the user's message */
    } begin;

    /* STORE_TURN_END: put the answer behind the turn's question and close the
     * turn. The head moves to it if it was on the question. ERR_CONFLICT when
     * the turn is closed already, ERR_NOTFOUND when its session was deleted.
     * One whose time is over meanwhile takes it all the same: where the time
     * runs from the last use, it was used again. */
    struct {
        struct ident turn;
        struct message answer; /* seq is set by the store */
        uint32_t end_seq;      /* seq of the stream's last event */
        uint32_t length;       /* out: of the line, conversation_length */
        /* What it used; it is settled also with ERR_NOTFOUND. That of a
         * temporary session: STORE_SETTLE it behind. */
        struct ledger_spent spent;
    } end;

    /* STORE_SESSION_PATCH: change what is not NULL, or is said by its set_…;
     * create: make the session if it is not there. Strings must be within
     * their limits (ERR_TOOBIG), expires_ms not negative (ERR_BADREQ).
     * ERR_NOTFOUND, ERR_LIMIT as above; ERR_CONFLICT with create: its time is
     * over and it waits to be deleted. Its updated_ms stays. */
    struct {
        bool create;
        bool only_new; /* with create: ERR_CONFLICT if it is there */
        uint64_t sessions_max;
        bool too_many_sessions; /* out */
        int64_t now_ms;         /* wall clock; for one that is made */
        const char *title;
        bool titled;         /* with title: for good */
        bool only_untitled;  /* title: only if titled is false */
        uint64_t only_no;    /* ERR_NOTFOUND if the session's number is another
                               one; 0: any */
        int64_t cost_micro;  /* micro-dollars, added to what its summaries cost;
                               0 or less: nothing */
        const char *context; /* "": take it away */
        const char *model;
        const char *tags; /* as in struct session */
        bool set_pinned, pinned, set_archived, archived;
        bool set_expires;
        int64_t expires_ms;
        bool set_head; /* the line's end, as STORE_TURN_BEGIN's parent */
        uint32_t head;
        struct session after; /* out */
    } patch;

    /* STORE_SESSION_CLEAR: take all messages, turns and the summary away; the
     * rest of the session stays, its number too. Keys of its turns are
     * forgotten. ERR_CONFLICT: a turn is open (open_turn). ERR_NOTFOUND. */
    struct {
        struct ident open_turn; /* out */
    } clear;

    /* STORE_SESSION_DELETE: all of it, also when its time is over.
     * expired_only: ERR_CONFLICT if that is not so (it was used again);
     * session_no 0: any, else ERR_NOTFOUND when the session of this id is
     * another one. */
    struct {
        bool expired_only;
        uint64_t session_no;
    } erase;

    /* STORE_SESSION_SUMMARY: it replaces the one there is; the costs are
     * added up. ERR_NOTFOUND also when the session is another one than
     * session_no; ERR_CONFLICT when it has fewer than upto_seq messages, or a
     * summary of the same line that reaches as far. */
    struct {
        uint64_t session_no; /* of struct session */
        uint32_t upto_seq;   /* at least 1 */
        int64_t cost_micro;  /* of this one; -1: not known */
        const char *text;    /* UTF-8 */
        size_t text_len;     /* at most STORE_SUMMARY_MAX */
    } summary;

    /* STORE_MESSAGE_EXTRA: the extra of a message is this from now on.
     * ERR_NOTFOUND also when the message at seq is another one. */
    struct {
        struct ident message;
        uint32_t seq;
        const char *text;
        size_t len; /* at most STORE_EXTRA_MAX */
    } extra;

    /* STORE_SESSION_IMPORT: put many messages that were said elsewhere. from
     * is the seq of the first one. With 0 the session is made, with what patch
     * says of it (patch.now_ms is when it was created, create and set_head mean
     * nothing); ERR_CONFLICT: there is one of that id, whosever; ERR_LIMIT as
     * above. Else they are put behind what is there: ERR_NOTFOUND if it is not
     * session_no, ERR_CONFLICT if it does not end there, or a turn is open.
     * ERR_BADREQ: a message that follows none before it, a head that is none
     * of them; ERR_LIMIT: too many for messages_max. All of it or nothing;
     * whoever has more than some megabytes puts the rest behind the first. */
    struct {
        uint32_t from;
        uint64_t session_no;
        int64_t updated_ms;       /* wall clock; of the session, from now on */
        struct message *messages; /* borrowed; seq is set by the store, parent
                                     is a seq or STORE_ROOT; without a turn */
        uint32_t n;
        uint32_t head;         /* seq; of the line's last; if there is any */
        uint32_t messages_max; /* of a session; 0: any */
        struct session after;  /* out */
    } import;

    /* STORE_SESSION_OWNER: the session is `to`'s from now on; session_id NULL:
     * all of the owner's, as many as `limit` (STORE_MOVES_MAX) at once (out: n;
     * 0: there are no more). ERR_NOTFOUND: the session is not the owner's, or
     * its time is over (with NULL such sessions stay behind). Its number, its
     * messages and turns stay; sessions_max of the new owner does not count.
     * Keys that its turns were begun with are forgotten. ERR_CONFLICT: a turn
     * of it is open (with NULL such sessions are left for later, and counted in
     * `busy`); or it is a temporary one, and the new owner has another one of
     * that id (with NULL it stays behind). */
    struct {
        const char *to;
        uint32_t limit;
        uint32_t n, busy; /* out */
        /* out: the ids of the n; the store's, good until done returns */
        char (*moved)[IDENT_SESSION_MAX + 1];
    } owner_change;

    /* STORE_RECORDS: all of these changes, in order, or none: ERR_CONFLICT if
     * one is not as it is expected to be (wrong: which). A change meets what
     * those before it made. ERR_TOOBIG: past one of the limits; ERR_BADREQ: no
     * change, an empty name, a negative time. owner and session_id mean
     * nothing. */
    struct {
        const struct record_change *changes; /* borrowed */
        size_t n;                            /* 1 to STORE_RECORDS_MAX */
        size_t wrong;                        /* out */
    } records;

    /* STORE_RESERVE: what a turn reserves that stores nothing on disk. owner
     * and session_id mean nothing, as in STORE_SETTLE. It takes the place of
     * what is reserved under that id. ERR_LIMIT: it does not fit, and that
     * stays. */
    struct {
        struct ident turn;
        struct process process; /* that will settle it */
        int64_t at_ms;          /* wall clock */
        struct ledger_reserve what;
    } reserve;

    /* STORE_SETTLE: what was used by a turn that stores nothing on disk, or
     * that nobody can ask any more; its reserve, if it has one, is gone then.
     * ERR_CONFLICT: the turn is open in the store, which settles it (not of a
     * part). */
    struct {
        struct ident turn;
        int64_t at_ms; /* wall clock */
        struct ledger_spent spent;
    } settle;

    /* STORE_LEDGER_PRUNE: take away rows of days before this one, and sums of
     * accounts of that time, as many as limit at once (out: n; fewer than
     * limit: there are no more). owner and session_id mean nothing. */
    struct {
        uint32_t before; /* 20261121; of ledger_keeps_from, or earlier */
        uint32_t limit;
        uint32_t n; /* out */
    } prune;
};

void store_submit(struct store *s, struct store_op *op);
/* Submit and wait for the commit: acceptors only. Sets op->done itself. */
MUST_USE enum err store_apply(struct store *s, struct store_op *op);

/* Be told of every operation that was carried out, after its commit and before
 * it is done. fn runs on the committer's thread and must not block. At most
 * one; set before the first operation. */
typedef void store_change_fn(void *arg, const struct store_op *op);
void store_on_change(struct store *s, store_change_fn *fn, void *arg);

struct store_stats {
    uint64_t commits;            /* durable transactions so far */
    uint64_t ops;                /* operations committed */
    uint64_t failures;           /* batches that failed */
    uint64_t sessions, messages; /* records now */
    uint64_t map_bytes, used_bytes;
    bool full; /* the last batch failed for want of space */
    /* Grows when another process has committed, never by what this one does.
     * Cheap to ask for often. */
    uint64_t others;
};
void store_stats(struct store *s, struct store_stats *out);

#endif
