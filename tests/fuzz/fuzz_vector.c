/*
 * Any bytes as a name or heading, a NUL, and a text. A vector has length 1 or
 * is all zero, is the same each time, and no other is nearer to it than itself;
 * what is mixed of two and normalised is a vector again.
 */
#include "base/base.h"

#include <math.h>

#include "base/mem.h"
#include "files/vector.h"

#define NEAR 1e-4
#define MUST(x)      \
    do {             \
        if (!(x))    \
            abort(); \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* False: all zero. */
static bool
check(const float *v)
{
    double sum = 0;

    for (size_t i = 0; i < VECTOR_DIMS; i++) {
        MUST(isfinite(v[i]));
        sum += (double)v[i] * (double)v[i];
    }
    MUST(fabs(sum) <= 0 || fabs(sum - 1) < NEAR);
    return sum > 0;
}

/* The same bytes: no machine and no time gives others. */
static bool
is_same(const void *a, const void *b)
{
    return memcmp(a, b, VECTOR_DIMS * sizeof(float)) == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static float text_v[VECTOR_DIMS], part_v[VECTOR_DIMS], again[VECTOR_DIMS];
    const uint8_t *end = memchr(data, '\0', size);
    size_t len = end ? (size_t)(end - data) : 0;
    size_t n = end ? size - len - 1 : size;
    char *about = xmalloc(len + 1); /* exactly as long as is said */
    char *text = xmalloc(n ? n : 1);
    bool has_text, has_part;
    double like;

    memcpy(about, data, len);
    if (n)
        memcpy(text, data + size - n, n);
    vector_of(text, n, text_v);
    has_text = check(text_v);
    vector_of(text, n, again);
    MUST(is_same(text_v, again));
    vector_of_part(about, len, text, n, part_v);
    has_part = check(part_v);
    MUST(has_part || !has_text);
    vector_of_part(about, len, text, n, again);
    MUST(is_same(part_v, again));

    like = (double)vector_cosine(text_v, part_v, VECTOR_DIMS);
    MUST(fabs(like) <= 1 + NEAR);
    if (has_text)
        MUST(fabs((double)vector_cosine(text_v, text_v, VECTOR_DIMS) - 1) <
             NEAR);
    vector_mix(again, text_v, VECTOR_DIMS, 0.4);
    vector_normalise(again, VECTOR_DIMS);
    (void)check(again);
    vector_mix(again, again, VECTOR_DIMS, -1); /* nothing is left of it */
    vector_normalise(again, VECTOR_DIMS);
    MUST(!check(again));
    free(about);
    free(text);
    return 0;
}
