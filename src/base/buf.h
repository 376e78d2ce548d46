/*
 * A growing byte buffer, born with its ceiling. Adding past the ceiling
 * changes nothing but sets `over`, which stays set: a writer adds freely and
 * asks once at the end (buf_status).
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/base.h"

struct buf {
    char *data; /* owned; NULL while cap is 0; not NUL-terminated */
    size_t len; /* bytes used */
    size_t cap; /* bytes allocated */
    size_t max; /* bytes; the ceiling */
    bool over;  /* something did not fit */
};

void buf_init(struct buf *b, size_t max);
/* For secrets: all of it is allocated now, so what is added does not move, and
 * leaves no copies. */
void buf_init_secret(struct buf *b, size_t max);
void buf_release(struct buf *b); /* frees; usable again after init */
void buf_wipe(struct buf *b);    /* overwrites, then frees */
void buf_clear(struct buf *b);   /* len 0, over false, memory kept */
void buf_trim(struct buf *b, size_t keep_cap); /* frees memory if empty and
                                                  cap > keep_cap */
void buf_add(struct buf *b, const void *p, size_t n);
void buf_adds(struct buf *b, const char *s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
void buf_add_i64(struct buf *b, int64_t v); /* decimal, no printf: hot path */
/* Room for n more bytes, written by the caller, who then adds to len. NULL
 * if that passes max (over is set). */
char *buf_room(struct buf *b, size_t n);
void buf_drop(struct buf *b, size_t n); /* the first n bytes */
/* NUL-terminate without counting it; "" if empty or over. Valid until the
 * next add. */
const char *buf_cstr(struct buf *b);
/* ERR_TOOBIG if anything did not fit. */
MUST_USE enum err buf_status(const struct buf *b);

#endif
