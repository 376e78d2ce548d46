/* Tests of chat/prompt.c: what of a history is sent, and what is added. */
#include "chat_test.h"

#include "chat/tokens.h"

static struct store *store;
static struct turn_ask *ask;
static uint32_t want_dropped; /* by the limits of what is loaded */

static int
setup(void **state)
{
    struct store_config c = {.dir = NULL};

    (void)state;
    assert_int_equal(store_open_on(&store, &memstore_backend, &c), OK);
    ask = ask_new(&tap_provider, "s", "now");
    want_dropped = 0;
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

/* One turn, whose answer ended so. */
static void
put(const char *question, enum finish finish, const char *answer)
{
    struct store_op b = op_begin("", "s", question);
    struct store_op e = op_end(&b.begin.turn, answer);

    e.end.answer.finish = (uint8_t)finish;
    assert_int_equal(store_apply(store, &b), OK);
    assert_int_equal(store_apply(store, &e), OK);
}

static enum err
load(void)
{
    struct ident existing;

    return prompt_load(store, ask, &existing);
}

static struct prompt_report report;

/* For a model that nothing is known of. */
static void
build(const char *system_prompt)
{
    static const struct route_choice route = {
        .provider = &provider_openai,
        .model = "no-such-model",
    };
    struct token_scales *scales = token_scales_new();
    struct problem why;

    assert_int_equal(
        prompt_build(ask, &route, system_prompt, scales, false, &report, &why),
        OK);
    assert_int_equal(report.dropped, want_dropped);
    assert_int_equal(report.cut, 0);
    assert_int_equal(report.window_tokens, -1);
    token_scales_free(scales);
}

/* "role:text|…" of what the model is asked. */
static void
assert_asked(const char *want)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    build("");
    for (size_t i = 0; i < ask->ask.n_messages; i++)
        buf_addf(&b, "%s:%.*s|", role_name(ask->ask.messages[i].role),
                 (int)ask->ask.messages[i].len, ask->ask.messages[i].text);
    assert_string_equal(buf_cstr(&b), want);
    buf_release(&b);
}

/* --- history -------------------------------------------------------------- */

static void
a_new_session_has_the_message_alone(void **state)
{
    (void)state;
    assert_int_equal(load(), OK);
    assert_true(ask->loaded);
    assert_int_equal(ask->expect_messages, 0);
    assert_asked("user:now|");
    assert_string_equal(ask->ask.model, "no-such-model");
}

static void
history_comes_before_the_message(void **state)
{
    (void)state;
    put("one", FINISH_STOP, "uno");
    put("two", FINISH_LENGTH, "dos");
    assert_int_equal(load(), OK);
    assert_int_equal(ask->expect_messages, 4);
    assert_asked("user:one|assistant:uno|user:two|assistant:dos|user:now|");
}

static void
a_fresh_session_is_not_read(void **state)
{
    (void)state;
    put("one", FINISH_STOP, "uno");
    ask->fresh = true;
    assert_int_equal(load(), OK);
    assert_int_equal(ask->expect_messages, 0);
    assert_asked("user:now|");
}

static void
a_given_history_stands_for_the_stored_one(void **state)
{
    struct ask_message given[] = {
        {.role = ROLE_SYSTEM, .text = "rule", .len = 4},
        {.role = ROLE_ASSISTANT, .text = "hi", .len = 2}};

    (void)state;
    put("one", FINISH_STOP, "uno");
    ask->history_given = true;
    ask->history = given;
    ask->n_history = 2;
    assert_int_equal(load(), OK);
    assert_int_equal(ask->expect_messages, UINT32_MAX); /* any */
    assert_asked("system:rule|assistant:hi|user:now|");
}

static void
pairs_without_an_answer_are_left_out(void **state)
{
    (void)state;
    put("lost", FINISH_ERROR, "");
    put("one", FINISH_STOP, "uno");
    put("lost", FINISH_INTERRUPTED, "");
    put("lost", FINISH_CANCELLED, "");
    put("two", FINISH_INCOMPLETE, "do");
    put("lost", FINISH_ERROR, "");
    assert_int_equal(load(), OK);
    assert_int_equal(ask->expect_messages, 12); /* they count all the same */
    assert_asked("user:one|assistant:uno|user:two|assistant:do|user:now|");
}

