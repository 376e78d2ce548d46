/*
 * Tests of chat/recall.c through the generator that recalls, and of what a
 * turn makes of it. The generator's tests run on one thread, with a loop and
 * no engine; the turn's have an engine.
 */
#include "chat_test.h"

#include "base/metric.h"
#include "chat/recall.h"

static struct loop *loop;
static struct transfers *transfers;
static struct workers *workers;
static struct generator_config config;
static struct cache_config cache_config;
static const char *owner; /* NULL: the generator has none */
static const char *model; /* that is asked */
static struct generator_calls calls;
static struct route_choice routes[2];
static size_t n_routes;
static struct ask_message message;
static struct ask ask;
static struct generator *generator;
static int64_t hits, misses; /* of the metrics, before the test */

/* What the generator said. */
static struct buf told; /* "(cached)" "R:…" text "[in,out]" */
static int n_done, n_cached;
static enum finish finish;
static struct problem problem;

static const char *
on_owner(void *arg)
{
    assert_ptr_equal(arg, &told);
    return owner;
}

static const struct ask *
on_prepare(void *arg, const struct route_choice *route, bool shorter,
           struct problem *why)
{
    (void)arg;
    (void)why;
    ask.model = route->model;
    return shorter ? NULL : &ask;
}

static void
on_cached(void *arg)
{
    assert_ptr_equal(arg, &told);
    assert_int_equal(told.len, 0);
    n_cached++;
}

static void
on_part(void *arg, const struct part *p)
{
    assert_ptr_equal(arg, &told);
    assert_int_equal(n_done, 0);
    switch (p->kind) {
    case PART_REASONING:
        buf_addf(&told, "R:%.*s ", (int)p->len, p->text);
        break;
    case PART_MODEL: buf_addf(&told, "M:%.*s ", (int)p->len, p->text); break;
    case PART_USAGE:
        buf_addf(&told, "[%" PRId64 ",%" PRId64 "]", p->usage.input_tokens,
                 p->usage.output_tokens);
        break;
    case PART_CALL: buf_addf(&told, "C:%s ", p->name); break;
    case PART_ARGS:
    case PART_TEXT: buf_add(&told, p->text, p->len); break;
    default: fail();
    }
}

static void
on_done(void *arg, enum finish f, const struct problem *p)
{
    assert_ptr_equal(arg, &told);
    n_done++;
    finish = f;
    problem = *p;
    generator = NULL;
    loop_stop(loop);
}

static int
setup(void **state)
{
    (void)state;
    log_set_level(LOG_ERROR);
    taps_start();
    loop = loop_new();
    transfers = transfers_new(loop);
    workers = workers_new(1, loop);
    cache_config = (struct cache_config){.max = 1 << 20, .ttl_ms = 600000};
    config = (struct generator_config){
        .loop = loop,
        .transfers = transfers,
        .workers = workers,
        .limits = {5000, 5000, 5000, 20000},
        .retries = 2,
        .circuits = circuits_new(60),
        .cache = cache_new(&cache_config),
    };
    calls = (struct generator_calls){
        .owner = on_owner,
        .prepare = on_prepare,
        .cached = on_cached,
        .part = on_part,
        .done = on_done,
    };
    owner = "ann";
    model = "m";
    n_routes = 1;
    buf_init(&told, TAP_BYTES_MAX);
    n_cached = n_done = 0;
    hits = metric_get(METRIC_CACHE_HITS);
    misses = metric_get(METRIC_CACHE_MISSES);
    local_text = "";
    local_err = OK;
    local_gate = local_there = NULL;
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    generator_cancel(generator);
    generator = NULL;
    workers_free(workers);
    transfers_free(transfers);
    loop_free(loop);
    circuits_free(config.circuits);
    cache_free(config.cache);
    buf_release(&told);
    taps_stop();
    return 0;
}

static void
start(const struct provider *p, const char *question)
{
    buf_clear(&told);
    n_done = n_cached = 0;
    message = (struct ask_message){
        .role = ROLE_USER,
        .text = question,
        .len = strlen(question),
    };
    ask = (struct ask){.messages = &message, .n_messages = 1};
    routes[0] = (struct route_choice){
        .provider = p,
        .account = {.base_url = tap_url, .key = ""},
        .model = model,
    };
    generator = generator_start(&config, routes, n_routes, &calls, &told);
    assert_int_equal(told.len + (size_t)(n_cached + n_done), 0);
    assert_non_null(generator);
}

