/* API keys: auth/apikey.h, with the store under them. */
#include "base/base.h"

#include "auth/apikey.h"

#include <pthread.h>

#include "accounts_test.h"
#include "auth/apikey_record.h"
#include "base/conf.h"
#include "base/json.h"

#define HOUR_MS (INT64_C(3600) * 1000)

static struct apikey_wish
wish(const char *owner, const char *name)
{
    struct apikey_wish w = {
        .owner = owner, .name = name, .may = MAY_USER, .maker_may = MAY_USER};

    apikey_limits_init(&w.limits);
    return w;
}

static struct apikey
make(struct apikeys *k, const char *owner, const char *name,
     char secret[APIKEY_SECRET_LEN + 1])
{
    struct apikey_wish w = wish(owner, name);
    struct apikey key;
    struct problem why;

    assert_int_equal(apikey_make(k, &w, secret, &key, &why), OK);
    return key;
}

static enum err
find(struct apikeys *k, const char *secret, struct apikey *out,
     struct problem *why)
{
    memset(why, 0, sizeof(*why));
    return apikey_find(k, secret, clock_wall_ms(), out, why);
}

static void
assert_refused(struct apikeys *k, const char *secret, int64_t now_ms,
               const char *code)
{
    struct apikey key;
    struct problem why;

    assert_int_equal(apikey_find(k, secret, now_ms, &key, &why), ERR_AUTH);
    assert_string_equal(why.code, code);
}

/* --- secrets -------------------------------------------------------------- */

static void
a_secret_has_its_form_and_its_id(void **state)
{
    char a[APIKEY_SECRET_LEN + 1], b[APIKEY_SECRET_LEN + 1];
    char id[APIKEY_ID_LEN + 1], same[APIKEY_ID_LEN + 1];

    (void)state;
    apikey_secret_make(a, id);
    assert_int_equal(strlen(a), APIKEY_SECRET_LEN);
    assert_true(apikey_looks(a));
    assert_true(apikey_id_valid(id));
    assert_true(apikey_secret_check(a, same));
    assert_string_equal(id, same);
    assert_memory_equal(a + strlen(APIKEY_PREFIX), id, APIKEY_ID_LEN);
    apikey_secret_make(b, id);
    assert_string_not_equal(a, b);
    assert_string_not_equal(same, id);
}

static void
a_mistyped_secret_is_known_without_a_look(void **state)
{
    char a[APIKEY_SECRET_LEN + 1], id[APIKEY_ID_LEN + 1];
    char twice[2 * APIKEY_SECRET_LEN];

    (void)state;
    apikey_secret_make(a, id);
    for (size_t i = 0; i < APIKEY_SECRET_LEN; i++) {
        char was = a[i];

        for (char c = 0; c >= 0 && c < 127; c++) {
            a[i] = c;
            assert_int_equal(apikey_secret_check(a, id), c == was);
        }
        a[i] = was;
    }
    for (size_t i = strlen(APIKEY_PREFIX); i + 1 < APIKEY_SECRET_LEN; i++) {
        char was = a[i];

        a[i] = a[i + 1];
        a[i + 1] = was;
        assert_int_equal(apikey_secret_check(a, id), a[i] == was);
        a[i + 1] = a[i];
        a[i] = was;
    }
    (void)snprintf(twice, sizeof(twice), "%sA", a);
    assert_false(apikey_secret_check(twice, id));
    assert_false(apikey_secret_check(APIKEY_PREFIX, id));
    assert_false(apikey_secret_check("", id));
    assert_false(apikey_looks("eyJhbGciOi"));
}

static void
scopes_have_words(void **state)
{
    (void)state;
    assert_int_equal(apikey_scope("read"), MAY_READ);
    assert_int_equal(apikey_scope("chat"), MAY_USER);
    assert_int_equal(apikey_scope("write"), MAY_USER);
    assert_int_equal(apikey_scope("admin"), MAY_ALL);
    assert_int_equal(apikey_scope("root"), 0);
    assert_int_equal(apikey_scope(""), 0);
    assert_string_equal(apikey_scope_name(MAY_READ), "read");
    assert_string_equal(apikey_scope_name(MAY_USER), "chat");
    assert_string_equal(apikey_scope_name(MAY_ALL), "admin");
}

