/*
 * What a session has besides messages: title, context, model, tags, marks;
 * clearing it; how many there may be. Every test runs on LMDB and on memory.
 */
#include "store_test.h"

#include "base/clock.h"

static struct store *
store_of(void **state)
{
    struct on_store *f = *state;

    return f->s;
}

static struct store_op
op_patch(const char *owner, const char *id)
{
    return op_on(STORE_SESSION_PATCH, owner, id);
}

static void
assert_context(struct store *s, const char *owner, const char *id,
               const char *want)
{
    struct buf b;

    buf_init(&b, STORE_CONTEXT_MAX + 8);
    buf_adds(&b, "> ");
    assert_int_equal(store_context(s, owner, id, &b), OK);
    assert_string_equal(buf_cstr(&b) + 2, want);
    assert_int_equal(get_session(s, owner, id).has_context, want[0] != '\0');
    buf_release(&b);
}

/* --- patches -------------------------------------------------------------- */

static void
a_patch_changes_what_it_says(void **state)
{
    struct store *s = store_of(state);
    struct store_op op = op_patch("ann", "abc"), none = op;
    struct session sess;

    assert_int_equal(store_apply(s, &op), ERR_NOTFOUND);
    (void)put_turn(s, "ann", "abc", "q", "a");
    op.patch.title = "Title";
    op.patch.titled = true;
    op.patch.model = "openai/gpt";
    op.patch.tags = "work\nhome\n";
    op.patch.set_pinned = op.patch.pinned = true;
    op.patch.set_archived = op.patch.archived = true;
    op.patch.set_expires = true;
    op.patch.expires_ms = INT64_MAX;
    op.patch.context = "Be brief.";
    assert_int_equal(store_apply(s, &op), OK);
    assert_int_equal(store_apply(s, &none), OK); /* says nothing */
    sess = none.patch.after;
    assert_string_equal(sess.id, "abc");
    assert_string_equal(sess.title, "Title");
    assert_true(sess.titled && sess.pinned && sess.archived);
    assert_true(sess.has_context);
    assert_string_equal(sess.model, "openai/gpt");
    assert_string_equal(sess.tags, "work\nhome\n");
    assert_true(sess.expires_ms == INT64_MAX);
    assert_int_equal(sess.updated_ms, 2000); /* it is no use of it */
    assert_int_equal(sess.n_messages, 2);
    (void)put_turn(s, "ann", "abc", "q1", "a1");
    sess = get_session(s, "ann", "abc");
    assert_string_equal(sess.tags, "work\nhome\n");
    assert_true(sess.titled && sess.pinned && sess.archived);
    assert_context(s, "ann", "abc", "Be brief.");

    op = op_patch("ann", "abc");
    op.patch.title = op.patch.model = op.patch.tags = "";
    op.patch.context = "";
    op.patch.set_pinned = op.patch.set_archived = op.patch.set_expires = true;
    assert_int_equal(store_apply(s, &op), OK);
    sess = get_session(s, "ann", "abc");
    assert_string_equal(sess.title, "");
    assert_string_equal(sess.model, "");
    assert_string_equal(sess.tags, "");
    assert_false(sess.titled || sess.pinned || sess.archived);
    assert_int_equal(sess.expires_ms, 0);
    assert_context(s, "ann", "abc", "");
    assert_messages(s, "ann", "abc", UINT32_MAX, 9, 0, "0:q|1:a|2:q1|3:a1|");
}

