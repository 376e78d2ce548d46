/* Tests of provider/catalog*.c: who answers, by request and settings, and what
 * is said of the settings at start. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/conf.h"
#include "provider/models.h"
#include "provider/provider.h"

#define CLAUDE "claude-sonnet-5-5"
#define NOVA "global.anthropic.claude-haiku-4-5-20251001-v1:0"
#define TINY "TinyLlama/TinyLlama-1.1B-Chat-v1.0"

static char said[4096];
static char folder[64];
static char path[96];

static void
on_fault(void *arg, const struct catalog_fault *f)
{
    size_t n = strlen(said);

    (void)arg;
    assert_null(strpbrk(f->rule, "\"\n"));
    (void)snprintf(said + n, sizeof(said) - n, "%s:%d: %s\n", f->name, f->line,
                   f->rule);
}

static size_t
check(void)
{
    size_t n;

    said[0] = '\0';
    n = catalog_check(on_fault, NULL);
    assert_int_equal(catalog_faults(), n);
    return n;
}

/* Settings of one case, in pairs; all others are not set. Then the check, of
 * which faults are expected. */
#define SET(...) settings((const struct pair[]){__VA_ARGS__, {CONF__MAX, NULL}})
struct pair {
    enum conf_key key;
    const char *value;
};

static size_t
settings(const struct pair *pairs)
{
    for (int k = 0; k < CONF__MAX; k++)
        if (k != CONF_MODELS_FILE)
            conf_override((enum conf_key)k, NULL);
    for (; pairs->key != CONF__MAX; pairs++)
        conf_override(pairs->key, pairs->value);
    return check();
}
#define NOTHING                \
    {                          \
        CONF_AI_PROVIDER, NULL \
    }
#define OPENAI                   \
    {                            \
        CONF_OPENAI_API_KEY, "k" \
    }
#define ANTHROPIC                    \
    {                                \
        CONF_ANTHROPIC_API_KEY, "ka" \
    }
#define GEMINI                    \
    {                             \
        CONF_GOOGLE_API_KEY, "kg" \
    }
#define HF                  \
    {                       \
        CONF_HF_TOKEN, "kh" \
    }
#define OLLAMA                        \
    {                                 \
        CONF_OLLAMA_HOST, "localhost" \
    }

static struct route_choice
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
    return c;
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
expect_fallbacks(const char *want)
{
    struct route_choice c[8];
    size_t n = catalog_fallbacks(c, COUNT_OF(c));
    char have[512] = "";

    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(have);

        (void)snprintf(have + len, sizeof(have) - len, "%s%s=%s",
                       i > 0 ? " " : "", c[i].provider->name, c[i].model);
    }
    assert_string_equal(have, want);
}

/* --- who answers ---------------------------------------------------------- */

static void
without_settings_the_offline_provider_answers(void **state)
{
    (void)state;
    assert_int_equal(SET(NOTHING), 0);
    (void)expect(NULL, NULL, "offline", "parley-offline");
    (void)expect("", "", "offline", "parley-offline");
    (void)expect(NULL, "gpt-4", "offline", "parley-offline");
    expect_fallbacks("");
}

static void
a_key_or_an_address_makes_it_openai(void **state)
{
    struct route_choice c;

    (void)state;
    assert_int_equal(SET(OPENAI), 0);
    c = expect(NULL, NULL, "openai", "gpt-4");
    assert_string_equal(c.account.base_url, "https://api.openai.com/v1");
    assert_string_equal(c.account.key, "k");
    assert_null(c.account.org);
    assert_null(c.account.aws);
    (void)SET({CONF_OPENAI_BASE_URL, "http://127.0.0.1:9/v1/"});
    c = expect(NULL, NULL, "openai", "gpt-4");
    assert_string_equal(c.account.base_url, "http://127.0.0.1:9/v1");
    assert_string_equal(c.account.key, "");
}

