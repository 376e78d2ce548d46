/*
 * Many messages put at once: a conversation from elsewhere, and the rest of one
 * behind its first part. Every test runs on LMDB and on memory.
 */
#include "store_test.h"

static struct store *
store_of(void **state)
{
    struct on_store *f = *state;

    return f->s;
}

static struct message
message_of(const char *text, uint32_t parent)
{
    return (struct message){.parent = parent,
                            .role = 1,
                            .at_ms = 1700000000000,
                            .id = ident_v7(),
                            .input_tokens = -1,
                            .output_tokens = -1,
                            .cached_tokens = -1,
                            .cost_micro = -1,
                            .provider = "",
                            .model = "",
                            .text = text,
                            .text_len = strlen(text)};
}

static struct store_op
op_import(const char *owner, const char *id, struct message *m, uint32_t n)
{
    struct store_op op = op_on(STORE_SESSION_IMPORT, owner, id);

    op.patch.now_ms = 1600000000000;
    op.import.updated_ms = 1650000000000;
    op.import.messages = m;
    op.import.n = n;
    op.import.head = n > 0 ? n - 1 : 0;
    return op;
}

static void
a_conversation_is_there_with_all_that_is_said_of_it(void **state)
{
    struct store *s = store_of(state);
    struct message m[] = {message_of("q", STORE_ROOT), message_of("a", 0)};
    struct store_op op = op_import("ann", "abc", m, 2);
    struct session sess;
    struct buf context;

    op.patch.title = "Title";
    op.patch.titled = true;
    op.patch.context = "Be brief.";
    op.patch.tags = "one\ntwo\n";
    op.patch.model = "m";
    op.patch.set_pinned = op.patch.pinned = true;
    assert_int_equal(store_apply(s, &op), OK);
    sess = get_session(s, "ann", "abc");
    assert_int_equal(sess.created_ms, 1600000000000);
    assert_int_equal(sess.updated_ms, 1650000000000);
    assert_int_equal(sess.no, op.import.after.no);
    assert_string_equal(sess.title, "Title");
    assert_string_equal(sess.tags, "one\ntwo\n");
    assert_string_equal(sess.model, "m");
    assert_true(sess.pinned && sess.titled && !sess.branched && !sess.open);
    assert_int_equal(sess.length, 2);
    assert_line(s, "ann", "abc", STORE_HEAD, "0:q|1:a|");
    buf_init(&context, STORE_CONTEXT_MAX);
    assert_int_equal(store_context(s, "ann", "abc", &context), OK);
    assert_string_equal(buf_cstr(&context), "Be brief.");
    buf_release(&context);
    (void)put_turn(s, "ann", "abc", "q1", "a1"); /* and it goes on */
    assert_line(s, "ann", "abc", STORE_HEAD, "0:q|1:a|2:q1|3:a1|");
}

static void
branches_come_with_it_and_the_head_is_where_it_is_said(void **state)
{
    struct store *s = store_of(state);
    struct message m[] = {message_of("q", STORE_ROOT), message_of("a", 0),
                          message_of("b", 0), message_of("r", STORE_ROOT)};
    struct store_op op = op_import("ann", "abc", m, 4);
    struct session sess;

    op.import.head = 2;
    assert_int_equal(store_apply(s, &op), OK);
    sess = get_session(s, "ann", "abc");
    assert_true(sess.branched);
    assert_int_equal(sess.length, 2);
    assert_line(s, "ann", "abc", STORE_HEAD, "0:q|2:b|");
    assert_line(s, "ann", "abc", 1, "0:q|1:a|");
    assert_line(s, "ann", "abc", 3, "3:r|");
}

static void
the_rest_is_put_behind_the_first_part(void **state)
{
    struct store *s = store_of(state);
    struct message first[] = {message_of("q", STORE_ROOT), message_of("a", 0)};
    struct message rest[] = {message_of("r", 1), message_of("b", 2)};
    struct store_op op = op_import("ann", "abc", first, 2);
    struct store_op more = op_import("ann", "abc", rest, 2);

    assert_int_equal(store_apply(s, &op), OK);
    more.import.from = 2;
    more.import.head = 3;
    more.import.session_no = op.import.after.no + 1;
    assert_int_equal(store_apply(s, &more), ERR_NOTFOUND);
    more.import.session_no = op.import.after.no;
    more.import.from = 1;
    assert_int_equal(store_apply(s, &more), ERR_CONFLICT);
    more.import.from = 2;
    more.import.updated_ms = 1660000000000;
    assert_int_equal(store_apply(s, &more), OK);
    assert_line(s, "ann", "abc", STORE_HEAD, "0:q|1:a|2:r|3:b|");
    assert_int_equal(get_session(s, "ann", "abc").updated_ms, 1660000000000);
    assert_int_equal(store_apply(s, &more), ERR_CONFLICT); /* twice */
}

