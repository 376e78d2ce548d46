/*
 * The committer: batches, order, failure. On a backend that only counts, and
 * on LMDB for what many threads do to it.
 */
#include "store_test.h"

#include <pthread.h>

/* --- a backend that counts ----------------------------------------------- */

static struct {
    pthread_mutex_t mu; /* guards gate */
    pthread_cond_t cond;
    bool gate;        /* apply waits while it is closed */
    unsigned waiting; /* in apply; guarded by mu */
    size_t sizes[64]; /* of batches, in order */
    unsigned batches;
    size_t too_big; /* batches of more than this fail; 0: none */
    enum err fail;  /* what every batch meets */
} fake = {.mu = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER};

static enum err
fake_open(void **impl, const struct store_config *c)
{
    (void)c;
    *impl = &fake;
    return OK;
}

static void
fake_close(void *impl)
{
    (void)impl;
}

static enum err
fake_apply(void *impl, struct store_op *const ops[], size_t n, bool *wrote)
{
    (void)impl;
    (void)pthread_mutex_lock(&fake.mu);
    fake.waiting++;
    while (fake.gate)
        (void)pthread_cond_wait(&fake.cond, &fake.mu);
    fake.waiting--;
    (void)pthread_mutex_unlock(&fake.mu);
    *wrote = n > 0;
    if (n == 0)
        return OK;
    if (fake.too_big > 0 && n > fake.too_big)
        return ERR_TOOBIG;
    assert_true(fake.batches < COUNT_OF(fake.sizes));
    fake.sizes[fake.batches++] = n;
    for (size_t i = 0; i < n; i++)
        ops[i]->err = OK;
    return fake.fail;
}

static enum err
fake_messages(void *impl, const struct message_query *q, struct session *sess,
              message_fn *fn, void *arg)
{
    (void)impl;
    (void)q;
    (void)sess;
    (void)fn;
    (void)arg;
    return ERR_NOTFOUND;
}

static void
fake_stats(void *impl, struct store_stats *out)
{
    (void)impl;
    out->sessions = 7;
}

static const struct backend fake_backend = {
    .name = "fake",
    .open = fake_open,
    .close = fake_close,
    .apply = fake_apply,
    .messages = fake_messages,
    .stats = fake_stats,
};

static void
gate_set(bool closed)
{
    (void)pthread_mutex_lock(&fake.mu);
    fake.gate = closed;
    (void)pthread_cond_broadcast(&fake.cond);
    (void)pthread_mutex_unlock(&fake.mu);
}

/* Until the committer stands at the gate. */
static void
gate_await(void)
{
    bool there = false;

    while (!there) {
        (void)pthread_mutex_lock(&fake.mu);
        there = fake.waiting > 0;
        (void)pthread_mutex_unlock(&fake.mu);
        (void)usleep(500);
    }
}

/* --- order --------------------------------------------------------------- */

static unsigned done_order[200];
static unsigned n_done;

static void
note_done(struct store_op *op)
{
    done_order[n_done++] = (unsigned)(uintptr_t)op->arg;
}

static struct store *s;

static int
setup(void **state)
{
    struct store_config c = {.dir = ""};

    (void)state;
    fake.batches = 0;
    fake.too_big = 0;
    fake.fail = OK;
    n_done = 0;
    assert_int_equal(store_open_on(&s, &fake_backend, &c), OK);
    return 0;
}

static void
submit(struct store_op ops[], unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        ops[i] = (struct store_op){.kind = STORE_PROBE,
                                   .done = note_done,
                                   .arg = (void *)(uintptr_t)i};
        store_submit(s, &ops[i]);
        if (i == 0)
            gate_await(); /* the first one is a batch of its own */
    }
}

static void
what_gathers_is_one_batch_in_order(void **state)
{
    static struct store_op ops[100];

    (void)state;
    gate_set(true);
    submit(ops, COUNT_OF(ops));
    gate_set(false);
    store_close(s);
    assert_int_equal(n_done, COUNT_OF(ops));
    for (unsigned i = 0; i < n_done; i++) {
        assert_int_equal(done_order[i], i);
        assert_int_equal(ops[i].err, OK);
    }
    assert_int_equal(fake.batches, 2);
    assert_int_equal(fake.sizes[0], 1);
    assert_int_equal(fake.sizes[1], COUNT_OF(ops) - 1);
}

static void
a_failed_batch_fails_whole_and_once(void **state)
{
    static struct store_op ops[50];

    (void)state;
    gate_set(true);
    submit(ops, COUNT_OF(ops));
    fake.fail = ERR_FULL;
    gate_set(false);
    store_close(s);
    assert_int_equal(fake.batches, 2);
    assert_int_equal(n_done, COUNT_OF(ops));
    for (unsigned i = 0; i < COUNT_OF(ops); i++)
        assert_int_equal(ops[i].err, ERR_FULL);
}

static void
a_batch_that_is_too_big_is_halved(void **state)
{
    static struct store_op ops[41];

    (void)state;
    gate_set(true);
    submit(ops, COUNT_OF(ops));
    fake.too_big = 12;
    gate_set(false);
    store_close(s);
    assert_int_equal(n_done, COUNT_OF(ops));
    for (unsigned i = 0; i < COUNT_OF(ops); i++) {
        assert_int_equal(done_order[i], i);
        assert_int_equal(ops[i].err, OK);
    }
    assert_int_equal(fake.batches, 5); /* 1 and 4 times 10 */
    assert_int_equal(fake.sizes[1], 10);
}