static void
any_one_key_is_enough(void **state)
{
    struct route_choice c;

    (void)state;
    assert_int_equal(SET(ANTHROPIC), 0);
    c = expect(NULL, NULL, "anthropic", CLAUDE);
    assert_string_equal(c.account.base_url, "https://api.anthropic.com");
    assert_string_equal(c.account.version, "2023-06-01");
    assert_int_equal(SET(GEMINI), 0);
    c = expect(NULL, NULL, "gemini", "gemini-3.5-flash");
    assert_string_equal(c.account.key, "kg");
    assert_int_equal(SET(HF), 0);
    c = expect(NULL, NULL, "huggingface", TINY);
    assert_string_equal(c.account.key, "kh");
    assert_string_equal(c.account.base_url, "https://router.huggingface.co/v1");
    assert_int_equal(SET(OLLAMA), 0);
    c = expect(NULL, NULL, "ollama", "llama3.2");
    assert_string_equal(c.account.base_url, "http://localhost:11434");
    assert_int_equal(SET({CONF_AWS_REGION, "eu-west-1"},
                         {CONF_AWS_BEARER_TOKEN_BEDROCK, "kb"}),
                     0);
    c = expect(NULL, NULL, "bedrock", NOVA);
    assert_string_equal(c.account.base_url,
                        "https://bedrock-runtime.eu-west-1.amazonaws.com");
    assert_string_equal(c.account.key, "kb");
    assert_string_equal(c.account.aws->access_key, "");
    assert_string_equal(c.account.aws->region, "eu-west-1");
    assert_false(c.account.aws->invoke);
}

static void
of_several_keys_the_first_in_the_list_counts(void **state)
{
    (void)state;
    (void)SET(HF, GEMINI, OLLAMA);
    (void)expect(NULL, NULL, "gemini", "gemini-3.5-flash");
    (void)SET(OLLAMA, {CONF_AWS_REGION, "eu-west-1"},
              {CONF_AWS_ACCESS_KEY_ID, "AK"},
              {CONF_AWS_SECRET_ACCESS_KEY, "S"});
    (void)expect(NULL, NULL, "bedrock", NOVA);
}

static void
the_request_goes_before_the_settings(void **state)
{
    (void)state;
    (void)SET(OPENAI, {CONF_AI_PROVIDER, "offline"}, {CONF_AI_MODEL, "m"});
    (void)expect(NULL, NULL, "offline", "parley-offline");
    (void)expect("openai", NULL, "openai", "m");
    (void)expect("openai", "x", "openai", "x");
    (void)SET(OPENAI, {CONF_AI_MODEL, "m"});
    (void)expect(NULL, NULL, "openai", "m");
    (void)expect(NULL, "x", "openai", "x");
    (void)expect("offline", "x", "offline", "parley-offline");
}

static void
a_model_name_may_name_the_provider(void **state)
{
    (void)state;
    (void)SET(OPENAI);
    (void)expect(NULL, "offline/x", "offline", "parley-offline");
    (void)expect(NULL, "openai/gpt-4o", "openai", "gpt-4o");
    (void)expect(NULL, "openai/", "openai", "gpt-4");
    (void)expect(NULL, "openai/a/b", "openai", "a/b");
    (void)expect(NULL, "meta-llama/Llama-3", "openai", "meta-llama/Llama-3");
    (void)expect(NULL, "/x", "openai", "/x");
    /* with a provider named, the model is the provider's to understand */
    (void)expect("openai", "openai/gpt-4o", "openai", "openai/gpt-4o");
    /* another name of a provider may be the beginning of a model's */
    (void)expect(NULL, "google/gemma-3", "openai", "google/gemma-3");
}

static void
a_known_model_goes_to_its_provider(void **state)
{
    static const char two[] =
        "[{\"provider\":\"huggingface\",\"id\":\"gpt-4o\"},"
        " {\"provider\":\"huggingface\",\"id\":\"acme/x\"},"
        " {\"provider\":\"huggingface\",\"id\":\"openai/gpt-9\"}]";

    (void)state;
    (void)SET(OPENAI, ANTHROPIC, OLLAMA);
    (void)expect(NULL, "claude-opus-5", "anthropic", "claude-opus-5");
    (void)expect(NULL, "gpt-4o", "openai", "gpt-4o");
    /* the beginning of one, too; but not what fits anything */
    (void)expect(NULL, "claude-3-5-sonnet-20241022", "anthropic",
                 "claude-3-5-sonnet-20241022");
    (void)expect(NULL, "llama3.2", "openai", "llama3.2");
    /* whose provider is not configured goes to the default */
    (void)expect(NULL, "gemini-2.5-pro", "openai", "gemini-2.5-pro");
    /* the whole name goes before the part in front of its slash */
    (void)SET(OPENAI, HF, {CONF_AI_PROVIDER, "hf"});
    (void)expect(NULL, "openai/gpt-9", "openai", "gpt-9");
    assert_int_equal(models_parse(two, strlen(two), NULL, NULL), 0);
    (void)expect(NULL, "openai/gpt-9", "huggingface", "openai/gpt-9");
    (void)expect(NULL, "acme/x", "huggingface", "acme/x");
    /* that two have stays with the default one */
    (void)expect(NULL, "gpt-4o", "huggingface", "gpt-4o");
    (void)expect(NULL, "gpt-4", "openai", "gpt-4");
}

