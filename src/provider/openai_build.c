/*
 * An ask as a Chat Completions request (docs/WIRE.md).
 *
 * One thing depends on who is asked. OpenAI has renamed the limit of the
 * answer: its reasoning models refuse max_tokens, while most servers that
 * speak the same wire know only max_tokens and some refuse members that they
 * do not know. So api.openai.com is sent max_completion_tokens and everybody
 * else max_tokens.
 *
 * What was not asked for is not sent, since models differ in what they allow
 * (a temperature, for one). The system text is the first message; its role is
 * "system", which OpenAI reads as "developer" where that is wanted.
 */
#include "base/base.h"

#include "provider/openai.h"

#include <math.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#define URL_MAX 2048

static const char path[] = "/chat/completions";

/* The host of a base URL, without port. */
static bool
is_openai(const char *base_url)
{
    static const char host[] = "api.openai.com";
    const char *s = strstr(base_url, "://");

    s = s != NULL ? s + 3 : base_url;
    return text_ieqn(s, strcspn(s, ":/?#"), host);
}

static void
put_message(struct json_out *j, enum role role, const char *text, size_t n)
{
    json_begin_obj(j);
    json_put_str(j, "role", role_name(role));
    json_put_strn(j, "content", text, n);
    json_end_obj(j);
}

static void
put_messages(struct json_out *j, const struct ask *ask)
{
    size_t i;

    json_name(j, "messages");
    json_begin_arr(j);
    if (ask->system != NULL && ask->system[0] != '\0')
        put_message(j, ROLE_SYSTEM, ask->system, strlen(ask->system));
    for (i = 0; i < ask->n_messages; i++) {
        const struct ask_message *m = &ask->messages[i];

        put_message(j, m->role, m->text, m->len);
    }
    json_end_arr(j);
}

static void
put_options(struct json_out *j, const struct ask *ask, bool openai)
{
    size_t i;

    if (!isnan(ask->temperature)) {
        json_name(j, "temperature");
        json_add_num(j, ask->temperature);
    }
    if (!isnan(ask->top_p)) {
        json_name(j, "top_p");
        json_add_num(j, ask->top_p);
    }
    if (ask->max_tokens > 0)
        json_put_i64(j, openai ? "max_completion_tokens" : "max_tokens",
                     ask->max_tokens);
    if (ask->n_stop == 0)
        return;
    json_name(j, "stop");
    json_begin_arr(j);
    for (i = 0; i < ask->n_stop; i++)
        json_add_str(j, ask->stop[i]);
    json_end_arr(j);
}

static void
put_body(struct buf *out, const struct ask *ask, bool openai)
{
    struct json_out j;

    json_out_init(&j, out);
    json_begin_obj(&j);
    json_put_str(&j, "model", ask->model);
    put_messages(&j, ask);
    json_put_bool(&j, "stream", true);
    json_name(&j, "stream_options");
    json_begin_obj(&j);
    json_put_bool(&j, "include_usage", true);
    json_end_obj(&j);
    put_options(&j, ask, openai);
    json_end_obj(&j);
}

static enum err
put_headers(struct upstream_request *out, const char *key)
{
    struct buf value;
    enum err e;

    e = upstream_request_header(out, "Content-Type", "application/json");
    if (e == OK)
        e = upstream_request_header(out, "Accept", "text/event-stream");
    if (e != OK || key == NULL || key[0] == '\0')
        return e;
    buf_init(&value, 16 * 1024);
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

enum err
openai_build(const struct ask *ask, const struct account *acc,
             struct upstream_request *out, struct problem *why)
{
    size_t len = strlen(acc->base_url);

    while (len > 0 && acc->base_url[len - 1] == '/')
        len--;
    if (len == 0 || len > URL_MAX)
        return problem_set(why, ERR_BADREQ, "provider_address",
                           "The provider's address is not usable",
                           "Check OPENAI_BASE_URL.");
    if (ask->n_messages == 0)
        return problem_set(why, ERR_BADREQ, NULL, "There is nothing to ask",
                           NULL);
    out->method = "POST";
    out->http2 = text_istarts(acc->base_url, "https:");
    free(out->url);
    out->url = xmalloc(len + sizeof(path));
    memcpy(out->url, acc->base_url, len);
    memcpy(out->url + len, path, sizeof(path));
    if (put_headers(out, acc->key) != OK)
        return problem_set(why, ERR_BADREQ, "provider_key",
                           "The provider's key cannot be sent",
                           "OPENAI_API_KEY must be one line.");
    put_body(&out->body, ask, is_openai(acc->base_url));
    if (buf_status(&out->body) != OK)
        return problem_set(why, ERR_TOOBIG, NULL,
                           "The conversation is too long to be sent",
                           "Start a new session or clear this one.");
    return OK;
}
