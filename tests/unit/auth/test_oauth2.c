/*
 * Tests of auth/oauth2.c. Its clock and its transfers are this file's: the
 * linker takes them in place of base/loop.c's and upstream/transfer.c's, so a
 * token server answers when and what a test wants, and nothing waits.
 */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "auth/oauth2.h"
#include "base/mem.h"

#define LATER_MS 200000000 /* nothing is kept that long */
#define HOSTS "auth.example.com, 127.0.0.1:8443, localhost"
#define URL "https://auth.example.com/token"
#define GOOD(life)                                         \
    "{\"access_token\":\"t-1\",\"token_type\":\"Bearer\"," \
    "\"expires_in\":" #life "}"

/* --- the outside ---------------------------------------------------------- */

struct transfer {
    struct upstream_request q;
    struct transfer_limits lim;
    struct transfer_calls calls;
    void *arg;
    bool over; /* done or cancelled */
};

static struct transfer transfers[100];
static size_t n_transfers;
static int64_t now_ms;
static bool refuses; /* the next transfer */

int64_t
loop_now_ms(const struct loop *l)
{
    (void)l;
    return now_ms;
}

struct transfer *
transfer_start(struct transfers *ts, struct upstream_request *q,
               const struct transfer_limits *lim,
               const struct transfer_calls *calls, void *arg)
{
    struct transfer *t = &transfers[n_transfers];

    (void)ts;
    assert_true(n_transfers < COUNT_OF(transfers));
    *t = (struct transfer){*q, *lim, *calls, arg, false};
    upstream_request_init(q, q->body.max);
    if (refuses) {
        upstream_request_release(&t->q);
        return NULL;
    }
    n_transfers++;
    return t;
}

void
transfer_cancel(struct transfer *t)
{
    if (t != NULL)
        t->over = true;
}

/* The newest one's reply. */
static void
reply(int status, const char *body)
{
    struct transfer *t = &transfers[n_transfers - 1];
    struct upstream_head head = {.status = status};
    struct transfer_result r = {TRANSFER_COMPLETE, &head,
                                status >= 400 ? body : "",
                                status >= 400 ? strlen(body) : 0, ""};

    assert_false(t->over);
    t->calls.head(t->arg, &head);
    for (const char *p = body; status < 400 && *p != '\0' && !t->over; p++)
        t->calls.data(t->arg, p, 1);
    if (t->over)
        return;
    t->over = true;
    t->calls.done(t->arg, &r);
}

static void
end(enum transfer_end how)
{
    struct transfer *t = &transfers[n_transfers - 1];
    struct transfer_result r = {how, NULL, "", 0, "because"};

    assert_false(t->over);
    t->over = true;
    t->calls.done(t->arg, &r);
}

/* --- the inside ----------------------------------------------------------- */

static struct credentials_box *box;
static struct oauth2 *o;
static int n_told;

struct told {
    struct oauth2_wait w; /* first */
    int times;
    char token[64]; /* "" : why says why */
    struct problem why;
    struct told *then_cancel; /* when it is told */
};

static void
on_told(struct oauth2_wait *w, const char *token, const struct problem *why)
{
    struct told *t = w->arg;

    t->times++;
    n_told++;
    assert_true((token == NULL) != (why == NULL));
    (void)snprintf(t->token, sizeof(t->token), "%s",
                   token != NULL ? token : "");
    if (why != NULL)
        t->why = *why;
    if (t->then_cancel != NULL)
        oauth2_wait_cancel(&t->then_cancel->w);
}

static struct credentials *
login(const char *secret)
{
    struct credentials *c = credentials_new(CREDENTIALS_OAUTH2);

    c->client_id = xstrdup("id");
    c->client_secret = xstrdup(secret);
    c->token_url = xstrdup(URL);
    return c;
}

static void
told_init(struct told *t)
{
    memset(t, 0, sizeof(*t));
    t->w.fn = on_told;
    t->w.arg = t;
}

static enum err
sign_in_as(struct told *t, const char *session, struct credentials *c)
{
    enum err e;

    told_init(t);
    e = oauth2_sign_in(o, "", session, &c, &t->w, &t->why);
    assert_null(c);
    return e;
}

static enum err
sign_in(struct told *t, const char *session, const char *secret)
{
    return sign_in_as(t, session, login(secret));
}

static enum err
bearer(struct told *t, const char *session)
{
    char *token = NULL;
    enum err e;

    told_init(t);
    e = oauth2_bearer(o, "", session, &token, &t->w, &t->why);
    assert_true((e == OK) == (token != NULL));
    if (e == OK)
        (void)snprintf(t->token, sizeof(t->token), "%s", token);
    free(token);
    return e;
}

