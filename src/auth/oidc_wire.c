/*
 * An OpenID provider's words. What it says is read strictly and believed only
 * as far as it has to be: endpoints are https (plain http only on this machine,
 * and only if the issuer itself is such), the document must name the very
 * issuer that was asked for (Discovery 4.3: else one provider could speak for
 * another), and nothing of an error description is ever shown or logged.
 *
 * Left out: request objects, PAR, other response modes than query, and clients
 * that prove themselves with a key (private_key_jwt).
 */
#include "base/base.h"

#include "auth/oidc_wire.h"

#include "base/digest.h"
#include "base/ident.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#define WELL_KNOWN "/.well-known/openid-configuration"
#define FORM_MORE 512 /* bytes of a form beside its values */

/* --- random and PKCE ------------------------------------------------------ */

_Static_assert(OIDC_RANDOM_LEN == TEXT_BASE64URL_LEN(DIGEST_LEN), "base64url");

void
oidc_random(char out[OIDC_RANDOM_LEN + 1])
{
    uint8_t bytes[DIGEST_LEN];

    ident_random(bytes, sizeof(bytes));
    text_base64url(out, bytes, sizeof(bytes));
    explicit_bzero(bytes, sizeof(bytes));
}

bool
oidc_random_ok(const char *s)
{
    size_t n;

    if (s == NULL)
        return false;
    n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                  "0123456789-_");
    return n == OIDC_RANDOM_LEN && s[n] == '\0';
}

void
oidc_challenge(char out[OIDC_RANDOM_LEN + 1], const char *verifier)
{
    uint8_t sum[DIGEST_LEN];

    digest_sha256(sum, verifier, strlen(verifier));
    text_base64url(out, sum, sizeof(sum));
}

/* --- discovery ------------------------------------------------------------ */

void
oidc_discovery_url(struct buf *out, const char *issuer)
{
    size_t n = strlen(issuer);

    if (n > 0 && issuer[n - 1] == '/')
        n--;
    buf_add(out, issuer, n);
    buf_adds(out, WELL_KNOWN);
}

static enum err
no_provider(struct problem *why, const char *message)
{
    return problem_set(why, ERR_UPSTREAM, "provider_failed",
                       "The OpenID provider cannot be used", "%s", message);
}

/* A URL of the document; what is not one reads as missing. */
static bool
get_url(const cJSON *o, const char *name, bool plain,
        char out[OIDC_URL_MAX + 1])
{
    const char *url = json_str(o, name);

    if (url == NULL || !oidc_url_ok(url, plain))
        return false;
    memcpy(out, url, strlen(url) + 1);
    return true;
}

static bool
lists(const cJSON *o, const char *name, const char *word)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, json_arr(o, name)) {
        if (cJSON_IsString(item) && strcmp(item->valuestring, word) == 0)
            return true;
    }
    return false;
}

/* The header is what a document that says nothing means, and what all have to
 * take that give out secrets (RFC 6749, section 2.3.1). */
static enum oidc_secret
secret_place(const cJSON *o)
{
    static const char name[] = "token_endpoint_auth_methods_supported";

    return lists(o, name, "client_secret_post") &&
                   !lists(o, name, "client_secret_basic")
               ? OIDC_SECRET_FORM
               : OIDC_SECRET_HEADER;
}

static enum err
read_document(const char *issuer, const cJSON *o, struct oidc_provider *out,
              struct problem *why)
{
    const char *says = json_str(o, "issuer");
    bool plain = oidc_url_plain(issuer);

