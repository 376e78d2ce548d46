/*
 * What the tests of the readers of text share: bytes become a descriptor, and
 * the blocks a text with a mark before each: "T|", "H2|", "C|", "R|", a '+'
 * behind the mark of one that goes on; joined by '\n'. Whatever is read is read
 * again in pieces of other sizes, and through a pipe, and must be the same.
 */
#ifndef TEXT_TEST_H
#define TEXT_TEST_H

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "files/text_inside.h"

#define READ_MAX (64 * 1024 * 1024) /* bytes of blocks a test looks at */

struct reading {
    struct buf out;
    struct facts facts;
    enum err e;
    enum skip why;
    size_t blocks;
    size_t longest;
};

static inline void
block_check(const struct block *b)
{
    assert_in_range(b->len, 1, BLOCK_MAX);
    assert_true(utf8_valid(b->text, b->len));
    assert_true((b->kind == BLOCK_HEADING) == (b->level > 0));
    for (size_t i = 0; i < b->len; i++)
        assert_true((unsigned char)b->text[i] >= ' ' || b->text[i] == '\n' ||
                    b->text[i] == '\t');
}

static inline enum err
reading_block(void *arg, const struct block *b)
{
    struct reading *r = arg;

    block_check(b);
    if (r->blocks++ > 0)
        buf_addc(&r->out, '\n');
    if (b->kind == BLOCK_HEADING)
        buf_addf(&r->out, "H%d", b->level);
    else
        buf_addc(&r->out, "THCR"[b->kind]);
    buf_adds(&r->out, b->more ? "+|" : "|");
    buf_add(&r->out, b->text, b->len);
    if (b->len > r->longest)
        r->longest = b->len;
    return OK;
}

static inline int
fd_of(const char *s, size_t n)
{
    int fd = memfd_create("text", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, s, n), n);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static inline void
reading_init(struct reading *r)
{
    memset(r, 0, sizeof(*r));
    buf_init(&r->out, READ_MAX);
}

static inline void
read_by(struct reading *r, enum text_kind kind, const char *s, size_t n,
        size_t window)
{
    int fd = fd_of(s, n);

    reading_init(r);
    r->e = text_read_by(fd, kind, reading_block, r, &r->facts, &r->why, window);
    (void)close(fd);
    assert_int_equal(buf_status(&r->out), OK);
}

static inline void
reading_release(struct reading *r)
{
    buf_release(&r->out);
}

/* Whole, then in other pieces. A file that is refused may have given less. */
static inline void
read_all_ways(struct reading *r, enum text_kind kind, const char *s, size_t n)
{
    static const size_t windows[] = {1, 2, 3, 7, 64, 1000, 4096, 8191};
    struct reading other;

    read_by(r, kind, s, n, TEXT_WINDOW);
    for (size_t i = 0; i < COUNT_OF(windows); i++) {
        if (n > 400000 && windows[i] < 64)
            continue;
        read_by(&other, kind, s, n, windows[i]);
        assert_int_equal(other.e, r->e);
        assert_int_equal(other.why, r->why);
        assert_string_equal(other.facts.title, r->facts.title);
        if (r->e == OK) {
            assert_int_equal(other.out.len, r->out.len);
            assert_memory_equal(other.out.data, r->out.data, r->out.len);
        }
        reading_release(&other);
    }
}

static inline void
check_bytes(enum text_kind kind, const char *s, size_t n, const char *want)
{
    struct reading r;

    read_all_ways(&r, kind, s, n);
    assert_int_equal(r.e, OK);
    assert_int_equal(r.why, SKIP_NOT);
    assert_string_equal(buf_cstr(&r.out), want);
    reading_release(&r);
}

static inline void
check_skip(enum text_kind kind, const char *s, size_t n, enum skip why)
{
    struct reading r;

    read_all_ways(&r, kind, s, n);
    assert_int_equal(r.e, ERR_IMPOSSIBLE);
    assert_int_equal(r.why, why);
    reading_release(&r);
}

/* n bytes of c, NUL-terminated; the caller's. */
static inline char *
many(char c, size_t n)
{
    char *s = xmalloc(n + 1);

    memset(s, c, n);
    s[n] = '\0';
    return s;
}

#endif
