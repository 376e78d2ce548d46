/*
 * Tests of how changes are told: every operation that was carried out, before
 * it is done, on every backend; and how the commits of other processes are
 * counted apart from our own, by LMDB.
 */
#include "store_test.h"

static struct on_store on_lmdb = {.be = &lmdb_backend};
static struct on_store on_memory = {.be = &memstore_backend};

/* --- operations ----------------------------------------------------------- */

struct told {
    char kinds[64]; /* a digit each */
    size_t n;
    bool done_first;       /* an operation was done before it was told */
    struct store *visible; /* it must show what is told */
    bool invisible;
};

static void
take_change(void *arg, const struct store_op *op)
{
    struct told *t = arg;
    struct session s;

    if (t->n + 1 < sizeof(t->kinds))
        t->kinds[t->n++] = (char)('0' + op->kind);
    t->done_first |= op->arg == NULL;
    if (op->kind == STORE_TURN_BEGIN &&
        store_session(t->visible, op->owner, op->session_id, &s) != OK)
        t->invisible = true;
}

static void
each_operation_is_told_after_its_commit(void **state)
{
    struct on_store *f = *state;
    struct told t = {.visible = f->s};
    struct store_op begin = op_begin("", "s", "q"), end, other;

    store_on_change(f->s, take_change, &t);
    assert_int_equal(store_apply(f->s, &begin), OK);
    end = op_end(&begin.begin.turn, "a");
    assert_int_equal(store_apply(f->s, &end), OK);
    other = op_title("", "s", "new");
    assert_int_equal(store_apply(f->s, &other), OK);
    other = op_on(STORE_SESSION_CLEAR, "", "s");
    assert_int_equal(store_apply(f->s, &other), OK);
    other = op_on(STORE_SESSION_DELETE, "", "s");
    assert_int_equal(store_apply(f->s, &other), OK);
    assert_string_equal(t.kinds, "01234");
    assert_false(t.done_first);
    assert_false(t.invisible);
}

static void
what_was_refused_is_not_told(void **state)
{
    struct on_store *f = *state;
    struct told t = {.visible = f->s};
    struct store_op op = op_title("", "none", "new");

    store_on_change(f->s, take_change, &t);
    assert_int_equal(store_apply(f->s, &op), ERR_NOTFOUND);
    op = op_on(STORE_SESSION_DELETE, "", "none");
    assert_int_equal(store_apply(f->s, &op), ERR_NOTFOUND);
    op = op_begin("", "bad id", "q");
    assert_int_equal(store_apply(f->s, &op), ERR_BADREQ);
    assert_string_equal(t.kinds, "");
}

/* --- other processes ------------------------------------------------------ */

static uint64_t
others(struct store *s)
{
    struct store_stats st;

    store_stats(s, &st);
    return st.others;
}

/* Another process, begun before there are threads: each byte that it reads is
 * how many turns to store; then it answers. */
static struct other {
    struct on_store f;
    pid_t pid;
    int to_fd, from_fd;
} other = {.f.be = &lmdb_backend};

static bool
commit_turns(const char *dir, int n)
{
    struct store_config c = {.dir = dir, .map_bytes = TEST_MAP};
    struct store *s;
    bool well = store_open(&s, &c) == OK;

    for (int i = 0; well && i < n; i++) {
        struct store_op begin = op_begin("", "theirs", "q"), end;

        well = store_apply(s, &begin) == OK;
        end = op_end(&begin.begin.turn, "a");
        well = well && store_apply(s, &end) == OK;
    }
    if (well)
        store_close(s);
    return well;
}

static void
other_run(int from_fd, int to_fd)
{
    char n;

    while (read(from_fd, &n, 1) == 1)
        if (!commit_turns(other.f.dir, n) || write(to_fd, &n, 1) != 1)
            _exit(1);
    _exit(0);
}

static int
other_setup(void **state)
{
    struct store_config c = {.dir = other.f.dir, .map_bytes = TEST_MAP};
    int to[2], from[2];

    folder_make(other.f.dir);
    assert_int_equal(pipe(to), 0);
    assert_int_equal(pipe(from), 0);
    other.pid = fork();
    assert_true(other.pid >= 0);
    if (other.pid == 0) {
        (void)close(to[1]);
        (void)close(from[0]);
        other_run(to[0], from[1]);
    }
    (void)close(to[0]);
    (void)close(from[1]);
    other.to_fd = to[1];
    other.from_fd = from[0];
    *state = &other.f;
    assert_int_equal(store_open_on(&other.f.s, other.f.be, &c), OK);
    return 0;
}

static int
other_teardown(void **state)
{
    (void)close(other.to_fd);
    (void)close(other.from_fd);
    assert_int_equal(child_wait(other.pid), 0);
    return on_store_teardown(state);
}

static void
commit_elsewhere(char turns)
{
    assert_int_equal(write(other.to_fd, &turns, 1), 1);
    assert_int_equal(read(other.from_fd, &turns, 1), 1);
}

static void
our_own_commits_are_not_others(void **state)
{
    struct on_store *f = *state;
    struct store_op op;

    assert_int_equal(others(f->s), 0);
    for (int i = 0; i < 5; i++)
        (void)put_turn(f->s, "", "s", "q", "a");
    assert_int_equal(others(f->s), 0);
    op = op_title("", "none", "refused");
    assert_int_equal(store_apply(f->s, &op), ERR_NOTFOUND); /* writes nothing */
    assert_int_equal(others(f->s), 0);
}

static void
each_commit_of_others_counts_once(void **state)
{
    struct on_store *f = *state;
    uint64_t n;

    commit_elsewhere(1);
    n = others(f->s);
    assert_true(n >= 2); /* opening may write, too */
    assert_int_equal(others(f->s), n);
    (void)put_turn(f->s, "", "s", "q", "a");
    assert_int_equal(others(f->s), n);
    commit_elsewhere(3);
    assert_true(others(f->s) >= n + 6);
}

/* An id that one of ours gave back is taken by another process. */
static void
a_commit_after_one_of_ours_that_wrote_nothing_counts(void **state)
{
    struct on_store *f = *state;
    struct store_op op = op_title("", "none", "refused");
    uint64_t n;

    (void)put_turn(f->s, "", "s", "q", "a");
    n = others(f->s);
    assert_int_equal(store_apply(f->s, &op), ERR_NOTFOUND);
    commit_elsewhere(1);
    assert_true(others(f->s) > n);
}

#define WITH_OTHER(t) \
    cmocka_unit_test_setup_teardown(t, other_setup, other_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ON_STORE(each_operation_is_told_after_its_commit, on_lmdb),
        ON_STORE(each_operation_is_told_after_its_commit, on_memory),
        ON_STORE(what_was_refused_is_not_told, on_lmdb),
        ON_STORE(what_was_refused_is_not_told, on_memory),
        WITH_OTHER(our_own_commits_are_not_others),
        WITH_OTHER(each_commit_of_others_counts_once),
        WITH_OTHER(a_commit_after_one_of_ours_that_wrote_nothing_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
