/*
 * Embeddings out. A number is written with the fewest digits that give the
 * same float32 again. Pure.
 */
#include "base/base.h"

#include "dialect/openai_vectors.h"

#include <math.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#define DIGITS_MIN 6 /* most values of models need more */
#define DIGITS_MAX 9 /* always enough for a float32 */

void
openai_vectors_begin(struct buf *out)
{
    buf_adds(out, "{\"object\":\"list\",\"data\":[");
}

static void
add_number(struct buf *out, float v)
{
    char text[32];
    int digits = DIGITS_MIN, n;

    if (!isfinite(v)) {
        buf_addc(out, '0');
        return;
    }
    do
        n = snprintf(text, sizeof(text), "%.*g", digits, (double)v);
    while (strtof(text, NULL) != v && ++digits <= DIGITS_MAX);
    buf_add(out, text, (size_t)n);
}

static void
add_base64(struct buf *out, const float *values, size_t n)
{
    unsigned char *bytes = xmalloc(4 * n + 1);

    for (size_t i = 0; i < n; i++) {
        uint32_t bits;

        memcpy(&bits, &values[i], sizeof(bits));
        for (size_t k = 0; k < 4; k++)
            bytes[4 * i + k] = (unsigned char)(bits >> 8 * k);
    }
    buf_addc(out, '"');
    text_base64(out, bytes, 4 * n);
    buf_addc(out, '"');
    free(bytes);
}

void
openai_vectors_add(struct buf *out, size_t index, const float *values, size_t n,
                   bool base64)
{
    if (index > 0)
        buf_addc(out, ',');
    buf_adds(out, "{\"object\":\"embedding\",\"index\":");
    buf_add_i64(out, (int64_t)index);
    buf_adds(out, ",\"embedding\":");
    if (base64) {
        add_base64(out, values, n);
    } else {
        for (size_t i = 0; i < n; i++) {
            buf_addc(out, i == 0 ? '[' : ',');
            add_number(out, values[i]);
        }
        buf_adds(out, n == 0 ? "[]" : "]");
    }
    buf_addc(out, '}');
}

void
openai_vectors_end(struct buf *out, const char *model, int64_t tokens)
{
    struct json_out j = {.buf = out, .comma = true};

    buf_addc(out, ']');
    json_put_str(&j, "model", model);
    json_name(&j, "usage");
    json_begin_obj(&j);
    json_name(&j, "prompt_tokens");
    if (tokens < 0)
        json_add_null(&j);
    else
        json_add_i64(&j, tokens);
    json_name(&j, "total_tokens");
    if (tokens < 0)
        json_add_null(&j);
    else
        json_add_i64(&j, tokens);
    json_end_obj(&j);
    json_end_obj(&j);
}
