/*
 * Tests of auth/jwt.c: the form of a token, its header, which key it is
 * checked with. Tokens are made here by hand, so that they can be as wrong as a
 * test wants; those of RFC 7515 and 7519 are from jwt_vectors.h.
 */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "auth/jwks.h"
#include "auth/jwt.h"
#include "base/buf.h"
#include "base/conf.h"
#include "base/digest.h"
#include "base/text.h"
#include "jwt_vectors.h"

#include <pthread.h>
#include <unistd.h>

#define SECRET "a secret of more than 32 bytes, as it should be"
#define OTHER "another one of more than 32 bytes, for forgers!"
#define NOW_MS INT64_C(1700000000000)
#define GOOD_HEADER "{\"typ\":\"JWT\",\"alg\":\"HS256\"}"
#define GOOD_CLAIMS "{\"sub\":\"ann\",\"exp\":1700000300}"

static struct jwt_config config;
static struct jwt_claims out;
static struct problem why;

/* --- making tokens -------------------------------------------------------- */

static void
add_base64url(struct buf *b, const void *p, size_t n)
{
    size_t from = b->len;

    text_base64(b, p, n);
    while (b->len > from && b->data[b->len - 1] == '=')
        b->len--;
    for (size_t i = from; i < b->len; i++)
        b->data[i] = b->data[i] == '+'   ? '-'
                     : b->data[i] == '/' ? '_'
                                         : b->data[i];
}

/* Sign what is there. */
static void
add_signature(struct buf *b, const void *key, size_t n)
{
    uint8_t mac[DIGEST_LEN];

    digest_hmac(mac, key, n, b->data, b->len);
    buf_addc(b, '.');
    add_base64url(b, mac, sizeof(mac));
}

static const char *
token_by(const char *header, const char *claims, const void *key, size_t n)
{
    static struct buf b;

    if (b.max == 0)
        buf_init(&b, 65536);
    buf_clear(&b);
    add_base64url(&b, header, strlen(header));
    buf_addc(&b, '.');
    add_base64url(&b, claims, strlen(claims));
    add_signature(&b, key, n);
    return buf_cstr(&b);
}

static const char *
token_of(const char *header, const char *claims)
{
    return token_by(header, claims, SECRET, strlen(SECRET));
}

static enum err
check_at(const char *token, int64_t now_ms)
{
    memset(&why, 0, sizeof(why));
    memset(&out, 'x', sizeof(out));
    return jwt_check(&config, token, now_ms, false, &out, &why);
}

static enum err
check(const char *token)
{
    return check_at(token, NOW_MS);
}

static void
refused(const char *token, const char *what)
{
    if (check(token) != ERR_AUTH || why.err != ERR_AUTH ||
        strcmp(why.code, "invalid_token") != 0 || out.sub[0] != '\0' ||
        out.may != 0)
        fail_msg("not refused: %s (%s)", what, why.message);
}

/* --- before and after ----------------------------------------------------- */

static char path[] = "/tmp/test_jwt.XXXXXX";

static void
write_keys(const char *text)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static int
setup(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    (void)close(fd);
    write_keys(RFC_JWKS);
    assert_int_equal(
        jwk_secret_new(&config.secret, SECRET, strlen(SECRET), &why), OK);
    assert_int_equal(jwks_open(&config.jwks, path, NULL, NULL, &why), OK);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    jwt_config_release(&config);
    return unlink(path);
}

/* --- tests ---------------------------------------------------------------- */

static void
a_good_token_is_taken(void **state)
{
    (void)state;
    assert_int_equal(check(token_of(GOOD_HEADER, GOOD_CLAIMS)), OK);
    assert_string_equal(out.sub, "ann");
    assert_int_equal(out.exp_ms, INT64_C(1700000300000));
    assert_int_equal(out.may, MAY_USER);
    assert_true(out.ours);
    assert_int_equal(check(token_of("{\"alg\":\"HS256\"}", GOOD_CLAIMS)), OK);
    assert_int_equal(check(token_of("{\"alg\":\"HS256\",\"typ\":\"at+JWT\","
                                    "\"kid\":\"any\",\"x\":[1]}",
                                    GOOD_CLAIMS)),
                     OK);
    assert_int_equal(check(token_of(" {\r\n\"alg\":\"HS256\" } ", GOOD_CLAIMS)),
                     OK);
}

