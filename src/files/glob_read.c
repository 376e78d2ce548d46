/*
 * Reads patterns into items. Wrong ones (a set without its end, a backslash at
 * the end) are refused rather than taken for something that never matches, as
 * git does: whoever wrote one meant something else.
 */
#include "base/base.h"

#include "files/glob_inside.h"

#include "base/mem.h"
#include "lang/letter.h"

#define NO_END "a set [...] has no end"

static void
add_range(struct glob *g, uint32_t first, uint32_t last)
{
    g->ranges[g->n_ranges++] = (struct range){first, last};
}

static void
add_item(struct glob *g, enum item_kind kind, uint32_t c)
{
    assert(g->n < GLOB_ITEMS_MAX);
    g->items[g->n++] = (struct item){.kind = kind, .c = c};
}

/* "[:name:]" at s; how many bytes, 0: it is none. */
static size_t
named_set(struct glob *g, const char *s, size_t n)
{
    static const struct {
        const char *name;
        struct range ranges[4];
    } names[] = {
        {"alnum", {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}},
        {"alpha", {{'A', 'Z'}, {'a', 'z'}}},
        {"blank", {{' ', ' '}, {'\t', '\t'}}},
        {"cntrl", {{1, 31}, {127, 127}}},
        {"digit", {{'0', '9'}}},
        {"graph", {{33, 126}}},
        {"lower", {{'a', 'z'}}},
        {"print", {{32, 126}}},
        {"punct", {{33, 47}, {58, 64}, {91, 96}, {123, 126}}},
        {"space", {{' ', ' '}, {9, 13}}},
        {"upper", {{'A', 'Z'}}},
        {"xdigit", {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}},
    };

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        size_t len = strlen(names[i].name);

        if (n < len + 4 || memcmp(s, "[:", 2) != 0 ||
            memcmp(s + 2, names[i].name, len) != 0 ||
            memcmp(s + 2 + len, ":]", 2) != 0)
            continue;
        for (size_t k = 0; k < 4 && names[i].ranges[k].last; k++)
            add_range(g, names[i].ranges[k].first, names[i].ranges[k].last);
        return len + 4;
    }
    return 0;
}

/* One character of a set, perhaps with a backslash; 0: the pattern ends. */
static size_t
set_char(const char *s, size_t n, uint32_t *c)
{
    size_t skip = n > 1 && s[0] == '\\';
    size_t len;

    if (n == 0 || (n == 1 && s[0] == '\\'))
        return 0;
    *c = glob_char(s + skip, n - skip, &len);
    return skip + len;
}

/* The set that begins at s ("[...]"); how many bytes, 0 with *why: wrong. */
static size_t
read_set(struct glob *g, const char *s, size_t n, const char **why)
{
    struct item it = {.kind = ITEM_SET, .first = g->n_ranges};
    size_t i = 1, len, first;
    uint32_t from = 0, to;

    *why = NO_END;
    it.negated = n > 1 && (s[1] == '!' || s[1] == '^');
    i += it.negated;
    for (first = i; i < n && (s[i] != ']' || i == first); i += len) {
        len = named_set(g, s + i, n - i);
        if (len)
            continue;
        if (n - i > 1 && s[i] == '[' && s[i + 1] == ':') {
            *why = "a set [[:...:]] has a name that is not known";
            return 0;
        }
        len = set_char(s + i, n - i, &from);
        to = from;
        if (len && n - i > len + 1 && s[i + len] == '-' &&
            s[i + len + 1] != ']') {
            size_t more = set_char(s + i + len + 1, n - i - len - 1, &to);

            len = more ? len + 1 + more : 0;
        }
        if (len == 0)
            return 0;
        if (to < from) {
            *why = "a set [z-a] runs backwards";
            return 0;
        }
        add_range(g, from, to);
    }
    if (i >= n)
        return 0;
    it.count = g->n_ranges - it.first;
    assert(g->n < GLOB_ITEMS_MAX);
    g->items[g->n++] = it;
    return i + 1;
}

