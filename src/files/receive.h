/*
 * A file on its way into the folder of uploads: written beside its place, then
 * noted in the index as waiting, then put in its place, so that at any moment
 * there is the old one whole or the new one. One thread each; blocks.
 */
#ifndef FILES_RECEIVE_H
#define FILES_RECEIVE_H

#include "files/place.h"

#define RECEIVE_OLD_S 60 /* what is swept was left alone for so long */

struct receive {
    struct files *files;
    int64_t collection;
    struct place place;
    char temporary[sizeof(((struct place *)0)->root) + 64];
    int fd;       /* -1: none comes */
    int64_t size; /* bytes that came */
};

/* A file comes. The name is UTF-8 of at most FILES_NAME_MAX bytes. After OK the
 * end is receive_end or receive_drop. ERR_FULL; ERR_STORE (logged); ERR_TOOBIG:
 * the name is too long. */
MUST_USE enum err receive_begin(struct receive *r, struct files *f,
                                const struct collection *c, const char *name);
/* Some of its bytes. ERR_FULL, ERR_STORE. */
MUST_USE enum err receive_bytes(struct receive *r, const void *p, size_t n);
/* Bytes that a file of this name may have so that all of the collection are at
 * most `most`: that of its name, which it replaces, does not count. */
MUST_USE enum err receive_room(struct files *f, int64_t collection,
                               const char *name, int64_t most, int64_t *room);
/* All of it is there. d: its name, label and label_fixed; the rest is set. most
 * as above (0: any number), exact however many come at once: ERR_LIMIT. After
 * an error what was there before still is; d->id that is not 0 must be read
 * even then. Ends r. */
MUST_USE enum err receive_end(struct receive *r, struct document *d,
                              int64_t most);
/* Nothing of it stays. Also after the end, and where nothing was begun (fd -1).
 */
void receive_drop(struct receive *r);

/* Remove all files of a collection that is dropped. What is no regular file, or
 * cannot be removed, stays. */
void receive_forget(const char *dir, int64_t collection);

/* Remove what processes that died left half written, in all collections of an
 * index. What another process writes now is left alone: it holds a lock. */
void receive_sweep(const char *dir);

#endif
