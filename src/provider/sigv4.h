/*
 * AWS Signature Version 4: what a request must say so that AWS believes who
 * sent it. The signature covers the method, the path, the query, the headers
 * named here, and the body's hash. Pure; any thread.
 */
#ifndef PROVIDER_SIGV4_H
#define PROVIDER_SIGV4_H

#include "base/buf.h"

#define SIGV4_DATE_LEN 17    /* "YYYYMMDDThhmmssZ" and NUL */
#define SIGV4_HEADERS_MAX 16 /* signed headers, with host and x-amz-* */

struct sigv4_header {
    const char *name; /* any case */
    const char *value;
};

/* All borrowed for the time of the call. */
struct sigv4_request {
    const char *method;
    const char *host;  /* as the Host header says it: port if not the usual */
    const char *path;  /* as it goes over the wire; "" is "/" */
    const char *query; /* as it goes over the wire, without '?'; "" : none */
    const struct sigv4_header *headers; /* to be signed beside host and
                                           x-amz-*; one name may repeat */
    size_t n_headers;
    const void *body;
    size_t body_len;
    const char *region, *service;
    const char *access_key, *secret_key;
    const char *session_token; /* "" : none */
    int64_t now_ms;            /* wall clock */
};

/* Sign. authorization gets the value of the Authorization header, date that
 * of X-Amz-Date; both must be sent, and with a session token
 * X-Amz-Security-Token too. The path is encoded once more than it is on the
 * wire, as AWS wants it everywhere but at S3. ERR_BADREQ: more than
 * SIGV4_HEADERS_MAX headers, or a time that has no four-digit year. */
MUST_USE enum err sigv4_sign(const struct sigv4_request *q,
                             struct buf *authorization,
                             char date[SIGV4_DATE_LEN]);

/* The text whose hash is signed; for tests. As above. */
MUST_USE enum err sigv4_canonical(const struct sigv4_request *q,
                                  const char *date, struct buf *out,
                                  struct buf *signed_names);

#endif
