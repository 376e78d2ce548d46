/* Tests of provider/models*.c: the table, the file over it, and money. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#include "provider/models.h"
#include "provider/provider.h"

static char said[4096];

static void
on_fault(void *arg, int line, const char *rule)
{
    size_t n = strlen(said);

    (void)arg;
    assert_null(strpbrk(rule, "\"\n"));
    (void)snprintf(said + n, sizeof(said) - n, "%d: %s\n", line, rule);
}

static size_t
load(const char *text)
{
    char *copy = malloc(strlen(text) + 1); /* no NUL: a read past it is seen */
    size_t faults;

    assert_non_null(copy);
    memcpy(copy, text, strlen(text));
    said[0] = '\0';
    faults = models_parse(copy, strlen(text), on_fault, NULL);
    free(copy);
    return faults;
}

static void
expect(const char *text, const char *faults)
{
    size_t lines = 0;

    for (const char *p = faults; *p != '\0'; p++)
        lines += *p == '\n';
    assert_int_equal(load(text), lines);
    assert_string_equal(said, faults);
}

static const struct model *
found(const char *provider, const char *id, const char *want)
{
    const struct model *m = model_find(provider, id);

    assert_non_null(m);
    assert_string_equal(m->provider, provider);
    assert_string_equal(m->id, want);
    return m;
}

/* --- looking up ----------------------------------------------------------- */

static void
the_built_in_table_is_there_before_anything_was_loaded(void **state)
{
    (void)state;
    assert_int_equal(found("openai", "gpt-4", "gpt-4")->context_tokens, 8192);
    assert_null(model_find("openai", "llama3.2"));
    assert_null(model_find("nobody", "gpt-4"));
}

static void
an_exact_name_goes_before_the_longest_beginning(void **state)
{
    (void)state;
    assert_int_equal(load("[]"), 0);
    (void)found("openai", "gpt-4o", "gpt-4o");
    (void)found("openai", "gpt-4o-2024-05-13", "gpt-4o-2024-05-13");
    (void)found("openai", "gpt-4o-2024-11-20", "gpt-4o-20*");
    (void)found("openai", "gpt-4o-mini-2024-07-18", "gpt-4o-mini-20*");
    assert_null(model_find("openai", "gpt-4o-audio-preview"));
    (void)found("ollama", "llama3.2", "*");
    assert_int_equal(load("[{\"provider\":\"ollama\",\"id\":\"llama*\"},"
                          " {\"provider\":\"ollama\",\"id\":\"llama3*\"}]"),
                     0);
    (void)found("ollama", "llama3.2", "llama3*");
    (void)found("ollama", "llama2", "llama*");
    (void)found("ollama", "llama3", "llama3*");
    (void)found("ollama", "qwen", "*");
    assert_true(model_is_prefix(model_find("ollama", "qwen")));
    assert_false(model_is_prefix(model_find("openai", "gpt-4")));
}

static void
bedrock_names_are_found_without_their_geography(void **state)
{
    const struct model *global, *eu;

    (void)state;
    assert_int_equal(load("[]"), 0);
    (void)found("bedrock", "us.amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0");
    global = found("bedrock", "global.anthropic.claude-haiku-4-5-20251001-v1:0",
                   "global.anthropic.claude-haiku-4-5*");
    eu = found("bedrock", "eu.anthropic.claude-haiku-4-5-20251001-v1:0",
               "anthropic.claude-haiku-4-5*");
    assert_true(eu->price.in > global->price.in);
    assert_null(model_find("bedrock", "us.nobody"));
    assert_null(model_find("openai", "us.gpt-4"));
}

static void
every_built_in_row_is_sound_and_listed_once(void **state)
{
    (void)state;
    assert_int_equal(load("[]"), 0);
    for (size_t i = 0; models_at(i) != NULL; i++) {
        const struct model *m = models_at(i);

        assert_ptr_equal(model_find(m->provider, m->id), m);
        assert_true(m->context_tokens >= m->output_tokens);
        assert_true(m->price.cached <= m->price.in);
        assert_true((m->price.in < 0) == (m->price.out < 0));
        assert_true(m->price.in <= 0 || *m->as_of != '\0');
        assert_true(m->long_tokens == 0 || m->price_long.in > m->price.in);
    }
    assert_null(models_at(MODELS_MAX));
}

/* --- the file ------------------------------------------------------------- */

