/*
 * Fuzzes what a reader's process says to us (files/extract_record.c). The first
 * byte is the size of the pieces in which it comes. Whatever it says, blocks
 * and facts are as they must be, and any split of the same bytes is the same.
 */
#include "readers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    enum err e;
    enum skip why;
    bool ended;
    int64_t total;
    struct facts facts;
};

static void
check_text(const char *s, size_t size)
{
    assert(memchr(s, '\0', size) != NULL && utf8_valid(s, strlen(s)));
    assert(strpbrk(s, "\x01\x02\x1B\x7F\r") == NULL);
}

static void
feed(struct outcome *o, const char *bytes, size_t n, size_t piece)
{
    struct checked k = {.any = false};
    struct record_reader r;

    (void)memset(o, 0, sizeof(*o));
    record_reader_init(&r, check_block, &k, &o->facts);
    for (size_t i = 0; i < n && o->e == OK; i += piece)
        o->e = record_feed(&r, bytes + i, n - i < piece ? n - i : piece);
    o->why = r.why;
    o->ended = r.ended;
    o->total = r.total;
    record_reader_release(&r);
    assert(o->e == OK || (o->e == ERR_IMPOSSIBLE && o->why != SKIP_NOT));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome a, b;

    if (size == 0)
        return 0;
    feed(&a, (const char *)data + 1, size - 1, size);
    feed(&b, (const char *)data + 1, size - 1, (size_t)data[0] + 1);
    assert(a.e == b.e && a.why == b.why && a.ended == b.ended &&
           a.total == b.total);
    assert(strcmp(a.facts.title, b.facts.title) == 0 &&
           strcmp(a.facts.tags, b.facts.tags) == 0 &&
           a.facts.width == b.facts.width && a.facts.height == b.facts.height);
    check_text(a.facts.type, sizeof(a.facts.type));
    check_text(a.facts.title, sizeof(a.facts.title));
    check_text(a.facts.taken, sizeof(a.facts.taken));
    check_text(a.facts.camera, sizeof(a.facts.camera));
    check_text(a.facts.description, sizeof(a.facts.description));
    check_text(a.facts.tags, sizeof(a.facts.tags));
    assert(a.facts.latitude >= -90 && a.facts.latitude <= 90);
    return 0;
}
