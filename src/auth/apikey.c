/*
 * Keys in the store: made, found, listed, revoked.
 *
 * A key is two records that are written and taken away together. One is found
 * by its id and has all of it. The other is a place: an owner has APIKEYS_MAX
 * of them, one is taken only if it is free, and so two who make keys at the
 * same moment do not get one too many. Whoever lists an owner's keys goes
 * through the places.
 *
 * Nothing is kept in memory, so there is nothing that a revocation has to
 * reach. What is not here: who may make keys for whom, the log of it, and the
 * carrying out of limits.
 */
#include "base/base.h"

#include "auth/apikey.h"

#include "auth/admins.h"
#include "auth/apikey_inside.h"
#include "auth/touch.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#define KEY_PREFIX "key/"    /* and the id */
#define PLACE_PREFIX "keys/" /* and the owner, a NUL, the place in two digits */

struct apikeys *
apikeys_new(struct store *s)
{
    struct apikeys *k = xcalloc(1, sizeof(*k));

    k->store = s;
    k->touch = touch_new(s);
    return k;
}

void
apikeys_free(struct apikeys *k)
{
    if (k == NULL)
        return;
    touch_free(k->touch);
    free(k);
}

struct apikey_rname
apikey_rname(const char *id)
{
    struct apikey_rname m;

    m.n = (size_t)snprintf(m.s, sizeof(m.s), KEY_PREFIX "%s", id);
    return m;
}

struct apikey_rname
apikey_places_rname(const char *owner)
{
    struct apikey_rname m;

    m.n = (size_t)snprintf(m.s, sizeof(m.s), PLACE_PREFIX "%s", owner) + 1;
    return m; /* with the NUL */
}

struct apikey_rname
apikey_place_rname(const char *owner, int64_t slot)
{
    struct apikey_rname m = apikey_places_rname(owner);

    m.n += (size_t)snprintf(m.s + m.n, sizeof(m.s) - m.n, "%02d", (int)slot);
    return m;
}

/* Read one; raw (may be NULL) is its bytes. ERR_NOTFOUND, ERR_STORE. */
static enum err
load(struct apikeys *k, const char *id, struct apikey_record *out,
     struct buf *raw)
{
    struct apikey_rname name = apikey_rname(id);
    struct buf value;
    enum err e;

    if (raw == NULL) {
        buf_init(&value, STORE_RECORD_MAX);
        raw = &value;
    }
    e = store_record(k->store, name.s, name.n, raw);
    if (e == OK) {
        e = apikey_record_read(id, raw->data, raw->len, out);
        if (e != OK)
            log_error("apikey.damaged", "id=%s", id);
    } else if (e != ERR_NOTFOUND) {
        e = ERR_STORE;
    }
    if (raw == &value)
        buf_release(&value);
    return e;
}

/* When the store lets it go, wall clock; 0: never. */
static int64_t
gone_ms(const struct apikey *key)
{
    return key->expires_ms == 0 ? 0 : key->expires_ms + APIKEY_KEEP_MS;
}

/* --- finding -------------------------------------------------------------- */

/* Note that it is used, if that was not noted lately. */
static void
note_use(struct apikeys *k, struct apikey_record *r, const struct buf *raw,
         int64_t now_ms)
{
    struct apikey_rname name = apikey_rname(r->key.id);
    struct buf value;

    if (now_ms - r->key.used_ms < APIKEY_TOUCH_MS ||
        !touch_due(k->touch, name.s, name.n, clock_mono_ms()))
        return;
    r->key.used_ms = now_ms;
    buf_init(&value, STORE_RECORD_MAX);
    apikey_record_write(&value, r);
    if (buf_status(&value) == OK)
        touch_write(k->touch,
                    &(struct record_change){.name = name.s,
                                            .n = name.n,
                                            .value = value.data,
                                            .len = value.len,
                                            .expires_ms = gone_ms(&r->key),
                                            .was = raw->data,
                                            .was_len = raw->len});
    buf_release(&value);
}

enum err
apikey_refuse(struct problem *why)
{
    return problem_set(why, ERR_AUTH, "invalid_key", "The API key is not valid",
                       "Send a key that was made here and not revoked.");
}

enum err
apikey_find(struct apikeys *k, const char *secret, int64_t now_ms,
            struct apikey *out, struct problem *why)
{
    char id[APIKEY_ID_LEN + 1];
    uint8_t digest[DIGEST_LEN];
    struct apikey_record r;
    struct buf raw;
    enum err e;

    if (!apikey_secret_check(secret, id))
        return apikey_refuse(why);
    buf_init(&raw, STORE_RECORD_MAX);
    e = load(k, id, &r, &raw);
    digest_sha256(digest, secret, APIKEY_SECRET_LEN);
    if (e == ERR_NOTFOUND ||
        (e == OK && !digest_equal(digest, r.digest, DIGEST_LEN)))
        e = apikey_refuse(why);
    else if (e != OK)
        e = problem_set(why, ERR_STORE, NULL, NULL, NULL);
    else if (r.key.expires_ms != 0 && r.key.expires_ms <= now_ms)
        e = problem_set(why, ERR_AUTH, "key_expired", "The API key has ended",
                        "Make a new one.");
    if (e == OK) {
        note_use(k, &r, &raw, now_ms);
        *out = r.key;
        if (!admins_has(out->owner))
            out->may &= ~(unsigned)MAY_ADMIN;
    }
    buf_release(&raw);
    return e;
}

