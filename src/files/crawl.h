/*
 * A folder into a collection: what is new or changed is read, what vanished is
 * taken out, all else stays. It can be stopped between two chunks at any time,
 * or killed: the next run goes on. One thread; blocks.
 *
 * Not looked at: names that begin with a dot, links, what is no regular file,
 * other file systems' folders below it, and what the folder's rules
 * (files/rules.h) say to ignore.
 */
#ifndef FILES_CRAWL_H
#define FILES_CRAWL_H

#include "files/ingest.h"

#define CRAWL_DEPTH 64 /* folders in folders */

struct crawl_count {
    uint64_t files; /* that were found */
    uint64_t bytes;
    uint64_t added, same, skipped, gone; /* of them */
};

struct crawl {
    struct files *files;
    int64_t collection;
    const char *root;    /* the folder */
    struct tried *tried; /* NULL: every file is new */
    const char *only;    /* NULL; else a comma list of what is taken of its top:
                         names of files and folders */
    /* All may be NULL; arg is theirs. */
    bool (*stopped)(void *arg);
    void (*progress)(void *arg, const struct crawl_count *done,
                     const struct crawl_count *all, const char *name);
    void (*skipped)(void *arg, const struct document *d);
    void *arg;
};

/* ERR_HUP: stopped, with what was done until then. ERR_NOTFOUND: the folder is
 * not there, or cannot be read. ERR_CONFLICT: it is empty, and is not the one
 * that the documents come from (a disk that is not mounted); nothing is taken
 * out. ERR_BADREQ: its rules are wrong; else what the index says. why is
 * filled. */
MUST_USE enum err crawl(const struct crawl *c, struct crawl_count *done,
                        struct problem *why);

/* One document of it, as the folder and its rules are now: read if it changed,
 * taken out if it is gone or no more wanted. progress and skipped are not
 * called. Errors as above, but for an empty folder. */
MUST_USE enum err crawl_one(const struct crawl *c, const char *name,
                            struct document *d, enum ingested *did,
                            struct problem *why);

#endif
