/*
 * Building a request from CGI variables. Every door speaks them (FastCGI
 * parameters, chat.cgi's environment, the engine socket's message), so what a
 * request is gets decided here once, with the limits named in request.h.
 *
 * The variables are copied into the request's arena in one block. A request
 * that breaks a rule is still built as far as it goes: somebody has to be
 * told, under an id that is in the log. Query arguments are in request_arg.c,
 * the Origin in request_origin.c, the body in request_body.c.
 */
#include "base/base.h"

#include "http/request.h"

#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/ident.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/request_peer.h"

static const char *const names[METHOD__MAX] = {
    [METHOD_GET] = "GET",         [METHOD_HEAD] = "HEAD",
    [METHOD_POST] = "POST",       [METHOD_PUT] = "PUT",
    [METHOD_PATCH] = "PATCH",     [METHOD_DELETE] = "DELETE",
    [METHOD_OPTIONS] = "OPTIONS", [METHOD_OTHER] = "OTHER",
};

/* A variable of ours, or NULL. */
static struct param *
find_param(const struct request *rq, const char *name)
{
    for (size_t i = 0; i < rq->n_params; i++)
        if (strcmp(rq->params[i].name, name) == 0)
            return &rq->params[i];
    return NULL;
}

/* A header that comes twice is one with both values (RFC 9110 section 5.3).
 * Web servers join those of the same name, but not X-User and X_User, which
 * are the same variable: a client could say something in front of its proxy.
 */
static void
add_param(struct request *rq, const char *name, const char *value)
{
    struct param *p = text_starts(name, "HTTP_") ? find_param(rq, name) : NULL;
    const char *between = strcmp(name, "HTTP_COOKIE") == 0 ? "; " : ", ";
    size_t n;
    char *both;

    if (p == NULL) {
        rq->params[rq->n_params++] = (struct param){name, value, false};
        return;
    }
    n = strlen(p->value) + strlen(value) + 3;
    both = arena_alloc(&rq->arena, n);
    (void)snprintf(both, n, "%s%s%s", p->value, between, value);
    mem_wipe((void *)(uintptr_t)p->value, strlen(p->value));
    p->value = both;
    p->twice = true;
}

/* Copy what fits; false if something did not. */
static bool
copy_vars(struct request *rq, const char *const *vars)
{
    size_t n = 0, bytes = 0;
    bool all = true;
    char *at;

    for (; n < REQUEST_PARAMS_MAX && vars[n]; n++) {
        size_t len = strlen(vars[n]) + 1;
        if (bytes + len > REQUEST_PARAMS_BYTES) {
            all = false;
            break;
        }
        bytes += len;
    }
    if (vars[n])
        all = false;
    rq->params = arena_alloc(&rq->arena, (n + 1) * sizeof(*rq->params));
    at = arena_alloc(&rq->arena, bytes + 1);
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(vars[i]) + 1;
        char *eq;
        memcpy(at, vars[i], len);
        eq = strchr(at, '=');
        if (eq) {
            *eq = '\0';
            add_param(rq, at, eq + 1);
        }
        at += len;
    }
    return all;
}

/* A variable before the copy: the one wanted may be past the limit. */
static const char *
raw_var(const char *const *vars, const char *name)
{
    size_t n = strlen(name);

    for (; *vars; vars++)
        if (strncmp(*vars, name, n) == 0 && (*vars)[n] == '=')
            return *vars + n + 1;
    return NULL;
}

static void
set_id(struct request *rq, const char *sent)
{
    static const char ok[] = "abcdefghijklmnopqrstuvwxyz"
                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t n = sent ? strlen(sent) : 0;

    if (n > 0 && n <= REQUEST_ID_MAX && strspn(sent, ok) == n) {
        memcpy(rq->id, sent, n + 1);
    } else {
        struct ident id = ident_v7();
        char text[IDENT_TEXT_LEN];
        ident_text(text, &id);
        memcpy(rq->id, text, sizeof(text));
    }
}

static void
set_method(struct request *rq, const char *s)
{
    rq->method = METHOD_OTHER;
    for (int m = 0; s && m < METHOD_OTHER; m++)
        if (strcmp(s, names[m]) == 0)
            rq->method = (enum method)m;
}