static void
providers_have_other_names_in_settings_and_requests(void **state)
{
    (void)state;
    (void)SET(ANTHROPIC, GEMINI, HF, {CONF_AI_PROVIDER, "hf"});
    (void)expect(NULL, NULL, "huggingface", TINY);
    (void)expect("claude", NULL, "anthropic", CLAUDE);
    (void)expect("google", "m", "gemini", "m");
    (void)SET({CONF_AI_PROVIDER, "local"});
    (void)expect(NULL, NULL, "ollama", "llama3.2");
    expect_error("aws", NULL, ERR_IMPOSSIBLE, "provider_not_configured");
}

static void
what_is_unknown_or_not_configured_is_said(void **state)
{
    (void)state;
    (void)SET(NOTHING);
    expect_error("nobody", NULL, ERR_BADREQ, "unknown_provider");
    expect_error("OpenAI", NULL, ERR_BADREQ, "unknown_provider");
    expect_error("openai", NULL, ERR_IMPOSSIBLE, "provider_not_configured");
    expect_error("ollama", NULL, ERR_IMPOSSIBLE, "provider_not_configured");
    expect_error(NULL, "openai/gpt-4o", ERR_IMPOSSIBLE,
                 "provider_not_configured");
    (void)SET({CONF_AI_PROVIDER, "nobody"}, OPENAI);
    expect_error(NULL, NULL, ERR_IMPOSSIBLE, "unknown_provider");
    expect_error(NULL, "x", ERR_IMPOSSIBLE, "unknown_provider");
    (void)expect(NULL, "gpt-4", "openai", "gpt-4");
}

/* --- which model ---------------------------------------------------------- */

static void
each_provider_has_its_own_model_setting(void **state)
{
    (void)state;
    (void)SET(ANTHROPIC, GEMINI, HF, OLLAMA, {CONF_ANTHROPIC_MODEL, "a"},
              {CONF_GEMINI_MODEL, "g"}, {CONF_HF_MODEL, "h"},
              {CONF_OLLAMA_MODEL, "o"}, {CONF_AI_MODEL, "m"});
    (void)expect("anthropic", NULL, "anthropic", "a");
    (void)expect("gemini", NULL, "gemini", "g");
    (void)expect("huggingface", NULL, "huggingface", "h");
    (void)expect("ollama", NULL, "ollama", "o");
    (void)expect("ollama", "x", "ollama", "x");
}

static void
the_common_model_is_the_chosen_providers(void **state)
{
    (void)state;
    (void)SET(OPENAI, ANTHROPIC, {CONF_AI_PROVIDER, "anthropic"},
              {CONF_AI_MODEL, "my-model"});
    (void)expect(NULL, NULL, "anthropic", "my-model");
    (void)expect("openai", NULL, "openai", "gpt-4");
    /* a known one of another provider is that one's */
    (void)SET(OPENAI, HF, {CONF_AI_PROVIDER, "huggingface"},
              {CONF_AI_MODEL, "gpt-4o"});
    (void)expect(NULL, NULL, "huggingface", TINY);
    (void)expect("openai", NULL, "openai", "gpt-4o");
    /* one that the chosen provider has no use for is OpenAI's, as ever */
    (void)SET(OPENAI, HF, {CONF_AI_PROVIDER, "offline"},
              {CONF_AI_MODEL, "mine"});
    (void)expect("openai", NULL, "openai", "mine");
    (void)expect("huggingface", NULL, "huggingface", TINY);
    (void)SET(OPENAI, HF, {CONF_AI_PROVIDER, "huggingface"},
              {CONF_HF_MODEL, "small"}, {CONF_AI_MODEL, "mine"});
    (void)expect(NULL, NULL, "huggingface", "small");
    (void)expect("openai", NULL, "openai", "mine");
    expect_fallbacks("openai=mine");
    /* but OpenAI's wire is spoken by gateways */
    (void)SET({CONF_OPENAI_BASE_URL, "http://gateway/v1"},
              {CONF_AI_PROVIDER, "openai"}, {CONF_AI_MODEL, CLAUDE});
    (void)expect(NULL, NULL, "openai", CLAUDE);
}

