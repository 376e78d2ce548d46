/*
 * Claims. What is wrong with a registered claim (RFC 7519, section 4.1) refuses
 * the token, also where nothing is set that it could be compared with: whoever
 * wrote it did not mean what we would read. Claims that are only for show are
 * left out instead.
 */
#include "base/base.h"

#include "auth/jwt_claims.h"

#include <math.h>

#include "base/json.h"
#include "base/text.h"

#define DATE_MAX_S 253402300799.0 /* the end of the year 9999 */

static enum err
refuse(struct problem *why, const char *message)
{
    return problem_set(why, ERR_AUTH, "invalid_token", "The token is not valid",
                       "%s", message);
}

static const cJSON *
claim(const cJSON *o, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(o, name);
}

/* --- texts ---------------------------------------------------------------- */

static bool
is_clean(const char *s)
{
    return text_plain(s, strlen(s));
}

/* A text that is there whole, or not at all. */
static bool
take_text(char *out, size_t size, const cJSON *o, const char *name)
{
    const char *s = json_str(o, name);

    if (s == NULL || s[0] == '\0' || strlen(s) >= size || !is_clean(s))
        return false;
    memcpy(out, s, strlen(s) + 1);
    return true;
}

/* What to show of the owner: as much of it as there is room for. */
static void
take_name(struct jwt_claims *out, const cJSON *o)
{
    static const char *const names[] = {"name", "preferred_username", "email"};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *s = json_str(o, names[i]);
        size_t n;

        if (s == NULL || s[0] == '\0' || !is_clean(s))
            continue;
        n = strnlen(s, sizeof(out->name) - 1);
        n = utf8_whole(s, n);
        memcpy(out->name, s, n);
        out->name[n] = '\0';
        return;
    }
}

/* --- times ---------------------------------------------------------------- */

/* A NumericDate, perhaps with a fraction. true: it is one, or is not there. */
static bool
take_date(const cJSON *o, const char *name, bool *there, int64_t *out_ms)
{
    const cJSON *v = claim(o, name);

    *there = v != NULL;
    *out_ms = 0;
    if (v == NULL)
        return true;
    if (!cJSON_IsNumber(v) || !(fabs(v->valuedouble) <= DATE_MAX_S))
        return false;
    *out_ms = (int64_t)floor(v->valuedouble * 1000);
    return true;
}

static enum err
check_times(struct jwt_claims *out, const cJSON *o, int64_t now_ms,
            struct problem *why)
{
    const int64_t leeway_ms = JWT_LEEWAY_S * INT64_C(1000);
    bool has_exp, has_nbf, has_iat;
    int64_t nbf_ms;

    if (!take_date(o, "exp", &has_exp, &out->exp_ms) ||
        !take_date(o, "nbf", &has_nbf, &nbf_ms) ||
        !take_date(o, "iat", &has_iat, &out->iat_ms))
        return refuse(why, "A time in it is no number of seconds.");
    if (!has_exp)
        return refuse(why, "It does not say when it ends (exp).");
    if (now_ms >= out->exp_ms + leeway_ms)
        return problem_set(why, ERR_AUTH, "token_expired", "The token is over",
                           "Please sign in again.");
    if (has_nbf && now_ms < nbf_ms - leeway_ms)
        return refuse(why, "Its time has not come yet (nbf).");
    if (has_iat && now_ms < out->iat_ms - leeway_ms)
        return refuse(why, "It is of the future (iat).");
    return OK;
}

/* --- from whom, for whom -------------------------------------------------- */

static bool
is_set(const char *s)
{
    return s != NULL && s[0] != '\0';
}

static enum err
check_iss(struct jwt_claims *out, const cJSON *o, const char *issuer,
          struct problem *why)
{
    if (claim(o, "iss") != NULL &&
        !take_text(out->iss, sizeof(out->iss), o, "iss"))
        return refuse(why, "Its issuer (iss) is not valid.");
    if (is_set(issuer) && strcmp(out->iss, issuer) != 0)
        return refuse(why, "It is of another issuer (iss).");
    return OK;
}

static enum err
check_aud(struct jwt_claims *out, const cJSON *o, const char *audience,
          struct problem *why)
{
    const cJSON *aud = claim(o, "aud"), *v = aud;
    bool found = false;

