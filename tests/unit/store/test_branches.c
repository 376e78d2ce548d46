/*
 * Branches: a message behind any other, lines and the head, what is found on
 * which line. Every test runs on LMDB and on memory; the last ones hold both
 * against a tree of the test's own.
 */
#include "store_test.h"

static struct store *
store_of(void **state)
{
    struct on_store *f = *state;

    return f->s;
}

/* The parents of messages, as "seq<parent|…"; "-" for none. */
static bool
text_parent(void *arg, const struct message *m)
{
    struct text *t = arg;
    char parent[16] = "-";

    if (m->parent != STORE_ROOT)
        (void)snprintf(parent, sizeof(parent), "%u", m->parent);
    t->n += (size_t)snprintf(t->s + t->n, sizeof(t->s) - t->n, "%u<%s|", m->seq,
                             parent);
    return ++t->count != t->stop_after;
}

static void
assert_parents(struct store *s, const char *id, const char *want)
{
    struct text t = {0};

    assert_int_equal(
        store_all_messages(s, "ann", id, 0, UINT32_MAX, NULL, text_parent, &t),
        OK);
    assert_string_equal(t.s, want);
}

static void
assert_tree(struct store *s, const char *id, uint32_t n, uint32_t head,
            uint32_t length, bool branched)
{
    struct session sess = get_session(s, "ann", id);

    assert_int_equal(sess.n_messages, n);
    assert_int_equal(sess.head, head);
    assert_int_equal(sess.length, length);
    assert_int_equal(sess.branched, branched);
}

/* --- making them ---------------------------------------------------------- */

static void
without_branches_there_is_one_line(void **state)
{
    struct store *s = store_of(state);

    (void)put_turn(s, "ann", "abc", "q0", "a0");
    assert_tree(s, "abc", 2, 1, 2, false);
    (void)put_turn_behind(s, "ann", "abc", 1, "q1", "a1"); /* said: the last */
    assert_tree(s, "abc", 4, 3, 4, false);
    assert_parents(s, "abc", "0<-|1<0|2<1|3<2|");
    assert_line(s, "ann", "abc", STORE_HEAD, "0:q0|1:a0|2:q1|3:a1|");
    assert_line(s, "ann", "abc", 3, "0:q0|1:a0|2:q1|3:a1|");
    assert_line(s, "ann", "abc", 2, "0:q0|1:a0|2:q1|");
    assert_line(s, "ann", "abc", 0, "0:q0|");
}

static void
an_edited_question_keeps_the_old_one(void **state)
{
    struct store *s = store_of(state);
    struct store_op b, e;

    (void)put_turn(s, "ann", "abc", "q0", "a0");
    (void)put_turn(s, "ann", "abc", "q1", "a1");
    b = op_begin("ann", "abc", "q1 anew");
    b.begin.parent = 1;
    assert_int_equal(store_apply(s, &b), OK);
    assert_int_equal(b.begin.user.seq, 4);
    assert_int_equal(b.begin.user.parent, 1);
    assert_int_equal(b.begin.n_messages, 5);
    assert_tree(s, "abc", 5, 4, 3, true);
    e = op_end(&b.begin.turn, "a1 anew");
    assert_int_equal(store_apply(s, &e), OK);
    assert_int_equal(e.end.answer.seq, 5);
    assert_int_equal(e.end.length, 4);
    assert_tree(s, "abc", 6, 5, 4, true);
    assert_parents(s, "abc", "0<-|1<0|2<1|3<2|4<1|5<4|");
    assert_messages(s, "ann", "abc", UINT32_MAX, 50, 0,
                    "0:q0|1:a0|4:q1 anew|5:a1 anew|");
    assert_line(s, "ann", "abc", 3, "0:q0|1:a0|2:q1|3:a1|");
    assert_line(s, "ann", "abc", 4, "0:q0|1:a0|4:q1 anew|");
    (void)put_turn(s, "ann", "abc", "q2", "a2"); /* goes on behind the head */
    assert_tree(s, "abc", 8, 7, 6, true);
    assert_messages(s, "ann", "abc", UINT32_MAX, 50, 0,
                    "0:q0|1:a0|4:q1 anew|5:a1 anew|6:q2|7:a2|");
}

