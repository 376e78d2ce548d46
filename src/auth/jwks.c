/*
 * Keys of an issuer, kept. What is kept is one set, replaced as a whole; who
 * uses it holds it, so that a refresh never waits for a check of a signature.
 *
 * The mutex is never held over I/O: a fetch is begun under the flag `fetching`
 * and its reply is read on the loop, a set of bounded size. The fetch holds
 * the keys as long as it may still tell them something.
 */
#include "base/base.h"

#include "auth/jwks.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/fetch.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#define WAIT_MS (FETCH_TOTAL_MS + 2000)
#define RETRY_S (JWKS_FIRST_MS / 1000)

struct jwks {
    char *place; /* owned; URL or path */
    char *own;   /* owned; a URL of the settings; NULL: place is */
    struct fetcher *fetcher;
    int64_t (*now_ms)(void); /* monotonic */
    bool is_file;
    pthread_mutex_t mu; /* guards what follows */
    pthread_cond_t fetched;
    int holders;         /* the owner and the fetch */
    struct jwk_set *set; /* held; NULL: none yet */
    int64_t born_ms;     /* of the set; monotonic */
    int64_t tried_ms;    /* when the last fetch or look began */
    bool tried;
    bool fetching;
    uint64_t n_fetches; /* that ended */
    struct stat seen;   /* of the file that the set is of */
};

/* --- life ----------------------------------------------------------------- */

static struct jwks *
jwks_new(const char *place, const char *own, struct fetcher *f)
{
    struct jwks *s = xcalloc(1, sizeof(*s));
    pthread_condattr_t attr;

    s->place = xstrdup(place);
    s->own = xstrdup(own);
    s->fetcher = f;
    s->now_ms = clock_mono_ms;
    s->is_file = !text_istarts(place, "https://") &&
                 !text_istarts(place, "http://");
    s->holders = 1;
    (void)pthread_mutex_init(&s->mu, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&s->fetched, &attr);
    (void)pthread_condattr_destroy(&attr);
    return s;
}

/* One holder less; with the mutex, which is given back. */
static void
drop(struct jwks *s)
{
    bool last = --s->holders == 0;

    (void)pthread_mutex_unlock(&s->mu);
    if (!last)
        return;
    jwk_set_drop(s->set);
    (void)pthread_cond_destroy(&s->fetched);
    (void)pthread_mutex_destroy(&s->mu);
    free(s->place);
    free(s->own);
    free(s);
}

void
jwks_close(struct jwks *s)
{
    if (s == NULL)
        return;
    (void)pthread_mutex_lock(&s->mu);
    drop(s);
}

/* A new set; under the mutex. */
static void
replace(struct jwks *s, struct jwk_set *set, size_t skipped)
{
    log_info("auth.keys", "count=%zu skipped=%zu", jwk_set_count(set), skipped);
    jwk_set_drop(s->set);
    s->set = set;
    s->born_ms = s->now_ms();
}

/* --- a file --------------------------------------------------------------- */

static enum err
read_all(int fd, struct buf *out)
{
    ssize_t n;

    while ((n = read(fd, out->data + out->len, out->max - out->len)) > 0)
        out->len += (size_t)n;
    return n == 0 && out->len < out->max ? OK : ERR_BADREQ;
}

static enum err
read_file(const char *path, struct buf *out, struct stat *st)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    enum err e = ERR_NOTFOUND;

    if (fd < 0)
        return e;
    if (fstat(fd, st) == 0 && S_ISREG(st->st_mode))
        e = read_all(fd, out);
    (void)close(fd);
    return e;
}

/* Its keys; does not touch the mutex. */
static enum err
load_file(const char *path, struct jwk_set **set, size_t *skipped,
          struct stat *st, struct problem *why)
{
    struct buf text;
    enum err e;

    buf_init(&text, JWK_SET_MAX + 1);
    IGNORE(buf_room(&text, JWK_SET_MAX + 1) == NULL);
    e = read_file(path, &text, st);
    if (e != OK)
        e = problem_set(why, ERR_BADREQ, "bad_jwks",
                        "The set of keys cannot be used",
                        "The file cannot be read, or is too long.");
    else
        e = jwk_set_parse(set, text.data, text.len, skipped, why);
    buf_release(&text);
    return e;
}

static bool
same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev &&
           a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
           a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Read the file again if it has changed; with the mutex, which is given back
 * while the file is read. A broken one leaves the keys as they are. */
static void
look(struct jwks *s)
{
    struct jwk_set *set = NULL;
    struct problem why;
    struct stat st;
    size_t skipped = 0;
    enum err e;

    if (s->fetching || s->now_ms() - s->tried_ms < JWKS_LOOK_MS)
        return;
    s->tried_ms = s->now_ms();
    if (stat(s->place, &st) != 0 || same_file(&st, &s->seen))
        return;
    s->fetching = true;
    (void)pthread_mutex_unlock(&s->mu);
    e = load_file(s->place, &set, &skipped, &st, &why);
    if (e != OK)
        log_warn("auth.keys", "reason=\"%s\"", LOG_TEXT(why.message));
    (void)pthread_mutex_lock(&s->mu);
    s->fetching = false;
    s->seen = st;
    if (e == OK)
        replace(s, set, skipped);
}

/* --- a URL ---------------------------------------------------------------- */

