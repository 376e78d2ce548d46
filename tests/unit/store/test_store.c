/*
 * What a store does, whichever it is: every test here runs on LMDB and on
 * memory.
 */
#include "store_test.h"

struct fixture {
    const struct backend *be;
    char dir[256];
    struct store *s;
};

static int
setup(void **state)
{
    struct fixture *f = *state;
    struct store_config c = {.dir = f->dir, .map_bytes = TEST_MAP};

    folder_make(f->dir);
    assert_int_equal(store_open_on(&f->s, f->be, &c), OK);
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

static struct store *
store_of(void **state)
{
    struct fixture *f = *state;

    return f->s;
}

/* --- turns --------------------------------------------------------------- */

static void
a_turn_makes_a_session_with_two_messages(void **state)
{
    struct store *s = store_of(state);
    struct store_op b = op_begin("", "abc", "hello"), e;
    struct session sess;
    struct turn_info t;
    struct text answer = {0};

    assert_int_equal(store_apply(s, &b), OK);
    assert_int_equal(b.begin.n_messages, 1);
    assert_int_equal(b.begin.user.seq, 0);
    assert_int_equal(store_session(s, "", "abc", &sess), OK);
    assert_true(sess.open);
    assert_true(ident_eq(&sess.open_turn, &b.begin.turn));
    assert_int_equal(sess.n_messages, 1);
    assert_int_equal(store_turn(s, &b.begin.turn, &t), OK);
    assert_int_equal(t.state, TURN_STATE_OPEN);
    assert_int_equal(t.process.pid, getpid());
    assert_int_equal(store_turn_answer(s, &t, text_message, &answer),
                     ERR_NOTFOUND);

    e = op_end(&b.begin.turn, "world");
    assert_int_equal(store_apply(s, &e), OK);
    assert_int_equal(e.end.length, 2);
    assert_int_equal(e.end.answer.seq, 1);
    assert_int_equal(store_session(s, "", "abc", &sess), OK);
    assert_false(sess.open);
    assert_true(ident_is_zero(&sess.open_turn));
    assert_int_equal(sess.created_ms, 1000);
    assert_int_equal(sess.updated_ms, 2000);
    assert_int_equal(store_turn(s, &b.begin.turn, &t), OK);
    assert_int_equal(t.state, TURN_STATE_ENDED);
    assert_int_equal(t.answer_seq, 1);
    assert_int_equal(t.conversation_length, 2);
    assert_int_equal(t.end_seq, 9);
    assert_int_equal(t.begun_ms, 1000);
    assert_int_equal(t.ended_ms, 2000);
    assert_string_equal(t.session_id, "abc");
    assert_true(ident_eq(&t.user_message, &b.begin.user.id));
    assert_true(ident_eq(&t.answer_message, &b.begin.answer_message));
    assert_int_equal(store_turn_answer(s, &t, text_message, &answer), OK);
    assert_string_equal(answer.s, "1:world|");
    assert_messages(s, "", "abc", UINT32_MAX, 50, 0, "0:hello|1:world|");
}

static bool
check_answer(void *arg, const struct message *m)
{
    const struct ident *turn = arg;

    if (m->seq == 0) {
        assert_string_equal(m->provider, "");
        assert_int_equal(m->input_tokens, -1);
        assert_int_equal(m->role, 1);
        return true;
    }
    assert_int_equal(m->role, 2);
    assert_int_equal(m->finish, 1);
    assert_int_equal(m->at_ms, 2000);
    assert_int_equal(m->input_tokens, 7);
    assert_int_equal(m->output_tokens, 0);
    assert_int_equal(m->cached_tokens, -1);
    assert_string_equal(m->provider, "offline");
    assert_string_equal(m->model, "small");
    assert_true(ident_eq(&m->turn, turn));
    return true;
}

static void
a_message_comes_back_as_it_went_in(void **state)
{
    struct store *s = store_of(state);
    struct ident turn = put_turn(s, "", "abc", "", "a");
    struct session sess;

    assert_int_equal(store_messages(s, "", "abc", UINT32_MAX, 50, 0, &sess,
                                    check_answer, &turn),
                     OK);
    assert_int_equal(sess.n_messages, 2);
}

/* What of the answers came back with them. */
struct extras {
    int64_t cost_micro;
    size_t n;
    char *text; /* owned; of the last message */
};

static bool
take_extra(void *arg, const struct message *m)
{
    struct extras *x = arg;

    x->cost_micro = m->cost_micro;
    x->n = m->extra_len;
    free(x->text);
    x->text = malloc(m->extra_len + 1);
    assert_non_null(x->text);
    assert_non_null(m->extra);
    memcpy(x->text, m->extra, m->extra_len);
    x->text[m->extra_len] = '\0';
    return true;
}

static void
put_extra(struct store *s, const char *extra, size_t n, int64_t cost_micro,
          enum err want)
{
    struct store_op b = op_begin("", "abc", "q"), e;

    assert_int_equal(store_apply(s, &b), OK);
    e = op_end(&b.begin.turn, "a");
    e.end.answer.cost_micro = cost_micro;
    e.end.answer.extra = extra;
    e.end.answer.extra_len = n;
    assert_int_equal(store_apply(s, &e), want);
    if (want == OK)
        return;
    e = op_end(&b.begin.turn, "a"); /* without it, it can end */
    assert_int_equal(store_apply(s, &e), OK);
}

static void
assert_extra(struct store *s, const char *want, size_t n, int64_t cost_micro)
{
    struct extras x = {.n = 99};

    assert_int_equal(
        store_messages(s, "", "abc", UINT32_MAX, 1, 0, NULL, take_extra, &x),
        OK);
    assert_int_equal(x.cost_micro, cost_micro);
    assert_int_equal(x.n, n);
    assert_memory_equal(x.text, want, n);
    free(x.text);
}

static void
what_else_is_known_comes_back(void **state)
{
    struct store *s = store_of(state);
    static char extra[STORE_EXTRA_MAX + 1];

    put_extra(s, NULL, 0, -1, OK);
    assert_extra(s, "", 0, -1);
    put_extra(s, "", 0, 0, OK);
    assert_extra(s, "", 0, 0);
    put_extra(s, "{\"notes\":[]} and no more", 12, INT64_C(123456789012), OK);
    assert_extra(s, "{\"notes\":[]}", 12, INT64_C(123456789012));
    memset(extra, 'x', sizeof(extra));
    put_extra(s, extra, STORE_EXTRA_MAX, 1, OK);
    assert_extra(s, extra, STORE_EXTRA_MAX, 1);
    put_extra(s, extra, STORE_EXTRA_MAX + 1, 1, ERR_TOOBIG);
    assert_extra(s, "", 0, -1);
}

static void
a_second_turn_waits_for_the_first(void **state)
{
    struct store *s = store_of(state);
    struct store_op a = op_begin("", "abc", "one");
    struct store_op b = op_begin("", "abc", "two"), e;

    assert_int_equal(store_apply(s, &a), OK);
    assert_int_equal(store_apply(s, &b), ERR_CONFLICT);
    assert_false(b.begin.idem_hit);
    assert_true(ident_eq(&b.begin.open_turn, &a.begin.turn));
    assert_messages(s, "", "abc", UINT32_MAX, 50, 0, "0:one|");
    e = op_end(&a.begin.turn, "1");
    assert_int_equal(store_apply(s, &e), OK);
    assert_int_equal(store_apply(s, &b), OK);
    assert_true(ident_is_zero(&b.begin.open_turn));
    assert_int_equal(b.begin.n_messages, 3);
}

static void
a_turn_ends_once(void **state)
{
    struct store *s = store_of(state);
    struct ident turn = put_turn(s, "", "abc", "q", "a");
    struct store_op again = op_end(&turn, "b");
    struct ident other = ident_v7();
    struct store_op unknown = op_end(&other, "b");

    assert_int_equal(store_apply(s, &again), ERR_CONFLICT);
    assert_int_equal(store_apply(s, &unknown), ERR_NOTFOUND);
    assert_messages(s, "", "abc", UINT32_MAX, 50, 0, "0:q|1:a|");
}

static void
a_turn_id_is_used_once(void **state)
{
    struct store *s = store_of(state);
    struct ident turn = put_turn(s, "", "abc", "q", "a");
    struct store_op b = op_begin("", "def", "q");
    struct session sess;

    b.begin.turn = turn;
    assert_int_equal(store_apply(s, &b), ERR_CONFLICT);
    assert_int_equal(store_session(s, "", "def", &sess), ERR_NOTFOUND);
}

static void
an_expected_length_must_match(void **state)
{
    struct store *s = store_of(state);
    struct store_op b = op_begin("", "abc", "q2");

    (void)put_turn(s, "", "abc", "q", "a");
    b.begin.expect_messages = 1;
    assert_int_equal(store_apply(s, &b), ERR_CONFLICT);
    assert_int_equal(b.begin.n_messages, 2);
    assert_true(ident_is_zero(&b.begin.open_turn));
    b.begin.expect_messages = 2;
    assert_int_equal(store_apply(s, &b), OK);
    b = op_begin("", "new", "q");
    b.begin.expect_messages = 0;
    assert_int_equal(store_apply(s, &b), OK);
}

static void
a_session_is_made_only_when_asked_for(void **state)
{
    struct store *s = store_of(state);
    struct store_op b = op_begin("", "abc", "q");
    struct session sess;
    struct turn_info t;

    b.begin.create = false;
    assert_int_equal(store_apply(s, &b), ERR_NOTFOUND);
    assert_int_equal(store_session(s, "", "abc", &sess), ERR_NOTFOUND);
    assert_int_equal(store_turn(s, &b.begin.turn, &t), ERR_NOTFOUND);
}

static void
what_is_out_of_bounds_is_refused(void **state)
{
    struct store *s = store_of(state);
    static char text[STORE_TEXT_MAX + 1];
    char name[STORE_NAME_MAX + 2], owner[STORE_OWNER_MAX + 2];
    char title[STORE_TITLE_MAX + 2];
    struct store_op b = op_begin("", "abc", "q");
    struct session sess;

    memset(name, 'n', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    memset(owner, 'o', sizeof(owner));
    owner[sizeof(owner) - 1] = '\0';
    memset(title, 't', sizeof(title));
    title[sizeof(title) - 1] = '\0';
    b.begin.user.text = text;
    b.begin.user.text_len = sizeof(text);
    assert_int_equal(store_apply(s, &b), ERR_TOOBIG);
    b = op_begin("", "abc", "q");
    b.begin.user.model = name;
    assert_int_equal(store_apply(s, &b), ERR_TOOBIG);
    b = op_begin(owner, "abc", "q");
    assert_int_equal(store_apply(s, &b), ERR_BADREQ);
    b = op_begin("", "a b", "q");
    assert_int_equal(store_apply(s, &b), ERR_BADREQ);
    b = op_title("", "abc", title);
    assert_int_equal(store_apply(s, &b), ERR_TOOBIG);
    assert_int_equal(store_session(s, owner, "abc", &sess), ERR_NOTFOUND);
    assert_int_equal(store_session(s, "", "", &sess), ERR_NOTFOUND);
    assert_int_equal(store_session(s, "", "abc", &sess), ERR_NOTFOUND);
}

static void
the_longest_text_fits(void **state)
{
    struct store *s = store_of(state);
    static char text[STORE_TEXT_MAX];
    struct store_op b = op_begin("", "abc", "q");
    struct session sess;

    memset(text, 'x', sizeof(text));
    b.begin.user.text = text;
    b.begin.user.text_len = sizeof(text);
    assert_int_equal(store_apply(s, &b), OK);
    assert_int_equal(store_session(s, "", "abc", &sess), OK);
}

/* --- owners -------------------------------------------------------------- */

static void
another_owners_session_is_not_there(void **state)
{
    struct store *s = store_of(state);
    struct store_op b = op_begin("bob", "abc", "mine?");
    struct store_op title = op_title("bob", "abc", "x");
    struct session sess;

    (void)put_turn(s, "ann", "abc", "q", "a");
    assert_int_equal(store_session(s, "bob", "abc", &sess), ERR_NOTFOUND);
    assert_int_equal(store_session(s, "", "abc", &sess), ERR_NOTFOUND);
    assert_int_equal(store_apply(s, &b), ERR_NOTFOUND);
    assert_int_equal(store_apply(s, &title), ERR_NOTFOUND);
    title.kind = STORE_SESSION_DELETE;
    assert_int_equal(store_apply(s, &title), ERR_NOTFOUND);
    assert_messages(s, "ann", "abc", UINT32_MAX, 50, 0, "0:q|1:a|");
}

static void
sessions_are_listed_newest_first(void **state)
{
    struct store *s = store_of(state);
    static const char *const ids[] = {"s1", "s2", "s3", "s4"};
    struct text t = {0}, page = {.stop_after = 2}, rest = {0};
    struct session last;

    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        struct store_op b = op_begin("ann", ids[i], "q");

        b.begin.user.at_ms = 1000 + (int64_t)i;
        assert_int_equal(store_apply(s, &b), OK);
        if (i == 0) { /* and answered last of all */
            struct store_op e = op_end(&b.begin.turn, "a");

            e.end.answer.at_ms = 5000;
            assert_int_equal(store_apply(s, &e), OK);
        }
    }
    (void)put_turn(s, "an", "other", "q", "a");
    (void)put_turn(s, "ann2", "other2", "q", "a");
    (void)put_turn(s, "", "anonymous", "q", "a");
    assert_int_equal(store_sessions(s, "ann", NULL, 50, text_session, &t), OK);
    assert_string_equal(t.s, "s1|s4|s3|s2|");
    assert_int_equal(store_sessions(s, "ann", NULL, 50, text_session, &page),
                     OK);
    assert_string_equal(page.s, "s1|s4|");
    assert_int_equal(store_session(s, "ann", "s4", &last), OK);
    assert_int_equal(store_sessions(s, "ann", &last, 1, text_session, &rest),
                     OK);
    assert_string_equal(rest.s, "s3|");
    memset(&rest, 0, sizeof(rest));
    assert_int_equal(store_sessions(s, "", NULL, 50, text_session, &rest), OK);
    assert_string_equal(rest.s, "anonymous|");
}

/* --- pages of messages --------------------------------------------------- */

static void
messages_come_in_pages_from_the_end(void **state)
{
    struct store *s = store_of(state);
    struct text t = {.stop_after = 2};

    (void)put_turn(s, "", "aaa", "before", "before");
    (void)put_turn(s, "", "abc", "q0", "a0");
    (void)put_turn(s, "", "abc", "q1", "a1");
    (void)put_turn(s, "", "abc", "q2", "a2");
    (void)put_turn(s, "", "zzz", "behind", "behind");
    assert_messages(s, "", "abc", UINT32_MAX, 3, 0, "3:a1|4:q2|5:a2|");
    assert_messages(s, "", "abc", 3, 2, 0, "1:a0|2:q1|");
    assert_messages(s, "", "abc", 1, 50, 0, "0:q0|");
    assert_messages(s, "", "abc", 0, 50, 0, "");
    assert_messages(s, "", "abc", UINT32_MAX, 0, 0, "");
    assert_messages(s, "", "aaa", UINT32_MAX, 50, 0, "0:before|1:before|");
    assert_messages(s, "", "zzz", UINT32_MAX, 50, 0, "0:behind|1:behind|");
    assert_int_equal(
        store_messages(s, "", "abc", UINT32_MAX, 50, 0, NULL, text_message, &t),
        OK);
    assert_string_equal(t.s, "0:q0|1:a0|");
}

static void
a_bound_on_bytes_keeps_the_newest(void **state)
{
    struct store *s = store_of(state);

    (void)put_turn(s, "", "abc", "1234", "5678");
    (void)put_turn(s, "", "abc", "abcd", "0123456789");
    assert_messages(s, "", "abc", UINT32_MAX, 50, 14, "2:abcd|3:0123456789|");
    assert_messages(s, "", "abc", UINT32_MAX, 50, 17, "2:abcd|3:0123456789|");
    assert_messages(s, "", "abc", UINT32_MAX, 50, 1, "3:0123456789|");
    assert_messages(s, "", "abc", UINT32_MAX, 50, 1000,
                    "0:1234|1:5678|2:abcd|3:0123456789|");
    put_extra(s, "{\"a\":1234}", 10, -1, OK); /* after "q"; "a" is its text */
    assert_messages(s, "", "abc", UINT32_MAX, 50, 12, "4:q|5:a|");
    assert_messages(s, "", "abc", UINT32_MAX, 50, 11, "5:a|");
    assert_messages(s, "", "abc", UINT32_MAX, 50, 22, "3:0123456789|4:q|5:a|");
}

/* --- keys ---------------------------------------------------------------- */

static void
a_key_makes_one_turn(void **state)
{
    struct store *s = store_of(state);
    struct store_op a = op_begin("ann", "abc", "q"), b, c, d;
    struct ident found;

    a.begin.idem_scope = "abc";
    a.begin.idem_key = "k1";
    assert_int_equal(store_apply(s, &a), OK);
    b = op_begin("ann", "abc", "q again");
    b.begin.idem_scope = "abc";
    b.begin.idem_key = "k1";
    assert_int_equal(store_apply(s, &b), ERR_CONFLICT);
    assert_true(b.begin.idem_hit);
    assert_true(ident_eq(&b.begin.existing, &a.begin.turn));
    assert_int_equal(store_idem(s, "ann", "abc", "k1", &found), OK);
    assert_true(ident_eq(&found, &a.begin.turn));
    assert_int_equal(store_idem(s, "bob", "abc", "k1", &found), ERR_NOTFOUND);
    assert_int_equal(store_idem(s, "ann", "ab", "ck1", &found), ERR_NOTFOUND);
    assert_int_equal(store_idem(s, "ann", "abc", "k2", &found), ERR_NOTFOUND);
    c = op_begin("ann", "def", "q");
    c.begin.idem_scope = "def";
    c.begin.idem_key = "k1";
    assert_int_equal(store_apply(s, &c), OK);
    /* A turn that did not begin leaves no key. */
    d = op_begin("ann", "abc", "q");
    d.begin.idem_scope = "abc";
    d.begin.idem_key = "k3";
    assert_int_equal(store_apply(s, &d), ERR_CONFLICT);
    assert_false(d.begin.idem_hit);
    assert_int_equal(store_idem(s, "ann", "abc", "k3", &found), ERR_NOTFOUND);
}

/* --- whole sessions ------------------------------------------------------ */

static void
a_title_is_kept(void **state)
{
    struct store *s = store_of(state);
    struct store_op op = op_title("ann", "abc", "Über alles");
    struct session sess;

    assert_int_equal(store_apply(s, &op), ERR_NOTFOUND);
    (void)put_turn(s, "ann", "abc", "q", "a");
    assert_int_equal(store_apply(s, &op), OK);
    (void)put_turn(s, "ann", "abc", "q", "a");
    assert_int_equal(store_session(s, "ann", "abc", &sess), OK);
    assert_string_equal(sess.title, "Über alles");
    assert_int_equal(sess.n_messages, 4);
}

static void
a_deleted_session_leaves_nothing(void **state)
{
    struct store *s = store_of(state);
    struct store_op b = op_begin("ann", "abc", "q"), end, again;
    struct store_op del = {
        .kind = STORE_SESSION_DELETE, .owner = "ann", .session_id = "abc"};
    struct ident ended = put_turn(s, "ann", "abc", "q0", "a0"), found;
    struct session sess;
    struct turn_info t;
    struct text list = {0};
    struct store_stats st;

    (void)put_turn(s, "ann", "keep", "q", "a");
    b.begin.idem_scope = "abc";
    b.begin.idem_key = "k";
    assert_int_equal(store_apply(s, &b), OK);
    assert_int_equal(store_apply(s, &del), OK);
    assert_int_equal(store_apply(s, &del), ERR_NOTFOUND);
    assert_int_equal(store_session(s, "ann", "abc", &sess), ERR_NOTFOUND);
    assert_int_equal(store_turn(s, &ended, &t), ERR_NOTFOUND);
    assert_int_equal(store_turn(s, &b.begin.turn, &t), ERR_NOTFOUND);
    assert_int_equal(store_idem(s, "ann", "abc", "k", &found), ERR_NOTFOUND);
    end = op_end(&b.begin.turn, "late");
    assert_int_equal(store_apply(s, &end), ERR_NOTFOUND);
    assert_int_equal(store_sessions(s, "ann", NULL, 9, text_session, &list),
                     OK);
    assert_string_equal(list.s, "keep|");
    store_stats(s, &st);
    assert_int_equal(st.sessions, 1);
    assert_int_equal(st.messages, 2);
    /* The key is free again, and so is the id. */
    again = op_begin("ann", "abc", "anew");
    again.begin.idem_scope = "abc";
    again.begin.idem_key = "k";
    assert_int_equal(store_apply(s, &again), OK);
    assert_int_equal(again.begin.n_messages, 1);
    assert_messages(s, "ann", "abc", UINT32_MAX, 9, 0, "0:anew|");
    assert_messages(s, "ann", "keep", UINT32_MAX, 9, 0, "0:q|1:a|");
}

static void
a_number_is_not_used_again(void **state)
{
    struct store *s = store_of(state);
    struct store_op del = {
        .kind = STORE_SESSION_DELETE, .owner = "", .session_id = "abc"};
    struct session first, second;

    (void)put_turn(s, "", "abc", "q", "a");
    assert_int_equal(store_session(s, "", "abc", &first), OK);
    assert_int_equal(store_apply(s, &del), OK);
    (void)put_turn(s, "", "abc", "q", "a");
    assert_int_equal(store_session(s, "", "abc", &second), OK);
    assert_true(second.no > first.no);
}

static bool
text_turn(void *arg, const struct turn_info *t)
{
    struct text *out = arg;

    assert_int_equal(t->state, TURN_STATE_OPEN);
    out->n += (size_t)snprintf(out->s + out->n, sizeof(out->s) - out->n,
                               "%s/%s|", t->owner, t->session_id);
    return true;
}

static void
open_turns_are_listed(void **state)
{
    struct store *s = store_of(state);
    struct store_op a = op_begin("ann", "s1", "q");
    struct store_op b = op_begin("", "s2", "q"), e;
    struct text t = {0};

    assert_int_equal(store_apply(s, &a), OK);
    assert_int_equal(store_apply(s, &b), OK);
    (void)put_turn(s, "", "s3", "q", "a");
    assert_int_equal(store_open_turns(s, text_turn, &t), OK);
    assert_string_equal(t.s, "ann/s1|/s2|");
    e = op_end(&a.begin.turn, "a");
    assert_int_equal(store_apply(s, &e), OK);
    memset(&t, 0, sizeof(t));
    assert_int_equal(store_open_turns(s, text_turn, &t), OK);
    assert_string_equal(t.s, "/s2|");
}

/* --- against each other -------------------------------------------------- */

static void
assert_same_list(struct store *x, struct store *y)
{
    struct text a = {0}, b = {0};
    uint64_t n, m;

    assert_int_equal(store_sessions(x, "ann", NULL, 9, text_session, &a), OK);
    assert_int_equal(store_sessions(y, "ann", NULL, 9, text_session, &b), OK);
    assert_string_equal(a.s, b.s);
    assert_int_equal(store_session_count(x, "ann", &n), OK);
    assert_int_equal(store_session_count(y, "ann", &m), OK);
    assert_int_equal(n, m);
    assert_int_equal(n, a.count);
}

/* A walk of random operations over a few sessions gives the same results and
 * the same records on both. */
static void
both_stores_agree(void **state)
{
    struct fixture other = {.be = &memstore_backend};
    struct store_config c = {.dir = other.dir, .map_bytes = TEST_MAP};
    struct store *s = store_of(state);
    struct ident open[4] = {{{0}}};
    unsigned seed = 12345;

    assert_int_equal(store_open_on(&other.s, other.be, &c), OK);
    for (int i = 0; i < 1500; i++) {
        struct store_op op[2];
        char id[8], text[16];
        unsigned k;

        seed = seed * 1103515245 + 12345;
        k = seed >> 16 & 3;
        (void)snprintf(id, sizeof(id), "s%u", k);
        (void)snprintf(text, sizeof(text), "t%d", i);
        switch (seed >> 20 & 7) {
        case 0:
            op[0] = op_on((seed >> 23 & 3) == 0 ? STORE_SESSION_DELETE
                                                : STORE_SESSION_CLEAR,
                          "ann", id);
            break;
        case 1:
            op[0] = op_title("ann", id, text);
            op[0].patch.set_head = (seed >> 23 & 1) != 0;
            op[0].patch.head = seed >> 24 & 7;
            break;
        case 2:
        case 3:
        case 4:
            op[0] = op_end(&open[k], text);
            op[0].end.answer.at_ms = 1000 + i;
            break;
        default:
            op[0] = op_begin("ann", id, text);
            op[0].begin.user.at_ms = 1000 + i;
            op[0].begin.expect_messages = (seed >> 24 & 7) == 0 ? 2
                                                                : UINT32_MAX;
            if ((seed >> 27 & 1) != 0)
                op[0].begin.parent = seed >> 24 & 7;
            op[0].begin.messages_max = 30;
            open[k] = op[0].begin.turn;
        }
        op[1] = op[0];
        (void)!store_apply(s, &op[0]);
        (void)!store_apply(other.s, &op[1]);
        assert_int_equal(op[0].err, op[1].err);
        assert_int_equal(op[0].begin.n_messages, op[1].begin.n_messages);
        assert_int_equal(op[0].end.length, op[1].end.length);
        assert_int_equal(op[0].patch.after.head, op[1].patch.after.head);
        assert_int_equal(op[0].patch.after.length, op[1].patch.after.length);
    }
    for (unsigned k = 0; k < 4; k++) {
        struct text a = {0}, b = {0};
        struct session x, y;
        enum err e, f;
        char id[8];

        (void)snprintf(id, sizeof(id), "s%u", k);
        e = store_messages(s, "ann", id, UINT32_MAX, 100, 0, &x, text_message,
                           &a);
        f = store_messages(other.s, "ann", id, UINT32_MAX, 100, 0, &y,
                           text_message, &b);
        assert_int_equal(e, f);
        assert_string_equal(a.s, b.s);
        if (e == OK) {
            assert_string_equal(x.title, y.title);
            assert_int_equal(x.updated_ms, y.updated_ms);
            assert_int_equal(x.no, y.no);
            assert_int_equal(x.n_messages, y.n_messages);
            assert_int_equal(x.head, y.head);
            assert_int_equal(x.length, y.length);
            assert_int_equal(x.branched, y.branched);
        }
    }
    assert_same_list(s, other.s);
    store_close(other.s);
}

#define ON(t, f) \
    cmocka_unit_test_prestate_setup_teardown(t, setup, teardown, &f)
#define ALL(f)                                                                 \
    ON(a_turn_makes_a_session_with_two_messages, f),                           \
        ON(a_message_comes_back_as_it_went_in, f),                             \
        ON(what_else_is_known_comes_back, f),                                  \
        ON(a_second_turn_waits_for_the_first, f), ON(a_turn_ends_once, f),     \
        ON(a_turn_id_is_used_once, f), ON(an_expected_length_must_match, f),   \
        ON(a_session_is_made_only_when_asked_for, f),                          \
        ON(what_is_out_of_bounds_is_refused, f), ON(the_longest_text_fits, f), \
        ON(another_owners_session_is_not_there, f),                            \
        ON(sessions_are_listed_newest_first, f),                               \
        ON(messages_come_in_pages_from_the_end, f),                            \
        ON(a_bound_on_bytes_keeps_the_newest, f), ON(a_key_makes_one_turn, f), \
        ON(a_title_is_kept, f), ON(a_deleted_session_leaves_nothing, f),       \
        ON(a_number_is_not_used_again, f), ON(open_turns_are_listed, f)

int
main(void)
{
    static struct fixture lmdb = {.be = &lmdb_backend};
    static struct fixture memory = {.be = &memstore_backend};
    const struct CMUnitTest tests[] = {ALL(lmdb), ALL(memory),
                                       ON(both_stores_agree, lmdb)};

    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