static void
on_stop(struct loop_timer *t)
{
    loop_stop(t->arg);
}

/* For so long, and at least some turns of the loop: on a machine that is busy
 * the time may be over before the first. */
static void
spin(int ms)
{
    struct loop_timer t = {.fn = on_stop, .arg = loop};

    for (int i = 0; i < TURNS_MIN; i++) {
        loop_timer_set(loop, &t, clock_mono_ms() + (i == 0 ? ms : 0));
        loop_run(loop);
        loop_timer_clear(loop, &t);
    }
}

static void
spin_done(void)
{
    int64_t until_ms = clock_mono_ms() + TAP_WAIT_MS;

    while (n_done == 0) {
        assert_true(clock_mono_ms() < until_ms);
        spin(50);
    }
}

/* How the answer came and how often the tap was asked in all. */
static void
expect(enum finish want, bool cached, const char *text, int asked)
{
    spin_done();
    assert_int_equal(n_done, 1);
    assert_int_equal(finish, want);
    assert_int_equal(n_cached, cached ? 1 : 0);
    assert_string_equal(buf_cstr(&told), text);
    assert_int_equal(tap_count(&taps[0].asked), asked);
    assert_int_equal(transfers_running(transfers), 0);
}

/* Ask the tap, which answers so. */
static void
ask_first(const char *question, const char *text, enum finish f)
{
    tap_text(0, text);
    tap_finish(0, f);
    start(&tap_provider, question);
    spin_done();
}

static void
assert_counts(int64_t n_hits, int64_t n_misses)
{
    assert_int_equal(metric_get(METRIC_CACHE_HITS) - hits, n_hits);
    assert_int_equal(metric_get(METRIC_CACHE_MISSES) - misses, n_misses);
}

/* --- what is recalled ----------------------------------------------------- */

static void
an_equal_question_is_answered_alike_and_not_asked(void **state)
{
    const char *want = "M:m-2 R:hm Hello you[1,2]";

    (void)state;
    tap_put(0, 'M', "m-2", 3);
    tap_put(0, 'R', "h", 1);
    tap_put(0, 'U', "1 0 0", 5);
    start(&tap_provider, "tap 0 hi");
    spin(5);
    tap_put(0, 'R', "m", 1);
    tap_text(0, "Hello");
    tap_text(0, " you");
    tap_put(0, 'U', "1 2 3", 5);
    tap_finish(0, FINISH_STOP);
    spin_done();
    assert_int_equal(n_cached, 0);
    for (int i = 1; i < 4; i++) {
        start(&tap_provider, "tap 0 hi");
        expect(FINISH_STOP, true, want, 1);
        assert_counts(i, 1);
    }
    assert_int_equal(problem.err, OK);
}

static void
another_question_model_or_owner_is_asked(void **state)
{
    (void)state;
    ask_first("tap 0 hi", "one", FINISH_STOP);
    ask_first("tap 0 ho", "two", FINISH_STOP);
    expect(FINISH_STOP, false, "two", 2);
    model = "m-7";
    ask_first("tap 0 hi", "three", FINISH_STOP);
    expect(FINISH_STOP, false, "three", 3);
    model = "m";
    owner = "bob";
    ask_first("tap 0 hi", "four", FINISH_STOP);
    expect(FINISH_STOP, false, "four", 4);
    owner = "ann";
    start(&tap_provider, "tap 0 hi");
    expect(FINISH_STOP, true, "one", 4);
    assert_counts(1, 4);
}

static void
where_answers_are_shared_the_owner_does_not_matter(void **state)
{
    (void)state;
    cache_free(config.cache);
    cache_config.shared = true;
    config.cache = cache_new(&cache_config);
    ask_first("tap 0", "one", FINISH_STOP);
    owner = "bob";
    start(&tap_provider, "tap 0");
    expect(FINISH_STOP, true, "one", 1);
}

static void
an_answer_that_is_too_old_is_asked_for_again(void **state)
{
    (void)state;
    cache_free(config.cache);
    cache_config.ttl_ms = 100;
    config.cache = cache_new(&cache_config);
    ask_first("tap 0", "one", FINISH_STOP);
    spin(120);
    ask_first("tap 0", "two", FINISH_STOP);
    expect(FINISH_STOP, false, "two", 2);
}

