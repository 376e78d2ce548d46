/*
 * Each configured provider is asked for its list of models: that costs nothing,
 * and needs the key. The request is the provider's own, the one exchange is
 * ours. No key is shown, nor what a reply says: only its meaning.
 */
#include "base/base.h"

#include "doctor.h"

#include "base/clock.h"
#include "base/conf.h"
#include "provider/provider.h"

#define PROVIDERS_MAX 16
#define LIMIT_MS 20000

static const struct {
    const char *provider;
    enum conf_key key;
} keys[] = {
    {"openai", CONF_OPENAI_API_KEY},
    {"anthropic", CONF_ANTHROPIC_API_KEY},
    {"gemini", CONF_GEMINI_API_KEY},
    {"huggingface", CONF_HF_API_KEY},
    {"bedrock", CONF_AWS_BEARER_TOKEN_BEDROCK},
    {"ollama", CONF_OLLAMA_BASE_URL},
};

static const char *
key_name(const char *provider)
{
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        if (strcmp(keys[i].provider, provider) == 0)
            return conf_name(keys[i].key);
    return "AI_PROVIDER";
}

static void
count_model(void *arg, const struct model_info *m)
{
    (void)m;
    ++*(size_t *)arg;
}

static void
say_reply(struct doctor *d, const struct route_choice *r,
          const struct doctor_call *c)
{
    const struct provider *p = r->provider;
    struct problem why = {.err = OK};
    struct buf next;
    size_t n = 0;

    if (c->status == 401 || c->status == 403) {
        doctor_say(d, DOCTOR_FAIL, "key", "%s refuses the key (status %d)",
                   p->name, c->status);
        doctor_change(d, ".env", "%s=…", key_name(p->name));
        return;
    }
    if (c->status / 100 != 2) {
        doctor_say(
            d, c->status >= 500 || c->status == 429 ? DOCTOR_FAIL : DOCTOR_WARN,
            "key", "%s answers a request for its models with status %d",
            p->name, c->status);
        return;
    }
    buf_init(&next, 4096);
    if (p->models_read(c->reply.data, c->reply.len, count_model, &n, &next,
                       &why) == OK)
        doctor_say(d, DOCTOR_OK, "key", "%s accepts it; models: %zu%s", p->name,
                   n, next.len > 0 ? " and more" : "");
    else
        doctor_say(d, DOCTOR_WARN, "key",
                   "%s answers, but not with a list of models: is its base URL "
                   "right?",
                   p->name);
    buf_release(&next);
}

static void
ask(struct doctor *d, const struct route_choice *r)
{
    const struct provider *p = r->provider;
    struct problem why = {.err = OK};
    struct upstream_request q;
    struct doctor_call c;
    struct doctor there = {.url = NULL};
    enum doctor_end end;

    upstream_request_init(&q, 65536);
    if (p->models_build(&r->account, "", clock_wall_ms(), &q, &why) != OK) {
        doctor_say(d, DOCTOR_WARN, "key", "%s cannot be asked: %s", p->name,
                   why.error);
        upstream_request_release(&q);
        return;
    }
    doctor_call_init(&c, q.method, q.url);
    c.limit_ms = LIMIT_MS;
    for (size_t i = 0; i < q.n_headers && i < COUNT_OF(c.headers); i++)
        c.headers[i] = q.headers[i];
    if (q.body.len > 0) {
        c.body = q.body.data;
        c.body_len = q.body.len;
    }
    if (conf_is_set(CONF_UPSTREAM_CA))
        there.ca_file = conf_str(CONF_UPSTREAM_CA);
    end = doctor_run(&there, &c);
    if (end == DOCTOR_REPLY) {
        say_reply(d, r, &c);
    } else {
        doctor_say(d, DOCTOR_FAIL, "key", "%s %s", p->name,
                   doctor_end_text(end, &c));
        if (end == DOCTOR_UNTRUSTED)
            doctor_change(d, ".env", "UPSTREAM_CA=… (its authority)");
    }
    doctor_call_release(&c);
    upstream_request_release(&q);
}

void
doctor_providers(struct doctor *d)
{
    const struct provider *rows[PROVIDERS_MAX];
    bool configured[PROVIDERS_MAX];
    size_t n = catalog_list(rows, configured, PROVIDERS_MAX);

    for (size_t i = 0; i < n; i++) {
        struct problem why = {.err = OK};
        struct route_choice r;

        if (configured[i] && rows[i]->models_build != NULL &&
            catalog_route(rows[i]->name, NULL, &r, &why) == OK)
            ask(d, &r);
    }
}
