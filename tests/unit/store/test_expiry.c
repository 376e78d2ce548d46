/*
 * Sessions whose time is over: they read as not there, wait to be deleted, and
 * are found for that. Every test runs on LMDB and on memory.
 */
#include "store_test.h"

#include "base/clock.h"

#define HOUR_MS INT64_C(3600000)

static struct store *
store_of(void **state)
{
    struct on_store *f = *state;

    return f->s;
}

/* A turn that was asked and answered ago_ms ago. */
static struct ident
put_turn_ago(struct store *s, const char *owner, const char *id, int64_t ago_ms)
{
    struct store_op b = op_begin(owner, id, "q"), e;

    b.begin.user.at_ms = clock_wall_ms() - ago_ms;
    assert_int_equal(store_apply(s, &b), OK);
    e = op_end(&b.begin.turn, "a");
    e.end.answer.at_ms = b.begin.user.at_ms;
    assert_int_equal(store_apply(s, &e), OK);
    return b.begin.turn;
}

static enum err
set_expires(struct store *s, const char *owner, const char *id, int64_t ms)
{
    struct store_op op = op_on(STORE_SESSION_PATCH, owner, id);

    op.patch.set_expires = true;
    op.patch.expires_ms = ms;
    return store_apply(s, &op);
}

/* Its time is over from now on. */
static void
expire(struct store *s, const char *owner, const char *id)
{
    assert_int_equal(set_expires(s, owner, id, clock_wall_ms() - 1), OK);
}

static void
when_a_time_is_over(void **state)
{
    struct session s = {.updated_ms = 1000};

    (void)state;
    assert_false(backend_gone(&s, 0, INT64_MAX));
    assert_false(backend_gone(&s, 500, 1499));
    assert_true(backend_gone(&s, 500, 1500));
    assert_false(backend_gone(&s, INT64_MAX, INT64_MAX));
    s.open = true;
    assert_false(backend_gone(&s, 500, INT64_MAX));
    s.expires_ms = 2000; /* its own counts alone */
    assert_false(backend_gone(&s, 500, 1999));
    assert_true(backend_gone(&s, 500, 2000));
    s.open = false;
    assert_false(backend_gone(&s, 500, 1999));
    assert_true(backend_gone(&s, 0, 2000));
    s.updated_ms = INT64_MAX;
    s.expires_ms = 0;
    assert_false(backend_gone(&s, HOUR_MS, 1700000000000));
}

static void
what_is_gone_reads_as_not_there(void **state)
{
    struct store *s = store_of(state);
    struct store_op b = op_begin("ann", "abc", "q");
    struct store_op clear = op_on(STORE_SESSION_CLEAR, "ann", "abc");
    struct store_op sum = op_on(STORE_SESSION_SUMMARY, "ann", "abc");
    struct session_summary summary;
    struct session sess;
    struct turn_info t;
    struct ident found;
    struct text none = {0}, list = {0};
    struct buf text;
    uint32_t seq;

    b.begin.idem_scope = "abc";
    b.begin.idem_key = "k";
    assert_int_equal(store_apply(s, &b), OK);
    (void)put_turn(s, "ann", "keep", "q", "a");
    sum.summary.session_no = get_session(s, "ann", "abc").no;
    sum.summary.upto_seq = 1;
    sum.summary.text = "s";
    assert_int_equal(store_apply(s, &sum), OK);
    assert_int_equal(store_idem(s, "ann", "abc", "k", &found), OK);
    expire(s, "ann", "abc");

    buf_init(&text, 100);
    assert_int_equal(store_session(s, "ann", "abc", &sess), ERR_NOTFOUND);
    assert_int_equal(store_messages(s, "ann", "abc", UINT32_MAX, 9, 0, NULL,
                                    text_message, &none),
                     ERR_NOTFOUND);
    assert_int_equal(store_line(s, "ann", "abc", 0, UINT32_MAX, 9, 0, NULL,
                                text_message, &none),
                     ERR_NOTFOUND);
    assert_int_equal(
        store_all_messages(s, "ann", "abc", 0, 9, NULL, text_message, &none),
        ERR_NOTFOUND);
    assert_int_equal(
        store_find_message(s, "ann", "abc", &b.begin.user.id, &seq),
        ERR_NOTFOUND);
    assert_false(store_line_holds(s, "ann", "abc", STORE_HEAD, 0));
    assert_int_equal(store_context(s, "ann", "abc", &text), ERR_NOTFOUND);
    assert_int_equal(store_summary(s, "ann", "abc", &summary, &text),
                     ERR_NOTFOUND);
    assert_int_equal(store_turn(s, &b.begin.turn, &t), ERR_NOTFOUND);
    assert_int_equal(store_idem(s, "ann", "abc", "k", &found), ERR_NOTFOUND);
    assert_int_equal(store_sessions(s, "ann", NULL, 9, text_session, &list),
                     OK);
    assert_string_equal(list.s, "keep|");
    assert_int_equal(none.count, 0);
    assert_int_equal(store_apply(s, &clear), ERR_NOTFOUND);
    assert_int_equal(store_apply(s, &sum), ERR_NOTFOUND);
    buf_release(&text);
}

