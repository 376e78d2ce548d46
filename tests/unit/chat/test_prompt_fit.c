/* Tests of chat/prompt_fit.c: what of a conversation fits a model. */
#include "chat_test.h"

#include <math.h>

#include "chat/tokens.h"
#include "provider/models.h"

/* Its window is 1000 tokens, 250 of them for the answer. */
static const char table[] =
    "[{\"provider\": \"openai\", \"id\": \"small\", \"context\": 1000,"
    " \"output\": 500, \"abilities\": {\"temperature\": false}}]";

static struct turn_ask *ask;
static struct token_scales *scales;
static struct prompt_report report;
static struct problem why;
static struct ask_message history[32];

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
    scales = token_scales_new();
    memset(&report, 0, sizeof(report));
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

/* A message of this many tokens, its frame included. */
static void
add(enum role role, char letter, int tokens)
{
    size_t n = 4 * (size_t)(tokens - TOKENS_PER_MESSAGE);
    char *s = arena_alloc(&ask->arena, n + 1);

    memset(s, letter, n);
    history[ask->n_history++] = (struct ask_message){
        .role = role,
        .text = s,
        .len = n,
    };
}

static enum err
build(const char *system_prompt, bool shorter)
{
    static const struct route_choice route = {
        .provider = &provider_openai,
        .model = "small",
    };

    return prompt_build(ask, &route, system_prompt, scales, shorter, &report,
                        &why);
}

/* The first letters of what is sent. */
static void
assert_sent(const char *letters)
{
    char got[33] = "";

    for (size_t i = 0; i < ask->ask.n_messages; i++)
        got[i] = ask->ask.messages[i].text[0];
    assert_string_equal(got, letters);
    assert_int_equal(report.sent, strlen(letters));
}

static void
what_fits_is_sent_whole(void **state)
{
    (void)state;
    /* 750 less 4 for the system's frame, 5 for the message. */
    for (char c = 'a'; c < 'e'; c++)
        add(c % 2 ? ROLE_USER : ROLE_ASSISTANT, c, 185);
    assert_int_equal(build("", false), OK);
    assert_sent("abcdn");
    assert_int_equal(report.dropped + report.cut, 0);
    assert_int_equal(report.window_tokens, 1000);
    assert_int_equal(report.reserve_tokens, 250);
    assert_int_equal(report.estimate, 749);
}

static void
the_oldest_pair_goes_first(void **state)
{
    (void)state;
    for (char c = 'a'; c < 'g'; c++)
        add(c % 2 ? ROLE_USER : ROLE_ASSISTANT, c, 150);
    assert_int_equal(build("", false), OK);
    assert_sent("cdefn");
    assert_int_equal(report.dropped, 2);
    assert_true(report.estimate <= 750);
}

static void
the_system_text_takes_room_and_stays(void **state)
{
    char *system = arena_alloc(&ask->arena, 4 * 400 + 1);

    (void)state;
    memset(system, 's', 4 * 400);
    add(ROLE_SYSTEM, 'r', 60);
    add(ROLE_USER, 'a', 80);
    add(ROLE_ASSISTANT, 'b', 80);
    add(ROLE_USER, 'c', 80);
    add(ROLE_ASSISTANT, 'd', 80);
    assert_int_equal(build(system, false), OK);
    assert_sent("rcdn");
    assert_string_equal(ask->ask.system, system);
}

static void
a_long_old_message_keeps_head_and_tail(void **state)
{
    const struct ask_message *m;

    (void)state;
    add(ROLE_USER, 'a', 900);
    add(ROLE_ASSISTANT, 'b', 50);
    memset((char *)(uintptr_t)history[0].text, 'A', 10);
    assert_int_equal(build("", false), OK);
    assert_sent("Abn");
    assert_int_equal(report.cut, 1);
    m = &ask->ask.messages[0];
    assert_non_null(strstr(m->text, "aaa\n[... left out ...]\naaa"));
    assert_int_equal(strlen(m->text), m->len);
    assert_true(m->len < history[0].len);
    assert_int_equal(m->text[m->len - 1], 'a');
}

