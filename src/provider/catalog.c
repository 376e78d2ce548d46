/*
 * Which provider answers: a row per provider that knows where its settings
 * are, and the rules by which a request's wishes and the settings meet. The
 * settings are constant after start, so nothing is cached but what
 * catalog_check settled. Any thread.
 *
 * The rules, first match first:
 *   1. provider named: that one, and the model is its own to understand
 *   2. a model's name that the table of models holds: its provider, if that
 *      is configured; the default provider goes before others
 *   3. "provider/model"
 *   4. a name that begins like a row of the table, as in 2
 *   5. the default provider, or if it is not configured and no model was
 *      asked for, the first fallback
 * The default is AI_PROVIDER, else whom AI_MODEL belongs to, else the first
 * row that is configured. A model that is not named is the provider's own
 * setting, else AI_MODEL, else the row's.
 *
 * The model that is told for an answer must be true: the offline provider has
 * one name for itself, whatever model was asked for.
 */
#include "base/base.h"

#include "provider/catalog.h"

#include "provider/models.h"

#define NONE CONF__MAX

/* In the order of /status, and of who is asked if nobody was chosen: those
 * with a key of their own, then Bedrock (keys of AWS may be there for other
 * purposes), then the machine itself. The models of OpenAI and Hugging Face
 * are the ones that the documents name which Parley's clients were written
 * to. */
static const struct catalog_row rows[] = {
    {&provider_openai, NEED_KEY, CONF_OPENAI_BASE_URL, CONF_OPENAI_API_KEY,
     CONF_OPENAI_ORGANIZATION, CONF_OPENAI_PROJECT, NONE, NONE, "gpt-4",
     "gpt-4.1-nano", true,
     "Set OPENAI_API_KEY (or OPENAI_BASE_URL for a server that needs "
     "no key) and restart."},
    {&provider_anthropic, NEED_KEY, CONF_ANTHROPIC_BASE_URL,
     CONF_ANTHROPIC_API_KEY, NONE, NONE, CONF_ANTHROPIC_VERSION,
     CONF_ANTHROPIC_MODEL, "claude-sonnet-5-5", "claude-haiku-4-5", false,
     "Set ANTHROPIC_API_KEY and restart."},
    {&provider_gemini, NEED_KEY, CONF_GEMINI_BASE_URL, CONF_GEMINI_API_KEY,
     NONE, NONE, NONE, CONF_GEMINI_MODEL, "gemini-3.5-flash",
     "gemini-3.5-flash-lite", false, "Set GEMINI_API_KEY and restart."},
    {&provider_huggingface, NEED_KEY, CONF_HF_BASE_URL, CONF_HF_API_KEY,
     CONF_HF_BILL_TO, NONE, NONE, CONF_HF_MODEL,
     "TinyLlama/TinyLlama-1.1B-Chat-v1.0", NULL, false,
     "Set HF_API_KEY and restart."},
    {&provider_bedrock, NEED_AWS, CONF_BEDROCK_BASE_URL,
     CONF_AWS_BEARER_TOKEN_BEDROCK, NONE, NONE, NONE, CONF_BEDROCK_MODEL,
     "global.anthropic.claude-haiku-4-5-20251001-v1:0", NULL, false,
     "Set AWS_REGION and AWS_BEARER_TOKEN_BEDROCK, or AWS_ACCESS_KEY_ID and "
     "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, and restart."},
    {&provider_ollama, NEED_URL, CONF_OLLAMA_BASE_URL, NONE, NONE, NONE, NONE,
     CONF_OLLAMA_MODEL, "llama3.2", NULL, false,
     "Set OLLAMA_BASE_URL and restart."},
    {&provider_offline, NEED_NONE, NONE, NONE, NONE, NONE, NONE, NONE,
     "parley-offline", NULL, false, ""},
};

static const struct {
    const char *name, *also;
} aliases[] = {
    {"anthropic", "claude"}, {"gemini", "google"}, {"huggingface", "hf"},
    {"bedrock", "aws"},      {"ollama", "local"},
};

/* --- rows --------------------------------------------------------------- */

static bool
same(const char *a, const char *s, size_t n)
{
    return strlen(a) == n && memcmp(a, s, n) == 0;
}

const struct catalog_row *
catalog_row(const char *name, size_t n, bool also)
{
    for (size_t i = 0; also && i < COUNT_OF(aliases); i++) {
        if (same(aliases[i].also, name, n)) {
            name = aliases[i].name;
            n = strlen(name);
        }
    }
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (same(rows[i].provider->name, name, n))
            return &rows[i];
    return NULL;
}

