/*
 * What a request says in its query and its Accept header, read on demand:
 * most requests have no query, and few ask for more than two arguments.
 */
#include "base/base.h"

#include "http/request.h"

#include "base/buf.h"
#include "base/text.h"

/* Decode n bytes into the arena; NULL if escapes or UTF-8 are bad. */
static const char *
decode(struct request *rq, const char *s, size_t n)
{
    const char *out = NULL;
    struct buf b;

    buf_init(&b, n + 1);
    if (text_unpercent(&b, s, n, true) == OK &&
        utf8_valid(b.data ? b.data : "", b.len))
        out = arena_memdup0(&rq->arena, b.data ? b.data : "", b.len);
    buf_release(&b);
    return out;
}

static bool
name_is(const char *s, size_t n, const char *name)
{
    struct buf b;
    bool is;

    if (!memchr(s, '%', n) && !memchr(s, '+', n))
        return n == strlen(name) && memcmp(s, name, n) == 0;
    buf_init(&b, n + 1);
    is = text_unpercent(&b, s, n, true) == OK && b.len == strlen(name) &&
         memcmp(b.data, name, b.len) == 0;
    buf_release(&b);
    return is;
}

enum err
request_arg(struct request *rq, const char *name, const char **out,
            struct problem *why)
{
    const char *s = rq->query;

    *out = NULL;
    while (*s) {
        size_t n = strcspn(s, "&");
        const char *eq = memchr(s, '=', n);
        size_t name_len = eq ? (size_t)(eq - s) : n;

        if (name_is(s, name_len, name)) {
            const char *value = eq ? eq + 1 : s + n;
            *out = decode(rq, value, (size_t)(s + n - value));
            if (*out)
                return OK;
            return problem_set(why, ERR_BADREQ, "invalid_query",
                               "Invalid query argument",
                               "%s must be percent-encoded UTF-8", name);
        }
        s += n;
        s += *s == '&';
    }
    return OK;
}

enum err
request_arg_i64(struct request *rq, const char *name, int64_t min, int64_t max,
                int64_t *out, struct problem *why)
{
    const char *s;
    enum err e = request_arg(rq, name, &s, why);

    if (e || !s)
        return e;
    if (text_i64(s, strlen(s), min, max, out))
        return problem_set(
            why, ERR_BADREQ, "invalid_query", "Invalid query argument",
            "%s must be a whole number from %" PRId64 " to %" PRId64, name, min,
            max);
    return OK;
}

/* The end of a list element: the next comma outside quotes, or the NUL. */
static const char *
element_end(const char *s)
{
    bool quoted = false;

    for (; *s && (quoted || *s != ','); s++) {
        if (*s == '"')
            quoted = !quoted;
        else if (quoted && *s == '\\' && s[1])
            s++;
    }
    return s;
}

/* Is there a q parameter in [s, end) that says 0? */
static bool
refused(const char *s, const char *end)
{
    while ((s = memchr(s, ';', (size_t)(end - s)))) {
        s++;
        while (s < end && (*s == ' ' || *s == '\t'))
            s++;
        if (end - s < 3 || (*s != 'q' && *s != 'Q') || s[1] != '=')
            continue;
        s += 2;
        if (*s != '0')
            return false;
        for (s++; s < end && (*s == '.' || *s == '0'); s++)
            ;
        return s == end || *s == ' ' || *s == '\t' || *s == ';';
    }
    return false;
}

bool
request_accepts(const struct request *rq, const char *type)
{
    const char *s = request_header(rq, "Accept");

    while (s && *s) {
        const char *end = element_end(s);
        size_t n;
        s += strspn(s, " \t");
        n = strcspn(s, ",; \t");
        if (text_ieqn(s, n, type) && !refused(s, end))
            return true;
        s = *end ? end + 1 : end;
    }
    return false;
}
