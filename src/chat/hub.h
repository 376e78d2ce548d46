/*
 * The inside of streams and readers, shared by stream.c and hub.c only. Owned
 * by the loop thread.
 */
#ifndef CHAT_HUB_H
#define CHAT_HUB_H

#include "base/buf.h"
#include "chat/stream.h"

#define HUB_BUCKETS 4096 /* power of two */

enum stream_kind {
    STREAM_LOCAL,   /* written by a turn of this process */
    STREAM_FOREIGN, /* written elsewhere: polled */
    STREAM_LEFT     /* written here to its end; readers catch up */
};

struct stream {
    struct hub *hub;
    struct ident id;
    struct stream *next; /* in the bucket */
    struct stream *dirty_next;
    struct reader *readers;
    uint32_t seq; /* of the last event appended here */
    enum stream_kind kind;
    bool dirty;
    bool forgotten;         /* of a deleted session */
    struct process process; /* foreign: who writes it */
    int64_t checked_ms;
};

struct hub {
    struct hub_config c;
    struct stream *buckets[HUB_BUCKETS];
    struct stream *dirty;
    struct buf scratch;
    struct loop_hook hook;
    struct loop_timer ping, poll;
    size_t n_foreign;
    uint64_t txnid; /* seen last */
    int64_t swept_ms;
};

/* Look at it at the end of this loop turn. */
void stream_mark(struct stream *s);
/* Free a stream that nobody writes or reads; a dirty one waits for the end
 * of the pass. */
void stream_drop_if_idle(struct stream *s);
/* The reader is finished: out of the stream, then its own affair. */
void reader_done(struct reader *r);
/* Does another process write the streams of p? (Ours are LOCAL.) */
bool stream_is_written(const struct process *p);
/* Poll the log for others' commits while there are foreign streams. */
void hub_poll_set(struct hub *h);

#endif
