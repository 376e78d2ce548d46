/*
 * Fuzzes http/multipart.c. The first line is the Content-Type, the rest the
 * body. However it is cut, the same parts with the same bytes come out, or the
 * same problem; names are what the header promises, and no byte comes out that
 * was not put in.
 */
#include "base/base.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OUT_MAX (64 * 1024 * 1024)

struct seen {
    struct buf out;
    bool inside;
    size_t bytes;
    unsigned parts;
};

static enum err
on_begin(void *arg, const struct multipart_part *p)
{
    struct seen *s = arg;
    const char *f = p->filename;

    assert(!s->inside);
    s->inside = true;
    s->parts++;
    assert(p->name[0] && strlen(p->name) <= MULTIPART_NAME_MAX);
    assert(text_plain(p->name, strlen(p->name)));
    assert(text_plain(p->type, strlen(p->type)));
    if (f) {
        assert(strlen(f) <= MULTIPART_FILENAME_MAX);
        assert(text_plain(f, strlen(f)));
        assert(strpbrk(f, "/\\") == NULL);
        assert(strcmp(f, ".") != 0 && strcmp(f, "..") != 0);
    }
    buf_addf(&s->out, "[%s|%s|%s]", p->name, f ? f : "/", p->type);
    return OK;
}

static enum err
on_bytes(void *arg, const void *p, size_t n)
{
    struct seen *s = arg;

    assert(s->inside && n > 0);
    s->bytes += n;
    buf_add(&s->out, p, n);
    return OK;
}

static enum err
on_end(void *arg)
{
    struct seen *s = arg;

    assert(s->inside);
    s->inside = false;
    buf_addc(&s->out, '\n');
    return OK;
}

static const struct multipart_calls calls = {on_begin, on_bytes, on_end};

/* step 0: whole; else pieces of 1 to step bytes. */
static enum err
parse(const char *type, const uint8_t *s, size_t n, size_t step,
      struct seen *seen, struct problem *why)
{
    struct multipart *m;
    enum err e;

    memset(seen, 0, sizeof(*seen));
    memset(why, 0, sizeof(*why));
    buf_init(&seen->out, OUT_MAX);
    e = multipart_new(type, &calls, seen, &m, why);
    if (e)
        return e;
    for (size_t i = 0; i < n && !e;) {
        size_t k = step ? 1 + (i * 7 + step) % step : n;
        char *piece;

        if (k > n - i)
            k = n - i;
        piece = xmemdup0(s + i, k);
        e = multipart_feed(m, piece, k, why);
        free(piece);
        i += k;
    }
    if (!e)
        e = multipart_end(m, why);
    assert(e != OK || !seen->inside);
    assert(e == OK || (why->err == e && why->message[0]));
    assert(seen->bytes <= n && seen->parts <= MULTIPART_PARTS_MAX);
    multipart_free(m);
    return e;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t steps[] = {1, 2, 3, 17};
    const uint8_t *lf = size > 0 ? memchr(data, '\n', size) : NULL;
    size_t len = lf ? (size_t)(lf - data) : size;
    const uint8_t *body = lf ? lf + 1 : data;
    size_t n = lf ? size - len - 1 : 0;
    char *type = xmemdup0(data, len);
    struct problem why;
    struct seen whole;
    enum err e = parse(type, body, n, 0, &whole, &why);

    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        struct problem other;
        struct seen cut;

        assert(parse(type, body, n, steps[i], &cut, &other) == e);
        assert(strcmp(other.code, why.code) == 0);
        assert(strcmp(other.message, why.message) == 0);
        /* Of a body that is refused, bytes may not have come yet. */
        assert(e || cut.out.len == whole.out.len);
        assert(cut.parts == whole.parts);
        assert(cut.out.len == 0 || e ||
               memcmp(cut.out.data, whole.out.data, cut.out.len) == 0);
        buf_release(&cut.out);
    }
    buf_release(&whole.out);
    free(type);
    return 0;
}