    if (says == NULL || strcmp(says, issuer) != 0)
        return no_provider(why, "Its document names another issuer than "
                                "OIDC_ISSUER, which must be the same to the "
                                "last character.");
    if (!get_url(o, "authorization_endpoint", plain, out->authorization))
        return no_provider(why, "It has no authorization_endpoint of https.");
    if (!get_url(o, "token_endpoint", plain, out->token))
        return no_provider(why, "It has no token_endpoint of https.");
    if (!get_url(o, "jwks_uri", plain, out->jwks))
        return no_provider(why, "It has no jwks_uri of https.");
    if (json_arr(o, "response_types_supported") != NULL &&
        !lists(o, "response_types_supported", "code"))
        return no_provider(why, "It does not know the code flow.");
    IGNORE(get_url(o, "userinfo_endpoint", plain, out->userinfo));
    IGNORE(get_url(o, "end_session_endpoint", plain, out->end_session));
    out->secret = secret_place(o);
    out->says_issuer = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(
        o, "authorization_response_iss_parameter_supported"));
    return OK;
}

enum err
oidc_discovery_read(const char *issuer, const char *p, size_t n,
                    struct oidc_provider *out, struct problem *why)
{
    cJSON *o = NULL;
    enum err e;

    memset(out, 0, sizeof(*out));
    if (json_parse(p, n, &o, NULL) != OK || !cJSON_IsObject(o))
        e = no_provider(why, "Its document is not a JSON object.");
    else
        e = read_document(issuer, o, out, why);
    cJSON_Delete(o);
    return e;
}

/* --- through the browser -------------------------------------------------- */

static void
put_arg(struct buf *b, const char *name, const char *value)
{
    buf_addf(b, "%s=", name);
    text_percent(b, value, strlen(value));
}

static void
put_more(struct buf *b, const char *name, const char *value)
{
    buf_addc(b, '&');
    put_arg(b, name, value);
}

/* A URL to which arguments are added; it may have some. */
static void
put_url(struct buf *b, const char *url)
{
    buf_adds(b, url);
    if (strchr(url, '?') == NULL)
        buf_addc(b, '?');
    else if (b->len > 0 && strchr("?&", b->data[b->len - 1]) == NULL)
        buf_addc(b, '&');
}

void
oidc_authorize_url(struct buf *out, const struct oidc_provider *p,
                   const struct oidc_client *c, const struct oidc_ask *a)
{
    char challenge[OIDC_RANDOM_LEN + 1];

    oidc_challenge(challenge, a->verifier);
    put_url(out, p->authorization);
    put_arg(out, "response_type", "code");
    put_more(out, "client_id", c->id);
    put_more(out, "redirect_uri", a->redirect_uri);
    put_more(out, "scope", c->scopes);
    put_more(out, "state", a->state);
    put_more(out, "nonce", a->nonce);
    put_more(out, "code_challenge", challenge);
    put_more(out, "code_challenge_method", "S256");
}

static enum err
denied(struct problem *why, const char *code, const char *message)
{
    return problem_set(why, ERR_AUTH, code, "Signing in failed", "%s", message);
}

enum err
oidc_answer_check(const struct oidc_provider *p, const char *issuer,
                  const struct oidc_answer *a, struct problem *why)
{
    if (a->issuer != NULL ? strcmp(a->issuer, issuer) != 0 : p->says_issuer)
        return denied(why, "token_invalid",
                      "The response is not of the issuer that was asked.");
    if (a->error != NULL && strcmp(a->error, "access_denied") == 0)
        return denied(why, "access_denied", "The provider did not allow it.");
    if (a->error != NULL)
        return denied(why, "provider_refused", "The provider says an error.");
    if (a->code == NULL || *a->code == '\0' || strlen(a->code) > OIDC_CODE_MAX)
        return denied(why, "provider_failed", "The response has no code.");
    return OK;
}

/* --- tokens --------------------------------------------------------------- */

/* RFC 6749, section 2.3.1: each part percent-encoded, then base64. */
static char *
basic(const struct oidc_client *c)
{
    size_t n = 3 * (strlen(c->id) + strlen(c->secret)) + 2;
    struct buf pair, value;
    char *header;

    buf_init_secret(&pair, n);
    text_percent(&pair, c->id, strlen(c->id));
    buf_addc(&pair, ':');
    text_percent(&pair, c->secret, strlen(c->secret));
    buf_init_secret(&value, n * 2 + 16);
    buf_adds(&value, "Basic ");
    text_base64(&value, pair.data, pair.len);
    header = xstrdup(buf_cstr(&value));
    buf_wipe(&pair);
    buf_wipe(&value);
    return header;
}

