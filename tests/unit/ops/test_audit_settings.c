/* Tests of ops/audit_settings.c. */
#include "audit_test.h"

#include "base/conf.h"

static struct audit_config conf;

static int
setup(void **state)
{
    conf = audit_config(SECRET, 1 << 20);
    conf_override(CONF_AI_MODEL, "");
    conf_override(CONF_OPENAI_API_KEY, "");
    return audit_setup(state);
}

/* One start of a process with these settings; the last line of the log. */
static char *
start(void)
{
    char *s, *last;
    size_t len;

    assert_int_equal(audit_start(&conf), OK);
    audit_settings(&conf);
    audit_stop();
    s = audit_slurp(AUDIT_LOG, &len);
    assert_non_null(s);
    s[len - 1] = '\0';
    last = strrchr(s, '\n');
    last = xstrdup(last == NULL ? s : last + 1);
    free(s);
    return last;
}

static void
assert_last(const char *says)
{
    char *s = start();

    if (strstr(s, says) == NULL)
        print_error("%s\n", s);
    assert_non_null(strstr(s, says));
    free(s);
}

static void
names_of_what_changed_are_told_once(void **state)
{
    (void)state;
    conf_override(CONF_AI_MODEL, "one");
    assert_last("\"first\":true,\"names\":[\"AI_MODEL\"]");
    ASSERT_SOUND(&conf, 1);
    free(start());
    ASSERT_SOUND(&conf, 1);
    conf_override(CONF_AI_MODEL, "two");
    conf_override(CONF_OPENAI_API_KEY, "sk-very-secret");
    assert_last("\"count\":2,\"first\":false,\"names\":[\"AI_MODEL\","
                "\"OPENAI_API_KEY\"]");
    free(start());
    ASSERT_SOUND(&conf, 2);
    conf_override(CONF_OPENAI_API_KEY, "sk-another");
    assert_last("\"count\":1,\"first\":false,\"names\":[\"OPENAI_API_KEY\"]");
    conf_override(CONF_OPENAI_API_KEY, "");
    assert_last("\"count\":1,\"first\":false,\"names\":[\"OPENAI_API_KEY\"]");
    conf_override(CONF_AI_MODEL, "");
    assert_last("\"count\":1,\"first\":false,\"names\":[\"AI_MODEL\"]");
    ASSERT_SOUND(&conf, 5);
}

static void
no_value_is_kept(void **state)
{
    (void)state;
    conf_override(CONF_OPENAI_API_KEY, "sk-very-secret");
    conf_override(CONF_AI_MODEL, "a-model-name");
    free(start());
    assert_false(folder_has_text(audit_dir, "sk-very-secret"));
    assert_false(folder_has_text(audit_dir, "a-model-name"));
    assert_true(folder_has_text(audit_dir, "OPENAI_API_KEY"));
}

static void
another_key_is_told_as_that(void **state)
{
    struct audit_found found;

    (void)state;
    conf_override(CONF_AI_MODEL, "one");
    free(start());
    conf.key = "another";
    assert_last("\"count\":1,\"first\":false,\"names\":[\"AUDIT_KEY\"]");
    free(start());
    audit_check(&conf, &found);
    assert_int_equal(found.verdict.lines, 3); /* and audit_new_key */
    assert_int_equal(found.verdict.faults, 0);
}

static void
a_damaged_file_is_begun_anew(void **state)
{
    (void)state;
    conf_override(CONF_AI_MODEL, "one");
    free(start());
    audit_spill("audit.settings", "rubbish", 7);
    assert_last("\"first\":true,\"names\":[\"AI_MODEL\"]");
    free(start());
    ASSERT_SOUND(&conf, 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, audit_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_of_what_changed_are_told_once),
        TEST(no_value_is_kept),
        TEST(another_key_is_told_as_that),
        TEST(a_damaged_file_is_begun_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