static void
its_open_turn_is_not_listed(void **state)
{
    struct store *s = store_of(state);
    struct store_op b = op_begin("ann", "abc", "q");
    struct turn_info t = {.end_seq = 0};

    assert_int_equal(store_apply(s, &b), OK);
    expire(s, "ann", "abc");
    assert_int_equal(store_turn(s, &b.begin.turn, &t), ERR_NOTFOUND);
    assert_int_equal(store_open_turns(s, NULL, NULL), OK); /* none is given */
}

static void
nothing_begins_in_what_is_gone(void **state)
{
    struct store *s = store_of(state);
    struct store_op b = op_begin("ann", "abc", "q"), op, other;
    struct turn_info t;

    b.begin.idem_scope = "abc";
    b.begin.idem_key = "k";
    assert_int_equal(store_apply(s, &b), OK);
    expire(s, "ann", "abc");
    other = op_begin("ann", "abc", "again");
    other.begin.idem_scope = "abc";
    other.begin.idem_key = "k";
    assert_int_equal(store_apply(s, &other), ERR_CONFLICT);
    assert_true(other.begin.expired);
    assert_false(other.begin.idem_hit);
    assert_true(ident_is_zero(&other.begin.open_turn));
    assert_int_equal(store_turn(s, &other.begin.turn, &t), ERR_NOTFOUND);
    other.owner = "bob"; /* whose it is does not show */
    assert_int_equal(store_apply(s, &other), ERR_NOTFOUND);
    assert_false(other.begin.expired);
    op = op_title("ann", "abc", "T");
    assert_int_equal(store_apply(s, &op), ERR_NOTFOUND);
    assert_int_equal(set_expires(s, "ann", "abc", 0), ERR_NOTFOUND);
    op.patch.create = true;
    assert_int_equal(store_apply(s, &op), ERR_CONFLICT);
    op.owner = "bob";
    assert_int_equal(store_apply(s, &op), ERR_NOTFOUND);
}

static void
a_key_of_what_is_gone_is_free(void **state)
{
    struct store *s = store_of(state);
    struct store_op a = op_begin("ann", "abc", "q");
    struct store_op b = op_begin("ann", "def", "q");
    struct ident found;

    a.begin.idem_scope = b.begin.idem_scope = "both";
    a.begin.idem_key = b.begin.idem_key = "k";
    assert_int_equal(store_apply(s, &a), OK);
    expire(s, "ann", "abc");
    assert_int_equal(store_apply(s, &b), OK);
    assert_false(b.begin.idem_hit);
    assert_int_equal(store_idem(s, "ann", "both", "k", &found), OK);
    assert_true(ident_eq(&found, &b.begin.turn));
}