static void
the_common_model_may_choose_the_provider(void **state)
{
    (void)state;
    (void)SET(OPENAI, ANTHROPIC, {CONF_AI_MODEL, CLAUDE});
    (void)expect(NULL, NULL, "anthropic", CLAUDE);
    (void)SET(OPENAI, ANTHROPIC, {CONF_AI_MODEL, "anthropic/x"});
    (void)expect(NULL, NULL, "anthropic", "x");
    (void)SET(OPENAI, {CONF_AI_MODEL, "anthropic/x"});
    (void)expect(NULL, NULL, "openai", "anthropic/x");
    (void)SET(OPENAI, {CONF_AI_MODEL, "openai/gpt-4o"});
    (void)expect(NULL, NULL, "openai", "gpt-4o");
    (void)SET(OPENAI, {CONF_OPENAI_BASE_URL, "http://gateway/v1"},
              {CONF_AI_MODEL, "openai/gpt-4o"});
    (void)expect(NULL, NULL, "openai", "openai/gpt-4o");
}

static void
accounts_carry_what_the_settings_say(void **state)
{
    struct route_choice c;

    (void)state;
    (void)SET(OPENAI, HF, ANTHROPIC, {CONF_OPENAI_ORG_ID, "org"},
              {CONF_OPENAI_PROJECT, "proj"}, {CONF_HF_BILL_TO, "team"},
              {CONF_ANTHROPIC_VERSION, "2026-10-21"});
    c = expect("openai", NULL, "openai", "gpt-4");
    assert_string_equal(c.account.org, "org");
    assert_string_equal(c.account.project, "proj");
    assert_null(c.account.version);
    c = expect("huggingface", NULL, "huggingface", TINY);
    assert_string_equal(c.account.org, "team");
    assert_null(c.account.project);
    c = expect("anthropic", NULL, "anthropic", CLAUDE);
    assert_string_equal(c.account.version, "2026-10-21");
    assert_null(c.account.org);
}

static void
the_list_says_who_is_configured(void **state)
{
    static const char *const names[] = {
        "openai",  "anthropic", "gemini",  "huggingface",
        "bedrock", "ollama",    "offline",
    };
    const struct provider *list[8];
    bool configured[8];

    (void)state;
    (void)SET(NOTHING);
    assert_int_equal(catalog_list(list, configured, 8), COUNT_OF(names));
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_string_equal(list[i]->name, names[i]);
        assert_int_equal(configured[i], i + 1 == COUNT_OF(names));
    }
    (void)SET(OPENAI);
    assert_int_equal(catalog_list(list, configured, 1), 1);
    assert_true(configured[0]);
}

/* --- fallbacks ------------------------------------------------------------ */

static void
the_chain_is_asked_in_order(void **state)
{
    (void)state;
    assert_int_equal(
        SET(OPENAI, ANTHROPIC,
            {CONF_AI_FALLBACK, " claude/c-1 ,openai,,openai/a/b , offline,"}),
        0);
    expect_fallbacks("anthropic=c-1 openai=gpt-4 openai=a/b "
                     "offline=parley-offline");
    assert_int_equal(SET({CONF_AI_FALLBACK, "ollama/x"}), 0);
    expect_fallbacks("ollama=x"); /* named, so configured */
}

static void
hugging_face_falls_back_to_openai_by_itself(void **state)
{
    (void)state;
    (void)SET(OPENAI, HF, {CONF_AI_PROVIDER, "huggingface"});
    expect_fallbacks("openai=gpt-4");
    (void)SET(OPENAI, HF);
    expect_fallbacks("");
    (void)SET(HF, {CONF_AI_PROVIDER, "huggingface"});
    expect_fallbacks("");
    assert_int_equal(SET(OPENAI, HF, {CONF_AI_PROVIDER, "huggingface"},
                         {CONF_AI_FALLBACK, "none"}),
                     0);
    expect_fallbacks("");
}

