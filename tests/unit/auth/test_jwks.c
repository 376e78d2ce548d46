/*
 * Tests of auth/jwks.c. Fetches are this file's: the linker takes them in place
 * of auth/fetch.c's, so that an issuer answers when and what a test wants. The
 * clock is, too. Files are real.
 */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "auth/fetch.h"
#include "auth/jwks.h"
#include "jwt_vectors.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#define URL "https://issuer.example/keys"
#define EC_NAMED(kid)                                                   \
    "{\"keys\":[{\"kty\":\"EC\",\"kid\":\"" kid "\",\"crv\":\"P-256\"," \
    "\"x\":\"" RFC_A3_X "\",\"y\":\"" RFC_A3_Y "\"}]}"

/* --- the outside ---------------------------------------------------------- */

static struct {
    pthread_mutex_t mu;
    int n;
    fetch_fn *fn; /* of the one that is under way */
    void *arg;
    char url[128], own[128];
    enum err refuse; /* instead of beginning one */
} net = {.mu = PTHREAD_MUTEX_INITIALIZER};

static _Atomic int64_t now_ms;

static int64_t
now(void)
{
    return now_ms;
}

enum err
fetch_start(struct fetcher *f, const struct fetch_ask *ask, size_t reply_max,
            fetch_fn *fn, void *arg, struct problem *why)
{
    enum err e;

    (void)f;
    (void)pthread_mutex_lock(&net.mu);
    assert_int_equal(reply_max, JWK_SET_MAX);
    assert_string_equal(ask->method, "GET");
    assert_null(ask->body);
    net.n++;
    (void)snprintf(net.url, sizeof(net.url), "%s", ask->url);
    (void)snprintf(net.own, sizeof(net.own), "%s", ask->own);
    e = net.refuse;
    if (e == OK) {
        assert_null(net.fn);
        net.fn = fn;
        net.arg = arg;
    }
    (void)pthread_mutex_unlock(&net.mu);
    return e == OK ? OK : problem_set(why, e, NULL, NULL, NULL);
}

static atomic_uint n_waiting;

bool
fetch_place_take(struct fetcher *f)
{
    (void)f;
    if (atomic_fetch_add(&n_waiting, 1) < FETCH_WAITING_MAX)
        return true;
    (void)atomic_fetch_sub(&n_waiting, 1);
    return false;
}

void
fetch_place_leave(struct fetcher *f)
{
    (void)f;
    (void)atomic_fetch_sub(&n_waiting, 1);
}

static int
fetches(void)
{
    int n;

    (void)pthread_mutex_lock(&net.mu);
    n = net.n;
    (void)pthread_mutex_unlock(&net.mu);
    return n;
}

/* End the fetch that is under way. */
static void
answer(enum err e, int status, const char *body)
{
    struct problem why = {.err = OK};
    fetch_fn *fn;
    void *arg;

    (void)pthread_mutex_lock(&net.mu);
    fn = net.fn;
    arg = net.arg;
    net.fn = NULL;
    (void)pthread_mutex_unlock(&net.mu);
    assert_non_null(fn);
    if (e != OK)
        (void)problem_set(&why, e, NULL, NULL, NULL);
    fn(arg, e, status, body, strlen(body), &why);
}

/* --- the inside ----------------------------------------------------------- */

static struct jwks *keys;
static struct problem why;

static struct fetcher *
some_fetcher(void)
{
    static char c;

    return (struct fetcher *)(void *)&c; /* never looked into */
}

/* Is there a key of this name? */
static enum err
find(const char *kid)
{
    const struct jwk *key;
    struct jwk_set *set;
    enum err e;

    memset(&why, 0, sizeof(why));
    e = jwks_find(keys, kid, "ES256", true, &key, &set, &why);
    assert_true((e == OK) == (key != NULL && set != NULL));
    if (e == OK)
        assert_ptr_equal(jwk_set_find(set, kid, "ES256"), key);
    jwk_set_drop(set);
    return e;
}