static void
without_an_owner_or_a_cache_nothing_is_kept(void **state)
{
    struct cache *cache = config.cache;

    (void)state;
    config.cache = NULL;
    ask_first("tap 0", "one", FINISH_STOP);
    config.cache = cache;
    owner = NULL;
    ask_first("tap 0", "two", FINISH_STOP);
    calls.owner = NULL;
    ask_first("tap 0", "three", FINISH_STOP);
    expect(FINISH_STOP, false, "three", 3);
    assert_int_equal(cache_bytes(cache), 0);
    assert_counts(0, 0);
}

static void
a_generator_may_not_care_that_it_was_kept(void **state)
{
    (void)state;
    calls.cached = NULL;
    ask_first("tap 0", "one", FINISH_STOP);
    start(&tap_provider, "tap 0");
    expect(FINISH_STOP, false, "one", 1);
    assert_counts(1, 1);
}

/* --- what is not kept ----------------------------------------------------- */

static void
what_did_not_end_well_is_not_kept(void **state)
{
    (void)state;
    ask_first("tap 0", "bad words", FINISH_FILTER);
    ask_first("tap 0", "too lo", FINISH_LENGTH);
    ask_first("tap 0", "", FINISH_STOP); /* nothing was said */
    start(&tap_provider, "tap 0");
    tap_text(0, "half");
    tap_close(0, false);
    expect(FINISH_INCOMPLETE, false, "half", 4);
    start(&tap_provider, "tap 0");
    tap_text(0, "half");
    tap_put(0, 'E', "", 0);
    expect(FINISH_INCOMPLETE, false, "half", 5);
    tap_wait_left(0, 1);
    tap_refuse(0, 1, 400);
    start(&tap_provider, "tap 0");
    expect(FINISH_ERROR, false, "", 6);
    assert_int_equal(cache_bytes(config.cache), 0);
    assert_counts(0, 6);
}

static void
thoughts_without_a_text_are_not_kept(void **state)
{
    (void)state;
    tap_put(0, 'R', "hm", 2);
    ask_first("tap 0", "", FINISH_STOP);
    expect(FINISH_STOP, false, "R:hm ", 1);
    assert_int_equal(cache_bytes(config.cache), 0);
}

static void
what_calls_tools_is_not_kept(void **state)
{
    (void)state;
    for (int i = 1; i <= 4; i++) {
        start(&tap_provider, "tap 0");
        tap_text(0, "Let me see.");
        tap_put(0, 'C', "call_1 now", 10);
        tap_put(0, 'A', "{}", 2);
        /* However the provider calls such an end. */
        tap_finish(0, i % 2 == 0 ? FINISH_TOOL_CALLS : FINISH_STOP);
        expect(i % 2 == 0 ? FINISH_TOOL_CALLS : FINISH_STOP, false,
               "Let me see.C:now {}", i);
    }
    assert_int_equal(cache_bytes(config.cache), 0);
    assert_counts(0, 4);
}

static void
what_was_cancelled_is_not_kept(void **state)
{
    (void)state;
    start(&tap_provider, "tap 0");
    tap_text(0, "some");
    while (told.len == 0)
        spin(5);
    generator_cancel(generator);
    generator = NULL;
    tap_wait_left(0, 1);
    assert_int_equal(cache_bytes(config.cache), 0);
}

static void
an_answer_past_the_limit_is_passed_on_and_not_kept(void **state)
{
    char *big = xmalloc(KEPT_MAX / 2);

    (void)state;
    (void)memset(big, 'x', KEPT_MAX / 2);
    for (int i = 0; i < 3; i++)
        tap_put(0, 'T', big, KEPT_MAX / 2);
    tap_finish(0, FINISH_STOP);
    start(&tap_provider, "tap 0");
    spin_done();
    assert_int_equal(told.len, 3 * (KEPT_MAX / 2));
    assert_int_equal(finish, FINISH_STOP);
    assert_int_equal(cache_bytes(config.cache), 0);
    free(big);
}

static void
a_local_answer_is_not_kept(void **state)
{
    (void)state;
    local_text = "Here.";
    for (int i = 0; i < 2; i++) {
        start(&local_provider, "x");
        expect(FINISH_STOP, false, local_text, 0);
    }
    assert_int_equal(cache_bytes(config.cache), 0);
    assert_counts(0, 0);
}

/* --- tries, routes and circuits ------------------------------------------- */

