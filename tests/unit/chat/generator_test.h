/*
 * One generator on one thread, with a loop and no engine, and what it said:
 * for the tests of chat/generator.c and chat/chain.c.
 */
#ifndef GENERATOR_TEST_H
#define GENERATOR_TEST_H

#include "chat_test.h"

#include "base/metric.h"
#include "chat/chain.h"

static struct loop *loop;
static struct transfers *transfers;
static struct workers *workers;
static struct generator_config config;
static struct ask_message message;
static struct ask ask;
static struct route_choice routes[3];
static size_t n_routes; /* 1 unless a test adds some */
static bool can_shorten;
static int plainer; /* how often it can be asked without some of it */
static int n_plainer;
static int n_prepared, n_shortened, n_moved, n_again, n_may;
static bool may_waits; /* the test says whether a route may be asked */
static const struct problem *may_not; /* why none may be, else */
static char moved_for[64]; /* code of the last problem that moved it */

/* What the generator said. */
static struct buf text; /* of all text parts */
static size_t n_parts, n_texts, n_done, longest;
static char model[64];
static struct usage usage;
static enum finish finish;
static struct problem problem;
static struct generator *generator;

static inline void
on_part(void *arg, const struct part *p)
{
    assert_ptr_equal(arg, &text);
    assert_int_equal(n_done, 0);
    n_parts++;
    switch (p->kind) {
    case PART_TEXT:
        n_texts++;
        longest = p->len > longest ? p->len : longest;
        buf_add(&text, p->text, p->len);
        break;
    case PART_MODEL:
        (void)snprintf(model, sizeof(model), "%.*s", (int)p->len, p->text);
        break;
    case PART_USAGE: usage = p->usage; break;
    case PART_REASONING: break;
    default: fail(); /* ends and errors are told by done */
    }
}

static inline void
on_done(void *arg, enum finish f, const struct problem *p)
{
    assert_ptr_equal(arg, &text);
    n_done++;
    finish = f;
    problem = *p;
    generator = NULL;
    loop_stop(loop);
}

static inline const struct ask *
on_prepare(void *arg, const struct route_choice *route, bool shorter,
           struct problem *why)
{
    (void)why;
    assert_ptr_equal(arg, &text);
    n_prepared++;
    ask.model = route->model;
    if (!shorter)
        return &ask;
    n_shortened++;
    return can_shorten ? &ask : NULL;
}

static inline void
on_moved(void *arg, const struct route_choice *route, const struct problem *why)
{
    assert_ptr_equal(arg, &text);
    assert_ptr_not_equal(route->provider, NULL);
    n_moved++;
    (void)snprintf(moved_for, sizeof(moved_for), "%s", why->code);
}

static inline void
on_again(void *arg, const struct problem *why)
{
    assert_ptr_equal(arg, &text);
    assert_true(why->err != OK);
    n_again++;
}

static inline void
on_may(void *arg, const struct route_choice *route)
{
    assert_ptr_equal(arg, &text);
    assert_non_null(route->provider);
    n_may++;
    if (!may_waits)
        generator_may(generator, may_not);
}

static inline bool
on_plainer(void *arg)
{
    assert_ptr_equal(arg, &text);
    n_plainer++;
    return plainer-- > 0;
}

static const struct generator_calls calls = {
    .prepare = on_prepare,
    .plainer = on_plainer,
    .part = on_part,
    .again = on_again,
    .moved = on_moved,
    .may = on_may,
    .done = on_done,
};

static inline int
setup(void **state)
{
    (void)state;
    log_set_level(LOG_ERROR);
    taps_start();
    loop = loop_new();
    transfers = transfers_new(loop);
    workers = workers_new(1, loop);
    config = (struct generator_config){
        .loop = loop,
        .transfers = transfers,
        .workers = workers,
        .limits = {5000, 5000, 5000, 20000},
        .retries = 2,
        .circuits = circuits_new(30000),
    };
    n_routes = 1;
    can_shorten = false;
    plainer = n_plainer = 0;
    n_prepared = n_shortened = n_moved = n_again = n_may = 0;
    may_waits = false;
    may_not = NULL;
    moved_for[0] = '\0';
    buf_init(&text, TAP_BYTES_MAX);
    n_parts = n_texts = n_done = longest = 0;
    model[0] = '\0';
    memset(&problem, 0xFF, sizeof(problem));
    finish = FINISH_NONE;
    local_text = "";
    local_err = OK;
    local_gate = NULL;
    local_there = NULL;
    return 0;
}

static inline int
teardown(void **state)
{
    (void)state;
    generator_cancel(generator);
    generator = NULL;
    workers_free(workers);
    transfers_free(transfers);
    loop_free(loop);
    circuits_free(config.circuits);
    buf_release(&text);
    taps_stop();
    return 0;
}

static inline void
start(const struct provider *p, const char *question)
{
    message = (struct ask_message){
        .role = ROLE_USER,
        .text = question,
        .len = strlen(question),
    };
    ask = (struct ask){.model = "m", .messages = &message, .n_messages = 1};
    routes[0] = (struct route_choice){
        .provider = p,
        .account = {.base_url = tap_url, .key = ""},
        .model = "m",
    };
    generator = generator_start(&config, routes, n_routes, &calls, &text);
    assert_int_equal(n_parts + n_done, 0); /* not before it returned */
    assert_non_null(generator);
}

static inline void
on_stop(struct loop_timer *t)
{
    loop_stop(t->arg);
}

/* For so long, and at least some turns of the loop: on a machine that is busy
 * the time may be over before the first. */
static inline void
spin(int ms)
{
    struct loop_timer t = {.fn = on_stop, .arg = loop};

    for (int i = 0; i < TURNS_MIN; i++) {
        loop_timer_set(loop, &t, clock_mono_ms() + (i == 0 ? ms : 0));
        loop_run(loop);
        loop_timer_clear(loop, &t);
    }
}

static inline void
spin_done(void)
{
    int64_t until_ms = clock_mono_ms() + TAP_WAIT_MS;

    while (n_done == 0) {
        assert_true(clock_mono_ms() < until_ms);
        spin(50);
    }
    assert_int_equal(n_done, 1);
}

static inline void
spin_texts(size_t n)
{
    int64_t until_ms = clock_mono_ms() + TAP_WAIT_MS;

    while (n_texts < n) {
        assert_true(clock_mono_ms() < until_ms);
        spin(2);
    }
}

static inline void
expect(enum finish want, const char *code, const char *want_text, int asked)
{
    spin_done();
    assert_int_equal(finish, want);
    assert_int_equal(problem.err == OK, code == NULL);
    if (code != NULL)
        assert_string_equal(problem.code, code);
    assert_string_equal(buf_cstr(&text), want_text);
    assert_int_equal(tap_count(&taps[0].asked), asked);
    assert_int_equal(transfers_running(transfers), 0);
}

/* The local provider stands in for the tap. */
static inline void
stand_by(void)
{
    local_text = "From the next one.";
    routes[n_routes++] = (struct route_choice){
        .provider = &local_provider,
        .model = "local",
    };
}

#endif
