/*
 * A pattern becomes a row of items (glob_read.c); a match carries the set of
 * items that may come next, as bits, from one character of the text to the
 * next. Each character costs at most one step an item, whatever the pattern.
 *
 * Characters are code points, so that '?' is one letter and not one byte of
 * it; bytes that are no UTF-8 are each a character of their own.
 */
#include "base/base.h"

#include "files/glob_inside.h"

#include "base/text.h"
#include "lang/letter.h"

#define ODD_BYTE 0x110000u /* added to a byte that is no UTF-8 */
#define WORDS_OF_BITS (GLOB_ITEMS_MAX / 64 + 1)

uint32_t
glob_char(const char *s, size_t n, size_t *len)
{
    uint32_t c;

    if (utf8_seq(s, n) <= 0) {
        *len = 1;
        return ODD_BYTE + (unsigned char)s[0];
    }
    *len = letter_read(s, n, &c);
    return c;
}

/* Places in the pattern; of the bits those are in use that it needs. */
struct set {
    uint64_t bits[WORDS_OF_BITS];
    bool any;
};

static void
set_clear(const struct glob *g, struct set *s)
{
    memset(s->bits, 0, (g->n / 64 + 1) * sizeof(s->bits[0]));
    s->any = false;
}

/* The place p may be next, and so may be what follows without a character. */
static void
reach(const struct glob *g, struct set *s, size_t p)
{
    for (;; p++) {
        uint64_t bit = UINT64_C(1) << (p % 64);

        if (s->bits[p / 64] & bit)
            return;
        s->bits[p / 64] |= bit;
        s->any = true;
        if (p == g->n)
            return;
        switch (g->items[p].kind) {
        case ITEM_FORK: reach(g, s, p + 3); break;
        case ITEM_STAR:
        case ITEM_ALL: break;
        default: return;
        }
    }
}

static bool
is_over(const struct glob *g, const struct set *s)
{
    return s->bits[g->n / 64] >> (g->n % 64) & 1;
}

static bool
in_ranges(const struct glob *g, const struct item *it, uint32_t c)
{
    for (size_t i = it->first; i < it->first + it->count; i++)
        if (c >= g->ranges[i].first && c <= g->ranges[i].last)
            return true;
    return false;
}

static bool
in_set(const struct glob *g, const struct item *it, uint32_t c)
{
    bool in = in_ranges(g, it, c);

    if (!in && g->kind == GLOB_WORDS)
        in = in_ranges(g, it, letter_lower(c)) ||
             in_ranges(g, it, letter_upper(c));
    return in != it->negated;
}

/* From the item p with the character c. */
static void
step_one(const struct glob *g, struct set *to, size_t p, uint32_t c)
{
    const struct item *it = &g->items[p];
    bool words = g->kind == GLOB_WORDS;
    bool border = words ? letter_is_space(c) : c == '/';

    switch (it->kind) {
    case ITEM_CHAR:
        if (it->c == (words ? letter_lower(c) : c))
            reach(g, to, p + 1);
        break;
    case ITEM_ANY:
        if (!border)
            reach(g, to, p + 1);
        break;
    case ITEM_SET:
        if (!border && in_set(g, it, c))
            reach(g, to, p + 1);
        break;
    case ITEM_STAR:
        if (!border)
            reach(g, to, p);
        break;
    case ITEM_ALL: reach(g, to, p); break;
    case ITEM_GAP:
        if (border) {
            reach(g, to, p);
            reach(g, to, p + 1);
        }
        break;
    case ITEM_FORK: break;
    }
}

/* From all places in `from` to those in `to`. */
static void
step(const struct glob *g, const struct set *from, struct set *to, uint32_t c)
{
    set_clear(g, to);
    for (size_t w = 0; w <= g->n / 64; w++)
        for (uint64_t left = from->bits[w]; left; left &= left - 1) {
            size_t p = w * 64 + (size_t)__builtin_ctzll(left);

            if (p < g->n)
                step_one(g, to, p, c);
        }
}

void
glob_parts(const struct glob *g, const char *path, size_t n, glob_part_fn *fn,
           void *arg)
{
    struct set sets[2];
    size_t part = 0, len, now = 0;

    set_clear(g, &sets[0]);
    reach(g, &sets[0], 0);
    for (size_t i = 0; i < n && sets[now].any; i += len) {
        uint32_t c = glob_char(path + i, n - i, &len);

        if (c == '/') {
            if (is_over(g, &sets[now]))
                fn(arg, part);
            part++;
        }
        step(g, &sets[now], &sets[!now], c);
        now = !now;
    }
    if (is_over(g, &sets[now]))
        fn(arg, part);
}

/* May a word begin or end between the bytes at and before s + i? */
static bool
is_border(const char *s, size_t n, size_t i)
{
    uint32_t before, after;

    if (i == 0 || i == n)
        return true;
    before = letter_before(s, i);
    letter_read(s + i, n - i, &after);
    return !letter_is_word(before) || !letter_is_word(after) ||
           letter_is_cjk(before) || letter_is_cjk(after);
}

/* Can no match begin with this character? Most cannot. */
static bool
is_other(const struct glob *g, const char *s, size_t n)
{
    size_t len;

    return g->items[0].kind == ITEM_CHAR &&
           letter_lower(glob_char(s, n, &len)) != g->items[0].c;
}

size_t
glob_longest(const struct glob *g, const char *s, size_t n, size_t at)
{
    struct set sets[2];
    size_t end = n - at > GLOB_FOUND_MAX ? at + GLOB_FOUND_MAX : n;
    size_t best = 0, len, now = 0;

    if (at >= n || is_other(g, s + at, n - at) || !is_border(s, n, at))
        return 0;
    set_clear(g, &sets[0]);
    reach(g, &sets[0], 0);
    for (size_t i = at; i < end && sets[now].any; i += len) {
        uint32_t c = glob_char(s + i, n - i, &len);

        step(g, &sets[now], &sets[!now], c);
        now = !now;
        if (is_over(g, &sets[now]) && is_border(s, n, i + len))
            best = i + len - at;
    }
    return best;
}
