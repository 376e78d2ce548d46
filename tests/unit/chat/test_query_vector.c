/* Tests of chat/query_vector.c: when a question's vector is asked for, how long
 * it is waited for, and what is kept. */
#include "embed_rig.h"

#include "chat/query_asked.h"

static const struct payer nobody = {.owner = ""};

static int64_t chunks[2]; /* that are there */
static size_t n_chunks;

static bool
note_chunk(void *arg, int64_t chunk, const char *name, const char *text,
           size_t n)
{
    (void)arg;
    (void)name;
    (void)text;
    (void)n;
    chunks[n_chunks++] = chunk;
    return n_chunks < COUNT_OF(chunks);
}

/* Give the first n chunks without a vector of this model one. */
static void
have_vectors(const char *model, size_t n)
{
    static const float rows[] = {1, 0, 1, 0};

    n_chunks = 0;
    assert_int_equal(files_pending(fs, model, false, 2, note_chunk, NULL), OK);
    assert_true(n_chunks >= n);
    assert_int_equal(files_vectors(fs, model, chunks, rows, n, 2), OK);
}

/* One chunk with a vector of the model; nothing goes on in the background. */
static void
begin(void)
{
    put_chunks("a", "x", 1);
    have_vectors(MODEL, 1);
    assert_int_equal(embedded(), 1);
    embed_begin(false);
}

struct asking {
    struct files_query q;
    struct query_vector v;
};

/* The query borrows from where it is filled in. */
static void
query_as(struct asking *a, const char *text, const char *recent,
         const struct payer *payer, const struct buf *away)
{
    *a = (struct asking){.q = {.owner = FILES_SHARED,
                               .text = text,
                               .len = strlen(text),
                               .recent = recent,
                               .recent_len = strlen(recent)}};
    query_vector(rig, &a->q, payer, away, &a->v);
}

/* Has it a vector? */
static bool
query(const char *text)
{
    struct asking a;
    bool has;

    query_as(&a, text, "", &nobody, NULL);
    has = a.q.vector != NULL;
    assert_true(a.q.vector == a.v.typed);
    query_vector_release(&a.v);
    return has;
}

/* --- asking --------------------------------------------------------------- */

static void
both_texts_are_asked_for_at_once(void **state)
{
    struct asking a;

    (void)state;
    begin();
    query_as(&a, "xxx", "xx\n", &nobody, NULL);
    assert_string_equal(served.seen, "xxx|xx\n|\n");
    assert_int_equal(a.q.dims, 2);
    assert_string_equal(a.q.model, MODEL);
    assert_true(a.q.vector[0] > 2.9F && a.q.vector[0] < 3.1F);
    assert_true(a.q.recent_vector[0] > 1.9F && a.q.recent_vector[0] < 2.1F);
    query_vector_release(&a.v);
    assert_null(a.v.typed);
    query_as(&a, "xx\n", "x", &nobody, NULL); /* one of them is known */
    assert_non_null(a.q.recent_vector);
    assert_string_equal(served.seen, "xxx|xx\n|\nx|\n");
    query_vector_release(&a.v);
}

static void
what_must_not_leave_is_not_sent(void **state)
{
    struct asking a;
    struct buf away;

    (void)state;
    begin();
    buf_init(&away, 100);
    buf_adds(&away, "only this");
    query_as(&a, "x", "a secret", &nobody, &away);
    assert_int_equal(served_times("a secret"), 1); /* it is this machine */
    query_vector_release(&a.v);
    rig_stop(0);
    assert_int_equal(files_vectors_only(fs, ""), OK);
    conf_override(CONF_EMBED_MODEL, MODEL "-cloud");
    have_vectors(MODEL "-cloud", 1);
    embed_begin(false);
    query_as(&a, "x", "a secret", &nobody, &away);
    assert_int_equal(served_times("a secret"), 1);
    assert_int_equal(served_times("only this"), 1);
    assert_non_null(a.q.recent_vector);
    query_vector_release(&a.v);
    buf_release(&away);
}

static void
nobody_is_asked_where_nothing_is_to_be_found(void **state)
{
    struct asking a = {.q = {.owner = "local/ann", .text = "x", .len = 1}};

    (void)state;
    put_chunks("a", "x", 1);
    embed_begin(false);
    assert_false(query("x")); /* no chunk has a vector */
    rig_stop(0);
    begin();
    assert_int_equal(files_claim(fs, FILES_SHARED, "local/bob"), OK);
    query_vector(rig, &a.q, &nobody, NULL, &a.v);
    assert_null(a.q.vector); /* it is all another's */
    a.q.owner = "local/bob";
    a.q.text = " \t\n";
    a.q.len = 3;
    query_vector(rig, &a.q, &nobody, NULL, &a.v);
    assert_null(a.q.vector);
    assert_int_equal(served_asked(), 0);
    a.q.text = "x";
    a.q.len = 1;
    query_vector(rig, &a.q, &nobody, NULL, &a.v);
    assert_non_null(a.q.vector);
    query_vector_release(&a.v);
}

