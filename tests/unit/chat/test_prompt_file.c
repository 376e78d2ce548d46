/* Tests of chat/prompt_file.c. */
#include "chat_test.h"

#include <sys/stat.h>

#include "base/log.h"
#include "chat/prompt_file.h"

static char root[256];

static void
put_file(const char *bytes, size_t n)
{
    char path[300];
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/etc", root);
    (void)mkdir(path, 0700);
    (void)snprintf(path, sizeof(path), "%s/etc/prompts", root);
    (void)mkdir(path, 0700);
    (void)snprintf(path, sizeof(path), "%s/etc/prompts/summary.txt", root);
    f = fopen(path, "we");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static void
assert_prompt(const char *want)
{
    char *got = prompt_file_load(root, PROMPT_FILE_SUMMARY);

    assert_string_equal(got, want);
    free(got);
}

/* Tests run in the project folder. */
static void
the_files_hold_what_is_built_in(void **state)
{
    (void)state;
    for (int i = 0; i < PROMPT_FILE__MAX; i++) {
        char *ours = prompt_file_load(".", (enum prompt_file)i);
        char path[64];

        (void)snprintf(path, sizeof(path), "etc/prompts/%s.txt",
                       prompt_file_name((enum prompt_file)i));
        assert_int_equal(access(path, R_OK), 0);
        assert_string_equal(ours, prompt_file_built_in((enum prompt_file)i));
        free(ours);
    }
}

static void
a_file_takes_its_place_if_it_is_of_use(void **state)
{
    const char *built_in = prompt_file_built_in(PROMPT_FILE_SUMMARY);
    static char longest[PROMPT_FILE_MAX + 1];
    char path[300];

    (void)state;
    log_set_level(LOG_ERROR);
    folder_make(root);
    assert_prompt(built_in);
    put_file("Be short.", 9);
    assert_prompt("Be short.");
    memset(longest, 'x', sizeof(longest));
    put_file(longest, sizeof(longest));
    assert_prompt(built_in);
    put_file(" \n", 2);
    assert_prompt(built_in);
    put_file("a\0b", 3);
    assert_prompt(built_in);
    put_file("\xFF", 1);
    assert_prompt(built_in);
    put_file(longest, sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_prompt(longest);
    (void)snprintf(path, sizeof(path), "%s/etc", root);
    folder_remove(path);
    folder_remove(root);
}

static void
words_are_filled_in(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a);
    assert_string_equal(prompt_file_fill(&a, "In {x}, {x}!", "{x}", "{x}y"),
                        "In {x}y, {x}y!");
    assert_string_equal(prompt_file_fill(&a, "no place", "{x}", "y"),
                        "no place");
    assert_non_null(strstr(prompt_file_built_in(PROMPT_FILE_TRANSLATE),
                           "{target_language}"));
    arena_release(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_files_hold_what_is_built_in),
        cmocka_unit_test(a_file_takes_its_place_if_it_is_of_use),
        cmocka_unit_test(words_are_filled_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
