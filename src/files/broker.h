/*
 * The chat program gives up opening files and starting programs before it
 * serves (base/sandbox.h). A process that it starts before that, `ingest
 * --serve`, keeps both for it: it reads what was uploaded into the index, opens
 * documents that the index names, and keeps folders current. It ends when the
 * one that started it has.
 *
 * Any thread, but broker_start.
 */
#ifndef FILES_BROKER_H
#define FILES_BROKER_H

#include "files/files.h"

struct broker;

/* Start the program at `path`. Before any thread, and before the sandbox.
 * NULL: it could not be started (logged); files can be searched all the same.
 */
struct broker *broker_start(const char *path);
void broker_stop(struct broker *b); /* NULL is fine */

/* Have a document read that the index says is waiting. Waits for it at most
 * wait_ms. OK: it was read, *skip says what came of it. ERR_AGAIN: it is not
 * done yet, and goes on. ERR_STOPPING: there is no broker. */
MUST_USE enum err broker_read(struct broker *b, int64_t document, int wait_ms,
                              enum skip *skip);
/* The file of a document, as it is now. OK: *fd is the caller's. ERR_NOTFOUND:
 * it is gone, or no regular file any more. ERR_STOPPING as above. */
MUST_USE enum err broker_open(struct broker *b, int64_t document, int *fd);

/* --- the other end: files/serve.c ----------------------------------------- */

struct serve_folder {
    const char *name; /* of its collection; the owner is FILES_SHARED */
    const char *root; /* "": there is none */
    const char *only; /* as in files/crawl.h */
};

struct serve {
    const char *dir;                   /* of the index */
    const struct serve_folder *folder; /* to be kept current */
    size_t n_folders;
    int every_s;    /* they are looked at so often; 0: once */
    bool sandbox;   /* enter it (files/serve_confine.c) */
    int patience_s; /* for one file to be read; 0: SERVE_PATIENCE_S */
};

#define SERVE_PATIENCE_S 1800

/* Serve the socket until its other end is closed. Ends itself (SIGKILL) when a
 * file is not read within the patience. Returns what main does. */
int serve_run(const struct serve *s, int sock);

/* --- files/keep.c --------------------------------------------------------- */

/* The same in a process of its own, and in another one if that is killed or
 * cannot open the index: what waits in the socket meanwhile is kept by this
 * one. It ends with this one, and this one with the socket's other end.
 * Before any thread. */
int serve_keep(const struct serve *s, int sock);

#endif
