/* Tests of chat/prompt_fit.c: a conversation that goes on behind the user's
 * last message, with calls of the client's tools and their results. */
#include "chat_test.h"

#include "chat/tokens.h"
#include "provider/models.h"

/* Its window is 1000 tokens, 250 of them for the answer. */
static const char table[] =
    "[{\"provider\": \"openai\", \"id\": \"small\", \"context\": 1000,"
    " \"output\": 500, \"abilities\": {\"tools\": true}}]";

static struct turn_ask *ask;
static struct token_scales *scales;
static struct prompt_report report;
static struct problem why;
static struct ask_message history[8], after[2];
static struct piece call, result;

/* A text of this many tokens. */
static const char *
text_of(char letter, int tokens)
{
    char *s = arena_alloc(&ask->arena, 4 * (size_t)tokens + 1);

    memset(s, letter, 4 * (size_t)tokens);
    return s;
}

/* The call, and a result of so many tokens. */
static void
set_after(int tokens)
{
    call = (struct piece){
        .kind = PIECE_CALL, .text = "{}", .len = 2, .id = "a", .name = "f"};
    result = (struct piece){.kind = PIECE_RESULT,
                            .text = text_of('r', tokens),
                            .len = 4 * (size_t)tokens,
                            .id = "a",
                            .name = "f"};
    after[0] = (struct ask_message){
        .role = ROLE_ASSISTANT, .text = "c", .pieces = &call, .n_pieces = 1};
    after[1] = (struct ask_message){
        .role = ROLE_TOOL, .text = "r", .pieces = &result, .n_pieces = 1};
    ask->after = after;
    ask->n_after = 2;
}

static int
setup(void **state)
{
    (void)state;
    if (models_parse(table, sizeof(table) - 1, NULL, NULL) != 0)
        return -1;
    ask = turn_ask_new();
    ask->session_id = "s";
    ask->text = "now";
    ask->text_len = 3;
    ask->history = history;
    ask->history_given = true;
    scales = token_scales_new();
    memset(&report, 0, sizeof(report));
    set_after(10);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    turn_ask_free(ask);
    token_scales_free(scales);
    return 0;
}

static void
add(enum role role, char letter, int tokens)
{
    history[ask->n_history++] = (struct ask_message){
        .role = role,
        .text = text_of(letter, tokens),
        .len = 4 * (size_t)tokens,
    };
}

static enum err
build(void)
{
    static const struct route_choice route = {
        .provider = &provider_openai,
        .model = "small",
    };

    return prompt_build(ask, &route, "", scales, false, &report, &why);
}

/* The first letters of what is sent. */
static void
assert_sent(const char *letters)
{
    char got[16] = "";

    for (size_t i = 0; i < ask->ask.n_messages; i++)
        got[i] = ask->ask.messages[i].text[0];
    assert_string_equal(got, letters);
}

static void
what_is_after_comes_last(void **state)
{
    (void)state;
    add(ROLE_USER, 'q', 10);
    add(ROLE_ASSISTANT, 'a', 10);
    assert_int_equal(build(), OK);
    assert_sent("qancr");
    assert_ptr_equal(ask->ask.messages[3].pieces, &call);
    assert_ptr_equal(ask->ask.messages[4].pieces, &result);
    assert_int_equal(report.dropped + report.cut, 0);
}

static void
only_what_was_before_is_left_out(void **state)
{
    (void)state;
    set_after(450);
    for (int i = 0; i < 4; i++)
        add(i % 2 ? ROLE_ASSISTANT : ROLE_USER, (char)('1' + i), 100);
    assert_int_equal(build(), OK);
    assert_sent("34ncr");
    assert_int_equal(report.dropped, 2);
    assert_true(report.estimate <= 750);
    assert_ptr_equal(ask->ask.messages[ask->ask.n_messages - 1].pieces,
                     &result);
}

static void
the_new_message_is_cut_for_it(void **state)
{
    (void)state;
    set_after(300);
    ask->text = text_of('n', 900);
    ask->text_len = 3600;
    assert_int_equal(build(), OK);
    assert_sent("ncr");
    assert_int_equal(report.cut, 1);
    assert_true(ask->ask.messages[0].len < 3600);
    assert_true(report.estimate <= 750);
}

static void
what_is_after_is_never_cut(void **state)
{
    (void)state;
    set_after(900);
    assert_int_equal(build(), ERR_TOOBIG);
    assert_int_equal(why.err, ERR_TOOBIG);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_is_after_comes_last),
        T(only_what_was_before_is_left_out),
        T(the_new_message_is_cut_for_it),
        T(what_is_after_is_never_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
