/* An HTTP/1.1 reply read in whatever pieces it arrives: status, framing, body.
 *
 * Used by the load generator and by the relay. It knows the three ways a body
 * can end (a length, chunks, the connection), the fields that decide which,
 * and nothing else. Body bytes are handed on in place, never copied; only a
 * head that is split between two reads is kept. */
#ifndef BENCH_REPLY_H
#define BENCH_REPLY_H

#include "bench.h"

#define REPLY_HEAD_MAX 16384 /* bytes */

enum reply_state {
    REPLY_HEAD,
    REPLY_SIZE,     /* the line with the size of a chunk */
    REPLY_DATA,     /* inside a chunk */
    REPLY_DATA_END, /* the line end after a chunk */
    REPLY_TRAILER,  /* after the last chunk, up to an empty line */
    REPLY_LENGTH,   /* a body of known length */
    REPLY_REST,     /* a body that ends with the connection */
    REPLY_DONE,
    REPLY_BAD
};

struct reply {
    enum reply_state state;
    int status;
    bool close;     /* the connection cannot be used again */
    bool line_data; /* the trailer's line is not empty */
    uint64_t left;  /* bytes of the chunk or body still to come */
    char *head;     /* owned; a split head, else NULL */
    size_t head_len;
};

/* The whole head as a string, and a part of the body. */
typedef void reply_head_fn(void *arg, const char *head);
typedef void reply_body_fn(void *arg, const char *bytes, size_t len);

static inline void
reply_init(struct reply *r)
{
    memset(r, 0, sizeof(*r));
}

static inline void
reply_release(struct reply *r)
{
    free(r->head);
    r->head = NULL;
}

/* Read status and framing from a head that is a string. */
static inline void
reply_head(struct reply *r, const char *head)
{
    const char *field;

    if (sscanf(head, "HTTP/1.%*c %3d", &r->status) != 1) {
        r->state = REPLY_BAD;
        return;
    }
    r->close = strcasestr(head, "\r\nConnection: close") != NULL;
    if (strcasestr(head, "\r\nTransfer-Encoding: chunked") != NULL) {
        r->state = REPLY_SIZE;
        return;
    }
    field = strcasestr(head, "\r\nContent-Length:");
    if (field == NULL) {
        r->state = REPLY_REST;
        r->close = true;
        return;
    }
    r->left = strtoull(field + 17, NULL, 10);
    r->state = r->left > 0 ? REPLY_LENGTH : REPLY_DONE;
}

/* Take bytes for the head; gives how many of them belonged to it. */
static inline size_t
reply_feed_head(struct reply *r, const char *bytes, size_t n,
                reply_head_fn *on_head, void *arg)
{
    size_t old = r->head_len, used = n;
    char *end;

    if (old + n > REPLY_HEAD_MAX)
        n = used = REPLY_HEAD_MAX - old;
    r->head = bench_alloc(r->head, old + n + 1);
    memcpy(r->head + old, bytes, n);
    r->head_len += n;
    r->head[r->head_len] = '\0';
    end = strstr(r->head, "\r\n\r\n");
    if (end == NULL) {
        if (r->head_len == REPLY_HEAD_MAX)
            r->state = REPLY_BAD;
        return used;
    }
    used = (size_t)(end - r->head) + 4 - old;
    end[2] = '\0';
    reply_head(r, r->head);
    if (on_head != NULL)
        on_head(arg, r->head);
    free(r->head);
    r->head = NULL;
    r->head_len = 0;
    return used;
}

/* One byte of the framing of a chunked body. */
static inline void
reply_feed_frame(struct reply *r, char ch)
{
    static const char digits[] = "0123456789abcdef";
    const char *digit;

    if (r->state == REPLY_SIZE && ch == '\n') {
        r->state = r->left > 0 ? REPLY_DATA : REPLY_TRAILER;
        r->line_data = false;
    } else if (r->state == REPLY_SIZE && ch != '\r') {
        digit = strchr(digits, ch >= 'A' && ch <= 'F' ? ch + 32 : ch);
        if (digit == NULL || ch == '\0' || r->left >> 56 != 0)
            r->state = REPLY_BAD; /* extensions are not expected either */
        else
            r->left = r->left * 16 + (uint64_t)(digit - digits);
    } else if (r->state == REPLY_DATA_END && ch == '\n') {
        r->state = REPLY_SIZE;
    } else if (r->state == REPLY_TRAILER && ch == '\n') {
        r->state = r->line_data ? REPLY_TRAILER : REPLY_DONE;
        r->line_data = false;
    } else if (r->state == REPLY_TRAILER && ch != '\r') {
        r->line_data = true;
    }
}

/* Take n bytes from the connection. Stops at the end of the reply or at its
 * first fault: look at r->state. Either callback may be NULL. */
static inline void
reply_feed(struct reply *r, const char *bytes, size_t n, reply_head_fn *on_head,
           reply_body_fn *on_body, void *arg)
{
    size_t used;

    while (n > 0 && r->state != REPLY_DONE && r->state != REPLY_BAD) {
        if (r->state == REPLY_HEAD) {
            used = reply_feed_head(r, bytes, n, on_head, arg);
        } else if (r->state == REPLY_DATA || r->state == REPLY_LENGTH ||
                   r->state == REPLY_REST) {
            used = r->state == REPLY_REST || r->left > n ? n : (size_t)r->left;
            if (on_body != NULL)
                on_body(arg, bytes, used);
            if (r->state != REPLY_REST)
                r->left -= used;
            if (r->state == REPLY_DATA && r->left == 0)
                r->state = REPLY_DATA_END;
            else if (r->state == REPLY_LENGTH && r->left == 0)
                r->state = REPLY_DONE;
        } else {
            reply_feed_frame(r, *bytes);
            used = 1;
        }
        bytes += used;
        n -= used;
    }
}

/* The connection has ended: is the reply whole? */
static inline bool
reply_closed(const struct reply *r)
{
    return r->state == REPLY_DONE || r->state == REPLY_REST;
}

#endif