/* Their signatures are right; they have no owner. */
static void
the_examples_of_rfc_7515_fail_for_their_claims_alone(void **state)
{
    static const char *const tokens[] = {RFC_A1, RFC_A2, RFC_A3};
    struct jwk *mine = config.secret;
    uint8_t bytes[64];
    size_t n = sizeof(bytes);

    (void)state;
    assert_int_equal(jwk_unbase64url(bytes, &n, RFC_A1_KEY, strlen(RFC_A1_KEY)),
                     OK);
    assert_int_equal(jwk_secret_new(&config.secret, bytes, n, &why), OK);
    for (size_t i = 0; i < COUNT_OF(tokens); i++) {
        assert_int_equal(check_at(tokens[i], (RFC_EXP_S - 1) * INT64_C(1000)),
                         ERR_AUTH);
        assert_string_equal(why.code, "invalid_token");
        assert_non_null(strstr(why.message, "(sub)"));
        assert_int_equal(check_at(tokens[i], NOW_MS), ERR_AUTH);
        assert_string_equal(why.code, "token_expired");
    }
    assert_int_equal(check_at(RFC_A4, 0),
                     ERR_AUTH); /* its payload is no JSON */
    assert_non_null(strstr(why.message, "JSON"));
    assert_int_equal(check_at(RFC_A5, 0), ERR_AUTH); /* none */
    jwk_free(config.secret);
    config.secret = mine;
    assert_int_equal(check_at(RFC_A1, 0), ERR_AUTH);
    assert_non_null(strstr(why.message, "signature"));
}

static void
a_forged_token_is_refused(void **state)
{
    char text[1024], *dot;

    (void)state;
    refused(token_by(GOOD_HEADER, GOOD_CLAIMS, OTHER, strlen(OTHER)),
            "another secret");
    refused(token_by(GOOD_HEADER, GOOD_CLAIMS, "", 0), "no secret");
    (void)snprintf(text, sizeof(text), "%s",
                   token_of(GOOD_HEADER, GOOD_CLAIMS));
    for (size_t i = 0; text[i] != '\0'; i++) {
        char was = text[i];

        if (was == '.')
            continue;
        text[i] = was == 'A' ? 'B' : 'A';
        refused(text, "one character is another");
        text[i] = was;
    }
    assert_int_equal(check(text), OK);
    dot = strrchr(text, '.');
    dot[1] = '\0';
    refused(text, "no signature");
    *dot = '\0';
    refused(text, "no third part");
}

static void
none_is_no_algorithm(void **state)
{
    static const char *const algs[] = {"none",  "None", "NONE",        "nOnE",
                                       "none ", "",     "HS256\\u0000"};
    char header[128], text[1024];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(algs); i++) {
        (void)snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", algs[i]);
        refused(token_of(header, GOOD_CLAIMS), algs[i]);
        (void)snprintf(text, sizeof(text), "%s", token_of(header, GOOD_CLAIMS));
        strrchr(text, '.')[1] = '\0';
        refused(text, algs[i]);
    }
    refused("eyJhbGciOiJub25lIn0..", "no claims");
}

/* The public key of somebody else as the secret of an HMAC, and our secret
 * where a public key is wanted. */
static void
algorithms_are_not_confused(void **state)
{
    static const char *const publics[] = {RFC_A2_N, RFC_A3_X, RFC_JWKS, "AQAB",
                                          "a2"};
    struct jwk *mine = config.secret;
    struct jwks *theirs = config.jwks;
    char header[128];

    (void)state;
    for (size_t i = 0; i < 2 * COUNT_OF(publics); i++) {
        const char *key = publics[i / 2];
        uint8_t bytes[1024];
        size_t n = sizeof(bytes);

        config.secret = i % 2 == 0 ? mine : NULL;
        (void)snprintf(header, sizeof(header),
                       "{\"alg\":\"HS256\",\"kid\":\"%s\"}",
                       i % 2 == 0 ? "a2" : "a3");
        refused(token_by(header, GOOD_CLAIMS, key, strlen(key)), key);
        if (jwk_unbase64url(bytes, &n, key, strlen(key)) == OK)
            refused(token_by(header, GOOD_CLAIMS, bytes, n), key);
    }
    config.secret = mine;
    for (int i = 0; i < 2; i++) {
        config.jwks = i == 0 ? theirs : NULL;
        refused(token_of("{\"alg\":\"RS256\",\"kid\":\"a2\"}", GOOD_CLAIMS),
                "HMAC as RS256");
        refused(token_of("{\"alg\":\"ES256\",\"kid\":\"a3\"}", GOOD_CLAIMS),
                "HMAC as ES256");
        refused(token_of("{\"alg\":\"HS512\"}", GOOD_CLAIMS), "too short");
    }
    config.jwks = theirs;
    config.secret = NULL;
    refused(token_of(GOOD_HEADER, GOOD_CLAIMS), "no secret is set");
    config.secret = mine;
    config.jwks = NULL;
    assert_int_equal(check_at(RFC_A2, 0), ERR_AUTH); /* no keys are set */
    config.jwks = theirs;
}