static void
only_what_is_not_named_for_good_is_named_by_itself(void **state)
{
    struct store *s = store_of(state);
    struct store_op op;

    (void)put_turn(s, "ann", "abc", "q", "a");
    op = op_title("ann", "abc", "First words");
    op.patch.only_untitled = true;
    assert_int_equal(store_apply(s, &op), OK);
    assert_string_equal(op.patch.after.title, "First words");
    assert_false(op.patch.after.titled);
    op.patch.title = "By a model";
    op.patch.titled = true;
    assert_int_equal(store_apply(s, &op), OK);
    assert_string_equal(op.patch.after.title, "By a model");
    assert_true(op.patch.after.titled);
    op.patch.title = "Again";
    assert_int_equal(store_apply(s, &op), OK); /* once */
    assert_string_equal(op.patch.after.title, "By a model");
    op = op_title("ann", "abc", "Mine");
    op.patch.titled = true;
    assert_int_equal(store_apply(s, &op), OK);
    assert_true(op.patch.after.titled);
    op = op_title("ann", "abc", ""); /* named "" by its user */
    op.patch.titled = true;
    assert_int_equal(store_apply(s, &op), OK);
    op = op_title("ann", "abc", "Automatic");
    op.patch.only_untitled = true;
    assert_int_equal(store_apply(s, &op), OK);
    assert_string_equal(op.patch.after.title, "");
    assert_true(op.patch.after.titled);
}

static void
a_patch_may_name_the_number(void **state)
{
    struct store *s = store_of(state);
    struct store_op op;
    struct session sess;

    (void)put_turn(s, "ann", "abc", "q", "a");
    assert_int_equal(store_session(s, "ann", "abc", &sess), OK);
    op = op_title("ann", "abc", "Of another one");
    op.patch.only_no = sess.no + 1;
    assert_int_equal(store_apply(s, &op), ERR_NOTFOUND);
    op.patch.title = "Mine";
    op.patch.only_no = sess.no;
    assert_int_equal(store_apply(s, &op), OK);
    assert_string_equal(op.patch.after.title, "Mine");
}

/* Without a summary it stands alone; with one, the text stays. */
static void
what_is_spent_is_added_to_its_summaries(void **state)
{
    struct store *s = store_of(state);
    struct store_op op = op_patch("ann", "abc");
    struct store_op sum = op_on(STORE_SESSION_SUMMARY, "ann", "abc");
    struct session_summary got;
    struct session sess;
    struct buf text;

    (void)put_turn(s, "ann", "abc", "q", "a");
    assert_int_equal(store_session(s, "ann", "abc", &sess), OK);
    op.patch.cost_micro = -1; /* not known */
    assert_int_equal(store_apply(s, &op), OK);
    assert_int_equal(store_summary(s, "ann", "abc", &got, NULL), ERR_NOTFOUND);
    op.patch.cost_micro = 7;
    assert_int_equal(store_apply(s, &op), OK);
    buf_init(&text, 100);
    assert_int_equal(store_summary(s, "ann", "abc", &got, &text), OK);
    assert_int_equal(got.upto_seq, 0);
    assert_int_equal(got.cost_micro, 7);
    assert_int_equal(text.len, 0);
    sum.summary.session_no = sess.no;
    sum.summary.upto_seq = 1;
    sum.summary.cost_micro = 20;
    sum.summary.text = "so far";
    sum.summary.text_len = 6;
    assert_int_equal(store_apply(s, &sum), OK);
    op.patch.cost_micro = 300;
    assert_int_equal(store_apply(s, &op), OK);
    assert_int_equal(store_summary(s, "ann", "abc", &got, &text), OK);
    assert_int_equal(got.upto_seq, 1);
    assert_int_equal(got.cost_micro, 327);
    assert_string_equal(buf_cstr(&text), "so far");
    buf_release(&text);
}

