/*
 * The router is a table. A pattern is literal but for {…}, which matches one
 * non-empty path segment ("/sessions/{id}/messages"), at most two. {*} at its
 * end matches all that is left, if that is not empty.
 */
#ifndef HTTP_ROUTE_H
#define HTTP_ROUTE_H

#include "http/request.h"

/* Takes rq: answers and frees it, or hands it on. Acceptor thread. */
typedef void route_fn(void *app, struct request *rq);

struct route {
    enum method method;
    const char *pattern;
    route_fn *fn;
    const char *help; /* one line, for documentation */
    unsigned rules;   /* the caller's */
};

#define ROUTE_ALLOW_MAX 64 /* bytes, "GET, HEAD, POST, OPTIONS" */

/* The first row that fits counts, so literal rows stand before {…} rows.
 * OK: *out is the row and rq->path_args are set; HEAD finds GET's row.
 * ERR_NOTFOUND; ERR_METHOD with allow filled (OPTIONS always gives
 * ERR_METHOD here: the caller answers 204 with Allow). */
MUST_USE enum err route_find(const struct route *table, size_t n,
                             struct request *rq, const struct route **out,
                             char allow[ROUTE_ALLOW_MAX]);

#endif