static void
a_record_is_read_as_it_was_written(void **state)
{
    struct apikey_record r = {.slot = 7}, got;
    struct buf b;

    (void)state;
    memset(r.digest, 0xa5, sizeof(r.digest));
    (void)snprintf(r.key.id, sizeof(r.key.id), "0123456789");
    memset(r.key.owner, '"', STORE_OWNER_MAX);
    memset(r.key.name, '\\', APIKEY_NAME_SIZE - 1);
    r.key.may = MAY_ALL;
    r.key.made_ms = INT64_C(1767225600000);
    r.key.used_ms = 1;
    r.key.expires_ms = INT64_C(4102444800000);
    r.key.limits = (struct apikey_limits){1, -1, 25000000, INT64_C(1) << 49};
    buf_init(&b, STORE_RECORD_MAX);
    apikey_record_write(&b, &r);
    assert_int_equal(buf_status(&b), OK);
    assert_int_equal(apikey_record_read("0123456789", b.data, b.len, &got), OK);
    assert_memory_equal(&got.key, &r.key, sizeof(got.key));
    assert_memory_equal(got.digest, r.digest, sizeof(got.digest));
    assert_int_equal(got.slot, r.slot);
    for (size_t n = 0; n < b.len; n++)
        assert_int_equal(apikey_record_read("0123456789", b.data, n, &got),
                         ERR_STORE);
    buf_release(&b);
}

static void
what_is_shown_of_a_key(void **state)
{
    struct apikey key = {.id = "0123456789",
                         .owner = "local/ann",
                         .name = "caf\xc3\xa9",
                         .may = MAY_USER,
                         .made_ms = 1000,
                         .limits = {5000, -1, -1, 2500000}};
    struct json_out j;
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    json_out_init(&j, &b);
    json_begin_arr(&j);
    json_begin_obj(&j);
    apikey_put(&j, &key, false);
    json_end_obj(&j);
    key.used_ms = key.expires_ms = 2000;
    apikey_limits_init(&key.limits);
    json_begin_obj(&j);
    apikey_put(&j, &key, true);
    json_end_obj(&j);
    json_end_arr(&j);
    assert_string_equal(
        buf_cstr(&b),
        "[{\"id\":\"0123456789\",\"name\":\"caf\xc3\xa9\","
        "\"scope\":\"chat\",\"created_at\":\"1970-01-01T00:00:01.000Z\","
        "\"last_used_at\":null,\"expires_at\":null,\"day_tokens\":5000,"
        "\"month_usd\":2.5},"
        "{\"id\":\"0123456789\",\"owner\":\"local/ann\","
        "\"name\":\"caf\xc3\xa9\",\"scope\":\"chat\","
        "\"created_at\":\"1970-01-01T00:00:01.000Z\","
        "\"last_used_at\":\"1970-01-01T00:00:02.000Z\","
        "\"expires_at\":\"1970-01-01T00:00:02.000Z\"}]");
    buf_release(&b);
}

/* --- making and finding --------------------------------------------------- */

static void
a_key_that_was_made_is_found(void **state)
{
    struct accounts *a = *state;
    struct apikeys *k;
    struct apikey_wish w = wish("local/ann", "Ann\xe2\x80\x99s laptop");
    struct identity who = {.addr = "127.0.0.1"};
    char secret[APIKEY_SECRET_LEN + 1];
    struct apikey made, got;
    struct problem why;

    a->s = accounts_open(a->dir);
    k = apikeys_new(a->s);
    w.may = 0;
    w.expires_ms = clock_wall_ms() + HOUR_MS;
    w.limits.day_tokens = 1000;
    w.limits.month_micro = 5000000;
    assert_int_equal(apikey_make(k, &w, secret, &made, &why), OK);
    assert_int_equal(find(k, secret, &got, &why), OK);
    assert_string_equal(got.id, made.id);
    assert_string_equal(got.owner, "local/ann");
    assert_string_equal(got.name, w.name);
    assert_int_equal(got.may, MAY_READ);
    assert_int_equal(got.expires_ms, w.expires_ms);
    assert_int_equal(got.limits.day_tokens, 1000);
    assert_int_equal(got.limits.month_tokens, -1);
    assert_int_equal(got.limits.month_micro, 5000000);
    apikey_identity(&got, &who);
    assert_int_equal(who.way, IDENTITY_KEY);
    assert_int_equal(who.may, MAY_READ);
    assert_string_equal(who.owner, "local/ann");
    assert_string_equal(who.name, w.name);
    assert_string_equal(who.id, made.id);
    assert_string_equal(who.addr, "127.0.0.1");
    assert_int_equal(who.until_ms, w.expires_ms);
    apikeys_free(k);
}

