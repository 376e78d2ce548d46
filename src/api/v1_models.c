/*
 * GET /v1/models: what can be asked for. For each configured provider its own
 * model and those that are known of it, as "provider/model", and the bare name
 * where that leads to the same. Providers are not asked: the list is there at
 * once and the same each time. Acceptor threads.
 */
#include "base/base.h"

#include "api/v1.h"

#include "base/json.h"
#include "provider/models.h"

#define BODY_MAX (4 * 1024 * 1024) /* bytes */
#define PROVIDERS_MAX 16
#define NAME_MAX (2 * MODEL_ID_MAX + 32)

/* Called with each name; false: enough. */
typedef bool name_fn(void *arg, const char *name, const char *provider);

struct listing {
    name_fn *fn;
    void *arg;
};

/* Does the bare name lead to this provider's model? */
static bool
is_clear(const struct provider *p, const char *model)
{
    struct problem why = {.err = OK};
    struct route_choice route;

    return catalog_route(NULL, model, &route, &why) == OK &&
           route.provider == p && strcmp(route.model, model) == 0;
}

static bool
tell(const struct listing *l, const struct provider *p, const char *model)
{
    char name[NAME_MAX];

    if ((size_t)snprintf(name, sizeof(name), "%s/%s", p->name, model) <
            sizeof(name) &&
        !l->fn(l->arg, name, p->name))
        return false;
    return !is_clear(p, model) || l->fn(l->arg, model, p->name);
}

static bool
each_of(const struct listing *l, const struct provider *p)
{
    struct problem why = {.err = OK};
    struct route_choice own;
    const struct model *m;
    bool has_own = catalog_route(p->name, NULL, &own, &why) == OK;

    if (has_own && !tell(l, p, own.model))
        return false;
    for (size_t i = 0; (m = models_at(i)) != NULL; i++)
        if (strcmp(m->provider, p->name) == 0 && !model_is_prefix(m) &&
            (!has_own || strcmp(m->id, own.model) != 0) && !tell(l, p, m->id))
            return false;
    return true;
}

static void
each_name(name_fn *fn, void *arg)
{
    const struct provider *rows[PROVIDERS_MAX];
    bool configured[PROVIDERS_MAX];
    size_t n = catalog_list(rows, configured, PROVIDERS_MAX);
    struct listing l = {fn, arg};

    for (size_t i = 0; i < n; i++)
        if (configured[i] && !each_of(&l, rows[i]))
            return;
}

/* --- who answers ---------------------------------------------------------- */

/* Is it the name of a provider that answers without a model, or of what it
 * calls its model? */
static bool
is_named(const struct route_choice *r, const char *model)
{
    const char *slash = strchr(model, '/');
    size_t n = slash != NULL ? (size_t)(slash - model) : strlen(model);

    return strcmp(model, r->model) == 0 ||
           (n == strlen(r->provider->name) &&
            memcmp(model, r->provider->name, n) == 0);
}

enum err
v1_route(const char *model, struct route_choice *out, struct problem *why)
{
    enum err e = catalog_route(NULL, model, out, why);

    if (e == OK && out->provider->answer != NULL && !is_named(out, model))
        e = problem_set(why, ERR_NOTFOUND, "model_not_found",
                        "No provider of this model is configured",
                        "Set a provider's key, or name one of the models that "
                        "GET /v1/models lists.");
    return e;
}

/* --- the list ------------------------------------------------------------- */

struct putting {
    struct json_out j;
    int64_t created_s; /* nobody knows when a model was made: our start */
};

static bool
put_model(void *arg, const char *name, const char *provider)
{
    struct putting *p = arg;

    json_begin_obj(&p->j);
    json_put_str(&p->j, "id", name);
    json_put_str(&p->j, "object", "model");
    json_put_i64(&p->j, "created", p->created_s);
    json_put_str(&p->j, "owned_by", provider);
    json_end_obj(&p->j);
    return true;
}

void
api_v1_models(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct putting p = {.created_s = app->started_ms / 1000};
    struct buf body;

    buf_init(&body, BODY_MAX);
    json_out_init(&p.j, &body);
    json_begin_obj(&p.j);
    json_put_str(&p.j, "object", "list");
    json_name(&p.j, "data");
    json_begin_arr(&p.j);
    each_name(put_model, &p);
    json_end_arr(&p.j);
    json_end_obj(&p.j);
    app_json(app, rq, 200, &body);
}

/* --- one ------------------------------------------------------------------ */

struct search {
    const char *name;
    const char *provider; /* NULL: not found */
};

static bool
is_it(void *arg, const char *name, const char *provider)
{
    struct search *s = arg;

    if (strcmp(name, s->name) != 0)
        return true;
    s->provider = provider;
    return false;
}

/* Names that are known by their beginning are not listed, but there. */
static const char *
known_by_prefix(const char *name)
{
    struct problem why = {.err = OK};
    struct route_choice route;

    if (v1_route(name, &route, &why) == OK &&
        model_find(route.provider->name, route.model) != NULL)
        return route.provider->name;
    return NULL;
}

void
api_v1_model(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct search s = {.name = rq->path_args[0]};
    struct putting p = {.created_s = app->started_ms / 1000};
    struct problem why = {.err = OK};
    struct buf body;

    each_name(is_it, &s);
    if (s.provider == NULL)
        s.provider = known_by_prefix(s.name);
    if (s.provider == NULL) {
        (void)problem_set(&why, ERR_NOTFOUND, "model_not_found",
                          "This model is not known",
                          "GET /v1/models lists the models.");
        v1_fail(app, rq, &why, "model");
        return;
    }
    buf_init(&body, BODY_MAX);
    json_out_init(&p.j, &body);
    (void)put_model(&p, s.name, s.provider);
    app_json(app, rq, 200, &body);
}
