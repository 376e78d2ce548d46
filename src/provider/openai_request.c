/*
 * What all requests of this wire have in common: the address under the base
 * URL, and who asks. The account's organisation and project go into headers
 * whose names are the provider's (docs/WIRE.md).
 *
 * A header's value may come from a setting, so it may hold anything;
 * upstream_request_header refuses what would begin another header.
 */
#include "base/base.h"

#include "provider/openai.h"

#include "base/text.h"
#include "provider/wire.h"

#define HINT_MAX 96 /* bytes; a setting's name and some words */

const struct openai_wire openai_wire = {
    .name = "openai",
    .org_header = "OpenAI-Organization",
    .project_header = "OpenAI-Project",
    .url_setting = "OPENAI_BASE_URL",
    .key_setting = "OPENAI_API_KEY",
};

bool
openai_host_is(const char *base_url, const char *host)
{
    const char *s = strstr(base_url, "://");

    s = s != NULL ? s + 3 : base_url;
    return text_ieqn(s, strcspn(s, ":/?#"), host);
}

bool
openai_is_openai(const char *base_url)
{
    return openai_host_is(base_url, "api.openai.com");
}

static enum err
put_optional(struct upstream_request *out, const char *name, const char *value)
{
    if (name == NULL || value == NULL || value[0] == '\0')
        return OK;
    return upstream_request_header(out, name, value);
}

static enum err
put_headers(const struct openai_wire *w, const struct account *acc,
            const char *accept, struct upstream_request *out,
            struct problem *why)
{
    char hint[HINT_MAX];
    enum err e = OK;

    if (strcmp(out->method, "POST") == 0)
        e = upstream_request_header(out, "Content-Type", "application/json");
    if (e == OK)
        e = upstream_request_header(out, "Accept", accept);
    if (e == OK)
        e = put_optional(out, w->org_header, acc->org);
    if (e == OK)
        e = put_optional(out, w->project_header, acc->project);
    if (e != OK)
        return problem_set(why, ERR_BADREQ, "provider_account",
                           "The provider's account cannot be named",
                           "The organisation and the project must be one "
                           "line each.");
    (void)snprintf(hint, sizeof(hint), "%s must be one line.", w->key_setting);
    return wire_secret(out, "Authorization", "Bearer ", acc->key, hint, why);
}

enum err
openai_request(const struct openai_wire *w, const struct account *acc,
               const char *method, const char *path, const char *accept,
               struct upstream_request *out, struct problem *why)
{
    char hint[HINT_MAX];
    enum err e;

    (void)snprintf(hint, sizeof(hint), "Check %s.", w->url_setting);
    e = wire_url(out, acc->base_url, path, hint, why);
    out->method = method;
    return e == OK ? put_headers(w, acc, accept, out, why) : e;
}