/* Stars at p[i], in a path; how many bytes. */
static size_t
read_stars(struct glob *g, const char *p, size_t n, size_t i)
{
    size_t stars = 0;
    bool alone;

    while (i + stars < n && p[i + stars] == '*')
        stars++;
    alone = stars > 1 && (i == 0 || p[i - 1] == '/') &&
            (i + stars == n || p[i + stars] == '/');
    if (!alone) {
        add_item(g, ITEM_STAR, 0);
        return stars;
    }
    if (i + stars == n) {
        add_item(g, ITEM_ALL, 0);
        return stars;
    }
    add_item(g, ITEM_FORK, 0); /* no folder, or any number of them */
    add_item(g, ITEM_ALL, 0);
    add_item(g, ITEM_CHAR, '/');
    return stars + 1;
}

static size_t
read_gap(struct glob *g, const char *p, size_t n)
{
    size_t blanks = 0;

    while (blanks < n && (p[blanks] == ' ' || p[blanks] == '\t'))
        blanks++;
    add_item(g, ITEM_GAP, 0);
    return blanks;
}

static size_t
read_char(struct glob *g, const char *p, size_t n)
{
    size_t len;
    uint32_t c = glob_char(p, n, &len);

    add_item(g, ITEM_CHAR, g->kind == GLOB_WORDS ? letter_lower(c) : c);
    return len;
}

static size_t
read_item(struct glob *g, const char *p, size_t n, size_t i, const char **why)
{
    switch (p[i]) {
    case '*':
        if (g->kind == GLOB_PATH)
            return read_stars(g, p, n, i);
        if (g->n == 0 || g->items[g->n - 1].kind != ITEM_STAR)
            add_item(g, ITEM_STAR, 0);
        return 1;
    case '?': add_item(g, ITEM_ANY, 0); return 1;
    case '[': return read_set(g, p + i, n - i, why);
    case '\\':
        if (i + 1 < n)
            return 1 + read_char(g, p + i + 1, n - i - 1);
        *why = "a backslash stands at the end";
        return 0;
    case ' ':
    case '\t':
        if (g->kind == GLOB_WORDS)
            return read_gap(g, p + i, n - i);
        break;
    default: break;
    }
    return read_char(g, p + i, n - i);
}

/* Does it name a character? Else, in a text, it would match any word. */
static bool
says_something(const struct glob *g)
{
    for (size_t i = 0; i < g->n; i++)
        if (g->items[i].kind == ITEM_CHAR || g->items[i].kind == ITEM_SET)
            return true;
    return g->kind == GLOB_PATH;
}

static struct glob *
empty_glob(enum glob_kind kind, size_t n)
{
    struct glob *g = xcalloc(1, sizeof(*g));

    g->kind = kind;
    g->items = xcalloc(n + 8, sizeof(*g->items));
    g->ranges = xcalloc(n + 8, sizeof(*g->ranges));
    return g;
}

enum err
glob_new(enum glob_kind kind, const char *pattern, size_t n, struct glob **out,
         const char **why)
{
    struct glob *g;
    size_t i = 0, len;

    *why = n ? "the pattern is too long" : "there is no pattern";
    if (n == 0 || n > GLOB_BYTES_MAX)
        return ERR_BADREQ;
    g = empty_glob(kind, n);
    if (kind == GLOB_PATH && memchr(pattern, '/', n) == NULL) {
        add_item(g, ITEM_FORK, 0); /* in any folder */
        add_item(g, ITEM_ALL, 0);
        add_item(g, ITEM_CHAR, '/');
    } else if (kind == GLOB_PATH && pattern[0] == '/') {
        pattern++;
        n--;
    }
    for (; i < n; i += len) {
        len = read_item(g, pattern, n, i, why);
        if (len == 0)
            goto drop;
    }
    *why = "the pattern would match anything";
    if (!says_something(g))
        goto drop;
    *out = g;
    return OK;
drop:
    glob_free(g);
    return ERR_BADREQ;
}

enum err
glob_new_literal(const char *s, size_t n, struct glob **out)
{
    struct glob *g;

    if (n == 0 || n > GLOB_BYTES_MAX)
        return ERR_BADREQ;
    g = empty_glob(GLOB_WORDS, n);
    for (size_t i = 0; i < n;)
        i += read_char(g, s + i, n - i);
    *out = g;
    return OK;
}

void
glob_free(struct glob *g)
{
    if (g == NULL)
        return;
    free(g->items);
    free(g->ranges);
    free(g);
}