/* Session s is signed in with a token of this life. */
static void
signed_in(const char *session, const char *text)
{
    struct told t;

    assert_int_equal(sign_in(&t, session, "s"), ERR_AGAIN);
    reply(200, text);
    assert_int_equal(t.times, 1);
    assert_string_equal(t.token, "t-1");
}

static int
setup(void **state)
{
    struct oauth2_config c = {.hosts = HOSTS};

    (void)state;
    box = credentials_box_new(10, 100000000);
    credentials_join(box, "", "a");
    credentials_join(box, "", "b");
    c.box = box;
    c.limits = (struct transfer_limits){5000, 0, 60000, 600000};
    o = oauth2_new(&c);
    n_transfers = 0;
    n_told = 0;
    refuses = false;
    now_ms = 1000;
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    oauth2_free(o);
    credentials_box_free(box);
    for (size_t i = 0; i < n_transfers; i++)
        upstream_request_release(&transfers[i].q);
    return 0;
}

/* --- tests ---------------------------------------------------------------- */

static void
a_login_is_kept_when_its_token_came(void **state)
{
    struct credentials *c;
    struct told t;

    (void)state;
    assert_int_equal(sign_in(&t, "a", "s"), ERR_AGAIN);
    assert_int_equal(credentials_sweep(box, LATER_MS), 0);
    assert_int_equal(t.times, 0);
    now_ms = 3000;
    reply(200, GOOD(100));
    assert_int_equal(t.times, 1);
    assert_string_equal(t.token, "t-1");
    assert_int_equal(n_transfers, 1);
    c = credentials_find(box, "", "a", now_ms);
    assert_non_null(c);
    assert_string_equal(c->token, "t-1");
    assert_int_equal(c->born_ms, 1000); /* when it was asked for */
    assert_int_equal(c->until_ms, 101000);
    credentials_free(c);
    assert_int_equal(bearer(&t, "b"), ERR_NOTFOUND);
    assert_int_equal(bearer(&t, "a"), OK);
    assert_string_equal(t.token, "t-1");
    assert_int_equal(n_transfers, 1);
}

static void
its_request_is_guarded_and_bounded(void **state)
{
    const struct transfer *q = &transfers[0];
    struct credentials *c;
    static struct told t; /* it waits until the end */

    (void)state;
    assert_int_equal(sign_in(&t, "a", "s"), ERR_AGAIN);
    assert_true(q->q.guarded && q->q.secret && !q->q.http2);
    assert_int_equal(q->q.guard_also, GUARD_PUBLIC);
    assert_string_equal(q->q.method, "POST");
    assert_string_equal(q->q.url, URL);
    assert_int_equal(q->lim.connect_ms, 5000);
    assert_int_equal(q->lim.first_byte_ms, OAUTH2_TOTAL_MS);
    assert_int_equal(q->lim.idle_ms, OAUTH2_TOTAL_MS);
    assert_int_equal(q->lim.total_ms, OAUTH2_TOTAL_MS);
    c = login("s");
    free(c->token_url);
    c->token_url = xstrdup("https://localhost/");
    assert_int_equal(sign_in_as(&t, "b", c), ERR_AGAIN);
    assert_int_equal(transfers[1].q.guard_also, GUARD_LOOPBACK);
}

static void
what_may_not_be_called_is_not(void **state)
{
    struct credentials *c = login("s");
    struct told t;

    (void)state;
    free(c->token_url);
    c->token_url = xstrdup("https://127.0.0.1:8444/");
    assert_int_equal(sign_in_as(&t, "a", c), ERR_FORBIDDEN);
    assert_int_equal(t.why.err, ERR_FORBIDDEN);
    refuses = true;
    assert_int_equal(sign_in(&t, "a", "s"), ERR_BADREQ);
    assert_int_equal(n_transfers, 0);
    refuses = false;
    assert_int_equal(sign_in(&t, "a", "s"), ERR_AGAIN);
    end(TRANSFER_FORBIDDEN);
    assert_int_equal(t.why.err, ERR_FORBIDDEN);
    assert_int_equal(credentials_sweep(box, LATER_MS), 0);
}

