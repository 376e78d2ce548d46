/*
 * Fuzzes the reading of whole bodies on OpenAI's wire. The first byte chooses:
 *   0 mod 3  a list of models; what is told must be usable
 *   1 mod 3  embeddings; what is understood must be JSON for cJSON as well,
 *            and every number finite
 *   2 mod 3  further members of a request; what comes out must be JSON
 */
#include "base/base.h"

#include <math.h>

#include "base/json.h"
#include "base/mem.h"
#include "provider/openai.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check_model(void *arg, const struct model_info *m)
{
    (void)arg;
    if (m->id[0] == '\0' || strpbrk(m->id, "\r\n") != NULL ||
        m->context_tokens < -1 || m->output_tokens < -1)
        abort();
}

static void
fuzz_models(const char *s, size_t n)
{
    struct problem why = {.err = OK};
    struct buf next;
    enum err e;

    buf_init(&next, 64);
    e = openai_models_read(s, n, check_model, NULL, &next, &why);
    if ((e != OK) != (why.err != OK))
        abort();
    buf_release(&next);
}

static void
fuzz_embeddings(const char *s, size_t n)
{
    struct problem why = {.err = OK};
    struct embeddings e = {.tokens = -1};
    cJSON *tree;
    size_t i;

    if (openai_embed_read(s, n, &e, &why) == OK) {
        tree = json_parse_lenient(s, n);
        /* cJSON refuses some escapes that nobody looks at here. */
        if ((tree == NULL && memmem(s, n, "\\u", 2) == NULL) || e.n == 0 ||
            e.dimensions == 0)
            abort();
        cJSON_Delete(tree);
        for (i = 0; i < e.n * e.dimensions; i++) {
            if (!isfinite(e.values[i]))
                abort();
        }
    } else if (e.values != NULL || why.err == OK) {
        abort();
    }
    embeddings_release(&e);
}

static void
fuzz_extra(const char *s, size_t n)
{
    struct ask ask = {.temperature = NAN, .top_p = 0.5, .n_stop = 1};
    struct json_out j;
    struct buf out;
    char *text = xmemdup0(s, n);

    ask.extra = text;
    buf_init(&out, 1024 * 1024);
    json_out_init(&j, &out);
    json_begin_obj(&j);
    json_put_i64(&j, "top_p", 1);
    if (openai_extra(&j, &ask, NULL) == OK) {
        json_end_obj(&j);
        if (json_check(out.data, out.len, NULL) != OK)
            abort();
    }
    buf_release(&out);
    free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *copy;

    if (n < 1)
        return 0;
    copy = xmalloc(n > 1 ? n - 1 : 1); /* a sanitizer sees any look ahead */
    memcpy(copy, data + 1, n - 1);
    switch (data[0] % 3) {
    case 0: fuzz_models(copy, n - 1); break;
    case 1: fuzz_embeddings(copy, n - 1); break;
    default: fuzz_extra(copy, n - 1);
    }
    free(copy);
    return 0;
}