void
oidc_form_make(struct oidc_form *f, const struct oidc_provider *p,
               const struct oidc_client *c, const struct oidc_ask *a,
               const char *code)
{
    struct buf *b = &f->body;

    f->authorization = NULL;
    buf_init_secret(b, 3 * (strlen(code) + strlen(a->redirect_uri) +
                            strlen(c->id) + strlen(c->secret)) +
                           FORM_MORE);
    put_arg(b, "grant_type", "authorization_code");
    put_more(b, "code", code);
    put_more(b, "redirect_uri", a->redirect_uri);
    put_more(b, "code_verifier", a->verifier);
    if (*c->secret != '\0' && p->secret == OIDC_SECRET_HEADER) {
        f->authorization = basic(c);
        return;
    }
    put_more(b, "client_id", c->id);
    if (*c->secret != '\0')
        put_more(b, "client_secret", c->secret);
}

void
oidc_form_release(struct oidc_form *f)
{
    buf_wipe(&f->body);
    mem_free_secret(f->authorization);
    f->authorization = NULL;
}

static enum err
read_refusal(int status, const cJSON *o, struct problem *why)
{
    const char *code = json_str(o, "error");

    if (code != NULL && strcmp(code, "invalid_grant") == 0)
        return denied(why, "login_expired",
                      "The provider does not take its code (any more).");
    if (code != NULL && (strcmp(code, "invalid_client") == 0 ||
                         strcmp(code, "unauthorized_client") == 0))
        return no_provider(why, "It does not accept OIDC_CLIENT_ID with "
                                "OIDC_CLIENT_SECRET.");
    return problem_set(why, ERR_UPSTREAM, "provider_failed",
                       "The OpenID provider cannot be used",
                       "Its token_endpoint answered with %d.", status);
}

static enum err
read_tokens(const cJSON *o, struct oidc_tokens *out, struct problem *why)
{
    const char *type = json_str(o, "token_type");
    const char *id = json_str(o, "id_token");
    const char *access = json_str(o, "access_token");

    if (type == NULL || !text_ieq(type, "Bearer"))
        return no_provider(why, "Its token_type is not Bearer.");
    if (id == NULL || !text_visible(id, OIDC_TOKEN_MAX))
        return no_provider(why, "It gave no ID token: is openid one of "
                                "OIDC_SCOPES?");
    out->id = xstrdup(id);
    if (access != NULL && text_visible(access, OIDC_TOKEN_MAX))
        out->access = xstrdup(access);
    return OK;
}

enum err
oidc_tokens_read(int status, const char *p, size_t n, struct oidc_tokens *out,
                 struct problem *why)
{
    cJSON *o = NULL, *at;
    enum err e;

    memset(out, 0, sizeof(*out));
    if (json_parse(p, n, &o, NULL) != OK || !cJSON_IsObject(o))
        e = status == 200 ? no_provider(why, "Its tokens are no JSON object.")
                          : read_refusal(status, NULL, why);
    else
        e = status == 200 ? read_tokens(o, out, why)
                          : read_refusal(status, o, why);
    cJSON_ArrayForEach(at, o) {
        if (cJSON_IsString(at))
            mem_wipe_str(at->valuestring);
    }
    cJSON_Delete(o);
    return e;
}

void
oidc_tokens_release(struct oidc_tokens *t)
{
    mem_free_secret(t->id);
    mem_free_secret(t->access);
    t->id = t->access = NULL;
}

void
oidc_wire_logout(struct buf *out, const struct oidc_provider *p,
                 const struct oidc_client *c, const char *back)
{
    if (p->end_session[0] == '\0')
        return;
    put_url(out, p->end_session);
    put_arg(out, "client_id", c->id);
    put_more(out, "post_logout_redirect_uri", back);
}
