/*
 * Levenshtein's distance, one row of its table at a time. Names are short and
 * few, so nothing cleverer is called for.
 */
#include "base/base.h"

#include "ops/nearest.h"

#define DISTANCE_MAX 2

size_t
nearest_distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    size_t row[NEAREST_MAX + 1];

    if (n > NEAREST_MAX || m > NEAREST_MAX)
        return NEAREST_MAX;
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t corner = row[0]; /* of the row before, one to the left */

        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t above = row[j];
            size_t best = corner + (a[i - 1] != b[j - 1]);

            best = above + 1 < best ? above + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            row[j] = best;
            corner = above;
        }
    }
    return row[m];
}

const char *
nearest_name(const char *name, const char *const *names, size_t n)
{
    size_t least = DISTANCE_MAX + 1;
    const char *found = NULL;

    for (size_t i = 0; i < n; i++) {
        size_t d = nearest_distance(name, names[i]);

        if (d < least && 3 * d < strlen(name)) {
            least = d;
            found = names[i];
        }
    }
    return found;
}