static void
the_store_has_no_secret(void **state)
{
    struct accounts *a = *state;
    struct apikeys *k;
    char secret[APIKEY_SECRET_LEN + 1];
    struct apikey made;

    a->s = accounts_open(a->dir);
    k = apikeys_new(a->s);
    made = make(k, "local/ann", "a", secret);
    assert_true(folder_has_text(a->dir, made.id));
    assert_false(folder_has_text(a->dir, secret));
    assert_false(folder_has_text(a->dir, secret + strlen(APIKEY_PREFIX) +
                                             APIKEY_ID_LEN));
    apikeys_free(k);
}

static void
a_key_that_is_not_ours_is_refused(void **state)
{
    struct accounts *a = *state;
    struct apikeys *k;
    struct apikey_record r;
    char secret[APIKEY_SECRET_LEN + 1], stranger[APIKEY_SECRET_LEN + 1];
    char id[APIKEY_ID_LEN + 1], name[64];
    struct apikey key;
    struct problem why;
    struct buf b;

    a->s = accounts_open(a->dir);
    k = apikeys_new(a->s);
    key = make(k, "local/ann", "a", secret);
    apikey_secret_make(stranger, id);
    assert_refused(k, stranger, clock_wall_ms(), "invalid_key");
    assert_refused(k, "prly_nonsense", clock_wall_ms(), "invalid_key");

    /* The id is right, the rest is another's. */
    (void)snprintf(name, sizeof(name), "key/%s", key.id);
    buf_init(&b, STORE_RECORD_MAX);
    assert_int_equal(store_record(a->s, name, strlen(name), &b), OK);
    assert_int_equal(apikey_record_read(key.id, b.data, b.len, &r), OK);
    r.digest[DIGEST_LEN - 1] ^= 1;
    buf_clear(&b);
    apikey_record_write(&b, &r);
    record_set(a->s, name, strlen(name), b.data, b.len);
    assert_refused(k, secret, clock_wall_ms(), "invalid_key");

    /* A damaged record opens nothing either, but is no refusal. */
    record_set(a->s, name, strlen(name), "{", 1);
    assert_int_equal(find(k, secret, &key, &why), ERR_STORE);
    buf_release(&b);
    apikeys_free(k);
}

static void
a_key_ends(void **state)
{
    struct accounts *a = *state;
    struct apikeys *k;
    struct apikey_wish w = wish("local/ann", "a");
    char secret[APIKEY_SECRET_LEN + 1];
    struct apikey key;
    struct problem why;

    a->s = accounts_open(a->dir);
    k = apikeys_new(a->s);
    w.expires_ms = clock_wall_ms() + HOUR_MS;
    assert_int_equal(apikey_make(k, &w, secret, &key, &why), OK);
    assert_int_equal(apikey_find(k, secret, w.expires_ms - 1, &key, &why), OK);
    assert_refused(k, secret, w.expires_ms, "key_expired");
    w.expires_ms = clock_wall_ms();
    assert_int_equal(apikey_make(k, &w, secret, &key, &why), ERR_BADREQ);
    apikeys_free(k);
}

static void
assert_not_made(struct apikeys *k, const struct apikey_wish *w, enum err e)
{
    char secret[APIKEY_SECRET_LEN + 1] = "x";
    struct apikey key;
    struct problem why = {.err = OK};

    assert_int_equal(apikey_make(k, w, secret, &key, &why), e);
    assert_int_equal(why.err, e);
}

static void
what_cannot_be_is_not_made(void **state)
{
    struct accounts *a = *state;
    struct apikeys *k;
    struct apikey_wish w;
    char name[APIKEY_NAME_SIZE + 4] = "", secret[APIKEY_SECRET_LEN + 1];
    const char *const bad[] = {"a\nb", "\x1b[2J", "\x7f", "\xc2\x9b", "\xff"};

    a->s = accounts_open(a->dir);
    k = apikeys_new(a->s);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        w = wish("local/ann", bad[i]);
        assert_not_made(k, &w, ERR_BADREQ);
    }
    for (size_t i = 0; i < APIKEY_NAME_MAX; i++)
        memcpy(name + 4 * i, "\xf0\x9f\xa6\x9c", 4);
    (void)make(k, "local/ann", name, secret);
    memcpy(name + sizeof(name) - 5, "a", 2);
    w = wish("local/ann", name);
    assert_not_made(k, &w, ERR_BADREQ);
    memset(name, 'a', APIKEY_NAME_MAX + 1);
    name[APIKEY_NAME_MAX + 1] = '\0';
    assert_not_made(k, &w, ERR_BADREQ);
    name[APIKEY_NAME_MAX] = '\0';
    (void)make(k, "local/ann", name, secret);

    w = wish("local/ann", "");
    w.limits.day_tokens = 0;
    assert_not_made(k, &w, ERR_BADREQ);
    w.limits.day_tokens = -2;
    assert_not_made(k, &w, ERR_BADREQ);
    w = wish("", "");
    assert_not_made(k, &w, ERR_FORBIDDEN);
    w = wish("anon/0123", "");
    assert_not_made(k, &w, ERR_FORBIDDEN);
    w = wish("local/ann", "");
    w.maker_may = MAY_READ;
    assert_not_made(k, &w, ERR_FORBIDDEN);
    apikeys_free(k);
}

