/*
 * The price of passwords. A hash costs a core for a tenth of a second or more,
 * and megabytes, so who may compute one is counted.
 *
 * A computation is a flight: who asks the same while it is in the air waits
 * for it and gets its result, right or wrong. Others take off while there is
 * room, or wait for room if not too many do already; else they are told to
 * come back. So however many ask, some threads stay free for other requests.
 *
 * A question is known here only as its HMAC under a key of this process. Right
 * ones are remembered in a small table, so that a client that sends its
 * password with every request pays once a minute. crypt(3)'s work area is on
 * the heap (it is 32 KiB) and overwritten after use.
 *
 * One mutex guards all; nothing is computed under it.
 */
#include "base/base.h"

#include "auth/verify.h"

#include <crypt.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/ident.h"
#include "base/log.h"
#include "base/mem.h"

#define KNOWN_SETS 128 /* of two questions each */

struct known {
    uint8_t mac[DIGEST_LEN];
    int64_t until_ms; /* monotonic; 0: none */
};

/* One hash that is being computed; freed by who does it. */
struct flight {
    struct flight *next;
    uint8_t mac[DIGEST_LEN];
    unsigned aboard; /* who waits for it */
    bool landed;
    enum err result;
};

struct verify {
    uint8_t key[DIGEST_LEN]; /* of the MACs; constant */
    unsigned may_compute, may_wait;
    pthread_mutex_t mu;     /* guards what follows */
    pthread_cond_t changed; /* a flight landed, or somebody left it */
    unsigned computing, waiting;
    struct flight *flights;
    struct known known[KNOWN_SETS][2];
};

struct verify *
verify_new(unsigned threads)
{
    struct verify *v = xcalloc(1, sizeof(*v));
    pthread_condattr_t attr;

    ident_random(v->key, sizeof(v->key));
    v->may_compute = threads > 1 ? threads / 2 : 1;
    if (threads > v->may_compute + 1)
        v->may_wait = threads - v->may_compute - 1;
    (void)pthread_mutex_init(&v->mu, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&v->changed, &attr);
    (void)pthread_condattr_destroy(&attr);
    return v;
}

void
verify_free(struct verify *v)
{
    if (v == NULL)
        return;
    assert(v->flights == NULL && v->waiting == 0);
    (void)pthread_cond_destroy(&v->changed);
    (void)pthread_mutex_destroy(&v->mu);
    explicit_bzero(v, sizeof(*v));
    free(v);
}

/* --- what was right ----------------------------------------------------- */

static void
ask_mac(const struct verify *v, const struct verify_ask *ask,
        uint8_t mac[DIGEST_LEN])
{
    uint8_t all[2 * DIGEST_LEN + sizeof(ask->generation)];

    digest_hmac(all, v->key, sizeof(v->key), ask->user, strlen(ask->user));
    digest_hmac(all + DIGEST_LEN, v->key, sizeof(v->key), ask->password,
                strlen(ask->password));
    memcpy(all + 2 * DIGEST_LEN, &ask->generation, sizeof(ask->generation));
    digest_hmac(mac, v->key, sizeof(v->key), all, sizeof(all));
    explicit_bzero(all, sizeof(all));
}

/* Under mu. */
static bool
is_known(const struct verify *v, const uint8_t mac[DIGEST_LEN])
{
    const struct known *set = v->known[mac[0] % KNOWN_SETS];
    int64_t now_ms = clock_mono_ms();

    for (size_t i = 0; i < 2; i++)
        if (set[i].until_ms > now_ms &&
            digest_equal(set[i].mac, mac, DIGEST_LEN))
            return true;
    return false;
}

/* Under mu. */
static void
make_known(struct verify *v, const uint8_t mac[DIGEST_LEN])
{
    struct known *set = v->known[mac[0] % KNOWN_SETS];
    struct known *k = set[0].until_ms <= set[1].until_ms ? &set[0] : &set[1];

    memcpy(k->mac, mac, DIGEST_LEN);
    k->until_ms = clock_mono_ms() + VERIFY_KNOWN_MS;
}

/* --- flights ------------------------------------------------------------ */

