/* Tests of chat/relay.c: an answer that nobody keeps, and its client. */
#include "chat_test.h"

#include "base/metric.h"
#include "chat/relay.h"

/* A client. The loop writes, the test reads after waiting. */
struct client {
    struct relay r; /* first */
    pthread_mutex_t mu;
    pthread_cond_t cond;
    /* mu guards all below */
    struct buf heard; /* "model|text|…", neighbours apart */
    char order[32];   /* a(ttached) p(art) f(lush) e(nd) l(ast flush) d(one),
                         without repetitions */
    size_t parts;
    enum err answer; /* of flush, but for the last */
    enum finish finish;
    struct usage usage;
    struct problem problem;
    bool done;
};

static struct client *
client_of(struct relay *r)
{
    return (struct client *)(void *)r;
}

static void
say(struct client *c, char what)
{
    size_t n = strlen(c->order);

    if ((n == 0 || c->order[n - 1] != what) && n + 1 < sizeof(c->order))
        c->order[n] = what;
    (void)pthread_cond_broadcast(&c->cond);
}

static void
on_attached(struct relay *r)
{
    struct client *c = client_of(r);

    (void)pthread_mutex_lock(&c->mu);
    say(c, 'a');
    (void)pthread_mutex_unlock(&c->mu);
}

static void
on_part(struct relay *r, const struct part *p)
{
    struct client *c = client_of(r);

    (void)pthread_mutex_lock(&c->mu);
    if (p->kind == PART_CALL)
        buf_addf(&c->heard, "%s %s", p->id, p->name);
    else
        buf_add(&c->heard, p->text, p->len);
    buf_addc(&c->heard, '|');
    c->parts++;
    say(c, 'p');
    (void)pthread_mutex_unlock(&c->mu);
}

static void
on_end(struct relay *r, enum finish finish, const struct usage *u,
       const struct problem *problem)
{
    struct client *c = client_of(r);

    (void)pthread_mutex_lock(&c->mu);
    c->finish = finish;
    c->usage = *u;
    c->problem = *problem;
    say(c, 'e');
    (void)pthread_mutex_unlock(&c->mu);
}

static enum err
on_flush(struct relay *r, bool last)
{
    struct client *c = client_of(r);
    enum err e;

    (void)pthread_mutex_lock(&c->mu);
    say(c, last ? 'l' : 'f');
    e = last ? OK : c->answer;
    (void)pthread_mutex_unlock(&c->mu);
    return e;
}

static void
on_done(struct relay *r)
{
    struct client *c = client_of(r);

    (void)pthread_mutex_lock(&c->mu);
    c->done = true;
    say(c, 'd');
    (void)pthread_mutex_unlock(&c->mu);
}

static const struct relay_ops ops = {
    .attached = on_attached,
    .part = on_part,
    .end = on_end,
    .flush = on_flush,
    .done = on_done,
};

static struct client clients[3];

static int
setup(void **state)
{
    memset(clients, 0, sizeof(clients));
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        struct client *c = &clients[i];

        c->r.ops = &ops;
        (void)pthread_mutex_init(&c->mu, NULL);
        (void)pthread_cond_init(&c->cond, NULL);
        buf_init(&c->heard, TAP_BYTES_MAX);
    }
    return rig_setup(state);
}

static int
teardown(void **state)
{
    int e = rig_teardown(state);

    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        buf_release(&clients[i].heard);
        (void)pthread_cond_destroy(&clients[i].cond);
        (void)pthread_mutex_destroy(&clients[i].mu);
    }
    return e;
}

/* Ask a tap ("tap 3 hello"). */
static struct client *
relay_it(int i, const char *text)
{
    struct turn_ask *a = ask_new(&tap_provider, "none", text);
    struct ask_message *m = arena_alloc(&a->arena, sizeof(*m));

    m->role = ROLE_USER;
    m->text = a->text;
    m->len = a->text_len;
    a->ask.messages = m;
    a->ask.n_messages = 1;
    relay_post(rig, a, &clients[i].r);
    return &clients[i];
}

typedef bool client_fn(const struct client *c, size_t n);

static bool
is_done(const struct client *c, size_t n)
{
    (void)n;
    return c->done;
}

static bool
has_heard(const struct client *c, size_t bytes)
{
    return c->heard.len >= bytes;
}

static void
client_wait(struct client *c, client_fn *fn, size_t n)
{
    int64_t until_ms = clock_mono_ms() + TAP_WAIT_MS;
    bool come = false;

    while (!come && clock_mono_ms() < until_ms) {
        (void)pthread_mutex_lock(&c->mu);
        come = fn(c, n);
        (void)pthread_mutex_unlock(&c->mu);
        if (!come)
            fake_sleep_ms(2);
    }
    assert_true(come);
}

