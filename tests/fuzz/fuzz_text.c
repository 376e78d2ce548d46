/*
 * Fuzzes the readers of text. The first byte is the kind, the second how the
 * file is cut into pieces, the rest the file. Every block keeps the promises of
 * files/block.h, one that goes on is followed by another, and however a file is
 * cut, the same comes out.
 */
#include "base/base.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "files/text_inside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OUT_MAX (64 * 1024 * 1024)

struct reading {
    struct buf out;
    struct facts facts;
    bool more;
};

static enum err
take(void *arg, const struct block *b)
{
    struct reading *r = arg;
    char *copy = xmemdup0(b->text, b->len); /* all of it may be read */

    assert(b->len >= 1 && b->len <= BLOCK_MAX);
    assert(utf8_valid(copy, b->len));
    for (size_t i = 0; i < b->len; i++) {
        unsigned char c = (unsigned char)copy[i];

        assert((c >= ' ' && c != 0x7F) || c == '\n' || c == '\t');
        assert(c != 0xC2 || (unsigned char)copy[i + 1] >= 0xA0);
    }
    assert((b->kind == BLOCK_HEADING) == (b->level >= 1 && b->level <= 6));
    assert(b->page == 0);
    r->more = b->more;
    buf_addf(&r->out, "%d%d%d:", (int)b->kind, b->level, b->more);
    buf_add(&r->out, b->text, b->len);
    buf_addc(&r->out, '\n');
    free(copy);
    return OK;
}

static enum err
read_by(struct reading *r, enum text_kind kind, const uint8_t *s, size_t n,
        size_t window, enum skip *why)
{
    int fd = memfd_create("text", MFD_CLOEXEC);
    enum err e;

    assert(fd >= 0 && write(fd, s, n) == (ssize_t)n);
    assert(lseek(fd, 0, SEEK_SET) == 0);
    memset(r, 0, sizeof(*r));
    buf_init(&r->out, OUT_MAX);
    e = text_read_by(fd, kind, take, r, &r->facts, why, window);
    (void)close(fd);
    assert(e == OK || e == ERR_IMPOSSIBLE);
    assert((e == OK) == (*why == SKIP_NOT));
    assert(e != OK || (r->out.len > 0 && !r->more));
    assert(memchr(r->facts.title, '\0', sizeof(r->facts.title)) != NULL);
    assert(text_plain(r->facts.title, strlen(r->facts.title)));
    return e;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t windows[] = {1, 2, 3, 5, 17, 100, 1000, 8192};
    struct reading whole;
    struct reading cut;
    enum text_kind kind;
    enum skip why;
    enum skip again;
    enum err e;

    if (size < 2)
        return 0;
    kind = (enum text_kind)(data[0] % (TEXT_JSON + 1));
    e = read_by(&whole, kind, data + 2, size - 2, TEXT_WINDOW, &why);
    assert(read_by(&cut, kind, data + 2, size - 2, windows[data[1] % 8],
                   &again) == e);
    assert(again == why);
    assert(strcmp(whole.facts.title, cut.facts.title) == 0);
    if (!e) {
        assert(whole.out.len == cut.out.len);
        assert(memcmp(whole.out.data, cut.out.data, cut.out.len) == 0);
    }
    buf_release(&whole.out);
    buf_release(&cut.out);
    return 0;
}
