/*
 * HTTP to providers: the only file that knows curl. One curl_multi on the
 * loop (socket callbacks into epoll, its timer into the loop's timer heap),
 * easy handles reused, connections kept and shared across turns, HTTP/2 where
 * a server offers it over TLS. TLS and the CA bundle are loaded at the first
 * https request, not before, and read once. Loop thread only.
 *
 * A transfer reports: head once, data any number of times, done exactly once
 * unless cancelled. After done or cancel the transfer is gone. Callbacks may
 * cancel their own transfer or start others.
 *
 * Limits: connect, first body byte, silence between bytes, and total time;
 * TRANSFER_HEAD_MAX of headers; data is passed on as it arrives and never
 * gathered, except that of replies with status >= 400, which is gathered up to
 * TRANSFER_ERROR_MAX and handed to done. Compression is not asked for.
 * Redirects are not followed. Proxies come from the environment as curl has it.
 *
 * A guarded request goes to an address that a client named: over https alone,
 * straight (a proxy would look names up itself) and over a connection of its
 * own; each address that its host leads to is looked at right before it is
 * connected to, whatever the name led to when the URL was checked. A plain one
 * is over http instead, and goes to the loopback alone.
 */
#ifndef UPSTREAM_TRANSFER_H
#define UPSTREAM_TRANSFER_H

#include "base/buf.h"
#include "base/loop.h"
#include "upstream/guard.h"

#define TRANSFER_HEADERS_MAX 16        /* request headers */
#define TRANSFER_HEAD_MAX (64 * 1024)  /* bytes of reply headers */
#define TRANSFER_ERROR_MAX (64 * 1024) /* bytes of an error body kept */
#define TRANSFER_BUFFER 1024           /* bytes; curl's receive buffer */

/* What to send. Built by providers, which do no I/O. */
struct upstream_request {
    const char *method;                  /* "POST", "GET"; static */
    char *url;                           /* owned */
    char *headers[TRANSFER_HEADERS_MAX]; /* owned "Name: value" */
    size_t n_headers;
    struct buf body; /* owned; empty for GET */
    bool http2;      /* try HTTP/2 on https */
    bool secret;     /* the body holds one: overwritten at release, as headers
                        are; have it reserved so that it never moves */
    bool guarded;    /* see above */
    bool plain;      /* guarded, over http: to the loopback alone */
    enum guard_class guard_also; /* addresses that it may have beside public
                                    ones; from guard_url */
};
void upstream_request_init(struct upstream_request *q, size_t body_max);
/* Overwrites headers and a secret body. */
void upstream_request_release(struct upstream_request *q);
/* Copies; a header with CR, LF or NUL, or too many: ERR_BADREQ. */
MUST_USE enum err upstream_request_header(struct upstream_request *q,
                                          const char *name, const char *value);

/* What matters of a reply's head. */
struct upstream_head {
    int status;
    char type[64];          /* media type, lower case, no parameters */
    char request_id[96];    /* x-request-id, request-id, …; "" */
    char error_type[64];    /* x-amzn-ErrorType, up to its ':'; "" */
    int64_t retry_after_ms; /* retry-after-ms, else retry-after; -1: none */
    bool exact_wait;        /* it was retry-after-ms */
    int should_retry;       /* x-should-retry: 1, 0, or -1 not sent */
};

struct transfer_limits {
    int connect_ms, first_byte_ms, idle_ms, total_ms; /* 0: none */
};

enum transfer_end {
    TRANSFER_COMPLETE,  /* the reply ended as HTTP says it should */
    TRANSFER_CUT,       /* it began and broke off */
    TRANSFER_CONNECT,   /* no connection (name, refused, TLS, time), or it was
                          closed without a reply */
    TRANSFER_TIMEOUT,   /* first byte, silence or total */
    TRANSFER_OVERSIZE,  /* headers past TRANSFER_HEAD_MAX */
    TRANSFER_FAILED,    /* protocol garbage */
    TRANSFER_UNTRUSTED, /* no connection: its certificate is not good */
    TRANSFER_FORBIDDEN  /* no connection: guarded, and no address that may be
                           called */
};

/* head is NULL if none came. error_body: what a reply >= 400 said. reason is
 * curl's own sentence, for the log; it holds no secret. */
struct transfer_result {
    enum transfer_end end;
    const struct upstream_head *head;
    const char *error_body;
    size_t error_len;
    const char *reason;
};

typedef void transfer_head_fn(void *arg, const struct upstream_head *head);
typedef void transfer_data_fn(void *arg, const char *p, size_t n);
typedef void transfer_done_fn(void *arg, const struct transfer_result *r);
struct transfer_calls {
    transfer_head_fn *head; /* NULL: not wanted */
    transfer_data_fn *data; /* only for status < 400 */
    transfer_done_fn *done;
};

struct transfers; /* all of them, one per loop */
struct transfer;

struct transfers *transfers_new(struct loop *l);
void transfers_free(struct transfers *ts); /* cancels what runs */
/* Check certificates against the authorities in this PEM file instead of the
 * system's; "": the system's. Copies. Before the first start. */
void transfers_trust(struct transfers *ts, const char *ca_file);
/* Takes q's content (q is released and reinitialised empty). NULL if curl
 * refuses the URL (logged). Never calls back before it returned. */
struct transfer *transfer_start(struct transfers *ts,
                                struct upstream_request *q,
                                const struct transfer_limits *lim,
                                const struct transfer_calls *calls, void *arg);
/* Close at once (the connection too); no callback comes. NULL is fine. */
void transfer_cancel(struct transfer *t);
size_t transfers_running(const struct transfers *ts);
uint64_t transfers_connections(const struct transfers *ts); /* opened so far */

#endif
