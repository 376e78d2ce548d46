/*
 * A new key: is what is wished for allowed, and is there a place for it?
 */
#include "base/base.h"

#include "auth/apikey.h"

#include "auth/admins.h"
#include "auth/apikey_inside.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#define TRIES (2 * APIKEYS_MAX) /* others may be faster so often */

static bool
name_fits(const char *name)
{
    size_t n = strlen(name), chars = 0;

    if (n >= APIKEY_NAME_SIZE || !text_plain(name, n))
        return false;
    for (size_t i = 0; i < n; i++)
        chars += ((unsigned char)name[i] & 0xc0) != 0x80;
    return chars <= APIKEY_NAME_MAX;
}

static bool
limits_fit(const struct apikey_limits *l)
{
    const int64_t max = INT64_C(1000000000000000);
    const int64_t all[] = {l->day_tokens, l->month_tokens, l->day_micro,
                           l->month_micro};

    for (size_t i = 0; i < COUNT_OF(all); i++)
        if (all[i] < -1 || all[i] == 0 || all[i] > max)
            return false;
    return true;
}

static enum err
wish_check(const struct apikey_wish *w, int64_t now_ms, struct problem *why)
{
    unsigned may = w->may | MAY_READ;

    if (identity_owner_anonymous(w->owner) ||
        strlen(w->owner) > STORE_OWNER_MAX)
        return problem_set(why, ERR_FORBIDDEN, NULL, NULL,
                           "Sign in first: a key belongs to an account.");
    if (!name_fits(w->name))
        return problem_set(why, ERR_BADREQ, "invalid_parameter",
                           "name is not a fitting name",
                           "Give at most %d characters, none of them a "
                           "control character.",
                           APIKEY_NAME_MAX);
    if (w->expires_ms != 0 && w->expires_ms <= now_ms)
        return problem_set(why, ERR_BADREQ, "invalid_parameter",
                           "The key would have ended already",
                           "Give an end that is to come, or none.");
    if (!limits_fit(&w->limits))
        return problem_set(why, ERR_BADREQ, "invalid_parameter",
                           "A limit is out of range",
                           "Give limits above 0, or leave them out.");
    if ((may & ~w->maker_may) != 0)
        return problem_set(why, ERR_FORBIDDEN, NULL, NULL,
                           "A key may not do more than who makes it.");
    if ((may & MAY_ADMIN) != 0 && !admins_has(w->owner))
        return problem_set(why, ERR_FORBIDDEN, NULL, NULL,
                           "Only an administrator's key may administer; "
                           "ADMINS names them.");
    return OK;
}

/* Which places of an owner are taken, a bit each. */
_Static_assert(APIKEYS_MAX <= 64, "a bit for each");
struct taken {
    uint64_t bits;
};

static bool
taken_add(void *arg, const char *name, size_t n, const char *value, size_t len)
{
    struct taken *t = arg;
    int64_t slot;

    (void)value, (void)len;
    if (n > 2 && text_i64(name + n - 2, 2, 0, APIKEYS_MAX - 1, &slot) == OK)
        t->bits |= UINT64_C(1) << slot;
    return true;
}

/* A free place of the owner. ERR_LIMIT: there is none. */
static enum err
free_slot(struct apikeys *k, const char *owner, int64_t *slot)
{
    struct apikey_rname places = apikey_places_rname(owner);
    struct taken t = {0};

    if (store_records(k->store, places.s, places.n, NULL, 0, UINT32_MAX,
                      taken_add, &t) != OK)
        return ERR_STORE;
    for (*slot = 0; *slot < APIKEYS_MAX; ++*slot)
        if ((t.bits >> *slot & 1) == 0)
            return OK;
    return ERR_LIMIT;
}

/* Write it, if its id is new and its place is free: else ERR_CONFLICT. */
static enum err
put_new(struct apikeys *k, const struct apikey_record *r)
{
    struct apikey_rname name = apikey_rname(r->key.id);
    struct apikey_rname place = apikey_place_rname(r->key.owner, r->slot);
    int64_t gone_ms = r->key.expires_ms == 0
                          ? 0
                          : r->key.expires_ms + APIKEY_KEEP_MS;
    struct store_op op = {.kind = STORE_RECORDS, .owner = ""};
    struct record_change c[2];
    struct buf value;
    enum err e;

    buf_init(&value, STORE_RECORD_MAX);
    apikey_record_write(&value, r);
    c[0] = (struct record_change){.name = name.s,
                                  .n = name.n,
                                  .value = value.data,
                                  .len = value.len,
                                  .expires_ms = gone_ms,
                                  .expect = RECORD_ABSENT};
    c[1] = (struct record_change){.name = place.s,
                                  .n = place.n,
                                  .value = r->key.id,
                                  .len = APIKEY_ID_LEN,
                                  .expires_ms = gone_ms,
                                  .expect = RECORD_ABSENT};
    op.records.changes = c;
    op.records.n = COUNT_OF(c);
    e = buf_status(&value) ? ERR_STORE : store_apply(k->store, &op);
    buf_release(&value);
    return e;
}

enum err
apikey_make(struct apikeys *k, const struct apikey_wish *w,
            char secret[APIKEY_SECRET_LEN + 1], struct apikey *out,
            struct problem *why)
{
    struct apikey_record r = {.key.made_ms = clock_wall_ms()};
    enum err e = wish_check(w, r.key.made_ms, why);

    if (e)
        return e;
    (void)snprintf(r.key.owner, sizeof(r.key.owner), "%s", w->owner);
    (void)snprintf(r.key.name, sizeof(r.key.name), "%s", w->name);
    r.key.may = w->may | MAY_READ;
    r.key.expires_ms = w->expires_ms;
    r.key.limits = w->limits;
    e = ERR_CONFLICT;
    for (int i = 0; i < TRIES && e == ERR_CONFLICT; i++) {
        apikey_secret_make(secret, r.key.id);
        digest_sha256(r.digest, secret, APIKEY_SECRET_LEN);
        e = free_slot(k, w->owner, &r.slot);
        if (e == OK)
            e = put_new(k, &r);
    }
    if (e == OK) {
        *out = r.key;
        return OK;
    }
    mem_wipe(secret, APIKEY_SECRET_LEN + 1);
    if (e == ERR_LIMIT)
        return problem_set(why, e, "too_many_keys", "Too many API keys",
                           "Revoke one first: an account has at most %d.",
                           APIKEYS_MAX);
    return problem_set(why, e, NULL, NULL, NULL);
}