static void
on_fetched(void *arg, enum err e, int status, const char *body, size_t n,
           const struct problem *why)
{
    struct jwks *s = arg;
    struct jwk_set *set = NULL;
    struct problem bad = *why;
    size_t skipped = 0;

    if (e == OK && status != 200)
        e = problem_set(&bad, ERR_UPSTREAM, NULL, NULL, "It said %d.", status);
    if (e == OK)
        e = jwk_set_parse(&set, body, n, &skipped, &bad);
    if (e != OK)
        log_warn("auth.keys", "code=%s status=%d reason=\"%s\"", bad.code,
                 status, LOG_TEXT(bad.message));
    (void)pthread_mutex_lock(&s->mu);
    if (e == OK)
        replace(s, set, skipped);
    s->fetching = false;
    s->n_fetches++;
    (void)pthread_cond_broadcast(&s->fetched);
    drop(s);
}

/* Begin a fetch, unless the last one was a moment ago; with the mutex, which is
 * given back meanwhile. */
static void
begin(struct jwks *s)
{
    struct fetch_ask ask = {
        .method = "GET",
        .url = s->place,
        .own = s->own != NULL ? s->own : s->place,
        .headers = {{"Accept", "application/jwk-set+json, application/json"}},
    };
    struct problem why = {.err = OK};
    enum err e;

    if (s->fetching || s->fetcher == NULL ||
        (s->tried && s->now_ms() - s->tried_ms <
                         (s->set != NULL ? JWKS_RETRY_MS : JWKS_FIRST_MS)))
        return;
    s->fetching = true;
    s->tried = true;
    s->tried_ms = s->now_ms();
    s->holders++;
    (void)pthread_mutex_unlock(&s->mu);
    e = fetch_start(s->fetcher, &ask, JWK_SET_MAX, on_fetched, s, &why);
    if (e != OK)
        on_fetched(s, e, 0, "", 0, &why);
    (void)pthread_mutex_lock(&s->mu);
}

static bool
is_older(const struct jwks *s, int64_t ms)
{
    return s->set == NULL || s->now_ms() - s->born_ms >= ms;
}

/* Wait until the fetch under way has ended; with the mutex. false: too many
 * wait already, or it takes too long. */
static bool
wait_fetched(struct jwks *s)
{
    int64_t until_ms = clock_mono_ms() + WAIT_MS;
    struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};
    uint64_t n = s->n_fetches;
    int rc = 0;

    if (!fetch_place_take(s->fetcher))
        return false;
    while (s->n_fetches == n && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&s->fetched, &s->mu, &until);
    fetch_place_leave(s->fetcher);
    return s->n_fetches != n;
}

/* --- finding -------------------------------------------------------------- */

static const struct jwk *
find_now(const struct jwks *s, const char *kid, const char *alg)
{
    if (s->set == NULL || (!s->is_file && is_older(s, JWKS_OLD_MS)))
        return NULL;
    return jwk_set_find(s->set, kid, alg);
}

/* There is no such key, or there are no keys to look among. */
static enum err
not_found(const struct jwks *s, struct problem *why)
{
    if (s->set != NULL && (s->is_file || !is_older(s, JWKS_OLD_MS)))
        return problem_set(why, ERR_AUTH, "invalid_token",
                           "The token is not valid",
                           "No key of the issuer fits it.");
    (void)problem_set(why, ERR_BUSY, "keys_unavailable",
                      "Tokens cannot be checked now",
                      "The keys of the issuer cannot be had just now.");
    why->retry_after_s = RETRY_S;
    return ERR_BUSY;
}

/* The key, after a fetch if that may help; with the mutex. */
static enum err
find(struct jwks *s, const char *kid, const char *alg, bool no_wait,
     const struct jwk **key, struct problem *why)
{
    *key = find_now(s, kid, alg);
    if (s->is_file) {
        look(s);
        *key = find_now(s, kid, alg);
    } else if (*key == NULL || is_older(s, JWKS_AGE_MS)) {
        begin(s);
        *key = find_now(s, kid, alg); /* the set may be another by now */
        if (*key == NULL && s->fetching) {
            if (no_wait)
                return ERR_AGAIN;
            if (!wait_fetched(s)) {
                (void)problem_set(why, ERR_BUSY, "keys_unavailable",
                                  "Tokens cannot be checked now", NULL);
                why->retry_after_s = RETRY_S;
                return ERR_BUSY;
            }
            *key = find_now(s, kid, alg);
        }
    }
    return *key != NULL ? OK : not_found(s, why);
}

enum err
jwks_find(struct jwks *s, const char *kid, const char *alg, bool no_wait,
          const struct jwk **key, struct jwk_set **set, struct problem *why)
{
    enum err e;

    *key = NULL;
    *set = NULL;
    (void)pthread_mutex_lock(&s->mu);
    e = find(s, kid, alg, no_wait, key, why);
    if (e == OK)
        *set = jwk_set_hold(s->set);
    (void)pthread_mutex_unlock(&s->mu);
    return e;
}

/* --- opening -------------------------------------------------------------- */

enum err
jwks_open(struct jwks **out, const char *place, const char *own,
          struct fetcher *f, struct problem *why)
{
    struct jwks *s = jwks_new(place, own, f);
    struct jwk_set *set = NULL;
    size_t skipped = 0;
    enum err e = OK;

    *out = NULL;
    if (!s->is_file)
        e = own == NULL ? fetch_own_check(place, why) : OK;
    else if (own == NULL)
        e = load_file(place, &set, &skipped, &s->seen, why);
    else /* a reply names no file of ours */
        e = problem_set(why, ERR_BADREQ, "invalid_url", "The URL is not valid",
                        "It begins with https://.");
    (void)pthread_mutex_lock(&s->mu);
    if (e != OK) {
        drop(s);
        return e;
    }
    if (set != NULL)
        replace(s, set, skipped);
    (void)pthread_mutex_unlock(&s->mu);
    *out = s;
    return OK;
}

void
jwks_clock(struct jwks *s, int64_t (*now_ms)(void))
{
    s->now_ms = now_ms;
}