/* Each string at its limit, and with a byte more. */
static void
a_patch_is_bounded(void **state)
{
    static char text[STORE_CONTEXT_MAX + 2];
    static const size_t limits[] = {STORE_TITLE_MAX, STORE_CONTEXT_MAX,
                                    STORE_NAME_MAX, STORE_TAGS_MAX};
    struct store *s = store_of(state);
    struct store_op op = op_patch("ann", "abc");
    struct session sess;

    (void)put_turn(s, "ann", "abc", "q", "a");
    for (size_t i = 0; i < COUNT_OF(limits); i++)
        for (size_t more = 0; more < 2; more++) {
            memset(text, 'x', sizeof(text));
            text[limits[i] + more] = '\0';
            op = op_patch("ann", "abc");
            if (i == 0)
                op.patch.title = text;
            else if (i == 1)
                op.patch.context = text;
            else if (i == 2)
                op.patch.model = text;
            else
                op.patch.tags = text;
            assert_int_equal(store_apply(s, &op), more ? ERR_TOOBIG : OK);
        }
    sess = get_session(s, "ann", "abc");
    assert_int_equal(strlen(sess.title), STORE_TITLE_MAX);
    assert_int_equal(strlen(sess.model), STORE_NAME_MAX);
    assert_int_equal(strlen(sess.tags), STORE_TAGS_MAX);
    memset(text, 'x', sizeof(text));
    text[STORE_CONTEXT_MAX] = '\0';
    assert_context(s, "ann", "abc", text);
    op = op_patch("ann", "abc");
    op.patch.set_expires = true;
    op.patch.expires_ms = -1;
    assert_int_equal(store_apply(s, &op), ERR_BADREQ);
    op.session_id = "a b";
    op.patch.expires_ms = 0;
    assert_int_equal(store_apply(s, &op), ERR_BADREQ);
}

static void
a_context_that_does_not_fit_is_told(void **state)
{
    struct store *s = store_of(state);
    struct store_op op = op_patch("ann", "abc");
    struct buf b;

    op.patch.create = true;
    op.patch.context = "0123456789";
    assert_int_equal(store_apply(s, &op), OK);
    buf_init(&b, 4);
    assert_int_equal(store_context(s, "ann", "abc", &b), ERR_TOOBIG);
    buf_release(&b);
    buf_init(&b, 40);
    assert_int_equal(store_context(s, "bob", "abc", &b), ERR_NOTFOUND);
    assert_int_equal(store_context(s, "ann", "no", &b), ERR_NOTFOUND);
    assert_int_equal(store_context(s, "ann", "a b", &b), ERR_NOTFOUND);
    assert_int_equal(b.len, 0);
    buf_release(&b);
    op.patch.context = "new"; /* shorter: it replaces all of the old one */
    assert_int_equal(store_apply(s, &op), OK);
    assert_context(s, "ann", "abc", "new");
}

static void
a_patch_may_make_a_session(void **state)
{
    struct store *s = store_of(state);
    struct store_op op = op_patch("ann", "abc"), other;
    struct session sess;
    struct text list = {0};

    op.patch.create = true;
    op.patch.now_ms = 5000;
    op.patch.title = "Empty";
    op.patch.context = "c";
    assert_int_equal(store_apply(s, &op), OK);
    sess = get_session(s, "ann", "abc");
    assert_int_equal(sess.created_ms, 5000);
    assert_int_equal(sess.updated_ms, 5000);
    assert_int_equal(sess.n_messages, 0);
    assert_int_equal(sess.length, 0);
    assert_true(sess.no == op.patch.after.no);
    assert_messages(s, "ann", "abc", UINT32_MAX, 9, 0, "");
    assert_int_equal(store_sessions(s, "ann", NULL, 9, text_session, &list),
                     OK);
    assert_string_equal(list.s, "abc|");
    other = op_patch("bob", "abc"); /* another owner's: not there */
    other.patch.create = true;
    assert_int_equal(store_apply(s, &other), ERR_NOTFOUND);
    op.patch.now_ms = 6000; /* it is there: not made again */
    assert_int_equal(store_apply(s, &op), OK);
    assert_int_equal(op.patch.after.created_ms, 5000);
    (void)put_turn(s, "ann", "abc", "q", "a");
    assert_context(s, "ann", "abc", "c");
    assert_messages(s, "ann", "abc", UINT32_MAX, 9, 0, "0:q|1:a|");
}

/* --- clearing ------------------------------------------------------------- */

