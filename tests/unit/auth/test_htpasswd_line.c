/* Tests of auth/htpasswd_line.c: lines that count, and what is said of those
 * that do not. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "auth/htpasswd_line.h"

#define SALT22 "abcdefghijklmnopqrstuu"
#define HASH31 "ABCDEFGHIJKLMNOPQRSTUVWXYZ01234"
#define HASH43 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./abcde"
#define HASH86 HASH43 HASH43

static enum err
read_line(const char *s, struct htpasswd_line *l, const char **why)
{
    return htpasswd_line_read(s, strlen(s), l, why);
}

static void
three_kinds_count(void **state)
{
    static const struct {
        const char *line, *cost;
    } good[] = {
        {"ann:$2y$05$" SALT22 HASH31, "$2y$05$"},
        {"ann:$2a$12$" SALT22 HASH31, "$2a$12$"},
        {"ann:$2b$16$" SALT22 HASH31, "$2b$16$"},
        {"ann:$6$salt$" HASH86, "$6$"},
        {"ann:$6$rounds=5000$0123456789abcdef$" HASH86, "$6$rounds=5000$"},
        {"ann:$y$j9T$saltsalt$" HASH43, "$y$j9T$"},
        {"ann:$y$j75$saltsalt$" HASH43, "$y$j75$"},
        {"ann:$y$jDT$saltsalt$" HASH43, "$y$jDT$"},
    };
    struct htpasswd_line l;
    const char *why;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        if (read_line(good[i].line, &l, &why) != OK)
            fail_msg("%s: %s", good[i].line, why);
        assert_int_equal(l.user_len, 3);
        assert_memory_equal(l.user, "ann", 3);
        assert_string_equal(l.hash, good[i].line + 4);
        assert_int_equal(l.hash_len, strlen(l.hash));
        assert_int_equal(l.cost_len, strlen(good[i].cost));
        assert_memory_equal(l.hash, good[i].cost, l.cost_len);
    }
}

static void
other_kinds_are_named(void **state)
{
    static const struct {
        const char *hash, *word;
    } bad[] = {
        {"$apr1$a$b", "$apr1$"},
        {"{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "{SHA}"},
        {"$1$salt$hash", "MD5-crypt"},
        {"$5$salt$hash", "sha256-crypt"},
        {"$2x$05$" SALT22 HASH31, "$2x$"},
        {"$gy$j9T$salt$hash", "gost"},
        {"$7$x", "scrypt"},
        {"rl.3StKT.4T8M", "DES"},
        {"secret", "the password itself"},
        {"password!", "the password itself"},
        {"$argon2id$v=19$m=1,t=1,p=1$a$b", "not known"},
        {"!$6$salt$" HASH86, "locked"},
        {"*", "locked"},
        {"", "no hash"},
    };
    char line[512];
    struct htpasswd_line l;
    const char *why;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        (void)snprintf(line, sizeof(line), "bob:%s", bad[i].hash);
        assert_int_equal(read_line(line, &l, &why), ERR_BADREQ);
        if (strstr(why, bad[i].word) == NULL)
            fail_msg("%s: %s", bad[i].hash, why);
        assert_int_equal(l.user_len, 3); /* so that it can be named */
    }
}

static void
a_hash_is_whole_or_it_is_none(void **state)
{
    static const char *const bad[] = {
        "$2y$05$" SALT22 HASH31 "x",
        "$2y$05$" SALT22 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123",
        "$2y$03$" SALT22 HASH31,
        "$2y$32$" SALT22 HASH31,
        "$2y$5$x" SALT22 HASH31,
        "$2y$0x$" SALT22 HASH31,
        "$2y$05$" SALT22 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123!",
        "$6$salt$" HASH86 "x",
        "$6$salt$" HASH43,
        "$6$$" HASH86,
        "$6$0123456789abcdefg$" HASH86,
        "$6$rounds=999$salt$" HASH86,
        "$6$rounds=$salt$" HASH86,
        "$6$rounds=5e3$salt$" HASH86,
        "$6$rounds=5000" HASH86,
        "$6$",
        "$y$j9T$salt$" HASH43 "x",
        "$y$j9T$salt$",
        "$y$j9T$$" HASH43,
        "$y$j9T$",
        "$y$",
        "$y$j9$salt$" HASH43,
        "$y$k9T$salt$" HASH43,
    };
    char line[512];
    struct htpasswd_line l;
    const char *why;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        (void)snprintf(line, sizeof(line), "bob:%s", bad[i]);
        if (read_line(line, &l, &why) != ERR_BADREQ)
            fail_msg("%s is taken", bad[i]);
        assert_non_null(strstr(why, "not whole"));
    }
}

static void
costs_have_an_upper_bound(void **state)
{
    static const char *const bad[] = {
        "$2y$17$" SALT22 HASH31,
        "$6$rounds=5000001$salt$" HASH86,
        "$y$jET$salt$" HASH43,
        "$y$jzz$salt$" HASH43,
    };
    char line[512];
    struct htpasswd_line l;
    const char *why;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        (void)snprintf(line, sizeof(line), "bob:%s", bad[i]);
        assert_int_equal(read_line(line, &l, &why), ERR_BADREQ);
        assert_non_null(strstr(why, " too "));
    }
}

static void
users_have_names(void **state)
{
    static const char *const bad[] = {
        ":$6$salt$" HASH86,         "a\x1b[2J:$6$salt$" HASH86,
        "\xff:$6$salt$" HASH86,     " a:$6$salt$" HASH86,
        "a\tb:$6$salt$" HASH86,     "nothing else",
        "\xc2\x9b:$6$salt$" HASH86,
    };
    struct htpasswd_line l;
    const char *why;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(read_line(bad[i], &l, &why), ERR_BADREQ);
        assert_null(l.user);
    }
    assert_int_equal(read_line("J\xc3\xb6rg M.:$6$salt$" HASH86, &l, &why), OK);
    assert_int_equal(l.user_len, 8);
}

static void
what_is_around_a_line_is_ignored(void **state)
{
    static const char *const nothing[] = {"", "   ", "\r", "# a comment",
                                          "#ann:$6$salt$" HASH86};
    struct htpasswd_line l;
    const char *why;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(nothing); i++)
        assert_int_equal(read_line(nothing[i], &l, &why), ERR_NOTFOUND);
    assert_int_equal(read_line("ann:$6$salt$" HASH86 " \r", &l, &why), OK);
    assert_int_equal(l.hash_len, 94);
    assert_int_equal(read_line("ann:$6$salt$" HASH86 ":1000:x", &l, &why), OK);
    assert_int_equal(l.hash_len, 94);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_kinds_count),
        cmocka_unit_test(other_kinds_are_named),
        cmocka_unit_test(a_hash_is_whole_or_it_is_none),
        cmocka_unit_test(costs_have_an_upper_bound),
        cmocka_unit_test(users_have_names),
        cmocka_unit_test(what_is_around_a_line_is_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
