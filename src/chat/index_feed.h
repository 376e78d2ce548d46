/*
 * Comparing the index of words with the store, and bringing it up to date: a
 * session, or a bounded step through all of them. Workers only; what the store
 * cannot read is left out, so an error is one of store/search.h.
 */
#ifndef CHAT_INDEX_FEED_H
#define CHAT_INDEX_FEED_H

#include "store/search.h"

#define FEED_MESSAGES 200                  /* of one search_add */
#define FEED_BYTES (2 * 1024 * 1024)       /* likewise; one message at least */
#define FEED_STEP 100                      /* sessions of a step */
#define FEED_TEXT_MAX ((size_t)256 * 1024) /* bytes of a message, found */

struct feed {
    struct store *store;
    struct search *search;
    uint64_t added, dropped; /* messages, sessions; counted on */
    size_t bytes;            /* of text that was added; likewise */
};

/* Add what the index does not have of a session. OK also when there is no such
 * session. */
MUST_USE enum err feed_session(struct feed *f, const char *owner,
                               const char *id);
/* Give a step of a walk over all sessions to fn, which may ask the store. *from
 * is the number to go on at, 0 at the end; it stays if fn fails. */
typedef enum err feed_fn(void *arg, const char *owner, const char *id);
MUST_USE enum err feed_each(struct store *store, uint64_t *from, feed_fn *fn,
                            void *arg);
/* A step of a walk over all, from number *from on: take out what the store does
 * not have any more. *from is where to go on, 0 at the end. */
MUST_USE enum err feed_trim(struct feed *f, uint64_t *from);
/* A step of a walk over all: add what is missing. */
MUST_USE enum err feed_fill(struct feed *f, uint64_t *from);

#endif