static void
a_cleared_session_keeps_all_but_what_was_said(void **state)
{
    struct store *s = store_of(state);
    struct store_op op = op_patch("ann", "abc"), b, again;
    struct store_op clear = op_on(STORE_SESSION_CLEAR, "ann", "abc");
    struct store_op sum = op_on(STORE_SESSION_SUMMARY, "ann", "abc");
    struct session before, after;
    struct session_summary summary;
    struct turn_info t;
    struct ident turn, found;
    struct store_stats st;

    assert_int_equal(store_apply(s, &clear), ERR_NOTFOUND);
    b = op_begin("ann", "abc", "q");
    b.begin.idem_scope = "abc";
    b.begin.idem_key = "k";
    assert_int_equal(store_apply(s, &b), OK);
    assert_int_equal(store_apply(s, &clear), ERR_CONFLICT);
    assert_true(ident_eq(&clear.clear.open_turn, &b.begin.turn));
    again = op_end(&b.begin.turn, "a");
    assert_int_equal(store_apply(s, &again), OK);
    turn = put_turn_behind(s, "ann", "abc", 0, "q1", "a1"); /* a branch */
    (void)put_turn(s, "ann", "def", "other", "other");
    op.patch.title = "T";
    op.patch.context = "c";
    op.patch.tags = "x\n";
    op.patch.set_pinned = op.patch.pinned = true;
    assert_int_equal(store_apply(s, &op), OK);
    before = get_session(s, "ann", "abc");
    sum.summary.session_no = before.no;
    sum.summary.upto_seq = 1;
    sum.summary.text = "s";
    sum.summary.text_len = 1;
    assert_int_equal(store_apply(s, &sum), OK);

    clear.owner = "bob";
    assert_int_equal(store_apply(s, &clear), ERR_NOTFOUND);
    clear.owner = "ann";
    assert_int_equal(store_apply(s, &clear), OK);
    assert_true(ident_is_zero(&clear.clear.open_turn));
    after = get_session(s, "ann", "abc");
    assert_true(after.no == before.no);
    assert_int_equal(after.n_messages, 0);
    assert_int_equal(after.length, 0);
    assert_int_equal(after.head, 0);
    assert_false(after.branched);
    assert_string_equal(after.title, "T");
    assert_string_equal(after.tags, "x\n");
    assert_true(after.pinned);
    assert_int_equal(after.updated_ms, before.updated_ms);
    assert_context(s, "ann", "abc", "c");
    assert_messages(s, "ann", "abc", UINT32_MAX, 9, 0, "");
    assert_int_equal(store_summary(s, "ann", "abc", &summary, NULL),
                     ERR_NOTFOUND);
    assert_int_equal(store_turn(s, &turn, &t), ERR_NOTFOUND);
    assert_int_equal(store_idem(s, "ann", "abc", "k", &found), ERR_NOTFOUND);
    store_stats(s, &st);
    assert_int_equal(st.sessions, 2);
    assert_int_equal(st.messages, 2);
    /* It goes on from nothing, with the key free again. */
    again = op_begin("ann", "abc", "anew");
    again.begin.idem_scope = "abc";
    again.begin.idem_key = "k";
    again.begin.expect_messages = 0;
    assert_int_equal(store_apply(s, &again), OK);
    assert_false(again.begin.idem_hit);
    assert_messages(s, "ann", "abc", UINT32_MAX, 9, 0, "0:anew|");
    assert_messages(s, "ann", "def", UINT32_MAX, 9, 0, "0:other|1:other|");
}

/* --- deleting ------------------------------------------------------------- */

static void
a_deletion_may_name_the_number(void **state)
{
    struct store *s = store_of(state);
    struct store_op del = op_on(STORE_SESSION_DELETE, "ann", "abc");
    struct store_op op = op_patch("ann", "abc");

    op.patch.create = true;
    op.patch.context = "old";
    assert_int_equal(store_apply(s, &op), OK);
    del.erase.session_no = op.patch.after.no + 1;
    assert_int_equal(store_apply(s, &del), ERR_NOTFOUND);
    del.erase.session_no = op.patch.after.no;
    assert_int_equal(store_apply(s, &del), OK);
    op.patch.context = NULL; /* of that id again, but nothing of the old one */
    assert_int_equal(store_apply(s, &op), OK);
    assert_context(s, "ann", "abc", "");
    assert_int_equal(store_apply(s, &del), ERR_NOTFOUND);
    assert_int_equal(get_session(s, "ann", "abc").n_messages, 0);
}

