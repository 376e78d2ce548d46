/*
 * An auth frame: which kind of credentials, and the values of that kind. What
 * is in them is looked at by auth/credentials.h. Pure.
 */
#include "base/base.h"

#include "dialect/ws_inside.h"

#include "auth/credentials.h"
#include "base/mem.h"

static const struct {
    const char *name;
    enum credentials_kind kind;
} kinds[] = {
    {"bearer_token", CREDENTIALS_BEARER},
    {"bearer", CREDENTIALS_BEARER},
    {"api_key", CREDENTIALS_API_KEY},
    {"basic_auth", CREDENTIALS_BASIC},
    {"basic", CREDENTIALS_BASIC},
    {"oauth2", CREDENTIALS_OAUTH2},
    {"oauth2_client_credentials", CREDENTIALS_OAUTH2},
};

static bool
find_kind(const char *name, enum credentials_kind *out)
{
    for (size_t i = 0; name != NULL && i < COUNT_OF(kinds); i++)
        if (strcmp(name, kinds[i].name) == 0) {
            *out = kinds[i].kind;
            return true;
        }
    return false;
}

/* The frame is understood, and what it says is not enough. */
static void
refuse(struct ws_in *in, const char *error, const char *message)
{
    (void)problem_set(&in->why, ERR_BADREQ, "invalid_credentials", error, "%s",
                      message);
}

void
ws_read_auth(struct ws_in *in)
{
    const cJSON *o = in->ask;
    enum credentials_kind kind;
    struct credentials *c;

    in->what = WS_AUTH;
    if (!find_kind(json_str(o, "auth_type"), &kind)) {
        refuse(in, "Unknown auth_type",
               "It is bearer_token, api_key, basic_auth or oauth2.");
        return;
    }
    c = credentials_new(kind);
    switch (kind) {
    case CREDENTIALS_BEARER: c->token = xstrdup(json_str(o, "token")); break;
    case CREDENTIALS_API_KEY:
        c->api_key = xstrdup(json_str(o, "api_key"));
        c->header = xstrdup(ws_lacks(o, "api_key_header")
                                ? CREDENTIALS_HEADER
                                : json_str(o, "api_key_header"));
        break;
    case CREDENTIALS_BASIC:
        c->username = xstrdup(json_str(o, "username"));
        c->password = xstrdup(json_str(o, "password"));
        break;
    default:
        c->client_id = xstrdup(json_str(o, "client_id"));
        c->client_secret = xstrdup(json_str(o, "client_secret"));
        c->token_url = xstrdup(json_str(o, "token_url"));
        c->scope = xstrdup(json_str(o, "scope"));
        break;
    }
    if (credentials_check(c, &in->why) != OK)
        credentials_free(c);
    else
        in->auth = c;
}
