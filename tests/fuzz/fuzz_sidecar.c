/*
 * Any bytes as a sidecar, JSON or text by the first of them: what is none
 * leaves the facts as they were, what is one leaves facts that are UTF-8, and
 * says the same when it is read again over them.
 */
#include "base/base.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "files/image.h"

#define MUST(x)      \
    do {             \
        if (!(x))    \
            abort(); \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
is_text(const char *s, size_t size)
{
    size_t n = strnlen(s, size);

    MUST(n < size && utf8_valid(s, n));
    for (size_t i = 0; i < n; i++)
        MUST((unsigned char)s[i] >= ' ' || s[i] == '\n');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct facts f, before;
    const char *name = size && data[0] & 1 ? "a.json" : "a.txt";
    size_t n = size ? size - 1 : 0;
    char *bytes = xmalloc(n + !n);
    struct buf out;

    if (n)
        memcpy(bytes, data + 1, n);
    memset(&f, 0, sizeof(f));
    f.width = f.height = 5;
    snprintf(f.tags, sizeof(f.tags), "sea\nsun");
    snprintf(f.taken, sizeof(f.taken), "2024-08-15T18:30:00");
    before = f;
    if (!sidecar_read(name, bytes, n, &f)) {
        MUST(memcmp(&f, &before, sizeof(f)) == 0);
        free(bytes);
        return 0;
    }
    is_text(f.title, sizeof(f.title));
    is_text(f.taken, sizeof(f.taken));
    is_text(f.description, sizeof(f.description));
    is_text(f.tags, sizeof(f.tags));
    is_text(f.described_by, sizeof(f.described_by));
    if (sidecar_stale(bytes, n, (const uint8_t[32]){0}))
        MUST(!sidecar_stale("{}", 2, (const uint8_t[32]){0}));
    MUST(f.width == 5);
    before = f;
    MUST(sidecar_read(name, bytes, n, &f));
    MUST(strcmp(f.title, before.title) == 0);
    MUST(strcmp(f.description, before.description) == 0);
    MUST(strcmp(f.tags, before.tags) == 0);
    MUST(strcmp(f.described_by, before.described_by) == 0);
    MUST(strcmp(f.taken, before.taken) == 0);
    buf_init(&out, 65536);
    image_text("a.png", &f, &out);
    MUST(buf_status(&out) == OK && utf8_valid(out.data, out.len));
    buf_release(&out);
    free(bytes);
    return 0;
}