static int
setup(void **state)
{
    (void)state;
    net.n = 0;
    net.refuse = OK;
    now_ms = 1000;
    assert_int_equal(jwks_open(&keys, URL, NULL, some_fetcher(), &why), OK);
    jwks_clock(keys, now);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    if (net.fn != NULL)
        answer(ERR_STOPPING, 0, "");
    jwks_close(keys);
    return 0;
}

/* The keys are there. */
static void
fetched(const char *text)
{
    assert_int_equal(find("a"), ERR_AGAIN);
    answer(OK, 200, text);
    assert_int_equal(find("a"), OK);
}

/* --- a URL ---------------------------------------------------------------- */

static void
keys_are_fetched_when_the_first_is_wanted(void **state)
{
    (void)state;
    assert_int_equal(fetches(), 0);
    assert_int_equal(find("a"), ERR_AGAIN);
    assert_int_equal(find("b"), ERR_AGAIN); /* the same request */
    assert_int_equal(fetches(), 1);
    assert_string_equal(net.url, URL);
    assert_string_equal(net.own, URL);
    answer(OK, 200, EC_NAMED("a"));
    assert_int_equal(find("a"), OK);
    assert_int_equal(find("b"), ERR_AUTH);
    assert_string_equal(why.code, "invalid_token");
    assert_int_equal(fetches(), 1);
}

static void
an_unknown_name_has_them_fetched_again_but_not_often(void **state)
{
    (void)state;
    fetched(EC_NAMED("a"));
    for (int i = 0; i < 100; i++)
        assert_int_equal(find("b"), ERR_AUTH);
    assert_int_equal(fetches(), 1);
    now_ms += JWKS_RETRY_MS - 1;
    assert_int_equal(find("b"), ERR_AUTH);
    assert_int_equal(fetches(), 1);
    now_ms++;
    assert_int_equal(find("b"), ERR_AGAIN);
    assert_int_equal(find("a"), OK); /* who has a key does not wait */
    assert_int_equal(fetches(), 2);
    answer(OK, 200, EC_NAMED("b"));
    assert_int_equal(find("b"), OK);
    assert_int_equal(find("a"), ERR_AUTH); /* rotated */
    assert_int_equal(fetches(), 2);
}

static void
old_keys_serve_while_new_ones_come(void **state)
{
    (void)state;
    fetched(EC_NAMED("a"));
    now_ms += JWKS_AGE_MS - 1;
    assert_int_equal(find("a"), OK);
    assert_int_equal(fetches(), 1);
    now_ms++;
    assert_int_equal(find("a"), OK);
    assert_int_equal(find("a"), OK);
    assert_int_equal(fetches(), 2);
    answer(OK, 200, EC_NAMED("b"));
    assert_int_equal(find("a"), ERR_AUTH);
    assert_int_equal(find("b"), OK);
}

static void
a_failed_fetch_leaves_the_old_keys(void **state)
{
    static const struct {
        enum err e;
        int status;
        const char *body;
    } rows[] = {
        {ERR_UPSTREAM, 0, ""},
        {ERR_TIMEOUT, 0, ""},
        {OK, 500, EC_NAMED("b")},
        {OK, 404, ""},
        {OK, 302, EC_NAMED("b")},
        {OK, 204, ""},
        {OK, 200, ""},
        {OK, 200, "<html>"},
        {OK, 200, "{\"keys\":[]}"},
        {OK, 200,
         "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"b\",\"k\":\"AAAA\"}]}"},
    };

    (void)state;
    fetched(EC_NAMED("a"));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        now_ms += JWKS_AGE_MS;
        assert_int_equal(find("a"), OK);
        answer(rows[i].e, rows[i].status, rows[i].body);
        assert_int_equal(find("a"), OK);
        assert_int_equal(find("b"), ERR_AUTH);
        assert_int_equal(fetches(), 2 + (int)i);
    }
}

