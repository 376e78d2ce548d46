/*
 * An OpenID provider in memory: what auth/fetch.h would bring over the net, for
 * tests that are linked with this instead of auth/fetch.c. It signs with a key
 * that is made for this run. What it says is a test's to change.
 */
#ifndef FAKE_PROVIDER_H
#define FAKE_PROVIDER_H

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <cjose/cjose.h>

#include "auth/fetch.h"
#include "base/json.h"

#define FAKE_ISSUER "https://login.example.com"
#define FAKE_CLIENT "client-1"
#define FAKE_FETCHER ((struct fetcher *)&fake) /* nobody looks into it */

/* What it says, and how often it was asked. */
static struct fake {
    const char *document; /* of discovery; NULL: the usual one */
    const char *userinfo; /* JSON; NULL: none */
    const char *tokens;   /* reply of the token endpoint; NULL: a good one */
    const char *access;   /* access token; NULL: none */
    const char *alg, *kid;
    cJSON *claims;            /* of the ID token */
    cjose_jwk_t *key, *shown; /* signs; is published */
    enum err fails;           /* what every fetch ends with */
    int token_status;
    int n_documents, n_tokens, n_userinfo, n_keys;
    char form[8192], header[2048], bearer[2048], last_url[2048];
} fake;

#define FAKE_DOCUMENT(more)                        \
    "{\"issuer\":\"" FAKE_ISSUER                   \
    "\",\"authorization_endpoint\":\"" FAKE_ISSUER \
    "/auth\",\"token_endpoint\":\"" FAKE_ISSUER    \
    "/token\",\"jwks_uri\":\"" FAKE_ISSUER "/jwks\"" more "}"
#define FAKE_USERINFO ",\"userinfo_endpoint\":\"" FAKE_ISSUER "/me\""

static inline cjose_jwk_t *
fake_key(const char *kid)
{
    cjose_err err;
    cjose_jwk_t *k = cjose_jwk_create_RSA_random(
        2048, (const uint8_t *)"\1\0\1", 3, &err);

    assert_non_null(k);
    assert_true(cjose_jwk_set_kid(k, kid, strlen(kid), &err));
    return k;
}

/* A compact token. */
static inline char *
fake_sign(void)
{
    char *text = cJSON_PrintUnformatted(fake.claims), *token;
    cjose_header_t *h = cjose_header_new(NULL);
    const char *compact = NULL;
    cjose_jws_t *jws;

    assert_true(cjose_header_set(h, "alg", fake.alg, NULL));
    assert_true(cjose_header_set(h, "kid", fake.kid, NULL));
    jws = cjose_jws_sign(fake.key, h, (const uint8_t *)text, strlen(text),
                         NULL);
    assert_non_null(jws);
    assert_true(cjose_jws_export(jws, &compact, NULL));
    token = strdup(compact);
    cjose_jws_release(jws);
    cjose_header_release(h);
    cJSON_free(text);
    return token;
}

static inline void
fake_say_tokens(struct buf *reply)
{
    char *token;

    if (fake.tokens != NULL) {
        buf_adds(reply, fake.tokens);
        return;
    }
    token = fake_sign();
    buf_addf(reply, "{\"token_type\":\"Bearer\",\"id_token\":\"%s\"", token);
    if (fake.access != NULL)
        buf_addf(reply, ",\"access_token\":\"%s\"", fake.access);
    buf_adds(reply, "}");
    free(token);
}

static inline void
fake_say_keys(struct buf *reply)
{
    char *json = cjose_jwk_to_json(fake.shown, false, NULL);

    buf_addf(reply, "{\"keys\":[%s]}", json);
    cjose_get_dealloc()(json);
}

static inline void
fake_note(const struct fetch_ask *ask)
{
    (void)snprintf(fake.last_url, sizeof(fake.last_url), "%s", ask->url);
    for (size_t i = 0; i < FETCH_HEADERS_MAX && ask->headers[i].name; i++)
        if (strcmp(ask->headers[i].name, "Authorization") == 0)
            (void)snprintf(fake.header, sizeof(fake.header), "%s",
                           ask->headers[i].value);
    assert_string_equal(ask->own, FAKE_ISSUER);
}

static inline enum err
fake_answer(const struct fetch_ask *ask, struct buf *reply, int *status,
            struct problem *why)
{
    const char *at = ask->url + strlen(FAKE_ISSUER);

    fake.header[0] = '\0';
    fake_note(ask);
    if (fake.fails != OK)
        return problem_set(why, fake.fails, "fetch_failed", NULL, NULL);
    *status = 200;
    if (strcmp(at, "/.well-known/openid-configuration") == 0) {
        fake.n_documents++;
        buf_adds(reply,
                 fake.document != NULL ? fake.document : FAKE_DOCUMENT(""));
    } else if (strcmp(at, "/token") == 0) {
        fake.n_tokens++;
        *status = fake.token_status;
        assert_true(ask->secret && ask->body_len < sizeof(fake.form));
        (void)snprintf(fake.form, sizeof(fake.form), "%.*s", (int)ask->body_len,
                       ask->body);
        fake_say_tokens(reply);
    } else if (strcmp(at, "/me") == 0) {
        fake.n_userinfo++;
        (void)snprintf(fake.bearer, sizeof(fake.bearer), "%s", fake.header);
        buf_adds(reply, fake.userinfo);
    } else {
        assert_string_equal(at, "/jwks");
        fake.n_keys++;
        fake_say_keys(reply);
    }
    return buf_status(reply);
}

/* --- in place of auth/fetch.c --------------------------------------------- */

enum err
fetch_wait(struct fetcher *f, const struct fetch_ask *ask, struct buf *reply,
           int *status, struct problem *why)
{
    (void)f;
    return fake_answer(ask, reply, status, why);
}

enum err
fetch_start(struct fetcher *f, const struct fetch_ask *ask, size_t reply_max,
            fetch_fn *fn, void *arg, struct problem *why)
{
    struct buf reply;
    int status = 0;
    enum err e;

    (void)f;
    buf_init(&reply, reply_max);
    e = fake_answer(ask, &reply, &status, why);
    fn(arg, e, status, buf_cstr(&reply), reply.len, why);
    buf_release(&reply);
    return OK;
}

/* Nothing ever has to be waited for. */
bool
fetch_place_take(struct fetcher *f)
{
    (void)f;
    return true;
}

void
fetch_place_leave(struct fetcher *f)
{
    (void)f;
}

/* --- for each test -------------------------------------------------------- */

static inline void
fake_reset(void)
{
    cjose_jwk_t *key = fake.key != NULL ? fake.key : fake_key("key-1");

    cJSON_Delete(fake.claims);
    memset(&fake, 0, sizeof(fake));
    fake.key = fake.shown = key;
    fake.alg = "RS256";
    fake.kid = "key-1";
    fake.token_status = 200;
    fake.claims = cJSON_CreateObject();
}

static inline void
fake_release(void)
{
    cJSON_Delete(fake.claims);
    cjose_jwk_release(fake.key);
    memset(&fake, 0, sizeof(fake));
}

#endif