static void
a_token_is_renewed_when_a_tenth_of_its_life_is_left(void **state)
{
    struct told t;

    (void)state;
    signed_in("a", GOOD(100)); /* from 1000 to 101000 */
    now_ms = 90999;
    assert_int_equal(bearer(&t, "a"), OK);
    now_ms = 91000;
    assert_int_equal(bearer(&t, "a"), ERR_AGAIN);
    reply(200, "{\"access_token\":\"t-2\",\"token_type\":\"bearer\","
               "\"expires_in\":100}");
    assert_string_equal(t.token, "t-2");
    assert_int_equal(bearer(&t, "a"), OK);
    assert_string_equal(t.token, "t-2");
    assert_int_equal(n_transfers, 2);
}

static void
a_minute_is_enough_for_a_long_life(void **state)
{
    struct told t;

    (void)state;
    signed_in("a", GOOD(36000));
    now_ms = 1000 + 36000000 - 60001;
    assert_int_equal(bearer(&t, "a"), OK);
    now_ms++;
    assert_int_equal(bearer(&t, "a"), ERR_AGAIN);
    reply(200, GOOD(1));
}

static void
while_it_is_good_a_renewal_may_fail(void **state)
{
    struct told t;

    (void)state;
    signed_in("a", GOOD(100));
    now_ms = 95000;
    assert_int_equal(bearer(&t, "a"), ERR_AGAIN);
    reply(503, "");
    assert_string_equal(t.token, "t-1");
    assert_int_equal(bearer(&t, "a"), ERR_AGAIN);
    now_ms = 101000;
    end(TRANSFER_CONNECT);
    assert_int_equal(t.times, 1);
    assert_string_equal(t.token, "");
    assert_int_equal(t.why.err, ERR_UPSTREAM);
    assert_int_equal(credentials_sweep(box, LATER_MS), 1);
}

static void
a_token_without_a_life_is_for_once(void **state)
{
    struct told t;

    (void)state;
    signed_in("a", GOOD(0));
    assert_int_equal(bearer(&t, "a"), ERR_AGAIN);
    reply(200, GOOD(0));
    assert_string_equal(t.token, "t-1");
}

static void
the_other_way_is_tried_and_remembered(void **state)
{
    struct told t;

    (void)state;
    assert_int_equal(sign_in(&t, "a", "s"), ERR_AGAIN);
    assert_string_equal(buf_cstr(&transfers[0].q.body),
                        "grant_type=client_credentials");
    reply(401, "{\"error\":\"invalid_client\"}");
    assert_int_equal(t.times, 0);
    assert_int_equal(n_transfers, 2);
    assert_string_equal(buf_cstr(&transfers[1].q.body),
                        "grant_type=client_credentials&client_id=id"
                        "&client_secret=s");
    reply(200, GOOD(100));
    assert_string_equal(t.token, "t-1");
    now_ms = 95000;
    assert_int_equal(bearer(&t, "a"), ERR_AGAIN);
    assert_int_equal(transfers[2].q.n_headers, 2); /* no Authorization */
    reply(401, "{\"error\":\"invalid_client\"}");
    assert_int_equal(n_transfers, 3);
}

static void
a_refusal_keeps_what_the_session_had(void **state)
{
    struct told t;

    (void)state;
    signed_in("a", GOOD(100));
    assert_int_equal(sign_in(&t, "a", "wrong"), ERR_AGAIN);
    reply(401, "{\"error\":\"invalid_client\"}");
    reply(401, "{\"error\":\"invalid_client\"}");
    assert_int_equal(t.times, 1);
    assert_int_equal(t.why.err, ERR_AUTH);
    assert_int_equal(bearer(&t, "a"), OK);
    assert_int_equal(sign_in(&t, "a", "s"), OK); /* known already */
    assert_int_equal(n_transfers, 3);
}

static void
many_wait_for_one_request(void **state)
{
    struct told t[5], other;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(t); i++)
        assert_int_equal(sign_in(&t[i], "a", "s"), ERR_AGAIN);
    assert_int_equal(sign_in(&other, "b", "s"), ERR_AGAIN);
    assert_int_equal(n_transfers, 2); /* each session has its own */
    oauth2_wait_cancel(&other.w);
    assert_true(transfers[1].over);
    oauth2_wait_cancel(&t[0].w);
    oauth2_wait_cancel(&t[3].w);
    assert_false(transfers[0].over);
    t[4].then_cancel = &t[1]; /* the newest is told first */
    n_transfers = 1;
    reply(200, GOOD(100));
    upstream_request_release(&transfers[1].q);
    assert_int_equal(n_told, 2);
    assert_int_equal(t[2].times + t[4].times, 2);
    oauth2_wait_cancel(&t[2].w); /* too late is fine */
}

