/*
 * Credentials, and what keeps them: a table of the sessions that have a
 * connection here, with how many those are and what they left. All of it is
 * small: an entry without credentials has a session's name and two numbers. A
 * mutex guards the table; copies leave it, so nobody holds on to a value that
 * is forgotten meanwhile.
 *
 * What is freed is overwritten first, so that a core file or a later
 * allocation does not show it. The pages may still be swapped out; who must
 * exclude that encrypts the swap.
 */
#include "base/base.h"

#include "auth/credentials.h"

#include <pthread.h>

#include "base/mem.h"
#include "base/text.h"

#define TABLE_SIZE 1024 /* chains; a power of two */

/* --- one set of them ------------------------------------------------------ */

#define VALUES 8

static void
values_of(struct credentials *c, char **v[VALUES])
{
    char **all[VALUES] = {&c->token,         &c->api_key,  &c->header,
                          &c->username,      &c->password, &c->client_id,
                          &c->client_secret, &c->token_url};

    memcpy(v, all, sizeof(all));
}

struct credentials *
credentials_new(enum credentials_kind kind)
{
    struct credentials *c = xcalloc(1, sizeof(*c));

    c->kind = kind;
    return c;
}

struct credentials *
credentials_copy(const struct credentials *c)
{
    struct credentials *to = credentials_new(c->kind);
    struct credentials from = *c;
    char **a[VALUES], **b[VALUES];

    values_of(&from, a);
    values_of(to, b);
    for (int i = 0; i < VALUES; i++)
        *b[i] = xstrdup(*a[i]);
    to->scope = xstrdup(c->scope);
    to->born_ms = c->born_ms;
    to->until_ms = c->until_ms;
    to->in_body = c->in_body;
    return to;
}

static bool
same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool
credentials_same(const struct credentials *a, const struct credentials *b)
{
    struct credentials x = *a, y = *b;
    char **v[VALUES], **w[VALUES];

    if (a->kind != b->kind || !same(a->scope, b->scope))
        return false;
    if (a->kind == CREDENTIALS_OAUTH2)
        x.token = y.token = NULL; /* fetched */
    values_of(&x, v);
    values_of(&y, w);
    for (int i = 0; i < VALUES; i++)
        if (!same(*v[i], *w[i]))
            return false;
    return true;
}

void
credentials_free(struct credentials *c)
{
    char **v[VALUES];

    if (c == NULL)
        return;
    values_of(c, v);
    for (int i = 0; i < VALUES; i++)
        mem_free_secret(*v[i]);
    mem_free_secret(c->scope);
    explicit_bzero(c, sizeof(*c));
    free(c);
}

/* --- are they right ------------------------------------------------------- */

static enum err
lacks(struct problem *why, const char *name)
{
    char error[64];

    (void)snprintf(error, sizeof(error), "%s is missing", name);
    return problem_set(why, ERR_BADREQ, "invalid_credentials", error, "%s", "");
}

static enum err
wrong(struct problem *why, const char *name, const char *rule)
{
    char error[64];

    (void)snprintf(error, sizeof(error), "%s is not valid", name);
    return problem_set(why, ERR_BADREQ, "invalid_credentials", error, "%s",
                       rule);
}

/* Visible ASCII and, if other is set, what UTF-8 and spaces are made of. */
static bool
printable(const char *s, bool other)
{
    for (; *s != '\0'; s++) {
        unsigned char b = (unsigned char)*s;

        if (b < 0x20 || b == 0x7F || (!other && (b > 0x7E || b == ' ')))
            return false;
    }
    return true;
}

static enum err
check_value(const char *s, const char *name, bool other, struct problem *why)
{
    if (s == NULL || *s == '\0')
        return lacks(why, name);
    if (strlen(s) > CREDENTIALS_VALUE_MAX)
        return wrong(why, name, "It is too long.");
    if (!printable(s, other))
        return wrong(why, name, "It has characters that cannot be sent.");
    return OK;
}

/* A field name (RFC 9110 section 5.1) that does not change how the request
 * that it is added to is read. */
