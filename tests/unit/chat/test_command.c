/* Tests of chat/command.c: the table, and how a text is read by it. */
#include "chat_test.h"

#include "chat/command.h"

static struct turn_ask *asked;

static int
teardown(void **state)
{
    (void)state;
    turn_ask_free(asked);
    asked = NULL;
    return 0;
}

static const struct command_line *
reading(const char *text)
{
    turn_ask_free(asked);
    asked = turn_ask_new();
    asked->text = text;
    asked->text_len = strlen(text);
    command_read(asked);
    return asked->command;
}

/* --- the table ------------------------------------------------------------ */

static void
names_are_unique_and_found(void **state)
{
    size_t n;
    const struct command *all = command_table(&n);

    (void)state;
    assert_true(n > 0);
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(all[i].name);

        assert_in_range(len, 1, COMMAND_NAME_MAX);
        assert_int_equal(strspn(all[i].name, "abcdefghijklmnopqrstuvwxyz"),
                         len);
        assert_ptr_equal(command_find(all[i].name), &all[i]);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(all[i].name, all[k].name);
    }
    assert_null(command_find(""));
    assert_null(command_find("HELP"));
    assert_null(command_find("hel"));
}

static void
help_is_a_sentence(void **state)
{
    size_t n;
    const struct command *all = command_table(&n);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(all[i].help);

        assert_true(len > 2 && all[i].help[len - 1] == '.');
        assert_true(all[i].help[0] >= 'A' && all[i].help[0] <= 'Z');
        assert_true(utf8_valid(all[i].usage, strlen(all[i].usage)));
    }
}

static void
who_asks_a_model_says_what_becomes_of_its_answer(void **state)
{
    size_t n;
    const struct command *all = command_table(&n);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        assert_non_null(all[i].run);
        assert_int_equal(all[i].answered != NULL, all[i].reach == COMMAND_ASKS);
    }
}

/* Is this "name=" of a usage a parameter? */
static bool
is_param(const struct command *c, const char *name, size_t len)
{
    for (size_t i = 0; c->params[i] != NULL; i++)
        if (strlen(c->params[i]) == len &&
            strncmp(c->params[i], name, len) == 0)
            return true;
    return false;
}

static void
usage_and_parameters_agree(void **state)
{
    size_t n;
    const struct command *all = command_table(&n);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        const struct command *c = &all[i];
        const char *at = c->usage;
        size_t shown = 0, params = 0;

        while (c->params[params] != NULL)
            assert_true(params++ < COMMAND_ARGS_MAX);
        while ((at = strchr(at, '=')) != NULL) {
            size_t len = 0;

            while (at - len > c->usage &&
                   strchr(" [", at[-1 - (int)len]) == NULL)
                len++;
            assert_true(is_param(c, at - len, len));
            shown++;
            at++;
        }
        if (params == 1 && shown == 0) /* a text that needs no name */
            assert_true(c->usage[0] == '[');
        else
            assert_int_equal(shown, params);
        assert_int_equal(c->usage[0] == '\0', params == 0);
    }
}

/* --- reading -------------------------------------------------------------- */

static void
a_message_stays_as_it_is(void **state)
{
    static const char *const texts[] = {"hello", " /help", "a /help", "\\/help",
                                        "\n/help"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        assert_null(reading(texts[i]));
        assert_ptr_equal(asked->text, texts[i]);
        assert_int_equal(asked->text_len, strlen(texts[i]));
    }
}

static void
two_slashes_lose_one(void **state)
{
    (void)state;
    assert_null(reading("//help"));
    assert_string_equal(asked->text, "/help");
    assert_int_equal(asked->text_len, 5);
    assert_null(reading("//"));
    assert_string_equal(asked->text, "/");
    assert_null(reading("///"));
    assert_string_equal(asked->text, "//");
}

