/* Tests of auth/oidc_attempt.c, with the store under it. */
#include "base/base.h"

#include "auth/oidc_attempt.h"

#include <pthread.h>

#include "accounts_test.h"

static struct oidc_attempt
attempt(const char *browser)
{
    struct oidc_attempt a = {.next = "/below/?x=y#z",
                             .redirect_uri = "https://chat.example.com/cb"};

    oidc_random(a.nonce);
    oidc_random(a.verifier);
    digest_name(a.browser, browser, strlen(browser));
    return a;
}

static void
assert_not_taken(struct store *s, const char *state, const char *browser,
                 const char *code)
{
    static const struct oidc_attempt none;
    struct problem why = {.err = OK};
    struct oidc_attempt out;

    assert_int_equal(oidc_attempt_take(s, state, browser, &out, &why),
                     ERR_AUTH);
    assert_string_equal(why.code, code);
    assert_true(strcmp(code, "login_foreign") != 0 ||
                memcmp(&out, &none, sizeof(out)) == 0);
}

static void
an_attempt_is_taken_once(void **state)
{
    struct accounts *a = *state;
    struct oidc_attempt in = attempt("browser"), out;
    char key[OIDC_RANDOM_LEN + 1], other[OIDC_RANDOM_LEN + 1];
    struct problem why = {.err = OK};

    a->s = accounts_open(a->dir);
    oidc_random(key);
    oidc_random(other);
    assert_int_equal(oidc_attempt_begin(a->s, &in, key, clock_wall_ms()), OK);
    assert_not_taken(a->s, other, "browser", "login_expired");
    assert_not_taken(a->s, NULL, "browser", "login_expired");
    assert_not_taken(a->s, "", "browser", "login_expired");
    assert_not_taken(a->s, "../x", "browser", "login_expired");
    assert_int_equal(oidc_attempt_take(a->s, key, "browser", &out, &why), OK);
    assert_string_equal(out.nonce, in.nonce);
    assert_string_equal(out.verifier, in.verifier);
    assert_string_equal(out.next, in.next);
    assert_string_equal(out.redirect_uri, in.redirect_uri);
    assert_not_taken(a->s, key, "browser", "login_expired");
}

static void
another_browser_does_not_take_it(void **state)
{
    struct accounts *a = *state;
    struct oidc_attempt in = attempt("browser"), out;
    char key[OIDC_RANDOM_LEN + 1];
    struct problem why = {.err = OK};

    a->s = accounts_open(a->dir);
    oidc_random(key);
    assert_int_equal(oidc_attempt_begin(a->s, &in, key, clock_wall_ms()), OK);
    assert_not_taken(a->s, key, "another", "login_foreign");
    assert_not_taken(a->s, key, NULL, "login_foreign");
    assert_not_taken(a->s, key, "", "login_foreign");
    assert_int_equal(oidc_attempt_take(a->s, key, "browser", &out, &why), OK);
}

static void
it_is_over_after_its_time(void **state)
{
    struct accounts *a = *state;
    struct oidc_attempt in = attempt("browser");
    char key[OIDC_RANDOM_LEN + 1];

    a->s = accounts_open(a->dir);
    oidc_random(key);
    assert_int_equal(oidc_attempt_begin(a->s, &in, key,
                                        clock_wall_ms() - OIDC_ATTEMPT_MS - 1),
                     OK);
    assert_not_taken(a->s, key, "browser", "login_expired");
}

/* What the store has opens nothing: neither the state nor the cookie. */
static bool
tells_nothing(void *arg, const char *name, size_t n, const char *value,
              size_t len)
{
    const char **secret = arg;

    for (size_t i = 0; i < 2; i++) {
        assert_null(memmem(name, n, secret[i], strlen(secret[i])));
        assert_null(memmem(value, len, secret[i], strlen(secret[i])));
    }
    secret[2] = NULL;
    return true;
}

static void
the_record_does_not_tell_the_state(void **state)
{
    struct accounts *a = *state;
    struct oidc_attempt in = attempt("the browser's cookie");
    char key[OIDC_RANDOM_LEN + 1];
    const char *secret[3] = {key, "the browser's cookie", "not seen yet"};

    a->s = accounts_open(a->dir);
    oidc_random(key);
    assert_int_equal(oidc_attempt_begin(a->s, &in, key, clock_wall_ms()), OK);
    assert_int_equal(
        store_records(a->s, "oidc/", 5, NULL, 0, 10, tells_nothing, secret),
        OK);
    assert_null(secret[2]);
}