static void
a_first_message_may_be_asked_anew(void **state)
{
    struct store *s = store_of(state);
    struct store_op b = op_begin("ann", "abc", "q0 anew"), e;

    (void)put_turn(s, "ann", "abc", "q0", "a0");
    b.begin.root = true;
    assert_int_equal(store_apply(s, &b), OK);
    assert_int_equal(b.begin.user.parent, STORE_ROOT);
    assert_tree(s, "abc", 3, 2, 1, true);
    e = op_end(&b.begin.turn, "a0 anew");
    assert_int_equal(store_apply(s, &e), OK);
    assert_int_equal(e.end.length, 2);
    assert_parents(s, "abc", "0<-|1<0|2<-|3<2|");
    assert_line(s, "ann", "abc", STORE_HEAD, "2:q0 anew|3:a0 anew|");
    assert_line(s, "ann", "abc", 1, "0:q0|1:a0|");
    b = op_begin("ann", "new", "q"); /* of a new session: as any first one */
    b.begin.root = true;
    assert_int_equal(store_apply(s, &b), OK);
    assert_tree(s, "new", 1, 0, 1, false);
}

static void
a_parent_must_be_there(void **state)
{
    struct store *s = store_of(state);
    struct store_op b = op_begin("ann", "abc", "q");
    struct turn_info t;

    (void)put_turn(s, "ann", "abc", "q0", "a0");
    b.begin.parent = 2;
    assert_int_equal(store_apply(s, &b), ERR_NOTFOUND);
    assert_int_equal(store_turn(s, &b.begin.turn, &t), ERR_NOTFOUND);
    b.begin.parent = UINT32_MAX - 1;
    assert_int_equal(store_apply(s, &b), ERR_NOTFOUND);
    assert_tree(s, "abc", 2, 1, 2, false);
    assert_false(get_session(s, "ann", "abc").open);
    b.begin.parent = 1;
    assert_int_equal(store_apply(s, &b), OK);
    b = op_begin("ann", "new", "q"); /* nothing is there in a new session */
    b.begin.parent = 0;
    assert_int_equal(store_apply(s, &b), ERR_NOTFOUND);
    assert_int_equal(store_session(s, "ann", "new", &(struct session){0}),
                     ERR_NOTFOUND);
}

/* --- the head ------------------------------------------------------------- */

static void
the_head_moves_between_lines(void **state)
{
    struct store *s = store_of(state);

    (void)put_turn(s, "ann", "abc", "q0", "a0");
    (void)put_turn(s, "ann", "abc", "q1", "a1");
    assert_int_equal(set_head(s, "ann", "abc", 1), OK);
    assert_tree(s, "abc", 4, 1, 2, false); /* no branch yet */
    assert_messages(s, "ann", "abc", UINT32_MAX, 50, 0, "0:q0|1:a0|");
    assert_messages(s, "ann", "abc", 1, 50, 0, "0:q0|");
    assert_int_equal(set_head(s, "ann", "abc", 3), OK);
    assert_tree(s, "abc", 4, 3, 4, false);
    assert_int_equal(set_head(s, "ann", "abc", 1), OK);
    (void)put_turn(s, "ann", "abc", "q2", "a2");
    assert_tree(s, "abc", 6, 5, 4, true);
    assert_messages(s, "ann", "abc", UINT32_MAX, 50, 0, "0:q0|1:a0|4:q2|5:a2|");
    assert_int_equal(set_head(s, "ann", "abc", 3), OK);
    assert_tree(s, "abc", 6, 3, 4, true);
    assert_messages(s, "ann", "abc", UINT32_MAX, 50, 0, "0:q0|1:a0|2:q1|3:a1|");
    assert_int_equal(set_head(s, "ann", "abc", STORE_HEAD), OK); /* stays */
    assert_tree(s, "abc", 6, 3, 4, true);
    assert_int_equal(set_head(s, "ann", "abc", 6), ERR_NOTFOUND);
    assert_tree(s, "abc", 6, 3, 4, true);
}