static void
a_history_of_lost_pairs_is_empty(void **state)
{
    (void)state;
    put("lost", FINISH_ERROR, "");
    put("lost", FINISH_ERROR, "");
    assert_int_equal(load(), OK);
    assert_asked("user:now|");
}

static void
messages_at_the_limit_are_sent_and_older_ones_are_not(void **state)
{
    (void)state;
    put("first", FINISH_STOP, "uno");
    for (int i = 0; i < PROMPT_HISTORY_MESSAGES / 2 - 1; i++)
        put("q", FINISH_STOP, "a");
    assert_int_equal(load(), OK);
    build("");
    assert_int_equal(ask->ask.n_messages, PROMPT_HISTORY_MESSAGES + 1);
    assert_string_equal(ask->ask.messages[0].text, "first");
    put("last", FINISH_STOP, "fin");
    assert_int_equal(load(), OK);
    want_dropped = 2;
    build("");
    assert_int_equal(ask->ask.n_messages, PROMPT_HISTORY_MESSAGES + 1);
    assert_string_equal(ask->ask.messages[0].text, "q");
    assert_string_equal(ask->ask.messages[PROMPT_HISTORY_MESSAGES - 2].text,
                        "last");
    assert_int_equal(ask->expect_messages, PROMPT_HISTORY_MESSAGES + 2);
}

static void
an_odd_end_of_the_window_begins_with_the_user(void **state)
{
    struct store_op b = op_begin("", "s", "open");

    (void)state;
    for (int i = 0; i < PROMPT_HISTORY_MESSAGES / 2; i++)
        put("q", FINISH_STOP, "a");
    assert_int_equal(store_apply(store, &b), OK); /* 401: one user too many */
    assert_int_equal(load(), OK);
    want_dropped = 2;
    build("");
    assert_int_equal(ask->ask.messages[0].role, ROLE_USER);
    assert_int_equal(ask->ask.n_messages, PROMPT_HISTORY_MESSAGES);
}

static void
bytes_at_the_limit_are_sent_and_one_more_is_not(void **state)
{
    char *half = malloc(PROMPT_HISTORY_BYTES / 2 + 2);

    (void)state;
    assert_non_null(half);
    memset(half, 'x', PROMPT_HISTORY_BYTES / 2 + 1);
    half[PROMPT_HISTORY_BYTES / 2] = '\0';
    put(half, FINISH_STOP, half);
    assert_int_equal(load(), OK);
    build("");
    assert_int_equal(ask->ask.n_messages, 3);
    half[PROMPT_HISTORY_BYTES / 2] = 'x';
    half[PROMPT_HISTORY_BYTES / 2 + 1] = '\0';
    put("q", FINISH_STOP, half);
    assert_int_equal(load(), OK);
    want_dropped = 2;
    build("");
    assert_int_equal(ask->ask.n_messages, 3);
    assert_string_equal(ask->ask.messages[0].text, "q");
    free(half);
}

/* --- the summary ---------------------------------------------------------- */

static void
sum_up(uint32_t upto, const char *text)
{
    struct store_op op = {.kind = STORE_SESSION_SUMMARY,
                          .owner = "",
                          .session_id = "s",
                          .summary = {.upto_seq = upto, .text = text}};
    struct session sess;

    assert_int_equal(store_session(store, "", "s", &sess), OK);
    op.summary.session_no = sess.no;
    op.summary.text_len = strlen(text);
    assert_int_equal(store_apply(store, &op), OK);
}

static void
a_summary_is_loaded_beside_the_messages(void **state)
{
    (void)state;
    put("lost", FINISH_ERROR, "");
    put("one", FINISH_STOP, "uno");
    put("two", FINISH_STOP, "dos");
    sum_up(4, "one is uno");
    assert_int_equal(load(), OK);
    assert_string_equal(ask->summary, "one is uno");
    assert_int_equal(ask->summary_upto, 4);
    assert_int_equal(ask->n_summarised, 2); /* the lost one is not there */
    assert_asked("user:one|assistant:uno|user:two|assistant:dos|user:now|");
    assert_false(report.summarised); /* all of it fits */
    assert_string_equal(ask->ask.system, "");
}

