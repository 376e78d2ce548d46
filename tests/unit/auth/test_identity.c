/* Tests of auth/identity.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/base.h"

#include "auth/identity.h"
#include "base/text.h"

static char owner[STORE_OWNER_MAX + 1], other[STORE_OWNER_MAX + 1];

static void
an_owner_is_a_realm_and_a_name(void **state)
{
    (void)state;
    identity_owner(owner, "local", NULL, "ann");
    assert_string_equal(owner, "local/ann");
    identity_owner(owner, "oidc", "login.example.org%2Fr", "a/b c");
    assert_string_equal(owner, "oidc/login.example.org%2Fr/a/b c");
}

static void
a_name_that_does_not_fit_becomes_a_digest(void **state)
{
    char name[STORE_OWNER_MAX];

    (void)state;
    memset(name, 'n', sizeof(name));
    name[STORE_OWNER_MAX - 4] = '\0'; /* with "jwt/" just what fits */
    identity_owner(owner, "jwt", NULL, name);
    assert_int_equal(strlen(owner), STORE_OWNER_MAX);
    assert_string_equal(owner + 4, name);
    name[STORE_OWNER_MAX - 4] = 'n';
    name[STORE_OWNER_MAX - 3] = '\0';
    identity_owner(owner, "jwt", NULL, name);
    assert_memory_equal(owner, "jwt/#", 5);
    assert_int_equal(strlen(owner), 4 + 1 + 32);
    name[0] = 'm';
    identity_owner(other, "jwt", NULL, name);
    assert_string_not_equal(owner, other);
}

static void
nobody_can_be_called_like_a_digest(void **state)
{
    char name[STORE_OWNER_MAX + 8];

    (void)state;
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    identity_owner(owner, "jwt", NULL, name);
    identity_owner(other, "jwt", NULL, owner + 4); /* "#…" */
    assert_string_not_equal(owner, other);
    identity_owner(owner, "jwt", NULL, "a\nb");
    assert_memory_equal(owner, "jwt/#", 5);
    identity_owner(other, "jwt", NULL, "");
    assert_memory_equal(other, "jwt/#", 5);
}

static void
a_name_without_a_realm_is_a_local_one(void **state)
{
    char name[STORE_OWNER_MAX + 2];

    (void)state;
    assert_true(identity_named(owner, "ann"));
    assert_string_equal(owner, "local/ann");
    assert_true(identity_named(owner, "jwt/ann"));
    assert_string_equal(owner, "jwt/ann");
    assert_false(identity_named(owner, ""));
    memset(name, 'n', sizeof(name));
    name[STORE_OWNER_MAX] = '\0';
    assert_true(identity_named(owner, name));
    identity_owner(other, "local", NULL, name);
    assert_string_equal(owner, other);
    name[0] = '/';
    assert_true(identity_named(owner, name));
    assert_string_equal(owner, name);
    name[STORE_OWNER_MAX] = 'n';
    name[STORE_OWNER_MAX + 1] = '\0';
    assert_false(identity_named(owner, name));
}

static void
issuers_do_not_run_into_subjects(void **state)
{
    char a[IDENTITY_ISSUER_MAX + 1], b[IDENTITY_ISSUER_MAX + 1];
    char url[200];

    (void)state;
    identity_issuer(a, "https://id.example.org:8443/realms/x");
    assert_string_equal(a, "id.example.org:8443%2Frealms%2Fx");
    identity_issuer(a, "accounts.example.org");
    assert_string_equal(a, "accounts.example.org");
    memset(url, 'u', sizeof(url));
    memcpy(url, "https://", 8);
    url[8 + IDENTITY_ISSUER_MAX] = '\0';
    identity_issuer(a, url);
    assert_string_equal(a, url + 8);
    url[8 + IDENTITY_ISSUER_MAX] = 'u';
    url[9 + IDENTITY_ISSUER_MAX] = '\0';
    identity_issuer(a, url);
    assert_int_equal(strlen(a), 32);
    url[8] = 'v';
    identity_issuer(b, url);
    assert_string_not_equal(a, b);
}

static void
what_turns_text_around_is_in_no_name(void **state)
{
    static const struct {
        const char *said, *shown;
        bool plain;
    } cases[] = {
        {"Zo\xc3\xab \xe5\xb1\xb1 \xf0\x9f\x98\x80", NULL, true},
        {"a\xe2\x80\x8d"
         "b",
         NULL, true}, /* joins letters */
        {"a\x1b[2J", "a?[2J", false},
        {"a\xc2\x9b"
         "2J\x7f",
         "a?2J?", false},
        {"\xe2\x80\xae"
         "cod.exe",
         "?cod.exe", false},
        {"\xe2\x81\xa6x\xe2\x81\xa9", "?x?", false},
        {"\xd8\x9cx\xe2\x80\x8f\xe2\x80\xa8\xef\xbb\xbf", "?x???", false},
        {"a\xff\xc3", "a??", false},
    };
    char name[IDENTITY_NAME_MAX + 1], many[400];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *said = cases[i].said;

        text_show(name, sizeof(name), said);
        assert_string_equal(name,
                            cases[i].shown != NULL ? cases[i].shown : said);
        identity_owner(owner, "jwt", NULL, said);
        assert_int_equal(owner[4] != '#', cases[i].plain);
    }
    text_show(name, sizeof(name), NULL);
    assert_string_equal(name, "");
    for (size_t i = 0; i < 130; i++)
        memcpy(many + 3 * i, "\xe5\xb1\xb1", 4);
    text_show(name, sizeof(name), many);
    assert_int_equal(strlen(name), 126);
    assert_memory_equal(name, many, 126);
}

static void
anonymous_owners_are_known_as_such(void **state)
{
    (void)state;
    assert_true(identity_owner_anonymous(""));
    assert_true(identity_owner_anonymous("anon/0123"));
    assert_false(identity_owner_anonymous("local/anon"));
    assert_false(identity_owner_anonymous("anonymous/x"));
}

static void
a_role_is_the_most_that_one_may(void **state)
{
    struct identity who = {.may = MAY_ALL};

    (void)state;
    assert_string_equal(identity_role(&who), "admin");
    who.may = MAY_USER;
    assert_string_equal(identity_role(&who), "user");
    who.may = MAY_READ;
    assert_string_equal(identity_role(&who), "read-only");
    for (int i = 0; i < IDENTITY__MAX; i++)
        assert_non_null(identity_way_name((enum identity_way)i));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_owner_is_a_realm_and_a_name),
        cmocka_unit_test(a_name_that_does_not_fit_becomes_a_digest),
        cmocka_unit_test(nobody_can_be_called_like_a_digest),
        cmocka_unit_test(a_name_without_a_realm_is_a_local_one),
        cmocka_unit_test(issuers_do_not_run_into_subjects),
        cmocka_unit_test(what_turns_text_around_is_in_no_name),
        cmocka_unit_test(anonymous_owners_are_known_as_such),
        cmocka_unit_test(a_role_is_the_most_that_one_may),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
