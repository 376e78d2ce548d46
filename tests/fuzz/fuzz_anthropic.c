/*
 * Fuzzes the reading of Anthropic replies. The first byte chooses:
 *   0 mod 4  the rest is an error's body
 *   1 mod 4  the rest is a list of models
 *   else     the rest is a reply's body; fed in pieces it must mean the same
 *            as fed whole
 */
#include "replies.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *copy;

    if (n < 2)
        return 0;
    copy = xmalloc(n - 1);
    memcpy(copy, data + 1, n - 1);
    if (data[0] % 4 == 0)
        replies_error(&provider_anthropic, copy, n - 1, 0);
    else if (data[0] % 4 == 1)
        replies_models(&provider_anthropic, copy, n - 1);
    else
        replies_split(&provider_anthropic, copy, n - 1, data[0] % 64 / 2 + 1);
    free(copy);
    return 0;
}
