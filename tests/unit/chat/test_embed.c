/* Tests of chat/embed.c: requests one after the other, tries, and clients that
 * leave. */
#include "chat_test.h"

#include "base/metric.h"
#include "chat/embed.h"

/* --- a provider of embeddings --------------------------------------------- */

/* Its reply is a frame of a tap with "rows tokens"; each row is its number in
 * the reply. A gate, if there is one, holds the worker that reads it. */
static sem_t gate, there;
static bool gated;

static enum err
build(const struct embed_ask *ask, const struct account *acc,
      struct upstream_request *out, struct problem *why)
{
    char url[128];

    if (strcmp(ask->texts[0], "unaskable") == 0)
        return problem_set(why, ERR_BADREQ, "unaskable", "Not to be asked",
                           NULL);
    (void)snprintf(url, sizeof(url), "%s/0", acc->base_url);
    out->method = "POST";
    out->url = xstrdup(url);
    buf_addf(&out->body, "%s:%s+%zu", ask->model, ask->texts[0], ask->n_texts);
    return OK;
}

static enum err
read_reply(const char *body, size_t n, struct embeddings *out,
           struct problem *why)
{
    char text[64];
    int rows, tokens;

    if (gated) {
        (void)sem_post(&there);
        while (sem_wait(&gate) != 0)
            ;
    }
    (void)snprintf(text, sizeof(text), "%.*s", (int)(n > 5 ? n - 5 : 0),
                   n > 5 ? body + 5 : "");
    if (sscanf(text, "%d %d", &rows, &tokens) != 2)
        return problem_set(why, ERR_UPSTREAM, "tap_garbage", "No rows", NULL);
    out->n = (size_t)rows;
    out->dimensions = 1;
    out->tokens = tokens;
    out->values = xcalloc((size_t)rows, sizeof(*out->values));
    for (int i = 0; i < rows; i++)
        out->values[i] = (float)i;
    return OK;
}

static struct provider provider;

/* --- a client ------------------------------------------------------------- */

static struct embed em;
static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER; /* all below */
static struct buf heard;                               /* "first+n|…" */
static int n_attached, n_done;
static struct problem problem; /* of done */
static int64_t tokens;

static void
on_attached(struct embed *e)
{
    assert_ptr_equal(e, &em);
    (void)pthread_mutex_lock(&mu);
    n_attached++;
    (void)pthread_mutex_unlock(&mu);
}

static void
on_rows(struct embed *e, size_t first, const struct embeddings *rows)
{
    assert_ptr_equal(e, &em);
    (void)pthread_mutex_lock(&mu);
    buf_addf(&heard, "%zu+%zu|", first, rows->n);
    (void)pthread_mutex_unlock(&mu);
}

static void
on_done(struct embed *e, const struct problem *p)
{
    (void)pthread_mutex_lock(&mu);
    n_done++;
    tokens = e->tokens;
    problem = p != NULL ? *p : (struct problem){.err = OK};
    (void)pthread_mutex_unlock(&mu);
}

static const struct embed_ops ops = {
    .attached = on_attached,
    .rows = on_rows,
    .done = on_done,
};

static const char *const texts[] = {"a", "b", "c", "d", "e"};

static int
setup(void **state)
{
    provider = tap_provider;
    provider.embed_max = 2;
    provider.embed_build = build;
    provider.embed_read = read_reply;
    memset(&em, 0, sizeof(em));
    n_attached = n_done = 0;
    gated = false;
    (void)sem_init(&gate, 0, 0);
    (void)sem_init(&there, 0, 0);
    buf_init(&heard, 1 << 16);
    return rig_setup(state);
}

static int
teardown(void **state)
{
    int e = rig_teardown(state);

    buf_release(&heard);
    (void)sem_destroy(&gate);
    (void)sem_destroy(&there);
    return e;
}

static void
embed_it(size_t n)
{
    em.ops = &ops;
    em.route.provider = &provider;
    em.route.account.base_url = tap_url;
    em.route.account.key = "";
    em.route.model = "e-1";
    em.ask.texts = texts;
    em.ask.n_texts = n;
    embed_post(rig, &em);
}

/* The reply to the n-th request (from 1). */
static void
reply(int n, const char *text)
{
    tap_wait_asked(0, n);
    tap_text(0, text);
    tap_close(0, false);
}

static void
wait_done(void)
{
    int64_t until_ms = clock_mono_ms() + TAP_WAIT_MS;
    int done = 0;

    while (done == 0 && clock_mono_ms() < until_ms) {
        fake_sleep_ms(2);
        (void)pthread_mutex_lock(&mu);
        done = n_done;
        (void)pthread_mutex_unlock(&mu);
    }
    assert_int_equal(done, 1);
}

static void
run_cancel(void *arg)
{
    embed_cancel(arg);
}

/* --- tests ---------------------------------------------------------------- */

static void
texts_go_in_as_many_requests_as_it_takes(void **state)
{
    (void)state;
    embed_it(5);
    reply(1, "2 3");
    reply(2, "2 4");
    reply(3, "1 5");
    wait_done();
    assert_int_equal(problem.err, OK);
    assert_int_equal(n_attached, 1);
    assert_string_equal(buf_cstr(&heard), "0+2|2+2|4+1|");
    assert_int_equal(tokens, 12);
    assert_int_equal(tap_count(&taps[0].asked), 3);
}

