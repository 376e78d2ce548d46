/*
 * Keeps the index of words (store/search.h) in step with the store, behind
 * everybody's back: a worker, one at a time in a process, adds what was said
 * and takes out what was deleted. Whatever is noted meanwhile is done together.
 * No turn waits for it, and none fails with it: when the index cannot be
 * written, it is tried again later.
 *
 * A while after the start all of the store is compared with the index, in small
 * steps: what another process left undone when it died is made up for, and an
 * index that is new is filled. It is, too, when a damaged one was replaced.
 *
 * SQLite is not opened before there is something to add, to forget or to find.
 */
#ifndef CHAT_INDEX_H
#define CHAT_INDEX_H

#include "store/search.h"

struct engine;
struct index;

/* NULL: it could not be made (logged); all other calls take that. The walk
 * through the store begins by itself. Loop thread. */
struct index *index_new(struct engine *en);
/* The loop and the workers have ended, the store is still open: do what is
 * noted, for a short time. */
void index_finish(struct index *ix);
/* NULL is fine. */
void index_free(struct index *ix);

/* Any thread. Messages were added to a session. Copies. */
void index_grown(struct index *ix, const char *owner, const char *session_id);
/* Any thread. A session was deleted; stays: only its messages were. 0: its
 * number is not known. */
void index_erased(struct index *ix, uint64_t session_no, bool stays);
/* Any thread. Is there something to do? */
bool index_busy(struct index *ix);

/* search_query, or within a session (session_no not 0) search_query_messages;
 * any thread but the loop's. *whole: all that the store has was in the index,
 * as far as this process knows. An index that had to be made anew finds
 * nothing, at first. */
MUST_USE enum err index_query(struct index *ix, const struct search_ask *ask,
                              uint64_t session_no, char next[SEARCH_CURSOR_MAX],
                              search_fn *fn, void *arg, bool *whole);

#endif
