/*
 * The inside of the stream log. For streamlog*.c only. Functions that return
 * int return LMDB's codes.
 */
#ifndef STORE_STREAMLOG_ENV_H
#define STORE_STREAMLOG_ENV_H

#include <lmdb.h>
#include <pthread.h>

#include "base/buf.h"
#include "store/key.h"
#include "store/record.h"
#include "store/streamlog.h"
#include "store/streamlog_memory.h"

#define STREAMLOG_MARGIN 48 /* pages kept free, so that dropping can work */

struct streamlog {
    struct streamlog_config conf;  /* dir owned */
    struct memory_streams *memory; /* of temporary ones; NULL: there are none */
    MDB_env *env;                  /* NULL: could not be reopened */
    MDB_dbi dbi;
    int lock_fd; /* streams/lock-open */
    int data_fd; /* data.mdb, to allocate blocks */
    size_t page; /* bytes */
    size_t map_bytes;
    pthread_rwlock_t map_lock; /* guards env and its map against txnid */

    MDB_txn *w; /* the write transaction; NULL: none */
    MDB_cursor *wc;
    struct buf redo; /* what is in w, to do it again */
    uint32_t redo_count;
    size_t tree_pages;     /* of the tree when w began */
    size_t writes;         /* in w */
    size_t bound;          /* pages that w has taken: not more than this */
    bool dirty;            /* w will change the txnid */
    bool lost;             /* appends of this transaction could not be redone */
    size_t free_pages;     /* at least so many were free when w began */
    uint64_t own_txnid;    /* of our last commit: after it free_pages holds */
    int64_t room_retry_ms; /* monotonic; not before do we look for room */

    MDB_txn *r; /* the snapshot; kept, reset when not live */
    MDB_cursor *rc;
    bool r_live;
    uint64_t commits;     /* of ours that changed the txnid */
    uint64_t others_seen; /* txnid less commits, when last asked */
    bool at_event;        /* rc is on the event at_turn, at_seq */
    struct ident at_turn;
    uint32_t at_seq;

    struct ident sweep_at; /* where the sweep goes on */
    struct streamlog_stats stats;
};

/* streamlog_mark.c */
enum lock_byte { LOCK_USERS = 0, LOCK_CHANGE = 1 };

/* Open the lock file and take LOCK_CHANGE. */
MUST_USE enum err streamlog_lock_open(struct streamlog *l);
/* type as for fcntl. False: not waited for and held by another, or failed. */
bool streamlog_lock(struct streamlog *l, enum lock_byte byte, short type,
                    bool wait);
/* state is "open" or "clean". False: errno says why. */
MUST_USE bool streamlog_mark_write(const struct streamlog *l,
                                   const char *state);
/* Is what lies there sound: closed cleanly, or opened in this boot? */
MUST_USE bool streamlog_mark_trusted(const struct streamlog *l);
/* Remove the files of the log; why goes to the log unless it is NULL. */
MUST_USE enum err streamlog_wipe(const struct streamlog *l, const char *why);

/* streamlog_file.c: the file under the environment. */

/* Move the map to at least map_bytes + bytes, or as far as another process
 * has. No transaction may be live. ERR_FULL: map_max, or no room on disk. */
MUST_USE enum err streamlog_grow(struct streamlog *l, size_t bytes);
/* Take over the size that another process gave the file. No live
 * transaction. */
MUST_USE enum err streamlog_adopt(struct streamlog *l);

/* streamlog_read.c */
MUST_USE enum err streamlog_snapshot(struct streamlog *l);

/* streamlog_room.c: none but the snapshot may be live. */

/* See to it that pages and the margin are free: count, grow, or drop ended
 * streams. ERR_FULL: not possible. force: something, in any case. */
MUST_USE enum err streamlog_room(struct streamlog *l, size_t pages, bool force);

/* streamlog.c */

/* Begin the write transaction unless it is there. */
MUST_USE int streamlog_begin(struct streamlog *l);
void streamlog_abort(struct streamlog *l);
/* Commit the write transaction, which there must be. */
MUST_USE int streamlog_commit_now(struct streamlog *l);
/* Delete events of a stream in the write transaction, its head first, at most
 * *budget records, which is counted down. MDB_SUCCESS also when some are
 * left: then *budget is 0. */
MUST_USE int streamlog_delete(struct streamlog *l, const struct ident *turn,
                              size_t *budget);
/* Do again what the transaction held, after an abort. */
MUST_USE int streamlog_redo(struct streamlog *l);

#endif
