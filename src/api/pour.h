/*
 * A long reply that is made while it is sent, at the pace of its client: a
 * worker makes the next piece when the kernel has taken the one before. So it
 * costs the memory of one piece, and no thread waits for who reads slowly.
 */
#ifndef API_POUR_H
#define API_POUR_H

#include "api/app.h"

#define POUR_PIECE (256 * 1024)           /* bytes; about so much is made */
#define POUR_PIECE_MAX (64 * 1024 * 1024) /* bytes; the most that one takes */

struct pour_calls {
    /* Worker. Put the next piece behind what is in out; set *last with the
     * last one. An error breaks the reply off, so that its client sees that it
     * is not whole. */
    enum err (*more)(void *arg, struct buf *out, bool *last);
    void (*free)(void *arg); /* once, at the end; any thread */
};

/* Send the head, then what more gives. extra: whole header lines with CRLF,
 * or NULL. Takes rq, and arg; calls is constant. Acceptor threads. */
void pour(struct app *app, struct request *rq, const char *content_type,
          const char *extra, const struct pour_calls *calls, void *arg);

#endif
