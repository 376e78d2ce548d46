/*
 * Whose a session is, and giving it to another owner: its place in the lists,
 * the counts, its turns and their keys; one or all of them; temporary ones.
 */
#include "store_test.h"

#include "base/budget.h"
#include "base/clock.h"
#include "store/fsck.h"

static struct store *
store_of(void **state)
{
    struct on_store *f = *state;

    return f->s;
}

static struct store_op
op_give(const char *from, const char *id, const char *to, uint32_t limit)
{
    struct store_op op = op_on(STORE_SESSION_OWNER, from, id);

    op.owner_change.to = to;
    op.owner_change.limit = limit;
    op.owner_change.n = op.owner_change.busy = 77;
    return op;
}

static enum err
give(struct store *s, const char *from, const char *id, const char *to)
{
    struct store_op op = op_give(from, id, to, 0);

    return store_apply(s, &op);
}

static void
assert_all_given(struct store *s, const char *from, const char *to,
                 uint32_t limit, uint32_t n, uint32_t busy)
{
    struct store_op op = op_give(from, NULL, to, limit);

    assert_int_equal(store_apply(s, &op), OK);
    assert_int_equal(op.owner_change.n, n);
    assert_int_equal(op.owner_change.busy, busy);
}

static void
assert_owner(struct store *s, const char *id, const char *want)
{
    char owner[STORE_OWNER_MAX + 1] = "?";
    enum err e = store_session_owner(s, id, owner);

    if (want == NULL) {
        assert_int_equal(e, ERR_NOTFOUND);
        assert_string_equal(owner, "?");
    } else {
        assert_int_equal(e, OK);
        assert_string_equal(owner, want);
    }
}

/* What an owner's list has, and that the count is of that. */
static void
assert_list(struct store *s, const char *owner, const char *want)
{
    struct text t = {0};
    uint64_t n;

    assert_int_equal(store_sessions(s, owner, NULL, 99, text_session, &t), OK);
    assert_string_equal(t.s, want);
    assert_int_equal(store_session_count(s, owner, &n), OK);
    assert_int_equal(n, t.count);
}

/* --- one ------------------------------------------------------------------ */

static void
a_session_says_whose_it_is(void **state)
{
    struct store *s = store_of(state);
    struct store_op op = op_title("ann", "later", "t");
    int64_t over_ms = clock_wall_ms() + 100;

    assert_owner(s, "none", NULL);
    assert_owner(s, "not an id!", NULL);
    (void)put_turn(s, "ann", "a", "q", "a");
    (void)put_turn(s, "", "b", "q", "a");
    assert_owner(s, "a", "ann");
    assert_owner(s, "b", "");
    op.patch.create = op.patch.set_expires = true;
    op.patch.expires_ms = over_ms;
    assert_int_equal(store_apply(s, &op), OK);
    while (clock_wall_ms() <= over_ms)
        (void)usleep(2000);
    assert_owner(s, "later", NULL);
}

static void
one_is_given_with_all_that_belongs_to_it(void **state)
{
    struct store *s = store_of(state);
    struct store_op op = op_title("anon/1", "a", "Named");
    struct session before, after;
    struct turn_info t;
    struct ident turn = put_turn(s, "anon/1", "a", "q", "a");

    op.patch.context = "You are terse.";
    op.patch.tags = "x\ny\n";
    op.patch.set_pinned = op.patch.pinned = true;
    assert_int_equal(store_apply(s, &op), OK);
    before = get_session(s, "anon/1", "a");
    assert_int_equal(give(s, "anon/1", "a", "local/ann"), OK);
    assert_owner(s, "a", "local/ann");
    assert_int_equal(store_session(s, "anon/1", "a", &after), ERR_NOTFOUND);
    after = get_session(s, "local/ann", "a");
    assert_true(after.no == before.no);
    assert_true(after.updated_ms == before.updated_ms);
    assert_string_equal(after.title, "Named");
    assert_string_equal(after.tags, "x\ny\n");
    assert_true(after.pinned && after.has_context);
    assert_messages(s, "local/ann", "a", UINT32_MAX, 9, 0, "0:q|1:a|");
    assert_int_equal(store_turn(s, &turn, &t), OK);
    assert_string_equal(t.owner, "local/ann");
    assert_list(s, "anon/1", "");
    assert_list(s, "local/ann", "a|");
    (void)put_turn(s, "local/ann", "a", "q2", "a2"); /* and it goes on */
    assert_messages(s, "local/ann", "a", UINT32_MAX, 9, 0,
                    "0:q|1:a|2:q2|3:a2|");
    assert_list(s, "local/ann", "a|");
}

