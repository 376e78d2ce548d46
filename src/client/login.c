/*
 * Who we are: the header of a request, from what the configuration has. An
 * OAuth2 token is fetched with the client's credentials (RFC 6749, 4.4), kept,
 * and fetched again a little before its time is over or when it was refused.
 * The credentials go into the Authorization header of that request; to a
 * server that does not take them there, into its body, as many want it.
 */
#include "base/base.h"

#include "client/inside.h"

#include "base/clock.h"
#include "base/text.h"

#define OAUTH_EARLY_MS 30000 /* before a token ends */
#define OAUTH_FORM_MAX 16384

const char *
login_missing(const struct parley_config *c)
{
    switch (c->auth) {
    case PARLEY_AUTH_NONE: return NULL;
    case PARLEY_AUTH_BEARER:
        return c->token != NULL ? NULL : "Signing in needs a token";
    case PARLEY_AUTH_API_KEY:
        return c->api_key != NULL ? NULL : "Signing in needs an API key";
    case PARLEY_AUTH_BASIC:
        return c->username != NULL && c->password != NULL
                   ? NULL
                   : "Signing in needs a user name and a password";
    case PARLEY_AUTH_OAUTH2:
        if (c->client_id == NULL || c->client_secret == NULL ||
            c->token_url == NULL)
            return "Signing in needs a client id, a client secret and a token "
                   "URL";
        if (text_istarts(c->token_url, "https://") ||
            text_istarts(c->token_url, "http://127.0.0.1:") ||
            text_istarts(c->token_url, "http://localhost:"))
            return NULL;
        return "The token URL must begin with https://";
    }
    return "This way of signing in is not known";
}

static void
wipe(const char **s)
{
    char *text = (char *)(uintptr_t)*s;

    if (text != NULL)
        explicit_bzero(text, strlen(text));
    free(text);
    *s = NULL;
}

static void
forget_token(struct parley *p)
{
    if (p->oauth != NULL)
        explicit_bzero(p->oauth, strlen(p->oauth));
    free(p->oauth);
    p->oauth = NULL;
}

void
login_forget(struct parley *p)
{
    forget_token(p);
    wipe(&p->c.token);
    wipe(&p->c.api_key);
    wipe(&p->c.password);
    wipe(&p->c.client_secret);
    p->c.auth = PARLEY_AUTH_NONE;
}

/* --- OAuth2 --------------------------------------------------------------- */

/* A secret buffer must not leave copies: it never grows. */
static void
secret_init(struct buf *b)
{
    buf_init(b, OAUTH_FORM_MAX);
    IGNORE(buf_room(b, OAUTH_FORM_MAX - 1) == NULL);
}

void
login_wipe(struct buf *b)
{
    if (b->data != NULL)
        explicit_bzero(b->data, b->cap);
    buf_release(b);
}

static void
add_pair(struct buf *b, const char *name, const char *value)
{
    if (value == NULL || value[0] == '\0')
        return;
    if (b->len > 0)
        buf_addc(b, '&');
    buf_adds(b, name);
    buf_addc(b, '=');
    text_percent(b, value, strlen(value));
}

/* "Authorization: Basic …" of two parts. */
static void
add_basic(struct buf *out, const char *user, const char *password, bool percent)
{
    struct buf pair;

    secret_init(&pair);
    if (percent) { /* RFC 6749, 2.3.1 */
        text_percent(&pair, user, strlen(user));
        buf_addc(&pair, ':');
        text_percent(&pair, password, strlen(password));
    } else {
        buf_adds(&pair, user);
        buf_addc(&pair, ':');
        buf_adds(&pair, password);
    }
    buf_adds(out, "Authorization: Basic ");
    text_base64(out, pair.data, pair.len);
    login_wipe(&pair);
}

static bool
take_token(struct parley *p, const struct carrier_call *call)
{
    cJSON *o = json_parse_lenient(call->reply.data, call->reply.len);
    const char *token = json_str(o, "access_token");
    int64_t s = json_i64(o, "expires_in", 0);

    if (call->status == 200 && token != NULL && token[0] != '\0') {
        forget_token(p);
        p->oauth = xstrdup(token);
        p->oauth_ms = 0;
        if (s > 0 && s < INT32_MAX)
            p->oauth_ms = clock_mono_ms() + s * 1000 - OAUTH_EARLY_MS;
    }
    cJSON_Delete(o);
    return p->oauth != NULL;
}

