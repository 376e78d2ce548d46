/*
 * How a session begins and is looked at for the last time: the title that
 * comes with its first message, one that must not be there yet, and reading
 * one whose time is over. Every test runs on LMDB and on memory.
 */
#include "store_test.h"

#include "base/clock.h"

static struct store *
store_of(void **state)
{
    struct on_store *f = *state;

    return f->s;
}

/* --- titles --------------------------------------------------------------- */

/* A whole turn whose beginning has a title. */
static enum err
titled_turn(struct store *s, const char *owner, const char *id,
            const char *title)
{
    struct store_op b = op_begin(owner, id, "q"), e;

    b.begin.title = title;
    IGNORE(store_apply(s, &b));
    if (b.err != OK)
        return b.err;
    e = op_end(&b.begin.turn, "a");
    return store_apply(s, &e);
}

static void
assert_title(struct store *s, const char *id, const char *want, bool titled)
{
    struct session sess = get_session(s, "ann", id);

    assert_string_equal(sess.title, want);
    assert_int_equal(sess.titled, titled);
}

static void
the_first_message_names_a_session(void **state)
{
    struct store *s = store_of(state);

    assert_int_equal(titled_turn(s, "ann", "abc", "First"), OK);
    assert_title(s, "abc", "First", false);
    assert_int_equal(titled_turn(s, "ann", "abc", "Second"), OK);
    assert_title(s, "abc", "First", false);
    assert_int_equal(titled_turn(s, "ann", "none", NULL), OK);
    assert_title(s, "none", "", false);
    assert_int_equal(titled_turn(s, "ann", "none", "Late"), OK);
    assert_title(s, "none", "", false);
    assert_int_equal(titled_turn(s, "bob", "abc", "Not his"), ERR_NOTFOUND);
    assert_title(s, "abc", "First", false);
}

static void
what_its_user_named_keeps_its_name(void **state)
{
    static const char *const names[] = {"Mine", ""};
    struct store *s = store_of(state);

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct store_op op = op_title("ann", i == 0 ? "a" : "b", names[i]);

        op.patch.create = true;
        op.patch.titled = true;
        assert_int_equal(store_apply(s, &op), OK);
        assert_int_equal(titled_turn(s, "ann", op.session_id, "Automatic"), OK);
        assert_title(s, op.session_id, names[i], true);
    }
}

static void
a_session_made_empty_is_named_by_its_first_message(void **state)
{
    struct store *s = store_of(state);
    struct store_op op = op_on(STORE_SESSION_PATCH, "ann", "abc");

    op.patch.create = true;
    op.patch.context = "Be brief.";
    assert_int_equal(store_apply(s, &op), OK);
    assert_int_equal(titled_turn(s, "ann", "abc", "First"), OK);
    assert_title(s, "abc", "First", false);
    /* Cleared, it goes by the name that it has. */
    op = op_on(STORE_SESSION_CLEAR, "ann", "abc");
    assert_int_equal(store_apply(s, &op), OK);
    assert_int_equal(titled_turn(s, "ann", "abc", "Second"), OK);
    assert_title(s, "abc", "First", false);
}

static void
a_title_has_a_limit(void **state)
{
    struct store *s = store_of(state);
    char title[STORE_TITLE_MAX + 2];
    struct session sess;

    memset(title, 'x', sizeof(title));
    title[STORE_TITLE_MAX + 1] = '\0';
    assert_int_equal(titled_turn(s, "ann", "abc", title), ERR_TOOBIG);
    assert_int_equal(store_session(s, "ann", "abc", &sess), ERR_NOTFOUND);
    title[STORE_TITLE_MAX] = '\0';
    assert_int_equal(titled_turn(s, "ann", "abc", title), OK);
    assert_title(s, "abc", title, false);
}

/* --- only new ones -------------------------------------------------------- */

static struct store_op
op_make(const char *owner, const char *id, const char *title)
{
    struct store_op op = op_title(owner, id, title);

    op.patch.create = op.patch.only_new = true;
    op.patch.now_ms = clock_wall_ms();
    return op;
}

static void
one_that_is_there_is_not_made_again(void **state)
{
    struct store *s = store_of(state);
    struct store_op op = op_make("ann", "abc", "First");

    assert_int_equal(store_apply(s, &op), OK);
    op = op_make("ann", "abc", "Second");
    assert_int_equal(store_apply(s, &op), ERR_CONFLICT);
    assert_title(s, "abc", "First", false);
    op = op_make("bob", "abc", "His");
    assert_int_equal(store_apply(s, &op), ERR_NOTFOUND);
    op = op_on(STORE_SESSION_DELETE, "ann", "abc");
    assert_int_equal(store_apply(s, &op), OK);
    op = op_make("bob", "abc", "His");
    assert_int_equal(store_apply(s, &op), OK);
}

/* --- the last look -------------------------------------------------------- */

static enum err
last_look(struct store *s, const char *owner, const char *id, struct text *t)
{
    struct session sess;
    enum err e;

    memset(t, 0, sizeof(*t));
    e = store_last_look(s, owner, id, &sess, text_message, t);
    if (e == OK)
        assert_string_equal(sess.id, id);
    return e;
}

static void
all_lines_are_seen_also_when_the_time_is_over(void **state)
{
    struct store *s = store_of(state);
    struct store_op op = op_on(STORE_SESSION_PATCH, "ann", "abc");
    struct session sess;
    struct text t;

    (void)put_turn(s, "ann", "abc", "q", "a");
    (void)put_turn(s, "ann", "abc", "q1", "a1");
    (void)put_turn_behind(s, "ann", "abc", 1, "q2", "a2");
    assert_int_equal(last_look(s, "ann", "abc", &t), OK);
    assert_string_equal(t.s, "0:q|1:a|2:q1|3:a1|4:q2|5:a2|");
    op.patch.set_expires = true;
    op.patch.expires_ms = 1;
    assert_int_equal(store_apply(s, &op), OK);
    assert_int_equal(store_session(s, "ann", "abc", &sess), ERR_NOTFOUND);
    assert_int_equal(last_look(s, "ann", "abc", &t), OK);
    assert_string_equal(t.s, "0:q|1:a|2:q1|3:a1|4:q2|5:a2|");
    assert_int_equal(last_look(s, "bob", "abc", &t), ERR_NOTFOUND);
    assert_int_equal(last_look(s, "ann", "other", &t), ERR_NOTFOUND);
    /* To be made anew, it must be deleted first. */
    op = op_make("ann", "abc", "Again");
    assert_int_equal(store_apply(s, &op), ERR_CONFLICT);
}

int
main(void)
{
    static struct on_store lmdb = {.be = &lmdb_backend};
    static struct on_store mem = {.be = &memstore_backend};
#define TEST(t) ON_STORE(t, lmdb), ON_STORE(t, mem)
    const struct CMUnitTest tests[] = {
        TEST(the_first_message_names_a_session),
        TEST(what_its_user_named_keeps_its_name),
        TEST(a_session_made_empty_is_named_by_its_first_message),
        TEST(a_title_has_a_limit),
        TEST(one_that_is_there_is_not_made_again),
        TEST(all_lines_are_seen_also_when_the_time_is_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