static void
a_chosen_provider_without_a_key_leaves_it_to_the_fallback(void **state)
{
    (void)state;
    assert_int_equal(SET(OPENAI, {CONF_AI_PROVIDER, "huggingface"}), 1);
    (void)expect(NULL, NULL, "openai", "gpt-4");
    expect_error("huggingface", NULL, ERR_IMPOSSIBLE,
                 "provider_not_configured");
    expect_error(NULL, "some-model", ERR_IMPOSSIBLE, "provider_not_configured");
    assert_int_equal(
        SET({CONF_AI_PROVIDER, "anthropic"}, {CONF_AI_FALLBACK, "offline"}), 1);
    (void)expect(NULL, NULL, "offline", "parley-offline");
    assert_int_equal(SET({CONF_AI_PROVIDER, "anthropic"}), 1);
    expect_error(NULL, NULL, ERR_IMPOSSIBLE, "provider_not_configured");
}

/* --- small tasks ---------------------------------------------------------- */

static void
expect_cheap(const char *model, const char *want)
{
    struct route_choice c, cheap;
    struct problem why = {.err = OK};

    assert_int_equal(catalog_route(NULL, model, &c, &why), OK);
    assert_int_equal(catalog_cheap(&c, &cheap), want != NULL);
    if (want == NULL)
        return;
    assert_string_equal(cheap.model, want);
    assert_ptr_equal(cheap.provider, c.provider);
    assert_string_equal(cheap.account.key, c.account.key);
}

static void
small_tasks_are_for_a_cheaper_model_of_the_same_provider(void **state)
{
    (void)state;
    assert_int_equal(SET(OPENAI), 0);
    expect_cheap(NULL, "gpt-4.1-nano"); /* of gpt-4 */
    expect_cheap("gpt-4.1-nano", NULL);
    expect_cheap("gpt-5-nano", NULL); /* costs no more */
    expect_cheap("not-in-the-table", "gpt-4.1-nano");
    assert_int_equal(SET(ANTHROPIC), 0);
    expect_cheap(NULL, "claude-haiku-4-5");
    expect_cheap("claude-3-haiku-20240307", NULL);
    assert_int_equal(SET(GEMINI), 0);
    expect_cheap(NULL, "gemini-3.5-flash-lite");
    assert_int_equal(SET(HF), 0);
    expect_cheap(NULL, NULL);
    assert_int_equal(SET(OLLAMA), 0);
    expect_cheap(NULL, NULL);
    assert_int_equal(SET({CONF_AI_PROVIDER, "offline"}), 0);
    expect_cheap(NULL, NULL);
}

static void
what_an_address_of_ones_own_has_is_not_known(void **state)
{
    (void)state;
    assert_int_equal(SET(OPENAI, {CONF_OPENAI_BASE_URL, "http://10.0.0.1/v1"}),
                     0);
    expect_cheap(NULL, NULL);
}

static void
who_is_named_for_a_task_is_checked(void **state)
{
    (void)state;
    assert_int_equal(SET(OPENAI, {CONF_TITLE_MODEL, "Off"}), 0);
    assert_int_equal(SET(OPENAI, {CONF_TITLE_MODEL, "openai/gpt-4"}), 0);
    assert_int_equal(SET(OPENAI, {CONF_TITLE_MODEL, "anthropic/x"},
                         {CONF_SUMMARY_MODEL, "gemini/x"}),
                     1);
    assert_non_null(strstr(said, "TITLE_MODEL:0: cannot be asked: "));
    assert_int_equal(
        SET(OPENAI, {CONF_SUMMARY, "1"}, {CONF_SUMMARY_MODEL, "gemini/x"}), 1);
    assert_non_null(strstr(said, "SUMMARY_MODEL:0: cannot be asked: "));
}

