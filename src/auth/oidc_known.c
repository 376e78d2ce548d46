/*
 * What is known of a provider is shared by all threads: it is copied out under
 * the lock, and nobody holds the lock over a fetch. While one thread asks anew
 * the others use what there is. Sets of keys are never closed before the end,
 * as somebody may be looking into one: there is a new one only when the
 * provider moves its keys to another address.
 */
#include "base/base.h"

#include "auth/oidc_known.h"

#include <pthread.h>

#include "auth/fetch.h"
#include "auth/jwks.h"
#include "base/clock.h"
#include "base/mem.h"

#define KEY_SETS_MAX 8 /* addresses of keys in the life of a process */

struct key_set {
    char url[OIDC_URL_MAX + 1];
    struct jwks *jwks;
};

struct oidc_known {
    const char *issuer;      /* borrowed */
    struct fetcher *fetcher; /* borrowed */
    int64_t (*now_ms)(void); /* monotonic */
    pthread_mutex_t mu;      /* guards what follows */
    struct oidc_provider provider;
    int64_t known_ms, tried_ms; /* monotonic; 0: never */
    bool asking;
    struct problem last;               /* of the last discovery, if it failed */
    struct key_set sets[KEY_SETS_MAX]; /* the last one counts */
    size_t n_sets;
};

struct oidc_known *
oidc_known_new(const char *issuer, struct fetcher *f)
{
    struct oidc_known *k = xcalloc(1, sizeof(*k));

    k->issuer = issuer;
    k->fetcher = f;
    k->now_ms = clock_mono_ms;
    if (pthread_mutex_init(&k->mu, NULL) != 0)
        abort();
    return k;
}

void
oidc_known_clock(struct oidc_known *k, int64_t (*now_ms)(void))
{
    k->now_ms = now_ms;
}

void
oidc_known_free(struct oidc_known *k)
{
    if (k == NULL)
        return;
    for (size_t i = 0; i < k->n_sets; i++)
        jwks_close(k->sets[i].jwks);
    (void)pthread_mutex_destroy(&k->mu);
    free(k);
}

static enum err
discover(struct oidc_known *k, struct oidc_provider *out, struct problem *why)
{
    struct fetch_ask ask = {.method = "GET", .own = k->issuer};
    struct buf url, reply;
    int status = 0;
    enum err e;

    buf_init(&url, OIDC_LOCATION_MAX);
    oidc_discovery_url(&url, k->issuer);
    ask.url = buf_cstr(&url);
    ask.headers[0] = (struct fetch_header){"Accept", "application/json"};
    buf_init(&reply, OIDC_REPLY_MAX);
    e = fetch_wait(k->fetcher, &ask, &reply, &status, why);
    if (e == OK && status != 200)
        e = problem_set(why, ERR_UPSTREAM, "provider_failed",
                        "The OpenID provider cannot be used",
                        "Its openid-configuration answered with %d.", status);
    if (e == OK)
        e = oidc_discovery_read(k->issuer, reply.data, reply.len, out, why);
    buf_release(&reply);
    buf_release(&url);
    return e;
}

/* The keys' address may be a new one. Locked. */
static enum err
open_keys(struct oidc_known *k, const char *url, struct problem *why)
{
    struct key_set *set = &k->sets[k->n_sets];
    enum err e;

    if (k->n_sets > 0 && strcmp(set[-1].url, url) == 0)
        return OK;
    if (k->n_sets == KEY_SETS_MAX)
        return problem_set(why, ERR_UPSTREAM, "provider_failed",
                           "The OpenID provider cannot be used", "%s",
                           "Its jwks_uri changed too often.");
    e = jwks_open(&set->jwks, url, k->issuer, k->fetcher, why);
    if (e != OK)
        return e;
    jwks_clock(set->jwks, k->now_ms);
    memcpy(set->url, url, strlen(url) + 1);
    k->n_sets++;
    return OK;
}

/* Is what is known young enough? Locked. */
static bool
knows(const struct oidc_known *k, int64_t now_ms, int64_t age_ms)
{
    return k->known_ms != 0 && now_ms - k->known_ms < age_ms;
}

/* Ask the provider for its document; others do not meanwhile, if there is one
 * that is still good. Locked before and after. */
static enum err
renew(struct oidc_known *k, struct oidc_provider *got, struct problem *why)
{
    enum err e;

    k->asking = true;
    k->tried_ms = k->now_ms();
    (void)pthread_mutex_unlock(&k->mu);
    e = discover(k, got, why);
    (void)pthread_mutex_lock(&k->mu);
    k->asking = false;
    if (e == OK)
        e = open_keys(k, got->jwks, why);
    if (e == OK) {
        k->last.err = OK;
        k->provider = *got;
        k->known_ms = k->now_ms();
    } else if (e != ERR_BUSY && e != ERR_STOPPING) { /* these are ours */
        k->last = *why;
    }
    return e;
}

enum err
oidc_known_get(struct oidc_known *k, struct oidc_provider *out,
               struct jwks **keys, struct problem *why)
{
    int64_t now_ms = k->now_ms();
    enum err e = OK;
    bool waits, has;

    (void)pthread_mutex_lock(&k->mu);
    has = knows(k, now_ms, OIDC_OLD_MS);
    waits = k->tried_ms != 0 && now_ms - k->tried_ms < OIDC_RETRY_MS &&
            k->last.err != OK;
    if (!knows(k, now_ms, OIDC_AGE_MS) && !waits && !(has && k->asking))
        e = renew(k, out, why);
    else if (waits && !has)
        e = (*why = k->last).err;
    if (knows(k, now_ms, OIDC_OLD_MS)) {
        *out = k->provider;
        *keys = k->sets[k->n_sets - 1].jwks;
        e = why->err = OK;
    }
    (void)pthread_mutex_unlock(&k->mu);
    return e;
}

bool
oidc_known_peek(struct oidc_known *k, struct oidc_provider *out)
{
    bool has;

    (void)pthread_mutex_lock(&k->mu);
    has = knows(k, k->now_ms(), OIDC_OLD_MS);
    if (has)
        *out = k->provider;
    (void)pthread_mutex_unlock(&k->mu);
    return has;
}