static void
an_answer_follows_its_question_wherever_the_head_is(void **state)
{
    struct store *s = store_of(state);
    struct store_op b = op_begin("ann", "abc", "q1"), e;
    struct turn_info t;
    struct text answer = {0};

    (void)put_turn(s, "ann", "abc", "q0", "a0");
    assert_int_equal(store_apply(s, &b), OK);
    assert_int_equal(set_head(s, "ann", "abc", 0), OK);
    assert_tree(s, "abc", 3, 0, 1, false);
    assert_true(get_session(s, "ann", "abc").open);
    e = op_end(&b.begin.turn, "a1");
    assert_int_equal(store_apply(s, &e), OK);
    assert_int_equal(e.end.length, 4);
    assert_tree(s, "abc", 4, 0, 1, false); /* the head stays */
    assert_parents(s, "abc", "0<-|1<0|2<1|3<2|");
    assert_int_equal(store_turn(s, &b.begin.turn, &t), OK);
    assert_int_equal(t.conversation_length, 4);
    assert_int_equal(store_turn_answer(s, &t, text_message, &answer), OK);
    assert_string_equal(answer.s, "3:a1|"); /* though not on the line */
    /* The same with branches, and the head back in time. */
    b = op_begin("ann", "abc", "q2");
    b.begin.parent = 1;
    assert_int_equal(store_apply(s, &b), OK);
    assert_int_equal(set_head(s, "ann", "abc", 3), OK);
    e = op_end(&b.begin.turn, "a2");
    assert_int_equal(store_apply(s, &e), OK);
    assert_int_equal(e.end.length, 4);
    assert_tree(s, "abc", 6, 3, 4, true);
    b = op_begin("ann", "abc", "q3");
    b.begin.parent = 0;
    assert_int_equal(store_apply(s, &b), OK);
    assert_int_equal(set_head(s, "ann", "abc", 5), OK);
    assert_int_equal(set_head(s, "ann", "abc", b.begin.user.seq), OK);
    e = op_end(&b.begin.turn, "a3");
    assert_int_equal(store_apply(s, &e), OK);
    assert_int_equal(e.end.length, 3);
    assert_tree(s, "abc", 8, 7, 3, true);
    assert_line(s, "ann", "abc", STORE_HEAD, "0:q0|6:q3|7:a3|");
}

/* --- reading -------------------------------------------------------------- */

/* Two lines: 0 1 2 3 and 0 1 4 5 6 7, and a root of its own: 8 9. */
static void
plant_tree(struct store *s)
{
    struct store_op b = op_begin("ann", "abc", "q4"), e;

    (void)put_turn(s, "ann", "abc", "q0", "a0");
    (void)put_turn(s, "ann", "abc", "q1", "a1");
    (void)put_turn_behind(s, "ann", "abc", 1, "q2", "a2");
    (void)put_turn_behind(s, "ann", "abc", 5, "q3", "a3");
    b.begin.root = true;
    assert_int_equal(store_apply(s, &b), OK);
    e = op_end(&b.begin.turn, "a4");
    assert_int_equal(store_apply(s, &e), OK);
    assert_int_equal(set_head(s, "ann", "abc", 7), OK);
}

static void
a_page_of_a_branched_line(void **state)
{
    struct store *s = store_of(state);
    struct text t = {.stop_after = 3};
    struct session sess;

    (void)put_turn(s, "ann", "aaa", "before", "before");
    plant_tree(s);
    (void)put_turn(s, "ann", "zzz", "behind", "behind");
    assert_messages(s, "ann", "abc", UINT32_MAX, 3, 0, "5:a2|6:q3|7:a3|");
    assert_messages(s, "ann", "abc", 5, 3, 0, "0:q0|1:a0|4:q2|");
    assert_messages(s, "ann", "abc", 4, 1, 0, "1:a0|"); /* 2, 3 are not on it */
    assert_messages(s, "ann", "abc", 2, 50, 0, "0:q0|1:a0|");
    assert_messages(s, "ann", "abc", 0, 50, 0, "");
    assert_messages(s, "ann", "abc", UINT32_MAX, 0, 0, "");
    assert_messages(s, "ann", "abc", UINT32_MAX, 50, 1, "7:a3|");
    assert_messages(s, "ann", "abc", UINT32_MAX, 50, 5, "6:q3|7:a3|");
    assert_messages(s, "ann", "abc", UINT32_MAX, 50, 6, "5:a2|6:q3|7:a3|");
    assert_messages(s, "ann", "abc", 6, 50, 7, "1:a0|4:q2|5:a2|");
    assert_line(s, "ann", "abc", 9, "8:q4|9:a4|");
    assert_int_equal(store_line(s, "ann", "abc", 7, UINT32_MAX, 50, 0, &sess,
                                text_message, &t),
                     OK);
    assert_string_equal(t.s, "0:q0|1:a0|4:q2|");
    assert_int_equal(sess.head, 7);
    assert_int_equal(sess.length, 6);
}

