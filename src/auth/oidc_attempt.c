/*
 * Attempts to sign in, as records. What is in a record is of no use without the
 * state and the cookie, of which it has digests alone. Each ends by being taken
 * (the one deletion that finds it there wins) or by time, which is the store's
 * affair.
 */
#include "base/base.h"

#include "auth/oidc_attempt.h"

#include "base/json.h"

#define NAME_MAX_LEN (DIGEST_NAME_LEN + 8)

void
oidc_attempt_write(struct buf *out, const struct oidc_attempt *a)
{
    struct json_out j;

    json_out_init(&j, out);
    json_begin_obj(&j);
    json_put_i64(&j, "v", 1);
    json_put_str(&j, "nonce", a->nonce);
    json_put_str(&j, "verifier", a->verifier);
    json_put_str(&j, "browser", a->browser);
    json_put_str(&j, "next", a->next);
    json_put_str(&j, "redirect_uri", a->redirect_uri);
    json_end_obj(&j);
}

static bool
get(const cJSON *o, const char *name, char *out, size_t size)
{
    const char *s = json_str(o, name);

    if (s == NULL || strlen(s) >= size)
        return false;
    memcpy(out, s, strlen(s) + 1);
    return true;
}

enum err
oidc_attempt_read(const char *p, size_t n, struct oidc_attempt *out)
{
    cJSON *o = NULL;
    bool good;

    memset(out, 0, sizeof(*out));
    if (json_parse(p, n, &o, NULL) != OK)
        return ERR_BADREQ;
    good = json_i64(o, "v", 0) == 1 &&
           get(o, "nonce", out->nonce, sizeof(out->nonce)) &&
           get(o, "verifier", out->verifier, sizeof(out->verifier)) &&
           get(o, "browser", out->browser, sizeof(out->browser)) &&
           get(o, "next", out->next, sizeof(out->next)) &&
           get(o, "redirect_uri", out->redirect_uri,
               sizeof(out->redirect_uri)) &&
           oidc_random_ok(out->nonce) && oidc_random_ok(out->verifier) &&
           strlen(out->browser) == DIGEST_NAME_LEN - 1;
    cJSON_Delete(o);
    return good ? OK : ERR_BADREQ;
}

/* The record of a state; returns the length of its name. */
static size_t
record_name(char out[NAME_MAX_LEN], const char *state)
{
    char hex[DIGEST_NAME_LEN];

    digest_name(hex, state, strlen(state));
    return (size_t)snprintf(out, NAME_MAX_LEN, "oidc/%s", hex);
}

enum err
oidc_attempt_begin(struct store *s, const struct oidc_attempt *a,
                   const char *state, int64_t now_ms)
{
    struct record_change c = {.expires_ms = now_ms + OIDC_ATTEMPT_MS,
                              .expect = RECORD_ABSENT};
    struct store_op op = {.kind = STORE_RECORDS,
                          .records = {.changes = &c, .n = 1}};
    char name[NAME_MAX_LEN];
    struct buf value;
    enum err e;

    buf_init(&value, STORE_RECORD_MAX);
    oidc_attempt_write(&value, a);
    c.name = name;
    c.n = record_name(name, state);
    c.value = value.data;
    c.len = value.len;
    e = buf_status(&value);
    if (e == OK)
        e = store_apply(s, &op);
    buf_release(&value);
    return e;
}

static enum err
over(struct problem *why)
{
    return problem_set(why, ERR_AUTH, "login_expired", "Signing in failed",
                       "It took too long, or was done before. Try again.");
}

/* Take the record away. ERR_CONFLICT: somebody else did. */
static enum err
end_record(struct store *s, const char *name, size_t n)
{
    struct record_change c = {.name = name, .n = n, .expect = RECORD_PRESENT};
    struct store_op op = {.kind = STORE_RECORDS,
                          .records = {.changes = &c, .n = 1}};

    return store_apply(s, &op);
}

enum err
oidc_attempt_take(struct store *s, const char *state, const char *browser,
                  struct oidc_attempt *out, struct problem *why)
{
    char name[NAME_MAX_LEN], hex[DIGEST_NAME_LEN];
    struct buf value;
    enum err e;
    size_t n;

    memset(out, 0, sizeof(*out));
    if (state == NULL || !oidc_random_ok(state))
        return over(why);
    n = record_name(name, state);
    buf_init(&value, STORE_RECORD_MAX);
    e = store_record(s, name, n, &value);
    if (e == OK)
        e = oidc_attempt_read(value.data, value.len, out);
    buf_release(&value);
    if (e == ERR_NOTFOUND || e == ERR_BADREQ)
        return over(why);
    if (e != OK)
        return problem_set(why, e, NULL, NULL, NULL);
    if (browser == NULL)
        browser = "";
    digest_name(hex, browser, strlen(browser));
    if (!digest_equal(hex, out->browser, DIGEST_NAME_LEN)) {
        memset(out, 0, sizeof(*out));
        return problem_set(why, ERR_AUTH, "login_foreign", "Signing in failed",
                           "It was begun in another browser. Try again.");
    }
    e = end_record(s, name, n);
    if (e == ERR_CONFLICT)
        return over(why);
    return e == OK ? OK : problem_set(why, e, NULL, NULL, NULL);
}
