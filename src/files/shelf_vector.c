/*
 * A sketch is the vector in whole numbers from -127 to 127 with a scale. One of
 * more dimensions than a sketch has is folded, which adds noise of some
 * hundredths to a similarity: little enough to choose some hundred of many
 * thousands, whose exact vectors are compared then.
 *
 * The loops have fixed lengths and whole numbers, which compilers turn into
 * instructions that work on many at once.
 */
#include "base/base.h"

#include "files/shelf_vector.h"

#include <math.h>

#include "files/vector.h"

#define SKETCH_MAX 127

void
sketch_fold(const float *v, size_t dims, float out[SKETCH_DIMS])
{
    memset(out, 0, SKETCH_DIMS * sizeof(*out));
    if (dims <= SKETCH_DIMS) {
        memcpy(out, v, dims * sizeof(*v));
        return;
    }
    for (size_t i = 0; i < dims; i++) {
        uint64_t h = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);

        h ^= h >> 29;
        h *= UINT64_C(0xbf58476d1ce4e5b9);
        out[h >> 40 & (SKETCH_DIMS - 1)] += h >> 63 != 0 ? v[i] : -v[i];
    }
}

/* Whole numbers and the scale that makes the vector of them again. */
static float
round_all(const float *v, size_t dims, int16_t out[SKETCH_DIMS])
{
    float folded[SKETCH_DIMS], most = 0;

    sketch_fold(v, dims, folded);
    for (size_t i = 0; i < SKETCH_DIMS; i++) {
        float size = fabsf(folded[i]);

        most = size > most || isnan(size) ? size : most;
    }
    if (!(most > 0) || !isfinite(most)) {
        memset(out, 0, SKETCH_DIMS * sizeof(*out));
        return 0;
    }
    for (size_t i = 0; i < SKETCH_DIMS; i++) {
        float x = folded[i] / most * SKETCH_MAX;

        out[i] = (int16_t)(x < 0 ? x - 0.5F : x + 0.5F);
    }
    return most / SKETCH_MAX;
}

void
sketch_row(const float *v, size_t dims, struct buf *out)
{
    int16_t numbers[SKETCH_DIMS];
    float scale = round_all(v, dims, numbers);
    uint8_t *room = (uint8_t *)buf_room(out, SKETCH_ROW);

    if (room == NULL)
        return;
    memcpy(room, &scale, sizeof(scale));
    for (size_t i = 0; i < SKETCH_DIMS; i++)
        room[sizeof(scale) + i] = (uint8_t)(int8_t)numbers[i];
    out->len += SKETCH_ROW;
}

void
sketch_query(struct sketch_query *q, const float *v, size_t dims)
{
    q->scale = round_all(v, dims, q->at);
}

void
sketch_compare(const struct sketch_query *q, const uint8_t *rows, size_t n,
               float *out)
{
    for (size_t r = 0; r < n; r++, rows += SKETCH_ROW) {
        const int8_t *row = (const int8_t *)rows + sizeof(float);
        int32_t sum = 0;
        float scale;

        for (size_t i = 0; i < SKETCH_DIMS; i++)
            sum += (int32_t)q->at[i] * (int32_t)row[i];
        memcpy(&scale, rows, sizeof(scale));
        out[r] = (float)sum * scale * q->scale;
    }
}

static void
cosine(sqlite3_context *out, int n_args, sqlite3_value **args)
{
    const float *a = sqlite3_value_blob(args[0]);
    const float *b = sqlite3_value_blob(args[1]);
    size_t n = (size_t)sqlite3_value_bytes(args[0]);

    (void)n_args;
    if (a == NULL || b == NULL || n == 0 || n % sizeof(float) != 0 ||
        n != (size_t)sqlite3_value_bytes(args[1]))
        return; /* NULL */
    if ((uintptr_t)a % sizeof(float) != 0 ||
        (uintptr_t)b % sizeof(float) != 0) {
        float x[VECTOR_DIMS_MAX], y[VECTOR_DIMS_MAX];

        if (n > sizeof(x))
            return;
        memcpy(x, a, n);
        memcpy(y, b, n);
        sqlite3_result_double(out, vector_cosine(x, y, n / sizeof(float)));
        return;
    }
    sqlite3_result_double(out, vector_cosine(a, b, n / sizeof(float)));
}

int
shelf_vector_register(sqlite3 *db)
{
    return sqlite3_create_function_v2(
        db, "cosine", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS,
        NULL, cosine, NULL, NULL, NULL);
}
