/*
 * A token server's words. It is asked as RFC 6749 has it: a form, the client
 * in the Authorization header (section 2.3.1: each part percent-encoded, then
 * base64), which servers must take, or in the form, which some want instead.
 *
 * Its reply is read strictly, and nothing of it is ever shown: a server that
 * repeats a secret in its description of an error is not unheard of. So the
 * codes of section 5.2 become sentences of ours.
 */
#include "base/base.h"

#include "auth/oauth2_wire.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#define FORM_MORE 256 /* bytes of a form beside its values */

/* --- asking --------------------------------------------------------------- */

static bool
given(const char *s)
{
    return s != NULL && *s != '\0';
}

/* "Basic " and the base64 of id:secret. */
static void
put_basic(const struct credentials *c, struct upstream_request *q)
{
    size_t n = 3 * (strlen(c->client_id) + strlen(c->client_secret)) + 2;
    struct buf pair, value;

    buf_init_secret(&pair, n);
    text_percent(&pair, c->client_id, strlen(c->client_id));
    buf_addc(&pair, ':');
    text_percent(&pair, c->client_secret, strlen(c->client_secret));
    buf_init_secret(&value, n * 2 + 16);
    buf_adds(&value, "Basic ");
    text_base64(&value, pair.data, pair.len);
    IGNORE(upstream_request_header(q, "Authorization", buf_cstr(&value)));
    buf_wipe(&pair);
    buf_wipe(&value);
}

static void
put_field(struct buf *b, const char *name, const char *value)
{
    buf_addf(b, "&%s=", name);
    text_percent(b, value, strlen(value));
}

void
oauth2_request(const struct credentials *c, struct upstream_request *q)
{
    size_t n = strlen(c->client_id) + strlen(c->client_secret) +
               (c->scope != NULL ? strlen(c->scope) : 0);

    upstream_request_init(q, 3 * n + FORM_MORE);
    q->secret = true;
    q->url = xstrdup(c->token_url);
    buf_init_secret(&q->body, 3 * n + FORM_MORE);
    buf_adds(&q->body, "grant_type=client_credentials");
    if (given(c->scope))
        put_field(&q->body, "scope", c->scope);
    if (c->in_body) {
        put_field(&q->body, "client_id", c->client_id);
        put_field(&q->body, "client_secret", c->client_secret);
    } else {
        put_basic(c, q);
    }
    IGNORE(upstream_request_header(q, "Content-Type",
                                   "application/x-www-form-urlencoded"));
    IGNORE(upstream_request_header(q, "Accept", "application/json"));
}

/* --- what is wrong -------------------------------------------------------- */

static enum err
refused(struct problem *why, const char *message)
{
    return problem_set(why, ERR_AUTH, "token_refused",
                       "The token server refused", "%s", message);
}

static enum err
garbage(struct problem *why, const char *message)
{
    return problem_set(why, ERR_UPSTREAM, "token_server_failed",
                       "The token server's reply is not understood", "%s",
                       message);
}

/* The codes of RFC 6749 section 5.2. */
static const struct {
    const char *code, *message;
} codes[] = {
    {"invalid_client", "It does not accept this client_id and client_secret."},
    {"invalid_scope", "It does not give this scope to the client."},
    {"unauthorized_client", "The client may not ask for tokens in this way."},
    {"unsupported_grant_type",
     "It gives no tokens to clients that ask for themselves."},
    {"invalid_grant", "It does not grant the client a token."},
    {"access_denied", "It does not grant the client a token."},
    {"invalid_request", "It does not accept the request."},
};

static enum err
read_error(int status, const cJSON *o, struct oauth2_reply *out,
           struct problem *why)
{
    const char *code = json_str(o, "error");