static void
a_row_of_the_file_changes_what_it_names(void **state)
{
    const struct model *m;

    (void)state;
    assert_int_equal(
        load("\xEF\xBB\xBF[\n"
             "{\"provider\":\"openai\",\"id\":\"gpt-4\",\"price\":"
             "{\"in\":0.000001},\"output\":null,\"as_of\":\"2026-11-01\","
             "\"note\":\"ours\",\"abilities\":{\"system\":false}}]\n"),
        0);
    m = found("openai", "gpt-4", "gpt-4");
    assert_int_equal(m->price.in, 1);
    assert_int_equal(m->price.out, 60000000);
    assert_int_equal(m->context_tokens, 8192);
    assert_int_equal(m->output_tokens, -1);
    assert_string_equal(m->as_of, "2026-11-01");
    assert_false(m->system);
    assert_true(m->tools);
    assert_int_equal(load("[]"), 0);
    assert_int_equal(found("openai", "gpt-4", "gpt-4")->price.in, 30000000);
}

static void
of_a_new_row_nothing_is_known_but_what_most_models_can(void **state)
{
    const struct model *m;

    (void)state;
    assert_int_equal(load("[{\"provider\":\"huggingface\",\"id\":\"a/b\"}]"),
                     0);
    m = found("huggingface", "a/b", "a/b");
    assert_int_equal(m->context_tokens, -1);
    assert_int_equal(m->price.in, -1);
    assert_int_equal(m->long_tokens, 0);
    assert_string_equal(m->as_of, "");
    assert_true(m->tools && m->temperature && m->system);
    assert_false(m->images || m->reasoning);
}