static void
who_asks_for_nobody_stops_asking(void **state)
{
    struct told t[2];

    (void)state;
    assert_int_equal(sign_in(&t[0], "a", "s"), ERR_AGAIN);
    assert_int_equal(sign_in(&t[1], "a", "s"), ERR_AGAIN);
    oauth2_wait_cancel(&t[1].w);
    assert_false(transfers[0].over);
    oauth2_wait_cancel(&t[0].w);
    assert_true(transfers[0].over);
    oauth2_wait_cancel(&t[0].w);
    assert_int_equal(n_told, 0);
}

static void
what_is_forgotten_is_given_to_nobody(void **state)
{
    struct told t, u, other;

    (void)state;
    signed_in("a", GOOD(100));
    now_ms = 95000;
    assert_int_equal(bearer(&t, "a"), ERR_AGAIN);
    assert_true(credentials_forget(box, "", "a"));
    reply(200, GOOD(100)); /* comes too late */
    assert_string_equal(t.token, "");
    assert_int_equal(t.why.err, ERR_AUTH);
    assert_int_equal(credentials_sweep(box, LATER_MS), 0);

    assert_int_equal(sign_in(&t, "a", "s"), ERR_AGAIN);
    assert_int_equal(sign_in(&u, "a", "s"), ERR_AGAIN);
    assert_int_equal(sign_in(&other, "b", "s"), ERR_AGAIN);
    oauth2_forget(o, "", "a", "Signed out");
    assert_int_equal(t.times + u.times, 2);
    assert_string_equal(u.why.error, "Signed out");
    assert_int_equal(other.times, 0);
    reply(200, GOOD(100));
    assert_string_equal(other.token, "t-1");
}

static void
a_session_without_connections_keeps_nothing(void **state)
{
    struct told t;

    (void)state;
    assert_int_equal(sign_in(&t, "a", "s"), ERR_AGAIN);
    credentials_leave(box, "", "a");
    reply(200, GOOD(100));
    assert_int_equal(t.why.err, ERR_CONFLICT);
    assert_int_equal(credentials_sweep(box, LATER_MS), 0);
}

static void
another_login_takes_the_place_of_one_that_is_tried(void **state)
{
    struct told t, u;

    (void)state;
    assert_int_equal(sign_in(&t, "a", "old"), ERR_AGAIN);
    assert_int_equal(sign_in(&u, "a", "new"), ERR_AGAIN);
    assert_int_equal(t.times, 1);
    assert_int_equal(t.why.err, ERR_CONFLICT);
    assert_true(transfers[0].over);
    reply(200, GOOD(100));
    assert_string_equal(u.token, "t-1");
}

static void
a_reply_has_a_length(void **state)
{
    struct told t;
    char *text = xcalloc(1, 70 * 1024);

    (void)state;
    memset(text, ' ', 70 * 1024 - 1);
    assert_int_equal(sign_in(&t, "a", "s"), ERR_AGAIN);
    reply(200, text);
    free(text);
    assert_true(transfers[0].over);
    assert_int_equal(t.times, 1);
    assert_int_equal(t.why.err, ERR_UPSTREAM);
}

static void
there_are_not_too_many_at_once(void **state)
{
    struct told t[OAUTH2_FETCHES_MAX + 1];
    char session[16];

    (void)state;
    for (int i = 0; i <= OAUTH2_FETCHES_MAX; i++) {
        (void)snprintf(session, sizeof(session), "s%d", i);
        assert_int_equal(sign_in(&t[i], session, "s"),
                         i < OAUTH2_FETCHES_MAX ? ERR_AGAIN : ERR_BUSY);
    }
    oauth2_free(o); /* nobody is told */
    assert_int_equal(n_told, 0);
    for (int i = 0; i < OAUTH2_FETCHES_MAX; i++)
        assert_true(transfers[i].over);
    o = NULL;
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_login_is_kept_when_its_token_came),
        TEST(its_request_is_guarded_and_bounded),
        TEST(what_may_not_be_called_is_not),
        TEST(a_token_is_renewed_when_a_tenth_of_its_life_is_left),
        TEST(a_minute_is_enough_for_a_long_life),
        TEST(while_it_is_good_a_renewal_may_fail),
        TEST(a_token_without_a_life_is_for_once),
        TEST(the_other_way_is_tried_and_remembered),
        TEST(a_refusal_keeps_what_the_session_had),
        TEST(many_wait_for_one_request),
        TEST(who_asks_for_nobody_stops_asking),
        TEST(what_is_forgotten_is_given_to_nobody),
        TEST(a_session_without_connections_keeps_nothing),
        TEST(another_login_takes_the_place_of_one_that_is_tried),
        TEST(a_reply_has_a_length),
        TEST(there_are_not_too_many_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