static void
client_answers(struct client *c, enum err e)
{
    (void)pthread_mutex_lock(&c->mu);
    c->answer = e;
    (void)pthread_mutex_unlock(&c->mu);
}

static void
run_cancel(void *arg)
{
    relay_cancel(&((struct client *)arg)->r);
}

static void
run_resume(void *arg)
{
    relay_resume(&((struct client *)arg)->r);
}

/* How much waits for the client, in bytes. */
struct waiting {
    struct client *c;
    size_t bytes;
};

static void
run_waiting(void *arg)
{
    struct waiting *w = arg;

    w->bytes = w->c->r.held.bytes;
}

static void
wait_held(struct client *c, size_t bytes)
{
    int64_t until_ms = clock_mono_ms() + TAP_WAIT_MS;
    struct waiting w = {c, 0};

    while (w.bytes < bytes && clock_mono_ms() < until_ms) {
        engine_call(rig, run_waiting, &w);
        fake_sleep_ms(2);
    }
    assert_true(w.bytes >= bytes);
}

/* --- answers -------------------------------------------------------------- */

static void
an_answer_is_its_parts_and_one_end(void **state)
{
    int64_t whole = metric_get(METRIC_TURNS_COMPLETE);
    struct client *c = relay_it(0, "tap 0");

    (void)state;
    tap_put(0, 'M', "tap-1b", 6);
    tap_text(0, "Hel");
    tap_text(0, "lo");
    tap_put(0, 'C', "i f", 3);
    tap_put(0, 'A', "{}", 2);
    tap_put(0, 'U', "7 3 2", 5);
    tap_finish(0, FINISH_TOOL_CALLS);
    client_wait(c, is_done, 0);
    assert_string_equal(buf_cstr(&c->heard), "tap-1|tap-1b|Hel|lo|i f|{}|");
    assert_int_equal(c->order[0], 'a');
    assert_string_equal(c->order + strlen(c->order) - 3, "eld");
    assert_int_equal(c->finish, FINISH_TOOL_CALLS);
    assert_int_equal(c->problem.err, OK);
    assert_int_equal(c->usage.input_tokens, 7);
    assert_int_equal(c->usage.cached_tokens, 2);
    rig_settle();
    assert_int_equal(engine_running(rig), 0);
    assert_int_equal(metric_get(METRIC_TURNS_COMPLETE), whole + 1);
    assert_stored("none", "");
    assert_seen("tap-1||user:tap 0|");
}

static void
an_error_is_told_with_its_reason(void **state)
{
    struct client *c;

    (void)state;
    tap_refuse(0, 100, 400);
    c = relay_it(0, "tap 0");
    client_wait(c, is_done, 0);
    assert_int_equal(c->finish, FINISH_ERROR);
    assert_string_equal(c->problem.code, "tap_refused");
    assert_string_equal(buf_cstr(&c->heard), "tap-1|");
}

static void
what_is_too_long_is_not_made_shorter(void **state)
{
    struct client *c;

    (void)state;
    taps[0].why = "++";
    tap_refuse(0, 1, 400);
    tap_text(0, "never");
    tap_finish(0, FINISH_STOP);
    c = relay_it(0, "tap 0");
    client_wait(c, is_done, 0);
    assert_int_equal(c->finish, FINISH_ERROR);
    assert_int_equal(tap_count(&taps[0].asked), 1);
}

static void
an_answer_that_broke_off_is_incomplete(void **state)
{
    struct client *c = relay_it(0, "tap 0");

    (void)state;
    tap_text(0, "half");
    client_wait(c, has_heard, strlen("tap-1|half|"));
    tap_close(0, false);
    client_wait(c, is_done, 0);
    assert_int_equal(c->finish, FINISH_INCOMPLETE);
    assert_int_not_equal(c->problem.err, OK);
}

/* --- clients -------------------------------------------------------------- */

static void
who_leaves_takes_the_provider_along(void **state)
{
    int64_t cancelled = metric_get(METRIC_TURNS_CANCELLED);
    struct client *c = relay_it(0, "tap 0");

    (void)state;
    tap_text(0, "some");
    client_wait(c, has_heard, strlen("tap-1|some|"));
    engine_call(rig, run_cancel, c);
    tap_wait_left(0, 1);
    assert_false(c->done);
    assert_int_equal(engine_running(rig), 0);
    assert_int_equal(metric_get(METRIC_TURNS_CANCELLED), cancelled + 1);
}