static void
any_bytes_can_be_asked_for(void **state)
{
    char *text = xcalloc(FILES_QUERY_MAX + 2, 1);
    struct asking a = {.q = {.owner = FILES_SHARED, .text = text}};

    (void)state;
    begin();
    (void)memset(text, 'x', FILES_QUERY_MAX + 1);
    a.q.len = FILES_QUERY_MAX;
    query_vector(rig, &a.q, &nobody, NULL, &a.v);
    assert_true(a.q.vector[0] > FILES_QUERY_MAX - 1);
    query_vector_release(&a.v);
    a.q.len = FILES_QUERY_MAX + 1; /* the same, as far as it is looked at */
    query_vector(rig, &a.q, &nobody, NULL, &a.v);
    assert_non_null(a.q.vector);
    query_vector_release(&a.v);
    assert_int_equal(served_asked(), 1);
    (void)memcpy(text, "x\0\xff\xfex", 5);
    a.q.len = 5;
    query_vector(rig, &a.q, &nobody, NULL, &a.v);
    assert_true(a.q.vector[0] > 1.9F && a.q.vector[0] < 2.1F);
    query_vector_release(&a.v);
    free(text);
}

static void
the_last_ones_are_kept(void **state)
{
    char text[16];

    (void)state;
    begin();
    for (int i = 0; i < QUERY_VECTORS_KEPT; i++) {
        (void)snprintf(text, sizeof(text), "text %d.", i);
        assert_true(query(text));
    }
    assert_true(query("text 0."));
    assert_int_equal(served_asked(), QUERY_VECTORS_KEPT);
    assert_true(query("one more"));
    assert_true(query("text 0.")); /* it was used again: */
    assert_int_equal(served_asked(), QUERY_VECTORS_KEPT + 1);
    assert_true(query("text 1.")); /* this was not */
    assert_int_equal(served_asked(), QUERY_VECTORS_KEPT + 2);
}

/* --- waiting -------------------------------------------------------------- */

static void
one_that_comes_late_is_kept_for_the_next_time(void **state)
{
    (void)state;
    conf_override(CONF_EMBED_WAIT_MS, "20");
    begin();
    served_hold(true);
    assert_false(query("x"));
    wait_until(served_asked() == 1);
    assert_false(query("xx")); /* nobody else waits meanwhile */
    assert_int_equal(served_asked(), 1);
    served_hold(false);
    wait_until(query("x"));
    assert_int_equal(served_asked(), 1);
}

static void
after_a_failure_nobody_is_asked_for_a_while(void **state)
{
    (void)state;
    begin();
    assert_true(query("known"));
    served_status(500);
    assert_false(query("x"));
    served_status(200);
    assert_false(query("x"));
    assert_true(query("known"));
    assert_int_equal(served_asked(), 2);
    wait_until(query("x"));
    assert_int_equal(served_asked(), 3);
}

struct on_worker {
    bool has;
    atomic_bool over;
};

static void
query_on_worker(void *arg)
{
    struct on_worker *w = arg;

    w->has = query("x");
    atomic_store(&w->over, true);
}

static void
the_last_worker_may_wait(void **state)
{
    struct on_worker w = {.has = false};
    struct job job = {.run = query_on_worker, .arg = &w};

    (void)state;
    conf_override(CONF_EMBED_WAIT_MS, "60000");
    begin();
    workers_run(rig->workers, &job);
    while (!atomic_load(&w.over)) /* at most EMBED_WAIT_MS */
        fake_sleep_ms(2);
    assert_true(w.has);
}

static void *
query_on_thread(void *arg)
{
    *(bool *)arg = query("x");
    return NULL;
}

static void
a_stop_lets_go_who_waits(void **state)
{
    pthread_t thread;
    bool has = true;

    (void)state;
    conf_override(CONF_EMBED_WAIT_MS, "60000");
    begin();
    served_hold(true);
    assert_int_equal(pthread_create(&thread, NULL, query_on_thread, &has), 0);
    wait_until(served_asked() == 1);
    {
        int64_t deadline_ms = INT32_MAX;

        engine_call(rig, rig_drain, &deadline_ms);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_false(has);
    assert_false(query("xx"));
    assert_int_equal(served_asked(), 1);
    assert_int_equal(pthread_join(rig_thread, NULL), 0);
    engine_close(rig);
    rig = NULL;
}

static void
a_budget_is_its_owners_own_matter(void **state)
{
    static const struct payer poor = {
        .owner = "", .key = "k-1", .key_limits = {.day_tokens = 1}};
    struct asking a;

    (void)state;
    begin();
    query_as(&a, "a text of more than one token, by far", "", &poor, NULL);
    assert_null(a.q.vector);
    assert_int_equal(served_asked(), 0);
    assert_true(query("x"));
}

/* --- which model ---------------------------------------------------------- */

static void
the_model_that_most_chunks_have_serves(void **state)
{
    struct asking a;

    (void)state;
    put_chunks("a", "x", 2);
    have_vectors("openai/old", 2);
    have_vectors("nobody/knows", 2);
    have_vectors(MODEL, 1);
    embed_begin(false);
    query_as(&a, "x", "", &nobody, NULL);
    assert_string_equal(a.q.model, "openai/old");
    query_vector_release(&a.v);
    rig_stop(0);
    have_vectors(MODEL, 1);
    embed_begin(false);
    query_as(&a, "x", "", &nobody, NULL);
    assert_string_equal(a.q.model, MODEL);
    query_vector_release(&a.v);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(both_texts_are_asked_for_at_once),
        T(what_must_not_leave_is_not_sent),
        T(nobody_is_asked_where_nothing_is_to_be_found),
        T(any_bytes_can_be_asked_for),
        T(the_last_ones_are_kept),
        T(one_that_comes_late_is_kept_for_the_next_time),
        T(after_a_failure_nobody_is_asked_for_a_while),
        T(the_last_worker_may_wait),
        T(a_stop_lets_go_who_waits),
        T(a_budget_is_its_owners_own_matter),
        T(the_model_that_most_chunks_have_serves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