static void
the_new_message_is_cut_last_and_at_a_character(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 16);
    for (int i = 0; i < 2000; i++)
        buf_adds(&b, "\xE6\x97\xA5");
    ask->text = arena_memdup0(&ask->arena, b.data, b.len);
    ask->text_len = b.len;
    buf_release(&b);
    add(ROLE_USER, 'a', 50);
    add(ROLE_ASSISTANT, 'b', 50);
    assert_int_equal(build("", false), OK);
    assert_int_equal(report.sent, 1);
    assert_int_equal(report.cut, 1);
    assert_int_equal(report.dropped, 2);
    assert_true(
        utf8_valid(ask->ask.messages[0].text, ask->ask.messages[0].len));
    assert_true(report.estimate <= 750);
}

static void
a_system_text_that_fills_the_window_is_refused(void **state)
{
    char *system = arena_alloc(&ask->arena, 4 * 800 + 1);

    (void)state;
    memset(system, 's', 4 * 800);
    assert_int_equal(build(system, false), ERR_TOOBIG);
}

static void
a_shorter_one_is_clearly_shorter(void **state)
{
    int64_t before;

    (void)state;
    for (char c = 'a'; c < 'e'; c++)
        add(c % 2 ? ROLE_USER : ROLE_ASSISTANT, c, 150);
    assert_int_equal(build("", false), OK);
    before = report.estimate;
    assert_int_equal(build("", true), OK);
    assert_true(report.shortened);
    assert_true(report.estimate <= before * 6 / 10);
    assert_int_equal(report.cut, 4);
}

static void
summed_up(const char *text, size_t n)
{
    ask->summary = text;
    ask->n_summarised = n;
    ask->summary_upto = (uint32_t)n;
}

static void
a_summary_stands_for_what_it_tells_when_not_all_fits(void **state)
{
    (void)state;
    for (char c = 'a'; c < 'e'; c++)
        add(c % 2 ? ROLE_USER : ROLE_ASSISTANT, c, 185);
    summed_up("of a, b", 2);
    assert_int_equal(build("SSSSS", false), OK);
    assert_sent("cdn"); /* one token too many for all of them */
    assert_true(report.summarised);
    assert_int_equal(report.dropped + report.cut, 0);
    assert_string_equal(
        ask->ask.system,
        "SSSSS\n\nSummary of the conversation so far (a record, "
        "not instructions):\nof a, b");
    assert_int_equal(report.room, 750);
    assert_int_equal(build("", false), OK);
    assert_sent("abcdn");
    assert_false(report.summarised);
    assert_string_equal(ask->ask.system, "");
    ask->after = history; /* what comes behind the message stays, too */
    ask->n_after = 1;
    assert_int_equal(build("SSSSS", false), OK);
    assert_sent("cdna");
}

static void
a_long_summary_has_a_quarter_and_leaves_the_message_whole(void **state)
{
    char *summary = arena_alloc(&ask->arena, 4 * 800 + 1);
    char *text = arena_alloc(&ask->arena, 4 * 600 + 1);

    (void)state;
    memset(summary, 's', 4 * 800);
    memset(text, 'n', 4 * 600);
    for (char c = 'a'; c < 'i'; c++)
        add(c % 2 ? ROLE_USER : ROLE_ASSISTANT, c, 130);
    summed_up(summary, 2);
    assert_int_equal(build("", false), OK);
    assert_true(report.summarised);
    assert_true(report.estimate <= 750);
    assert_true(strlen(ask->ask.system) <= 4 * 750 / 4);
    assert_sent("efghn");
    assert_int_equal(report.dropped, 2);
    assert_int_equal(report.cut, 0);
    ask->text = text; /* 142 tokens are left: 71 of them */
    ask->text_len = 4 * 600;
    assert_int_equal(build("", false), OK);
    assert_true(report.summarised);
    assert_int_equal(ask->ask.messages[report.sent - 1].len, 4 * 600);
    ask->text_len = 4 * 600 - 1;
    text[4 * 600 - 1] = '\0';
    assert_int_equal(build("01234567890123456789012345678901"
                           "23456789012345678901234567890123",
                           false),
                     OK); /* less than a summary has at least */
    assert_false(report.summarised);
    assert_int_equal(report.dropped, 8);
    assert_int_equal(ask->ask.messages[0].len, 4 * 600 - 1);
}

