/*
 * Replies. A reply is a two-state machine: head (status, headers), then body;
 * a header after the body began is a bug (assert). Heads are CGI's
 * ("Status: 200 OK"), which every door passes on.
 *
 * Cache-Control is no-store unless given. Whole replies carry Content-Length.
 *
 * Whole replies (reply_end) send what the kernel takes and leave the rest in
 * the conn; the caller hands such a conn to the loop. Every reply carries
 * X-Request-Id, X-Content-Type-Options and (for an allowed foreign origin)
 * the CORS headers. HEAD sends the head alone.
 */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include "http/request.h"

#define REPLY_HEAD_MAX (8 * 1024) /* bytes */

struct reply {
    struct request *rq; /* borrowed */
    struct buf out;     /* gap for Content-Length, head, body */
    size_t body_at;     /* offset of the body; 0: still in the head */
    size_t body_max;    /* bytes */
    int status;
    bool cache_set;  /* the caller gave a Cache-Control */
    bool left_set;   /* how many requests are left was said */
    bool policy_set; /* the caller gave a Content-Security-Policy */
};

/* Begin with a status (200…599). body_max: ceiling of the body in bytes.
 * Every reply says that it is no page (nosniff, a policy that allows nothing),
 * no-store, and under TLS that it is to be asked for so (HSTS). */
void reply_begin(struct reply *rp, struct request *rq, int status,
                 size_t body_max);
/* Control characters in the value become '?'. */
void reply_header(struct reply *rp, const char *name, const char *fmt, ...)
    PRINTF(3, 4);
/* The headers of a limit that was reached: X-RateLimit-Limit-Tokens and the
 * like, as clients of OpenAI's API look for them; X-Budget-…-USD. Nothing if p
 * has none. (What is left of how often the client may ask, rq->left, is said by
 * every reply and stream where p does not say it.) */
void reply_quota(struct reply *rp, const struct problem *p);
/* End the head; returns the buffer that the body is added to (it holds the
 * head already: add, do not clear). Without a call the body is empty. */
struct buf *reply_body(struct reply *rp, const char *content_type);
/* Send it all. OK, ERR_AGAIN (the conn must go to the loop) or ERR_HUP. If
 * the body did not fit its ceiling a 500 is sent instead. Releases rp. */
MUST_USE enum err reply_end(struct reply *rp);

/* The error body {"error","message","code","request_id"} with the status of
 * p. Retry-After and Allow (may be NULL) where they belong. */
MUST_USE enum err reply_problem(struct request *rq, const struct problem *p,
                                const char *allow);
/* A whole JSON reply from bytes that are JSON already. */
MUST_USE enum err reply_json(struct request *rq, int status, const char *json,
                             size_t n);
/* 204 to OPTIONS, with Allow and, for an allowed foreign origin, what a
 * preflight asks for. */
MUST_USE enum err reply_options(struct request *rq, const char *allow);
/* The head of a stream, alone, into out: text/event-stream with no-store,
 * X-Accel-Buffering: no, or another type. `extra` is whole header lines with
 * CRLF, or NULL. */
void reply_stream_head(struct buf *out, const struct request *rq,
                       const char *content_type, const char *extra);
/* {"error","message","code","request_id"} */
void reply_problem_json(struct buf *out, const struct problem *p,
                        const char *request_id);
/* The one table of err to HTTP status. */
int reply_status(const struct problem *p);
/* What stands behind a status on the line, "Not Found". */
const char *reply_reason(int status);
/* ALLOWED_ORIGINS, set once at start; borrowed; "" by default. */
void reply_set_origins(const char *allowed);
/* API_KEY_HEADER, which pages of those origins may send; likewise. */
void reply_set_key_header(const char *name);

#endif
