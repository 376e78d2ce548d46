/* Tests of auth/auth.c: the order of the ways in, and what they share. */
#include "accounts_test.h"

#include <fcntl.h>

#include "auth/apikey.h"
#include "auth/auth.h"
#include "auth/htpasswd.h"
#include "auth/htpasswd_file.h"
#include "auth/login.h"
#include "base/conf.h"
#include "base/text.h"

#define SECRET "0123456789abcdef0123456789abcdef"
#define HEAD "eyJhbGciOiJIUzI1NiJ9"

static struct accounts *acc;
static struct auth *a;
static struct identity who;
static struct problem why;
static char passwords[300];

/* As RFC 7515 writes it. */
static void
put_base64url(struct buf *b, const void *p, size_t n)
{
    size_t at = b->len;

    text_base64(b, p, n);
    for (size_t i = at; i < b->len; i++)
        b->data[i] = b->data[i] == '+'   ? '-'
                     : b->data[i] == '/' ? '_'
                                         : b->data[i];
    while (b->len > at && b->data[b->len - 1] == '=')
        b->len--;
}

/* A token with these claims. */
static const char *
token(const char *claims)
{
    static char text[1024];
    uint8_t mac[DIGEST_LEN];
    struct buf b;

    buf_init(&b, sizeof(text));
    buf_adds(&b, HEAD ".");
    put_base64url(&b, claims, strlen(claims));
    digest_hmac(mac, SECRET, strlen(SECRET), b.data, b.len);
    buf_addc(&b, '.');
    put_base64url(&b, mac, sizeof(mac));
    (void)snprintf(text, sizeof(text), "%s", buf_cstr(&b));
    buf_release(&b);
    return text;
}

static void
open_auth(void)
{
    struct auth_config c = {
        .store = acc->s, .data_dir = acc->dir, .threads = 4};

    auth_close(a);
    a = NULL;
    assert_int_equal(auth_open(&a, &c), OK);
}

static int
setup(void **state)
{
    static const char line[] =
        "ann:$6$saltsalt$"
        "g3uPFdehVnKoLXdidvSAg1zlVgYomPr0X/xgdXSBn2LuxZUOGgYW4IULZkgu"
        "Z77fzYteIur49AGHmF9iek6Sf1\n";
    int fd;

    (void)accounts_setup(state);
    acc = *state;
    acc->s = accounts_open(acc->dir);
    (void)snprintf(passwords, sizeof(passwords), "%s/htpasswd", acc->dir);
    fd = open(passwords, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0 && write(fd, line, sizeof(line) - 1) > 0);
    (void)close(fd);
    conf_override(CONF_JWT_SECRET, SECRET);
    conf_override(CONF_HTPASSWD_FILE, passwords);
    conf_override(CONF_ADMINS, "jwt/sue");
    conf_override(CONF_READ_ONLY, "jwt/tom");
    open_auth();
    return 0;
}

static int
teardown(void **state)
{
    (void)unlink(passwords);
    auth_close(a);
    a = NULL;
    return accounts_teardown(state);
}

static enum err
ask(struct auth_ask q)
{
    why = (struct problem){.err = OK};
    return auth_find(a, &q, clock_wall_ms(), &who, &why);
}

static const char *
bearer(const char *t)
{
    static char header[1100];

    (void)snprintf(header, sizeof(header), "Bearer %s", t);
    return header;
}

#define SUE "{\"sub\":\"sue\",\"exp\":4102444800,\"iat\":1}"
#define TOM "{\"sub\":\"tom\",\"exp\":4102444800}"

static void
who_shows_nothing_is_anonymous(void **state)
{
    (void)state;
    assert_int_equal(ask((struct auth_ask){.addr = "192.0.2.7"}), OK);
    assert_int_equal(who.way, IDENTITY_ANONYMOUS);
    assert_int_equal(who.may, MAY_USER);
    assert_string_equal(who.owner, "");
    assert_string_equal(who.addr, "192.0.2.7");
}

static void
an_owner_cookie_names_an_anonymous_owner(void **state)
{
    char value[IDENTITY_COOKIE_LEN + 1], owner[STORE_OWNER_MAX + 1];
    const char *session;

    (void)state;
    identity_cookie_make(value);
    assert_int_equal(ask((struct auth_ask){.owner = value}), OK);
    assert_true(identity_cookie_read(value, owner, &session));
    assert_null(session);
    assert_string_equal(who.owner, owner);
    assert_memory_equal(owner, "anon/", 5);
    assert_null(strstr(owner, value)); /* it does not tell the cookie */
    assert_int_equal(ask((struct auth_ask){.owner = "short"}), OK);
    assert_string_equal(who.owner, "");
}

/* Who was an administrator when signing in, or when a key was made, is one no
 * longer than ADMINS says so. */