static void
only_its_owner_s_and_only_what_is_free(void **state)
{
    struct store *s = store_of(state);
    struct store_op b = op_begin("ann", "a", "q"), e;
    char owner[STORE_OWNER_MAX + 2];

    assert_int_equal(store_apply(s, &b), OK);
    assert_int_equal(give(s, "bob", "a", "cy"), ERR_NOTFOUND);
    assert_int_equal(give(s, "ann", "b", "cy"), ERR_NOTFOUND);
    assert_int_equal(give(s, "ann", "a", "cy"), ERR_CONFLICT);
    assert_owner(s, "a", "ann");
    e = op_end(&b.begin.turn, "a");
    assert_int_equal(store_apply(s, &e), OK);
    assert_int_equal(give(s, "ann", "a", "ann"), OK); /* it stays */
    assert_list(s, "ann", "a|");
    memset(owner, 'o', sizeof(owner));
    owner[STORE_OWNER_MAX + 1] = '\0';
    assert_int_equal(give(s, "ann", "a", owner), ERR_BADREQ);
    assert_int_equal(give(s, "ann", "a", NULL), ERR_BADREQ);
    assert_int_equal(give(s, "ann", "no id!", "cy"), ERR_BADREQ);
    owner[STORE_OWNER_MAX] = '\0';
    assert_int_equal(give(s, "ann", "a", owner), OK);
    assert_owner(s, "a", owner);
    assert_int_equal(give(s, owner, "a", ""), OK);
    assert_list(s, owner, "");
    assert_list(s, "", "a|");
}

/* --- keys ----------------------------------------------------------------- */

static struct store_op
op_keyed(const char *owner, const char *id)
{
    struct store_op op = op_begin(owner, id, "q");

    op.begin.idem_scope = "turn";
    op.begin.idem_key = "k1";
    return op;
}

static void
a_key_of_a_turn_that_was_given_away_is_unknown(void **state)
{
    struct store *s = store_of(state);
    struct store_op b = op_keyed("ann", "a"), e, again;
    struct ident found;

    assert_int_equal(store_apply(s, &b), OK);
    e = op_end(&b.begin.turn, "a");
    assert_int_equal(store_apply(s, &e), OK);
    assert_int_equal(store_idem(s, "ann", "turn", "k1", &found), OK);
    assert_int_equal(give(s, "ann", "a", "bob"), OK);
    assert_int_equal(store_idem(s, "ann", "turn", "k1", &found), ERR_NOTFOUND);
    assert_int_equal(store_idem(s, "bob", "turn", "k1", &found), ERR_NOTFOUND);
    again = op_keyed("ann", "other");
    assert_int_equal(store_apply(s, &again), OK);
    assert_false(again.begin.idem_hit);
    assert_int_equal(store_idem(s, "ann", "turn", "k1", &found), OK);
    assert_true(ident_eq(&found, &again.begin.turn));
}

/* --- all ------------------------------------------------------------------ */

