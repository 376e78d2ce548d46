/*
 * A cursor is five numbers in hexadecimal. They say where to go on and nothing
 * about whose or what for: with another query it gives another page, with
 * another owner nothing that is not theirs. So it is neither signed nor
 * remembered, only read strictly.
 */
#include "base/base.h"

#include "store/search_from.h"

#include "base/clock.h"

#define FIELDS 5

struct search_from
search_from_first(void)
{
    return (struct search_from){clock_wall_ms(), INT64_MAX, INT64_MAX,
                                UINT32_MAX, UINT64_MAX};
}

void
search_from_write(char out[SEARCH_CURSOR_MAX], const struct search_from *f)
{
    (void)snprintf(out, SEARCH_CURSOR_MAX,
                   "%" PRIx64 ".%" PRIx64 ".%" PRIx64 ".%" PRIx32 ".%" PRIx64,
                   (uint64_t)f->now_ms, (uint64_t)f->top, (uint64_t)f->window,
                   f->score, f->key);
}

/* A number in hexadecimal up to `end`; false: it is none. */
static bool
hex_field(const char **s, char end, uint64_t *out)
{
    unsigned digits = 0;

    for (*out = 0; **s != end; ++*s, digits++) {
        char ch = **s;

        if (digits == 16 ||
            !((ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'f')))
            return false;
        *out = *out << 4 | (uint64_t)(ch <= '9' ? ch - '0' : ch - 'a' + 10);
    }
    *s += end != '\0';
    return digits > 0;
}

enum err
search_from_read(const char *s, struct search_from *f)
{
    uint64_t v[FIELDS];

    for (int i = 0; i < FIELDS; i++)
        if (!hex_field(&s, i < FIELDS - 1 ? '.' : '\0', &v[i]))
            return ERR_BADREQ;
    if (v[0] > INT64_MAX || v[1] > INT64_MAX || v[2] > v[1] ||
        v[3] > UINT32_MAX)
        return ERR_BADREQ;
    *f = (struct search_from){(int64_t)v[0], (int64_t)v[1], (int64_t)v[2],
                              (uint32_t)v[3], v[4]};
    return OK;
}
