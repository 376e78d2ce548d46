/*
 * Decoding AWS's event stream frames.
 *
 * The twelve bytes of the prelude are checked as soon as they are there, so a
 * length that is wrong is never believed and memory is only taken for a frame
 * that says it is within the limits. AWS allows 24 MiB of payload; a frame of
 * a model's answer holds a few hundred bytes, and ours ends at 16 MiB like
 * every other reply.
 *
 * Of the headers only the few with names of ours are kept. The rest is walked
 * over, but must be well-formed: the sum over all of it was right, so a header
 * that is not was made so, and then the rest is not to be trusted either.
 *
 * The checksum goes by half bytes: sixteen words of table instead of 256, and
 * frames are short.
 */
#include "base/base.h"

#include "provider/eventstream.h"

#define PRELUDE 12 /* bytes; lengths and their CRC */
#define CRC_LEN 4
#define KEEP_CAP 4096 /* bytes of memory kept between frames */

uint32_t
eventstream_crc(uint32_t crc, const void *p, size_t n)
{
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    const uint8_t *b = p;
    size_t i;

    crc = ~crc;
    for (i = 0; i < n; i++) {
        crc ^= b[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

static uint32_t
read_u32(const char *p)
{
    const uint8_t *b = (const uint8_t *)p;

    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 |
           b[3];
}

static size_t
read_u16(const char *p)
{
    const uint8_t *b = (const uint8_t *)p;

    return (size_t)b[0] << 8 | b[1];
}

void
eventstream_init(struct eventstream *s)
{
    buf_init(&s->frame, EVENTSTREAM_PAYLOAD_MAX + EVENTSTREAM_HEADERS_MAX +
                            EVENTSTREAM_OVERHEAD);
    s->whole = 0;
}

void
eventstream_release(struct eventstream *s)
{
    buf_release(&s->frame);
}

/* --- headers ------------------------------------------------------------ */

static void
keep(char out[EVENTSTREAM_NAME_MAX], const char *p, size_t n)
{
    if (n > EVENTSTREAM_NAME_MAX - 1)
        n = EVENTSTREAM_NAME_MAX - 1;
    memcpy(out, p, n);
    out[n] = '\0';
}

static bool
is_name(const char *p, size_t n, const char *name)
{
    return n == strlen(name) && memcmp(p, name, n) == 0;
}

/* The bytes of a value of this type, with its length if it has one, at p;
 * SIZE_MAX: no such type. */
static size_t
value_len(unsigned type, const char *p, size_t n)
{
    static const uint8_t fixed[] = {0, 0, 1, 2, 4, 8, 0, 0, 8, 16};

    if (type >= sizeof(fixed) || ((type == 6 || type == 7) && n < 2))
        return SIZE_MAX;
    return type == 6 || type == 7 ? 2 + read_u16(p) : fixed[type];
}

static enum err
read_headers(struct eventstream_frame *f, const char *p, size_t n)
{
    while (n > 0) {
        size_t name_len = (uint8_t)p[0], len;
        const char *name = p + 1, *value;
        unsigned type;

        if (n < 2 + name_len)
            return ERR_BADREQ;
        type = (uint8_t)name[name_len];
        value = name + name_len + 1;
        n -= 2 + name_len;
        len = value_len(type, value, n);
        if (len > n)
            return ERR_BADREQ;
        if (type == 7 && is_name(name, name_len, ":message-type"))
            keep(f->message_type, value + 2, len - 2);
        else if (type == 7 && (is_name(name, name_len, ":event-type") ||
                               is_name(name, name_len, ":exception-type") ||
                               is_name(name, name_len, ":error-code")))
            keep(f->type, value + 2, len - 2);
        p = value + len;
        n -= len;
    }
    return OK;
}

/* --- frames ------------------------------------------------------------- */

static enum err
check_prelude(const char *p, size_t *whole)
{
    size_t total = read_u32(p), headers = read_u32(p + 4);

    if (eventstream_crc(0, p, PRELUDE - CRC_LEN) != read_u32(p + 8))
        return ERR_BADREQ;
    if (headers > EVENTSTREAM_HEADERS_MAX)
        return ERR_TOOBIG;
    if (total < EVENTSTREAM_OVERHEAD + headers)
        return ERR_BADREQ;
    if (total - EVENTSTREAM_OVERHEAD - headers > EVENTSTREAM_PAYLOAD_MAX)
        return ERR_TOOBIG;
    *whole = total;
    return OK;
}

static enum err
take_frame(const char *p, size_t total, eventstream_fn *fn, void *arg)
{
    struct eventstream_frame f = {.message_type = "", .type = ""};
    size_t headers = read_u32(p + 4);
    enum err e;

    if (eventstream_crc(0, p, total - CRC_LEN) != read_u32(p + total - CRC_LEN))
        return ERR_BADREQ;
    e = read_headers(&f, p + PRELUDE, headers);
    if (e != OK)
        return e;
    f.payload = p + PRELUDE + headers;
    f.len = total - EVENTSTREAM_OVERHEAD - headers;
    return fn(arg, &f);
}

/* Move bytes of the input to the frame, until it holds want. */
static void
gather(struct eventstream *s, const char **p, size_t *n, size_t want)
{
    size_t take = want - s->frame.len;

    if (take > *n)
        take = *n;
    buf_add(&s->frame, *p, take);
    *p += take;
    *n -= take;
}

enum err
eventstream_feed(struct eventstream *s, const char *p, size_t n,
                 eventstream_fn *fn, void *arg)
{
    enum err e = OK;

    while (e == OK && n > 0) {
        if (s->whole == 0) {
            gather(s, &p, &n, PRELUDE);
            if (s->frame.len < PRELUDE)
                return OK;
            e = check_prelude(s->frame.data, &s->whole);
            if (e != OK)
                return e;
        }
        gather(s, &p, &n, s->whole);
        if (s->frame.len < s->whole)
            return OK;
        e = take_frame(s->frame.data, s->whole, fn, arg);
        buf_clear(&s->frame);
        buf_trim(&s->frame, KEEP_CAP);
        s->whole = 0;
    }
    return e;
}
