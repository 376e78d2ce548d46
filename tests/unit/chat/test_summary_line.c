/*
 * Tests of chat/summary_block.c in a session with branches: which messages a
 * summary is written of, and which one is gone on with.
 */
#include "chat_test.h"

#include "chat/summary_block.h"

static struct store *store;
static struct summary_block block;

static int
setup(void **state)
{
    struct store_config c = {.dir = NULL};

    (void)state;
    assert_int_equal(store_open_on(&store, &memstore_backend, &c), OK);
    memset(&block, 0, sizeof(block));
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    turn_ask_free(block.ask);
    store_close(store);
    return 0;
}

/* An exchange of 100 tokens with their frames: "q", and all of that letter. */
static void
put(char letter)
{
    struct store_op b = op_begin("", "s", "q"), e;
    char text[4 * (100 - 9) + 1];

    memset(text, letter, sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    e = op_end(&b.begin.turn, text);
    assert_int_equal(store_apply(store, &b), OK);
    assert_int_equal(store_apply(store, &e), OK);
}

static void
sum_up(uint32_t upto, const char *text)
{
    struct store_op op = op_on(STORE_SESSION_SUMMARY, "", "s");

    op.summary.session_no = get_session(store, "", "s").no;
    op.summary.upto_seq = upto;
    op.summary.text = text;
    op.summary.text_len = strlen(text);
    assert_int_equal(store_apply(store, &op), OK);
}

static enum err
load(int64_t room)
{
    turn_ask_free(block.ask);
    block = (struct summary_block){.room = room, .read_max = 9999};
    block.ask = turn_ask_new();
    block.ask->session_id = "s";
    return summary_block_load(store, &block);
}

/* What is gone on with, first letters of what is summarised, up to where. */
static void
assert_block(int64_t room, const char *old, const char *letters, uint32_t upto)
{
    char got[64] = "";

    assert_int_equal(load(room), OK);
    for (size_t i = 0; i < block.n_said && i < sizeof(got) - 1; i++)
        got[i] = block.said[i].m.text[0];
    assert_string_equal(block.old.text, old);
    assert_string_equal(got, letters);
    assert_int_equal(block.upto_seq, upto);
}

/* a, x, y; then back to the first answer and on from there with c to f, which
 * are seqs 6 to 13. */
static void
a_branch_has_a_summary_of_its_own(void **state)
{
    (void)state;
    for (const char *c = "axy"; *c != '\0'; c++)
        put(*c);
    sum_up(4, "of a, x");
    assert_int_equal(set_head(store, "", "s", 1), OK);
    for (const char *c = "cdef"; *c != '\0'; c++)
        put(*c);
    assert_block(400, "", "qaqcqd", 10);
    sum_up(6, "of a, x, y"); /* still not this line's */
    assert_block(400, "", "qaqcqd", 10);
    sum_up(8, "of a, c");
    assert_block(400, "of a, c", "qd", 10);
    assert_int_equal(load(800), ERR_NOTFOUND); /* c to f are kept */
}

static void
the_line_before_is_gone_on_with(void **state)
{
    (void)state;
    for (const char *c = "axy"; *c != '\0'; c++)
        put(*c);
    assert_int_equal(set_head(store, "", "s", 1), OK);
    for (const char *c = "cdef"; *c != '\0'; c++)
        put(*c);
    sum_up(8, "of a, c");
    assert_int_equal(set_head(store, "", "s", 5), OK);
    assert_block(200, "", "qaqx", 4);
    sum_up(4, "of a, x");
    assert_int_equal(set_head(store, "", "s", 13), OK);
    assert_block(400, "", "qaqcqd", 10);
}

/* What came before the branch stands in the summary of both. */
static void
a_summary_of_what_both_have_serves_both(void **state)
{
    (void)state;
    for (const char *c = "axy"; *c != '\0'; c++)
        put(*c);
    sum_up(2, "of a");
    assert_int_equal(set_head(store, "", "s", 1), OK);
    for (const char *c = "cdef"; *c != '\0'; c++)
        put(*c);
    assert_block(400, "of a", "qcqd", 10); /* and nothing twice */
    assert_int_equal(set_head(store, "", "s", 5), OK);
    assert_block(200, "of a", "qx", 4);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_branch_has_a_summary_of_its_own),
        T(the_line_before_is_gone_on_with),
        T(a_summary_of_what_both_have_serves_both),
    };

    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
