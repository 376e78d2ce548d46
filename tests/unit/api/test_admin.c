/* What administrators ask: api/admin.h, with a store of its own and no web
 * server. */
#include "base/base.h"

#include "api/admin.h"

#include <fcntl.h>

#include "../store/store_test.h"
#include "auth/apikey.h"
#include "base/conf.h"

struct fixture {
    char dir[256], out[300];
    struct admin a;
};

static int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    folder_make(f->dir);
    conf_override(CONF_DATA_DIR, f->dir);
    conf_override(CONF_ADMINS, "eve");
    (void)snprintf(f->out, sizeof(f->out), "%s/reply", f->dir);
    admin_init(&f->a, 1);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;

    admin_release(&f->a);
    folder_remove(f->dir);
    free(f);
    return 0;
}

/* Ask; the reply with its head. method and path as CGI has them. */
static const char *
ask(struct fixture *f, const char *method, const char *base, const char *path,
    const char *key)
{
    static char reply[65536];
    char vars[6][300];
    const char *list[7] = {NULL};
    struct problem why = {.err = OK};
    struct request *rq = NULL;
    FILE *in;
    size_t n;
    int fd;

    (void)snprintf(vars[0], sizeof(vars[0]), "REQUEST_METHOD=%s", method);
    (void)snprintf(vars[1], sizeof(vars[1]), "SCRIPT_NAME=%s", base);
    (void)snprintf(vars[2], sizeof(vars[2]), "PATH_INFO=%s", path);
    (void)snprintf(vars[3], sizeof(vars[3]), "HTTP_X_API_KEY=%s", key);
    (void)snprintf(vars[4], sizeof(vars[4]), "REMOTE_ADDR=127.0.0.1");
    for (size_t i = 0; i < 5; i++)
        list[i] = vars[i];
    IGNORE(request_new(&rq, list, "", &why));
    assert_non_null(rq);
    fd = open(f->out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    rq->conn = conn_new(CONN_CGI, fd, 0);
    admin_request(&f->a, rq, &why);
    in = fopen(f->out, "re");
    assert_non_null(in);
    n = fread(reply, 1, sizeof(reply) - 1, in);
    (void)fclose(in);
    reply[n] = '\0';
    return reply;
}

static void
assert_has(const char *reply, const char *text)
{
    if (strstr(reply, text) == NULL)
        fail_msg("no %s in: %s", text, reply);
}

/* A key of eve's, who administers. */
static void
make_key(struct fixture *f, unsigned may, char secret[APIKEY_SECRET_LEN + 1])
{
    struct apikey_wish w = {
        .owner = "local/eve", .name = "", .may = may, .maker_may = MAY_ALL};
    struct apikey key;
    struct problem why;

    apikey_limits_init(&w.limits);
    assert_has(ask(f, "GET", "", "/admin/keys", ""), "Status: 401");
    assert_int_equal(apikey_make(auth_keys(f->a.auth), &w, secret, &key, &why),
                     OK);
}

static void
nothing_is_opened_without_an_administrator(void **state)
{
    struct fixture *f = *state;

    conf_override(CONF_ADMINS, "");
    assert_has(ask(f, "GET", "", "/admin/keys", ""), "Status: 404");
    assert_null(f->a.store);
    assert_null(f->a.auth);
    conf_override(CONF_ADMINS, "eve");
    assert_has(ask(f, "GET", "", "/admin/keys", ""), "Status: 401");
    assert_non_null(f->a.store);
}

static void
its_address_may_be_in_the_base_or_the_path(void **state)
{
    struct fixture *f = *state;
    char secret[APIKEY_SECRET_LEN + 1];

    make_key(f, MAY_ALL, secret);
    assert_has(ask(f, "GET", "", "/admin/users", secret), "\"users\":[");
    assert_has(ask(f, "GET", "/admin", "/users", secret), "\"users\":[");
    assert_has(ask(f, "GET", "/cgi-bin/admin.cgi", "/admin/users", secret),
               "\"users\":[");
    assert_has(ask(f, "GET", "/admin", "", secret), "\"open_turns\":[");
    assert_has(ask(f, "GET", "", "/admin", secret), "\"open_turns\":[");
    assert_has(ask(f, "GET", "", "/administrator", secret), "Status: 404");
    assert_has(ask(f, "PUT", "", "/admin/users", secret), "Status: 405");
    assert_has(ask(f, "OPTIONS", "", "/admin/keys", secret), "Status: 204");
}

static void
who_may_not_learns_nothing(void **state)
{
    struct fixture *f = *state;
    char secret[APIKEY_SECRET_LEN + 1];

    make_key(f, MAY_USER, secret);
    assert_has(ask(f, "GET", "", "/admin/users", secret), "Status: 403");
    assert_has(ask(f, "GET", "", "/admin/nothing", secret), "Status: 403");
    assert_has(ask(f, "OPTIONS", "", "/admin/keys", secret), "Status: 403");
    assert_has(ask(f, "GET", "", "/admin/nothing", ""), "Status: 401");
    make_key(f, MAY_ALL, secret);
    assert_has(ask(f, "GET", "", "/admin/users", secret), "Status: 200");
    conf_override(CONF_ADMINS, "bob");
    assert_has(ask(f, "GET", "", "/admin/users", secret), "Status: 403");
}

static void
each_owner_is_one_user(void **state)
{
    struct fixture *f = *state;
    char secret[APIKEY_SECRET_LEN + 1], owner[32], want[64];
    const char *reply;

    make_key(f, MAY_ALL, secret);
    for (int i = 0; i < 150; i++) {
        (void)snprintf(owner, sizeof(owner), "local/user%03d", i);
        (void)put_turn(f->a.store, owner, owner + 6, "question", "answer");
    }
    (void)put_turn(f->a.store, "local/user007", "more", "question", "answer");
    (void)put_turn(f->a.store, "", "nobodys", "question", "answer");
    (void)put_turn(f->a.store, "anon/abc", "browsers", "question", "answer");
    reply = ask(f, "GET", "", "/admin/users", secret);
    assert_has(reply, "\"total\":151"); /* and eve, who has a key */
    assert_has(reply, "\"anonymous_sessions\":2");
    assert_has(reply, "\"next\":\"local/user098\"");
    assert_has(reply, "\"cut\":false");
    assert_null(strstr(reply, "anon/"));
    assert_null(strstr(reply, "local/user099"));
    (void)snprintf(want, sizeof(want),
                   "\"owner\":\"local/user007\",\"name\":null,"
                   "\"role\":\"user\",\"sessions\":2");
    assert_has(reply, want);
    assert_has(reply, "\"owner\":\"local/eve\",\"name\":null,"
                      "\"role\":\"admin\",\"sessions\":0,\"keys\":1");
}

static void
a_store_that_cannot_be_opened_is_told_and_tried_again(void **state)
{
    struct fixture *f = *state;
    char store[300];
    FILE *file;

    (void)snprintf(store, sizeof(store), "%s/store", f->dir);
    file = fopen(store, "we"); /* where its folder should be */
    assert_non_null(file);
    (void)fclose(file);
    assert_has(ask(f, "GET", "", "/admin/keys", ""), "Status: 503");
    assert_int_equal(unlink(store), 0);
    assert_has(ask(f, "GET", "", "/admin/keys", ""), "Status: 401");
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_opened_without_an_administrator),
        TEST(its_address_may_be_in_the_base_or_the_path),
        TEST(who_may_not_learns_nothing),
        TEST(each_owner_is_one_user),
        TEST(a_store_that_cannot_be_opened_is_told_and_tried_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
