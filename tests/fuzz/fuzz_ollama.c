/*
 * Fuzzes what the Ollama provider reads. The first byte chooses:
 *   even  the rest is a reply's body; fed in pieces it must mean the same as
 *         fed whole
 *   odd   the rest is an error's body, a list of models and embeddings, each
 *         of which must be read or refused
 */
#include "../unit/provider/transcript.h"
#include "upstream/head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct provider *const provider = &provider_ollama;

static void
compare_splits(const char *s, size_t n, size_t piece)
{
    struct transcript whole, pieces, two;

    transcript_init(&whole);
    transcript_init(&pieces);
    transcript_init(&two);
    (void)transcript_read(&whole, provider, s, n, n, n);
    (void)transcript_read(&pieces, provider, s, n, piece, piece);
    (void)transcript_read(&two, provider, s, n, piece, n);
    if (strcmp(buf_cstr(&whole.out), buf_cstr(&pieces.out)) != 0 ||
        strcmp(buf_cstr(&whole.out), buf_cstr(&two.out)) != 0 || whole.broken ||
        pieces.broken || two.broken)
        abort();
    transcript_release(&whole);
    transcript_release(&pieces);
    transcript_release(&two);
}

static void
read_error(const char *s, size_t n, int status)
{
    struct upstream_head head;
    struct provider_error e;

    upstream_head_init(&head);
    head.status = status;
    provider->error(status != 0 ? &head : NULL, s, n, &e);
    if (e.problem.err == OK || e.problem.code[0] == '\0' || e.wait_ms < -1)
        abort();
}

static void
note_model(void *arg, const struct model_info *m)
{
    (void)arg;
    if (m->id == NULL || m->created_s < -1 || m->context_tokens < -1)
        abort();
}

static void
read_lists(const char *s, size_t n)
{
    struct embeddings e = {.tokens = -1};
    struct problem why = {.err = OK};
    struct buf next;

    buf_init(&next, TRANSCRIPT_MAX);
    if (provider->models_read(s, n, note_model, NULL, &next, &why) != why.err)
        abort();
    why.err = OK;
    if (provider->embed_read(s, n, &e, &why) != why.err ||
        (why.err == OK) != (e.n > 0 && e.dimensions > 0))
        abort();
    embeddings_release(&e);
    buf_release(&next);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const int statuses[] = {0, 400, 404, 429, 500};
    char *copy;

    if (n < 2)
        return 0;
    if (data[0] % 2 == 0) {
        compare_splits((const char *)data + 1, n - 1, data[0] % 64 / 2 + 1);
        return 0;
    }
    copy = xmalloc(n - 1);
    memcpy(copy, data + 1, n - 1);
    read_error(copy, n - 1, statuses[data[0] / 2 % COUNT_OF(statuses)]);
    read_lists(copy, n - 1);
    free(copy);
    return 0;
}
