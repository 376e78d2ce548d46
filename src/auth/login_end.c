/*
 * Logins listed, and ended: one, or all of an owner.
 *
 * Ending all writes a time as well, and no login that began before it counts:
 * so a sign-in that is under way just then cannot slip through between what is
 * listed and what is taken away.
 */
#include "base/base.h"

#include "auth/login.h"

#include "auth/login_inside.h"
#include "base/mem.h"

#define TRIES 64 /* others may be faster so often */

/* --- lists ---------------------------------------------------------------- */

struct all {
    struct logins *l;
    int64_t now_ms;
    uint32_t left;
    login_fn *fn;
    void *arg;
};

static bool
tell(void *arg, const char *name, size_t n, const char *value, size_t len)
{
    struct all *a = arg;
    struct login in;

    if (n != sizeof(LOGIN_PREFIX) - 1 + LOGIN_HEX_LEN ||
        login_record_read(value, len, &in) != OK)
        return true; /* damaged: it opens nothing */
    login_fill_in(a->l, name + sizeof(LOGIN_PREFIX) - 1, &in);
    if (in.ends_ms <= a->now_ms)
        return true;
    return a->left-- > 0 && a->fn(a->arg, &in) && a->left > 0;
}

static enum err
list_owned(struct logins *l, const char *owner, int64_t now_ms, uint32_t limit,
           login_fn *fn, void *arg)
{
    struct login_found *f = xmalloc(sizeof(*f));
    struct login_before before;
    struct login in;
    struct buf raw;
    enum err e;

    buf_init(&raw, STORE_RECORD_MAX);
    e = login_load_before(l, owner, &before, &raw);
    if (e == OK)
        e = login_find_owned(l, owner, "", f);
    for (size_t i = 0; e == OK && i < f->n && limit > 0; i++) {
        if (login_load(l, f->hex[i], &in, NULL) != OK || in.ends_ms <= now_ms ||
            in.begun_ms < before.logins_ms)
            continue;
        limit--;
        if (!fn(arg, &in))
            break;
    }
    buf_release(&raw);
    free(f);
    return e;
}

enum err
login_list(struct logins *l, const char *owner, int64_t now_ms, uint32_t limit,
           login_fn *fn, void *arg)
{
    struct all a = {l, now_ms, limit, fn, arg};

    if (limit == 0)
        return OK;
    if (owner != NULL)
        return list_owned(l, owner, now_ms, limit, fn, arg);
    return store_records(l->config.store, LOGIN_PREFIX,
                         sizeof(LOGIN_PREFIX) - 1, NULL, 0, UINT32_MAX, tell,
                         &a);
}

/* --- ending --------------------------------------------------------------- */

static enum err
end_one(struct logins *l, const char *owner, const char *hex)
{
    struct login_batch *b = xmalloc(sizeof(*b));
    enum err e;

    b->n = 0;
    login_batch_end(b, owner, hex);
    e = login_batch_apply(l, b);
    free(b);
    return e;
}

enum err
login_end(struct logins *l, const char *value)
{
    char hex[LOGIN_HEX_LEN + 1];
    struct login in;
    enum err e;

    if (!login_value_hex(value, hex))
        return OK;
    e = login_load(l, hex, &in, NULL);
    if (e == OK)
        e = end_one(l, in.owner, hex);
    return e == ERR_NOTFOUND ? OK : e;
}

enum err
login_end_id(struct logins *l, const char *owner, const char *id)
{
    struct login_found *f;
    struct login in;
    enum err e;

    if (strlen(id) != LOGIN_ID_LEN ||
        strspn(id, "0123456789abcdef") != LOGIN_ID_LEN)
        return ERR_NOTFOUND;
    f = xmalloc(sizeof(*f));
    e = login_find_owned(l, owner, id, f);
    if (e == OK && (f->n == 0 || login_load(l, f->hex[0], &in, NULL) != OK))
        e = ERR_NOTFOUND;
    if (e == OK)
        e = end_one(l, owner, f->hex[0]);
    free(f);
    return e;
}

/* Write the times, if nobody was faster: else ERR_CONFLICT. */
static enum err
put_before(struct logins *l, const char *owner, bool tokens, int64_t now_ms)
{
    struct store_op op = {.kind = STORE_RECORDS, .owner = ""};
    struct login_rname name = login_before_rname(owner);
    struct record_change c = {.name = name.s, .n = name.n};
    struct login_before before;
    struct buf was, value;
    enum err e;

    buf_init(&was, STORE_RECORD_MAX);
    buf_init(&value, STORE_RECORD_MAX);
    e = login_load_before(l, owner, &before, &was);
    if (before.logins_ms < now_ms)
        before.logins_ms = now_ms;
    if (tokens && before.tokens_ms < now_ms)
        before.tokens_ms = now_ms;
    login_before_write(&value, &before);
    c.value = value.data;
    c.len = value.len;
    c.expect = was.len == 0 ? RECORD_ABSENT : RECORD_SAME;
    c.was = was.data;
    c.was_len = was.len;
    op.records.changes = &c;
    op.records.n = 1;
    if (e == OK)
        e = store_apply(l->config.store, &op);
    buf_release(&was);
    buf_release(&value);
    return e;
}

enum err
login_end_all(struct logins *l, const char *owner, bool tokens, int64_t now_ms,
              size_t *n)
{
    struct login_found *f = xmalloc(sizeof(*f));
    struct login_batch *b = xmalloc(sizeof(*b));
    size_t all = 0;
    enum err e = ERR_CONFLICT;

    for (int i = 0; i < TRIES && e == ERR_CONFLICT; i++)
        e = put_before(l, owner, tokens, now_ms);
    for (bool more = true; e == OK && more;) {
        e = login_find_owned(l, owner, "", f);
        b->n = 0;
        for (size_t i = 0; e == OK && i < f->n; i++)
            login_batch_end(b, owner, f->hex[i]);
        if (e == OK)
            e = login_batch_apply(l, b);
        all += f->n;
        more = f->n == LOGIN_BATCH;
    }
    free(f);
    free(b);
    if (n != NULL)
        *n = all;
    return e;
}

enum err
login_not_before(struct logins *l, const char *owner, int64_t *ms)
{
    struct login_before before;
    struct buf raw;
    enum err e;

    buf_init(&raw, STORE_RECORD_MAX);
    e = login_load_before(l, owner, &before, &raw);
    buf_release(&raw);
    *ms = before.tokens_ms;
    return e;
}