static void
who_is_gone_when_it_is_sent_takes_it_along_too(void **state)
{
    struct client *c = &clients[0];

    (void)state;
    client_answers(c, ERR_HUP);
    (void)relay_it(0, "tap 0");
    client_wait(c, is_done, 0);
    assert_int_equal(c->finish, FINISH_NONE); /* no end was told */
    rig_settle();
    assert_int_equal(engine_running(rig), 0);
    tap_text(0, "to nobody");
    tap_finish(0, FINISH_STOP);
    rig_settle();
}

static void
a_slow_client_gets_it_later_in_fewer_parts(void **state)
{
    struct client *c = &clients[0];
    char want[128] = "tap-1|", all[64] = "";

    (void)state;
    client_answers(c, ERR_AGAIN);
    (void)relay_it(0, "tap 0");
    client_wait(c, has_heard, strlen("tap-1|"));
    for (int i = 0; i < 20; i++) {
        tap_text(0, "ab");
        (void)snprintf(all + 2 * i, sizeof(all) - 2 * (size_t)i, "ab");
    }
    tap_finish(0, FINISH_STOP);
    wait_held(c, 40);
    assert_string_equal(buf_cstr(&c->heard), want);
    client_answers(c, OK);
    engine_call(rig, run_resume, c);
    client_wait(c, is_done, 0);
    (void)snprintf(want + 6, sizeof(want) - 6, "%s|", all);
    assert_string_equal(buf_cstr(&c->heard), want);
    assert_int_equal(c->parts, 2);
    assert_int_equal(c->finish, FINISH_STOP);
}

static void
a_client_that_is_too_slow_is_given_up(void **state)
{
    const size_t n = HELD_MAX / 4;
    struct client *c = &clients[0];
    char *much = xmalloc(n);

    (void)state;
    memset(much, 'x', n);
    client_answers(c, ERR_AGAIN);
    (void)relay_it(0, "tap 0");
    client_wait(c, has_heard, strlen("tap-1|"));
    for (int i = 0; i < 5; i++)
        tap_put(0, 'T', much, n);
    client_wait(c, is_done, 0);
    assert_int_equal(c->finish, FINISH_INCOMPLETE);
    assert_string_equal(c->problem.code, "client_too_slow");
    tap_wait_left(0, 1);
    free(much);
}

/* --- the door ------------------------------------------------------------- */

static void
relays_count_against_the_capacity(void **state)
{
    struct client *one, *two;

    (void)state;
    rig_stop(0);
    conf_override(CONF_MAX_STREAMS, "1");
    rig_start();
    one = relay_it(0, "tap 0");
    tap_wait_asked(0, 1);
    two = relay_it(1, "tap 1");
    client_wait(two, is_done, 0);
    assert_int_equal(two->finish, FINISH_ERROR);
    assert_int_equal(two->problem.err, ERR_BUSY);
    assert_int_equal(two->problem.retry_after_s, 5);
    assert_int_equal(engine_running(rig), 1);
    tap_finish(0, FINISH_STOP);
    client_wait(one, is_done, 0);
    assert_int_equal(one->finish, FINISH_STOP);
}

static void
a_drain_cuts_what_takes_too_long(void **state)
{
    struct client *c = relay_it(0, "tap 0");

    (void)state;
    tap_text(0, "half");
    client_wait(c, has_heard, strlen("tap-1|half|"));
    rig_stop(1);
    assert_true(c->done);
    assert_int_equal(c->finish, FINISH_INCOMPLETE);
    assert_string_equal(c->problem.code, "shutting_down");
    assert_true(c->problem.retryable);
}

static void
a_drain_waits_for_what_ends_in_time(void **state)
{
    struct client *c = relay_it(0, "tap 0");

    (void)state;
    tap_wait_asked(0, 1);
    tap_text(0, "whole");
    tap_finish(0, FINISH_STOP);
    rig_stop(TAP_WAIT_MS);
    assert_true(c->done);
    assert_int_equal(c->finish, FINISH_STOP);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_answer_is_its_parts_and_one_end),
        T(an_error_is_told_with_its_reason),
        T(what_is_too_long_is_not_made_shorter),
        T(an_answer_that_broke_off_is_incomplete),
        T(who_leaves_takes_the_provider_along),
        T(who_is_gone_when_it_is_sent_takes_it_along_too),
        T(a_slow_client_gets_it_later_in_fewer_parts),
        T(a_client_that_is_too_slow_is_given_up),
        T(relays_count_against_the_capacity),
        T(a_drain_cuts_what_takes_too_long),
        T(a_drain_waits_for_what_ends_in_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
