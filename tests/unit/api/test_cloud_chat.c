/*
 * Tests of api/cloud_chat.c: what is found for a message, and who answers it on
 * this machine. Its routes are tests/e2e/ws_dialects.test.js's.
 */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "api/cloud_chat.h"
#include "base/conf.h"

static cJSON *ask;
static struct ws_context c;
static struct problem why;

static int
teardown(void **state)
{
    (void)state;
    cJSON_Delete(ask);
    ask = NULL;
    conf_override(CONF_SYSTEM_PROMPT, NULL);
    conf_override(CONF_OLLAMA_BASE_URL, NULL);
    return 0;
}

static enum err
find(const char *json)
{
    cJSON_Delete(ask);
    ask = cJSON_Parse(json);
    assert_non_null(ask);
    why = (struct problem){.err = OK};
    return cloud_context(ask, &c, &why);
}

static void
a_message_has_a_context(void **state)
{
    (void)state;
    assert_int_equal(find("{\"message\":\"a\",\"history\":[1]}"), OK);
    assert_true(strlen(c.system_prompt) > 0);
    assert_string_equal(c.rag_context, "");
    assert_int_equal(c.n_files, 0);
    assert_null(c.image);
    assert_string_equal(c.user_message, "a");
    assert_int_equal(cJSON_GetArraySize(c.history), 1);
    assert_int_equal(find("{\"message\":\"a\",\"image_name\":\"\"}"), OK);
    assert_null(c.history);
}

static void
the_system_prompt_is_the_settings(void **state)
{
    (void)state;
    conf_override(CONF_SYSTEM_PROMPT, "Be brief.");
    assert_int_equal(find("{\"message\":\"a\"}"), OK);
    assert_string_equal(c.system_prompt, "Be brief.");
}

static void
an_image_is_not_there(void **state)
{
    (void)state;
    assert_int_equal(find("{\"message\":\"a\",\"image_name\":\"b.jpg\"}"),
                     ERR_NOTFOUND);
    assert_string_equal(why.error, "File not found: b.jpg");
    assert_string_equal(why.code, "file_not_found");
}

static void
the_model_of_this_machine_answers(void **state)
{
    (void)state;
    ask = cJSON_Parse("{\"message\":\"a\",\"provider\":\"openai\"}");
    cloud_local(ask);
    assert_string_equal(json_str(ask, "provider"), "offline");
    conf_override(CONF_OLLAMA_BASE_URL, "http://127.0.0.1:9");
    cloud_local(ask);
    assert_string_equal(json_str(ask, "provider"), "ollama");
    assert_int_equal(cJSON_GetArraySize(ask), 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_message_has_a_context, teardown),
        cmocka_unit_test_teardown(the_system_prompt_is_the_settings, teardown),
        cmocka_unit_test_teardown(an_image_is_not_there, teardown),
        cmocka_unit_test_teardown(the_model_of_this_machine_answers, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