void
apikey_identity(const struct apikey *key, struct identity *out)
{
    out->way = IDENTITY_KEY;
    out->may = key->may;
    (void)snprintf(out->owner, sizeof(out->owner), "%s", key->owner);
    text_show(out->name, sizeof(out->name), key->name);
    (void)snprintf(out->id, sizeof(out->id), "%s", key->id);
    out->until_ms = key->expires_ms;
}

/* One of the owner's (NULL: whosever). ERR_NOTFOUND, ERR_STORE. */
static enum err
load_of(struct apikeys *k, const char *owner, const char *id,
        struct apikey_record *out)
{
    enum err e = apikey_id_valid(id) ? load(k, id, out, NULL) : ERR_NOTFOUND;

    if (e == OK && owner != NULL && strcmp(owner, out->key.owner) != 0)
        e = ERR_NOTFOUND;
    return e;
}

enum err
apikey_get(struct apikeys *k, const char *owner, const char *id,
           struct apikey *out)
{
    struct apikey_record r;
    enum err e = load_of(k, owner, id, &r);

    if (e == OK)
        *out = r.key;
    return e;
}

/* --- lists ---------------------------------------------------------------- */

struct all {
    apikey_fn *fn;
    void *arg;
};

static bool
tell(void *arg, const char *name, size_t n, const char *value, size_t len)
{
    const struct all *a = arg;
    struct apikey_record r;
    struct apikey_rname m;

    m.n = (size_t)snprintf(m.s, sizeof(m.s), "%.*s", (int)n, name);
    if (!apikey_id_valid(m.s + sizeof(KEY_PREFIX) - 1) ||
        apikey_record_read(m.s + sizeof(KEY_PREFIX) - 1, value, len, &r) != OK)
        return true; /* damaged: it opens nothing */
    return a->fn(a->arg, &r.key);
}

static enum err
list_all(struct apikeys *k, const char *after, uint32_t limit, apikey_fn *fn,
         void *arg)
{
    struct all a = {.fn = fn, .arg = arg};
    struct apikey_rname from = apikey_rname(after == NULL ? "" : after);

    return store_records(k->store, KEY_PREFIX, sizeof(KEY_PREFIX) - 1,
                         after == NULL ? NULL : from.s,
                         after == NULL ? 0 : from.n, limit, tell, &a);
}

struct ids {
    char id[APIKEYS_MAX][APIKEY_ID_LEN + 1];
    size_t n;
};

static bool
ids_add(void *arg, const char *name, size_t n, const char *value, size_t len)
{
    struct ids *s = arg;

    (void)name, (void)n;
    if (len == APIKEY_ID_LEN)
        (void)snprintf(s->id[s->n++], sizeof(s->id[0]), "%.*s", (int)len,
                       value);
    return s->n < APIKEYS_MAX;
}

static int
older_first(const void *a, const void *b)
{
    const struct apikey *x = a, *y = b;

    if (x->made_ms != y->made_ms)
        return x->made_ms < y->made_ms ? -1 : 1;
    return strcmp(x->id, y->id);
}

enum err
apikey_list(struct apikeys *k, const char *owner, const char *after,
            uint32_t limit, apikey_fn *fn, void *arg)
{
    struct apikey *keys;
    struct apikey_rname places;
    struct ids ids = {.n = 0};
    size_t n = 0;
    enum err e;

    if (owner == NULL)
        return list_all(k, after, limit, fn, arg);
    places = apikey_places_rname(owner);
    e = store_records(k->store, places.s, places.n, NULL, 0, UINT32_MAX,
                      ids_add, &ids);
    if (e)
        return e;
    keys = xcalloc(APIKEYS_MAX, sizeof(*keys));
    for (size_t i = 0; i < ids.n; i++)
        n += apikey_get(k, owner, ids.id[i], &keys[n]) == OK;
    qsort(keys, n, sizeof(*keys), older_first);
    for (size_t i = 0; i < n && i < limit; i++)
        if (!fn(arg, &keys[i]))
            break;
    free(keys);
    return OK;
}

/* --- revoking ------------------------------------------------------------- */

enum err
apikey_revoke(struct apikeys *k, const char *owner, const char *id)
{
    struct store_op op = {.kind = STORE_RECORDS, .owner = ""};
    struct record_change c[2];
    struct apikey_record r;
    struct apikey_rname name, place;
    enum err e = load_of(k, owner, id, &r);

    if (e)
        return e;
    name = apikey_rname(id);
    place = apikey_place_rname(r.key.owner, r.slot);
    c[0] = (struct record_change){
        .name = name.s, .n = name.n, .expect = RECORD_PRESENT};
    c[1] = (struct record_change){.name = place.s, .n = place.n};
    op.records.changes = c;
    op.records.n = COUNT_OF(c);
    e = store_apply(k->store, &op);
    return e == ERR_CONFLICT ? ERR_NOTFOUND : e; /* somebody was faster */
}
