/* Tests of auth/limit.c: buckets, in one process and in four. */
#include "base/base.h"

#include <sys/wait.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <unistd.h>

#include "auth/limit.h"

#define NOW INT64_C(5000000)
#define PROCESSES 4
#define TRIES 50 /* of each process */

struct world {
    char dir[64], path[128];
    struct limit *l;
};

static int
set_up(void **state)
{
    static struct world w;

    (void)snprintf(w.dir, sizeof(w.dir), "/tmp/parley-limit-XXXXXX");
    if (mkdtemp(w.dir) == NULL)
        return -1;
    (void)snprintf(w.path, sizeof(w.path), "%s/limits", w.dir);
    w.l = limit_open(w.path);
    *state = &w;
    return limit_shared(w.l) ? 0 : -1;
}

static int
tear_down(void **state)
{
    struct world *w = *state;

    limit_close(w->l);
    (void)unlink(w->path);
    return rmdir(w->dir);
}

static enum err
take(struct world *w, const char *name, const struct limit_rate *r,
     int64_t now_ms)
{
    return limit_take(w->l, LIMIT_USER, name, r, now_ms, NULL);
}

static void
a_bucket_is_full_at_first_and_gains_evenly(void **state)
{
    const struct limit_rate r = {.count = 60, .per_ms = 60000, .burst = 5};
    struct limit_left left;

    for (unsigned i = 5; i > 0; i--) {
        assert_int_equal(limit_take(((struct world *)*state)->l, LIMIT_USER,
                                    "ann", &r, NOW, &left),
                         OK);
        assert_true(left.limited);
        assert_int_equal(left.limit, 5);
        assert_int_equal(left.remaining, i - 1);
        assert_int_equal(left.full_ms, 1000 * (6 - i));
    }
    assert_int_equal(left.retry_ms, 1000);
    assert_int_equal(take(*state, "ann", &r, NOW + 999), ERR_LIMIT);
    assert_int_equal(take(*state, "ann", &r, NOW + 1000), OK);
    assert_int_equal(take(*state, "ann", &r, NOW + 1000), ERR_LIMIT);
    assert_int_equal(take(*state, "bob", &r, NOW + 1000), OK);
    for (int i = 0; i < 5; i++) /* no more than the burst, however long */
        assert_int_equal(take(*state, "ann", &r, NOW + 1000000), OK);
    assert_int_equal(take(*state, "ann", &r, NOW + 1000000), ERR_LIMIT);
}

static void
kinds_do_not_share_names(void **state)
{
    struct world *w = *state;
    const struct limit_rate r = limit_per_minute(1);

    for (int kind = 0; kind < LIMIT_KIND__MAX; kind++) {
        assert_int_equal(
            limit_take(w->l, (enum limit_kind)kind, "x", &r, NOW, NULL), OK);
        assert_int_equal(
            limit_take(w->l, (enum limit_kind)kind, "x", &r, NOW, NULL),
            ERR_LIMIT);
    }
}

static void
zero_is_no_limit(void **state)
{
    struct world *w = *state;
    const struct limit_rate r = limit_per_minute(0);
    struct limit_left left;

    for (int i = 0; i < 1000; i++)
        assert_int_equal(limit_take(w->l, LIMIT_IP, "x", &r, NOW, &left), OK);
    assert_false(left.limited);
    limit_give(w->l, LIMIT_IP, "x", &r, NOW);
}

static void
giving_puts_back(void **state)
{
    struct world *w = *state;
    const struct limit_rate r = limit_per_minute(2);
    struct limit_left left;

    assert_int_equal(take(w, "ann", &r, NOW), OK);
    assert_int_equal(take(w, "ann", &r, NOW), OK);
    assert_int_equal(limit_take(w->l, LIMIT_USER, "ann", &r, NOW, &left),
                     ERR_LIMIT);
    assert_int_equal(left.remaining, 0);
    assert_int_equal(left.retry_ms, 30000);
    limit_give(w->l, LIMIT_USER, "ann", &r, NOW);
    assert_int_equal(take(w, "ann", &r, NOW), OK);
    for (int i = 0; i < 5; i++) /* never more than full */
        limit_give(w->l, LIMIT_USER, "ann", &r, NOW);
    assert_int_equal(take(w, "ann", &r, NOW), OK);
    assert_int_equal(take(w, "ann", &r, NOW), OK);
    assert_int_equal(take(w, "ann", &r, NOW), ERR_LIMIT);
}