bool
catalog_part(const char **s, struct catalog_part *out)
{
    const char *p = *s + strspn(*s, " \t,");
    size_t n = strcspn(p, ",");
    const char *slash = memchr(p, '/', n);

    *s = p + n;
    while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t'))
        n--;
    out->provider = p;
    out->provider_len = slash != NULL ? (size_t)(slash - p) : n;
    out->model = slash != NULL ? slash + 1 : "";
    out->model_len = slash != NULL ? n - out->provider_len - 1 : 0;
    return n > 0;
}

/* Do the settings choose it by name? */
static bool
is_named(const struct catalog_row *r)
{
    const char *name = conf_str(CONF_AI_PROVIDER);
    const char *list = conf_str(CONF_AI_FALLBACK);
    struct catalog_part part;

    if (catalog_row(name, strlen(name), true) == r)
        return true;
    while (catalog_part(&list, &part))
        if (catalog_row(part.provider, part.provider_len, true) == r)
            return true;
    return false;
}

bool
catalog_configured(const struct catalog_row *r)
{
    switch (r->need) {
    case NEED_KEY:
        return conf_str(r->key)[0] != '\0' || conf_is_set(r->base_url);
    case NEED_URL: return conf_is_set(r->base_url) || is_named(r);
    case NEED_AWS: return catalog_aws() != NULL;
    case NEED_NONE: break;
    }
    return true;
}

/* --- models ------------------------------------------------------------- */

static const char *
not_empty(const char *s)
{
    return s != NULL && s[0] != '\0' ? s : NULL;
}

/* Is the model in the table as one of this provider's? A row that fits all
 * names says nothing. */
static bool
knows(const struct catalog_row *r, const char *model, bool exactly)
{
    const struct model *m = model_find(r->provider->name, model);

    if (m == NULL || strcmp(m->id, "*") == 0)
        return false;
    return !exactly || !model_is_prefix(m);
}

/* The first configured provider that knows the model; first goes first. */
static const struct catalog_row *
who_knows(const char *model, bool exactly, const struct catalog_row *first)
{
    if (first != NULL && catalog_configured(first) &&
        knows(first, model, exactly))
        return first;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (catalog_configured(&rows[i]) && knows(&rows[i], model, exactly))
            return &rows[i];
    return NULL;
}

static const struct catalog_row *
row_before_slash(const char *model)
{
    const char *slash = model != NULL ? strchr(model, '/') : NULL;

    return slash != NULL ? catalog_row(model, (size_t)(slash - model), false)
                         : NULL;
}

const struct catalog_row *
catalog_default(void)
{
    const char *name = conf_str(CONF_AI_PROVIDER);
    const char *model = not_empty(conf_str(CONF_AI_MODEL));
    const struct catalog_row *r = NULL;
    size_t i;

    if (name[0] != '\0')
        return catalog_row(name, strlen(name), true);
    if (model != NULL)
        r = who_knows(model, true, NULL);
    if (r == NULL)
        r = row_before_slash(model);
    if (r == NULL && model != NULL)
        r = who_knows(model, false, NULL);
    if (r != NULL && catalog_configured(r))
        return r;
    for (i = 0; !catalog_configured(&rows[i]); i++)
        ;
    return &rows[i]; /* the last one always is */
}

/* Is the model known as somebody else's, and not as this provider's? */
static bool
is_of_another(const struct catalog_row *r, const char *model)
{
    bool other = false;

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        other |= &rows[i] != r && knows(&rows[i], model, false);
    return other && !knows(r, model, false);
}

/* Is AI_MODEL of no use to the default provider? */
static bool
is_left_over(const struct catalog_row *d)
{
    return d == NULL || d->need == NEED_NONE ||
           (d->model_key != NONE && not_empty(conf_str(d->model_key)) != NULL);
}

/* AI_MODEL, if it is meant for this provider. For the default one, unless that
 * has a setting of its own and the model is another's (as a left-over gpt-4 is
 * not Hugging Face's). For any other, if it is known as that one's. For OpenAI,
 * whose setting it was first, also if the default provider has no use for
 * it. */
static const char *
common_model(const struct catalog_row *r)
{
    const struct catalog_row *d = catalog_default();
    const char *model = not_empty(conf_str(CONF_AI_MODEL));
    bool may_be_gateway = r->gateway && conf_is_set(r->base_url);

    if (model == NULL || knows(r, model, false))
        return model;
    if (r != d && (r->model_key != NONE || !is_left_over(d)))
        return NULL;
    if (row_before_slash(model) == r && !may_be_gateway)
        return not_empty(strchr(model, '/') + 1);
    if (r->model_key == NONE && r == d)
        return model;
    return is_of_another(r, model) ? NULL : model;
}

/* --- choosing ----------------------------------------------------------- */

static const char *
setting(enum conf_key k)
{
    return k != NONE ? not_empty(conf_str(k)) : NULL;
}

static const char *
or_empty(const char *s)
{
    return s != NULL ? s : "";
}