/* One request for a token; in_body: with the credentials there. */
static enum parley_status
ask_token(struct parley *p, bool in_body)
{
    struct buf form, header;
    struct carrier_call call;
    enum parley_status status = PARLEY_OK;
    enum carrier_end end;

    secret_init(&form);
    secret_init(&header);
    add_pair(&form, "grant_type", "client_credentials");
    add_pair(&form, "scope", p->c.scope);
    if (in_body) {
        add_pair(&form, "client_id", p->c.client_id);
        add_pair(&form, "client_secret", p->c.client_secret);
    } else {
        add_basic(&header, p->c.client_id, p->c.client_secret, true);
    }
    carrier_call_init(&call, "POST", p->c.token_url);
    call.headers[0] = buf_cstr(&header);
    call.headers[1] = "Content-Type: application/x-www-form-urlencoded";
    call.headers[2] = "Accept: application/json";
    call.body = buf_cstr(&form);
    call.body_len = form.len;
    end = carrier_run(&p->carrier, &call);
    if (end == CARRIER_STOPPED)
        status = PARLEY_STOPPED;
    else if (end != CARRIER_DONE)
        status = client_fail(p, PARLEY_UNREACHABLE, 0, "token_unreachable",
                             "No token can be fetched: %s", call.why);
    else if (!take_token(p, &call) && in_body)
        status = client_fail(p, PARLEY_REFUSED, call.status, "token_refused",
                             "The token URL gave no token (HTTP status %d)",
                             call.status);
    carrier_call_release(&call);
    login_wipe(&form);
    login_wipe(&header);
    return status;
}

static enum parley_status
need_token(struct parley *p, bool again)
{
    enum parley_status s = PARLEY_OK;

    if (again || (p->oauth_ms != 0 && clock_mono_ms() >= p->oauth_ms))
        forget_token(p);
    if (p->oauth == NULL)
        s = ask_token(p, false);
    if (s == PARLEY_OK && p->oauth == NULL)
        s = ask_token(p, true);
    return s;
}

enum parley_status
login_header(struct parley *p, bool again, struct buf *out)
{
    enum parley_status s = PARLEY_OK;

    switch (p->c.auth) {
    case PARLEY_AUTH_NONE: break;
    case PARLEY_AUTH_BEARER:
        buf_addf(out, "Authorization: Bearer %s", p->c.token);
        break;
    case PARLEY_AUTH_API_KEY:
        buf_addf(out, "%s: %s",
                 p->c.api_key_header != NULL ? p->c.api_key_header
                                             : "X-API-Key",
                 p->c.api_key);
        break;
    case PARLEY_AUTH_BASIC:
        add_basic(out, p->c.username, p->c.password, false);
        break;
    case PARLEY_AUTH_OAUTH2:
        s = need_token(p, again);
        if (s == PARLEY_OK)
            buf_addf(out, "Authorization: Bearer %s", p->oauth);
        break;
    }
    if (s == PARLEY_OK && out->len > 0 &&
        strpbrk(buf_cstr(out), "\r\n") != NULL)
        return client_fail(p, PARLEY_WRONG, 0, "invalid_credentials",
                           "A credential must be one line");
    return s;
}

/* --- a frame ------------------------------------------------------------- */

static void
put_credentials(struct json_out *j, const struct parley_config *c)
{
    switch (c->auth) {
    case PARLEY_AUTH_NONE: break;
    case PARLEY_AUTH_BEARER:
        json_put_str(j, "auth_type", "bearer_token");
        json_put_str(j, "token", c->token);
        break;
    case PARLEY_AUTH_API_KEY:
        json_put_str(j, "auth_type", "api_key");
        json_put_str(j, "api_key", c->api_key);
        if (c->api_key_header != NULL)
            json_put_str(j, "api_key_header", c->api_key_header);
        break;
    case PARLEY_AUTH_BASIC:
        json_put_str(j, "auth_type", "basic_auth");
        json_put_str(j, "username", c->username);
        json_put_str(j, "password", c->password);
        break;
    case PARLEY_AUTH_OAUTH2:
        json_put_str(j, "auth_type", "oauth2");
        json_put_str(j, "client_id", c->client_id);
        json_put_str(j, "client_secret", c->client_secret);
        json_put_str(j, "token_url", c->token_url);
        if (c->scope != NULL)
            json_put_str(j, "scope", c->scope);
        break;
    }
}

void
login_frame(const struct parley *p, struct buf *out)
{
    struct json_out j;

    IGNORE(buf_room(out, out->max - 1) == NULL); /* so that it never grows */
    json_out_init(&j, out);
    json_begin_obj(&j);
    json_put_str(&j, "type", "auth");
    put_credentials(&j, &p->c);
    json_end_obj(&j);
}
