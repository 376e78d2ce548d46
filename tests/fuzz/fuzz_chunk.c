/*
 * Fuzzes files/chunk.c. The input is a list of blocks: a byte of kind, level
 * and whether it goes on, a byte of page, a byte of how often its text comes
 * again (so that few bytes make a long block), a byte of length, and the text,
 * of which ill-formed bytes and control characters are replaced as readers do.
 * The chunks, laid over each other, must be the document's text.
 */
#include "../unit/files/chunk_test.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TEXTS_MAX ((size_t)1024 * 1024) /* bytes of all blocks */

/* n bytes as text of a block, times over, in out. */
static void
text_of(const uint8_t *data, size_t n, unsigned times, struct buf *out)
{
    struct buf once;

    buf_init(&once, 3 * n + 1);
    utf8_scrub(&once, (const char *)data, n);
    for (size_t i = 0; i < once.len; i++) {
        unsigned char c = (unsigned char)once.data[i];

        if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7F)
            once.data[i] = '.';
    }
    for (unsigned i = 0; i < times && out->len + once.len <= BLOCK_MAX; i++)
        buf_add(out, once.data, once.len);
    buf_release(&once);
}

static size_t
add_block(const uint8_t *data, size_t size, struct chunker *c,
          struct document_text *d)
{
    size_t n = data[3] < size - 4 ? data[3] : size - 4;
    struct block b = {.kind = (enum block_kind)(data[0] & 3),
                      .more = (data[0] >> 2 & 7) == 7,
                      .page = data[1]};
    struct buf text;

    b.level = b.kind == BLOCK_HEADING ? 1 + data[0] / 32 % 6 : 0;
    buf_init(&text, BLOCK_MAX);
    text_of(data + 4, n, 1u + data[2], &text);
    b.text = text.data;
    b.len = text.len;
    if (b.len > 0) {
        document_add(d, &b);
        if (chunker_add(c, &b))
            abort();
    }
    buf_release(&text);
    return 4 + n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct document_text d = {.any = false};
    struct chunks_text x = {.n = 0};
    struct chunker *c = chunker_new(chunks_take, &x);

    buf_init(&d.text, DOCUMENT_MAX);
    buf_init(&x.text, DOCUMENT_MAX);
    for (size_t i = 0; size - i > 4 && d.text.len < TEXTS_MAX;)
        i += add_block(data + i, size - i, c, &d);
    document_end(&d);
    if (chunker_end(c))
        abort();
    assert_same_text(&d, &x);
    chunker_free(c);
    buf_release(&x.text);
    buf_release(&d.text);
    return 0;
}
