/*
 * Tests of auth/fetch.c: threads that wait for replies, with a real loop and a
 * server on 127.0.0.1, and how they are told when the loop ends.
 */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <semaphore.h>
#include <signal.h>

#include "../upstream/fake_provider.h"
#include "auth/fetch.h"
#include "base/log.h"
#include "upstream/transfer.h"

static struct fake *fake;
static struct loop *loop;
static struct transfers *ts;
static struct fetcher *f;
static pthread_t loop_thread;
static bool loop_runs;
static sem_t go; /* what /held waits for */
static atomic_int n_held;
static char seen[1024]; /* head and body of the request for /token */

/* --- the server ----------------------------------------------------------- */

static bool
answer(const struct fake_request *rq)
{
    char long_body[5000];

    if (strcmp(rq->path, "/held") == 0) {
        n_held++;
        while (sem_wait(&go) != 0)
            continue;
    }
    if (strcmp(rq->path, "/cut") == 0) {
        fake_say(rq->fd, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal");
        return false;
    }
    if (strcmp(rq->path, "/gone") == 0)
        return false;
    if (strcmp(rq->path, "/garbage") == 0) {
        fake_say(rq->fd, "hello\r\n\r\n");
        return false;
    }
    if (strcmp(rq->path, "/long") == 0) {
        memset(long_body, 'x', sizeof(long_body));
        fake_say(rq->fd, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
                 sizeof(long_body));
        fake_send(rq->fd, long_body, sizeof(long_body));
        return true;
    }
    if (strcmp(rq->path, "/away") == 0) {
        fake_say(rq->fd, "HTTP/1.1 302 Found\r\nLocation: /\r\n"
                         "Content-Length: 4\r\n\r\naway");
        return true;
    }
    if (strcmp(rq->path, "/no") == 0) {
        fake_say(rq->fd, "HTTP/1.1 400 No\r\nContent-Length: 2\r\n\r\nno");
        return true;
    }
    if (strcmp(rq->path, "/token") == 0)
        (void)snprintf(seen, sizeof(seen), "%s", rq->head);
    fake_say(rq->fd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    return true;
}

/* --- the loop ------------------------------------------------------------- */

static void *
run_loop(void *arg)
{
    (void)arg;
    loop_run(loop);
    return NULL;
}

static void
on_stop(struct mail *m)
{
    (void)m;
    loop_stop(loop);
}

static void
start_loop(void)
{
    assert_int_equal(pthread_create(&loop_thread, NULL, run_loop, NULL), 0);
    loop_runs = true;
}

static void
end_loop(void)
{
    static struct mail m;

    memset(&m, 0, sizeof(m));
    m.fn = on_stop;
    loop_post(loop, &m);
    assert_int_equal(pthread_join(loop_thread, NULL), 0);
    loop_runs = false;
}

static int
setup(void **state)
{
    (void)state;
    fake = fake_start(answer);
    loop = loop_new();
    ts = transfers_new(loop);
    f = fetcher_new(loop, ts);
    n_held = 0;
    (void)sem_init(&go, 0, 0);
    start_loop();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    if (loop_runs)
        end_loop();
    fetcher_free(f);
    loop_drop_mail(loop);
    transfers_free(ts);
    loop_free(loop);
    for (int i = 0; i < 20; i++)
        (void)sem_post(&go);
    fake_stop(fake);
    (void)sem_destroy(&go);
    return 0;
}

/* --- asking --------------------------------------------------------------- */

struct got {
    enum err e;
    int status;
    char text[64];
    struct problem why;
};

static void
get(struct got *g, const char *path, size_t max)
{
    char url[128];
    struct fetch_ask ask = {.method = "GET", .url = url, .own = url};
    struct buf reply;

    memset(g, 0, sizeof(*g));
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", fake->port, path);
    buf_init(&reply, max);
    g->e = fetch_wait(f, &ask, &reply, &g->status, &g->why);
    (void)snprintf(g->text, sizeof(g->text), "%s", buf_cstr(&reply));
    buf_release(&reply);
    assert_int_equal(g->why.err, g->e);
}

struct waiter {
    pthread_t thread;
    struct got got;
};

static void *
wait_for_it(void *arg)
{
    struct waiter *w = arg;

    get(&w->got, "/held", 100);
    return NULL;
}

/* One thread more that waits for what does not come. */
static void
begin_wait(struct waiter *w)
{
    int before = n_held;

    assert_int_equal(pthread_create(&w->thread, NULL, wait_for_it, w), 0);
    while (n_held == before)
        fake_sleep_ms(1);
}

static void
end_wait(struct waiter *w, enum err want)
{
    assert_int_equal(pthread_join(w->thread, NULL), 0);
    assert_int_equal(w->got.e, want);
}

/* --- tests ---------------------------------------------------------------- */

static void
a_reply_comes_whole(void **state)
{
    struct got g;

    (void)state;
    get(&g, "/", 100);
    assert_int_equal(g.e, OK);
    assert_int_equal(g.status, 200);
    assert_string_equal(g.text, "hello");
    get(&g, "/no", 100);
    assert_int_equal(g.e, OK);
    assert_int_equal(g.status, 400);
    assert_string_equal(g.text, "no");
}

static void
a_form_is_posted(void **state)
{
    char url[128];
    struct fetch_ask ask = {
        .method = "POST",
        .url = url,
        .own = url,
        .headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                    {"Authorization", "Basic YTpi"}},
        .body = "grant_type=x&code=y",
        .body_len = 19,
        .secret = true,
    };
    struct problem why;
    struct buf reply;
    int status = 0;

    (void)state;
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/token", fake->port);
    buf_init(&reply, 100);
    assert_int_equal(fetch_wait(f, &ask, &reply, &status, &why), OK);
    assert_int_equal(status, 200);
    buf_release(&reply);
    assert_non_null(strstr(seen, "POST /token HTTP/1.1\r\n"));
    assert_non_null(strstr(seen, "Authorization: Basic YTpi\r\n"));
    assert_non_null(strstr(seen, "\r\n\r\ngrant_type=x&code=y"));
}

static void
redirects_are_not_followed(void **state)
{
    struct got g;

    (void)state;
    get(&g, "/away", 100);
    assert_int_equal(g.e, OK);
    assert_int_equal(g.status, 302);
    assert_int_equal(fake->accepted, 1);
}

static void
what_is_no_whole_reply_fails(void **state)
{
    static const char *const paths[] = {"/cut", "/gone", "/garbage", "/long"};
    struct got g;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        get(&g, paths[i], 4999);
        if (g.e != ERR_UPSTREAM)
            fail_msg("%s: %s", paths[i], err_code(g.e));
        assert_string_equal(g.why.code, "fetch_failed");
        assert_string_equal(g.text, "");
    }
    get(&g, "/long", 5000);
    assert_int_equal(g.e, OK);
}