static void
rights_are_those_of_now(void **state)
{
    const struct login_wish w = {
        .owner = "local/ann", .name = "ann", .way = "password", .may = MAY_ALL};
    const struct apikey_wish k = {.owner = "local/ann",
                                  .name = "k",
                                  .may = MAY_ALL,
                                  .maker_may = MAY_ALL,
                                  .limits = {-1, -1, -1, -1}};
    char value[LOGIN_VALUE_LEN + 1], secret[APIKEY_SECRET_LEN + 1];
    struct apikey key;
    struct login in;

    (void)state;
    conf_override(CONF_ADMINS, "ann");
    assert_int_equal(
        login_begin(auth_logins(a), &w, clock_wall_ms(), value, &in), OK);
    assert_int_equal(apikey_make(auth_keys(a), &k, secret, &key, &why), OK);
    assert_int_equal(ask((struct auth_ask){.login = value}), OK);
    assert_int_equal(who.may, MAY_ALL);
    assert_int_equal(ask((struct auth_ask){.api_key = secret}), OK);
    assert_int_equal(who.may, MAY_ALL);
    conf_override(CONF_ADMINS, "");
    assert_int_equal(ask((struct auth_ask){.login = value}), OK);
    assert_int_equal(who.may, MAY_USER);
    assert_int_equal(ask((struct auth_ask){.api_key = secret}), OK);
    assert_int_equal(who.may, MAY_USER);
    conf_override(CONF_READ_ONLY, "ann");
    assert_int_equal(ask((struct auth_ask){.login = value}), OK);
    assert_int_equal(who.may, MAY_READ);
}

static void
a_token_names_its_subject(void **state)
{
    (void)state;
    assert_int_equal(
        ask((struct auth_ask){.authorization = bearer(token(SUE))}), OK);
    assert_int_equal(who.way, IDENTITY_JWT);
    assert_string_equal(who.owner, "jwt/sue");
    assert_int_equal(who.may, MAY_ALL); /* ADMINS */
    assert_int_equal(who.since_ms, 1000);
    assert_int_equal(ask((struct auth_ask){.token = token(TOM)}), OK);
    assert_int_equal(who.may, MAY_READ); /* READ_ONLY */
}

static void
a_wrong_token_is_no_anonymous_owner(void **state)
{
    char bad[1024];

    (void)state;
    (void)snprintf(bad, sizeof(bad), "%sx", token(SUE));
    assert_int_equal(ask((struct auth_ask){.token = bad}), ERR_AUTH);
    assert_string_equal(why.code, "invalid_token");
    assert_int_equal(
        ask((struct auth_ask){.token = token("{\"sub\":\"sue\",\"exp\":2}")}),
        ERR_AUTH);
    assert_string_equal(why.code, "token_expired");
}

static void
what_is_of_another_kind_says_nothing(void **state)
{
    (void)state;
    assert_int_equal(ask((struct auth_ask){.authorization = "Bearer sk-dummy",
                                           .api_key = "sk-dummy",
                                           .token = "sk-dummy",
                                           .login = "over"}),
                     OK);
    assert_int_equal(who.way, IDENTITY_ANONYMOUS);
    assert_int_equal(ask((struct auth_ask){.authorization = "Digest a=b"}), OK);
    assert_int_equal(ask((struct auth_ask){.authorization = "Basic ?"}),
                     ERR_AUTH);
    assert_string_equal(why.code, "invalid_basic");
}

static void
the_first_way_that_knows_decides(void **state)
{
    const struct login_wish w = {.owner = "oidc/x/ann", .may = MAY_USER};
    char value[LOGIN_VALUE_LEN + 1];
    struct login in;

    (void)state;
    assert_int_equal(
        login_begin(auth_logins(a), &w, clock_wall_ms(), value, &in), OK);
    assert_int_equal(ask((struct auth_ask){.login = value,
                                           .token = token(SUE),
                                           .proxy_user = "eve"}),
                     OK);
    assert_string_equal(who.owner, "oidc/x/ann");
    assert_int_equal(login_end(auth_logins(a), value), OK);
    assert_int_equal(ask((struct auth_ask){.login = value,
                                           .token = token(SUE),
                                           .proxy_user = "eve"}),
                     OK);
    assert_string_equal(who.owner, "jwt/sue");
    assert_int_equal(ask((struct auth_ask){.proxy_user = "eve"}), OK);
    assert_string_equal(who.owner, "proxy/eve");
}

static void
a_token_from_before_a_logout_of_all_is_over(void **state)
{
    (void)state;
    assert_int_equal(ask((struct auth_ask){.token = token(SUE)}), OK);
    assert_true(auth_still(a, &who, clock_wall_ms()));
    assert_int_equal(
        login_end_all(auth_logins(a), "jwt/sue", true, clock_wall_ms(), NULL),
        OK);
    assert_false(auth_still(a, &who, clock_wall_ms()));
    assert_int_equal(ask((struct auth_ask){.token = token(SUE)}), ERR_AUTH);
    assert_string_equal(why.code, "token_revoked");
    /* One without a date may be as old. */
    assert_int_equal(
        ask((struct auth_ask){
            .token = token("{\"sub\":\"sue\",\"exp\":4102444800}")}),
        ERR_AUTH);
}

