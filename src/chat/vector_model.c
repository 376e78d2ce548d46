/*
 * Names of models that make vectors, and whom to ask for them. A provider's
 * name has no slash, so that the first one ends it.
 */
#include "base/base.h"

#include "chat/vector_model.h"

#include "base/log.h"

bool
vector_model_wanted(struct vector_model *out)
{
    struct problem why;

    (void)memset(out, 0, sizeof(*out));
    if (catalog_embed(&out->route, &why) != OK)
        return false;
    if (snprintf(out->name, sizeof(out->name), "%s/%s",
                 out->route.provider->name,
                 out->route.model) < (int)sizeof(out->name))
        return true;
    log_warn("conf.value", "name=EMBED_MODEL rule=\"is too long\"");
    return false;
}

bool
vector_model_named(const char *name, struct vector_model *out)
{
    const char *slash = strchr(name, '/');
    char provider[32];
    struct problem why;

    (void)memset(out, 0, sizeof(*out));
    if (slash == NULL || slash[1] == '\0' ||
        snprintf(provider, sizeof(provider), "%.*s", (int)(slash - name),
                 name) >= (int)sizeof(provider) ||
        snprintf(out->name, sizeof(out->name), "%s", name) >=
            (int)sizeof(out->name))
        return false;
    return catalog_route(provider, slash + 1, &out->route, &why) == OK &&
           out->route.provider->embed_build != NULL;
}

struct route_choice
vector_model_route(const struct vector_model *m)
{
    struct route_choice r = m->route;

    r.model = strchr(m->name, '/') + 1;
    return r;
}
