/*
 * Frames of application/vnd.amazon.eventstream, the binary twin of server-sent
 * events that AWS streams in. A decoder is pushed bytes in any split and calls
 * back once for each whole frame whose checksums are right.
 *
 *   u32 length of all | u32 length of headers | u32 CRC of these 8 bytes
 *   headers: u8 length, name, u8 type, value
 *   payload | u32 CRC of all before it          (numbers are big-endian)
 */
#ifndef PROVIDER_EVENTSTREAM_H
#define PROVIDER_EVENTSTREAM_H

#include "base/buf.h"

#define EVENTSTREAM_PAYLOAD_MAX (16 * 1024 * 1024) /* bytes */
#define EVENTSTREAM_HEADERS_MAX (128 * 1024)       /* bytes */
#define EVENTSTREAM_OVERHEAD 16 /* bytes of a frame without both */
#define EVENTSTREAM_NAME_MAX 64 /* with NUL; a longer value is cut */

struct eventstream_frame {
    char message_type[EVENTSTREAM_NAME_MAX]; /* ":message-type": "event",
                                                "exception", "error"; "" */
    char type[EVENTSTREAM_NAME_MAX]; /* ":event-type", ":exception-type" or
                                        ":error-code", as fits; "" */
    const char *payload;             /* borrowed for the call */
    size_t len;
};

/* Anything but OK stops the decoding of this feed and is returned by it. */
typedef enum err eventstream_fn(void *arg, const struct eventstream_frame *f);

struct eventstream {
    struct buf frame; /* owned; what of the next frame came so far */
    size_t whole;     /* bytes of it in all; 0: not known yet */
};

void eventstream_init(struct eventstream *s);
void eventstream_release(struct eventstream *s);
/* ERR_BADREQ: a checksum is wrong or a header is malformed; ERR_TOOBIG: past
 * a limit; after either nothing more may be fed. */
MUST_USE enum err eventstream_feed(struct eventstream *s, const char *p,
                                   size_t n, eventstream_fn *fn, void *arg);

/* The CRC-32 of IEEE 802.3, as zlib's crc32(); begin with 0. */
uint32_t eventstream_crc(uint32_t crc, const void *p, size_t n);

#endif
