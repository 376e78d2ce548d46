/*
 * Which provider answers: a row per provider that knows where its settings
 * are, and the rules by which a request's wishes and the settings meet. The
 * settings are constant after start, so nothing is cached. Any thread.
 *
 * The model that is told for an answer must be true: the offline provider has
 * one name for itself, whatever model was asked for.
 */
#include "base/base.h"

#include "provider/provider.h"

#include "base/conf.h"

struct row {
    const struct provider *provider;
    enum conf_key base_url, key; /* of a network provider */
    const char *model;           /* when none is named */
    bool local;                  /* needs no settings; has one model */
    const char *hint;            /* what to set */
};

/* In the order of /status. The OpenAI row's model is the one that the
 * documents name which Parley's clients were written to. */
static const struct row rows[] = {
    {&provider_openai, CONF_OPENAI_BASE_URL, CONF_OPENAI_API_KEY, "gpt-4",
     false,
     "Set OPENAI_API_KEY (or OPENAI_BASE_URL for a server that needs "
     "no key) and restart."},
    {&provider_offline, CONF__MAX, CONF__MAX, "parley-offline", true, ""},
};

static bool
configured(const struct row *r)
{
    return r->local || conf_str(r->key)[0] != '\0' || conf_is_set(r->base_url);
}

static const struct row *
row_find(const char *name, size_t n)
{
    size_t i;

    for (i = 0; i < COUNT_OF(rows); i++) {
        const char *have = rows[i].provider->name;

        if (strlen(have) == n && memcmp(have, name, n) == 0)
            return &rows[i];
    }
    return NULL;
}

/* The settings' provider, else the first that is configured: the offline one
 * is last and always is. */
static const struct row *
row_default(void)
{
    const char *name = conf_str(CONF_AI_PROVIDER);
    size_t i;

    if (name[0] != '\0')
        return row_find(name, strlen(name));
    for (i = 0; i + 1 < COUNT_OF(rows) && !configured(&rows[i]); i++)
        ;
    return &rows[i];
}

static const char *
not_empty(const char *s)
{
    return s != NULL && s[0] != '\0' ? s : NULL;
}

enum err
catalog_route(const char *provider, const char *model, struct route_choice *out,
              struct problem *why)
{
    const struct row *r = NULL;
    const char *slash;

    provider = not_empty(provider);
    model = not_empty(model);
    slash = model != NULL && provider == NULL ? strchr(model, '/') : NULL;
    if (slash != NULL)
        r = row_find(model, (size_t)(slash - model));
    if (r != NULL)
        model = not_empty(slash + 1);
    else if (provider != NULL)
        r = row_find(provider, strlen(provider));
    else
        r = row_default();
    if (r == NULL && provider != NULL)
        return problem_set(why, ERR_BADREQ, "unknown_provider",
                           "This provider is not known",
                           "GET /status lists the providers.");
    if (r == NULL)
        return problem_set(why, ERR_IMPOSSIBLE, "unknown_provider",
                           "The configured provider is not known",
                           "Check AI_PROVIDER; GET /status lists the "
                           "providers.");
    if (!configured(r))
        return problem_set(why, ERR_IMPOSSIBLE, "provider_not_configured",
                           "This provider is not configured", "%s", r->hint);
    if (model == NULL)
        model = not_empty(conf_str(CONF_AI_MODEL));
    out->provider = r->provider;
    out->model = model == NULL || r->local ? r->model : model;
    out->account.base_url = r->local ? "" : conf_str(r->base_url);
    out->account.key = r->local ? "" : conf_str(r->key);
    return OK;
}

size_t
catalog_list(const struct provider **out, bool *is_configured, size_t max)
{
    size_t i;

    for (i = 0; i < COUNT_OF(rows) && i < max; i++) {
        out[i] = rows[i].provider;
        is_configured[i] = configured(&rows[i]);
    }
    return i;
}