#define RACERS 4
struct race {
    struct store *s;
    const char *key;
    int won[RACERS];
    pthread_t threads[RACERS];
};
struct racer {
    struct race *race;
    int *won;
};

static void *
run(void *arg)
{
    struct racer *r = arg;
    struct problem why = {.err = OK};
    struct oidc_attempt out;

    *r->won = oidc_attempt_take(r->race->s, r->race->key, "browser", &out,
                                &why) == OK;
    return NULL;
}

static void
of_many_one_takes_it(void **state)
{
    struct accounts *a = *state;
    struct oidc_attempt in = attempt("browser");
    char key[OIDC_RANDOM_LEN + 1];
    struct racer racers[RACERS];
    struct race race = {.key = key};
    int won = 0;

    race.s = a->s = accounts_open(a->dir);
    for (int round = 0; round < 10; round++, won = 0) {
        oidc_random(key);
        assert_int_equal(oidc_attempt_begin(a->s, &in, key, clock_wall_ms()),
                         OK);
        for (size_t i = 0; i < RACERS; i++) {
            racers[i] = (struct racer){&race, &race.won[i]};
            assert_int_equal(
                pthread_create(&race.threads[i], NULL, run, &racers[i]), 0);
        }
        for (size_t i = 0; i < RACERS; i++) {
            assert_int_equal(pthread_join(race.threads[i], NULL), 0);
            won += race.won[i];
        }
        assert_int_equal(won, 1);
    }
}

static void
the_longest_one_fits(void **state)
{
    struct accounts *a = *state;
    struct oidc_attempt in = attempt("browser"), out;
    char key[OIDC_RANDOM_LEN + 1];
    struct problem why = {.err = OK};

    a->s = accounts_open(a->dir);
    memset(in.next, '&', OIDC_NEXT_MAX);
    memset(in.redirect_uri, 'x', OIDC_URL_MAX);
    oidc_random(key);
    assert_int_equal(oidc_attempt_begin(a->s, &in, key, clock_wall_ms()), OK);
    assert_int_equal(oidc_attempt_take(a->s, key, "browser", &out, &why), OK);
    assert_memory_equal(&in, &out, sizeof(in));
}

#define HEX "0123456789abcdef0123456789abcdef"
#define NONCE "0123456789012345678901234567890123456789012"

static void
a_record_of_another_make_is_none(void **state)
{
    static const char *const bad[] = {
        "",
        "{}",
        "[]",
        "{\"v\":2,\"nonce\":\"" NONCE "\",\"verifier\":\"" NONCE
        "\",\"browser\":\"" HEX "\",\"next\":\"/\",\"redirect_uri\":\"x\"}",
        "{\"v\":1,\"nonce\":\"\",\"verifier\":\"" NONCE "\",\"browser\":\"" HEX
        "\",\"next\":\"/\",\"redirect_uri\":\"x\"}",
        "{\"v\":1,\"nonce\":\"" NONCE "\",\"verifier\":\"" NONCE
        "\",\"browser\":\"\",\"next\":\"/\",\"redirect_uri\":\"x\"}",
        "{\"v\":1,\"nonce\":\"" NONCE "\",\"verifier\":\"" NONCE
        "\",\"browser\":\"" HEX "\",\"redirect_uri\":\"x\"}",
    };
    static const char good[] = "{\"v\":1,\"nonce\":\"" NONCE
                               "\",\"verifier\":\"" NONCE
                               "\",\"browser\":\"" HEX
                               "\",\"next\":\"/\",\"redirect_uri\":\"x\"}";
    struct oidc_attempt out;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(oidc_attempt_read(bad[i], strlen(bad[i]), &out),
                         ERR_BADREQ);
    assert_int_equal(oidc_attempt_read(good, strlen(good), &out), OK);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        ON_ACCOUNTS(an_attempt_is_taken_once),
        ON_ACCOUNTS(another_browser_does_not_take_it),
        ON_ACCOUNTS(it_is_over_after_its_time),
        ON_ACCOUNTS(the_record_does_not_tell_the_state),
        ON_ACCOUNTS(of_many_one_takes_it),
        ON_ACCOUNTS(the_longest_one_fits),
        cmocka_unit_test(a_record_of_another_make_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