static void
a_deletion_for_time_waits_for_it(void **state)
{
    struct store *s = store_of(state);
    struct store_op del = op_on(STORE_SESSION_DELETE, "ann", "abc");
    struct store_op b = op_begin("ann", "abc", "anew");
    struct store_stats st;
    uint64_t n, no;

    (void)put_turn(s, "ann", "abc", "q", "a");
    no = get_session(s, "ann", "abc").no;
    del.erase.expired_only = true;
    assert_int_equal(store_apply(s, &del), ERR_CONFLICT);
    assert_int_equal(set_expires(s, "ann", "abc", clock_wall_ms() + HOUR_MS),
                     OK);
    assert_int_equal(store_apply(s, &del), ERR_CONFLICT);
    expire(s, "ann", "abc");
    assert_int_equal(store_session_count(s, "ann", &n), OK);
    assert_int_equal(n, 1); /* until it is deleted */
    del.erase.session_no = no + 1;
    assert_int_equal(store_apply(s, &del), ERR_NOTFOUND);
    del.owner = "bob";
    del.erase.session_no = no;
    assert_int_equal(store_apply(s, &del), ERR_NOTFOUND);
    del.owner = "ann";
    assert_int_equal(store_apply(s, &del), OK);
    assert_int_equal(store_session_count(s, "ann", &n), OK);
    assert_int_equal(n, 0);
    store_stats(s, &st);
    assert_int_equal(st.sessions, 0);
    assert_int_equal(st.messages, 0);
    assert_int_equal(store_apply(s, &b), OK); /* the id is free */
    assert_true(get_session(s, "ann", "abc").no > no);
    expire(s, "ann", "abc");
    del = op_on(STORE_SESSION_DELETE, "ann", "abc"); /* whatever the time is */
    assert_int_equal(store_apply(s, &del), OK);
}

static void
a_turn_ends_though_the_time_is_over(void **state)
{
    struct store *s = store_of(state);
    struct store_op b = op_begin("ann", "abc", "q"), e;
    struct store_op del = op_on(STORE_SESSION_DELETE, "ann", "abc");
    struct session sess;

    assert_int_equal(store_apply(s, &b), OK);
    expire(s, "ann", "abc");
    e = op_end(&b.begin.turn, "a");
    assert_int_equal(store_apply(s, &e), OK);
    assert_int_equal(e.end.length, 2);
    assert_int_equal(store_session(s, "ann", "abc", &sess), ERR_NOTFOUND);
    del.erase.expired_only = true;
    assert_int_equal(store_apply(s, &del), OK);
    e = op_end(&b.begin.turn, "late");
    assert_int_equal(store_apply(s, &e), ERR_NOTFOUND);
}

/* --- finding them --------------------------------------------------------- */

static void
assert_expired(struct store *s, uint64_t *from, uint32_t limit,
               const char *want)
{
    struct text t = {0};
    uint64_t next = 99;

    assert_int_equal(store_expired(s, *from, limit, &next, text_session, &t),
                     OK);
    assert_string_equal(t.s, want);
    *from = next;
}

static void
they_are_found_a_few_at_a_time(void **state)
{
    static const char *const ids[] = {"s1", "s2", "s3", "s4", "s5"};
    struct store *s = store_of(state);
    struct text one = {.stop_after = 1};
    uint64_t from = 0, next;

    assert_expired(s, &from, 5, ""); /* of nothing */
    assert_int_equal(from, 0);
    for (size_t i = 0; i < COUNT_OF(ids); i++)
        (void)put_turn(s, i % 2 == 0 ? "ann" : "", ids[i], "q", "a");
    expire(s, "", "s2");
    expire(s, "ann", "s3");
    expire(s, "ann", "s5");
    assert_expired(s, &from, 2, "s2|"); /* looks at s1 and s2 */
    assert_int_not_equal(from, 0);
    assert_expired(s, &from, 2, "s3|");
    assert_expired(s, &from, 2, "s5|");
    assert_int_equal(from, 0);
    assert_expired(s, &from, 5, "s2|s3|s5|"); /* just all of them */
    assert_int_equal(from, 0);
    assert_expired(s, &from, 4, "s2|s3|");
    assert_int_not_equal(from, 0);
    from = 0;
    assert_expired(s, &from, 0, ""); /* looks at none, and goes on there */
    assert_int_not_equal(from, 0);
    assert_int_equal(store_expired(s, 0, 9, &next, text_session, &one), OK);
    assert_string_equal(one.s, "s2|");
    assert_int_equal(store_expired(s, next, 9, &next, text_session, &one), OK);
    assert_string_equal(one.s, "s2|s3|s5|"); /* stop_after is past */
    from = UINT64_MAX;
    assert_expired(s, &from, 9, "");
    assert_int_equal(from, 0);
}

/* --- a time for all ------------------------------------------------------- */