static void
a_header_that_means_something_else_is_refused(void **state)
{
    static const char *const headers[] = {
        "{\"alg\":\"HS256\",\"crit\":[\"exp\"],\"exp\":1}",
        "{\"alg\":\"HS256\",\"crit\":[]}",
        "{\"alg\":\"HS256\",\"crit\":null}",
        "{\"alg\":\"HS256\",\"b64\":false}",
        "{\"alg\":\"HS256\",\"b64\":true}",
        "{\"alg\":\"HS256\",\"b64\":false,\"crit\":[\"b64\"]}",
        "{\"alg\":\"HS256\",\"zip\":\"DEF\"}",
        "{\"alg\":\"HS256\",\"cty\":\"JWT\"}",
        "{\"alg\":\"dir\",\"enc\":\"A128GCM\"}",
        "{\"alg\":\"HS256\",\"enc\":\"A128GCM\"}",
        "{\"alg\":\"HS256\",\"typ\":\"logout+jwt\"}",
        "{\"alg\":\"HS256\",\"typ\":\"dpop+jwt\"}",
        "{\"alg\":\"HS256\",\"typ\":\"JOSE+JSON\"}",
        "{\"alg\":\"HS256\",\"typ\":7}",
        "{\"alg\":\"HS256\",\"kid\":7}",
        "{\"alg\":\"HS256\",\"kid\":\"\"}",
        "{\"alg\":\"HS256\",\"kid\":null}",
        "{\"alg\":\"HS256\",\"alg\":\"HS256\"}",
        "{\"alg\":\"none\",\"alg\":\"HS256\"}",
        "{\"alg\":\"HS256\",\"\\u0061lg\":\"none\"}",
        "{\"alg\":[\"HS256\"]}",
        "{\"alg\":{\"HS256\":1}}",
        "{\"alg\":null}",
        "{\"alg\":\"hs256\"}",
        "{\"ALG\":\"HS256\"}",
        "{\"alg\":\"HS256\"} {}",
        "{\"alg\":\"HS256\",}",
        "{\"alg\":\"HS256\"",
        "[{\"alg\":\"HS256\"}]",
        "\"HS256\"",
        "null",
        "{}",
        "\xEF\xBB\xBF{\"alg\":\"HS256\"}",
        "{\"alg\":\"HS256\",\"x\":\"\xFF\"}",
        "{\"alg\":\"HS256\",\"x\":\"\\ud800\"}",
        "alg: HS256",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(headers); i++)
        refused(token_of(headers[i], GOOD_CLAIMS), headers[i]);
}

/* A key that the token brings along, or says where to find, is not used. */
static void
what_a_header_says_of_keys_is_not_used(void **state)
{
    static const char *const headers[] = {
        "{\"alg\":\"HS256\",\"jwk\":{\"kty\":\"oct\",\"k\":\"YQ\"}}",
        "{\"alg\":\"HS256\",\"jku\":\"https://evil.example/keys\"}",
        "{\"alg\":\"HS256\",\"x5u\":\"https://evil.example/c\",\"x5c\":[]}",
        "{\"alg\":\"HS256\",\"kid\":\"../../../../dev/null\"}",
        "{\"alg\":\"HS256\",\"kid\":\"' union select 'a\"}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        refused(token_by(headers[i], GOOD_CLAIMS, "a", 1), headers[i]);
        refused(token_by(headers[i], GOOD_CLAIMS, "", 0), headers[i]);
        assert_int_equal(check(token_of(headers[i], GOOD_CLAIMS)), OK);
    }
}