static void
a_command_is_read_with_its_arguments(void **state)
{
    const struct command_line *line = reading(
        "/Translate target_language=French text=\"a \\\"b\\\"\"");

    (void)state;
    assert_non_null(line);
    assert_int_equal(line->why.err, OK);
    assert_string_equal(line->name, "translate");
    assert_ptr_equal(line->command, command_find("translate"));
    assert_string_equal(line->args.value[0], "a \"b\"");
    assert_string_equal(line->args.value[1], "French");
    line = reading("/help");
    assert_int_equal(line->why.err, OK);
    assert_null(line->args.value[0]);
}

static void
what_cannot_be_run_says_why(void **state)
{
    static const struct {
        const char *text, *name, *code;
        bool known;
    } rows[] = {
        {"/", "", "unknown_command", false},
        {"/ help", "", "unknown_command", false},
        {"/nope", "nope", "unknown_command", false},
        {"/HelP!", "", "unknown_command", false},
        {"/title text=\"a", "title", "missing_quote", true},
        {"/clear it", "clear", "invalid_argument", true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct command_line *line = reading(rows[i].text);

        assert_non_null(line);
        assert_int_equal(line->why.err, ERR_BADREQ);
        assert_string_equal(line->why.code, rows[i].code);
        assert_string_equal(line->name, rows[i].name);
        assert_int_equal(line->command != NULL, rows[i].known);
    }
}

/* --- results -------------------------------------------------------------- */

static struct command_run
run_new(void)
{
    struct command_run run = {.failed = false};

    buf_init(&run.json, COMMAND_RESULT_MAX);
    buf_init(&run.text, COMMAND_RESULT_MAX);
    return run;
}

static void
assert_result(struct command_run *run, const char *json, const char *text)
{
    json_end_obj(&run->j);
    assert_string_equal(buf_cstr(&run->json), json);
    assert_string_equal(buf_cstr(&run->text), text);
    buf_release(&run->json);
    buf_release(&run->text);
}

static void
a_success_is_an_object_with_a_status(void **state)
{
    struct command_run run = run_new();

    (void)state;
    json_put_str(command_ok(&run), "title", "T");
    buf_adds(&run.text, "The title.");
    assert_false(run.failed);
    assert_result(&run, "{\"status\":\"success\",\"title\":\"T\"}",
                  "The title.");
}

static void
a_failure_takes_back_what_was_said(void **state)
{
    struct command_run run = run_new();

    (void)state;
    json_put_str(command_ok(&run), "title", "T");
    buf_adds(&run.text, "The title.");
    assert_int_equal(command_wrong(&run, "too_long", "It is long", "Cut it."),
                     COMMAND_DONE);
    assert_true(run.failed);
    assert_result(&run,
                  "{\"status\":\"error\",\"code\":\"too_long\","
                  "\"error\":\"It is long\",\"message\":\"Cut it.\"}",
                  "It is long. Cut it.");
}

static void
the_store_has_words_of_its_own(void **state)
{
    struct command_run run = run_new();

    (void)state;
    run.ask = asked = turn_ask_new();
    assert_int_equal(command_err(&run, ERR_FULL), COMMAND_DONE);
    assert_true(run.failed);
    assert_non_null(strstr(buf_cstr(&run.json), "\"status\":\"error\""));
    assert_non_null(strstr(buf_cstr(&run.json), "\"code\":\"store_full\""));
    assert_true(run.text.len > 10);
    buf_release(&run.json);
    buf_release(&run.text);
}

#define T(f) cmocka_unit_test_teardown(f, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(names_are_unique_and_found),
        T(help_is_a_sentence),
        T(who_asks_a_model_says_what_becomes_of_its_answer),
        T(usage_and_parameters_agree),
        T(a_message_stays_as_it_is),
        T(two_slashes_lose_one),
        T(a_command_is_read_with_its_arguments),
        T(what_cannot_be_run_says_why),
        T(a_success_is_an_object_with_a_status),
        T(a_failure_takes_back_what_was_said),
        T(the_store_has_words_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
