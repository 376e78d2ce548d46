/*
 * Fuzzes the reading of Hugging Face replies: fed in two pieces, or in many,
 * a reply must mean the same as fed whole. The first byte says where it is
 * cut.
 */
#include "replies.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const char *s = (const char *)data + 1;
    size_t piece;

    if (n < 3)
        return 0;
    n--;
    piece = data[0] % 32 + 1u;
    replies_compare(&provider_huggingface, s, n, data[0] * (n - 1) / 256 + 1,
                    n);
    replies_compare(&provider_huggingface, s, n, piece, piece);
    return 0;
}
