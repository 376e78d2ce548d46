/* Tests of provider/catalog.c: who answers, by request and settings. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/conf.h"
#include "provider/provider.h"

/* Settings of one case; NULL: not set. */
static void
settings(const char *provider, const char *model, const char *key,
         const char *base)
{
    conf_override(CONF_AI_PROVIDER, provider);
    conf_override(CONF_AI_MODEL, model);
    conf_override(CONF_OPENAI_API_KEY, key);
    conf_override(CONF_OPENAI_BASE_URL, base);
}

static void
expect(const char *provider, const char *model, const char *want_provider,
       const char *want_model)
{
    struct route_choice c;
    struct problem why = {.err = OK};

    assert_int_equal(catalog_route(provider, model, &c, &why), OK);
    assert_string_equal(c.provider->name, want_provider);
    assert_string_equal(c.model, want_model);
    assert_non_null(c.account.base_url);
    assert_non_null(c.account.key);
}

static void
expect_error(const char *provider, const char *model, enum err want,
             const char *code)
{
    struct route_choice c;
    struct problem why = {.err = OK};

    assert_int_equal(catalog_route(provider, model, &c, &why), want);
    assert_int_equal(why.err, want);
    assert_string_equal(why.code, code);
}

static void
without_settings_the_offline_provider_answers(void **state)
{
    (void)state;
    settings(NULL, NULL, NULL, NULL);
    expect(NULL, NULL, "offline", "parley-offline");
    expect("", "", "offline", "parley-offline");
    expect(NULL, "gpt-4", "offline", "parley-offline");
}

static void
a_key_or_an_address_makes_it_openai(void **state)
{
    struct route_choice c;

    (void)state;
    settings(NULL, NULL, "k", NULL);
    expect(NULL, NULL, "openai", "gpt-4");
    assert_int_equal(catalog_route(NULL, NULL, &c, NULL), OK);
    assert_string_equal(c.account.base_url, "https://api.openai.com/v1");
    assert_string_equal(c.account.key, "k");
    settings(NULL, NULL, NULL, "http://127.0.0.1:9/v1/");
    expect(NULL, NULL, "openai", "gpt-4");
    assert_int_equal(catalog_route(NULL, NULL, &c, NULL), OK);
    assert_string_equal(c.account.base_url, "http://127.0.0.1:9/v1");
    assert_string_equal(c.account.key, "");
}

static void
the_request_goes_before_the_settings(void **state)
{
    (void)state;
    settings("offline", "llama3", "k", NULL);
    expect(NULL, NULL, "offline", "parley-offline");
    expect("openai", NULL, "openai", "llama3");
    expect("openai", "gpt-5", "openai", "gpt-5");
    settings("openai", "llama3", "k", NULL);
    expect(NULL, NULL, "openai", "llama3");
    expect(NULL, "gpt-5", "openai", "gpt-5");
    expect("offline", "gpt-5", "offline", "parley-offline");
}

static void
a_model_name_may_name_the_provider(void **state)
{
    (void)state;
    settings(NULL, NULL, "k", NULL);
    expect(NULL, "openai/gpt-4o", "openai", "gpt-4o");
    expect(NULL, "offline/x", "offline", "parley-offline");
    expect(NULL, "openai/", "openai", "gpt-4");
    expect(NULL, "openai/a/b", "openai", "a/b");
    expect(NULL, "meta-llama/Llama-3", "openai", "meta-llama/Llama-3");
    expect(NULL, "/x", "openai", "/x");
    /* with a provider named, the model is the provider's to understand */
    expect("openai", "openai/gpt-4o", "openai", "openai/gpt-4o");
}

static void
what_is_unknown_or_not_configured_is_said(void **state)
{
    (void)state;
    settings(NULL, NULL, NULL, NULL);
    expect_error("nobody", NULL, ERR_BADREQ, "unknown_provider");
    expect_error("OpenAI", NULL, ERR_BADREQ, "unknown_provider");
    expect_error("openai", NULL, ERR_IMPOSSIBLE, "provider_not_configured");
    expect_error(NULL, "openai/gpt-4o", ERR_IMPOSSIBLE,
                 "provider_not_configured");
    settings("nobody", NULL, "k", NULL);
    expect_error(NULL, NULL, ERR_IMPOSSIBLE, "unknown_provider");
}

static void
the_list_says_who_is_configured(void **state)
{
    const struct provider *list[8];
    bool configured[8];

    (void)state;
    settings(NULL, NULL, NULL, NULL);
    assert_int_equal(catalog_list(list, configured, 8), 2);
    assert_string_equal(list[0]->name, "openai");
    assert_false(configured[0]);
    assert_string_equal(list[1]->name, "offline");
    assert_true(configured[1]);
    settings(NULL, NULL, "k", NULL);
    assert_int_equal(catalog_list(list, configured, 1), 1);
    assert_true(configured[0]);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_settings_the_offline_provider_answers),
        cmocka_unit_test(a_key_or_an_address_makes_it_openai),
        cmocka_unit_test(the_request_goes_before_the_settings),
        cmocka_unit_test(a_model_name_may_name_the_provider),
        cmocka_unit_test(what_is_unknown_or_not_configured_is_said),
        cmocka_unit_test(the_list_says_who_is_configured),
    };

    if (conf_load("/nonexistent") != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