static void
large_rates_are_still_exact(void **state)
{
    static const int64_t counts[] = {1, 7, 59, 61, 1000, 60001, 100000};
    char name[32];

    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        const struct limit_rate r = limit_per_minute(counts[i]);
        int64_t got = 0;

        (void)snprintf(name, sizeof(name), "u%zu", i);
        while (take(*state, name, &r, NOW) == OK)
            got++;
        assert_int_equal(got, counts[i]);
        /* a minute later it is full again, but for what division cut off */
        while (take(*state, name, &r, NOW + 60001) == OK)
            got++;
        assert_int_equal(got, 2 * counts[i]);
    }
}

static void
a_rate_that_was_made_smaller_counts_at_once(void **state)
{
    struct limit_rate r = limit_per_minute(1);
    struct limit_left left;
    struct world *w = *state;

    r.per_ms = 86400000; /* one a day, and it is taken */
    assert_int_equal(take(w, "ann", &r, NOW), OK);
    r = limit_per_minute(60);
    assert_int_equal(limit_take(w->l, LIMIT_USER, "ann", &r, NOW, &left),
                     ERR_LIMIT);
    assert_int_equal(left.retry_ms, 1000);
    assert_int_equal(take(w, "ann", &r, NOW + 1000), OK);
    assert_int_equal(take(w, "ann", &r, NOW - 500000), ERR_LIMIT);
    assert_int_equal(take(w, "ann", &r, NOW - 500000 + 1001), OK);
}

/* How many of TRIES pass, as the exit status. */
static int
child(const char *path, const struct limit_rate *r)
{
    struct limit *l = limit_open(path);
    int passed = 0;

    if (!limit_shared(l))
        return 255;
    for (int i = 0; i < TRIES; i++)
        if (limit_take(l, LIMIT_USER, "ann", r, NOW, NULL) == OK)
            passed++;
    limit_close(l);
    return passed;
}

static void
of_four_processes_exactly_so_many_pass(void **state)
{
    struct world *w = *state;
    const struct limit_rate r = limit_per_minute(37);
    pid_t pids[PROCESSES];
    int passed = 0;

    for (size_t i = 0; i < PROCESSES; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            _exit(child(w->path, &r));
        assert_true(pids[i] > 0);
    }
    for (size_t i = 0; i < PROCESSES; i++) {
        int status;

        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 255);
        passed += WEXITSTATUS(status);
    }
    assert_int_equal(passed, 37);
    assert_int_equal(take(w, "ann", &r, NOW), ERR_LIMIT);
}

static void
addresses_are_written_in_one_way(void **state)
{
    static const struct {
        const char *addr, *out;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"::FFFF:c000:0201", "192.0.2.1"},
        {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
        {"2001:0DB8:0001:0002::", "2001:db8:1:2::/64"},
        {"::1", "::/64"},
        {"", ""},
        {"unix", "unix"},
        {"192.0.2.01x", "192.0.2.01x"},
    };
    char out[LIMIT_ADDR_MAX], many[200];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        limit_address(out, cases[i].addr);
        assert_string_equal(out, cases[i].out);
    }
    memset(many, 'x', sizeof(many) - 1);
    many[sizeof(many) - 1] = '\0';
    limit_address(out, many);
    assert_int_equal(strlen(out), LIMIT_ADDR_MAX - 1);
}

int
main(void)
{
#define ONE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ONE(a_bucket_is_full_at_first_and_gains_evenly),
        ONE(kinds_do_not_share_names),
        ONE(zero_is_no_limit),
        ONE(giving_puts_back),
        ONE(large_rates_are_still_exact),
        ONE(a_rate_that_was_made_smaller_counts_at_once),
        ONE(of_four_processes_exactly_so_many_pass),
        ONE(addresses_are_written_in_one_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
