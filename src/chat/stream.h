/*
 * Streams and their readers. A stream is the numbered log of one turn's
 * events; readers follow it at their own pace with a cursor each. The hub
 * holds all streams that somebody here writes or reads: those of this process
 * (local), and those of others (foreign), which it watches by polling the
 * log's transaction number.
 *
 * At the end of each loop turn the hub commits what was appended and then
 * gives every reader of a changed stream what is new, once. Loop thread only.
 */
#ifndef CHAT_STREAM_H
#define CHAT_STREAM_H

#include "base/loop.h"
#include "store/streamlog.h"

#define READER_BATCH (16 * 1024) /* bytes encoded before a send */
#define READER_PIECE (32 * 1024) /* bytes given at once */

struct hub;
struct stream;
struct reader;

/* What a reader does with events. The hub calls these; event and send must
 * not detach any reader. */
struct reader_ops {
    /* It follows a stream now. */
    void (*attached)(struct reader *r);
    /* Encode one event into out. */
    void (*event)(struct reader *r, const struct event *ev, struct buf *out);
    /* Send what was encoded; last: the stream has ended and nothing follows.
     * ERR_AGAIN: taken, but wait for reader_resume. ERR_HUP: gone. */
    enum err (*send)(struct reader *r, const struct buf *out, bool last);
    /* Nothing was sent for the ping time. ERR_HUP: gone. */
    enum err (*ping)(struct reader *r);
    /* There is no stream: the turn never began, or was not found. p NULL: it
     * ended, and r has seen all of it. */
    void (*fail)(struct reader *r, const struct problem *p);
    /* Detached for good; whose memory it is from here on. Called once,
     * after fail, after the last send, or after a hang-up. */
    void (*done)(struct reader *r);
};

/* Embed it. Zero it, then set ops, after and the flags before attaching. */
struct reader {
    const struct reader_ops *ops;
    struct stream *stream;      /* NULL: not attached */
    struct reader *prev, *next; /* in the stream */
    uint32_t after;             /* seq of the last event given */
    size_t skip;                /* bytes behind it that were given already */
    bool ends_only;             /* wants the end event alone */
    bool once;                  /* wants one batch of events, then done */
    bool blocked;               /* waits for reader_resume */
    int64_t sent_ms;            /* monotonic; last bytes given */
};

typedef void orphan_fn(void *arg, const struct ident *turn);

struct hub_config {
    struct loop *loop;
    struct streamlog *log;
    int64_t ping_ms;
    orphan_fn *orphan; /* a stream without its end that nobody writes */
    void *arg;
};
struct hub *hub_new(const struct hub_config *c);
void hub_free(struct hub *h); /* readers are done()d */

/* A stream that this process will write. It lives until stream_close. */
struct stream *stream_open(struct hub *h, const struct ident *turn);
/* Append an event. ERR_FULL as streamlog_append. */
MUST_USE enum err stream_append(struct stream *s, enum event_type type,
                                const void *data, size_t n);
const struct ident *stream_id(const struct stream *s);
uint32_t stream_seq(const struct stream *s); /* of the last event; 0: none */
/* Go on after events that are in the log already (a taken-over stream). */
void stream_set_seq(struct stream *s, uint32_t seq);
/* Its session was deleted: nobody new is attached, and the log lets go of it
 * when those who follow it have its end. Before stream_close. */
void stream_forget(struct stream *s);
/* The writer is done (after an end event, or with none: readers are failed
 * with p). s is gone for the caller. */
void stream_close(struct stream *s, const struct problem *p);
/* Follow a local stream that has no events yet. */
void stream_attach(struct stream *s, struct reader *r);

/* Any of its readers, NULL if it has none. */
struct reader *stream_first_reader(struct stream *s);

/* Attach r to a turn's stream, wherever it is written. ERR_NOTFOUND: the log
 * does not have it (r is untouched). OK also when r had seen all of it: then
 * it was failed with NULL and done. */
MUST_USE enum err hub_attach(struct hub *h, const struct ident *turn,
                             struct reader *r);
/* Detach without done(). */
void reader_detach(struct reader *r);
/* Its way out is free again. */
void reader_resume(struct reader *r);
/* Is the turn's stream written here? */
bool hub_has(struct hub *h, const struct ident *turn);

#endif