/* Four of the longest texts fill a batch to the byte; the fake looks at none
 * of them. */
static void
batches_are_bounded_in_bytes(void **state)
{
    struct store_op ops[6];

    for (size_t extra = 0; extra < 2; extra++) {
        if (extra > 0)
            assert_int_equal(setup(state), 0);
        gate_set(true);
        submit(ops, 1);
        for (unsigned i = 1; i < COUNT_OF(ops); i++) {
            ops[i] = op_end(&ops[0].end.turn, "");
            ops[i].end.answer.text_len = STORE_TEXT_MAX;
            ops[i].end.answer.extra_len = i == 4 ? extra : 0;
            ops[i].done = note_done;
            store_submit(s, &ops[i]);
        }
        gate_set(false);
        store_close(s);
        assert_int_equal(fake.batches, 3);
        assert_int_equal(fake.sizes[0], 1);
        assert_int_equal(fake.sizes[1], extra == 0 ? 4 : 3);
        assert_int_equal(fake.sizes[2], extra == 0 ? 1 : 2);
    }
}

static void
statistics_count(void **state)
{
    struct store_op op = {.kind = STORE_PROBE};
    struct store_stats st;

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(store_apply(s, &op), OK);
    store_stats(s, &st);
    assert_int_equal(st.commits, 3);
    assert_int_equal(st.ops, 3);
    assert_int_equal(st.failures, 0);
    assert_int_equal(st.sessions, 7);
    assert_false(st.full);
    fake.fail = ERR_FULL;
    assert_int_equal(store_apply(s, &op), ERR_FULL);
    store_stats(s, &st);
    assert_int_equal(st.failures, 1);
    assert_true(st.full);
    fake.fail = ERR_STORE;
    assert_int_equal(store_apply(s, &op), ERR_STORE);
    store_stats(s, &st);
    assert_true(st.full); /* that says nothing about room */
    fake.fail = OK;
    assert_int_equal(store_apply(s, &op), OK);
    store_stats(s, &st);
    assert_false(st.full);
    store_close(s);
}

/* --- many threads -------------------------------------------------------- */

enum { THREADS = 16, TURNS = 60 };

static void *
make_turns(void *arg)
{
    unsigned k = (unsigned)(uintptr_t)arg;
    char id[16];

    for (int i = 0; i < TURNS; i++) {
        (void)snprintf(id, sizeof(id), "t%u-%d", k, i % 5);
        (void)put_turn(s, "ann", id, "q", "a");
    }
    return NULL;
}

static void
many_threads_share_commits(const struct backend *be)
{
    char dir[256];
    struct store_config c = {.dir = dir, .map_bytes = TEST_MAP};
    pthread_t threads[THREADS];
    struct store_stats st;

    folder_make(dir);
    assert_int_equal(store_open_on(&s, be, &c), OK);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, make_turns, (void *)(uintptr_t)i),
            0);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    store_stats(s, &st);
    assert_int_equal(st.ops, THREADS * TURNS * 2);
    assert_int_equal(st.sessions, THREADS * 5);
    assert_int_equal(st.messages, THREADS * TURNS * 2);
    if (be == &lmdb_backend) /* whose commits take time */
        assert_true(st.commits < st.ops / 2);
    for (unsigned i = 0; i < THREADS; i++) {
        struct session sess;
        char id[16];

        (void)snprintf(id, sizeof(id), "t%u-0", i);
        assert_int_equal(store_session(s, "ann", id, &sess), OK);
        assert_int_equal(sess.n_messages, TURNS / 5 * 2);
    }
    store_close(s);
    folder_remove(dir);
}

static void
many_threads_share_commits_on_lmdb(void **state)
{
    (void)state;
    many_threads_share_commits(&lmdb_backend);
}

static void
many_threads_share_commits_in_memory(void **state)
{
    (void)state;
    many_threads_share_commits(&memstore_backend);
}

/* Operations on the heap, freed by the callback. */
static unsigned freed;

static void
free_op(struct store_op *op)
{
    freed++;
    free(op);
}

static void
closing_commits_what_waits(void **state)
{
    char dir[256];
    struct store_config c = {.dir = dir, .map_bytes = TEST_MAP};
    struct session sess;

    (void)state;
    folder_make(dir);
    assert_int_equal(store_open(&s, &c), OK);
    freed = 0;
    for (int i = 0; i < 500; i++) {
        struct store_op *op = malloc(sizeof(*op));

        assert_non_null(op);
        *op = op_begin("", i == 499 ? "last" : "abc", "q");
        op->done = free_op;
        store_submit(s, op);
    }
    store_close(s);
    assert_int_equal(freed, 500);
    assert_int_equal(store_open(&s, &c), OK);
    assert_int_equal(store_session(s, "", "last", &sess), OK);
    store_close(s);
    folder_remove(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_gathers_is_one_batch_in_order, setup),
        cmocka_unit_test_setup(a_failed_batch_fails_whole_and_once, setup),
        cmocka_unit_test_setup(a_batch_that_is_too_big_is_halved, setup),
        cmocka_unit_test_setup(batches_are_bounded_in_bytes, setup),
        cmocka_unit_test_setup(statistics_count, setup),
        cmocka_unit_test(many_threads_share_commits_on_lmdb),
        cmocka_unit_test(many_threads_share_commits_in_memory),
        cmocka_unit_test(closing_commits_what_waits),
    };

    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
