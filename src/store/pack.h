/*
 * The bytes that records are made of. Numbers are unsigned LEB128 in their
 * shortest form (a time in milliseconds takes six bytes), strings carry their
 * length, ids are 16 raw bytes. A writer is a cursor over a buffer of known
 * size; a reader is a cursor that turns bad once and stays bad, so that a
 * record is read straight through and asked about once at the end. Inline:
 * a commit writes and reads dozens of records. For record*.c only.
 */
#ifndef STORE_PACK_H
#define STORE_PACK_H

#include "store/store.h"

#define PACK_VAR_MAX 10 /* bytes of a u64 */

/* --- writing ------------------------------------------------------------ */

static inline uint8_t *
pack_put_var(uint8_t *w, uint64_t v)
{
    while (v >= 0x80) {
        *w++ = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    *w++ = (uint8_t)v;
    return w;
}

static inline size_t
pack_var_size(uint64_t v)
{
    size_t n = 1;

    while (v >= 0x80) {
        v >>= 7;
        n++;
    }
    return n;
}

/* Times and counts are never negative; a clock before 1970 reads as 1970. */
static inline uint64_t
pack_natural(int64_t v)
{
    return v < 0 ? 0 : (uint64_t)v;
}

/* Token counts: 0 is "not known". */
static inline uint64_t
pack_maybe(int64_t v)
{
    if (v < 0)
        return 0;
    return v == INT64_MAX ? (uint64_t)v : (uint64_t)v + 1;
}

static inline uint8_t *
pack_put_id(uint8_t *w, const struct ident *id)
{
    memcpy(w, id->b, 16);
    return w + 16;
}

static inline uint8_t *
pack_put_str(uint8_t *w, const char *s, size_t max)
{
    size_t n = strlen(s);

    assert(n <= max);
    w = pack_put_var(w, n);
    memcpy(w, s, n);
    return w + n;
}

/* A string that is kept with its NUL, to be lent out in place. */
static inline uint8_t *
pack_put_name(uint8_t *w, const char *s)
{
    size_t n = strlen(s);

    *w++ = (uint8_t)n;
    memcpy(w, s, n + 1);
    return w + n + 1;
}

/* --- reading ------------------------------------------------------------ */

struct pack_reader {
    const uint8_t *p, *end;
    bool bad;
};

static inline uint8_t
pack_get_u8(struct pack_reader *r)
{
    if (r->p == r->end) {
        r->bad = true;
        return 0;
    }
    return *r->p++;
}

static inline uint64_t
pack_get_var(struct pack_reader *r)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t b = pack_get_u8(r);

        if (shift == 63 && b > 1)
            break;
        v |= (uint64_t)(b & 0x7f) << shift;
        if ((b & 0x80) == 0) {
            if (b == 0 && shift > 0)
                break; /* a longer form than needed */
            return v;
        }
    }
    r->bad = true;
    return 0;
}

static inline uint64_t
pack_get_max(struct pack_reader *r, uint64_t max)
{
    uint64_t v = pack_get_var(r);

    if (v > max) {
        r->bad = true;
        return 0;
    }
    return v;
}

static inline int64_t
pack_get_natural(struct pack_reader *r)
{
    return (int64_t)pack_get_max(r, INT64_MAX);
}

static inline int64_t
pack_get_maybe(struct pack_reader *r)
{
    return (int64_t)pack_get_max(r, INT64_MAX) - 1;
}

static inline const uint8_t *
pack_get_bytes(struct pack_reader *r, size_t n)
{
    const uint8_t *p = r->p;

    if ((size_t)(r->end - r->p) < n) {
        r->bad = true;
        return NULL;
    }
    r->p += n;
    return p;
}

static inline void
pack_get_id(struct pack_reader *r, struct ident *out)
{
    const uint8_t *p = pack_get_bytes(r, 16);

    if (p != NULL)
        memcpy(out->b, p, 16);
    else
        memset(out->b, 0, 16);
}

/* out has room for max + 1 bytes. */
static inline void
pack_get_str(struct pack_reader *r, char *out, size_t max)
{
    size_t n = (size_t)pack_get_max(r, max);
    const uint8_t *p = pack_get_bytes(r, n);

    if (p == NULL || memchr(p, '\0', n) != NULL) {
        r->bad = true;
        n = 0;
    }
    if (n > 0)
        memcpy(out, p, n);
    out[n] = '\0';
}

/* A string that is kept with its NUL: borrowed. */
static inline const char *
pack_get_name(struct pack_reader *r)
{
    size_t n = pack_get_u8(r);
    const uint8_t *p = pack_get_bytes(r, n + 1);

    if (p == NULL || n > STORE_NAME_MAX || memchr(p, '\0', n + 1) != p + n) {
        r->bad = true;
        return "";
    }
    return (const char *)p;
}

static inline struct pack_reader
pack_reader(const void *p, size_t n)
{
    struct pack_reader r = {p, p == NULL ? p : (const uint8_t *)p + n, false};

    return r;
}

/* All read and nothing left? */
static inline enum err
pack_end(const struct pack_reader *r)
{
    return r->bad || r->p != r->end ? ERR_STORE : OK;
}

#endif
