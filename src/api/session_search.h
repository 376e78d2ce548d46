/*
 * What GET /sessions may be asked, and its answer when words are looked for.
 * Acceptor threads.
 */
#ifndef API_SESSION_SEARCH_H
#define API_SESSION_SEARCH_H

#include "api/app.h"

/* Strings are the request's; NULL: not given. */
struct list_query {
    int64_t limit;
    const char *cursor, *tag, *archived, *q;
};

/* Is a session one of those that are wanted, by tag and archived? */
bool list_query_fits(const struct list_query *q, const struct session *s);

/* Answer with the sessions that hold q->q, the best first, each with its best
 * messages. Takes rq. */
void session_search(struct app *app, struct request *rq,
                    const struct list_query *q);

#endif
