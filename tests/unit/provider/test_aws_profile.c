/* Tests of provider/aws_profile.c: one profile out of AWS's shared files. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#include "provider/aws_profile.h"

static struct aws_profile p;
static char said[1024];

static int
setup(void **state)
{
    (void)state;
    aws_profile_init(&p);
    said[0] = '\0';
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    aws_profile_release(&p);
    return 0;
}

static void
on_bad(void *arg, int line, const char *rule)
{
    size_t n = strlen(said);

    (void)arg;
    (void)snprintf(said + n, sizeof(said) - n, "%d: %s\n", line, rule);
}

static void
parse(const char *text, enum aws_profile_file kind, const char *name)
{
    char *copy = malloc(strlen(text) + 1);

    assert_non_null(copy);
    memcpy(copy, text, strlen(text));
    aws_profile_parse(&p, copy, strlen(text), kind, name, on_bad, NULL);
    free(copy);
}

static void
is(const char *have, const char *want)
{
    if (want == NULL) {
        assert_null(have);
    } else {
        assert_non_null(have);
        assert_string_equal(have, want);
    }
}

static void
expect(const char *key, const char *secret, const char *token,
       const char *region)
{
    is(p.access_key, key);
    is(p.secret_key, secret);
    is(p.session_token, token);
    is(p.region, region);
}

static const char credentials[] = "[default]\n"
                                  "aws_access_key_id = AK1\n"
                                  "aws_secret_access_key = a/b+c=\n"
                                  "\n"
                                  "[work]\r\n"
                                  "AWS_Access_Key_Id=AK2\r\n"
                                  "aws_secret_access_key=S2\r\n"
                                  "aws_session_token=T2\r\n";

static void
a_profile_is_taken_and_the_others_are_not(void **state)
{
    (void)state;
    parse(credentials, AWS_PROFILE_CREDENTIALS, "default");
    expect("AK1", "a/b+c=", NULL, NULL);
    assert_true(p.found);
    parse(credentials, AWS_PROFILE_CREDENTIALS, "work");
    expect("AK2", "S2", "T2", NULL);
    assert_string_equal(said, "");
}

static void
a_profile_that_is_not_there_is_not_found(void **state)
{
    (void)state;
    parse(credentials, AWS_PROFILE_CREDENTIALS, "wor");
    assert_false(p.found);
    expect(NULL, NULL, NULL, NULL);
    parse("", AWS_PROFILE_CREDENTIALS, "default");
    assert_false(p.found);
}

static void
in_config_a_profile_is_called_so(void **state)
{
    static const char config[] = "[default]\n"
                                 "region = eu-central-1\n"
                                 "[profile work]\n"
                                 "region=us-west-2\n"
                                 "[ profile\t\"my own\" ] # mine\n"
                                 "region=ap-south-1\n"
                                 "[sso-session work]\n"
                                 "region=xx\n"
                                 "[work]\n"
                                 "region=yy\n";

    (void)state;
    parse(config, AWS_PROFILE_CONFIG, "default");
    expect(NULL, NULL, NULL, "eu-central-1");
    parse(config, AWS_PROFILE_CONFIG, "work");
    expect(NULL, NULL, NULL, "us-west-2");
    parse(config, AWS_PROFILE_CONFIG, "my own");
    expect(NULL, NULL, NULL, "ap-south-1");
    assert_string_equal(said, "");
}

static void
comments_blanks_and_nested_settings_mean_nothing(void **state)
{
    (void)state;
    parse("\xEF\xBB\xBF# a file\n"
          "aws_access_key_id = outside\n"
          "[default] ; here\n"
          "; note\n"
          "  # indented note\n"
          "region = eu-west-1 # home\n"
          "s3 =\n"
          "  region = nested\n"
          "\taws_access_key_id = nested\n"
          "aws_access_key_id = AK#1;x ; old\n"
          "output = json\n",
          AWS_PROFILE_CREDENTIALS, "default");
    expect("AK#1;x", NULL, NULL, "eu-west-1");
    assert_string_equal(said, "");
}

static void
the_later_value_counts_and_an_empty_one_takes_away(void **state)
{
    (void)state;
    parse("[default]\nregion=a\n[x]\nregion=b\n[default]\nregion=c\n",
          AWS_PROFILE_CREDENTIALS, "default");
    expect(NULL, NULL, NULL, "c");
    parse("[default]\nregion = # none", AWS_PROFILE_CREDENTIALS, "default");
    expect(NULL, NULL, NULL, NULL);
}

static void
keys_that_come_from_elsewhere_are_told_apart(void **state)
{
    static const char *const ways[] = {
        "role_arn = arn:aws:iam::1:role/x",
        "sso_session = corp",
        "credential_process = /bin/keys --give",
        "Web_Identity_Token_File=/x",
    };
    char text[128];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        aws_profile_release(&p);
        (void)snprintf(text, sizeof(text), "[profile a]\n%s\n[profile b]\n",
                       ways[i]);
        parse(text, AWS_PROFILE_CONFIG, "b");
        assert_false(p.elsewhere);
        parse(text, AWS_PROFILE_CONFIG, "a");
        assert_true(p.elsewhere);
    }
    assert_string_equal(said, "");
}

static void
mistakes_have_their_line_and_never_what_it_holds(void **state)
{
    (void)state;
    parse("[default]\n"
          "hunter2\n"
          "aws_access_key_id = hunter 2\n"
          "aws_secret_access_key = hunter\x01\n"
          "region = eu-west-1\n"
          "[other]\n"
          "hunter2\n"
          "[broken\n"
          "region = lost\n",
          AWS_PROFILE_CREDENTIALS, "default");
    expect(NULL, NULL, NULL, "eu-west-1");
    assert_string_equal(said,
                        "2: expected key = value\n"
                        "3: the value holds blanks or control characters\n"
                        "4: the value holds blanks or control characters\n"
                        "8: a section must end in ]\n");
}

static void
a_value_has_a_ceiling(void **state)
{
    static char text[AWS_PROFILE_VALUE_MAX + 64];
    int n = snprintf(text, sizeof(text), "[default]\nregion=");

    (void)state;
    memset(text + n, 'r', AWS_PROFILE_VALUE_MAX);
    parse(text, AWS_PROFILE_CREDENTIALS, "default");
    assert_int_equal(strlen(p.region), AWS_PROFILE_VALUE_MAX);
    text[n + AWS_PROFILE_VALUE_MAX] = 'r';
    aws_profile_release(&p);
    parse(text, AWS_PROFILE_CREDENTIALS, "default");
    assert_null(p.region);
    assert_string_equal(said, "2: the value is too long\n");
}

static void
files_are_read_or_said_why_not(void **state)
{
    char path[] = "/tmp/parley-aws-XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, credentials, sizeof(credentials) - 1),
                     sizeof(credentials) - 1);
    assert_int_equal(aws_profile_read(&p, path, AWS_PROFILE_CREDENTIALS, "work",
                                      on_bad, NULL),
                     OK);
    expect("AK2", "S2", "T2", NULL);
    assert_int_equal(ftruncate(fd, AWS_PROFILE_FILE_MAX + 1), 0);
    assert_int_equal(aws_profile_read(&p, path, AWS_PROFILE_CREDENTIALS, "work",
                                      on_bad, NULL),
                     ERR_TOOBIG);
    (void)close(fd);
    (void)unlink(path);
    assert_int_equal(aws_profile_read(&p, path, AWS_PROFILE_CREDENTIALS, "work",
                                      on_bad, NULL),
                     ERR_NOTFOUND);
    assert_int_equal(aws_profile_read(&p, "/", AWS_PROFILE_CREDENTIALS, "work",
                                      on_bad, NULL),
                     ERR_STORE);
    assert_string_equal(said, "0: longer than 1 MiB\n0: cannot be read\n");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        T(a_profile_is_taken_and_the_others_are_not),
        T(a_profile_that_is_not_there_is_not_found),
        T(in_config_a_profile_is_called_so),
        T(comments_blanks_and_nested_settings_mean_nothing),
        T(the_later_value_counts_and_an_empty_one_takes_away),
        T(keys_that_come_from_elsewhere_are_told_apart),
        T(mistakes_have_their_line_and_never_what_it_holds),
        T(a_value_has_a_ceiling),
        T(files_are_read_or_said_why_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
