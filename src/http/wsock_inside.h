/*
 * The inside of a WebSocket, shared by wsock.c (its life, reading, time) and
 * wsock_out.c (writing). Loop thread.
 */
#ifndef HTTP_WSOCK_INSIDE_H
#define HTTP_WSOCK_INSIDE_H

#include "http/wsock.h"

#define WSOCK_READ_PAUSE (256 * 1024) /* bytes to send: nothing is read */
#define WSOCK_CONTROL_MAX (4 * 1024)  /* bytes of pongs that wait */

enum wsock_state {
    WSOCK_OPEN,
    WSOCK_CLOSING, /* we said close and wait for the peer's */
    WSOCK_ENDING,  /* nothing more is said; the rest is sent and dropped */
};

struct wsock {
    struct wsocks *set; /* borrowed */
    struct wsock *prev, *next;
    const struct wsock_ops *ops;
    void *owner; /* NULL: it has let go, or was told */
    struct loop_io io;
    struct loop_timer timer;
    struct frames in;
    struct buf out;            /* not taken by the kernel */
    size_t out_at;             /* of it, sent */
    struct buf control, later; /* for the next end of a frame, of a message */
    uint64_t frame_left;       /* bytes of the frame being written to come */
    char head[FRAMES_HEAD_MAX];
    unsigned char head_len; /* bytes of a frame's head, if cut */
    bool mid_message, blocked, shut, dead;
    enum wsock_state state;
    int64_t heard_ms, active_ms, end_ms;
    char *early; /* owned; bytes that came with the handshake */
    size_t early_len;
};

/* Nothing can be sent or heard any more: the timer ends it, so that no caller
 * loses it under its hands. */
void wsock_die(struct wsock *w);
/* Register for what it waits for now. */
void wsock_watch(struct wsock *w);
/* A ping or a pong, between two frames. A pong that finds no room is left out:
 * a later one serves as well. */
void wsock_control(struct wsock *w, enum frames_kind kind, const char *data,
                   size_t n);
/* The last frame of ours. False: there is no place for it, in the middle of a
 * frame; the end there says enough. */
bool wsock_say_close(struct wsock *w, unsigned code, const char *reason,
                     size_t n);
/* The kernel takes bytes again: send some. True: that was all. */
bool wsock_flush(struct wsock *w);

#endif