static bool
header_right(const char *s)
{
    static const char ok[] = "!#$%&'*+-.^_`|~0123456789"
                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                             "abcdefghijklmnopqrstuvwxyz";
    static const char *const ours[] = {
        "Host",    "Content-Length", "Content-Type",        "Transfer-Encoding",
        "TE",      "Trailer",        "Connection",          "Keep-Alive",
        "Upgrade", "Expect",         "Proxy-Authorization", "Proxy-Connection"};

    if (*s == '\0' || strlen(s) > 64 || s[strspn(s, ok)] != '\0')
        return false;
    for (size_t i = 0; i < COUNT_OF(ours); i++)
        if (text_ieq(s, ours[i]))
            return false;
    return true;
}

static enum err
check_oauth2(const struct credentials *c, struct problem *why)
{
    enum err e = check_value(c->client_id, "client_id", true, why);

    if (e == OK)
        e = check_value(c->client_secret, "client_secret", true, why);
    if (e == OK)
        e = check_value(c->token_url, "token_url", false, why);
    if (e == OK && c->scope != NULL && *c->scope != '\0')
        e = check_value(c->scope, "scope", true, why);
    if (e == OK && !text_istarts(c->token_url, "https://"))
        e = wrong(why, "token_url", "It begins with https://.");
    return e;
}

enum err
credentials_check(const struct credentials *c, struct problem *why)
{
    enum err e;

    switch (c->kind) {
    case CREDENTIALS_BEARER: return check_value(c->token, "token", false, why);
    case CREDENTIALS_API_KEY:
        e = check_value(c->api_key, "api_key", true, why);
        if (e == OK && (c->header == NULL || !header_right(c->header)))
            e = wrong(why, "api_key_header", "Name a header for keys.");
        return e;
    case CREDENTIALS_BASIC:
        e = check_value(c->username, "username", true, why);
        if (e == OK && strchr(c->username, ':') != NULL)
            e = wrong(why, "username", "It has no colon.");
        return e != OK ? e : check_value(c->password, "password", true, why);
    default: return check_oauth2(c, why);
    }
}

/* --- kept for sessions ---------------------------------------------------- */

struct entry {
    struct entry *next;    /* in its chain */
    struct credentials *c; /* owned; NULL: none */
    int64_t used_ms;       /* monotonic; put or found last */
    size_t connections;
    char name[]; /* owner, '\n', session id */
};

struct credentials_box {
    pthread_mutex_t mu; /* guards all below */
    struct entry *table[TABLE_SIZE];
    size_t count, max; /* entries with credentials */
    int64_t ttl_ms;
};

struct credentials_box *
credentials_box_new(size_t sessions_max, int64_t ttl_ms)
{
    struct credentials_box *b = xcalloc(1, sizeof(*b));

    (void)pthread_mutex_init(&b->mu, NULL);
    b->max = sessions_max;
    b->ttl_ms = ttl_ms;
    return b;
}

static void
drop(struct credentials_box *b, struct entry *e)
{
    if (e->c == NULL)
        return;
    credentials_free(e->c);
    e->c = NULL;
    b->count--;
}

void
credentials_box_free(struct credentials_box *b)
{
    if (b == NULL)
        return;
    for (size_t i = 0; i < TABLE_SIZE; i++)
        while (b->table[i] != NULL) {
            struct entry *e = b->table[i];

            b->table[i] = e->next;
            drop(b, e);
            free(e);
        }
    (void)pthread_mutex_destroy(&b->mu);
    free(b);
}

/* Where the session's entry is, or would be linked in. Both names together
 * are told apart by the line end, which neither has. */
static struct entry **
place(struct credentials_box *b, const char *owner, const char *session_id)
{
    size_t n = strlen(owner);
    uint32_t h = 2166136261u; /* FNV-1a */
    struct entry **at;

    for (const char *p = owner; *p != '\0'; p++)
        h = (h ^ (unsigned char)*p) * 16777619u;
    for (const char *p = session_id; *p != '\0'; p++)
        h = (h ^ (unsigned char)*p) * 16777619u;
    for (at = &b->table[h % TABLE_SIZE]; *at != NULL; at = &(*at)->next)
        if (strncmp((*at)->name, owner, n) == 0 && (*at)->name[n] == '\n' &&
            strcmp((*at)->name + n + 1, session_id) == 0)
            break;
    return at;
}