static void
only_an_administrators_key_administers(void **state)
{
    struct accounts *a = *state;
    struct apikeys *k;
    struct apikey_wish w = wish("local/ann", "");
    char secret[APIKEY_SECRET_LEN + 1];
    struct apikey key;
    struct problem why;

    a->s = accounts_open(a->dir);
    k = apikeys_new(a->s);
    conf_override(CONF_ADMINS, "bob, ann");
    w.may = MAY_ALL;
    assert_not_made(k, &w, ERR_FORBIDDEN); /* its maker may less */
    w.maker_may = MAY_ALL;
    assert_int_equal(apikey_make(k, &w, secret, &key, &why), OK);
    assert_int_equal(find(k, secret, &key, &why), OK);
    assert_int_equal(key.may, MAY_ALL);
    conf_override(CONF_ADMINS, "bob");
    assert_not_made(k, &w, ERR_FORBIDDEN);
    assert_int_equal(find(k, secret, &key, &why), OK);
    assert_int_equal(key.may, MAY_USER);
    conf_override(CONF_ADMINS, "");
    apikeys_free(k);
}

/* --- how many ------------------------------------------------------------- */

static void
an_owner_has_so_many_keys(void **state)
{
    struct accounts *a = *state;
    struct apikeys *k;
    struct apikey_wish w = wish("local/ann", "");
    char secret[APIKEY_SECRET_LEN + 1];
    struct apikey key = {.id = ""};
    struct problem why;

    a->s = accounts_open(a->dir);
    k = apikeys_new(a->s);
    for (int i = 0; i < APIKEYS_MAX; i++)
        key = make(k, "local/ann", "", secret);
    assert_int_equal(apikey_make(k, &w, secret, &key, &why), ERR_LIMIT);
    assert_string_equal(why.code, "too_many_keys");
    assert_string_equal(secret, "");
    (void)make(k, "local/an", "", secret);
    (void)make(k, "local/anna", "", secret);
    assert_int_equal(apikey_revoke(k, "local/ann", key.id), OK);
    (void)make(k, "local/ann", "", secret);
    assert_not_made(k, &w, ERR_LIMIT);
    apikeys_free(k);
}

#define MAKERS 4

struct maker {
    pthread_t thread;
    struct apikeys *k;
    int made, refused;
};

static void *
make_many(void *arg)
{
    struct maker *m = arg;
    struct apikey_wish w = wish("local/ann", "");

    for (int i = 0; i < APIKEYS_MAX; i++) {
        char secret[APIKEY_SECRET_LEN + 1];
        struct apikey key, same;
        struct problem why;
        enum err e = apikey_make(m->k, &w, secret, &key, &why);

        if (e == OK && find(m->k, secret, &same, &why) == OK)
            m->made++;
        else if (e == ERR_LIMIT)
            m->refused++;
    }
    return NULL;
}

static void
many_at_once_do_not_get_one_too_many(void **state)
{
    struct accounts *a = *state;
    struct maker m[MAKERS] = {0};
    struct apikeys *k;
    int made = 0, refused = 0;

    a->s = accounts_open(a->dir);
    k = apikeys_new(a->s);
    for (int i = 0; i < MAKERS; i++) {
        m[i].k = k;
        assert_int_equal(pthread_create(&m[i].thread, NULL, make_many, &m[i]),
                         0);
    }
    for (int i = 0; i < MAKERS; i++) {
        assert_int_equal(pthread_join(m[i].thread, NULL), 0);
        made += m[i].made;
        refused += m[i].refused;
    }
    assert_int_equal(made, APIKEYS_MAX);
    assert_int_equal(refused, (MAKERS - 1) * APIKEYS_MAX);
    apikeys_free(k);
}