static void
a_line_ends_at_a_message_that_is_there(void **state)
{
    struct store *s = store_of(state);
    struct store_op empty = op_on(STORE_SESSION_PATCH, "ann", "new");
    struct text t = {0};

    plant_tree(s);
    assert_int_equal(store_line(s, "ann", "abc", 10, UINT32_MAX, 9, 0, NULL,
                                text_message, &t),
                     ERR_NOTFOUND);
    assert_int_equal(store_line(s, "bob", "abc", 1, UINT32_MAX, 9, 0, NULL,
                                text_message, &t),
                     ERR_NOTFOUND);
    empty.patch.create = true;
    assert_int_equal(store_apply(s, &empty), OK);
    assert_line(s, "ann", "new", STORE_HEAD, "");
    assert_int_equal(store_line(s, "ann", "new", 0, UINT32_MAX, 9, 0, NULL,
                                text_message, &t),
                     ERR_NOTFOUND);
    assert_int_equal(set_head(s, "ann", "new", 0), ERR_NOTFOUND);
    assert_int_equal(set_head(s, "ann", "new", STORE_HEAD), OK);
    assert_int_equal(t.count, 0);
}

static void
which_messages_a_line_holds(void **state)
{
    struct store *s = store_of(state);

    (void)put_turn(s, "ann", "one", "q", "a");
    assert_true(store_line_holds(s, "ann", "one", STORE_HEAD, 1));
    assert_true(store_line_holds(s, "ann", "one", STORE_HEAD, 0));
    assert_false(store_line_holds(s, "ann", "one", 0, 1));
    assert_false(store_line_holds(s, "ann", "one", STORE_HEAD, 2));
    assert_false(store_line_holds(s, "ann", "one", STORE_HEAD, STORE_ROOT));
    plant_tree(s);
    assert_true(store_line_holds(s, "ann", "abc", STORE_HEAD, 7));
    assert_true(store_line_holds(s, "ann", "abc", STORE_HEAD, 4));
    assert_true(store_line_holds(s, "ann", "abc", STORE_HEAD, 0));
    assert_false(store_line_holds(s, "ann", "abc", STORE_HEAD, 3));
    assert_false(store_line_holds(s, "ann", "abc", STORE_HEAD, 8));
    assert_true(store_line_holds(s, "ann", "abc", 3, 2));
    assert_false(store_line_holds(s, "ann", "abc", 9, 0));
    assert_false(store_line_holds(s, "ann", "abc", 10, 0));
    assert_false(store_line_holds(s, "bob", "abc", 3, 2));
}

static void
all_messages_come_in_order(void **state)
{
    struct store *s = store_of(state);
    struct text t = {0}, page = {0}, stop = {.stop_after = 2}, none = {0};
    struct session sess;

    (void)put_turn(s, "ann", "aaa", "before", "before");
    plant_tree(s);
    (void)put_turn(s, "ann", "zzz", "behind", "behind");
    assert_int_equal(store_all_messages(s, "ann", "abc", 0, UINT32_MAX, &sess,
                                        text_message, &t),
                     OK);
    assert_string_equal(t.s,
                        "0:q0|1:a0|2:q1|3:a1|4:q2|5:a2|6:q3|7:a3|8:q4|9:a4|");
    assert_int_equal(sess.n_messages, 10);
    assert_int_equal(
        store_all_messages(s, "ann", "abc", 3, 2, NULL, text_message, &page),
        OK);
    assert_string_equal(page.s, "3:a1|4:q2|");
    assert_int_equal(
        store_all_messages(s, "ann", "abc", 8, 9, NULL, text_message, &stop),
        OK);
    assert_string_equal(stop.s, "8:q4|9:a4|");
    assert_int_equal(
        store_all_messages(s, "ann", "abc", 10, 9, NULL, text_message, &none),
        OK);
    assert_int_equal(
        store_all_messages(s, "ann", "abc", 0, 0, NULL, text_message, &none),
        OK);
    assert_int_equal(none.count, 0);
    assert_int_equal(
        store_all_messages(s, "bob", "abc", 0, 9, NULL, text_message, &none),
        ERR_NOTFOUND);
}