static void
tokens_that_one_reply_does_not_tell_are_not_known(void **state)
{
    (void)state;
    embed_it(3);
    reply(1, "2 3");
    reply(2, "1 -1");
    wait_done();
    assert_int_equal(problem.err, OK);
    assert_int_equal(tokens, -1);
}

static void
a_refusal_is_tried_again(void **state)
{
    int64_t retries = metric_get(METRIC_UPSTREAM_RETRIES);

    (void)state;
    tap_refuse(0, 1, 503);
    embed_it(1);
    reply(2, "1 1");
    wait_done();
    assert_int_equal(problem.err, OK);
    assert_string_equal(buf_cstr(&heard), "0+1|");
    assert_int_equal(metric_get(METRIC_UPSTREAM_RETRIES), retries + 1);
}

static void
a_refusal_for_good_is_the_end(void **state)
{
    (void)state;
    tap_refuse(0, 1, 400);
    embed_it(1);
    wait_done();
    assert_string_equal(problem.code, "tap_refused");
    assert_int_equal(tap_count(&taps[0].asked), 1);
    assert_int_equal(heard.len, 0);
}

static void
what_cannot_be_asked_is_the_end(void **state)
{
    static const char *const bad[] = {"unaskable"};

    (void)state;
    em.ops = &ops;
    em.route.provider = &provider;
    em.route.account.base_url = tap_url;
    em.route.model = "e-1";
    em.ask.texts = bad;
    em.ask.n_texts = 1;
    embed_post(rig, &em);
    wait_done();
    assert_string_equal(problem.code, "unaskable");
}

static void
too_few_rows_are_no_answer(void **state)
{
    (void)state;
    embed_it(2);
    reply(1, "1 1");
    wait_done();
    assert_string_equal(problem.code, "provider_garbage");
    assert_int_equal(heard.len, 0);
}

static void
what_is_not_understood_is_no_answer(void **state)
{
    (void)state;
    embed_it(1);
    reply(1, "what?");
    wait_done();
    assert_string_equal(problem.code, "tap_garbage");
}

static void
a_client_that_leaves_takes_the_provider_along(void **state)
{
    (void)state;
    embed_it(1);
    tap_wait_asked(0, 1);
    engine_call(rig, run_cancel, &em);
    assert_int_equal(n_done, 1);
    assert_int_equal(problem.err, ERR_HUP);
    tap_wait_left(0, 1);
}

static void
a_client_that_leaves_waits_for_the_worker(void **state)
{
    (void)state;
    gated = true;
    embed_it(3);
    reply(1, "2 1");
    while (sem_wait(&there) != 0)
        ;
    engine_call(rig, run_cancel, &em);
    rig_settle();
    assert_int_equal(n_done, 0);
    (void)sem_post(&gate);
    wait_done();
    assert_int_equal(problem.err, ERR_HUP);
    assert_int_equal(tap_count(&taps[0].asked), 1);
}

/* A reply of so many bytes. */
static void
reply_of(size_t n)
{
    char *text = xcalloc(n + 1, 1);

    (void)memset(text, ' ', n);
    (void)memcpy(text, "1 1", 3);
    tap_wait_asked(0, 1);
    tap_put(0, 'T', text, n - 5); /* a frame has five bytes more */
    tap_close(0, false);
    free(text);
}

static void
look_working(void *arg)
{
    *(bool *)arg = em.working;
}

static void
wait_working(void)
{
    int64_t until_ms = clock_mono_ms() + TAP_WAIT_MS;
    bool working = false;

    while (!working && clock_mono_ms() < until_ms) {
        fake_sleep_ms(2);
        engine_call(rig, look_working, &working);
    }
    assert_true(working);
}

static void
one_that_is_wanted_soon_needs_no_worker(void **state)
{
    (void)state;
    hold_worker();
    em.soon = true;
    embed_it(1);
    reply_of(EMBED_SOON_MAX);
    wait_done();
    assert_int_equal(problem.err, OK);
    assert_string_equal(buf_cstr(&heard), "0+1|");
    hold_release();
}

static void
unless_it_is_long(void **state)
{
    (void)state;
    hold_worker();
    em.soon = true;
    embed_it(1);
    reply_of(EMBED_SOON_MAX + 1);
    wait_working();
    assert_int_equal(n_done, 0);
    hold_release();
    wait_done();
    assert_string_equal(buf_cstr(&heard), "0+1|");
}

static void
a_process_that_stops_ends_it(void **state)
{
    (void)state;
    embed_it(1);
    tap_wait_asked(0, 1);
    rig_stop(1);
    assert_int_equal(n_done, 1);
    assert_int_equal(problem.err, ERR_STOPPING);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(texts_go_in_as_many_requests_as_it_takes),
        T(tokens_that_one_reply_does_not_tell_are_not_known),
        T(a_refusal_is_tried_again),
        T(a_refusal_for_good_is_the_end),
        T(what_cannot_be_asked_is_the_end),
        T(too_few_rows_are_no_answer),
        T(what_is_not_understood_is_no_answer),
        T(a_client_that_leaves_takes_the_provider_along),
        T(a_client_that_leaves_waits_for_the_worker),
        T(one_that_is_wanted_soon_needs_no_worker),
        T(unless_it_is_long),
        T(a_process_that_stops_ends_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
