/*
 * Images of the index that a message names, for models that see them: their
 * bytes, read before the model is known. Which of them a model is shown is
 * decided when its prompt is built (chat/prompt_images.c), for each route anew,
 * as it is with their words (chat/retrieve.h).
 */
#ifndef CHAT_SIGHT_H
#define CHAT_SIGHT_H

#include "base/buf.h"
#include "chat/prompt.h"
#include "files/files.h"

#define SIGHT_FILE_MAX (12 * 1024 * 1024)  /* bytes of one image's file */
#define SIGHT_ASK_MAX (24 * 1024 * 1024)   /* of all that a message names */
#define SIGHT_HELD_MAX (384 * 1024 * 1024) /* bytes of base64, of all turns */
#define SIGHT_NAME_TOLD 160                /* bytes of a name in a note */

struct engine;
struct retrieved; /* chat/retrieve.h */

/* What became of one, for a route. */
enum sight_end {
    SIGHT_SHOWN,
    SIGHT_HELD,    /* it must not leave: the note about files held back */
    SIGHT_BLIND,   /* the model sees no images */
    SIGHT_REFUSED, /* its provider would not take them */
    SIGHT_ROOM,    /* the model's window has no room for it */
    SIGHT_LARGE,   /* its file, or with those before it, is too large */
    SIGHT_BUSY,    /* the images of all turns are too large */
    SIGHT_GONE,    /* its file is gone, or is no image any more */
    SIGHT__N
};
/* "this model does not see images"; "" for SHOWN and HELD. */
const char *sight_reason(enum sight_end end);

struct sight {
    int64_t document;
    char *name;             /* owned */
    const char *media_type; /* static */
    struct buf data;        /* base64; empty unless end is SHOWN */
    enum label label;
    enum sight_end end; /* SHOWN: it may be, as far as it is concerned */
};

struct sights {
    struct sight list[ASK_NAMED_MAX]; /* in the order of their names */
    size_t n;
};

/* Opens the file of a document; broker_open (files/broker.h). */
typedef enum err sight_open_fn(void *arg, int64_t document, int *fd);
/* Who opens files; once, before the engine runs. NULL: nobody. */
void sight_use(struct engine *en, sight_open_fn *open, void *arg);

/* Read the image behind fd, from its start, at most max bytes of it, into data
 * as base64. *media_type is static. ERR_TOOBIG; ERR_TYPE: it is no image;
 * ERR_STORE. Nothing is left in data after an error. Any thread but the
 * loop's. */
MUST_USE enum err sight_read(int fd, size_t max, struct buf *data,
                             const char **media_type);
/* Those images among the files that a names which are in the index, into
 * r->sights. Acceptor or worker. */
void sight_take(struct engine *en, const struct turn_ask *a,
                struct retrieved *r);
void sights_free(struct sights *s); /* NULL is fine */
/* Another SIGHT_HELD_MAX, for tests. */
void sight_ceiling(size_t bytes);

#endif
