/*
 * One file into the index: is it the one that is known, what kind is it, what
 * does it say. Plain text is read here, everything else in a child process
 * (files/extract.h). A file that cannot be taken is put into the index with the
 * reason, and nothing else is lost by it. One thread at a time; blocks.
 */
#ifndef FILES_INGEST_H
#define FILES_INGEST_H

#include "files/files.h"
#include "files/tried.h"

#define INGEST_FILE_MAX \
    (512L * 1024 * 1024) /* bytes; a longer one is not read */

struct ingest {
    struct files *files;
    int64_t collection;
    int root;                  /* descriptor of the folder, borrowed */
    const struct rules *rules; /* NULL: none */
    struct tried *tried;       /* NULL: every file is new */
    /* Asked while a file is read: is it to be given up? NULL: never. */
    bool (*stopped)(void *arg);
    void *arg;
    /* A batch of puts is open; ingest_settle. */
    bool batch;
    int64_t batch_ms; /* monotonic, since when */
};

enum ingested {
    INGEST_ADDED, /* or made anew */
    INGEST_SAME,  /* as it is in the index already */
    INGEST_SKIPPED,
    INGEST_GONE, /* it vanished meanwhile */
};

/* The file at `path` below the root, as the document `name`. *d is what the
 * index says of it then; an image has the stricter label of its own and that of
 * its sidecar. ERR_HUP: stopped; else what the index says. The batch may be
 * left open behind it. */
MUST_USE enum err ingest_file(struct ingest *in, const char *path,
                              const char *name, struct document *d,
                              enum ingested *did);
/* Write down what is not yet; call it at the end, and before a long pause. */
MUST_USE enum err ingest_settle(struct ingest *in);

/* A regular file below a folder, never through a link. -1: errno says why. */
int ingest_open(int root, const char *path);
/* Does that mean that no regular file is there? Of anything else that is wrong
 * it may be there, and nothing is taken out for it. */
bool ingest_is_gone(int errnum);

#define INGEST_PATH_BYTES (FILES_NAME_MAX + 16)
/* The file that says what is to be seen on an image (files/image.h): the first
 * of its possible names that is there, that the rules do not ignore, and that
 * sidecar_read takes. Open, at its start, and path is its; -1: there is none.
 * A file of such a name that it is not is a document of its own. */
int ingest_sidecar(const struct ingest *in, const char *image,
                   char path[INGEST_PATH_BYTES]);

#endif