/* "Text/HTML; charset=x" -> "text/html" */
static void
set_type(struct request *rq)
{
    const char *s = request_var(rq, "CONTENT_TYPE");
    size_t n;
    char *type;

    if (!s)
        return;
    s += strspn(s, " \t");
    n = strcspn(s, "; \t,");
    type = arena_memdup0(&rq->arena, s, n);
    for (size_t i = 0; i < n; i++)
        if (type[i] >= 'A' && type[i] <= 'Z')
            type[i] = (char)(type[i] | 0x20);
    rq->type = type;
}

static bool
has_control(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            return true;
    return false;
}

/* What follows prefix in path, if path is at or below it; else NULL. */
static const char *
below(const char *path, const char *prefix)
{
    size_t n = strlen(prefix);

    if (strncmp(path, prefix, n) != 0 || (path[n] != '/' && path[n] != '\0'))
        return NULL;
    return path + n;
}

static const char *
without_trailing_slash(struct request *rq, const char *s)
{
    size_t n = strlen(s);

    while (n > 0 && s[n - 1] == '/')
        n--;
    return s[n] ? arena_memdup0(&rq->arena, s, n) : s;
}

/* The path of REQUEST_URI, decoded; NULL if there is none or it is bad. */
static const char *
uri_path(struct request *rq)
{
    const char *uri = request_var(rq, "REQUEST_URI");
    const char *out = NULL;
    struct buf b;

    if (!uri)
        return NULL;
    if (text_istarts(uri, "http://") || text_istarts(uri, "https://")) {
        uri = strchr(uri, ':') + 3;
        uri += strcspn(uri, "/?");
    }
    buf_init(&b, REQUEST_PARAMS_BYTES);
    if (text_unpercent(&b, uri, strcspn(uri, "?#"), false) == OK)
        out = arena_memdup0(&rq->arena, b.data ? b.data : "", b.len);
    buf_release(&b);
    return out;
}

/* What is before our own path in the address that the browser has. That is not
 * SCRIPT_NAME where a web server rewrites to a name that it alone knows. */
static const char *
seen_base(struct request *rq, const char *script, const char *path)
{
    const char *uri = path && *path ? uri_path(rq) : NULL;
    size_t n, m;

    if (!uri || below(uri, script))
        return script;
    n = strlen(uri);
    m = strlen(path);
    if (n < m || strcmp(uri + n - m, path) != 0)
        return script;
    return arena_memdup0(&rq->arena, uri, n - m);
}

static void
find_path(struct request *rq, const char *base_path)
{
    const char *script = request_var(rq, "SCRIPT_NAME");
    const char *path = request_var(rq, "PATH_INFO");
    const char *rest;

    if (base_path[0] == '/')
        rq->base = without_trailing_slash(rq, base_path);
    else
        rq->base = without_trailing_slash(
            rq, script ? seen_base(rq, script, path) : "");
    if (!path || !*path) {
        path = uri_path(rq);
        rest = path && script ? below(path, script) : NULL;
        if (rest && base_path[0] != '/')
            path = rest;
    }
    if (path && base_path[0] == '/' && rq->base[0]) {
        rest = below(path, rq->base);
        if (rest)
            path = rest;
    }
    rq->path = path && *path ? path : "/";
}

static enum err
check(const struct request *rq, struct problem *why)
{
    size_t n = strlen(rq->path);

    if (!request_var(rq, "REQUEST_METHOD"))
        return problem_set(why, ERR_BADREQ, "no_method", "No request method",
                           "The web server sent no REQUEST_METHOD");
    if (n > REQUEST_PATH_MAX || strlen(rq->query) > REQUEST_QUERY_MAX) {
        (void)problem_set(why, ERR_TOOBIG, "uri_too_long", "URI too long",
                          "A path has at most %d bytes, a query %d",
                          REQUEST_PATH_MAX, REQUEST_QUERY_MAX);
        why->status = 414;
        return ERR_TOOBIG;
    }
    if (request_peer_ambiguous(rq))
        return problem_set(why, ERR_BADREQ, "ambiguous_client",
                           "The proxy's header came twice",
                           "A proxy removes what a client writes in "
                           "X_Forwarded_For and the like.");
    if (rq->path[0] != '/' || has_control(rq->path) || !utf8_valid(rq->path, n))
        return problem_set(why, ERR_BADREQ, "invalid_path", "Invalid path",
                           "A path begins with / and is UTF-8 without "
                           "control characters");
    return OK;
}

