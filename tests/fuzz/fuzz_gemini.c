/*
 * Fuzzes what the Gemini provider reads. The first byte chooses:
 *   even  the rest is a reply's body; fed in pieces it must mean the same as
 *         fed whole
 *   odd   the rest is an error's body, a list of models and embeddings, each
 *         of which must be read or refused
 */
#include "replies.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    replies_any(&provider_gemini, data, n);
    return 0;
}
