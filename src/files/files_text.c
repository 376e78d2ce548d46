/*
 * The text of a document, read back from any place: its chunks laid over each
 * other. A number that is cut by the border of a chunk is known to be one only
 * there, so what is blotted out of a chunk is looked for in this text, too.
 * Thread and errors as in files/files.h.
 */
#include "base/base.h"

#include "files/files.h"

#include "base/text.h"
#include "files/shelf.h"

/* The first place at or behind `at` where a character begins. */
static size_t
begin_of(const char *s, size_t n, size_t at)
{
    while (at < n && ((unsigned char)s[at] & 0xc0) == 0x80)
        at++;
    return at;
}

/* Chunks overlap: of each what is behind the one before. */
static enum err
text_gather(struct shelf_conn *c, int64_t first, int64_t chunks, int64_t start,
            size_t len, struct buf *out)
{
    int64_t at = start, end = start + (int64_t)len;
    enum err e;
    sqlite3_stmt *stmt = shelf_stmt(c, &e, SHELF_CHUNK_TEXT, "iii", first,
                                    first + chunks, start);

    while (e == OK && at < end && (e = shelf_step(c, stmt)) == OK) {
        int64_t from = sqlite3_column_int64(stmt, 0);
        const char *text = (const char *)sqlite3_column_text(stmt, 1);
        int64_t n = sqlite3_column_bytes(stmt, 1), skip;

        if (text == NULL)
            break;
        for (; at < from && at < end; at++) /* nothing is left out, but */
            buf_addc(out, '\n');
        skip = at - from;
        if (skip < 0 || skip >= n)
            continue;
        if (at == start)
            skip = (int64_t)begin_of(text, (size_t)n, (size_t)skip);
        n = from + n > end ? end - from : n;
        if (n > skip)
            buf_add(out, text + skip, (size_t)(n - skip));
        at = from + n > at ? from + n : at;
    }
    if (stmt != NULL)
        (void)sqlite3_reset(stmt);
    return e == ERR_NOTFOUND ? OK : e;
}

enum err
shelf_text_blotted(struct shelf_conn *c, const struct redact *blot,
                   int64_t first, int64_t chunks, int64_t start,
                   const char *text, size_t n, bool names, struct buf *out)
{
    int64_t from = start > REDACT_AROUND ? start - REDACT_AROUND : 0;
    struct buf all;
    size_t before;
    enum err e;

    buf_init(&all, 2 * (size_t)REDACT_AROUND + n + 8);
    e = text_gather(c, first, chunks, from, (size_t)(start - from), &all);
    before = all.len;
    buf_add(&all, text, n);
    if (e == OK)
        e = text_gather(c, first, chunks, start + (int64_t)n, REDACT_AROUND,
                        &all);
    if (e == OK)
        e = buf_status(&all);
    if (e == OK)
        (void)redact_part(blot, all.data != NULL ? all.data : "", all.len,
                          before, before + n, names, out);
    buf_release(&all);
    return e;
}

static enum err
text_read_from(struct shelf_conn *c, int64_t document, int64_t start,
               size_t len, struct buf *out)
{
    int64_t first, chunks;
    size_t before = out->len;
    enum err e;
    sqlite3_stmt *stmt = shelf_stmt(c, &e, SHELF_DOCUMENT, "i", document);

    if (e == OK)
        e = shelf_step(c, stmt);
    if (e != OK)
        return e;
    chunks = sqlite3_column_int64(stmt, 12);
    first = sqlite3_column_int64(stmt, 24);
    (void)sqlite3_reset(stmt);
    e = text_gather(c, first, chunks, start, len, out);
    if (e == OK && !out->over && out->len > before)
        out->len = before + utf8_whole(out->data + before, out->len - before);
    return e == OK ? buf_status(out) : e;
}

enum err
files_text(struct files *f, int64_t document, int64_t start, size_t len,
           struct buf *out)
{
    struct shelf_conn *c;
    enum err e = shelf_take(f, &c);

    if (e != OK)
        return e;
    if (start < 0)
        start = 0;
    if (len > INT32_MAX)
        len = INT32_MAX;
    if (start > INT64_MAX - INT32_MAX)
        start = INT64_MAX - INT32_MAX;
    e = shelf_read(c);
    if (e == OK)
        e = shelf_end(c, text_read_from(c, document, start, len, out));
    shelf_give(c);
    return e;
}