/* What crypt(3) makes of the password, compared in constant time. */
static enum err
compute(const char *password, const char *hash)
{
    struct crypt_data *data = xcalloc(1, sizeof(*data));
    const char *got = crypt_rn(password, hash, data, sizeof(*data));
    enum err e = ERR_AUTH;

    if (got == NULL) {
        int errnum = errno;

        log_error("verify.crypt", "error=\"%s\"", strerror(errnum));
        if (errnum == ENOMEM)
            e = ERR_BUSY; /* yescrypt takes megabytes */
    } else if (strlen(got) == strlen(hash) &&
               digest_equal(got, hash, strlen(hash)))
        e = OK;
    explicit_bzero(data, sizeof(*data));
    free(data);
    return e;
}

/* Under mu: wait for a change. False: it took too long. */
static bool
wait_for(struct verify *v, int64_t until_ms)
{
    struct timespec t = {.tv_sec = until_ms / 1000,
                         .tv_nsec = until_ms % 1000 * 1000000};

    return pthread_cond_timedwait(&v->changed, &v->mu, &t) != ETIMEDOUT;
}

static struct flight *
flight_find(const struct verify *v, const uint8_t mac[DIGEST_LEN])
{
    struct flight *f = v->flights;

    while (f != NULL && !digest_equal(f->mac, mac, DIGEST_LEN))
        f = f->next;
    return f;
}

static void
flight_remove(struct verify *v, const struct flight *f)
{
    struct flight **at = &v->flights;

    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
}

/* Under mu: wait for another's result. It stays until all are off board. */
static enum err
go_along(struct verify *v, struct flight *f, int64_t until_ms)
{
    bool in_time = true;
    enum err e;

    f->aboard++;
    while (!f->landed && in_time)
        in_time = wait_for(v, until_ms);
    e = f->landed ? f->result : ERR_BUSY;
    if (--f->aboard == 0)
        pthread_cond_broadcast(&v->changed);
    return e;
}

/* Under mu, which is left while the hash is computed. */
static enum err
fly(struct verify *v, const struct verify_ask *ask,
    const uint8_t mac[DIGEST_LEN])
{
    struct flight *f = xcalloc(1, sizeof(*f));
    enum err e;

    f->next = v->flights;
    memcpy(f->mac, mac, sizeof(f->mac));
    v->flights = f;
    v->computing++;
    pthread_mutex_unlock(&v->mu);
    e = compute(ask->password, ask->hash);
    pthread_mutex_lock(&v->mu);
    if (e == OK && ask->never)
        e = ERR_AUTH;
    if (e == OK)
        make_known(v, mac);
    v->computing--;
    f->result = e;
    f->landed = true;
    flight_remove(v, f);
    pthread_cond_broadcast(&v->changed);
    while (f->aboard > 0)
        pthread_cond_wait(&v->changed, &v->mu);
    free(f);
    return e;
}

/* --- questions ---------------------------------------------------------- */

/* Under mu. */
static enum err
check(struct verify *v, const struct verify_ask *ask,
      const uint8_t mac[DIGEST_LEN])
{
    int64_t until_ms = clock_mono_ms() + VERIFY_WAIT_MS;
    bool in_time = true;

    for (;;) {
        struct flight *f;

        if (is_known(v, mac))
            return OK;
        f = flight_find(v, mac);
        if (f != NULL)
            return go_along(v, f, until_ms);
        if (v->computing < v->may_compute)
            return fly(v, ask, mac);
        if (!in_time || v->waiting >= v->may_wait)
            return ERR_BUSY;
        v->waiting++;
        in_time = wait_for(v, until_ms);
        v->waiting--;
    }
}

enum err
verify_check(struct verify *v, const struct verify_ask *ask)
{
    uint8_t mac[DIGEST_LEN];
    enum err e;

    ask_mac(v, ask, mac);
    pthread_mutex_lock(&v->mu);
    e = check(v, ask, mac);
    pthread_mutex_unlock(&v->mu);
    return e;
}

bool
verify_known(struct verify *v, const struct verify_ask *ask)
{
    uint8_t mac[DIGEST_LEN];
    bool known;

    ask_mac(v, ask, mac);
    pthread_mutex_lock(&v->mu);
    known = is_known(v, mac);
    pthread_mutex_unlock(&v->mu);
    return known;
}
