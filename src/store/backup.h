/*
 * Copies of the store, taken while it is used, and put back. Behind the
 * store's front: for main programs and tests. One thread; the process must not
 * have the store open.
 *
 * A backup is a folder with one file, data.mdb: the store as it was at one
 * moment, without the room that it has to spare. It holds everything that was
 * acknowledged before that moment. The stream log and the index of words are
 * not in it: what they hold is temporary, or is made again.
 */
#ifndef STORE_BACKUP_H
#define STORE_BACKUP_H

#include "store/fsck.h"

#define BACKUP_TEXT_MAX 1280 /* a sentence with a path, with its NUL */

struct backup {
    /* in */
    const char *store;    /* the store's folder */
    fsck_fault_fn *fault; /* of the copy; NULL: count only */
    void *arg;
    /* restore: records whose names begin with one of these are left out; ended
     * by NULL. NULL: all come back. */
    const char *const *ended;
    /* out */
    uint64_t left_out;          /* restore: how many records */
    struct fsck_result found;   /* in the copy */
    char why[BACKUP_TEXT_MAX];  /* what failed, for people */
    char kept[BACKUP_TEXT_MAX]; /* restore: where the old one is; "": none */
};

/* Copy the store into folder `to`, which is made or must be empty, make that
 * durable and check it. OK also when the copy has faults (those of the store):
 * found says so. ERR_CONFLICT: the folder is not empty; ERR_NOTFOUND: there is
 * no store; ERR_FULL: no room; ERR_STORE: anything else. No half copy is left
 * under the name data.mdb. */
MUST_USE enum err backup_make(struct backup *b, const char *to);

/* Put a copy of the backup in folder `from` in place of the store. The copy is
 * checked first: ERR_BADREQ with faults, unless force. The old store is kept
 * beside it, as store.old-TIME. data is the folder that holds the store, and
 * streams and search, which are removed. ERR_BUSY: a process has the store
 * open; why says which. ERR_NOTFOUND, ERR_FULL, ERR_STORE as above. One that
 * starts meanwhile waits, and sees the new store. At every moment, also when
 * the machine goes down, either the old store or the new one is there. */
MUST_USE enum err backup_restore(struct backup *b, const char *data,
                                 const char *from, bool force);

#endif