/* --- how many ------------------------------------------------------------- */

static void
assert_count(struct store *s, const char *owner, uint64_t want)
{
    uint64_t n = 99;

    assert_int_equal(store_session_count(s, owner, &n), OK);
    assert_int_equal(n, want);
}

static void
sessions_are_counted(void **state)
{
    struct store *s = store_of(state);
    struct store_op del = op_on(STORE_SESSION_DELETE, "ann", "s1");
    struct store_op op = op_patch("ann", "s3");
    struct store_op clear = op_on(STORE_SESSION_CLEAR, "ann", "s2");
    char owner[STORE_OWNER_MAX + 2];

    assert_count(s, "ann", 0);
    (void)put_turn(s, "ann", "s1", "q", "a");
    (void)put_turn(s, "ann", "s1", "q", "a");
    (void)put_turn(s, "ann", "s2", "q", "a");
    (void)put_turn(s, "an", "s4", "q", "a");
    (void)put_turn(s, "", "s5", "q", "a");
    assert_count(s, "ann", 2);
    assert_count(s, "an", 1);
    assert_count(s, "", 1);
    op.patch.create = true;
    assert_int_equal(store_apply(s, &op), OK);
    assert_int_equal(store_apply(s, &op), OK);
    assert_int_equal(store_apply(s, &clear), OK);
    assert_count(s, "ann", 3);
    assert_int_equal(store_apply(s, &del), OK);
    assert_int_equal(store_apply(s, &del), ERR_NOTFOUND);
    assert_count(s, "ann", 2);
    del.session_id = "s2";
    assert_int_equal(store_apply(s, &del), OK);
    del.session_id = "s3";
    assert_int_equal(store_apply(s, &del), OK);
    assert_count(s, "ann", 0);
    assert_count(s, "an", 1);
    (void)put_turn(s, "ann", "s1", "q", "a");
    assert_count(s, "ann", 1);
    memset(owner, 'o', sizeof(owner));
    owner[STORE_OWNER_MAX] = '\0';
    (void)put_turn(s, owner, "long", "q", "a");
    assert_count(s, owner, 1);
    owner[STORE_OWNER_MAX] = 'o';
    owner[STORE_OWNER_MAX + 1] = '\0';
    assert_count(s, owner, 0); /* no owner has that name */
}

static void
an_owner_has_so_many_sessions(void **state)
{
    struct store *s = store_of(state);
    struct store_op b, op, del = op_on(STORE_SESSION_DELETE, "ann", "s1");
    struct session sess;

    (void)put_turn(s, "ann", "s1", "q", "a");
    b = op_begin("ann", "s2", "q");
    b.begin.sessions_max = 1;
    assert_int_equal(store_apply(s, &b), ERR_LIMIT);
    assert_true(b.begin.too_many_sessions);
    assert_int_equal(store_session(s, "ann", "s2", &sess), ERR_NOTFOUND);
    b.begin.sessions_max = 2;
    assert_int_equal(store_apply(s, &b), OK);
    assert_false(b.begin.too_many_sessions);
    op = op_patch("ann", "s3");
    op.patch.create = true;
    op.patch.sessions_max = 2;
    assert_int_equal(store_apply(s, &op), ERR_LIMIT);
    assert_true(op.patch.too_many_sessions);
    assert_count(s, "ann", 2);
    b = op_begin("ann", "s1", "q1"); /* one that is there is no new one */
    b.begin.sessions_max = 1;
    assert_int_equal(store_apply(s, &b), OK);
    op.session_id = "s2";
    op.patch.sessions_max = 1;
    assert_int_equal(store_apply(s, &op), OK);
    assert_false(op.patch.too_many_sessions);
    assert_int_equal(store_apply(s, &del), OK);
    op.session_id = "s3";
    op.patch.sessions_max = 2;
    assert_int_equal(store_apply(s, &op), OK);
    b = op_begin("", "a1", "q"); /* nobody's are counted as well */
    b.begin.sessions_max = 1;
    assert_int_equal(store_apply(s, &b), OK);
    b = op_begin("", "a2", "q");
    b.begin.sessions_max = 1;
    assert_int_equal(store_apply(s, &b), ERR_LIMIT);
}