static void
a_key_that_is_revoked_is_over(void **state)
{
    struct apikey_wish w = {.owner = "local/ann",
                            .name = "",
                            .may = MAY_USER,
                            .maker_may = MAY_USER};
    char secret[APIKEY_SECRET_LEN + 1];
    struct apikey key;

    (void)state;
    apikey_limits_init(&w.limits);
    assert_int_equal(apikey_make(auth_keys(a), &w, secret, &key, &why), OK);
    assert_int_equal(ask((struct auth_ask){.api_key = secret}), OK);
    assert_int_equal(who.way, IDENTITY_KEY);
    assert_string_equal(who.owner, "local/ann");
    assert_true(auth_still(a, &who, clock_wall_ms()));
    conf_override(CONF_READ_ONLY, "ann");
    assert_int_equal(ask((struct auth_ask){.token = secret}), OK);
    assert_int_equal(who.may, MAY_READ); /* whatever it was made for */
    assert_int_equal(apikey_revoke(auth_keys(a), "local/ann", key.id), OK);
    assert_false(auth_still(a, &who, clock_wall_ms()));
    assert_int_equal(ask((struct auth_ask){.api_key = secret}), ERR_AUTH);
}

/* The account of a key's owner may go, or never have been. */
static void
a_key_is_nothing_without_its_account(void **state)
{
    struct apikey_wish w = {.name = "",
                            .may = MAY_USER,
                            .maker_may = MAY_USER,
                            .limits = {-1, -1, -1, -1}};
    char secret[3][APIKEY_SECRET_LEN + 1];
    static const char *const owners[] = {"local/ann", "local/bob", "jwt/bob"};
    struct problem told = {.err = OK};
    struct apikey key;
    int64_t deadline_ms = clock_mono_ms() + 60000;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(owners); i++) {
        w.owner = owners[i];
        assert_int_equal(apikey_make(auth_keys(a), &w, secret[i], &key, &why),
                         OK);
    }
    assert_int_equal(ask((struct auth_ask){.api_key = secret[1]}), ERR_AUTH);
    assert_string_equal(why.code, "invalid_key");
    assert_int_equal(ask((struct auth_ask){.api_key = secret[2]}), OK);
    assert_true(auth_still(a, &who, clock_wall_ms()));
    assert_int_equal(ask((struct auth_ask){.api_key = secret[0]}), OK);
    assert_true(auth_still(a, &who, clock_wall_ms()));
    assert_int_equal(htpasswd_put(passwords, "ann", NULL, &told), OK);
    while (auth_still(a, &who, clock_wall_ms())) { /* a second or two */
        assert_true(clock_mono_ms() < deadline_ms);
        assert_int_equal(usleep(20000), 0);
    }
    assert_int_equal(ask((struct auth_ask){.api_key = secret[0]}), ERR_AUTH);
    assert_string_equal(why.code, "invalid_key");
    /* Where there are no accounts, none can be missing. */
    conf_override(CONF_HTPASSWD_FILE, "");
    open_auth();
    assert_int_equal(ask((struct auth_ask){.api_key = secret[1]}), OK);
    assert_true(auth_still(a, &who, clock_wall_ms()));
}

static void
a_password_waits_and_is_locked(void **state)
{
    const struct auth_ask wrong = {
        .user = "ann", .password = "no", .addr = "192.0.2.7"};
    struct auth_ask quick = wrong;

    (void)state;
    quick.no_wait = true;
    assert_int_equal(ask(quick), ERR_AGAIN);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(ask(wrong), ERR_AUTH);
        assert_string_equal(why.code, "invalid_login");
    }
    assert_true(why.retry_after_s > 0);
    assert_int_equal(ask(wrong), ERR_LIMIT);
    assert_string_equal(why.code, "too_many_attempts");
}

static void
a_connection_ends_with_its_token(void **state)
{
    (void)state;
    assert_int_equal(ask((struct auth_ask){.token = token(SUE)}), OK);
    assert_true(auth_still(a, &who, who.until_ms - 1));
    assert_false(auth_still(a, &who, who.until_ms));
}

static void
a_secret_that_is_too_short_opens_nothing(void **state)
{
    struct auth_config c = {
        .store = acc->s, .data_dir = acc->dir, .threads = 4};

    (void)state;
    auth_close(a);
    a = NULL;
    conf_override(CONF_JWT_SECRET, "short");
    assert_int_equal(auth_open(&a, &c), ERR_BADREQ);
    assert_null(a);
}

#define ON(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ON(who_shows_nothing_is_anonymous),
        ON(an_owner_cookie_names_an_anonymous_owner),
        ON(rights_are_those_of_now),
        ON(a_token_names_its_subject),
        ON(a_wrong_token_is_no_anonymous_owner),
        ON(what_is_of_another_kind_says_nothing),
        ON(the_first_way_that_knows_decides),
        ON(a_token_from_before_a_logout_of_all_is_over),
        ON(a_key_that_is_revoked_is_over),
        ON(a_key_is_nothing_without_its_account),
        ON(a_password_waits_and_is_locked),
        ON(a_connection_ends_with_its_token),
        ON(a_secret_that_is_too_short_opens_nothing),
    };

    log_set_level(LOG_ERROR + 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
