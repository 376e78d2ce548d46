/*
 * What the fuzz drivers of event streams share: checksums made right, since no
 * fuzzer finds two of them by itself.
 */
#ifndef FRAMES_H
#define FRAMES_H

#include "base/base.h"

#include "provider/eventstream.h"

static inline size_t
frames_u32(const uint8_t *p)
{
    return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
}

static inline void
frames_put_u32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

/* Each frame's length is cut to what is there, and so is that of its headers;
 * then its checksums are right. */
static inline void
frames_mend(uint8_t *p, size_t n)
{
    while (n >= EVENTSTREAM_OVERHEAD) {
        size_t total = frames_u32(p), headers = frames_u32(p + 4);

        if (total < EVENTSTREAM_OVERHEAD || total > n)
            total = n;
        if (headers > total - EVENTSTREAM_OVERHEAD)
            headers = total - EVENTSTREAM_OVERHEAD;
        frames_put_u32(p, (uint32_t)total);
        frames_put_u32(p + 4, (uint32_t)headers);
        frames_put_u32(p + 8, eventstream_crc(0, p, 8));
        frames_put_u32(p + total - 4, eventstream_crc(0, p, total - 4));
        p += total;
        n -= total;
    }
}

#endif
