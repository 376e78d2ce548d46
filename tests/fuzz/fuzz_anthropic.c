/*
 * Fuzzes the reading of Anthropic replies. The first byte chooses:
 *   0 mod 4  the rest is an error's body
 *   1 mod 4  the rest is a list of models
 *   else     the rest is a reply's body; fed in pieces it must mean the same
 *            as fed whole
 */
#include "../unit/provider/transcript.h"
#include "provider/anthropic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
compare_splits(const char *s, size_t n, size_t piece)
{
    struct transcript whole, pieces;

    transcript_init(&whole);
    transcript_init(&pieces);
    (void)transcript_read(&whole, &provider_anthropic, s, n, n, n);
    (void)transcript_read(&pieces, &provider_anthropic, s, n, piece, piece);
    if (strcmp(buf_cstr(&whole.out), buf_cstr(&pieces.out)) != 0 ||
        whole.broken || pieces.broken)
        abort();
    transcript_release(&whole);
    transcript_release(&pieces);
}

static void
on_model(void *arg, const struct model_info *m)
{
    size_t *ids = arg;

    if (m->id == NULL || m->id[0] == '\0' || m->context_tokens == 0)
        abort();
    *ids += strlen(m->id);
}

static void
read_models(const char *s, size_t n)
{
    struct problem why = {.err = OK};
    struct buf next;
    size_t ids = 0;

    buf_init(&next, 4096);
    if ((provider_anthropic.models_read(s, n, on_model, &ids, &next, &why) !=
         OK) != (why.err != OK))
        abort();
    buf_release(&next);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct provider_error error;
    char *copy;

    if (n < 2)
        return 0;
    copy = xmalloc(n - 1);
    memcpy(copy, data + 1, n - 1);
    if (data[0] % 4 == 0) {
        provider_anthropic.error(NULL, copy, n - 1, &error);
        if (error.problem.code[0] == '\0')
            abort();
    } else if (data[0] % 4 == 1) {
        read_models(copy, n - 1);
    } else {
        compare_splits(copy, n - 1, data[0] % 64 / 2 + 1);
    }
    free(copy);
    return 0;
}