    for (size_t i = 0; code != NULL && i < COUNT_OF(codes); i++)
        if (strcmp(code, codes[i].code) == 0) {
            out->refused_client = i == 0;
            return refused(why, codes[i].message);
        }
    if (status == 429)
        return problem_set(why, ERR_LIMIT, "token_server_busy",
                           "The token server was asked too often", "%s",
                           "Try again later.");
    if (status >= 500)
        return problem_set(why, ERR_UPSTREAM, "token_server_failed",
                           "The token server failed",
                           "It answered with %d. Try again later.", status);
    if (status >= 300 && status < 400)
        return problem_set(why, ERR_UPSTREAM, "token_server_moved",
                           "The token server sends elsewhere", "%s",
                           "Redirects are not followed: use the address that "
                           "it gives tokens at.");
    return problem_set(why, ERR_AUTH, "token_refused",
                       "The token server refused", "It answered with %d.",
                       status);
}

enum err
oauth2_unreached(enum transfer_end end, struct problem *why)
{
    const char *error = "The token server cannot be reached";
    const char *message = "Check token_url, then try again.";
    enum err e = ERR_UPSTREAM;

    switch (end) {
    case TRANSFER_TIMEOUT:
        e = ERR_TIMEOUT;
        error = "The token server is too slow";
        message = "Nothing came from it in time. Try again later.";
        break;
    case TRANSFER_FORBIDDEN:
        e = ERR_FORBIDDEN;
        error = "This address may not be called";
        message = "The host leads to one that is not of the internet at large.";
        break;
    case TRANSFER_UNTRUSTED:
        error = "The token server's certificate is not trusted";
        message = "It must be of an authority that this server knows.";
        break;
    case TRANSFER_CONNECT: break;
    default:
        error = "The token server's reply is not understood";
        message = "It broke off, or is none of HTTP.";
    }
    return problem_set(why, e,
                       e == ERR_FORBIDDEN ? "address_not_allowed"
                                          : "token_server_failed",
                       error, "%s", message);
}

/* --- a token -------------------------------------------------------------- */

/* A number, or one in a string, as some servers write it. */
static int64_t
life_of(const cJSON *o)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, "expires_in");
    int64_t s = OAUTH2_LIFE_S;

    if (cJSON_IsNumber(v)) {
        if (v->valuedouble >= OAUTH2_LIFE_MAX_S)
            return OAUTH2_LIFE_MAX_S;
        return v->valuedouble > 0 ? (int64_t)v->valuedouble : 0;
    }
    if (cJSON_IsString(v))
        IGNORE(
            text_i64(v->valuestring, strlen(v->valuestring), 0, INT64_MAX, &s));
    return s < OAUTH2_LIFE_MAX_S ? s : OAUTH2_LIFE_MAX_S;
}

static enum err
read_token(const cJSON *o, struct oauth2_reply *out, struct problem *why)
{
    const char *token = json_str(o, "access_token");
    const char *type = json_str(o, "token_type");

    if (token == NULL)
        return garbage(why, "It has no access_token.");
    if (type == NULL || !text_ieq(type, "Bearer"))
        return garbage(why, "Its token_type is not Bearer.");
    if (!text_visible(token, CREDENTIALS_VALUE_MAX))
        return garbage(why, "Its access_token cannot be sent in a header.");
    out->token = xstrdup(token);
    out->life_s = life_of(o);
    return OK;
}

enum err
oauth2_reply_read(int status, const char *p, size_t n, struct oauth2_reply *out,
                  struct problem *why)
{
    struct problem unused;
    cJSON *o = NULL;
    enum err e;

    memset(out, 0, sizeof(*out));
    if (n > OAUTH2_REPLY_MAX)
        return garbage(why, "It is too long.");
    if (json_parse(p, n, &o, &unused) != OK)
        o = NULL;
    if (status < 200 || status > 299)
        e = read_error(status, o, out, why);
    else if (!cJSON_IsObject(o))
        e = garbage(why, "It is no JSON object.");
    else
        e = read_token(o, out, why);
    json_wipe(o);
    return e;
}

void
oauth2_reply_release(struct oauth2_reply *r)
{
    mem_free_secret(r->token);
    r->token = NULL;
}