static void
a_message_is_found_by_its_id(void **state)
{
    struct store *s = store_of(state);
    struct store_op b = op_begin("ann", "abc", "q5");
    struct ident other = ident_v7();
    uint32_t seq = 99;

    plant_tree(s);
    b.begin.parent = 2;
    assert_int_equal(store_apply(s, &b), OK);
    assert_int_equal(
        store_find_message(s, "ann", "abc", &b.begin.user.id, &seq), OK);
    assert_int_equal(seq, 10);
    (void)put_turn(s, "ann", "def", "q", "a");
    seq = 99;
    assert_int_equal(
        store_find_message(s, "ann", "def", &b.begin.user.id, &seq),
        ERR_NOTFOUND);
    assert_int_equal(
        store_find_message(s, "bob", "abc", &b.begin.user.id, &seq),
        ERR_NOTFOUND);
    assert_int_equal(store_find_message(s, "ann", "abc", &other, &seq),
                     ERR_NOTFOUND);
    assert_int_equal(store_find_message(s, "ann", "no", &other, &seq),
                     ERR_NOTFOUND);
    assert_int_equal(seq, 99);
}

/* --- summaries ------------------------------------------------------------ */

static enum err
summarise(struct store *s, uint32_t upto)
{
    struct store_op op = op_on(STORE_SESSION_SUMMARY, "ann", "abc");

    op.summary.session_no = get_session(s, "ann", "abc").no;
    op.summary.upto_seq = upto;
    op.summary.cost_micro = 1;
    op.summary.text = "s";
    op.summary.text_len = 1;
    return store_apply(s, &op);
}

static void
a_summary_gives_way_to_one_of_another_line(void **state)
{
    struct store *s = store_of(state);
    struct session_summary sum;

    plant_tree(s);
    assert_int_equal(summarise(s, 3), OK);           /* 0 1 2 */
    assert_int_equal(summarise(s, 2), ERR_CONFLICT); /* 0 1: on it */
    assert_int_equal(summarise(s, 3), ERR_CONFLICT);
    assert_int_equal(summarise(s, 6), OK); /* 0 1 4 5 */
    assert_int_equal(summarise(s, 6), ERR_CONFLICT);
    assert_int_equal(summarise(s, 5), ERR_CONFLICT);
    assert_int_equal(summarise(s, 3), OK); /* 0 1 2: it is not on that one */
    assert_int_equal(store_summary(s, "ann", "abc", &sum, NULL), OK);
    assert_int_equal(sum.upto_seq, 3);
    assert_int_equal(sum.cost_micro, 3);
    assert_int_equal(summarise(s, 0), ERR_CONFLICT);
    assert_int_equal(summarise(s, 11), ERR_CONFLICT);
    assert_int_equal(summarise(s, 10), OK);
}

/* --- against a tree of the test's own ------------------------------------- */

#define TREE_MAX 200

struct tree {
    uint32_t parents[TREE_MAX], n, head;
    bool branched;
};

/* The line of leaf below `before`, the last `limit`, as the store gives it;
 * every text is of three bytes. */
static void
tree_line(const struct tree *t, uint32_t leaf, uint32_t before, uint32_t limit,
          size_t bytes_max, struct text *out)
{
    uint32_t line[TREE_MAX] = {0}, n = 0;

    for (; leaf != STORE_ROOT; leaf = t->parents[leaf])
        if (leaf < before && n < limit &&
            (n == 0 || bytes_max == 0 || (n + 1) * 3 <= bytes_max))
            line[n++] = leaf;
    while (n-- > 0)
        out->n += (size_t)snprintf(out->s + out->n, sizeof(out->s) - out->n,
                                   "%u:%03u|", line[n], line[n]);
}

static uint32_t
tree_length(const struct tree *t, uint32_t leaf)
{
    uint32_t n = 0;

    for (; leaf != STORE_ROOT; leaf = t->parents[leaf])
        n++;
    return n;
}

