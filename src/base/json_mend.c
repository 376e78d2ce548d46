/*
 * The lenient parser once more, for JSON that a model had a hand in.
 *
 * cJSON refuses a lone surrogate escape and ends a string at \u0000. Models do
 * send such things when their tokens cut a character, and losing the answer
 * for it would be wrong: both escapes are replaced by \ufffd before parsing,
 * in a copy, where they take the same room. Any thread; pure.
 */
#include "base/base.h"

#include "base/json.h"

#include "base/json_scan.h"
#include "base/mem.h"

#define ESCAPE_LEN 6 /* \uXXXX */

/* Is there a \uXXXX at s? *unit is its number. */
static bool
unit_at(const char *s, const char *end, uint32_t *unit)
{
    return end - s >= ESCAPE_LEN && s[0] == '\\' && s[1] == 'u' &&
           json_hex4(s + 2, unit);
}

/* Mend the escape at s; returns its length, 2 for those of another kind. */
static size_t
mend_escape(char *s, const char *end)
{
    uint32_t unit, low;

    if (!unit_at(s, end, &unit))
        return end - s < 2 ? 1 : 2;
    if (unit >= 0xd800 && unit < 0xdc00 && unit_at(s + ESCAPE_LEN, end, &low) &&
        low >= 0xdc00 && low < 0xe000)
        return 2 * ESCAPE_LEN;
    if (unit == 0 || (unit >= 0xd800 && unit < 0xe000))
        memcpy(s + 2, "fffd", 4);
    return ESCAPE_LEN;
}

void
json_mend(char *s, size_t n)
{
    char *end = s + n;

    while (s < end && (s = memchr(s, '\\', (size_t)(end - s))) != NULL)
        s += mend_escape(s, end);
}

cJSON *
json_parse_mended(const char *s, size_t n)
{
    cJSON *tree;
    char *copy;

    if (n == 0 || memmem(s, n, "\\u", 2) == NULL)
        return json_parse_lenient(s, n);
    copy = xmemdup0(s, n);
    json_mend(copy, n);
    tree = json_parse_lenient(copy, n);
    free(copy);
    return tree;
}