/* A text put into a good token at a place; "" takes a character away. */
static void
refused_with(size_t at, const char *what)
{
    const char *good = token_of(GOOD_HEADER, GOOD_CLAIMS);
    char text[1024];

    (void)snprintf(text, sizeof(text), "%.*s%s%s", (int)at, good, what,
                   good + at + (what[0] == '\0' ? 1 : 0));
    refused(text, what[0] != '\0' ? what : "a character less");
}

static void
only_the_compact_form_is_read(void **state)
{
    static const char *const tokens[] = {
        "",         ".",        "..",
        "...",      "a.b.c",    "e30.e30.e30",
        "e30",      "e30.e30",  "e30.e30.",
        ".e30.e30", "e30..e30", "{\"payload\":\"e30\",\"signatures\":[]}",
    };
    static const char *const added[] = {"=", "==", " ",    "\n", "\t", "\r",
                                        ".", "%",  "\x7F", "+",  "/",  "*"};
    const char *good = token_of(GOOD_HEADER, GOOD_CLAIMS);
    size_t n = strlen(good), one = strcspn(good, ".");
    size_t two = one + 1 + strcspn(good + one + 1, ".");
    const size_t places[] = {0, 1, one, one + 1, two, two + 1, n - 1, n};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(tokens); i++)
        refused(tokens[i], tokens[i]);
    for (size_t i = 0; i < COUNT_OF(added); i++)
        for (size_t j = 0; j < COUNT_OF(places); j++)
            refused_with(places[j], added[i]);
    for (size_t at = 0; at < n; at++)
        refused_with(at, "");
}

/* The last character of 32 bytes has two bits that mean nothing. */
static void
bits_that_mean_nothing_are_none(void **state)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
        "uvwxyz0123456789-_";
    char text[1024];
    size_t last, d;

    (void)state;
    (void)snprintf(text, sizeof(text), "%s",
                   token_of(GOOD_HEADER, GOOD_CLAIMS));
    last = strlen(text) - 1;
    d = (size_t)(strchr(digits, text[last]) - digits);
    for (size_t more = 1; more < 4; more++) {
        text[last] = digits[d + more];
        refused(text, "the same bytes, written otherwise");
    }
    text[last] = digits[d];
    assert_int_equal(check(text), OK);
}

static void
a_token_has_a_bound(void **state)
{
    struct buf claims;

    (void)state;
    buf_init(&claims, 16384);
    for (size_t n = 5900; n < 6300; n++) {
        const char *t;
        enum err e;

        buf_clear(&claims);
        buf_adds(&claims, "{\"sub\":\"ann\",\"exp\":1700000300,\"x\":\"");
        while (claims.len < n)
            buf_addc(&claims, 'x');
        buf_adds(&claims, "\"}");
        t = token_of(GOOD_HEADER, buf_cstr(&claims));
        e = check(t);
        if (e != (strlen(t) <= JWT_TOKEN_MAX ? OK : ERR_AUTH))
            fail_msg("%zu bytes: %s", strlen(t), err_code(e));
    }
    buf_release(&claims);
}

