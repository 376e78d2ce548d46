/*
 * Does a store keep what it promises? All records are read and compared with
 * each other: docs/WIRE.md, "Data on disk", says what must agree. Behind the
 * store's front: for main programs and tests. One thread; the process must not
 * have the same store open (LMDB's rule).
 *
 * A check is one read transaction: it sees one moment, and a server goes on
 * beside it. A repair is one write transaction: a server waits for it, and
 * either all of it happens or nothing. What can be derived is made anew: the
 * lists of sessions, counts, marks, lengths. What belongs to nothing that is
 * there is removed. Texts that belong to a session are never touched, and
 * what cannot be read is left for somebody who can.
 */
#ifndef STORE_FSCK_H
#define STORE_FSCK_H

#include "base/base.h"

/* One fault. db is the database, key its key as people read it. fixable: a
 * repair would mend it. Borrowed for the call. */
typedef void fsck_fault_fn(void *arg, const char *db, const char *key,
                           const char *what, bool fixable);

struct fsck_config {
    const char *dir;  /* the store's folder */
    bool repair;      /* mend what can be */
    bool still;       /* nobody has it open, and nothing may be written beside
                         it: a backup. Not with repair */
    size_t map_bytes; /* with repair: as in struct store_config */
    fsck_fault_fn *fault; /* NULL: count only */
    void *arg;
};

struct fsck_result {
    uint64_t sessions, messages, turns, owners; /* that could be read */
    uint64_t faults;                            /* as found */
    uint64_t fixable;                           /* of these */
    uint64_t left;  /* after the repair; without one: faults */
    uint64_t bytes; /* of the file */
};

/* OK also when there are faults. ERR_NOTFOUND: there is no store; ERR_STORE:
 * it cannot be opened, or a newer program wrote it; ERR_FULL: no room for the
 * repair. The last two with a log line. */
MUST_USE enum err fsck_run(const struct fsck_config *c,
                           struct fsck_result *out);

#endif
