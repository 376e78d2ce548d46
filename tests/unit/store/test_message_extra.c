/*
 * The extra of a message, changed after it was stored. Every test runs on LMDB
 * and on memory.
 */
#include "store_test.h"

#include "base/mem.h"

static struct store *
store_of(void **state)
{
    struct on_store *f = *state;

    return f->s;
}

struct seen {
    struct message m;
    char text[16], extra[64], provider[32];
};

static bool
see(void *arg, const struct message *m)
{
    struct seen *s = arg;

    s->m = *m;
    (void)snprintf(s->text, sizeof(s->text), "%.*s", (int)m->text_len, m->text);
    (void)snprintf(s->extra, sizeof(s->extra), "%.*s", (int)m->extra_len,
                   m->extra);
    (void)snprintf(s->provider, sizeof(s->provider), "%s", m->provider);
    return false;
}

static struct seen
message_at(struct store *s, const char *owner, const char *id, uint32_t seq)
{
    struct seen seen;

    memset(&seen, 0, sizeof(seen));
    assert_int_equal(store_all_messages(s, owner, id, seq, 1, NULL, see, &seen),
                     OK);
    return seen;
}

static struct store_op
op_extra(const char *owner, const char *id, const struct message *m,
         const char *text)
{
    struct store_op op = op_on(STORE_MESSAGE_EXTRA, owner, id);

    op.extra.message = m->id;
    op.extra.seq = m->seq;
    op.extra.text = text;
    op.extra.len = strlen(text);
    return op;
}

static void
only_the_extra_changes(void **state)
{
    struct store *s = store_of(state);
    struct seen before, after;
    struct store_op op;

    (void)put_turn(s, "ann", "abc", "q", "a");
    (void)put_turn(s, "ann", "abc", "q1", "a1");
    before = message_at(s, "ann", "abc", 1);
    op = op_extra("ann", "abc", &before.m, "{\"longer\":\"than before\"}");
    assert_int_equal(store_apply(s, &op), OK);
    after = message_at(s, "ann", "abc", 1);
    assert_string_equal(after.extra, "{\"longer\":\"than before\"}");
    assert_string_equal(after.text, before.text);
    assert_string_equal(after.provider, before.provider);
    assert_true(ident_eq(&after.m.id, &before.m.id));
    assert_true(ident_eq(&after.m.turn, &before.m.turn));
    assert_int_equal(after.m.parent, before.m.parent);
    assert_int_equal(after.m.at_ms, before.m.at_ms);
    assert_int_equal(after.m.finish, before.m.finish);
    op = op_extra("ann", "abc", &before.m, "");
    assert_int_equal(store_apply(s, &op), OK);
    assert_string_equal(message_at(s, "ann", "abc", 1).extra, "");
    assert_string_equal(message_at(s, "ann", "abc", 2).text, "q1");
    assert_int_equal(get_session(s, "ann", "abc").n_messages, 4);
}

static void
it_must_be_that_message(void **state)
{
    struct store *s = store_of(state);
    struct seen m, other;
    struct store_op op;

    (void)put_turn(s, "ann", "abc", "q", "a");
    m = message_at(s, "ann", "abc", 1);
    other = message_at(s, "ann", "abc", 0);
    op = op_extra("bob", "abc", &m.m, "{}");
    assert_int_equal(store_apply(s, &op), ERR_NOTFOUND);
    op = op_extra("ann", "other", &m.m, "{}");
    assert_int_equal(store_apply(s, &op), ERR_NOTFOUND);
    op = op_extra("ann", "abc", &m.m, "{}");
    op.extra.seq = 2;
    assert_int_equal(store_apply(s, &op), ERR_NOTFOUND);
    op = op_extra("ann", "abc", &m.m, "{}");
    op.extra.message = other.m.id;
    assert_int_equal(store_apply(s, &op), ERR_NOTFOUND);
    assert_string_equal(message_at(s, "ann", "abc", 1).extra, m.extra);
}

static void
it_has_a_limit(void **state)
{
    struct store *s = store_of(state);
    char *text = xmalloc(STORE_EXTRA_MAX + 1);
    struct store_op op;
    struct seen m;

    memset(text, 'x', STORE_EXTRA_MAX + 1);
    (void)put_turn(s, "ann", "abc", "q", "a");
    m = message_at(s, "ann", "abc", 1);
    op = op_extra("ann", "abc", &m.m, "");
    op.extra.text = text;
    op.extra.len = STORE_EXTRA_MAX + 1;
    assert_int_equal(store_apply(s, &op), ERR_TOOBIG);
    op.extra.len = STORE_EXTRA_MAX;
    assert_int_equal(store_apply(s, &op), OK);
    assert_int_equal(message_at(s, "ann", "abc", 1).m.extra_len,
                     STORE_EXTRA_MAX);
    free(text);
}

#define ALL(f)                                                                 \
    ON_STORE(only_the_extra_changes, f), ON_STORE(it_must_be_that_message, f), \
        ON_STORE(it_has_a_limit, f)

int
main(void)
{
    static struct on_store lmdb = {.be = &lmdb_backend};
    static struct on_store memory = {.be = &memstore_backend};
    const struct CMUnitTest tests[] = {ALL(lmdb), ALL(memory)};

    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