void
credentials_join(struct credentials_box *b, const char *owner,
                 const char *session_id)
{
    size_t n = strlen(owner) + strlen(session_id) + 2;
    struct entry **at;

    (void)pthread_mutex_lock(&b->mu);
    at = place(b, owner, session_id);
    if (*at == NULL) {
        *at = xcalloc(1, sizeof(**at) + n);
        (void)snprintf((*at)->name, n, "%s\n%s", owner, session_id);
    }
    (*at)->connections++;
    (void)pthread_mutex_unlock(&b->mu);
}

void
credentials_leave(struct credentials_box *b, const char *owner,
                  const char *session_id)
{
    struct entry **at, *e;

    (void)pthread_mutex_lock(&b->mu);
    at = place(b, owner, session_id);
    e = *at;
    assert(e != NULL && e->connections > 0);
    if (--e->connections == 0) {
        *at = e->next;
        drop(b, e);
        free(e);
    }
    (void)pthread_mutex_unlock(&b->mu);
}

enum err
credentials_put(struct credentials_box *b, const char *owner,
                const char *session_id, struct credentials **c, int64_t now_ms)
{
    enum err err = OK;
    struct entry *e;

    (void)pthread_mutex_lock(&b->mu);
    e = *place(b, owner, session_id);
    if (e == NULL) {
        err = ERR_CONFLICT;
    } else if (e->c == NULL && b->count >= b->max) {
        err = ERR_LIMIT;
    } else {
        drop(b, e);
        e->c = *c;
        *c = NULL;
        e->used_ms = now_ms;
        b->count++;
    }
    (void)pthread_mutex_unlock(&b->mu);
    credentials_free(*c);
    *c = NULL;
    return err;
}

static bool
expired(const struct credentials_box *b, const struct entry *e, int64_t now_ms)
{
    return e->c != NULL && now_ms - e->used_ms >= b->ttl_ms;
}

struct credentials *
credentials_find(struct credentials_box *b, const char *owner,
                 const char *session_id, int64_t now_ms)
{
    struct credentials *c = NULL;
    struct entry *e;

    (void)pthread_mutex_lock(&b->mu);
    e = *place(b, owner, session_id);
    if (e != NULL && expired(b, e, now_ms))
        drop(b, e);
    if (e != NULL && e->c != NULL) {
        c = credentials_copy(e->c);
        e->used_ms = now_ms;
    }
    (void)pthread_mutex_unlock(&b->mu);
    return c;
}

bool
credentials_renew(struct credentials_box *b, const char *owner,
                  const char *session_id, const struct credentials *c)
{
    struct entry *e;
    bool found;

    (void)pthread_mutex_lock(&b->mu);
    e = *place(b, owner, session_id);
    found = e != NULL && e->c != NULL && credentials_same(e->c, c);
    if (found) {
        mem_free_secret(e->c->token);
        e->c->token = xstrdup(c->token);
        e->c->born_ms = c->born_ms;
        e->c->until_ms = c->until_ms;
        e->c->in_body = c->in_body;
    }
    (void)pthread_mutex_unlock(&b->mu);
    return found;
}

bool
credentials_forget(struct credentials_box *b, const char *owner,
                   const char *session_id)
{
    struct entry *e;
    bool had;

    (void)pthread_mutex_lock(&b->mu);
    e = *place(b, owner, session_id);
    had = e != NULL && e->c != NULL;
    if (had)
        drop(b, e);
    (void)pthread_mutex_unlock(&b->mu);
    return had;
}

size_t
credentials_sweep(struct credentials_box *b, int64_t now_ms)
{
    size_t n = 0;

    (void)pthread_mutex_lock(&b->mu);
    for (size_t i = 0; i < TABLE_SIZE; i++)
        for (struct entry *e = b->table[i]; e != NULL; e = e->next)
            if (expired(b, e, now_ms)) {
                drop(b, e);
                n++;
            }
    (void)pthread_mutex_unlock(&b->mu);
    return n;
}
