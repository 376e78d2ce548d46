/* Who is an administrator: auth/admins.h. */
#include "base/base.h"

#include "auth/admins.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/conf.h"

static void
nobody_is_without_the_setting(void **state)
{
    const char *const none[] = {"", " ", ",, ,", "anon/0123"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(none); i++) {
        conf_override(CONF_ADMINS, none[i]);
        assert_false(admins_any());
        assert_false(admins_has(""));
        assert_false(admins_has("local/"));
        assert_false(admins_has("anon/0123"));
    }
}

static void
a_bare_name_is_a_local_account(void **state)
{
    (void)state;
    conf_override(CONF_ADMINS, " ann,, bob b ,oidc/login.example.com/42");
    assert_true(admins_any());
    assert_true(admins_has("local/ann"));
    assert_true(admins_has("local/bob b"));
    assert_true(admins_has("oidc/login.example.com/42"));
    assert_false(admins_has("ann"));
    assert_false(admins_has("jwt/ann"));
    assert_false(admins_has("local/an"));
    assert_false(admins_has("local/anna"));
    assert_false(admins_has("local/Ann"));
    assert_false(admins_has("oidc/login.example.com/4"));
    assert_false(admins_has(""));
}

static void
another_list_is_read_alike(void **state)
{
    (void)state;
    assert_true(admins_listed("eve", "local/eve"));
    assert_false(admins_listed("eve", "local/ann"));
    assert_false(admins_listed("", "local/ann"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_without_the_setting),
        cmocka_unit_test(a_bare_name_is_a_local_account),
        cmocka_unit_test(another_list_is_read_alike),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
