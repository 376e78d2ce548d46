/* Tests of chat/command_parse.c. */
#include "chat_test.h"

#include "chat/command_parse.h"

static const char *const translate[] = {"text", "target_language"};
static const char *const plain[] = {"text"};
static struct arena arena;
static struct problem why;

static int
setup(void **state)
{
    (void)state;
    arena_init(&arena);
    memset(&why, 0, sizeof(why));
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static void
assert_arg(const struct command_args *a, size_t i, const char *want)
{
    if (want == NULL) {
        assert_null(a->value[i]);
        return;
    }
    assert_non_null(a->value[i]);
    assert_string_equal(a->value[i], want);
    assert_int_equal(a->len[i], strlen(want));
}

static void
expect(const char *line, const char *text, const char *language)
{
    struct command_args a;

    if (command_args(&arena, line, strlen(line), translate, 2, &a, &why) != OK)
        fail_msg("%s: %s (%s)", line, why.error, why.message);
    assert_arg(&a, 0, text);
    assert_arg(&a, 1, language);
}

static void
expect_wrong(const char *line, const char *code)
{
    struct command_args a;

    assert_int_equal(
        command_args(&arena, line, strlen(line), translate, 2, &a, &why),
        ERR_BADREQ);
    assert_string_equal(why.code, code);
    assert_true(why.error[0] != '\0' && why.message[0] != '\0');
}

static void
expect_name(const char *line, const char *want, const char *rest)
{
    char name[COMMAND_NAME_MAX + 1];
    size_t at;

    assert_true(command_is(line, strlen(line)));
    if (want == NULL) {
        assert_int_equal(command_name(line, strlen(line), name, &at, &why),
                         ERR_BADREQ);
        assert_string_equal(why.code, "unknown_command");
        return;
    }
    assert_int_equal(command_name(line, strlen(line), name, &at, &why), OK);
    assert_string_equal(name, want);
    assert_string_equal(line + at, rest);
}

/* --- names -------------------------------------------------------------- */

static void
a_slash_makes_a_command_and_two_make_a_text(void **state)
{
    (void)state;
    assert_true(command_is("/help", 5));
    assert_true(command_is("/", 1));
    assert_false(command_is("//help", 6));
    assert_false(command_is(" /help", 6));
    assert_false(command_is("help", 4));
    assert_false(command_is("", 0));
    assert_int_equal(command_escape("//help", 6), 1);
    assert_int_equal(command_escape("/help", 5), 0);
    assert_int_equal(command_escape("/", 1), 0);
    assert_int_equal(command_escape("", 0), 0);
}

static void
names_are_read_in_small_letters(void **state)
{
    (void)state;
    expect_name("/help", "help", "");
    expect_name("/HeLP", "help", "");
    expect_name("/set_context-2 x", "set_context-2", " x");
    expect_name("/clear\nnow", "clear", "\nnow");
    expect_name("/clear\t", "clear", "\t");
}

static void
what_is_no_name_is_told(void **state)
{
    (void)state;
    expect_name("/", NULL, NULL);
    assert_string_equal(why.error, "A command has a name");
    expect_name("/ help", NULL, NULL);
    expect_name("/\n", NULL, NULL);
    expect_name("/usr/bin/ls -l", NULL, NULL);
    assert_string_equal(why.error, "Unknown command: /usr/bin/ls");
    expect_name("/\xf0\x9f\x98\x80", NULL, NULL);
    assert_string_equal(why.error, "Unknown command: /\xf0\x9f\x98\x80");
    expect_name("/help!", NULL, NULL);
    expect_name("/text=\"x\"", NULL, NULL);
}

static void
a_name_has_a_limit(void **state)
{
    char line[COMMAND_NAME_MAX + 3] = "/";

    (void)state;
    memset(line + 1, 'a', COMMAND_NAME_MAX);
    expect_name(line, line + 1, "");
    line[COMMAND_NAME_MAX + 1] = 'a';
    expect_name(line, NULL, NULL);
}

/* --- arguments ---------------------------------------------------------- */

static void
keys_take_words_and_quoted_values(void **state)
{
    (void)state;
    expect("", NULL, NULL);
    expect("  \n ", NULL, NULL);
    expect(" text=hi", "hi", NULL);
    expect(" text=\"Good morning\" target_language=\"French\"", "Good morning",
           "French");
    expect(" TARGET_language=French TEXT=hi", "hi", "French");
    expect(" text='it is \"so\"'", "it is \"so\"", NULL);
    expect(" text=\xe2\x80\x9cGood morning\xe2\x80\x9d target_language=it",
           "Good morning", "it");
    expect(" text= target_language=it", "", "it");
    expect(" text=\"\"", "", NULL);
    expect("\ttext=a\n\ntarget_language=b ", "a", "b");
    expect(" text=a=b", "a=b", NULL);
    expect(" text=\"a=b target_language=c\"", "a=b target_language=c", NULL);
    expect(" text=\"one\ntwo\"", "one\ntwo", NULL);
    expect(" text=\"\xf0\x9f\x98\x80\"", "\xf0\x9f\x98\x80", NULL);
}

static void
escapes_are_read_within_quotes(void **state)
{
    (void)state;
    expect(" text=\"say \\\"hi\\\"\"", "say \"hi\"", NULL);
    expect(" text=\"a\\\\\" target_language=x", "a\\", "x");
    expect(" text=\"a\\nb\\tc\"", "a\nb\tc", NULL);
    expect(" text=\"C:\\windows\\x\"", "C:\\windows\\x", NULL);
    expect(" text='it\\'s'", "it's", NULL);
    expect(" text=a\\nb", "a\\nb", NULL);
}

static void
the_rest_is_text(void **state)
{
    (void)state;
    expect(" Good morning", "Good morning", NULL);
    expect("  Good   morning \n", "Good   morning", NULL);
    expect(" target_language=French Good morning", "Good morning", "French");
    expect(" Good morning target_language=French", "Good morning", "French");
    expect(" Good target_language=fr morning", "Good morning", "fr");
    expect(" one\ntwo", "one\ntwo", NULL);
    expect(" what is x=5", "what is x=5", NULL);
    expect(" x=5 is what", "x=5 is what", NULL);
    expect(" a text=\"b\"", "a text=\"b\"", NULL);
    expect(" 'tis the season", "'tis the season", NULL);
    expect(" \"unclosed", "\"unclosed", NULL);
    expect(" \"Hello\" she said", "\"Hello\" she said", NULL);
    expect(" \"Hello\"she", "\"Hello\"she", NULL);
    expect(" \"Good morning\"", "Good morning", NULL);
    expect(" \"Good morning\" target_language=French", "Good morning",
           "French");
    expect(" \"\"", "", NULL);
    expect(" =x", "=x", NULL);
}

static void
wrong_arguments_are_told(void **state)
{
    (void)state;
    expect_wrong(" text=\"no end", "missing_quote");
    expect_wrong(" text=\"no end\\\"", "missing_quote");
    expect_wrong(" text=\"", "missing_quote");
    expect_wrong(" text=\xe2\x80\x9cno end\"", "missing_quote");
    expect_wrong(" text=a text=b", "invalid_argument");
    expect_wrong(" text=a more", "invalid_argument");
    expect_wrong(" txt=\"a b\"", "invalid_argument");
    assert_non_null(strstr(why.message, "'txt'"));
}

static void
text_needs_a_parameter_for_it(void **state)
{
    static const char *const other[] = {"name"};
    struct command_args a;

    (void)state;
    assert_int_equal(command_args(&arena, " a b", 4, NULL, 0, &a, &why),
                     ERR_BADREQ);
    assert_string_equal(why.code, "invalid_argument");
    assert_int_equal(command_args(&arena, " a b", 4, other, 1, &a, &why), OK);
    assert_string_equal(a.value[0], "a b");
    assert_int_equal(command_args(&arena, "  \n", 3, NULL, 0, &a, &why), OK);
}

static void
a_long_argument_is_whole(void **state)
{
    enum { LONG = 100 * 1024 };
    char *line = xmalloc(LONG + 16);
    struct command_args a;
    int n;

    (void)state;
    n = snprintf(line, 16, " text=\"");
    memset(line + n, 'x', LONG);
    line[n + LONG] = '"';
    assert_int_equal(
        command_args(&arena, line, (size_t)n + LONG + 1, plain, 1, &a, &why),
        OK);
    assert_int_equal(a.len[0], LONG);
    assert_int_equal(
        command_args(&arena, line, (size_t)n + LONG, plain, 1, &a, &why),
        ERR_BADREQ);
    free(line);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_slash_makes_a_command_and_two_make_a_text, setup, teardown),
        cmocka_unit_test_setup_teardown(names_are_read_in_small_letters, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_no_name_is_told, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_name_has_a_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(keys_take_words_and_quoted_values,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(escapes_are_read_within_quotes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_rest_is_text, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_arguments_are_told, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(text_needs_a_parameter_for_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_long_argument_is_whole, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