static unsigned seed;

static uint32_t
below(uint32_t n)
{
    seed = seed * 1103515245 + 12345;
    return (seed >> 8) % n;
}

static void
tree_add(struct tree *t, uint32_t parent)
{
    t->branched = t->branched || parent != t->n - 1;
    t->parents[t->n++] = parent;
}

static void
tree_turn(struct store *s, struct tree *t)
{
    char q[8], a[8];
    struct store_op b, e;
    uint32_t parent = t->n == 0 ? STORE_ROOT : t->head;

    (void)snprintf(q, sizeof(q), "%03u", t->n);
    (void)snprintf(a, sizeof(a), "%03u", t->n + 1);
    b = op_begin("ann", "abc", q);
    if (t->n > 0 && below(4) == 0)
        parent = b.begin.parent = below(t->n);
    else if (below(20) == 0) {
        b.begin.root = true;
        parent = STORE_ROOT;
    }
    assert_int_equal(store_apply(s, &b), OK);
    assert_int_equal(b.begin.user.seq, t->n);
    tree_add(t, parent);
    t->head = t->n - 1;
    if (below(8) == 0) {
        t->head = below(t->n);
        assert_int_equal(set_head(s, "ann", "abc", t->head), OK);
    }
    e = op_end(&b.begin.turn, a);
    assert_int_equal(store_apply(s, &e), OK);
    tree_add(t, t->n - 1);
    if (t->head == t->n - 2)
        t->head = t->n - 1;
    assert_int_equal(e.end.length, tree_length(t, t->n - 1));
}

static void
compare_lines(struct store *s, const struct tree *t)
{
    for (uint32_t i = 0; i < 400; i++) {
        uint32_t leaf = below(t->n + 1);
        uint32_t before = below(3) == 0 ? UINT32_MAX : below(t->n + 2);
        uint32_t limit = below(2) == 0 ? UINT32_MAX : below(20);
        size_t bytes = below(2) == 0 ? 0 : below(40);
        struct text want = {0}, got = {0};

        tree_line(t, leaf == t->n ? t->head : leaf, before, limit, bytes,
                  &want);
        assert_int_equal(store_line(s, "ann", "abc",
                                    leaf == t->n ? STORE_HEAD : leaf, before,
                                    limit, bytes, NULL, text_message, &got),
                         OK);
        assert_string_equal(got.s, want.s);
    }
}

static void
any_tree_reads_as_it_was_written(void **state)
{
    struct store *s = store_of(state);

    for (unsigned round = 1; round <= 4; round++) {
        struct store_op del = op_on(STORE_SESSION_DELETE, "ann", "abc");
        struct tree t = {.n = 0};

        seed = round;
        while (t.n < TREE_MAX - 1) {
            tree_turn(s, &t);
            assert_tree(s, "abc", t.n, t.head, tree_length(&t, t.head),
                        t.branched);
        }
        compare_lines(s, &t);
        assert_int_equal(store_apply(s, &del), OK);
    }
}

#define ALL(f)                                                            \
    ON_STORE(without_branches_there_is_one_line, f),                      \
        ON_STORE(an_edited_question_keeps_the_old_one, f),                \
        ON_STORE(a_first_message_may_be_asked_anew, f),                   \
        ON_STORE(a_parent_must_be_there, f),                              \
        ON_STORE(the_head_moves_between_lines, f),                        \
        ON_STORE(an_answer_follows_its_question_wherever_the_head_is, f), \
        ON_STORE(a_page_of_a_branched_line, f),                           \
        ON_STORE(a_line_ends_at_a_message_that_is_there, f),              \
        ON_STORE(which_messages_a_line_holds, f),                         \
        ON_STORE(all_messages_come_in_order, f),                          \
        ON_STORE(a_message_is_found_by_its_id, f),                        \
        ON_STORE(a_summary_gives_way_to_one_of_another_line, f),          \
        ON_STORE(any_tree_reads_as_it_was_written, f)

int
main(void)
{
    static struct on_store lmdb = {.be = &lmdb_backend};
    static struct on_store memory = {.be = &memstore_backend};
    const struct CMUnitTest tests[] = {ALL(lmdb), ALL(memory)};

    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
