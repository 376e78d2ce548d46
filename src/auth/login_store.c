/*
 * The records of logins: their names, reading them, and changing several at
 * once.
 */
#include "base/base.h"

#include "auth/login.h"

#include "auth/login_inside.h"
#include "base/log.h"
#include "base/text.h"

#define OWNED_PREFIX "logins/"  /* and the owner, a NUL, that digest */
#define BEFORE_PREFIX "before/" /* and the owner */

_Static_assert(2 * LOGIN_BATCH + 4 <= STORE_RECORDS_MAX, "of one operation");
_Static_assert(LOGINS_MAX <= LOGIN_BATCH, "all of one owner fit");

/* --- names ---------------------------------------------------------------- */

const char *const login_record_names[] = {LOGIN_PREFIX, OWNED_PREFIX, NULL};

struct login_rname
login_rname(const char *hex)
{
    struct login_rname m;

    m.n = (size_t)snprintf(m.s, sizeof(m.s), LOGIN_PREFIX "%s", hex);
    return m;
}

struct login_rname
login_owned_rname(const char *owner, const char *hex)
{
    struct login_rname m;

    m.n = (size_t)snprintf(m.s, sizeof(m.s), OWNED_PREFIX "%s", owner) + 1;
    m.n += (size_t)snprintf(m.s + m.n, sizeof(m.s) - m.n, "%s", hex);
    return m; /* with the NUL between them */
}

struct login_rname
login_before_rname(const char *owner)
{
    struct login_rname m;

    m.n = (size_t)snprintf(m.s, sizeof(m.s), BEFORE_PREFIX "%s", owner);
    return m;
}

static struct record_change
take_away(const struct login_rname *m)
{
    return (struct record_change){.name = m->s, .n = m->n};
}

bool
login_value_hex(const char *value, char hex[LOGIN_HEX_LEN + 1])
{
    uint8_t digest[DIGEST_LEN];

    if (strnlen(value, LOGIN_VALUE_LEN + 1) != LOGIN_VALUE_LEN)
        return false;
    digest_sha256(digest, value, LOGIN_VALUE_LEN);
    text_hex(hex, digest, DIGEST_LEN);
    return true;
}

/* --- reading -------------------------------------------------------------- */

int64_t
login_ends(const struct logins *l, const struct login *in)
{
    int64_t end_ms = in->begun_ms + l->config.max_ms;

    if (l->config.idle_ms > 0 && in->used_ms + l->config.idle_ms < end_ms)
        end_ms = in->used_ms + l->config.idle_ms;
    return end_ms;
}

void
login_fill_in(const struct logins *l, const char *hex, struct login *in)
{
    (void)snprintf(in->id, sizeof(in->id), "%.*s", LOGIN_ID_LEN, hex);
    in->ends_ms = login_ends(l, in);
}

enum err
login_load(struct logins *l, const char *hex, struct login *out,
           struct buf *raw)
{
    struct login_rname name = login_rname(hex);
    struct buf value;
    enum err e;

    if (raw == NULL) {
        buf_init(&value, STORE_RECORD_MAX);
        raw = &value;
    }
    e = store_record(l->config.store, name.s, name.n, raw);
    if (e == OK) {
        e = login_record_read(raw->data, raw->len, out);
        if (e == OK)
            login_fill_in(l, hex, out);
        else
            log_error("login.damaged", "id=%.*s", LOGIN_ID_LEN, hex);
    } else if (e != ERR_NOTFOUND) {
        e = ERR_STORE;
    }
    if (raw == &value)
        buf_release(&value);
    return e;
}

enum err
login_load_before(struct logins *l, const char *owner, struct login_before *out,
                  struct buf *raw)
{
    struct login_rname name = login_before_rname(owner);
    enum err e = store_record(l->config.store, name.s, name.n, raw);

    *out = (struct login_before){0};
    if (e == ERR_NOTFOUND)
        return OK;
    return e == OK ? login_before_read(raw->data, raw->len, out) : ERR_STORE;
}

static bool
found_add(void *arg, const char *name, size_t n, const char *value, size_t len)
{
    struct login_found *f = arg;

    (void)value, (void)len;
    if (n > LOGIN_HEX_LEN)
        (void)snprintf(f->hex[f->n++], sizeof(f->hex[0]), "%.*s",
                       (int)LOGIN_HEX_LEN, name + n - LOGIN_HEX_LEN);
    return f->n < LOGIN_BATCH;
}

enum err
login_find_owned(struct logins *l, const char *owner, const char *begin,
                 struct login_found *f)
{
    struct login_rname m = login_owned_rname(owner, begin);

    f->n = 0;
    return store_records(l->config.store, m.s, m.n, NULL, 0, UINT32_MAX,
                         found_add, f) == OK
               ? OK
               : ERR_STORE;
}

/* --- a batch of changes --------------------------------------------------- */

struct record_change *
login_batch_add(struct login_batch *b, const struct login_rname *m)
{
    assert(b->n < STORE_RECORDS_MAX);
    b->name[b->n] = *m;
    b->change[b->n] = take_away(&b->name[b->n]);
    return &b->change[b->n++];
}

void
login_batch_end(struct login_batch *b, const char *owner, const char *hex)
{
    struct login_rname m = login_rname(hex);

    (void)login_batch_add(b, &m);
    m = login_owned_rname(owner, hex);
    (void)login_batch_add(b, &m);
}

enum err
login_batch_apply(struct logins *l, const struct login_batch *b)
{
    struct store_op op = {.kind = STORE_RECORDS, .owner = ""};

    op.records.changes = b->change;
    op.records.n = b->n;
    return b->n == 0 ? OK : store_apply(l->config.store, &op);
}