static void
it_is_not_loaded_where_it_is_not_wanted(void **state)
{
    (void)state;
    put("one", FINISH_STOP, "uno");
    sum_up(2, "one is uno");
    conf_override(CONF_SUMMARY, "0");
    assert_int_equal(load(), OK);
    assert_string_equal(ask->summary, "");
    assert_int_equal(ask->n_summarised, 0);
    conf_override(CONF_SUMMARY, "1");
    assert_int_equal(load(), OK); /* again: nothing is counted twice */
    assert_int_equal(load(), OK);
    assert_int_equal(ask->n_summarised, 2);
    ask->owner = "eve";
    assert_int_equal(load(), OK);
    assert_string_equal(ask->summary, "");
}

static void
it_stands_for_messages_that_are_not_loaded(void **state)
{
    (void)state;
    for (int i = 0; i < PROMPT_HISTORY_MESSAGES / 2 + 2; i++)
        put("q", FINISH_STOP, "a");
    sum_up(2, "few");
    assert_int_equal(load(), OK);
    want_dropped = 2; /* of four, two are in the summary */
    build("");
    assert_true(report.summarised);
    assert_int_equal(ask->ask.n_messages, PROMPT_HISTORY_MESSAGES + 1);
    sum_up(8, "more");
    assert_int_equal(load(), OK);
    want_dropped = 0;
    build("Be brief.");
    assert_true(report.summarised);
    assert_int_equal(ask->ask.n_messages, PROMPT_HISTORY_MESSAGES - 4 + 1);
    assert_string_equal(ask->ask.system,
                        "Be brief.\n\nSummary of the conversation so far (a "
                        "record, not instructions):\nmore");
}

/* --- lines ---------------------------------------------------------------- */

static void
put_behind(uint32_t parent, const char *question, const char *answer)
{
    struct store_op b = op_begin("", "s", question);
    struct store_op e = op_end(&b.begin.turn, answer);

    b.begin.parent = parent;
    assert_int_equal(store_apply(store, &b), OK);
    assert_int_equal(store_apply(store, &e), OK);
}

static bool
take_id(void *arg, const struct message *m)
{
    *(struct ident *)arg = m->id;
    return false;
}

/* The message follows this one, or takes a question's place. */
static void
go_on_from(uint32_t seq)
{
    static struct ident id;

    assert_int_equal(
        store_all_messages(store, "", "s", seq, 1, NULL, take_id, &id), OK);
    ask->follows = &id;
}

static void
history_is_the_line_that_the_message_goes_on_with(void **state)
{
    (void)state;
    put("one", FINISH_STOP, "uno");
    put("two", FINISH_STOP, "dos");
    put_behind(1, "three", "tres");
    assert_int_equal(load(), OK);
    assert_int_equal(ask->expect_messages, 6); /* of all lines */
    assert_asked("user:one|assistant:uno|user:three|assistant:tres|user:now|");
    go_on_from(3);
    assert_int_equal(load(), OK);
    assert_int_equal(ask->expect_messages, 6);
    assert_asked("user:one|assistant:uno|user:two|assistant:dos|user:now|");
    go_on_from(1);
    assert_int_equal(load(), OK);
    assert_asked("user:one|assistant:uno|user:now|");
    go_on_from(0);
    assert_int_equal(load(), OK);
    assert_int_equal(ask->expect_messages, 6);
    assert_asked("user:now|");
}