static void
what_is_printed_is_what_was_loaded(void **state)
{
    char *first = NULL, *second = NULL;
    size_t n;
    FILE *f = open_memstream(&first, &n);

    (void)state;
    assert_int_equal(load("[{\"provider\":\"openai\",\"id\":\"x\",\"output\":"
                          "7,\"price_long\":{\"over\":9,\"in\":0.25}}]"),
                     0);
    models_print(f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(load(first), 0);
    f = open_memstream(&second, &n);
    models_print(f);
    assert_int_equal(fclose(f), 0);
    assert_string_equal(first, second);
    free(first);
    free(second);
}

/* Tests run in the project's folder. */
static void
the_shipped_file_says_what_is_built_in(void **state)
{
    char *want = NULL, *have;
    size_t n, got;
    FILE *f;

    (void)state;
    if (access("etc/models.json", R_OK) != 0)
        skip();
    f = open_memstream(&want, &n);
    assert_int_equal(models_load(NULL, on_fault, NULL), 0);
    models_print(f);
    assert_int_equal(fclose(f), 0);
    f = fopen("etc/models.json", "re");
    assert_non_null(f);
    have = malloc(n + 2);
    assert_non_null(have);
    got = fread(have, 1, n + 1, f);
    have[got] = '\0';
    assert_int_equal(fclose(f), 0);
    assert_string_equal(have, want);
    free(have);
    free(want);
}

static void
a_file_that_cannot_be_read_leaves_what_is_built_in(void **state)
{
    (void)state;
    said[0] = '\0';
    assert_int_equal(models_load("/nonexistent/m.json", on_fault, NULL), 1);
    assert_string_equal(said, "0: cannot be read\n");
    assert_non_null(model_find("openai", "gpt-4"));
    said[0] = '\0';
    assert_int_equal(models_load("/", on_fault, NULL), 1);
    assert_string_equal(said, "0: cannot be read\n");
    said[0] = '\0';
    assert_int_equal(models_load("/dev/zero", on_fault, NULL), 1);
    assert_string_equal(said, "0: longer than 1 MiB\n");
    assert_non_null(model_find("openai", "gpt-4"));
}

/* --- mistakes in it ------------------------------------------------------- */

#define GOOD(id) "{\"provider\": \"ollama\", \"id\": \"" id "\"}"

static bool
is_there(const char *id)
{
    const struct model *m = model_find("ollama", id);

    return m != NULL && strcmp(m->id, id) == 0;
}

static void
every_mistake_is_told_with_its_line(void **state)
{
    const struct model *m;

    (void)state;
    expect("[\n"
           " {\"provider\": \"openai\", \"id\": \"m1\", \"context\": 10,\n"
           "  \"price\": {\"in\": 1,\n"
           "            \"out\": -2}},\n"
           " {\"id\": \"m2\",\n"
           "  \"provider\": \"acme\"},\n"
           " {\"provider\": \"openai\"},\n"
           " {\"provider\": \"openai\", \"id\": \"m*3\"},\n"
           " {\"provider\": \"openai\", \"id\": \"m4\",\n"
           "  \"context\": \"8k\", \"output\": 1.5, \"colour\": 1,\n"
           "  \"price\": [1],\n"
           "  \"price_long\": {\"in\": 5},\n"
           "  \"as_of\": \"May\",\n"
           "  \"abilities\": {\"images\": 1,\n"
           "    \"tools\": true, \"sings\": true}},\n"
           " {\"provider\": \"openai\", \"id\": \"m5\",\n"
           "  \"price\": {\"cached\": 1000001}}\n"
           "]\n",
           "4: price.out must not be negative\n"
           "6: provider names no provider that there is\n"
           "7: id must be a model's name, or the beginning of names with a * "
           "behind it\n"
           "8: id must be a model's name, or the beginning of names with a * "
           "behind it\n"
           "10: context must be a number of tokens or null\n"
           "10: output must be a whole number of tokens from 1 to 1000000000\n"
           "10: colour is not known\n"
           "11: price must be an object\n"
           "13: as_of must be a date such as 2026-01-31\n"
           "14: abilities.images must be true or false\n"
           "15: abilities.sings is not known\n"
           "12: price_long needs over, a number of tokens\n"
           "17: price.cached must be dollars for a million tokens, at most "
           "1000000\n");
    m = found("openai", "m1", "m1");
    assert_int_equal(m->price.in, 1000000);
    assert_int_equal(m->price.out, -1);
    m = found("openai", "m4", "m4");
    assert_true(m->tools);
    assert_null(model_find("openai", "m2"));
}

static void
the_same_model_twice_is_told_and_the_last_one_counts(void **state)
{
    (void)state;
    expect("[{\"provider\":\"openai\",\"id\":\"gpt-4\",\"context\":1},\n"
           " {\"provider\":\"openai\",\"id\":\"gpt-4\",\"context\":2}]",
           "2: this model was listed before; this row counts\n");
    assert_int_equal(model_find("openai", "gpt-4")->context_tokens, 2);
}

static void
a_broken_row_costs_itself_and_no_other(void **state)
{
    static const char *const broken[] = {
        /* each between two good rows, on line 3 */
        "{\"provider\": \"ollama\" \"id\": \"x\"},",
        "{\"provider\": \"ollama\", \"id\": \"x\",},",
        "{\"provider\": \"ollama\", \"id\": \"x},",
        "{\"provider\": \"ollama\", \"id\": \"x\\q\"},",
        "{provider: \"ollama\", \"id\": \"x\"},",
        "{\"provider\": \"ollama\", \"id\": \"x\", \"id\": \"y\"},",
        "{\"provider\": \"ollama\", \"id\": \"\\ud800\"},",
        "\"ollama\",",
        "7, null,",
        "[{\"provider\": 1}],",
    };
    char text[512];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(broken); i++) {
        (void)snprintf(text, sizeof(text),
                       "[\n" GOOD("one") ",\n%s\n" GOOD("two") "]", broken[i]);
        assert_true(load(text) > 0);
        assert_int_equal(strncmp(said, "3: ", 3), 0);
        assert_true(is_there("one"));
        if (strchr(broken[i], '[') == NULL)
            assert_true(is_there("two"));
    }
}

static void
a_brace_that_is_missing_does_not_swallow_the_next_row(void **state)
{
    (void)state;
    assert_int_equal(
        load("[" GOOD(
            "one") ",\n{\"provider\": \"ollama\",\n"
                   "\"id\": \"x\",\n" GOOD(
                       "two") ",\n"
                              "{\"price\": {\"in\": 1}, \"id\": \"y\"\n]\n"),
        2);
    assert_true(is_there("one") && is_there("two"));
    assert_false(is_there("x"));
}

static void
commas_and_ends_are_looked_at_too(void **state)
{
    (void)state;
    expect("", "1: expected an array of models\n");
    expect("{}", "1: expected an array of models\n");
    expect("\n\n[", "3: the array must end in ]\n");
    expect("[" GOOD("one") "\n" GOOD("two") "]",
           "2: expected a comma before this\n");
    expect("[" GOOD("one") ",\n]", "2: a comma too many\n");
    expect("[\n," GOOD("one") "]", "2: a comma too many\n");
    expect("[]\n[]", "2: something follows the array\n");
    expect("[\n\n" GOOD("one"), "3: the array must end in ]\n");
    assert_true(is_there("one"));
    expect(" [ ] \r\n", "");
}