static void
keys_that_nobody_confirmed_for_a_day_are_not_used(void **state)
{
    (void)state;
    fetched(EC_NAMED("a"));
    now_ms += JWKS_OLD_MS;
    assert_int_equal(find("a"), ERR_AGAIN);
    answer(ERR_UPSTREAM, 0, "");
    assert_int_equal(find("a"), ERR_BUSY);
    assert_string_equal(why.code, "keys_unavailable");
    assert_true(why.retry_after_s > 0);
    now_ms += JWKS_RETRY_MS;
    assert_int_equal(find("a"), ERR_AGAIN);
    answer(OK, 200, EC_NAMED("a"));
    assert_int_equal(find("a"), OK);
}

static void
without_any_keys_it_is_tried_again_soon(void **state)
{
    (void)state;
    assert_int_equal(find("a"), ERR_AGAIN);
    answer(ERR_UPSTREAM, 0, "");
    assert_int_equal(find("a"), ERR_BUSY);
    now_ms += JWKS_FIRST_MS - 1;
    assert_int_equal(find("a"), ERR_BUSY);
    assert_int_equal(fetches(), 1);
    now_ms++;
    net.refuse = ERR_BUSY; /* it cannot even be begun */
    assert_int_equal(find("a"), ERR_BUSY);
    assert_int_equal(fetches(), 2);
    net.refuse = OK;
    now_ms += JWKS_FIRST_MS;
    assert_int_equal(find("a"), ERR_AGAIN);
    answer(OK, 200, EC_NAMED("a"));
    assert_int_equal(find("a"), OK);
}

static void
keys_may_be_closed_while_they_are_fetched(void **state)
{
    (void)state;
    assert_int_equal(find("a"), ERR_AGAIN);
    jwks_close(keys);
    answer(OK, 200, EC_NAMED("a"));
    assert_int_equal(jwks_open(&keys, URL, NULL, some_fetcher(), &why), OK);
}

/* --- threads that wait ---------------------------------------------------- */

static enum err
find_and_wait(const char *kid)
{
    const struct jwk *key;
    struct jwk_set *set;
    struct problem its;
    enum err e = jwks_find(keys, kid, "ES256", false, &key, &set, &its);

    if (e == OK && !jwk_verify(key, "ES256", RFC_A3, strlen(RFC_A3), 64))
        e = ERR_INTERNAL;
    jwk_set_drop(set);
    return e;
}

static void *
waiter(void *arg)
{
    *(enum err *)arg = find_and_wait("a");
    return NULL;
}

static void
threads_share_one_fetch_and_few_wait(void **state)
{
    enum err ends[FETCH_WAITING_MAX + 2];
    pthread_t threads[COUNT_OF(ends)];
    int n_ok = 0, n_busy = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        ends[i] = ERR__MAX;
        assert_int_equal(pthread_create(&threads[i], NULL, waiter, &ends[i]),
                         0);
    }
    while (fetches() == 0) /* begun by whoever was first */
        (void)sched_yield();
    /* Whoever comes after the answer finds the keys, so that this pause only
     * makes it likelier that the others wait. */
    (void)usleep(50000);
    answer(OK, 200, EC_NAMED("a"));
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        n_ok += ends[i] == OK;
        n_busy += ends[i] == ERR_BUSY;
    }
    assert_int_equal(n_waiting, 0);
    assert_int_equal(n_ok + n_busy, COUNT_OF(ends));
    assert_true(n_ok >= FETCH_WAITING_MAX);
    assert_int_equal(fetches(), 1);
}

static atomic_bool stop;

static void *
reader(void *arg)
{
    size_t *n = arg;

    while (!stop)
        if (find_and_wait("a") == OK)
            ++*n;
    return NULL;
}

static void
keys_are_replaced_while_threads_use_them(void **state)
{
    pthread_t threads[2];
    size_t n[2] = {0, 0};

    (void)state;
    fetched(EC_NAMED("a"));
    stop = false;
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, reader, &n[i]), 0);
    for (int i = 0; i < 20; i++) {
        int before = fetches();

        now_ms += JWKS_AGE_MS;
        while (fetches() == before)
            (void)sched_yield();
        answer(OK, 200, i % 3 == 0 ? RFC_JWKS : EC_NAMED("a"));
        if (i % 3 == 0) { /* without "a": they have it fetched again */
            now_ms += JWKS_RETRY_MS;
            while (fetches() == before + 1)
                (void)sched_yield();
            answer(OK, 200, EC_NAMED("a"));
        }
    }
    stop = true;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(n[i] > 0);
    }
}

