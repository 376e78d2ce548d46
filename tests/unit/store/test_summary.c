/*
 * The summary of a session in the store: how far it may reach, that it grows
 * and never shrinks, whose it is, and that it goes with its session. Every test
 * runs on LMDB and on memory.
 */
#include "store_test.h"

#include "base/mem.h"

struct fixture {
    const struct backend *be;
    char dir[256];
    struct store *s;
};

static struct store *s; /* of the test that runs */

static int
setup(void **state)
{
    struct fixture *f = *state;
    struct store_config c = {.dir = f->dir, .map_bytes = TEST_MAP};

    folder_make(f->dir);
    assert_int_equal(store_open_on(&f->s, f->be, &c), OK);
    s = f->s;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;

    store_close(f->s);
    folder_remove(f->dir);
    return 0;
}

static uint64_t
number_of(const char *owner, const char *id)
{
    struct session sess;

    assert_int_equal(store_session(s, owner, id, &sess), OK);
    return sess.no;
}

static enum err
put_n(const char *owner, const char *id, uint64_t no, uint32_t upto,
      int64_t cost, const char *text, size_t n)
{
    struct store_op op = {
        .kind = STORE_SESSION_SUMMARY, .owner = owner, .session_id = id};

    op.summary.session_no = no;
    op.summary.upto_seq = upto;
    op.summary.cost_micro = cost;
    op.summary.text = text;
    op.summary.text_len = n;
    return store_apply(s, &op);
}

static enum err
put(const char *id, uint32_t upto, int64_t cost, const char *text)
{
    return put_n("ann", id, number_of("ann", id), upto, cost, text,
                 strlen(text));
}

static void
assert_summary(const char *id, uint32_t upto, int64_t cost, const char *text)
{
    struct session_summary sum = {.upto_seq = 99};
    struct buf got;

    buf_init(&got, STORE_SUMMARY_MAX + 2);
    buf_addc(&got, '>'); /* it goes behind what is there */
    assert_int_equal(store_summary(s, "ann", id, &sum, &got), OK);
    assert_int_equal(sum.upto_seq, upto);
    assert_int_equal(sum.cost_micro, cost);
    assert_string_equal(buf_cstr(&got) + 1, text);
    buf_release(&got);
}

static void
assert_none(const char *owner, const char *id)
{
    struct session_summary sum;
    struct buf got;

    buf_init(&got, STORE_SUMMARY_MAX);
    assert_int_equal(store_summary(s, owner, id, &sum, &got), ERR_NOTFOUND);
    assert_int_equal(store_summary(s, owner, id, &sum, NULL), ERR_NOTFOUND);
    assert_int_equal(got.len, 0);
    buf_release(&got);
}

static void
turns(const char *id, int n)
{
    for (int i = 0; i < n; i++)
        (void)put_turn(s, "ann", id, "q", "a");
}

/* --- growing -------------------------------------------------------------- */

static void
a_session_has_none_at_first(void **state)
{
    (void)state;
    assert_none("ann", "abc");
    turns("abc", 1);
    assert_none("ann", "abc");
    assert_none("ann", "not there");
    assert_none("", "not an id that there can be");
}

static void
it_grows_with_the_session(void **state)
{
    (void)state;
    turns("abc", 2);
    assert_int_equal(put("abc", 2, 30, "of two"), OK);
    assert_summary("abc", 2, 30, "of two");
    turns("abc", 2);
    assert_summary("abc", 2, 30, "of two");
    assert_int_equal(put("abc", 6, 12, "of six"), OK);
    assert_summary("abc", 6, 42, "of six");
    assert_messages(s, "ann", "abc", UINT32_MAX, 9, 0,
                    "0:q|1:a|2:q|3:a|4:q|5:a|6:q|7:a|");
}

static void
one_that_reaches_no_further_is_refused(void **state)
{
    (void)state;
    turns("abc", 3);
    assert_int_equal(put("abc", 0, 1, "of nothing"), ERR_CONFLICT);
    assert_none("ann", "abc");
    assert_int_equal(put("abc", 4, 1, "first"), OK);
    assert_int_equal(put("abc", 4, 1, "as far"), ERR_CONFLICT);
    assert_int_equal(put("abc", 2, 1, "less far"), ERR_CONFLICT);
    assert_summary("abc", 4, 1, "first");
}

static void
it_stands_for_messages_that_are_there(void **state)
{
    (void)state;
    turns("abc", 2);
    assert_int_equal(put("abc", 5, 1, "one too far"), ERR_CONFLICT);
    assert_int_equal(put("abc", UINT32_MAX, 1, "far"), ERR_CONFLICT);
    assert_int_equal(put("abc", 4, 1, "all"), OK);
    assert_summary("abc", 4, 1, "all");
}

static void
costs_are_added_as_far_as_they_are_known(void **state)
{
    (void)state;
    turns("abc", 5);
    assert_int_equal(put("abc", 2, -1, "a"), OK);
    assert_summary("abc", 2, -1, "a");
    assert_int_equal(put("abc", 4, 0, "b"), OK);
    assert_summary("abc", 4, 0, "b");
    assert_int_equal(put("abc", 6, 7, "c"), OK);
    assert_int_equal(put("abc", 8, -1, "d"), OK);
    assert_summary("abc", 8, 7, "d");
    assert_int_equal(put("abc", 9, INT64_MAX - 1, "e"), OK);
    assert_summary("abc", 9, INT64_MAX - 1, "e");
}

