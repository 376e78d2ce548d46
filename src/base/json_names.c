/*
 * The names of the objects that are open while a JSON text is checked, and
 * the search for a name that occurs twice.
 *
 * Names lie on one stack as places in the text; an object remembers where its
 * first one is. When it ends, its names are compared after unescaping: a few
 * by pairs, many by sorting. That is O(bytes * log names) for any input, and
 * no hash that somebody could make collide. The first names need no memory
 * from the heap.
 */
#include "base/base.h"

#include "base/json_scan.h"

#include "base/mem.h"
#include "base/text.h"

#define PAIRS_MAX 8 /* names compared by pairs; more are sorted */

bool
json_hex4(const char *s, uint32_t *out)
{
    uint8_t b[2];

    if (text_unhex(b, sizeof(b), s) != OK)
        return false;
    *out = (uint32_t)b[0] << 8 | b[1];
    return true;
}

/* The next code point of a name that was found well-formed. */
static uint32_t
name_next(const char *s, size_t *i, size_t n)
{
    static const char from[] = "bfnrt";
    static const char to[] = "\b\f\n\r\t";
    const char *hit;
    uint32_t c = 0;
    uint32_t low = 0;
    int len;

    if (s[*i] != '\\') {
        len = utf8_seq(s + *i, n - *i);
        assert(len > 0);
        c = (unsigned char)s[*i];
        if (len > 1)
            c &= 0x7Fu >> len;
        for (int k = 1; k < len; k++)
            c = c << 6 | ((unsigned char)s[*i + (size_t)k] & 0x3F);
        *i += (size_t)len;
        return c;
    }
    if (s[*i + 1] != 'u') {
        hit = strchr(from, s[*i + 1]);
        c = (unsigned char)(hit ? to[hit - from] : s[*i + 1]);
        *i += 2;
        return c;
    }
    (void)json_hex4(s + *i + 2, &c);
    *i += 6;
    if (c >= 0xD800 && c <= 0xDBFF) {
        (void)json_hex4(s + *i + 2, &low);
        *i += 6;
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    }
    return c;
}

/* Order by code points. For unescaped names that is the order of the bytes. */
static int
name_cmp(const void *va, const void *vb, void *text)
{
    const struct json_name_at *a = va;
    const struct json_name_at *b = vb;
    const char *sa = (const char *)text + a->at;
    const char *sb = (const char *)text + b->at;
    size_t ia = 0;
    size_t ib = 0;

    if (!a->escaped && !b->escaped) {
        int d = memcmp(sa, sb, a->len < b->len ? a->len : b->len);

        return d ? d : (a->len > b->len) - (a->len < b->len);
    }
    while (ia < a->len && ib < b->len) {
        uint32_t ca = name_next(sa, &ia, a->len);
        uint32_t cb = name_next(sb, &ib, b->len);

        if (ca != cb)
            return ca < cb ? -1 : 1;
    }
    return (ia < a->len) - (ib < b->len);
}

void
json_names_init(struct json_names *ns)
{
    ns->list = ns->few;
    ns->count = 0;
    ns->cap = COUNT_OF(ns->few);
}

void
json_names_release(struct json_names *ns)
{
    if (ns->list != ns->few)
        free(ns->list);
}

void
json_names_push(struct json_names *ns, const struct json_name_at *nm)
{
    if (ns->count == ns->cap) {
        size_t cap = ns->cap * 2;

        if (ns->list == ns->few) {
            ns->list = xmalloc(cap * sizeof(*ns->list));
            memcpy(ns->list, ns->few, sizeof(ns->few));
        } else {
            ns->list = xrealloc(ns->list, cap * sizeof(*ns->list));
        }
        ns->cap = cap;
    }
    ns->list[ns->count++] = *nm;
}

bool
json_names_pop(struct json_names *ns, size_t first, const char *s, size_t *at)
{
    struct json_name_at *list = ns->list + first;
    size_t count = ns->count - first;
    void *text = (void *)(uintptr_t)s;

    ns->count = first;
    if (count > PAIRS_MAX)
        qsort_r(list, count, sizeof(*list), name_cmp, text);
    for (size_t i = 1; i < count; i++) {
        for (size_t j = count > PAIRS_MAX ? i - 1 : 0; j < i; j++) {
            if (name_cmp(&list[j], &list[i], text) == 0) {
                *at = list[list[j].at > list[i].at ? j : i].at - 1;
                return false;
            }
        }
    }
    return true;
}