/* --- what is opened ------------------------------------------------------- */

static void
only_good_places_are_opened(void **state)
{
    struct jwks *s;

    (void)state;
    assert_int_equal(
        jwks_open(&s, "http://issuer.example/", NULL, some_fetcher(), &why),
        ERR_BADREQ);
    assert_null(s);
    assert_int_equal(jwks_open(&s, "https://a:b@issuer.example/", NULL,
                               some_fetcher(), &why),
                     ERR_BADREQ);
    assert_int_equal(jwks_open(&s, "/etc/hostname", URL, some_fetcher(), &why),
                     ERR_BADREQ);
    assert_int_equal(jwks_open(&s, "/nonexistent", NULL, NULL, &why),
                     ERR_BADREQ);
    assert_int_equal(jwks_open(&s, "/dev/zero", NULL, NULL, &why), ERR_BADREQ);
    assert_int_equal(jwks_open(&s, "/", NULL, NULL, &why), ERR_BADREQ);
    assert_int_equal(
        jwks_open(&s, "http://127.0.0.1:81/k", NULL, some_fetcher(), &why), OK);
    jwks_close(s);
    assert_int_equal(
        jwks_open(&s, "https://other.example/k", URL, some_fetcher(), &why),
        OK);
    jwks_close(s);
    jwks_close(NULL);
}

/* --- a file --------------------------------------------------------------- */

static char path[] = "/tmp/test_jwks.XXXXXX";

static void
write_file(const char *text)
{
    char beside[sizeof(path) + 4];
    FILE *f;

    (void)snprintf(beside, sizeof(beside), "%s.new", path);
    f = fopen(beside, "we");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(rename(beside, path), 0);
}

static void
a_file_is_read_again_when_it_changed(void **state)
{
    struct jwks *url = keys;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(jwks_open(&keys, path, NULL, NULL, &why), ERR_BADREQ);
    write_file(EC_NAMED("a"));
    assert_int_equal(jwks_open(&keys, path, NULL, NULL, &why), OK);
    jwks_clock(keys, now);
    assert_int_equal(find("a"), OK);
    assert_int_equal(find("b"), ERR_AUTH);
    write_file(EC_NAMED("b"));
    now_ms += JWKS_LOOK_MS;
    assert_int_equal(find("b"), OK);
    assert_int_equal(find("a"), ERR_AUTH);
    write_file("{\"keys\":["); /* broken: the old ones stay */
    now_ms += JWKS_LOOK_MS;
    assert_int_equal(find("b"), OK);
    assert_int_equal(unlink(path), 0);
    now_ms += JWKS_OLD_MS + JWKS_LOOK_MS; /* a file's keys do not age */
    assert_int_equal(find("b"), OK);
    write_file(EC_NAMED("c"));
    now_ms += JWKS_LOOK_MS;
    assert_int_equal(find("c"), OK);
    assert_int_equal(fetches(), 0);
    assert_int_equal(unlink(path), 0);
    jwks_close(keys);
    keys = url;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(keys_are_fetched_when_the_first_is_wanted),
        TEST(an_unknown_name_has_them_fetched_again_but_not_often),
        TEST(old_keys_serve_while_new_ones_come),
        TEST(a_failed_fetch_leaves_the_old_keys),
        TEST(keys_that_nobody_confirmed_for_a_day_are_not_used),
        TEST(without_any_keys_it_is_tried_again_soon),
        TEST(keys_may_be_closed_while_they_are_fetched),
        TEST(threads_share_one_fetch_and_few_wait),
        TEST(keys_are_replaced_while_threads_use_them),
        TEST(only_good_places_are_opened),
        TEST(a_file_is_read_again_when_it_changed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