/* --- lists ---------------------------------------------------------------- */

struct listed {
    char ids[8][APIKEY_ID_LEN + 1];
    size_t n, stop_after;
};

static bool
list_add(void *arg, const struct apikey *key)
{
    struct listed *l = arg;

    assert_true(l->n < COUNT_OF(l->ids));
    (void)snprintf(l->ids[l->n++], sizeof(l->ids[0]), "%s", key->id);
    return l->n != l->stop_after;
}

static struct listed
list(struct apikeys *k, const char *owner, const char *after, uint32_t limit)
{
    struct listed l = {.n = 0};

    assert_int_equal(apikey_list(k, owner, after, limit, list_add, &l), OK);
    return l;
}

static void
keys_are_listed(void **state)
{
    struct accounts *a = *state;
    struct apikeys *k;
    struct apikey keys[3];
    struct listed l;
    char secret[APIKEY_SECRET_LEN + 1];

    a->s = accounts_open(a->dir);
    k = apikeys_new(a->s);
    assert_int_equal(list(k, "local/ann", NULL, 9).n, 0);
    assert_int_equal(list(k, NULL, NULL, 9).n, 0);
    keys[0] = make(k, "local/ann", "0", secret);
    keys[1] = make(k, "local/bob", "1", secret);
    do { /* until the clock has moved on: they are listed by age */
        keys[2] = make(k, "local/ann", "2", secret);
        if (keys[2].made_ms == keys[0].made_ms)
            assert_int_equal(apikey_revoke(k, NULL, keys[2].id), OK);
    } while (keys[2].made_ms == keys[0].made_ms);

    l = list(k, "local/ann", NULL, 9);
    assert_int_equal(l.n, 2);
    assert_string_equal(l.ids[0], keys[0].id);
    assert_string_equal(l.ids[1], keys[2].id);
    assert_int_equal(list(k, "local/ann", NULL, 1).n, 1);
    assert_int_equal(list(k, "local/an", NULL, 9).n, 0);
    assert_int_equal(list(k, NULL, NULL, 2).n, 2);
    l = list(k, NULL, NULL, 9);
    assert_int_equal(l.n, 3);
    assert_true(strcmp(l.ids[0], l.ids[1]) < 0);
    assert_true(strcmp(l.ids[1], l.ids[2]) < 0);
    assert_int_equal(list(k, NULL, l.ids[0], 9).n, 2);
    assert_int_equal(list(k, NULL, l.ids[2], 9).n, 0);
    l = (struct listed){.stop_after = 1};
    assert_int_equal(apikey_list(k, NULL, NULL, 9, list_add, &l), OK);
    assert_int_equal(l.n, 1);
    l = (struct listed){.stop_after = 1};
    assert_int_equal(apikey_list(k, "local/ann", NULL, 9, list_add, &l), OK);
    assert_int_equal(l.n, 1);
    apikeys_free(k);
}

/* --- use ------------------------------------------------------------------ */

static void
its_use_is_noted_once_in_a_while(void **state)
{
    struct accounts *a = *state;
    struct apikeys *k;
    char secret[APIKEY_SECRET_LEN + 1];
    struct apikey key;
    struct problem why;
    int64_t now_ms = clock_wall_ms();
    uint64_t ops;

    a->s = accounts_open(a->dir);
    k = apikeys_new(a->s);
    key = make(k, "local/ann", "", secret);
    assert_int_equal(key.used_ms, 0);
    assert_int_equal(apikey_find(k, secret, now_ms, &key, &why), OK);
    settle(a->s);
    assert_int_equal(apikey_get(k, NULL, key.id, &key), OK);
    assert_int_equal(key.used_ms, now_ms);

    ops = ops_of(a->s);
    for (int i = 0; i < 100; i++)
        assert_int_equal(
            apikey_find(k, secret, now_ms + APIKEY_TOUCH_MS - 1, &key, &why),
            OK);
    /* This process tried just now, so it does not try again. */
    assert_int_equal(
        apikey_find(k, secret, now_ms + APIKEY_TOUCH_MS, &key, &why), OK);
    settle(a->s);
    assert_int_equal(ops_of(a->s), ops + 1); /* the one that waited */
    apikeys_free(k);

    k = apikeys_new(a->s); /* as another one would */
    assert_int_equal(
        apikey_find(k, secret, now_ms + APIKEY_TOUCH_MS, &key, &why), OK);
    settle(a->s);
    assert_int_equal(apikey_get(k, "local/ann", key.id, &key), OK);
    assert_int_equal(key.used_ms, now_ms + APIKEY_TOUCH_MS);
    apikeys_free(k);
}

