/*
 * Fuzzes the reading of Hugging Face replies: fed in two pieces, or in many,
 * a reply must mean the same as fed whole. The first byte says where it is
 * cut.
 */
#include "../unit/provider/transcript.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
read_reply(struct transcript *t, const char *s, size_t n, size_t first,
           size_t piece)
{
    transcript_init(t);
    (void)transcript_read(t, &provider_huggingface, s, n, first, piece);
    if (t->broken)
        abort();
}

static void
compare(const char *s, size_t n, size_t first, size_t piece)
{
    struct transcript whole, pieces;

    read_reply(&whole, s, n, n, n);
    read_reply(&pieces, s, n, first, piece);
    if (strcmp(buf_cstr(&whole.out), buf_cstr(&pieces.out)) != 0)
        abort();
    transcript_release(&whole);
    transcript_release(&pieces);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const char *s = (const char *)data + 1;
    size_t piece;

    if (n < 3)
        return 0;
    n--;
    piece = data[0] % 32 + 1u;
    compare(s, n, data[0] * (n - 1) / 256 + 1, n);
    compare(s, n, piece, piece);
    return 0;
}
