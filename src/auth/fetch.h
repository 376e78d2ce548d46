/*
 * A thread that waits for one reply over HTTP: keys of an issuer, what it says
 * of itself, a code that is changed for tokens. The request is made on the
 * loop; the thread sleeps, for a bounded time, and only few threads at once, so
 * that a slow server does not take them all. Redirects are not followed.
 *
 * Where it may go: a URL of the same scheme, host and port as one of the
 * settings (`own`) is the operator's choice. It may be of the inner network; it
 * is https, or plain http to the loopback. Any other URL came with somebody's
 * reply: https, and an address of the internet at large (upstream/guard.h).
 */
#ifndef AUTH_FETCH_H
#define AUTH_FETCH_H

#include "base/buf.h"
#include "base/loop.h"

struct transfers; /* upstream/transfer.h */
struct fetcher;

#define FETCH_CONNECT_MS 4000
#define FETCH_TOTAL_MS 8000        /* to the last byte of the reply */
#define FETCH_WAITING_MAX 2        /* threads that may wait at once */
#define FETCH_AT_ONCE_MAX 8        /* requests under way, waited for or not */
#define FETCH_HEADERS_MAX 6        /* request headers */
#define FETCH_BODY_MAX (16 * 1024) /* bytes of a request's body */

struct fetch_header {
    const char *name, *value;
};

/* What to send. All is borrowed for the call. */
struct fetch_ask {
    const char *method; /* "GET", "POST"; static */
    const char *url;
    const char *own; /* a URL of the settings, see above; NULL: none */
    struct fetch_header headers[FETCH_HEADERS_MAX]; /* NULL: no more */
    const char *body; /* NULL: none; its type is among the headers */
    size_t body_len;
    bool secret; /* the body or the reply holds one: overwritten after use */
};

/* May this be a URL of the settings? https, or http to the loopback; no user
 * and password in it. Else ERR_BADREQ; why says what it should be. */
MUST_USE enum err fetch_own_check(const char *url, struct problem *why);

/* transfers belong to the loop. */
struct fetcher *fetcher_new(struct loop *l, struct transfers *ts);
/* Who waits is told ERR_STOPPING, and so is who asks from now on. Loop thread,
 * or after the loop ended; before those threads are joined. */
void fetcher_stop(struct fetcher *f);
/* Stops. Nobody asks any more. While the transfers are there. NULL is fine. */
void fetcher_free(struct fetcher *f);

/* Send it and wait for the reply. OK: a whole one, whatever its status; the
 * body (of a status >= 400: its first TRANSFER_ERROR_MAX bytes) is in reply,
 * which is initialised: its max bounds the body. Else why is filled: ERR_BADREQ
 * (the URL, the headers), ERR_FORBIDDEN (the address may not be called),
 * ERR_BUSY (too many wait already), ERR_STOPPING, ERR_TIMEOUT, ERR_UPSTREAM (no
 * connection, no HTTP, past reply->max). Any thread but the loop's. */
MUST_USE enum err fetch_wait(struct fetcher *f, const struct fetch_ask *ask,
                             struct buf *reply, int *status,
                             struct problem *why);

/* A place to wait in, for who sleeps until a fetch_start has ended: there are
 * FETCH_WAITING_MAX in all. false: none is free. Any thread. */
MUST_USE bool fetch_place_take(struct fetcher *f);
void fetch_place_leave(struct fetcher *f);

/* How a fetch ended: e and why as above; body is valid during the call. On the
 * loop's thread, or of fetcher_stop. */
typedef void fetch_fn(void *arg, enum err e, int status, const char *body,
                      size_t n, const struct problem *why);
/* The same without waiting. OK: fn is called exactly once, perhaps before this
 * returns. Else it never is, and why is filled. Any thread. */
MUST_USE enum err fetch_start(struct fetcher *f, const struct fetch_ask *ask,
                              size_t reply_max, fetch_fn *fn, void *arg,
                              struct problem *why);

#endif