static void
unused_sessions_go(void **state)
{
    struct store *s = store_of(state);
    struct store_op op, del = op_on(STORE_SESSION_DELETE, "ann", "old");
    struct ident turn = put_turn_ago(s, "ann", "old", 2 * HOUR_MS);
    struct text list = {0}, first = {0}, found = {0};
    struct session sess;
    struct turn_info t;
    uint64_t next;

    (void)put_turn_ago(s, "ann", "fresh", 60000);
    (void)put_turn_ago(s, "ann", "older", 3 * HOUR_MS);
    assert_int_equal(store_session(s, "ann", "old", &sess), ERR_NOTFOUND);
    assert_int_equal(store_turn(s, &turn, &t), ERR_NOTFOUND);
    assert_int_equal(store_sessions(s, "ann", NULL, 9, text_session, &list),
                     OK);
    assert_string_equal(list.s, "fresh|");
    assert_int_equal(store_sessions(s, "ann", NULL, 1, text_session, &first),
                     OK);
    assert_string_equal(first.s, "fresh|");
    assert_int_equal(store_expired(s, 0, 9, &next, text_session, &found), OK);
    assert_string_equal(found.s, "old|older|");
    /* One with a time of its own goes by that. */
    assert_int_equal(set_expires(s, "ann", "fresh", clock_wall_ms() - 1), OK);
    assert_int_equal(store_session(s, "ann", "fresh", &sess), ERR_NOTFOUND);
    op = op_on(STORE_SESSION_PATCH, "ann", "made");
    op.patch.create = true;
    op.patch.now_ms = clock_wall_ms() - 2 * HOUR_MS;
    op.patch.set_expires = true;
    op.patch.expires_ms = clock_wall_ms() + HOUR_MS;
    assert_int_equal(store_apply(s, &op), OK);
    assert_int_equal(store_session(s, "ann", "made", &sess), OK);
    del.erase.expired_only = true;
    assert_int_equal(store_apply(s, &del), OK);
}

/* However long an answer takes; and its end is a use. */
static void
a_session_that_is_answered_is_in_use(void **state)
{
    struct store *s = store_of(state);
    struct store_op b = op_begin("ann", "abc", "q"), e;
    struct store_op del = op_on(STORE_SESSION_DELETE, "ann", "abc");
    struct text found = {0};
    struct session sess;
    uint64_t next;

    b.begin.user.at_ms = clock_wall_ms() - 2 * HOUR_MS;
    assert_int_equal(store_apply(s, &b), OK);
    assert_int_equal(store_session(s, "ann", "abc", &sess), OK);
    assert_int_equal(store_expired(s, 0, 9, &next, text_session, &found), OK);
    assert_string_equal(found.s, "");
    del.erase.expired_only = true;
    assert_int_equal(store_apply(s, &del), ERR_CONFLICT);
    e = op_end(&b.begin.turn, "a");
    e.end.answer.at_ms = clock_wall_ms();
    assert_int_equal(store_apply(s, &e), OK);
    assert_int_equal(store_apply(s, &del), ERR_CONFLICT);
    assert_int_equal(store_session(s, "ann", "abc", &sess), OK);
    assert_messages(s, "ann", "abc", UINT32_MAX, 9, 0, "0:q|1:a|");
}

#define ALL(f, ttl)                                       \
    ON_STORE(what_is_gone_reads_as_not_there, f),         \
        ON_STORE(its_open_turn_is_not_listed, f),         \
        ON_STORE(nothing_begins_in_what_is_gone, f),      \
        ON_STORE(a_key_of_what_is_gone_is_free, f),       \
        ON_STORE(a_deletion_for_time_waits_for_it, f),    \
        ON_STORE(a_turn_ends_though_the_time_is_over, f), \
        ON_STORE(they_are_found_a_few_at_a_time, f),      \
        ON_STORE(unused_sessions_go, ttl),                \
        ON_STORE(a_session_that_is_answered_is_in_use, ttl)

int
main(void)
{
    static struct on_store lmdb = {.be = &lmdb_backend};
    static struct on_store memory = {.be = &memstore_backend};
    static struct on_store lmdb_ttl = {.be = &lmdb_backend, .ttl_ms = HOUR_MS};
    static struct on_store memory_ttl = {.be = &memstore_backend,
                                         .ttl_ms = HOUR_MS};
    const struct CMUnitTest tests[] = {cmocka_unit_test(when_a_time_is_over),
                                       ALL(lmdb, lmdb_ttl),
                                       ALL(memory, memory_ttl)};

    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