static void
who_makes_vectors_of_files_is_checked(void **state)
{
    struct route_choice r;
    struct problem why;

    (void)state;
    assert_int_equal(SET(OPENAI), 0);
    assert_int_equal(catalog_embed(&r, &why), ERR_NOTFOUND);
    assert_int_equal(SET(OPENAI, {CONF_EMBED_MODEL, "openai/e/3"}), 0);
    assert_int_equal(catalog_embed(&r, &why), OK);
    assert_string_equal(r.provider->name, "openai");
    assert_string_equal(r.model, "e/3");
    assert_int_equal(SET(OPENAI, {CONF_EMBED_MODEL, "e-3"}), 1);
    assert_non_null(strstr(said, "EMBED_MODEL:0: is not used: It does not"));
    assert_int_equal(SET(ANTHROPIC, {CONF_EMBED_MODEL, "anthropic/e"}), 1);
    assert_non_null(strstr(said, "provider makes no embeddings"));
    assert_int_equal(catalog_embed(&r, &why), ERR_IMPOSSIBLE);
    assert_int_equal(SET(OPENAI, {CONF_EMBED_MODEL, "gemini/e"}), 1);
    assert_non_null(strstr(said, "provider is not configured"));
}

/* --- what is said at start ------------------------------------------------ */

static void
all_faults_are_told_at_once_and_no_secret(void **state)
{
    (void)state;
    assert_int_equal(
        SET({CONF_AI_PROVIDER, "acme"},
            {CONF_AI_FALLBACK, "foo,anthropic/x, sk-0123456789abcdef0123456789"
                               ",offline"},
            {CONF_AWS_ACCESS_KEY_ID, "AKIAHUNTER2"},
            {CONF_BEDROCK_API, "soap"}),
        7);
    assert_string_equal(
        said,
        "AWS_SECRET_ACCESS_KEY:0: is not set, and its other half is\n"
        "BEDROCK_API:0: must be converse or invoke\n"
        "AWS_REGION:0: is not set, and Bedrock is not to be found without it\n"
        "AI_PROVIDER:0: names no provider: acme\n"
        "AI_FALLBACK:0: part 1 names no provider: foo\n"
        "AI_FALLBACK:0: part 2 is left out: anthropic is not configured. "
        "Set ANTHROPIC_API_KEY and restart.\n"
        "AI_FALLBACK:0: part 3 names no provider: (not shown)\n");
    expect_fallbacks("offline=parley-offline");
}

static void
a_missing_key_is_told_with_what_to_set(void **state)
{
    (void)state;
    assert_int_equal(SET({CONF_AI_PROVIDER, "claude"}), 1);
    assert_string_equal(said,
                        "AI_PROVIDER:0: anthropic is chosen and not "
                        "configured. Set ANTHROPIC_API_KEY and restart.\n");
}