static void
what_is_not_in_order_changes_nothing(void **state)
{
    struct store *s = store_of(state);
    struct message m[] = {message_of("q", STORE_ROOT), message_of("a", 1)};
    struct store_op op = op_import("ann", "abc", m, 2);
    struct session sess;

    assert_int_equal(store_apply(s, &op), ERR_BADREQ); /* follows itself */
    m[1].parent = 0;
    op.import.head = 2;
    assert_int_equal(store_apply(s, &op), ERR_BADREQ);
    op.import.head = 1;
    op.import.messages_max = 1;
    assert_int_equal(store_apply(s, &op), ERR_LIMIT);
    op.import.messages_max = 2;
    m[1].text_len = STORE_TEXT_MAX + 1;
    assert_int_equal(store_apply(s, &op), ERR_TOOBIG);
    m[1].text_len = 1;
    assert_int_equal(store_session(s, "ann", "abc", &sess), ERR_NOTFOUND);
    assert_int_equal(store_apply(s, &op), OK);
    assert_int_equal(store_apply(s, &op), ERR_CONFLICT); /* it is there */
    op.owner = "bob";
    assert_int_equal(store_apply(s, &op), ERR_CONFLICT);
    op.owner = "ann";
    op.session_id = "other";
    op.patch.sessions_max = 1;
    assert_int_equal(store_apply(s, &op), ERR_LIMIT);
}

static void
it_is_listed_by_its_time_and_deleted_whole(void **state)
{
    struct store *s = store_of(state);
    struct message m[] = {message_of("q", STORE_ROOT), message_of("a", 0)};
    struct store_op op = op_import("ann", "old", m, 2);
    struct store_op del = op_on(STORE_SESSION_DELETE, "ann", "old");
    struct text t = {0};
    struct store_stats st;

    op.patch.now_ms = op.import.updated_ms = 1;
    (void)put_turn(s, "ann", "new", "q", "a");
    assert_int_equal(store_apply(s, &op), OK);
    assert_int_equal(store_sessions(s, "ann", NULL, 9, text_session, &t), OK);
    assert_string_equal(t.s, "new|old|");
    assert_int_equal(store_apply(s, &del), OK);
    store_stats(s, &st);
    assert_int_equal(st.sessions, 1);
    assert_int_equal(st.messages, 2);
}

static void
all_sessions_are_walked_by_number(void **state)
{
    struct store *s = store_of(state);
    struct text t = {0};
    uint64_t next;

    (void)put_turn(s, "ann", "s1", "q", "a");
    (void)put_turn(s, "bob", "s2", "q", "a");
    (void)put_turn(s, "", "s3", "q", "a");
    assert_int_equal(store_walk(s, 0, 2, &next, text_session, &t), OK);
    assert_string_equal(t.s, "s1|s2|");
    assert_int_not_equal(next, 0);
    assert_int_equal(store_walk(s, next, 2, &next, text_session, &t), OK);
    assert_string_equal(t.s, "s1|s2|s3|");
    assert_int_equal(next, 0);
}

#define ALL(f)                                                               \
    ON_STORE(a_conversation_is_there_with_all_that_is_said_of_it, f),        \
        ON_STORE(branches_come_with_it_and_the_head_is_where_it_is_said, f), \
        ON_STORE(the_rest_is_put_behind_the_first_part, f),                  \
        ON_STORE(what_is_not_in_order_changes_nothing, f),                   \
        ON_STORE(it_is_listed_by_its_time_and_deleted_whole, f),             \
        ON_STORE(all_sessions_are_walked_by_number, f)

int
main(void)
{
    static struct on_store lmdb = {.be = &lmdb_backend};
    static struct on_store memory = {.be = &memstore_backend};
    const struct CMUnitTest tests[] = {ALL(lmdb), ALL(memory)};

    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
