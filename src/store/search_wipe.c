/*
 * The unused middle of a page.
 *
 * secure_delete overwrites a row where it is deleted. But rows move: when a
 * page gets too full or too empty SQLite lays out its rows and its neighbours'
 * anew, and the bytes between a page's list of rows and its first row keep
 * what was there, which may be a copy of a row that lives elsewhere. When that
 * row is deleted later the copy stays. (Seen: of 200 messages one was still in
 * the file.) VACUUM would do away with it by writing the whole index twice.
 *
 * Here these bytes are overwritten in the file itself, through SQLite's own
 * handle of it: the format of pages is documented and does not change. Others
 * are locked out, and a connection caches nothing while it is not used, so no
 * old page comes back. Only bytes without a meaning are written: to be killed
 * in the middle of it does no harm.
 */
#include "base/base.h"

#include "store/search_wipe.h"

#include "base/mem.h"

#define HEADER 100 /* bytes of the file's header, on the first page */
#define CHUNK (256 * 1024)
#define PAGE_MAX 65536

static unsigned
u16(const unsigned char *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

/* The unused bytes [*from, *to) of a page; false: it has none, or is no page
 * of a tree. The first byte of all other pages is that of a page number of four
 * bytes, so 0 in any file of less than 64 GiB (pointer maps are not used). */
static bool
unused(const unsigned char *page, size_t size, bool first, size_t *from,
       size_t *to)
{
    size_t at = first ? HEADER : 0;
    unsigned kind = page[at];
    bool leaf = kind == 0x0d || kind == 0x0a;

    if (!leaf && kind != 0x05 && kind != 0x02)
        return false;
    *from = at + (leaf ? 8 : 12) + 2 * (size_t)u16(page + at + 3);
    *to = u16(page + at + 5);
    if (*to == 0)
        *to = PAGE_MAX;
    return *from < *to && *to <= size;
}

static bool
all_zero(const unsigned char *p, size_t n)
{
    return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

static int
wipe_page(sqlite3_file *f, const unsigned char *page, size_t size,
          sqlite3_int64 at)
{
    static const unsigned char zeros[PAGE_MAX];
    size_t from, to;

    if (!unused(page, size, at == 0, &from, &to) ||
        all_zero(page + from, to - from))
        return SQLITE_OK;
    return f->pMethods->xWrite(f, zeros, (int)(to - from),
                               at + (sqlite3_int64)from);
}

static int
wipe_file(sqlite3_file *f, unsigned char *bytes)
{
    sqlite3_int64 end = 0, at;
    size_t size = 0, n;
    int rc = f->pMethods->xFileSize(f, &end);

    if (rc == SQLITE_OK && end >= HEADER)
        rc = f->pMethods->xRead(f, bytes, HEADER, 0);
    if (rc == SQLITE_OK && end >= HEADER)
        size = u16(bytes + 16) == 1 ? PAGE_MAX : u16(bytes + 16);
    if (rc != SQLITE_OK || size < 512)
        return rc != SQLITE_OK ? rc : SQLITE_CORRUPT;
    for (at = 0; rc == SQLITE_OK && at < end; at += (sqlite3_int64)n) {
        n = end - at < CHUNK ? (size_t)(end - at) : CHUNK;
        rc = f->pMethods->xRead(f, bytes, (int)n, at);
        for (size_t i = 0; rc == SQLITE_OK && i + size <= n; i += size)
            rc = wipe_page(f, bytes + i, size, at + (sqlite3_int64)i);
    }
    return rc == SQLITE_OK ? f->pMethods->xSync(f, SQLITE_SYNC_NORMAL) : rc;
}

enum err
search_wipe(struct search_conn *c)
{
    unsigned char *bytes = xmalloc(CHUNK);
    sqlite3_file *f = NULL;
    int rc = sqlite3_file_control(c->db, "main", SQLITE_FCNTL_FILE_POINTER, &f);

    if (rc == SQLITE_OK)
        rc = wipe_file(f, bytes);
    free(bytes);
    return rc == SQLITE_OK ? OK : search_failed(c, "wipe", rc);
}
