/*
 * WebSocket frames (RFC 6455 section 5) as a server reads and writes them, by
 * libwslay. Bytes in, messages out; text in, bytes out. No I/O; one thread at
 * a time.
 *
 * Reading is pulled: give bytes, then take items until there are none. Any
 * split of the same bytes gives the same items. While no frame or message is
 * under way a reader holds no memory: libwslay's context, with a buffer of
 * four kilobytes in it, is made with the first byte and freed with the last.
 */
#ifndef HTTP_FRAMES_H
#define HTTP_FRAMES_H

#include "base/buf.h"

#define FRAMES_FRAGMENT (16 * 1024) /* bytes of a frame that is written */
#define FRAMES_CONTROL_MAX 125      /* bytes of a control frame */
#define FRAMES_HEAD_MAX 10          /* bytes before them, unmasked */

/* Status codes of a close (RFC 6455 section 7.4.1). */
enum frames_code {
    FRAMES_NORMAL = 1000,
    FRAMES_GOING_AWAY = 1001,
    FRAMES_PROTOCOL = 1002,
    FRAMES_NO_CODE = 1005, /* a close that names none; never on the wire */
    FRAMES_BAD_TEXT = 1007,
    FRAMES_POLICY = 1008,
    FRAMES_TOO_BIG = 1009,
    FRAMES_INTERNAL = 1011,
    FRAMES_TRY_LATER = 1013
};

enum frames_kind {
    FRAMES_TEXT,   /* a whole message, UTF-8 */
    FRAMES_BINARY, /* a whole message */
    FRAMES_CLOSE,  /* code, and the reason as data */
    FRAMES_PING,
    FRAMES_PONG
};

struct frames_item {
    enum frames_kind kind;
    const char *data; /* borrowed until the next call */
    size_t len;
    unsigned code;
};

struct wslay_frame_context;
struct frames {
    struct wslay_frame_context *ctx; /* owned; NULL: nothing is under way */
    const char *at;                  /* bytes that were given, not taken */
    size_t left;
    uint64_t fed, used;  /* bytes that ctx took, and made something of */
    uint64_t frame_left; /* bytes of the frame's payload to come */
    struct buf message;  /* of a data frame and those before it */
    struct buf control;  /* of a control frame */
    uint8_t opcode;      /* of the frame under way */
    uint8_t first;       /* opcode of the message under way; 0: none is */
    bool fin, in_frame;
};

/* message_max: bytes of a message. */
void frames_init(struct frames *f, size_t message_max);
void frames_release(struct frames *f);
/* n bytes that came. They stay the caller's and must stay until frames_next
 * says ERR_AGAIN; before that nothing more is given. */
void frames_give(struct frames *f, const char *p, size_t n);
/* The next item. ERR_AGAIN: there is none before more bytes come. ERR_BADREQ:
 * *code is what the connection must be closed with; nothing is read after
 * it. */
MUST_USE enum err frames_next(struct frames *f, struct frames_item *item,
                              unsigned *code);

/* A text message as frames of at most FRAMES_FRAGMENT bytes each. */
void frames_put_text(struct buf *out, const char *text, size_t n);
/* A ping, a pong, or a close with its code and reason; at most
 * FRAMES_CONTROL_MAX bytes of data are taken (of a reason, two less). A close
 * with FRAMES_NO_CODE is empty. */
void frames_put_control(struct buf *out, enum frames_kind kind, unsigned code,
                        const char *data, size_t n);
/* How many bytes the frame at p has (head and payload), as written by us; 0:
 * n bytes do not tell. *fin: it ends a message. */
uint64_t frames_extent(const char *p, size_t n, bool *fin);

#endif