void
catalog_choose(const struct catalog_row *r, const char *model,
               struct route_choice *out)
{
    memset(out, 0, sizeof(*out));
    out->provider = r->provider;
    out->account.base_url = or_empty(setting(r->base_url));
    out->account.key = or_empty(setting(r->key));
    out->account.org = setting(r->org);
    out->account.project = setting(r->project);
    out->account.version = setting(r->version);
    if (r->need == NEED_AWS) {
        out->account.base_url = catalog_aws_url();
        out->account.key = catalog_aws_bearer();
        out->account.aws = catalog_aws();
    }
    if (model == NULL)
        model = setting(r->model_key);
    if (model == NULL)
        model = common_model(r);
    out->model = model == NULL || r->need == NEED_NONE ? r->model : model;
}

bool
catalog_cheap(const struct route_choice *r, struct route_choice *out)
{
    const char *name = r->provider->name;
    const struct catalog_row *row = catalog_row(name, strlen(name), false);
    const struct model *cheap, *own;

    if (row == NULL || row->cheap == NULL || conf_is_set(row->base_url))
        return false;
    cheap = model_find(name, row->cheap);
    own = model_find(name, r->model);
    if (cheap == NULL || strcmp(row->cheap, r->model) == 0 ||
        (own != NULL && own->price.out >= 0 &&
         own->price.out <= cheap->price.out))
        return false;
    *out = *r;
    out->model = row->cheap;
    return true;
}

/* The provider of a model that a request names without a provider; *model is
 * what to ask that one for. */
static const struct catalog_row *
row_of_model(const char **model)
{
    const struct catalog_row *d = catalog_default();
    const struct catalog_row *r = who_knows(*model, true, d);

    if (r != NULL)
        return r;
    r = row_before_slash(*model);
    if (r != NULL) {
        *model = not_empty(strchr(*model, '/') + 1);
        return r;
    }
    r = who_knows(*model, false, d);
    return r != NULL ? r : d;
}

enum err
catalog_route(const char *provider, const char *model, struct route_choice *out,
              struct problem *why)
{
    const struct catalog_row *r;

    provider = not_empty(provider);
    model = not_empty(model);
    if (provider != NULL)
        r = catalog_row(provider, strlen(provider), true);
    else if (model != NULL)
        r = row_of_model(&model);
    else
        r = catalog_default();
    if (r == NULL && provider != NULL)
        return problem_set(why, ERR_BADREQ, "unknown_provider",
                           "This provider is not known",
                           "GET /status lists the providers.");
    if (r == NULL)
        return problem_set(why, ERR_IMPOSSIBLE, "unknown_provider",
                           "The configured provider is not known",
                           "Check AI_PROVIDER; GET /status lists the "
                           "providers.");
    if (catalog_configured(r)) {
        catalog_choose(r, model, out);
        return OK;
    }
    if (provider == NULL && model == NULL && catalog_fallbacks(out, 1) == 1)
        return OK;
    return problem_set(why, ERR_IMPOSSIBLE, "provider_not_configured",
                       "This provider is not configured", "%s", r->hint);
}

enum err
catalog_embed(struct route_choice *out, struct problem *why)
{
    const char *name = conf_str(CONF_EMBED_MODEL);
    enum err e;

    if (*name == '\0')
        return problem_set(why, ERR_NOTFOUND, NULL, NULL, NULL);
    if (strchr(name, '/') == NULL)
        return problem_set(why, ERR_BADREQ, NULL,
                           "It does not say provider/model", NULL);
    e = catalog_route(NULL, name, out, why);
    if (e == OK && out->provider->embed_build == NULL)
        e = problem_set(why, ERR_IMPOSSIBLE, "embeddings_not_supported",
                        "This model's provider makes no embeddings", NULL);
    return e;
}

size_t
catalog_list(const struct provider **out, bool *configured, size_t max)
{
    size_t i;

    for (i = 0; i < COUNT_OF(rows) && i < max; i++) {
        out[i] = rows[i].provider;
        configured[i] = catalog_configured(&rows[i]);
    }
    return i;
}

bool
route_stays(const struct route_choice *r)
{
    static const char *const hosts[] = {"localhost", "127.0.0.1", "[::1]"};
    const char *url = r->account.base_url;
    const char *model = r->model != NULL ? r->model : "";
    size_t n = strlen(model);
    const char *host;

    if (r->provider->answer != NULL)
        return true;
    if (url == NULL || (host = strstr(url, "://")) == NULL ||
        (n >= 6 && strcmp(model + n - 6, "-cloud") == 0) ||
        (n >= 6 && strcmp(model + n - 6, ":cloud") == 0))
        return false;
    host += 3;
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        size_t len = strlen(hosts[i]);

        if (strncasecmp(host, hosts[i], len) == 0 &&
            host[strcspn(host, "@/")] != '@' && /* a host, and not a user */
            (host[len] == '\0' || host[len] == ':' || host[len] == '/'))
            return true;
    }
    return false;
}