enum err
request_new(struct request **out, const char *const *vars,
            const char *base_path, struct problem *why)
{
    struct request *rq = xcalloc(1, sizeof(*rq));
    enum err e;

    *out = rq;
    memset(why, 0, sizeof(*why));
    arena_init(&rq->arena);
    rq->start_us = clock_mono_us();
    rq->body_fd = -1;
    rq->path = "/";
    rq->base = rq->query = rq->type = "";
    rq->head_more = rq->owner = "";
    set_method(rq, raw_var(vars, "REQUEST_METHOD"));
    set_id(rq, raw_var(vars, "HTTP_X_REQUEST_ID"));
    if (!copy_vars(rq, vars)) {
        (void)problem_set(why, ERR_TOOBIG, "headers_too_large",
                          "Request headers too large",
                          "Send at most %d headers and %d KiB of them",
                          REQUEST_PARAMS_MAX, REQUEST_PARAMS_BYTES / 1024);
        why->status = 431;
        return ERR_TOOBIG;
    }
    rq->query = request_var(rq, "QUERY_STRING");
    if (!rq->query)
        rq->query = "";
    set_type(rq);
    request_peer_find(rq);
    find_path(rq, base_path);
    e = check(rq, why);
    if (e) {
        rq->path = "/"; /* nobody routes or logs a bad one */
        rq->query = "";
    }
    return e;
}

/* What lets somebody in does not stay in memory that is given back. */
static void
wipe_logins(struct request *rq)
{
    static const char *const secret[] = {
        "HTTP_AUTHORIZATION", "REDIRECT_HTTP_AUTHORIZATION",
        "HTTP_COOKIE",        "HTTP_X_API_KEY",
        "QUERY_STRING",       "REQUEST_URI",
    };

    for (size_t i = 0; i < rq->n_params; i++)
        for (size_t j = 0; j < COUNT_OF(secret); j++)
            if (strcmp(rq->params[i].name, secret[j]) == 0)
                mem_wipe((void *)(uintptr_t)rq->params[i].value,
                         strlen(rq->params[i].value));
}

void
request_free(struct request *rq)
{
    if (!rq)
        return;
    wipe_logins(rq);
    conn_free(rq->conn);
    if (rq->body_fd >= 0)
        (void)close(rq->body_fd);
    arena_release(&rq->arena);
    free(rq);
}

struct conn *
request_take_conn(struct request *rq)
{
    struct conn *c = rq->conn;

    rq->conn = NULL;
    return c;
}

void
request_head_add(struct request *rq, const char *name, const char *value)
{
    size_t before = strlen(rq->head_more);
    size_t n = before + strlen(name) + strlen(value) + sizeof(": \r\n");
    char *all = arena_alloc(&rq->arena, n);
    char *at = all + before + strlen(name) + 2;

    (void)snprintf(all, n, "%s%s: %s\r\n", rq->head_more, name, value);
    for (; *at != '\r' || at[1] != '\n' || at[2] != '\0'; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            *at = '?';
    rq->head_more = all;
}

const char *
request_var(const struct request *rq, const char *name)
{
    const struct param *p = find_param(rq, name);

    return p != NULL ? p->value : NULL;
}

#define VAR_MAX 64 /* bytes of a header's variable */

static void
header_var(char var[VAR_MAX], const char *name)
{
    size_t n = strlen(name);

    assert(n < VAR_MAX - 5);
    memcpy(var, "HTTP_", 5);
    for (size_t i = 0; i <= n; i++) {
        char c = name[i];
        if (c >= 'a' && c <= 'z')
            c = (char)(c & ~0x20);
        var[5 + i] = c == '-' ? '_' : c;
    }
}

bool
request_header_twice(const struct request *rq, const char *name)
{
    char var[VAR_MAX];
    const struct param *p;

    header_var(var, name);
    p = find_param(rq, var);
    return p != NULL && p->twice;
}

const char *
request_header(const struct request *rq, const char *name)
{
    char var[VAR_MAX];
    const char *value;

    header_var(var, name);
    if (strcmp(var, "HTTP_CONTENT_TYPE") == 0 ||
        strcmp(var, "HTTP_CONTENT_LENGTH") == 0)
        return request_var(rq, var + 5);
    value = request_var(rq, var);
    if (!value && strcmp(var, "HTTP_AUTHORIZATION") == 0)
        value = request_var(rq, "REDIRECT_HTTP_AUTHORIZATION"); /* Apache */
    return value;
}

const char *
method_name(enum method m)
{
    return names[m];
}