static void
claims_are_read_strictly(void **state)
{
    static const char *const claims[] = {
        "{\"sub\":\"ann\",\"exp\":1700000300,\"exp\":1800000300}",
        "{\"sub\":\"ann\",\"exp\":1700000300,\"sub\":\"bob\"}",
        "{\"sub\":\"ann\",\"exp\":1700000300,\"s\\u0075b\":\"bob\"}",
        "{\"sub\":\"ann\",\"exp\":1700000300} x",
        "{\"sub\":\"ann\",\"exp\":1700000300}{}",
        "{\"sub\":\"ann\",\"exp\":1700000300,}",
        "[{\"sub\":\"ann\",\"exp\":1700000300}]",
        "\"eyJhbGciOiJub25lIn0.e30.\"",
        "null",
        "7",
        " ",
        "{\"sub\":\"\xC3\",\"exp\":1700000300}",
        "{\"sub\":\"a\\u0000b\",\"exp\":1700000300}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(claims); i++)
        refused(token_of(GOOD_HEADER, claims[i]), claims[i]);
}

static void
what_is_meant_as_a_token_is_told_from_other_things(void **state)
{
    (void)state;
    assert_true(jwt_looks_like(RFC_A1));
    assert_true(jwt_looks_like(RFC_A5));
    assert_true(jwt_looks_like("eyJhbGciOiJIUzI1NiJ9"));
    assert_true(jwt_looks_like("a.b.c"));
    assert_true(jwt_looks_like("e y.b=.c.d.e"));
    assert_false(jwt_looks_like("prly_0123456789"));
    assert_false(jwt_looks_like("sk-proj-abc.def"));
    assert_false(jwt_looks_like(""));
}

/* --- settings ------------------------------------------------------------- */

static void
settings_give_the_keys(void **state)
{
    struct jwt_config c;

    (void)state;
    assert_int_equal(jwt_config_load(&c, NULL, &why), OK);
    assert_false(jwt_config_on(&c));
    jwt_config_release(&c);
    conf_override(CONF_SECRET_KEY, SECRET);
    conf_override(CONF_JWKS_FILE, path);
    conf_override(CONF_JWT_ISSUER, "https://issuer.example");
    assert_int_equal(jwt_config_load(&c, NULL, &why), OK);
    assert_true(jwt_config_on(&c));
    assert_non_null(c.secret);
    assert_non_null(c.jwks);
    assert_string_equal(c.issuer, "https://issuer.example");
    assert_string_equal(c.audience, "");
    jwt_config_release(&c);
    assert_false(jwt_config_on(&c));
    conf_override(CONF_JWT_SECRET, "short");
    assert_int_equal(jwt_config_load(&c, NULL, &why), ERR_BADREQ);
    assert_non_null(strstr(why.message, "JWT_SECRET"));
    assert_null(strstr(why.message, "short"));
    assert_false(jwt_config_on(&c));
    conf_override(CONF_JWT_SECRET, "");
    conf_override(CONF_JWKS_FILE, "/nonexistent/keys.json");
    assert_int_equal(jwt_config_load(&c, NULL, &why), ERR_BADREQ);
    assert_non_null(strstr(why.message, "JWKS_FILE"));
    conf_override(CONF_JWKS_URL, "https://issuer.example/keys");
    assert_int_equal(jwt_config_load(&c, NULL, &why), ERR_BADREQ);
    conf_override(CONF_JWKS_FILE, "");
    assert_int_equal(jwt_config_load(&c, NULL, &why), ERR_BADREQ);
    assert_non_null(strstr(why.message, "JWKS_URL"));
    conf_override(CONF_JWKS_URL, "");
    conf_override(CONF_SECRET_KEY, "");
    conf_override(CONF_JWT_ISSUER, "");
}

/* --- threads -------------------------------------------------------------- */

#define THREADS 4
#define ROUNDS 40

static char shared_token[1024];

static void *
check_often(void *arg)
{
    struct jwt_claims mine;
    struct problem its;
    size_t *n_right = arg;

    for (int i = 0; i < ROUNDS; i++) {
        if (jwt_check(&config, shared_token, NOW_MS, false, &mine, &its) == OK)
            ++*n_right;
        if (jwt_check(&config, RFC_A3, 0, false, &mine, &its) == ERR_AUTH &&
            strstr(its.message, "(sub)") != NULL)
            ++*n_right;
        if (jwt_check(&config, RFC_A2, 0, false, &mine, &its) == ERR_AUTH &&
            strstr(its.message, "(sub)") != NULL)
            ++*n_right;
    }
    return NULL;
}

static void
many_threads_check_at_once(void **state)
{
    size_t n_right[THREADS] = {0};
    pthread_t threads[THREADS];

    (void)state;
    (void)snprintf(shared_token, sizeof(shared_token), "%s",
                   token_of(GOOD_HEADER, GOOD_CLAIMS));
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, check_often, &n_right[i]), 0);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(n_right[i], 3 * ROUNDS);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_token_is_taken),
        cmocka_unit_test(the_examples_of_rfc_7515_fail_for_their_claims_alone),
        cmocka_unit_test(a_forged_token_is_refused),
        cmocka_unit_test(none_is_no_algorithm),
        cmocka_unit_test(algorithms_are_not_confused),
        cmocka_unit_test(a_header_that_means_something_else_is_refused),
        cmocka_unit_test(what_a_header_says_of_keys_is_not_used),
        cmocka_unit_test(only_the_compact_form_is_read),
        cmocka_unit_test(bits_that_mean_nothing_are_none),
        cmocka_unit_test(a_token_has_a_bound),
        cmocka_unit_test(claims_are_read_strictly),
        cmocka_unit_test(what_is_meant_as_a_token_is_told_from_other_things),
        cmocka_unit_test(settings_give_the_keys),
        cmocka_unit_test(many_threads_check_at_once),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