/* --- revoking ------------------------------------------------------------- */

static void
a_revoked_key_is_none(void **state)
{
    struct accounts *a = *state;
    struct apikeys *k;
    char secret[APIKEY_SECRET_LEN + 1];
    struct apikey key;
    struct problem why;

    a->s = accounts_open(a->dir);
    k = apikeys_new(a->s);
    key = make(k, "local/ann", "", secret);
    assert_int_equal(apikey_revoke(k, "local/bob", key.id), ERR_NOTFOUND);
    assert_int_equal(apikey_get(k, "local/bob", key.id, &key), ERR_NOTFOUND);
    assert_int_equal(apikey_revoke(k, "local/ann", "../../../x"), ERR_NOTFOUND);
    assert_int_equal(apikey_revoke(k, "local/ann", ""), ERR_NOTFOUND);
    /* The note of its use is on its way, and does not bring it back. */
    assert_int_equal(find(k, secret, &key, &why), OK);
    assert_int_equal(apikey_revoke(k, "local/ann", key.id), OK);
    assert_refused(k, secret, clock_wall_ms(), "invalid_key");
    settle(a->s);
    assert_refused(k, secret, clock_wall_ms(), "invalid_key");
    assert_int_equal(apikey_revoke(k, NULL, key.id), ERR_NOTFOUND);
    assert_int_equal(list(k, "local/ann", NULL, 9).n, 0);
    assert_int_equal(list(k, NULL, NULL, 9).n, 0);
    apikeys_free(k);
}

/* "find SECRET" or "revoke ID": its err. */
static int
other_keys(struct store *s, const char *line)
{
    struct apikeys *k = apikeys_new(s);
    struct apikey key;
    struct problem why;
    int e;

    if (strncmp(line, "find ", 5) == 0)
        e = (int)find(k, line + 5, &key, &why);
    else
        e = (int)apikey_revoke(k, NULL, line + 7);
    apikeys_free(k);
    return e;
}

static void
all_processes_know_at_once(void **state)
{
    struct accounts *a = *state;
    struct other o = other_start(a->dir, other_keys);
    struct apikeys *k;
    char secret[APIKEY_SECRET_LEN + 1], line[128];
    struct apikey key;
    struct problem why;

    a->s = accounts_open(a->dir);
    k = apikeys_new(a->s);
    for (int i = 0; i < 8; i++) {
        key = make(k, "local/ann", "", secret);
        (void)snprintf(line, sizeof(line), "find %s", secret);
        assert_int_equal(other_ask(&o, line), OK);
        assert_int_equal(find(k, secret, &key, &why), OK);
        if (i % 2 == 0) { /* we revoke, they know */
            assert_int_equal(apikey_revoke(k, NULL, key.id), OK);
            assert_int_equal(other_ask(&o, line), ERR_AUTH);
        } else { /* they revoke, we know */
            char revoke[64];

            (void)snprintf(revoke, sizeof(revoke), "revoke %s", key.id);
            assert_int_equal(other_ask(&o, revoke), OK);
            assert_refused(k, secret, clock_wall_ms(), "invalid_key");
        }
    }
    apikeys_free(k);
    other_end(&o);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_has_its_form_and_its_id),
        cmocka_unit_test(a_mistyped_secret_is_known_without_a_look),
        cmocka_unit_test(scopes_have_words),
        cmocka_unit_test(a_record_is_read_as_it_was_written),
        cmocka_unit_test(what_is_shown_of_a_key),
        ON_ACCOUNTS(a_key_that_was_made_is_found),
        ON_ACCOUNTS(the_store_has_no_secret),
        ON_ACCOUNTS(a_key_that_is_not_ours_is_refused),
        ON_ACCOUNTS(a_key_ends),
        ON_ACCOUNTS(what_cannot_be_is_not_made),
        ON_ACCOUNTS(only_an_administrators_key_administers),
        ON_ACCOUNTS(an_owner_has_so_many_keys),
        ON_ACCOUNTS(many_at_once_do_not_get_one_too_many),
        ON_ACCOUNTS(keys_are_listed),
        ON_ACCOUNTS(its_use_is_noted_once_in_a_while),
        ON_ACCOUNTS(a_revoked_key_is_none),
        ON_ACCOUNTS(all_processes_know_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