static void
all_are_given_some_at_a_time(void **state)
{
    struct store *s = store_of(state);
    struct store_op open = op_begin("anon/1", "s3", "q"), e;
    char id[16];

    for (int i = 0; i < 6; i++) {
        (void)snprintf(id, sizeof(id), "s%d", i);
        if (i != 3)
            (void)put_turn(s, "anon/1", id, "q", "a");
        else
            assert_int_equal(store_apply(s, &open), OK);
    }
    (void)put_turn(s, "anon/10", "other", "q", "a");
    (void)put_turn(s, "ann", "own", "q", "a");
    assert_all_given(s, "anon/1", "ann", 0, 0, 0);
    assert_all_given(s, "anon/1", "anon/1", 9, 0, 0);
    assert_all_given(s, "anon/1", "ann", 2, 2, 0);
    assert_all_given(s, "anon/1", "ann", 9, 3, 1);
    assert_all_given(s, "anon/1", "ann", 9, 0, 1);
    assert_list(s, "anon/1", "s3|");
    e = op_end(&open.begin.turn, "a");
    assert_int_equal(store_apply(s, &e), OK);
    assert_all_given(s, "anon/1", "ann", 9, 1, 0);
    assert_all_given(s, "anon/1", "ann", 9, 0, 0);
    assert_list(s, "anon/1", "");
    assert_list(s, "anon/10", "other|");
    assert_owner(s, "s3", "ann");
    assert_int_equal(get_session(s, "ann", "own").n_messages, 2);
    {
        uint64_t n;

        assert_int_equal(store_session_count(s, "ann", &n), OK);
        assert_int_equal(n, 7);
    }
}

/* Those whose time is over wait to be deleted, and nobody else gets them. */
static void
what_is_over_stays_behind(void **state)
{
    struct store *s = store_of(state);
    struct store_op op = op_title("ann", "old", "t");
    int64_t over_ms = clock_wall_ms() + 100;
    uint64_t n;

    op.patch.create = op.patch.set_expires = true;
    op.patch.expires_ms = over_ms;
    assert_int_equal(store_apply(s, &op), OK);
    (void)put_turn(s, "ann", "new", "q", "a");
    while (clock_wall_ms() <= over_ms)
        (void)usleep(2000);
    assert_int_equal(give(s, "ann", "old", "bob"), ERR_NOTFOUND);
    assert_all_given(s, "ann", "bob", 9, 1, 0);
    assert_list(s, "bob", "new|");
    assert_int_equal(store_session_count(s, "ann", &n), OK);
    assert_int_equal(n, 1);
}

static void
no_more_are_given_at_once_than_one_transaction_should_hold(void **state)
{
    struct store *s = store_of(state);
    struct store_op op;
    char id[16];

    for (int i = 0; i < STORE_MOVES_MAX + 1; i++) {
        (void)snprintf(id, sizeof(id), "s%d", i);
        op = op_title("ann", id, "t");
        op.patch.create = true;
        assert_int_equal(store_apply(s, &op), OK);
    }
    assert_all_given(s, "ann", "bob", UINT32_MAX, STORE_MOVES_MAX, 0);
    assert_all_given(s, "ann", "bob", UINT32_MAX, 1, 0);
    assert_all_given(s, "ann", "bob", UINT32_MAX, 0, 0);
}

/* --- who is told ---------------------------------------------------------- */

static void
take_moved(void *arg, const struct store_op *op)
{
    struct text *t = arg;

    if (op->kind != STORE_SESSION_OWNER)
        return;
    for (uint32_t i = 0; i < op->owner_change.n; i++)
        t->n += (size_t)snprintf(t->s + t->n, sizeof(t->s) - t->n, "%s>%s|",
                                 op->owner_change.moved[i],
                                 op->owner_change.to);
}

static void
who_watches_is_told_which_were_given(void **state)
{
    struct store *s = store_of(state);
    struct text t = {0};

    store_on_change(s, take_moved, &t);
    (void)put_turn(s, "ann", "a", "q", "a");
    (void)put_turn(s, "ann", "b", "q", "a");
    assert_int_equal(give(s, "ann", "a", "bob"), OK);
    assert_string_equal(t.s, "a>bob|");
    assert_int_equal(give(s, "ann", "a", "bob"), ERR_NOTFOUND);
    assert_all_given(s, "ann", "bob", 9, 1, 0);
    assert_all_given(s, "ann", "bob", 9, 0, 0);
    assert_int_equal(give(s, "bob", "b", "bob"), OK);
    assert_string_equal(t.s, "a>bob|b>bob|");
}

/* --- on disk -------------------------------------------------------------- */

static void
print_fault(void *arg, const char *db, const char *key, const char *what,
            bool fixable)
{
    (void)arg;
    print_error("%s %s: %s %d\n", db, key, what, fixable);
}

