/*
 * What the tests of readers share: files and archives made for one test, and
 * what a reader gives as one line of text.
 */
#ifndef READERS_TEST_H
#define READERS_TEST_H

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zip.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "files/extract.h"

#define SEEN_MAX (8 * 1024 * 1024)

/* What a reader has said. */
struct seen {
    struct buf text; /* "H1:A title|T:Text|R:a | b", pages as "T@2:Text" */
    size_t blocks;
    struct block last;
    enum err err;
    enum skip why;
    struct facts facts;
};

typedef enum err reader_fn(int fd, block_fn *fn, void *arg, struct facts *f,
                           enum skip *why);

static inline enum err
seen_block(void *arg, const struct block *b)
{
    struct seen *s = arg;

    assert_in_range(b->len, 1, BLOCK_MAX);
    assert_true(utf8_valid(b->text, b->len));
    for (size_t i = 0; i < b->len; i++)
        assert_true((unsigned char)b->text[i] >= ' ' || b->text[i] == '\n' ||
                    b->text[i] == '\t');
    assert_int_equal(b->level > 0, b->kind == BLOCK_HEADING);
    if (s->blocks > 0 && s->last.more) {
        assert_int_equal(b->kind, s->last.kind);
        buf_adds(&s->text, "+");
    } else {
        buf_addf(&s->text, "%s%c", s->blocks > 0 ? "|" : "", "THCR"[b->kind]);
        if (b->level > 0)
            buf_addf(&s->text, "%d", b->level);
        if (b->page > 0)
            buf_addf(&s->text, "@%d", b->page);
        buf_adds(&s->text, ":");
    }
    buf_add(&s->text, b->text, b->len);
    s->blocks++;
    s->last = *b;
    return OK;
}

static inline void
seen_begin(struct seen *s)
{
    (void)memset(s, 0, sizeof(*s));
    buf_init(&s->text, SEEN_MAX);
}

static inline void
seen_end(struct seen *s)
{
    if (s->err == OK && s->blocks > 0)
        assert_false(s->last.more);
    assert_int_equal(s->err == ERR_IMPOSSIBLE, s->why != SKIP_NOT);
}

/* Read a descriptor, which is closed. */
static inline void
see(struct seen *s, reader_fn *read_it, int fd)
{
    seen_begin(s);
    s->err = read_it(fd, seen_block, s, &s->facts, &s->why);
    seen_end(s);
    (void)close(fd);
}

/* A file with these bytes, at its start. */
static inline int
file_of(const void *bytes, size_t n)
{
    int fd = memfd_create("test", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), (ssize_t)n);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

/* --- archives ------------------------------------------------------------- */

struct pack {
    zip_t *zip;
    zip_source_t *source;
};

static inline void
pack_begin(struct pack *p)
{
    p->source = zip_source_buffer_create(NULL, 0, 0, NULL);
    assert_non_null(p->source);
    zip_source_keep(p->source);
    p->zip = zip_open_from_source(p->source, ZIP_TRUNCATE, NULL);
    assert_non_null(p->zip);
}

static inline zip_int64_t
pack_bytes(struct pack *p, const char *name, const void *bytes, size_t n)
{
    zip_source_t *s;
    zip_int64_t i;
    void *copy = malloc(n > 0 ? n : 1);

    assert_non_null(copy);
    (void)memcpy(copy, bytes, n);
    s = zip_source_buffer(p->zip, copy, n, 1);
    assert_non_null(s);
    i = zip_file_add(p->zip, name, s, 0);
    assert_true(i >= 0);
    return i;
}

static inline zip_int64_t
pack(struct pack *p, const char *name, const char *text)
{
    return pack_bytes(p, name, text, strlen(text));
}

/* The bytes of the archive, to be freed. */
static inline char *
pack_end(struct pack *p, size_t *n)
{
    struct zip_stat st;
    char *bytes;

    assert_int_equal(zip_close(p->zip), 0);
    assert_int_equal(zip_source_stat(p->source, &st), 0);
    bytes = xmalloc(st.size);
    assert_int_equal(zip_source_open(p->source), 0);
    assert_int_equal(zip_source_read(p->source, bytes, st.size),
                     (zip_int64_t)st.size);
    (void)zip_source_close(p->source);
    zip_source_free(p->source);
    *n = st.size;
    return bytes;
}

static inline int
pack_file(struct pack *p)
{
    size_t n;
    char *bytes = pack_end(p, &n);
    int fd = file_of(bytes, n);

    free(bytes);
    return fd;
}

#endif