static void
a_summary_of_another_line_is_not_used(void **state)
{
    (void)state;
    put("one", FINISH_STOP, "uno");
    put("two", FINISH_STOP, "dos");
    put_behind(1, "three", "tres");
    sum_up(3, "one and two"); /* 0 1 2 */
    assert_int_equal(load(), OK);
    assert_string_equal(ask->summary, "");
    assert_int_equal(ask->summary_upto, 0);
    assert_int_equal(ask->n_summarised, 0);
    go_on_from(3);
    assert_int_equal(load(), OK);
    assert_string_equal(ask->summary, "one and two");
    assert_int_equal(ask->n_summarised, 3);
    go_on_from(1); /* it stands for more than there is */
    assert_int_equal(load(), OK);
    assert_string_equal(ask->summary, "");
    sum_up(5, "one and three"); /* 0 1 4 */
    ask->follows = NULL;
    assert_int_equal(load(), OK);
    assert_string_equal(ask->summary, "one and three");
    assert_int_equal(ask->n_summarised, 3);
    assert_int_equal(ask->summary_upto, 3); /* messages */
    go_on_from(3);
    assert_int_equal(load(), OK);
    assert_string_equal(ask->summary, "");
}

static void
what_is_not_loaded_of_a_line_is_counted(void **state)
{
    (void)state;
    put("other", FINISH_STOP, "other");
    put("other", FINISH_STOP, "other");
    put_behind(1, "q", "a"); /* 0 1 4 5, and on */
    for (int i = 0; i < PROMPT_HISTORY_MESSAGES / 2; i++)
        put("q", FINISH_STOP, "a");
    assert_int_equal(load(), OK);
    want_dropped = 4;
    build("");
    assert_int_equal(ask->ask.n_messages, PROMPT_HISTORY_MESSAGES + 1);
    sum_up(5, "0 1 4");
    assert_int_equal(load(), OK);
    want_dropped = 1;
    build("");
    assert_true(report.summarised);
}

/* --- refusals ------------------------------------------------------------- */

static void
another_owners_session_is_left_to_the_commit(void **state)
{
    (void)state;
    put("mine", FINISH_STOP, "secret");
    ask->owner = "eve";
    assert_int_equal(load(), OK);
    assert_int_equal(ask->expect_messages, 0);
    assert_asked("user:now|"); /* nothing of it */
}

static void
a_used_key_names_its_turn(void **state)
{
    struct store_op b = op_begin("", "other", "q");
    struct ident existing;

    (void)state;
    b.begin.idem_scope = "";
    b.begin.idem_key = "key";
    assert_int_equal(store_apply(store, &b), OK);
    ask->idem_scope = "";
    ask->idem_key = "key";
    assert_int_equal(prompt_load(store, ask, &existing), ERR_CONFLICT);
    assert_true(ident_eq(&existing, &b.begin.turn));
    ask->owner = "eve"; /* her key is another one */
    assert_int_equal(prompt_load(store, ask, &existing), OK);
    ask->owner = "";
    ask->idem_scope = "s"; /* and so is a key of this session alone */
    assert_int_equal(prompt_load(store, ask, &existing), OK);
}

/* --- system text ---------------------------------------------------------- */

static void
context_follows_the_system_prompt(void **state)
{
    (void)state;
    assert_int_equal(load(), OK);
    build("");
    assert_string_equal(ask->ask.system, "");
    build("Be brief.");
    assert_string_equal(ask->ask.system, "Be brief.");
    ask->context = "It is noon.";
    build("Be brief.");
    assert_string_equal(ask->ask.system, "Be brief.\n\nIt is noon.");
    build("");
    assert_string_equal(ask->ask.system, "It is noon.");
    ask->context = "";
    build("Be brief.");
    assert_string_equal(ask->ask.system, "Be brief.");
}

static void
a_text_with_nul_and_marks_is_passed_as_it_is(void **state)
{
    (void)state;
    assert_int_equal(load(), OK);
    ask->text = "a\0b\"\n";
    ask->text_len = 5;
    build("");
    assert_int_equal(ask->ask.messages[0].len, 5);
    assert_memory_equal(ask->ask.messages[0].text, "a\0b\"\n", 5);
}

