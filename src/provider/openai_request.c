/*
 * What all requests of this wire have in common: the address under the base
 * URL, and who asks. The account's organisation and project go into headers
 * whose names are the provider's (docs/WIRE.md).
 *
 * A header's value may come from a setting, so it may hold anything;
 * upstream_request_header refuses what would begin another header. Buffers
 * that held the key are wiped.
 */
#include "base/base.h"

#include "provider/openai.h"

#include "base/mem.h"
#include "base/text.h"

#define URL_MAX 2048           /* bytes of a base URL */
#define HEADER_MAX (16 * 1024) /* bytes of the authorization */

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
put_key(struct upstream_request *out, const char *key)
{
    struct buf value;
    enum err e;

    if (key == NULL || key[0] == '\0')
        return OK;
    buf_init(&value, HEADER_MAX);
    buf_adds(&value, "Bearer ");
    buf_adds(&value, key);
    e = buf_status(&value);
    if (e == OK)
        e = upstream_request_header(out, "Authorization", buf_cstr(&value));
    if (value.data != NULL)
        explicit_bzero(value.data, value.cap);
    buf_release(&value);
    return e;
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
    if (put_key(out, acc->key) != OK)
        return problem_set(why, ERR_BADREQ, "provider_key",
                           "The provider's key cannot be sent",
                           "%s must be one line.", w->key_setting);
    return OK;
}

enum err
openai_request(const struct openai_wire *w, const struct account *acc,
               const char *method, const char *path, const char *accept,
               struct upstream_request *out, struct problem *why)
{
    size_t len = strlen(acc->base_url), path_len = strlen(path);

    while (len > 0 && acc->base_url[len - 1] == '/')
        len--;
    if (len == 0 || len > URL_MAX)
        return problem_set(why, ERR_BADREQ, "provider_address",
                           "The provider's address is not usable", "Check %s.",
                           w->url_setting);
    out->method = method;
    out->http2 = text_istarts(acc->base_url, "https:");
    free(out->url);
    out->url = xmalloc(len + path_len + 1);
    memcpy(out->url, acc->base_url, len);
    memcpy(out->url + len, path, path_len + 1);
    return put_headers(w, acc, accept, out, why);
}