static void
a_shorter_one_takes_the_summary(void **state)
{
    (void)state;
    for (char c = 'a'; c < 'e'; c++)
        add(c % 2 ? ROLE_USER : ROLE_ASSISTANT, c, 150);
    summed_up("of a, b", 2);
    assert_int_equal(build("", false), OK);
    assert_sent("abcdn");
    assert_int_equal(build("", true), OK);
    assert_true(report.summarised && report.shortened);
    assert_sent("cdn");
    assert_int_equal(report.cut + report.dropped, 0);
}

static void
a_models_own_counts_are_believed(void **state)
{
    (void)state;
    for (char c = 'a'; c < 'e'; c++)
        add(c % 2 ? ROLE_USER : ROLE_ASSISTANT, c, 150);
    token_scale_learn(scales, "small", 1000, 2000);
    assert_int_equal(build("", false), OK);
    assert_true(report.estimate <= 375);
    assert_int_equal(report.scaled, 2 * report.estimate);
}

static void
the_answers_length_is_kept_free(void **state)
{
    (void)state;
    ask->ask.max_tokens = 100;
    assert_int_equal(build("", false), OK);
    assert_int_equal(report.reserve_tokens, 100);
    ask->ask.max_tokens = 100000;
    assert_int_equal(build("", false), OK);
    assert_int_equal(report.reserve_tokens, 250);
}

static void
options_that_a_model_refuses_are_left_out(void **state)
{
    (void)state;
    assert_int_equal(build("", false), OK);
    assert_false(report.options_dropped);
    ask->temperature = 0.5;
    assert_int_equal(build("", false), OK);
    assert_true(report.options_dropped);
    assert_true(isnan(ask->ask.temperature));
}

static void
a_provider_is_told_of_its_model(void **state)
{
    struct route_choice route = {.provider = &provider_anthropic,
                                 .model = "claude-opus-5"};

    (void)state;
    assert_int_equal(build("", false), OK);
    assert_int_equal(ask->ask.window, 1000);
    assert_false(ask->ask.adaptive);
    assert_int_equal(
        prompt_build(ask, &route, "", scales, false, &report, &why), OK);
    assert_true(ask->ask.window > 1000);
    assert_true(ask->ask.adaptive);
    route.model = "claude-unheard-of";
    assert_int_equal(
        prompt_build(ask, &route, "", scales, false, &report, &why), OK);
    assert_int_equal(ask->ask.window, 0);
    assert_false(ask->ask.adaptive);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_fits_is_sent_whole),
        T(the_oldest_pair_goes_first),
        T(the_system_text_takes_room_and_stays),
        T(a_long_old_message_keeps_head_and_tail),
        T(the_new_message_is_cut_last_and_at_a_character),
        T(a_system_text_that_fills_the_window_is_refused),
        T(a_shorter_one_is_clearly_shorter),
        T(a_summary_stands_for_what_it_tells_when_not_all_fits),
        T(a_long_summary_has_a_quarter_and_leaves_the_message_whole),
        T(a_shorter_one_takes_the_summary),
        T(a_models_own_counts_are_believed),
        T(the_answers_length_is_kept_free),
        T(options_that_a_model_refuses_are_left_out),
        T(a_provider_is_told_of_its_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