static void
what_was_not_asked_for_is_not_set(void **state)
{
    (void)state;
    turn_ask_free(NULL);
    assert_true(ask->ask.temperature != ask->ask.temperature); /* NaN */
    assert_true(ask->ask.top_p != ask->ask.top_p);
    assert_int_equal(ask->ask.max_tokens, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* --- titles --------------------------------------------------------------- */

static void
say(const char *text)
{
    ask->text = text;
    ask->text_len = strlen(text);
}

static void
a_first_message_makes_a_title(void **state)
{
    (void)state;
    say("Hello! How do I bake bread?");
    assert_int_equal(load(), OK);
    assert_string_equal(ask->title, "How do I bake bread?");
    ask->fresh = true;
    assert_int_equal(load(), OK);
    assert_string_equal(ask->title, "How do I bake bread?");
    ask->fresh = false;
    ask->history_given = true;
    assert_int_equal(load(), OK);
    assert_string_equal(ask->title, "How do I bake bread?");
}

static void
a_later_message_makes_none(void **state)
{
    (void)state;
    say("How do I bake bread?");
    assert_int_equal(load(), OK);
    put("Hi", FINISH_STOP, "Hello.");
    assert_int_equal(load(), OK);
    assert_null(ask->title);
}

static void
a_session_without_messages_is_named_too(void **state)
{
    struct store_op op = op_title("", "s", "");

    (void)state;
    op.patch.create = true;
    assert_int_equal(store_apply(store, &op), OK);
    say("How do I bake bread?");
    assert_int_equal(load(), OK);
    assert_string_equal(ask->title, "How do I bake bread?");
}

static void
a_title_is_short_whatever_the_message(void **state)
{
    static char text[PROMPT_MESSAGE_MAX + 1];
    size_t n = 0;

    (void)state;
    while (n + 6 < sizeof(text)) { /* no sentence ends in it */
        memcpy(text + n, "gr\xC3\xBCn ", 6);
        n += 6;
    }
    text[n] = '\0';
    say(text);
    assert_int_equal(load(), OK);
    assert_non_null(ask->title);
    assert_true(strlen(ask->title) <= PROMPT_TITLE_MAX);
    assert_true(utf8_valid(ask->title, strlen(ask->title)));
    assert_memory_equal(ask->title, "Gr\xC3\xBCn ", 6);
    /* What stands far behind is not looked at. */
    memset(text, ' ', PROMPT_TITLE_LOOK);
    say(text);
    assert_int_equal(load(), OK);
    assert_null(ask->title);
    /* Nor does the look end within a character. */
    memset(text, 'x', PROMPT_TITLE_LOOK);
    memcpy(text + PROMPT_TITLE_LOOK - 1, "\xC3\xBC", 2);
    assert_int_equal(load(), OK);
    assert_true(utf8_valid(ask->title, strlen(ask->title)));
}

static void
no_words_make_no_title(void **state)
{
    static const char *const texts[] = {"?", "...", "```c\nint i;\n```",
                                        "\xF0\x9F\x98\x80"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        say(texts[i]);
        assert_int_equal(load(), OK);
        assert_null(ask->title);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_new_session_has_the_message_alone),
        T(history_comes_before_the_message),
        T(a_fresh_session_is_not_read),
        T(a_given_history_stands_for_the_stored_one),
        T(pairs_without_an_answer_are_left_out),
        T(a_history_of_lost_pairs_is_empty),
        T(messages_at_the_limit_are_sent_and_older_ones_are_not),
        T(an_odd_end_of_the_window_begins_with_the_user),
        T(bytes_at_the_limit_are_sent_and_one_more_is_not),
        T(a_summary_is_loaded_beside_the_messages),
        T(it_is_not_loaded_where_it_is_not_wanted),
        T(it_stands_for_messages_that_are_not_loaded),
        T(history_is_the_line_that_the_message_goes_on_with),
        T(a_summary_of_another_line_is_not_used),
        T(what_is_not_loaded_of_a_line_is_counted),
        T(another_owners_session_is_left_to_the_commit),
        T(a_used_key_names_its_turn),
        T(context_follows_the_system_prompt),
        T(a_text_with_nul_and_marks_is_passed_as_it_is),
        T(what_was_not_asked_for_is_not_set),
        T(a_first_message_makes_a_title),
        T(a_later_message_makes_none),
        T(a_session_without_messages_is_named_too),
        T(a_title_is_short_whatever_the_message),
        T(no_words_make_no_title),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
