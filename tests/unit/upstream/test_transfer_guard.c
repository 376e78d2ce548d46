/*
 * Tests of guarded transfers (upstream/transfer_watch.c, transfer_easy.c): who
 * is called decides at the connection, whatever the URL's check said. The
 * provider on 127.0.0.1 speaks no TLS; that it was connected to is enough.
 */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <signal.h>

#include "base/log.h"
#include "base/mem.h"
#include "fake_provider.h"
#include "upstream/transfer.h"

#define LIMIT_MS 20000
#define SILENT_MS 1500 /* https, to who answers nothing that is TLS */

static struct fake *fake;
static struct loop *loop;
static struct transfers *ts;
static int dones;
static enum transfer_end how;

static bool
answer(const struct fake_request *rq)
{
    fake_say(rq->fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    return true;
}

static void
on_done(void *arg, const struct transfer_result *r)
{
    (void)arg;
    dones++;
    how = r->end;
    loop_stop(loop);
}

static int
setup(void **state)
{
    (void)state;
    fake = fake_start(answer);
    loop = loop_new();
    ts = transfers_new(loop);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    transfers_free(ts);
    loop_free(loop);
    fake_stop(fake);
    return 0;
}

/* How a request ends that may go to addresses that are public, and to these;
 * GUARD_RESERVED: it is not guarded. */
static enum transfer_end
call_as(const char *scheme, const char *host, enum guard_class also, bool plain)
{
    static const struct transfer_calls calls = {.done = on_done};
    const int ms = strcmp(scheme, "https") == 0 ? SILENT_MS : LIMIT_MS;
    const struct transfer_limits limits = {ms, 0, 0, ms};
    struct upstream_request q;
    char url[64];

    upstream_request_init(&q, 16);
    (void)snprintf(url, sizeof(url), "%s://%s:%d/", scheme, host, fake->port);
    q.url = xstrdup(url);
    q.method = "GET";
    q.guarded = also != GUARD_RESERVED;
    q.guard_also = also;
    q.plain = plain;
    dones = 0;
    assert_non_null(transfer_start(ts, &q, &limits, &calls, NULL));
    loop_run(loop);
    assert_int_equal(dones, 1);
    return how;
}

static enum transfer_end
call(const char *scheme, const char *host, enum guard_class also)
{
    return call_as(scheme, host, also, false);
}

/* Of what is connected to, as the name may have led elsewhere before. */
static void
the_address_is_looked_at(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost", "0.0.0.0",
                                        "[::ffff:127.0.0.1]"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        assert_int_equal(call("https", hosts[i], GUARD_PUBLIC),
                         TRANSFER_FORBIDDEN);
        assert_int_equal(call("https", hosts[i], GUARD_PRIVATE),
                         TRANSFER_FORBIDDEN);
    }
    assert_int_equal(fake->accepted, 0);
}

static void
one_that_is_allowed_is_connected_to(void **state)
{
    (void)state;
    assert_int_equal(call("https", "127.0.0.1", GUARD_LOOPBACK),
                     TRANSFER_CONNECT);
    assert_int_equal(fake->accepted, 1);
    assert_int_equal(call("https", "localhost", GUARD_LOOPBACK),
                     TRANSFER_CONNECT);
    assert_int_equal(fake->accepted, 2);
}

static void
only_https_is_spoken(void **state)
{
    (void)state;
    assert_int_equal(call("http", "127.0.0.1", GUARD_RESERVED),
                     TRANSFER_COMPLETE);
    assert_int_equal(fake->accepted, 1);
    assert_int_not_equal(call("http", "127.0.0.1", GUARD_LOOPBACK),
                         TRANSFER_COMPLETE);
    assert_int_equal(fake->accepted, 1);
}

static void
a_plain_one_goes_to_the_loopback_alone(void **state)
{
    (void)state;
    assert_int_equal(call_as("http", "127.0.0.1", GUARD_PUBLIC, true),
                     TRANSFER_COMPLETE);
    assert_int_equal(call_as("http", "localhost", GUARD_PUBLIC, true),
                     TRANSFER_COMPLETE);
    assert_int_equal(fake->accepted, 2);
    assert_int_equal(call_as("http", "0.0.0.0", GUARD_UNSPECIFIED, true),
                     TRANSFER_FORBIDDEN);
    assert_int_equal(fake->accepted, 2);
}

static void
no_proxy_is_asked(void **state)
{
    char url[64];

    (void)state;
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d", fake->port);
    assert_int_equal(setenv("https_proxy", url, 1), 0);
    assert_int_not_equal(call("https", "127.0.0.2", GUARD_LOOPBACK),
                         TRANSFER_COMPLETE);
    assert_int_equal(fake->accepted, 0);
    assert_int_not_equal(call("https", "127.0.0.2", GUARD_RESERVED),
                         TRANSFER_COMPLETE);
    assert_int_equal(fake->accepted, 1); /* by others it is */
    assert_int_equal(unsetenv("https_proxy"), 0);
    assert_int_equal(setenv("http_proxy", url, 1), 0);
    assert_int_not_equal(call_as("http", "127.0.0.2", GUARD_LOOPBACK, true),
                         TRANSFER_COMPLETE);
    assert_int_equal(fake->accepted, 1);
    assert_int_equal(unsetenv("http_proxy"), 0);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    static const struct CMUnitTest tests[] = {
        TEST(the_address_is_looked_at),
        TEST(one_that_is_allowed_is_connected_to),
        TEST(only_https_is_spoken),
        TEST(a_plain_one_goes_to_the_loopback_alone),
        TEST(no_proxy_is_asked),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    for (const char *const *name =
             (const char *const[]){"http_proxy", "https_proxy", "HTTPS_PROXY",
                                   "all_proxy", "ALL_PROXY", "no_proxy",
                                   "NO_PROXY", NULL};
         *name != NULL; name++)
        (void)unsetenv(*name);
    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
