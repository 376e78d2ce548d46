/*
 * Fuzzes the reading of Bedrock's replies. The first byte says where the reply
 * is cut in two, and with its lowest bit whether the checksums of its frames
 * are made right first. In two pieces, and in many, it must mean the same as
 * whole.
 */
#include "../unit/provider/transcript.h"
#include "frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
compare(const char *s, size_t n, size_t first, size_t piece)
{
    struct transcript whole, pieces;

    transcript_init(&whole);
    transcript_init(&pieces);
    (void)transcript_read(&whole, &provider_bedrock, s, n, n, n);
    (void)transcript_read(&pieces, &provider_bedrock, s, n, first, piece);
    if (strcmp(buf_cstr(&whole.out), buf_cstr(&pieces.out)) != 0 ||
        whole.broken || pieces.broken)
        abort();
    transcript_release(&whole);
    transcript_release(&pieces);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    size_t first;
    uint8_t *copy;

    if (n < 2)
        return 0;
    copy = xmalloc(n - 1);
    memcpy(copy, data + 1, n - 1);
    if (data[0] & 1)
        frames_mend(copy, n - 1);
    first = data[0] / 2 * (n - 1) / 128 + 1;
    compare((const char *)copy, n - 1, first, n - 1);
    compare((const char *)copy, n - 1, first, data[0] / 2 + 1);
    free(copy);
    return 0;
}