/* --- money ---------------------------------------------------------------- */

static int64_t
cost(const char *provider, const char *id, int64_t in, int64_t out,
     int64_t cached)
{
    struct usage u = {in, out, cached};

    return model_cost(model_find(provider, id), &u);
}

static void
costs_are_sums_of_what_was_used(void **state)
{
    (void)state;
    assert_int_equal(load("[]"), 0);
    assert_int_equal(cost("openai", "gpt-4", 1000, 500, -1), 60000);
    assert_int_equal(cost("openai", "gpt-4", 1, 0, 0), 30);
    assert_int_equal(cost("openai", "gpt-4o", 1000, 0, 400), 2000);
    assert_int_equal(cost("openai", "gpt-4", 1000, 0, 400), 30000);
    assert_int_equal(cost("openai", "gpt-4o", 100, 0, 1000), 125);
    assert_int_equal(cost("ollama", "llama3.2", 5000, 5000, 0), 0);
    /* rounded once, to the nearest */
    assert_int_equal(cost("openai", "gpt-4o-mini", 3, 0, 0), 0);
    assert_int_equal(cost("openai", "gpt-4o-mini", 4, 0, 0), 1);
    assert_int_equal(cost("openai", "gpt-4o-mini", 3, 1, 0), 1);
}

static void
a_long_prompt_has_its_own_price(void **state)
{
    (void)state;
    assert_int_equal(load("[]"), 0);
    assert_int_equal(cost("gemini", "gemini-2.5-pro", 200000, 0, 0), 250000);
    assert_int_equal(cost("gemini", "gemini-2.5-pro", 200001, 0, 0), 500003);
    assert_int_equal(cost("gemini", "gemini-2.5-pro", 300000, 1000, 100000),
                     500000 + 25000 + 15000);
}

static void
what_is_not_known_costs_minus_one(void **state)
{
    struct usage u = {1, 1, 0};

    (void)state;
    assert_int_equal(load("[{\"provider\":\"openai\",\"id\":\"half\","
                          "\"price\":{\"in\":1}}]"),
                     0);
    assert_int_equal(model_cost(NULL, &u), -1);
    assert_int_equal(model_cost(model_find("openai", "gpt-4"), NULL), -1);
    assert_int_equal(cost("openai", "gpt-4", -1, 5, 0), -1);
    assert_int_equal(cost("openai", "gpt-4", 5, -1, 0), -1);
    assert_int_equal(cost("openai", "half", 5, 5, 0), -1);
    assert_int_equal(
        cost("huggingface", "TinyLlama/TinyLlama-1.1B-Chat-v1.0", 5, 5, 0), -1);
    /* past all sense, and no overflow */
    assert_int_equal(cost("openai", "gpt-4", INT64_MAX, INT64_MAX, 0), -1);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            the_built_in_table_is_there_before_anything_was_loaded),
        cmocka_unit_test(an_exact_name_goes_before_the_longest_beginning),
        cmocka_unit_test(bedrock_names_are_found_without_their_geography),
        cmocka_unit_test(every_built_in_row_is_sound_and_listed_once),
        cmocka_unit_test(a_row_of_the_file_changes_what_it_names),
        cmocka_unit_test(
            of_a_new_row_nothing_is_known_but_what_most_models_can),
        cmocka_unit_test(what_is_printed_is_what_was_loaded),
        cmocka_unit_test(the_shipped_file_says_what_is_built_in),
        cmocka_unit_test(a_file_that_cannot_be_read_leaves_what_is_built_in),
        cmocka_unit_test(every_mistake_is_told_with_its_line),
        cmocka_unit_test(the_same_model_twice_is_told_and_the_last_one_counts),
        cmocka_unit_test(a_broken_row_costs_itself_and_no_other),
        cmocka_unit_test(a_brace_that_is_missing_does_not_swallow_the_next_row),
        cmocka_unit_test(commas_and_ends_are_looked_at_too),
        cmocka_unit_test(costs_are_sums_of_what_was_used),
        cmocka_unit_test(a_long_prompt_has_its_own_price),
        cmocka_unit_test(what_is_not_known_costs_minus_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