    if (cJSON_IsArray(aud))
        v = aud->child;
    else if (aud != NULL && !cJSON_IsString(aud))
        return refuse(why, "Its audience (aud) is not valid.");
    for (; v != NULL; v = v == aud ? NULL : v->next) {
        if (!cJSON_IsString(v) || ++out->n_aud > JWT_AUD_MAX)
            return refuse(why, "Its audience (aud) is not valid.");
        if (is_set(audience) && strcmp(v->valuestring, audience) == 0)
            found = true;
    }
    return found || !is_set(audience)
               ? OK
               : refuse(why, "It is for another audience (aud).");
}

/* --- what its owner may do ------------------------------------------------ */

struct word {
    const char *name;
    unsigned may;
};

static const struct word roles[] = {
    {"admin", MAY_ALL},      {"user", MAY_USER},     {"read-only", MAY_READ},
    {"read_only", MAY_READ}, {"readonly", MAY_READ}, {"viewer", MAY_READ},
};

static const struct word scopes[] = {
    {"admin", MAY_ALL},
    {"write", MAY_USER},
    {"read", MAY_READ},
};

static unsigned
word_may(const struct word *words, size_t n_words, const char *s, size_t n)
{
    for (size_t i = 0; i < n_words; i++)
        if (strlen(words[i].name) == n && memcmp(words[i].name, s, n) == 0)
            return words[i].may;
    return 0;
}

static unsigned
role_may(const char *s)
{
    return word_may(roles, COUNT_OF(roles), s, strlen(s));
}

/* A text of scopes with spaces between. */
static unsigned
scope_may(const char *s)
{
    static const char own[] = "parley:";
    unsigned may = 0;

    while (*s != '\0') {
        size_t n = strcspn(s, " "), skip;

        skip = strncmp(s, own, sizeof(own) - 1) == 0 ? sizeof(own) - 1 : 0;
        may |= word_may(scopes, COUNT_OF(scopes), s + skip, n - skip);
        s += n;
        s += strspn(s, " ");
    }
    return may;
}

/* All that the texts of one claim say. */
static unsigned
claim_may(const cJSON *o, const char *name, unsigned (*of)(const char *s))
{
    const cJSON *c = claim(o, name), *v;
    unsigned may = 0;

    if (cJSON_IsString(c))
        return of(c->valuestring);
    if (cJSON_IsArray(c))
        cJSON_ArrayForEach(v, c)
            if (cJSON_IsString(v))
                may |= of(v->valuestring);
    return may;
}

static unsigned
may_of(const cJSON *o, bool ours)
{
    unsigned role = claim_may(o, "role", role_may) |
                    claim_may(o, "roles", role_may);
    unsigned scope = claim_may(o, "scope", scope_may) |
                     claim_may(o, "scp", scope_may);

    if (role == 0)
        role = ours && scope == MAY_ALL ? MAY_ALL : MAY_USER;
    return scope != 0 ? role & scope : role;
}

/* --- all of them ---------------------------------------------------------- */

enum err
jwt_claims_read(struct jwt_claims *out, const cJSON *o,
                const struct jwt_config *c, int64_t now_ms, struct problem *why)
{
    enum err e;

    if (!cJSON_IsObject(o))
        return refuse(why, "Its claims are no JSON object.");
    e = check_times(out, o, now_ms, why);
    if (e == OK)
        e = check_iss(out, o, c->issuer, why);
    if (e == OK)
        e = check_aud(out, o, c->audience, why);
    if (e == OK && !take_text(out->sub, sizeof(out->sub), o, "sub"))
        e = refuse(why, "It does not say whose it is (sub).");
    if (e != OK)
        return e;
    take_name(out, o);
    IGNORE(take_text(out->jti, sizeof(out->jti), o, "jti"));
    IGNORE(take_text(out->nonce, sizeof(out->nonce), o, "nonce"));
    IGNORE(take_text(out->azp, sizeof(out->azp), o, "azp"));
    IGNORE(take_text(out->sid, sizeof(out->sid), o, "sid"));
    out->may = may_of(o, out->ours);
    return OK;
}
