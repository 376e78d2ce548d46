/*
 * Full-text search for people: what the index finds (chat/index.h) is looked up
 * in the store before it is given, since the index may lag behind it. Only a
 * message that is still there, by its id, in a session that is still there, is
 * given. So nothing that was deleted is ever seen, and a page may be shorter
 * than its limit.
 */
#ifndef CHAT_FOUND_H
#define CHAT_FOUND_H

#include "store/search.h"

struct engine;

/* A session and the best of its messages that match, n at least 1. All of it
 * is borrowed for the call; false stops. */
typedef bool found_fn(void *arg, const struct session *s,
                      const struct search_hit *hits, size_t n);

struct found_ask {
    struct search_ask search;
    const char *session_id; /* within this one: a result is a message; NULL: in
                               all that the owner has */
    /* Is this session wanted? NULL: all are. */
    bool (*wanted)(void *arg, const struct session *s);
};

/* Any thread but the loop's. next, *whole and errors are those of index_query,
 * and ERR_NOTFOUND: there is no such session. */
MUST_USE enum err found_query(struct engine *en, const struct found_ask *ask,
                              char next[SEARCH_CURSOR_MAX], found_fn *fn,
                              void *arg, bool *whole);
/* Say what an error of it means: ERR_TOOBIG is a query that is too long,
 * ERR_BADREQ a cursor. */
void found_problem(struct problem *p, enum err e);

#endif