static void
only_the_try_that_answered_is_kept(void **state)
{
    (void)state;
    start(&tap_provider, "tap 0");
    tap_put(0, 'M', "m-old", 5);
    tap_put(0, 'U', "9 9 9", 5);
    tap_close(0, true);
    while (tap_count(&taps[0].asked) < 2)
        spin(20);
    tap_text(0, "second");
    tap_finish(0, FINISH_STOP);
    spin_done();
    start(&tap_provider, "tap 0");
    expect(FINISH_STOP, true, "second", 2);
    assert_counts(1, 1); /* a second try is no second question */
}

static void
a_question_that_waits_to_be_tried_again_sees_the_new_answer(void **state)
{
    struct kept k;
    struct part p = {.kind = PART_TEXT, .text = "from afar", .len = 9};
    struct upstream_request q;
    struct problem why;
    uint8_t key[DIGEST_LEN];

    (void)state;
    taps[0].refuse_after_s = 1;
    tap_refuse(0, 1, 429);
    start(&tap_provider, "tap 0");
    while (tap_count(&taps[0].asked) < 1 || transfers_running(transfers) > 0)
        spin(10);
    upstream_request_init(&q, 1 << 20);
    assert_int_equal(tap_build(&ask, &routes[0].account, &q, &why), OK);
    cache_key(config.cache, key, owner, &routes[0], &q);
    upstream_request_release(&q);
    kept_init(&k);
    kept_add(&k, &p);
    cache_put(config.cache, key, &k, clock_mono_ms());
    kept_release(&k);
    expect(FINISH_STOP, true, "from afar", 1);
}

static void
a_fallback_is_looked_for_as_well(void **state)
{
    (void)state;
    model = "m-2";
    ask_first("tap 0", "from two", FINISH_STOP);
    model = "m";
    routes[1] = (struct route_choice){
        .provider = &tap_provider,
        .account = {.base_url = tap_url, .key = ""},
        .model = "m-2",
    };
    n_routes = 2;
    tap_refuse(0, 1, 401);
    start(&tap_provider, "tap 0");
    expect(FINISH_STOP, true, "from two", 2);
}

static void
a_kept_answer_says_nothing_about_the_provider(void **state)
{
    (void)state;
    ask_first("tap 0", "one", FINISH_STOP);
    config.retries = 0;
    tap_refuse(0, CIRCUIT_FAILURES, 503);
    for (int i = 0; i < CIRCUIT_FAILURES; i++) {
        start(&tap_provider, "tap 0 else");
        spin_done();
    }
    while (circuit_state(config.circuits, &tap_provider, clock_mono_ms()) !=
           CIRCUIT_HALF_OPEN)
        spin(10);
    start(&tap_provider, "tap 0");
    expect(FINISH_STOP, true, "one", 1 + CIRCUIT_FAILURES);
    assert_int_equal(
        circuit_state(config.circuits, &tap_provider, clock_mono_ms()),
        CIRCUIT_HALF_OPEN);
    ask_first("tap 0 else", "up again", FINISH_STOP); /* it may be asked */
    expect(FINISH_STOP, false, "up again", 2 + CIRCUIT_FAILURES);
}

static void
a_kept_answer_can_be_cancelled_before_it_is_told(void **state)
{
    (void)state;
    ask_first("tap 0", "one", FINISH_STOP);
    start(&tap_provider, "tap 0");
    generator_cancel(generator);
    generator = NULL;
    spin(20);
    assert_int_equal(told.len + (size_t)(n_done + n_cached), 0);
}

/* --- turns ---------------------------------------------------------------- */

static int
turn_setup(void **state)
{
    (void)state;
    rig_folder();
    conf_override(CONF_CACHE_TTL_S, "600");
    taps_start();
    rig_start();
    return 0;
}

static int
shared_setup(void **state)
{
    (void)state;
    rig_folder();
    conf_override(CONF_CACHE_TTL_S, "600");
    conf_override(CONF_CACHE_SHARED, "1");
    taps_start();
    rig_start();
    return 0;
}

static struct record *
whole(struct record *rec)
{
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    return rec;
}

