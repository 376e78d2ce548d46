/*
 * Tests of chat/prompt.c where a session has branches: the line that a message
 * goes on from, the place that it takes, and which line a summary stands for.
 */
#include "chat_test.h"

static struct store *store;
static struct turn_ask *ask;
static struct ident questions[10], answers[10]; /* by turn */
static uint32_t seqs[10];                       /* of the answers */
static size_t n_turns;

static int
setup(void **state)
{
    struct store_config c = {.dir = NULL};

    (void)state;
    assert_int_equal(store_open_on(&store, &memstore_backend, &c), OK);
    ask = ask_new(&tap_provider, "s", "now");
    n_turns = 0;
    conf_override(CONF_SUMMARY, "1");
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    turn_ask_free(ask);
    store_close(store);
    return 0;
}

/* A turn behind the answer of another (-1: behind none), with an answer that
 * says "a" before what was asked. */
static void
put(int behind, const char *question)
{
    struct store_op b = op_begin("", "s", question), e;
    char text[40];

    (void)snprintf(text, sizeof(text), "a%s", question);
    b.begin.root = behind < 0;
    b.begin.parent = behind < 0 ? STORE_HEAD : seqs[behind];
    assert_int_equal(store_apply(store, &b), OK);
    e = op_end(&b.begin.turn, text);
    assert_int_equal(store_apply(store, &e), OK);
    questions[n_turns] = b.begin.user.id;
    answers[n_turns] = b.begin.answer_message;
    seqs[n_turns++] = e.end.answer.seq;
}

/* What is loaded for a message that follows this one (NULL: the last). */
static void
assert_history(const struct ident *follows, const char *want)
{
    struct ident existing;
    struct buf b;

    buf_init(&b, 1 << 20);
    ask->follows = follows;
    assert_int_equal(prompt_load(store, ask, &existing), OK);
    for (size_t i = 0; i < ask->n_history; i++)
        buf_addf(&b, "%.*s ", (int)ask->history[i].len, ask->history[i].text);
    assert_string_equal(buf_cstr(&b), want);
    buf_release(&b);
}

/* 1 and 2 are a line, 3 stands beside 2, 4 behind it, 5 beside 1. */
static void
tree(void)
{
    put(-1, "1");
    put(0, "2");
    put(0, "3");
    put(2, "4");
    put(-1, "5");
}

static void
sum_up(uint32_t upto)
{
    struct store_op op = op_on(STORE_SESSION_SUMMARY, "", "s");

    op.summary.session_no = get_session(store, "", "s").no;
    op.summary.upto_seq = upto;
    op.summary.text = "a summary";
    op.summary.text_len = strlen(op.summary.text);
    assert_int_equal(store_apply(store, &op), OK);
}

/* --- places --------------------------------------------------------------- */

static void
behind_an_answer_its_line_goes_on(void **state)
{
    (void)state;
    tree();
    assert_history(&answers[0], "1 a1 ");
    assert_int_equal(ask->parent, seqs[0]);
    assert_history(&answers[1], "1 a1 2 a2 ");
    assert_history(&answers[2], "1 a1 3 a3 ");
    assert_history(&answers[3], "1 a1 3 a3 4 a4 ");
    assert_int_equal(ask->parent, seqs[3]);
    assert_false(ask->root);
    assert_int_equal(ask->expect_messages, 10); /* of all lines */
}

static void
instead_of_a_question_it_stands_beside_it(void **state)
{
    (void)state;
    tree();
    assert_history(&questions[1], "1 a1 ");
    assert_int_equal(ask->parent, seqs[0]);
    assert_history(&questions[3], "1 a1 3 a3 ");
    assert_int_equal(ask->parent, seqs[2]);
    assert_false(ask->root);
    assert_history(&questions[0], "");
    assert_true(ask->root);
    assert_int_equal(ask->expect_messages, 10);
    assert_null(ask->title); /* something was said before */
}

static void
else_it_is_behind_the_head(void **state)
{
    (void)state;
    tree();
    assert_history(NULL, "5 a5 ");
    assert_int_equal(ask->parent, STORE_HEAD);
    assert_int_equal(set_head(store, "", "s", seqs[1]), OK);
    assert_history(NULL, "1 a1 2 a2 ");
}

static void
what_is_not_there_is_not_followed(void **state)
{
    struct ident other = ident_v7(), existing;

    (void)state;
    tree();
    ask->follows = &other;
    assert_int_equal(prompt_load(store, ask, &existing), ERR_NOTFOUND);
    ask->owner = "mallory";
    ask->follows = &answers[0];
    assert_int_equal(prompt_load(store, ask, &existing), ERR_NOTFOUND);
    ask->owner = "";
    ask->session_id = "another";
    assert_int_equal(prompt_load(store, ask, &existing), ERR_NOTFOUND);
    ask->fresh = true;
    assert_int_equal(prompt_load(store, ask, &existing), ERR_NOTFOUND);
}

/* --- summaries ------------------------------------------------------------ */

static void
a_summary_stands_for_its_own_line_alone(void **state)
{
    (void)state;
    put(-1, "1");
    put(0, "2");
    put(1, "3");
    sum_up(4); /* 1 and 2 */
    put(0, "4");
    assert_history(&answers[2], "1 a1 2 a2 3 a3 ");
    assert_string_equal(ask->summary, "a summary");
    assert_int_equal(ask->n_summarised, 4);
    assert_int_equal(ask->summary_upto, 4);
    assert_history(&answers[3], "1 a1 4 a4 "); /* 2 was never said there */
    assert_string_equal(ask->summary, "");
    assert_int_equal(ask->n_summarised, 0);
    assert_int_equal(ask->summary_upto, 0);
    assert_history(&questions[1], "1 a1 "); /* nor before it */
    assert_string_equal(ask->summary, "");
    assert_history(&questions[0], "");
    assert_string_equal(ask->summary, "");
}

static void
it_holds_for_branches_behind_it(void **state)
{
    (void)state;
    put(-1, "1");
    put(0, "2");
    sum_up(2); /* 1 */
    put(0, "3");
    put(2, "4");
    assert_history(&answers[3], "1 a1 3 a3 4 a4 ");
    assert_string_equal(ask->summary, "a summary");
    assert_int_equal(ask->n_summarised, 2);
    assert_int_equal(ask->summary_upto, 2);
}

/* It counts the messages of the line, whatever lies between them. */
static void
it_stands_for_messages_of_its_line(void **state)
{
    (void)state;
    put(-1, "1");
    put(0, "2");
    put(0, "3"); /* beside 2 */
    put(2, "4");
    sum_up(6); /* 1 and 3: those of the line up to seq 5 */
    assert_history(NULL, "1 a1 3 a3 4 a4 ");
    assert_string_equal(ask->summary, "a summary");
    assert_int_equal(ask->n_summarised, 4);
    assert_int_equal(ask->summary_upto, 4);
    assert_history(&answers[1], "1 a1 2 a2 ");
    assert_string_equal(ask->summary, "");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(behind_an_answer_its_line_goes_on),
        T(instead_of_a_question_it_stands_beside_it),
        T(else_it_is_behind_the_head),
        T(what_is_not_there_is_not_followed),
        T(a_summary_stands_for_its_own_line_alone),
        T(it_holds_for_branches_behind_it),
        T(it_stands_for_messages_of_its_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