static void
addresses_of_replies_are_guarded(void **state)
{
    struct fetch_ask ask = {.method = "GET"};
    struct problem why;
    struct buf reply;
    char url[64];
    int status;

    (void)state;
    buf_init(&reply, 100);
    ask.url = "https://127.0.0.1/";
    assert_int_equal(fetch_wait(f, &ask, &reply, &status, &why), ERR_FORBIDDEN);
    /* A name that is not on its face what it leads to; over http, too. */
    (void)snprintf(url, sizeof(url), "https://127.0.0.1.:%d/", fake->port);
    ask.url = url;
    assert_int_not_equal(fetch_wait(f, &ask, &reply, &status, &why), OK);
    assert_int_equal(fake->accepted, 0);
    buf_release(&reply);
}

static void
only_few_threads_wait(void **state)
{
    struct waiter w[FETCH_WAITING_MAX];
    struct got g;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(w); i++)
        begin_wait(&w[i]);
    get(&g, "/", 100);
    assert_int_equal(g.e, ERR_BUSY);
    assert_true(g.why.retry_after_s > 0);
    for (size_t i = 0; i < COUNT_OF(w); i++)
        (void)sem_post(&go);
    for (size_t i = 0; i < COUNT_OF(w); i++)
        end_wait(&w[i], OK);
    get(&g, "/", 100);
    assert_int_equal(g.e, OK);
}

static atomic_int n_told;
static atomic_int last_told;

static void
on_told(void *arg, enum err e, int status, const char *body, size_t n,
        const struct problem *why)
{
    (void)arg;
    (void)status;
    (void)body;
    (void)n;
    assert_int_equal(why->err, e);
    last_told = (int)e;
    n_told++;
}

static enum err
start(const char *path)
{
    char url[128];
    struct fetch_ask ask = {.method = "GET", .url = url, .own = url};
    struct problem why = {.err = OK};

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", fake->port, path);
    return fetch_start(f, &ask, 100, on_told, NULL, &why);
}

static void
only_few_fetches_run_at_once(void **state)
{
    (void)state;
    n_told = 0;
    for (int i = 0; i < FETCH_AT_ONCE_MAX; i++)
        assert_int_equal(start("/held"), OK);
    assert_int_equal(start("/"), ERR_BUSY);
    for (int i = 0; i < FETCH_AT_ONCE_MAX; i++)
        (void)sem_post(&go);
    while (n_told < FETCH_AT_ONCE_MAX)
        fake_sleep_ms(1);
    assert_int_equal(last_told, OK);
    assert_int_equal(start("/"), OK);
    while (n_told <= FETCH_AT_ONCE_MAX)
        fake_sleep_ms(1);
}

static void
who_waits_is_told_when_it_is_stopped(void **state)
{
    struct waiter w;
    struct got g;

    (void)state;
    begin_wait(&w);
    end_loop();
    fetcher_stop(f);
    end_wait(&w, ERR_STOPPING);
    get(&g, "/", 100);
    assert_int_equal(g.e, ERR_STOPPING);
    fetcher_stop(f); /* twice is fine */
}

/* Whose letters nobody reads. */
static void
what_the_loop_never_saw_is_told(void **state)
{
    (void)state;
    n_told = 0;
    end_loop();
    assert_int_equal(start("/"), OK);
    assert_int_equal(start("/"), OK);
    assert_int_equal(n_told, 0);
    fetcher_stop(f);
    assert_int_equal(n_told, 2);
    assert_int_equal(last_told, ERR_STOPPING);
    assert_int_equal(start("/"), ERR_STOPPING);
    loop_drop_mail(loop);
    assert_int_equal(n_told, 2);
    assert_int_equal(fake->accepted, 0);
}

static void
what_the_loop_drops_is_told(void **state)
{
    (void)state;
    n_told = 0;
    end_loop();
    assert_int_equal(start("/"), OK);
    loop_drop_mail(loop);
    assert_int_equal(n_told, 1);
    assert_int_equal(last_told, ERR_STOPPING);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_reply_comes_whole),
        TEST(a_form_is_posted),
        TEST(redirects_are_not_followed),
        TEST(what_is_no_whole_reply_fails),
        TEST(addresses_of_replies_are_guarded),
        TEST(only_few_threads_wait),
        TEST(only_few_fetches_run_at_once),
        TEST(who_waits_is_told_when_it_is_stopped),
        TEST(what_the_loop_never_saw_is_told),
        TEST(what_the_loop_drops_is_told),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
