/*
 * Fuzzes auth/jwt.c and auth/jwt_claims.c. The first byte chooses: 't', the
 * rest is a token as it comes; else the rest is a header, a line end, and
 * claims, which are signed here with the secret, so that what comes after the
 * signature is reached as well.
 *
 * No token is taken whose HMAC, counted here again, is not right, or that says
 * something else than HS256; and what is taken of one is within its bounds.
 */
#include "base/base.h"

#include "auth/jwk.h"
#include "auth/jwt.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"

#define SECRET "the secret of the fuzzer, of more than 32 bytes"
#define NOW_MS INT64_C(1700000000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct jwt_config config = {.audience = ""};

static void
add_base64url(struct buf *b, const void *p, size_t n)
{
    size_t from = b->len;

    text_base64(b, p, n);
    while (b->len > from && b->data[b->len - 1] == '=')
        b->len--;
    for (size_t i = from; i < b->len; i++)
        if (b->data[i] == '+')
            b->data[i] = '-';
        else if (b->data[i] == '/')
            b->data[i] = '_';
}

/* The token of a header, a line end, and claims. */
static void
make(struct buf *out, const char *p, size_t n)
{
    const char *line = memchr(p, '\n', n);
    size_t head = line != NULL ? (size_t)(line - p) : n;
    uint8_t mac[DIGEST_LEN];

    add_base64url(out, p, head);
    buf_addc(out, '.');
    if (line != NULL)
        add_base64url(out, line + 1, n - head - 1);
    digest_hmac(mac, SECRET, strlen(SECRET), out->data, out->len);
    buf_addc(out, '.');
    add_base64url(out, mac, sizeof(mac));
}

/* Is the signature right, and the algorithm the one of the secret? */
static bool
is_ours(const char *token)
{
    const char *dot = strrchr(token, '.');
    size_t one = strcspn(token, "."), n = DIGEST_LEN, head_len = 8192;
    uint8_t mac[DIGEST_LEN], its[DIGEST_LEN];
    char head[8192];
    cJSON *o = NULL;
    bool ours;

    if (dot == NULL || jwk_unbase64url(its, &n, dot + 1, strlen(dot + 1)) != OK)
        return false;
    digest_hmac(mac, SECRET, strlen(SECRET), token, (size_t)(dot - token));
    ours = n == sizeof(mac) && memcmp(mac, its, n) == 0 &&
           jwk_unbase64url(head, &head_len, token, one) == OK &&
           json_parse(head, head_len, &o, NULL) == OK &&
           json_str(o, "alg") != NULL &&
           strcmp(json_str(o, "alg"), "HS256") == 0 &&
           cJSON_GetObjectItemCaseSensitive(o, "crit") == NULL;
    cJSON_Delete(o);
    return ours;
}

static void
check_claims(const struct jwt_claims *c)
{
    size_t n = strlen(c->sub);

    assert(n > 0 && n <= JWT_SUB_MAX && c->ours);
    for (size_t i = 0; i < n; i++)
        assert((unsigned char)c->sub[i] >= ' ');
    assert(utf8_valid(c->sub, n));
    assert(utf8_valid(c->name, strlen(c->name)));
    assert(c->exp_ms > NOW_MS - JWT_LEEWAY_S * 1000);
    assert(c->iat_ms <= NOW_MS + JWT_LEEWAY_S * 1000);
    assert((c->may & MAY_READ) != 0 && (c->may & ~(unsigned)MAY_ALL) == 0);
    assert(c->n_aud <= JWT_AUD_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct jwt_claims claims;
    struct problem why = {.err = OK};
    const char *token;
    struct buf b;
    enum err e;

    if (config.secret == NULL &&
        jwk_secret_new(&config.secret, SECRET, strlen(SECRET), &why) != OK)
        abort();
    if (size == 0)
        return 0;
    buf_init(&b, 65536);
    if (data[0] == 't')
        buf_add(&b, data + 1, size - 1);
    else
        make(&b, (const char *)data + 1, size - 1);
    token = buf_cstr(&b);
    e = jwt_check(&config, token, NOW_MS, true, &claims, &why);
    assert(e == OK || (e == ERR_AUTH && why.err == ERR_AUTH));
    if (e == OK) {
        assert(is_ours(token) && jwt_looks_like(token));
        check_claims(&claims);
    } else {
        assert(claims.sub[0] == '\0' && claims.may == 0);
    }
    buf_release(&b);
    return 0;
}
