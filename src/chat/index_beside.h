/*
 * Feeding the index of words from a program beside the server: one that puts
 * sessions into the store by itself, or makes the index anew. The server uses
 * the same file and finds at once what is in it.
 *
 * What such a program leaves undone when it is killed is not lost: while it
 * works the index does not count as whole, so the server compares it with the
 * store when the next search meets it so. Errors are those of store/search.h.
 * One thread.
 */
#ifndef CHAT_INDEX_BESIDE_H
#define CHAT_INDEX_BESIDE_H

#include "chat/index_walk.h"

struct index_bulk;
struct index_beside {
    struct store *store;
    struct search *search;   /* owned */
    struct index_bulk *bulk; /* owned; what is gathered */
    struct walker walker;
    char dir[4096];
    uint64_t stamp; /* that says it is not whole; 0: not set by us */
    bool was_whole;
};

/* dir: of the index, DATA_DIR/search. ERR_STORE: its name is too long. */
MUST_USE enum err index_beside_open(struct index_beside *ib,
                                    struct store *store, const char *dir);
/* Nothing that was not opened. */
void index_beside_close(struct index_beside *ib);

/* Before sessions are written to the store. */
MUST_USE enum err index_beside_begin(struct index_beside *ib);
/* They were: add what one says. It is gathered, and written with others. */
MUST_USE enum err index_beside_add(struct index_beside *ib, const char *owner,
                                   const char *session_id);
/* All that was written is in it. */
MUST_USE enum err index_beside_end(struct index_beside *ib);

/* Throw the index away and make it from the store. progress is told how many
 * messages were added so far; NULL is fine. Searches go on, and find what is in
 * it by then. Another process that keeps it locked is waited for, not for
 * ever. */
MUST_USE enum err index_beside_rebuild(struct index_beside *ib,
                                       void (*progress)(void *arg,
                                                        uint64_t messages),
                                       void *arg);

#endif
