/*
 * One open WebSocket on the loop: it reads messages, answers pings, sends its
 * own, closes in order, and notices a peer that is dead. What is said over it
 * is its owner's affair. A set holds all of them. Loop thread.
 *
 * Its end comes in one of two ways. The owner calls wsock_close and has
 * forgotten it from then on; or ops->closed tells the owner, who must not use
 * it any more. Either way the socket finishes by itself (what is still to be
 * sent, the other side's close, what the other side still sends) and is freed.
 *
 * Sending never blocks. Bytes of frames (wsock_write) may come in pieces cut
 * anywhere; what the kernel does not take is kept, so a writer that stops at
 * ERR_AGAIN holds no more than its last piece. Pongs and closes are put between
 * two frames, whole messages of others (wsock_say) between two messages.
 */
#ifndef HTTP_WSOCK_H
#define HTTP_WSOCK_H

#include "base/loop.h"
#include "http/frames.h"

#define WSOCK_SAY_MAX (32 * 1024 * 1024) /* bytes that wait; closed beyond */

struct wsock;
struct wsock_ops {
    /* A whole message, text or binary. It may close the socket. */
    void (*message)(void *owner, const char *p, size_t n);
    /* After ERR_AGAIN: all is sent. */
    void (*ready)(void *owner);
    /* The peer closed it, broke the protocol, or is gone. */
    void (*closed)(void *owner);
};

struct wsock_config {
    struct loop *loop; /* borrowed */
    size_t message_max;
    int64_t ping_ms;  /* between pings; a peer that is silent for three of
                         them is dead */
    int64_t idle_ms;  /* without a message in or out it is closed; 0: never */
    int64_t close_ms; /* for the end of a closed one */
};

/* All of them. Zeroed but for the configuration. */
struct wsocks {
    struct wsock_config c;
    struct wsock *list;
    size_t n; /* with those that are closing */
};
void wsocks_abort(struct wsocks *set); /* closed() is called, no frame sent */

/* Takes fd, a connected and non-blocking socket behind its handshake. p: bytes
 * of frames that came with the handshake. The first callback comes from the
 * loop. */
struct wsock *wsock_new(struct wsocks *set, int fd, const struct wsock_ops *ops,
                        void *owner, const char *p, size_t n);
/* Bytes of frames (frames_put_text). OK; ERR_AGAIN: taken, wait for ready();
 * ERR_HUP: the peer is gone, closed() follows. */
MUST_USE enum err wsock_write(struct wsock *w, const char *p, size_t n);
/* A whole text message. Results as wsock_write. Past WSOCK_SAY_MAX the socket
 * is closed. */
MUST_USE enum err wsock_say(struct wsock *w, const char *text, size_t n);
/* Is a message written in part? Then it must be ended, or the socket closed. */
bool wsock_mid_message(const struct wsock *w);
/* Say why and end it. reason: at most 123 bytes of it. */
void wsock_close(struct wsock *w, unsigned code, const char *reason);

#endif
