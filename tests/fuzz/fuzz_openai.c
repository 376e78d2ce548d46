/*
 * Fuzzes the reading of OpenAI replies. The first byte chooses:
 *   even  the rest is one chunk; if the fast path takes it, cJSON must take it
 *         too and find exactly the same in it
 *   odd   the rest is a reply's body; fed in pieces it must mean the same as
 *         fed whole
 */
#include "provider/openai.h"
#include "replies.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
same_text(const struct openai_text *a, const struct openai_text *b)
{
    if (a->len != b->len || (a->len > 0 && memcmp(a->p, b->p, a->len) != 0))
        abort();
}

static void
compare_paths(const char *s, size_t n)
{
    struct openai_chunk fast, slow;
    char *copy = xmalloc(n);

    memcpy(copy, s, n);
    openai_chunk_init(&fast);
    openai_chunk_init(&slow);
    if (openai_chunk_fast(&fast, copy, n)) {
        if (openai_chunk_read(&slow, copy, n) != OK)
            abort();
        same_text(&fast.model, &slow.model);
        same_text(&fast.content, &slow.content);
        same_text(&fast.refusal, &slow.refusal);
        same_text(&fast.reasoning, &slow.reasoning);
        same_text(&fast.reasoning_content, &slow.reasoning_content);
        if (fast.finish != slow.finish || slow.has_usage || slow.is_error ||
            fast.known != slow.known || fast.n_calls + slow.n_calls > 0)
            abort();
    } else {
        (void)!openai_chunk_read(&slow, copy, n);
    }
    openai_chunk_release(&fast);
    openai_chunk_release(&slow);
    free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 2)
        return 0;
    if (data[0] % 2 == 0)
        compare_paths((const char *)data + 1, n - 1);
    else
        replies_split(&provider_openai, (const char *)data + 1, n - 1,
                      data[0] % 64 / 2 + 1);
    return 0;
}