static void
the_store_is_sound_and_it_lasts(void **state)
{
    struct on_store *f = *state;
    struct store_config c = {.dir = f->dir, .map_bytes = TEST_MAP};
    struct fsck_config check = {.dir = f->dir, .fault = print_fault};
    struct fsck_result r;

    (void)put_turn(f->s, "ann", "a", "q", "a");
    (void)put_turn(f->s, "ann", "b", "q", "a");
    (void)put_turn(f->s, "bob", "c", "q", "a");
    assert_int_equal(give(f->s, "bob", "c", "ann"), OK);
    assert_all_given(f->s, "ann", "a much longer owner than it was", 2, 2, 0);
    store_close(f->s);
    assert_int_equal(fsck_run(&check, &r), OK);
    assert_int_equal(r.faults, 0);
    assert_int_equal(r.owners, 2);
    assert_int_equal(store_open_on(&f->s, f->be, &c), OK);
    assert_list(f->s, "bob", "");
    assert_int_equal(get_session(f->s, "ann", "c").n_messages, 2);
}

/* --- temporary ones ------------------------------------------------------- */

static void
say(struct store *s, const char *owner, const char *id, bool temporary)
{
    struct store_op b = op_begin(owner, id, "q"), e;

    b.temporary = temporary;
    assert_int_equal(store_apply(s, &b), OK);
    assert_true(b.temporary == temporary);
    e = op_end(&b.begin.turn, "a");
    assert_int_equal(store_apply(s, &e), OK);
}

static void
temporary_ones_are_given_too(void **state)
{
    struct on_store *f = *state;
    struct store_config c = {.dir = f->dir, .map_bytes = TEST_MAP};
    struct text t = {0};
    struct budget room;

    budget_init(&room, 1024 * 1024);
    c.temporary = &room;
    store_close(f->s);
    assert_int_equal(store_open(&f->s, &c), OK);
    store_on_change(f->s, take_moved, &t);
    say(f->s, "anon/1", "t1", true);
    say(f->s, "anon/1", "t2", true);
    say(f->s, "anon/1", "same", true);
    say(f->s, "ann", "same", false);
    say(f->s, "anon/1", "d1", false);
    assert_owner(f->s, "t1", "anon/1");
    assert_owner(f->s, "same", "ann");
    assert_int_equal(give(f->s, "anon/1", "t1", "ann"), OK);
    assert_owner(f->s, "t1", "ann");
    assert_true(get_session(f->s, "ann", "t1").temporary);
    assert_int_equal(give(f->s, "anon/1", "same", "ann"), ERR_CONFLICT);
    assert_all_given(f->s, "anon/1", "ann", 1, 1, 0);
    assert_all_given(f->s, "anon/1", "ann", 9, 1, 0);
    assert_all_given(f->s, "anon/1", "ann", 9, 0, 0);
    assert_string_equal(t.s, "t1>ann|d1>ann|t2>ann|");
    assert_true(get_session(f->s, "anon/1", "same").temporary);
    assert_false(get_session(f->s, "ann", "same").temporary);
    assert_true(get_session(f->s, "ann", "t2").temporary);
    assert_owner(f->s, "t2", "ann");
    assert_list(f->s, "anon/1", "");
    store_close(f->s);
    assert_int_equal(budget_used(&room), 0);
    assert_int_equal(store_open_on(&f->s, f->be, &c), OK);
}

int
main(void)
{
    static struct on_store lmdb = {.be = &lmdb_backend};
    static struct on_store mem = {.be = &memstore_backend};
#define TEST(t) ON_STORE(t, lmdb), ON_STORE(t, mem)
    const struct CMUnitTest tests[] = {
        TEST(a_session_says_whose_it_is),
        TEST(one_is_given_with_all_that_belongs_to_it),
        TEST(only_its_owner_s_and_only_what_is_free),
        TEST(a_key_of_a_turn_that_was_given_away_is_unknown),
        TEST(all_are_given_some_at_a_time),
        TEST(what_is_over_stays_behind),
        TEST(no_more_are_given_at_once_than_one_transaction_should_hold),
        TEST(who_watches_is_told_which_were_given),
        ON_STORE(the_store_is_sound_and_it_lasts, lmdb),
        ON_STORE(temporary_ones_are_given_too, lmdb),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