/* --- limits --------------------------------------------------------------- */

static void
the_longest_one_fits_and_a_byte_more_does_not(void **state)
{
    char *text = xcalloc(1, STORE_SUMMARY_MAX + 2);
    struct session_summary sum;
    struct buf small;

    (void)state;
    turns("abc", 2);
    memset(text, 'x', STORE_SUMMARY_MAX + 1);
    assert_int_equal(put("abc", 2, 1, text), ERR_TOOBIG);
    assert_none("ann", "abc");
    text[STORE_SUMMARY_MAX] = '\0';
    assert_int_equal(put("abc", 2, 1, text), OK);
    assert_summary("abc", 2, 1, text);
    buf_init(&small, STORE_SUMMARY_MAX - 1);
    assert_int_equal(store_summary(s, "ann", "abc", &sum, &small), ERR_TOOBIG);
    buf_release(&small);
    assert_int_equal(store_summary(s, "ann", "abc", &sum, NULL), OK);
    assert_int_equal(sum.upto_seq, 2);
    assert_int_equal(put("abc", 4, 1, ""), OK); /* and the shortest */
    assert_summary("abc", 4, 2, "");
    free(text);
}

static void
names_are_checked_like_all_others(void **state)
{
    char long_owner[STORE_OWNER_MAX + 2];

    (void)state;
    memset(long_owner, 'o', sizeof(long_owner) - 1);
    long_owner[sizeof(long_owner) - 1] = '\0';
    turns("abc", 1);
    assert_int_equal(put_n(long_owner, "abc", 1, 2, 0, "x", 1), ERR_BADREQ);
    assert_int_equal(put_n("ann", "a b", 1, 2, 0, "x", 1), ERR_BADREQ);
}

/* --- whose it is ---------------------------------------------------------- */

static void
another_owner_neither_reads_nor_writes_it(void **state)
{
    uint64_t no;

    (void)state;
    turns("abc", 1);
    no = number_of("ann", "abc");
    assert_int_equal(put_n("bob", "abc", no, 2, 0, "x", 1), ERR_NOTFOUND);
    assert_int_equal(put_n("", "abc", no, 2, 0, "x", 1), ERR_NOTFOUND);
    assert_none("ann", "abc");
    assert_int_equal(put("abc", 2, 0, "mine"), OK);
    assert_none("bob", "abc");
    assert_none("", "abc");
}

static void
sessions_do_not_share_theirs(void **state)
{
    (void)state;
    turns("abc", 1);
    turns("def", 2);
    assert_int_equal(put("abc", 2, 1, "of abc"), OK);
    assert_none("ann", "def");
    assert_int_equal(put("def", 4, 2, "of def"), OK);
    assert_summary("abc", 2, 1, "of abc");
    assert_summary("def", 4, 2, "of def");
}

static enum err
delete_it(const char *id)
{
    struct store_op op = {
        .kind = STORE_SESSION_DELETE, .owner = "ann", .session_id = id};

    return store_apply(s, &op);
}

static void
it_goes_with_its_session(void **state)
{
    (void)state;
    turns("abc", 2);
    turns("def", 1);
    assert_int_equal(put("abc", 2, 1, "old"), OK);
    assert_int_equal(put("def", 2, 1, "stays"), OK);
    assert_int_equal(delete_it("abc"), OK);
    assert_none("ann", "abc");
    turns("abc", 2); /* made anew: nothing is left of it */
    assert_none("ann", "abc");
    assert_int_equal(put("abc", 2, 5, "new"), OK);
    assert_summary("abc", 2, 5, "new");
    assert_summary("def", 2, 1, "stays");
}

/* What was written about a session that is gone is not the new one's. */
static void
a_late_one_does_not_reach_a_session_made_anew(void **state)
{
    uint64_t no;

    (void)state;
    turns("abc", 2);
    no = number_of("ann", "abc");
    assert_int_equal(delete_it("abc"), OK);
    assert_int_equal(put_n("ann", "abc", no, 2, 1, "late", 4), ERR_NOTFOUND);
    turns("abc", 2);
    assert_int_equal(put_n("ann", "abc", no, 2, 1, "late", 4), ERR_NOTFOUND);
    assert_none("ann", "abc");
}

#define ON(t, f) \
    cmocka_unit_test_prestate_setup_teardown(t, setup, teardown, &f)
#define ALL(f)                                                                \
    ON(a_session_has_none_at_first, f), ON(it_grows_with_the_session, f),     \
        ON(one_that_reaches_no_further_is_refused, f),                        \
        ON(it_stands_for_messages_that_are_there, f),                         \
        ON(costs_are_added_as_far_as_they_are_known, f),                      \
        ON(the_longest_one_fits_and_a_byte_more_does_not, f),                 \
        ON(names_are_checked_like_all_others, f),                             \
        ON(another_owner_neither_reads_nor_writes_it, f),                     \
        ON(sessions_do_not_share_theirs, f), ON(it_goes_with_its_session, f), \
        ON(a_late_one_does_not_reach_a_session_made_anew, f)

int
main(void)
{
    static struct fixture lmdb = {.be = &lmdb_backend};
    static struct fixture memory = {.be = &memstore_backend};
    const struct CMUnitTest tests[] = {ALL(lmdb), ALL(memory)};

    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