static void
write_file(const char *name, const char *text)
{
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void
the_models_file_is_read_and_its_faults_have_lines(void **state)
{
    char want[256];

    (void)state;
    write_file("m.json", "[{\"provider\":\"ollama\",\"id\":\"mine\"},\n"
                         " {\"provider\":\"ollama\",\"id\":\"other\",\n"
                         "  \"price\":{\"in\":-1}}]\n");
    conf_override(CONF_MODELS_FILE, path);
    (void)snprintf(want, sizeof(want), "%s:3: price.in must not be negative\n",
                   path);
    assert_int_equal(SET(OPENAI, OLLAMA), 1);
    assert_string_equal(said, want);
    (void)expect(NULL, "mine", "ollama", "mine");
    assert_int_equal(unlink(path), 0);
    (void)snprintf(want, sizeof(want), "%s:0: cannot be read\n", path);
    assert_int_equal(check(), 1);
    assert_string_equal(said, want);
    (void)expect(NULL, "mine", "openai", "mine");
    conf_override(CONF_MODELS_FILE, NULL);
    assert_int_equal(check(), 0);
}

static void
a_file_full_of_faults_does_not_fill_the_log(void **state)
{
    char text[4096];
    size_t n = 0;

    (void)state;
    for (int i = 0; i < 200; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s{\"id\":1}\n",
                              i == 0 ? "[" : ",");
    write_file("m.json", text);
    conf_override(CONF_MODELS_FILE, path);
    assert_int_equal(SET(NOTHING), 51);
    assert_non_null(strstr(said, ":0: has more mistakes\n"));
    assert_int_equal(unlink(path), 0);
    conf_override(CONF_MODELS_FILE, NULL);
}

/* --- AWS ------------------------------------------------------------------ */

static void
keys_of_aws_come_from_the_settings_first(void **state)
{
    struct route_choice c;

    (void)state;
    assert_int_equal(
        SET({CONF_AWS_DEFAULT_REGION, "cn-north-1"},
            {CONF_AWS_ACCESS_KEY_ID, "AK"}, {CONF_AWS_SECRET_ACCESS_KEY, "S"},
            {CONF_AWS_SESSION_TOKEN, "T"}, {CONF_BEDROCK_API, "invoke"},
            {CONF_BEDROCK_MODEL, "b"}),
        0);
    c = expect(NULL, NULL, "bedrock", "b");
    assert_string_equal(c.account.base_url,
                        "https://bedrock-runtime.cn-north-1.amazonaws.com.cn");
    assert_string_equal(c.account.key, "");
    assert_string_equal(c.account.aws->access_key, "AK");
    assert_string_equal(c.account.aws->secret_key, "S");
    assert_string_equal(c.account.aws->session_token, "T");
    assert_true(c.account.aws->invoke);
    (void)SET({CONF_AWS_REGION, "eu-west-1"}, {CONF_AWS_ACCESS_KEY_ID, "AK"},
              {CONF_AWS_SECRET_ACCESS_KEY, "S"},
              {CONF_AWS_ENDPOINT_URL_BEDROCK_RUNTIME, "http://127.0.0.1:1/"});
    c = expect("aws", "x", "bedrock", "x");
    assert_string_equal(c.account.base_url, "http://127.0.0.1:1");
}

static void
a_profile_gives_keys_and_region(void **state)
{
    char credentials[96], config[96];
    struct route_choice c;

    (void)state;
    write_file("config", "[profile p]\nregion = eu-north-1\n[profile s]\n"
                         "sso_session = x\nregion = eu-north-1\n");
    memcpy(config, path, sizeof(path));
    write_file("credentials", "[p]\naws_access_key_id = PAK\n"
                              "aws_secret_access_key = PS\n"
                              "[default]\naws_access_key_id = DAK\nhunter2\n");
    memcpy(credentials, path, sizeof(path));
#define FILES                       \
    {CONF_AWS_CONFIG_FILE, config}, \
        {CONF_AWS_SHARED_CREDENTIALS_FILE, credentials}
    assert_int_equal(SET(FILES, {CONF_AWS_PROFILE, "p"}), 0);
    c = expect(NULL, NULL, "bedrock", NOVA);
    assert_string_equal(c.account.aws->access_key, "PAK");
    assert_string_equal(c.account.aws->secret_key, "PS");
    assert_string_equal(c.account.aws->session_token, "");
    assert_string_equal(c.account.aws->region, "eu-north-1");
    /* the settings go before the files */
    assert_int_equal(
        SET(FILES, {CONF_AWS_PROFILE, "p"}, {CONF_AWS_REGION, "us-east-1"}), 0);
    c = expect(NULL, NULL, "bedrock", NOVA);
    assert_string_equal(c.account.aws->region, "us-east-1");
    /* nobody asked for Bedrock: the files are let alone */
    assert_int_equal(SET(FILES), 0);
    expect_error("bedrock", NULL, ERR_IMPOSSIBLE, "provider_not_configured");
    assert_int_equal(SET(FILES, {CONF_AWS_PROFILE, "s"}), 1);
    assert_non_null(strstr(said, "AWS_PROFILE:0: gets its keys by sign-on"));
    assert_int_equal(SET(FILES, {CONF_AWS_PROFILE, "q"}), 1);
    assert_non_null(strstr(said, "AWS_PROFILE:0: names no profile"));
    assert_int_equal(SET(FILES, {CONF_AI_PROVIDER, "aws"}), 3);
    assert_non_null(strstr(said, "/credentials:6: expected key = value\n"));
    assert_non_null(strstr(said, "AWS_REGION:0: is not set"));
    assert_non_null(strstr(said, "AI_PROVIDER:0: bedrock is chosen"));
    assert_null(strstr(said, "hunter2"));
    assert_int_equal(unlink(config), 0);
    assert_int_equal(unlink(credentials), 0);
    assert_int_equal(SET(FILES, {CONF_AWS_PROFILE, "p"}), 3);
    assert_non_null(strstr(said, "AWS_CONFIG_FILE:0: names a file that is not"
                                 " there\n"));
}

static void
a_region_becomes_part_of_an_address_only_if_it_is_one(void **state)
{
    (void)state;
    assert_int_equal(SET({CONF_AWS_REGION, "evil.example/"},
                         {CONF_AWS_BEARER_TOKEN_BEDROCK, "t"}),
                     1);
    assert_string_equal(said, "AWS_REGION:0: must look like eu-central-1\n");
    expect_error("bedrock", NULL, ERR_IMPOSSIBLE, "provider_not_configured");
}

static int
setup(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/parley-catalog-XXXXXX");
    return mkdtemp(folder) != NULL ? setenv("HOME", folder, 1) : -1;
}

static int
teardown(void **state)
{
    (void)state;
    (void)settings(&(struct pair){CONF__MAX, NULL});
    return rmdir(folder);
}

static void
a_route_stays_where_its_address_is_this_machine(void **state)
{
    static const struct {
        const char *url, *model;
        bool stays;
    } cases[] = {
        {"http://127.0.0.1:11434", "llama3", true},
        {"http://LOCALHOST/v1", "m", true},
        {"http://[::1]:80/v1", "m", true},
        {"https://localhost", NULL, true},
        {"http://127.0.0.1:11434", "gpt-oss:120b-cloud", false},
        {"http://127.0.0.1:11434", "glm:cloud", false},
        {"http://localhost.example.org/", "m", false},
        {"http://127.0.0.1.example.org/", "m", false},
        {"http://localhost:pass@example.org/", "m", false},
        {"https://api.openai.com/v1", "m", false},
        {"127.0.0.1", "m", false},
        {"", "m", false},
        {NULL, "m", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct route_choice r = {.provider = &provider_ollama,
                                 .account.base_url = cases[i].url,
                                 .model = cases[i].model};

        assert_int_equal(route_stays(&r), cases[i].stays);
        r.provider = &provider_offline;
        assert_true(route_stays(&r));
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_settings_the_offline_provider_answers),
        cmocka_unit_test(a_key_or_an_address_makes_it_openai),
        cmocka_unit_test(any_one_key_is_enough),
        cmocka_unit_test(of_several_keys_the_first_in_the_list_counts),
        cmocka_unit_test(the_request_goes_before_the_settings),
        cmocka_unit_test(a_model_name_may_name_the_provider),
        cmocka_unit_test(a_known_model_goes_to_its_provider),
        cmocka_unit_test(providers_have_other_names_in_settings_and_requests),
        cmocka_unit_test(what_is_unknown_or_not_configured_is_said),
        cmocka_unit_test(each_provider_has_its_own_model_setting),
        cmocka_unit_test(the_common_model_is_the_chosen_providers),
        cmocka_unit_test(the_common_model_may_choose_the_provider),
        cmocka_unit_test(accounts_carry_what_the_settings_say),
        cmocka_unit_test(the_list_says_who_is_configured),
        cmocka_unit_test(the_chain_is_asked_in_order),
        cmocka_unit_test(hugging_face_falls_back_to_openai_by_itself),
        cmocka_unit_test(
            a_chosen_provider_without_a_key_leaves_it_to_the_fallback),
        cmocka_unit_test(
            small_tasks_are_for_a_cheaper_model_of_the_same_provider),
        cmocka_unit_test(what_an_address_of_ones_own_has_is_not_known),
        cmocka_unit_test(who_is_named_for_a_task_is_checked),
        cmocka_unit_test(who_makes_vectors_of_files_is_checked),
        cmocka_unit_test(all_faults_are_told_at_once_and_no_secret),
        cmocka_unit_test(a_missing_key_is_told_with_what_to_set),
        cmocka_unit_test(the_models_file_is_read_and_its_faults_have_lines),
        cmocka_unit_test(a_file_full_of_faults_does_not_fill_the_log),
        cmocka_unit_test(a_route_stays_where_its_address_is_this_machine),
        cmocka_unit_test(keys_of_aws_come_from_the_settings_first),
        cmocka_unit_test(a_profile_gives_keys_and_region),
        cmocka_unit_test(a_region_becomes_part_of_an_address_only_if_it_is_one),
    };

    if (conf_load("/nonexistent") != 0)
        return 1;
    return cmocka_run_group_tests(tests, setup, teardown);
}
