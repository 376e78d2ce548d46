/*
 * Fuzzes the reading of Bedrock's replies. The first byte says where the reply
 * is cut in two, and with its lowest bit whether the checksums of its frames
 * are made right first. In two pieces, and in many, it must mean the same as
 * whole.
 */
#include "frames.h"
#include "replies.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

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
    replies_compare(&provider_bedrock, (const char *)copy, n - 1, first, n - 1);
    replies_compare(&provider_bedrock, (const char *)copy, n - 1, first,
                    data[0] / 2 + 1);
    free(copy);
    return 0;
}
