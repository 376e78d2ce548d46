/*
 * The router: a table walked from the top. A few dozen rows and short paths
 * make that cheaper than anything cleverer, and the table stays readable as
 * documentation. The path is decoded already, so an encoded slash separates
 * segments like any other; ids do not hold slashes.
 */
#include "base/base.h"

#include "http/route.h"

#include "base/buf.h"

struct match {
    const char *at[2]; /* borrowed from the path */
    size_t len[2];
    size_t n;
};

static bool
path_matches(const char *pattern, const char *path, struct match *m)
{
    m->n = 0;
    while (*pattern) {
        if (*pattern != '{') {
            if (*pattern++ != *path++)
                return false;
            continue;
        }
        size_t len = strcspn(path, pattern[1] == '*' ? "" : "/");
        if (len == 0)
            return false;
        assert(m->n < COUNT_OF(m->at));
        m->at[m->n] = path;
        m->len[m->n++] = len;
        path += len;
        pattern = strchr(pattern, '}');
        assert(pattern);
        pattern++;
    }
    return *path == '\0';
}

static void
list_methods(unsigned methods, char allow[ROUTE_ALLOW_MAX])
{
    struct buf b;

    if (methods & 1u << METHOD_GET)
        methods |= 1u << METHOD_HEAD;
    methods |= 1u << METHOD_OPTIONS;
    buf_init(&b, ROUTE_ALLOW_MAX - 1);
    for (int m = 0; m < METHOD_OTHER; m++) {
        if (!(methods & 1u << m))
            continue;
        if (b.len)
            buf_adds(&b, ", ");
        buf_adds(&b, method_name((enum method)m));
    }
    assert(!b.over);
    memcpy(allow, b.data, b.len);
    allow[b.len] = '\0';
    buf_release(&b);
}

enum err
route_find(const struct route *table, size_t n, struct request *rq,
           const struct route **out, char allow[ROUTE_ALLOW_MAX])
{
    enum method want = rq->method == METHOD_HEAD ? METHOD_GET : rq->method;
    unsigned methods = 0; /* one bit for each that the path has */
    struct match m;

    for (size_t i = 0; i < n; i++) {
        if (!path_matches(table[i].pattern, rq->path, &m))
            continue;
        methods |= 1u << table[i].method;
        if (table[i].method != want &&
            !(rq->method == METHOD_HEAD && table[i].method == METHOD_HEAD))
            continue;
        if (want == METHOD_OPTIONS || want == METHOD_OTHER)
            continue;
        for (size_t k = 0; k < m.n; k++)
            rq->path_args[k] = arena_memdup0(&rq->arena, m.at[k], m.len[k]);
        *out = &table[i];
        return OK;
    }
    if (methods == 0)
        return ERR_NOTFOUND;
    list_methods(methods, allow);
    return ERR_METHOD;
}