static void
a_turn_says_that_its_answer_was_kept_and_cost_nothing(void **state)
{
    int64_t tokens = metric_get(METRIC_OUTPUT_TOKENS);
    struct record *rec;

    (void)state;
    tap_text(0, "42");
    tap_put(0, 'U', "10 20 0", 7);
    tap_finish(0, FINISH_STOP);
    rec = whole(ask_tap("one", "tap 0 why"));
    assert_end_has(rec, "\"notes\":[]");
    assert_end_has(rec, "\"cost_usd\":null");
    rec = whole(ask_tap("two", "tap 0 why"));
    assert_int_equal(tap_count(&taps[0].asked), 1);
    assert_end_has(rec, "\"message\":\"42\"");
    assert_end_has(rec, "\"notes\":[{\"code\":\"cached\",\"message\":\"This "
                        "answer was kept from an earlier, equal question.\"}]");
    assert_end_has(rec, "\"input_tokens\":10,\"output_tokens\":20");
    assert_end_has(rec, "\"cost_usd\":0}");
    assert_stored("two", "user:tap 0 why|assistant:42(stop)|");
    assert_int_equal(metric_get(METRIC_OUTPUT_TOKENS), tokens + 20);
}

static void
a_turn_of_another_owner_is_asked(void **state)
{
    struct turn_ask *a = ask_new(&tap_provider, "hers", "tap 0 why");
    struct record *rec;

    (void)state;
    tap_text(0, "42");
    tap_finish(0, FINISH_STOP);
    (void)whole(ask_tap("one", "tap 0 why"));
    tap_text(0, "43");
    tap_finish(0, FINISH_STOP);
    a->owner = "ann";
    rec = whole(ask_it(a));
    assert_end_has(rec, "\"message\":\"43\"");
    assert_int_equal(tap_count(&taps[0].asked), 2);
}

static void
where_answers_are_shared_a_turn_of_another_owner_is_not_asked(void **state)
{
    struct turn_ask *a = ask_new(&tap_provider, "hers", "tap 0 why");
    struct record *rec;

    (void)state;
    tap_text(0, "42");
    tap_finish(0, FINISH_STOP);
    (void)whole(ask_tap("one", "tap 0 why"));
    a->owner = "ann";
    rec = whole(ask_it(a));
    assert_end_has(rec, "\"message\":\"42\"");
    assert_end_has(rec, "\"cached\"");
    assert_int_equal(tap_count(&taps[0].asked), 1);
}

static void
a_turn_that_begins_anew_forgets_that_it_was_kept(void **state)
{
    struct record *rec, *late;

    (void)state;
    tap_text(0, "42");
    tap_finish(0, FINISH_STOP);
    (void)whole(ask_tap("one", "tap 0 why"));
    /* Another process adds to the session while the turn begins. */
    hold_committer();
    rec = ask_tap("two", "tap 0 why");
    late = ask_tap("three", "tap 0 why");
    rig_settle();
    hold_release();
    assert_end_has(whole(rec), "\"cached\"");
    assert_end_has(whole(late), "\"cached\"");
    assert_int_equal(tap_count(&taps[0].asked), 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define TURN(f) cmocka_unit_test_setup_teardown(f, turn_setup, rig_teardown)
#define SHARED(f) cmocka_unit_test_setup_teardown(f, shared_setup, rig_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_equal_question_is_answered_alike_and_not_asked),
        T(another_question_model_or_owner_is_asked),
        T(where_answers_are_shared_the_owner_does_not_matter),
        T(an_answer_that_is_too_old_is_asked_for_again),
        T(without_an_owner_or_a_cache_nothing_is_kept),
        T(a_generator_may_not_care_that_it_was_kept),
        T(what_did_not_end_well_is_not_kept),
        T(thoughts_without_a_text_are_not_kept),
        T(what_calls_tools_is_not_kept),
        T(what_was_cancelled_is_not_kept),
        T(an_answer_past_the_limit_is_passed_on_and_not_kept),
        T(a_local_answer_is_not_kept),
        T(only_the_try_that_answered_is_kept),
        T(a_question_that_waits_to_be_tried_again_sees_the_new_answer),
        T(a_fallback_is_looked_for_as_well),
        T(a_kept_answer_says_nothing_about_the_provider),
        T(a_kept_answer_can_be_cancelled_before_it_is_told),
        TURN(a_turn_says_that_its_answer_was_kept_and_cost_nothing),
        TURN(a_turn_of_another_owner_is_asked),
        SHARED(where_answers_are_shared_a_turn_of_another_owner_is_not_asked),
        TURN(a_turn_that_begins_anew_forgets_that_it_was_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