static void
a_session_has_so_many_messages(void **state)
{
    struct store *s = store_of(state);
    struct store_op b = op_begin("ann", "abc", "q");
    struct session sess;

    b.begin.messages_max = 1; /* not even one question with its answer */
    assert_int_equal(store_apply(s, &b), ERR_LIMIT);
    assert_false(b.begin.too_many_sessions);
    assert_int_equal(store_session(s, "ann", "abc", &sess), ERR_NOTFOUND);
    assert_count(s, "ann", 0);
    (void)put_turn(s, "ann", "abc", "q", "a");
    b = op_begin("ann", "abc", "q");
    b.begin.messages_max = 3;
    assert_int_equal(store_apply(s, &b), ERR_LIMIT);
    assert_int_equal(b.begin.n_messages, 2);
    b.begin.parent = 0; /* all lines count */
    assert_int_equal(store_apply(s, &b), ERR_LIMIT);
    b.begin.messages_max = 4;
    assert_int_equal(store_apply(s, &b), OK);
    assert_int_equal(b.begin.n_messages, 3);
}

/* --- on disk -------------------------------------------------------------- */

static void
all_of_it_is_on_disk(void **state)
{
    struct on_store *f = *state;
    struct store_config c = {.dir = f->dir, .map_bytes = TEST_MAP};
    struct store_op op = op_patch("ann", "abc");
    struct session sess;

    (void)put_turn(f->s, "ann", "abc", "q", "a");
    (void)put_turn_behind(f->s, "ann", "abc", 0, "q1", "a1");
    op.patch.title = "T";
    op.patch.titled = true;
    op.patch.context = "c";
    op.patch.model = "m";
    op.patch.tags = "t\n";
    op.patch.set_archived = op.patch.archived = true;
    op.patch.set_expires = true;
    op.patch.expires_ms = clock_wall_ms() + 3600000;
    assert_int_equal(store_apply(f->s, &op), OK);
    store_close(f->s);
    assert_int_equal(store_open_on(&f->s, f->be, &c), OK);
    sess = get_session(f->s, "ann", "abc");
    assert_string_equal(sess.title, "T");
    assert_true(sess.titled && sess.archived && sess.branched);
    assert_false(sess.pinned);
    assert_string_equal(sess.model, "m");
    assert_string_equal(sess.tags, "t\n");
    assert_true(sess.expires_ms == op.patch.expires_ms);
    assert_int_equal(sess.length, 3);
    assert_context(f->s, "ann", "abc", "c");
    assert_count(f->s, "ann", 1);
    assert_messages(f->s, "ann", "abc", UINT32_MAX, 9, 0, "0:q|2:q1|3:a1|");
}

#define ALL(f)                                                           \
    ON_STORE(a_patch_changes_what_it_says, f),                           \
        ON_STORE(only_what_is_not_named_for_good_is_named_by_itself, f), \
        ON_STORE(a_patch_may_name_the_number, f),                        \
        ON_STORE(what_is_spent_is_added_to_its_summaries, f),            \
        ON_STORE(a_patch_is_bounded, f),                                 \
        ON_STORE(a_context_that_does_not_fit_is_told, f),                \
        ON_STORE(a_patch_may_make_a_session, f),                         \
        ON_STORE(a_cleared_session_keeps_all_but_what_was_said, f),      \
        ON_STORE(a_deletion_may_name_the_number, f),                     \
        ON_STORE(sessions_are_counted, f),                               \
        ON_STORE(an_owner_has_so_many_sessions, f),                      \
        ON_STORE(a_session_has_so_many_messages, f)

int
main(void)
{
    static struct on_store lmdb = {.be = &lmdb_backend};
    static struct on_store memory = {.be = &memstore_backend};
    const struct CMUnitTest tests[] = {ALL(lmdb), ALL(memory),
                                       ON_STORE(all_of_it_is_on_disk, lmdb)};

    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
