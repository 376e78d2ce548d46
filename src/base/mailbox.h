/*
 * A queue that many threads fill and one empties; the emptier sleeps on an
 * eventfd (loop) or in mailbox_wait (committer, workers). First in, first out.
 */
#ifndef BASE_MAILBOX_H
#define BASE_MAILBOX_H

#include "base/loop.h"

struct mailbox {
    struct mail *head; /* newest first: pushed with compare-and-swap */
    int event_fd;      /* -1: none */
};

MUST_USE enum err mailbox_init(struct mailbox *b);
void mailbox_release(struct mailbox *b);
/* Any thread. m is the mailbox's until taken. */
void mailbox_post(struct mailbox *b, struct mail *m);
/* The owner: everything that is there, oldest first, NULL if nothing. */
struct mail *mailbox_take(struct mailbox *b);
/* The owner: sleep until something is there or timeout_ms passed (-1:
 * forever), then take. */
struct mail *mailbox_wait(struct mailbox *b, int timeout_ms);

#endif
