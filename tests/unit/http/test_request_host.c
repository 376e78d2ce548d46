/*
 * Tests of http/request_host.c: by which names a server may be asked, and when
 * a name may be one that was made to point to it.
 */
#include "http_test.h"

#include "http/request_host.h"
#include "http/request_peer.h"

/* A request of a browser that was led here: NULL is the dangerous default. */
struct asked {
    const char *host, *peer, *server, *https, *site, *origin;
};

static struct request *
make(const struct asked *a)
{
    const char *const names[] = {"HTTP_HOST",           "REMOTE_ADDR",
                                 "SERVER_ADDR",         "HTTPS",
                                 "HTTP_SEC_FETCH_SITE", "HTTP_ORIGIN"};
    const char *const values[] = {a->host,
                                  a->peer ? a->peer : "127.0.0.1",
                                  a->server ? a->server : "127.0.0.1",
                                  a->https,
                                  a->site,
                                  a->origin};
    char text[COUNT_OF(names)][512];
    const char *vars[COUNT_OF(names) + 2] = {"REQUEST_METHOD=GET"};
    size_t n = 1;

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (values[i] == NULL || (i == 2 && *values[i] == '\0'))
            continue;
        (void)snprintf(text[i], sizeof(text[i]), "%s=%s", names[i], values[i]);
        vars[n++] = text[i];
    }
    return make_request(vars);
}

static int
status(const char *allowed, bool open, struct asked a)
{
    struct request_hosts h = {
        .allowed = allowed,
        .own_url = "https://own.example:8443/auth/oauth2/callback",
        .open = open};
    struct problem why = {.err = OK};
    struct request *rq = make(&a);
    enum err e = request_host_check(rq, &h, &why);

    request_free(rq);
    assert_int_equal(e, why.err);
    if (e == ERR_BADREQ)
        assert_string_equal(why.code, "invalid_host");
    if (e == ERR_FORBIDDEN)
        assert_string_equal(why.code, "unknown_host");
    return e == OK ? 200 : e == ERR_BADREQ ? 400 : why.status;
}

static int
by_default(struct asked a)
{
    return status("", true, a);
}

static int
listed(const char *allowed, const char *host)
{
    struct asked a = {host, "192.0.2.1", "192.0.2.9", NULL, NULL, NULL};
    int got = status(allowed, true, a);

    /* Where a list is, nothing else counts. */
    assert_int_equal(status(allowed, false, a), got);
    a.peer = a.server = "127.0.0.1";
    a.site = "same-origin";
    assert_int_equal(status(allowed, true, a), got);
    return got;
}

static void
addresses_and_localhost_are_always_right(void **state)
{
    static const char *const hosts[] = {
        "127.0.0.1",   "127.0.0.1:8080", "[::1]",     "[::1]:8080",
        "10.0.0.5",    "203.0.113.7:80", "localhost", "LocalHost:8080",
        "a.localhost", "localhost.",     "",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        assert_int_equal(by_default((struct asked){.host = hosts[i]}), 200);
        assert_int_equal(listed("a.example", hosts[i]), 200);
    }
    assert_int_equal(by_default((struct asked){.host = NULL}), 200);
    assert_int_equal(listed("a.example", NULL), 200);
    assert_int_equal(listed("a.example", "own.example:8443"), 200);
    assert_int_equal(by_default((struct asked){.host = "own.example"}), 200);
}

static void
what_is_no_host_is_a_bad_request(void **state)
{
    static const char *const hosts[] = {
        "a b",
        "a.example/x",
        "a@b.example",
        "a.example:8080x",
        "[::1",
        "[::1]x",
        "[x]",
        "::1",
        ":8080",
        ".",
        "a.example, b",
        "a.example:123456",
        "\xc3\xa4.example",
        "a.example?x",
        "a\\b",
        "%61.example",
        "[::%]:80",
        "[fe80::1%eth0]",
    };
    char longest[300];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        assert_int_equal(by_default((struct asked){.host = hosts[i]}), 400);
        assert_int_equal(status("*", false, (struct asked){.host = hosts[i]}),
                         400);
    }
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(by_default((struct asked){.host = longest}), 400);
}

static void
a_bought_name_may_be_rebound_to_what_only_we_reach(void **state)
{
    static const char *const inside[] = {
        "127.0.0.1",   "127.9.9.9",  "::1",        "::ffff:127.0.0.1",
        "10.1.2.3",    "172.16.0.1", "172.31.9.9", "192.168.1.7",
        "169.254.1.1", "fd12::1",    "fe80::1",
    };
    static const char *const outside[] = {
        "192.0.2.1",   "172.15.0.1", "172.32.0.1",
        "2001:db8::1", "11.0.0.1",   "192.167.1.1",
    };
    struct asked a = {.host = "evil.example:8080"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(inside); i++) {
        a.peer = inside[i];
        a.server = inside[COUNT_OF(inside) - 1 - i];
        assert_int_equal(by_default(a), 421);
        assert_int_equal(status("", false, a), 200);
    }
    for (size_t i = 0; i < COUNT_OF(outside); i++) {
        a.peer = outside[i];
        a.server = "127.0.0.1";
        assert_int_equal(by_default(a), 200);
        a.peer = "127.0.0.1";
        a.server = outside[i];
        assert_int_equal(by_default(a), 200);
    }
    /* Through a unix socket nothing is known of the server. */
    a.peer = "192.168.1.7";
    a.server = "";
    assert_int_equal(by_default(a), 421);
    a.peer = "192.0.2.1";
    assert_int_equal(by_default(a), 200);
}

static void
names_of_the_local_network_cannot_be_bought(void **state)
{
    static const char *const local[] = {
        "nas",           "nas:8080",   "nas.local", "my.nas.LOCAL.", "nas.lan",
        "box.home.arpa", "a.internal", "pc.home",   "nas.",
    };
    static const char *const bought[] = {
        "local.example",       "nas.local.example",
        "xlocal.example",      "a.arpa",
        "127.0.0.1.example",   "1.2.3.4.5",
        "mylocalhost.example",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(local); i++)
        assert_int_equal(by_default((struct asked){.host = local[i]}), 200);
    for (size_t i = 0; i < COUNT_OF(bought); i++)
        assert_int_equal(by_default((struct asked){.host = bought[i]}), 421);
}

static void
a_certificate_vouches_for_a_name(void **state)
{
    const char *host = "chat.example";

    (void)state;
    assert_int_equal(by_default((struct asked){.host = host, .https = "on"}),
                     200);
    assert_int_equal(
        by_default((struct asked){.host = host, .site = "same-origin"}), 200);
    assert_int_equal(by_default((struct asked){.host = host, .site = ""}), 421);
    assert_int_equal(by_default((struct asked){
                         .host = host, .origin = "https://chat.example"}),
                     200);
    assert_int_equal(by_default((struct asked){
                         .host = host, .origin = "http://chat.example"}),
                     421);
    assert_int_equal(by_default((struct asked){
                         .host = host, .origin = "https://other.example"}),
                     421);
}

static void
a_list_says_all(void **state)
{
    const char *list = " chat.example, b.example:8443,*.c.example ";

    (void)state;
    assert_int_equal(listed(list, "chat.example"), 200);
    assert_int_equal(listed(list, "CHAT.example."), 200);
    assert_int_equal(listed(list, "chat.example:99"), 200);
    assert_int_equal(listed(list, "x.chat.example"), 421);
    assert_int_equal(listed(list, "xchat.example"), 421);
    assert_int_equal(listed(list, "b.example:8443"), 200);
    assert_int_equal(listed(list, "b.example:844"), 421);
    assert_int_equal(listed(list, "b.example"), 421);
    assert_int_equal(listed(list, "a.c.example"), 200);
    assert_int_equal(listed(list, "a.b.c.example:1"), 200);
    assert_int_equal(listed(list, "c.example"), 421);
    assert_int_equal(listed(list, "xc.example"), 421);
    assert_int_equal(listed(list, ".c.example"), 421);
    assert_int_equal(listed(list, "nas"), 421);
    assert_int_equal(listed("*", "any.example"), 200);
    assert_int_equal(listed("no/host", "any.example"), 421);
    /* Blanks are no list. */
    assert_int_equal(listed(" , ", "nas"), 200);
}

static void
a_port_that_is_not_written_is_that_of_the_scheme(void **state)
{
    struct asked a = {"a.example", "192.0.2.1", "192.0.2.9", NULL, NULL, NULL};

    (void)state;
    assert_int_equal(status("a.example:80", false, a), 200);
    assert_int_equal(status("a.example:443", false, a), 421);
    a.https = "on";
    assert_int_equal(status("a.example:80", false, a), 421);
    assert_int_equal(status("a.example:443", false, a), 200);
}

static void
a_list_that_is_none_is_told(void **state)
{
    static const char *const bad[] = {
        "https://a.example", "a.example/", "*x", "*.", "a.*.example", "a:b"};
    struct problem why = {.err = OK};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        char list[100];

        (void)snprintf(list, sizeof(list), "a.example, %s,", bad[i]);
        assert_int_equal(request_hosts_read(list, &why), ERR_BADREQ);
        assert_has(why.message, bad[i]);
        assert_int_equal(listed(list, "a.example"), 200);
        assert_int_equal(listed(list, "b.example"), 421);
    }
    assert_int_equal(request_hosts_read("", &why), OK);
    assert_int_equal(
        request_hosts_read("*, *.a.example a.example:1,[::1]:8080", &why), OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_and_localhost_are_always_right),
        cmocka_unit_test(what_is_no_host_is_a_bad_request),
        cmocka_unit_test(a_bought_name_may_be_rebound_to_what_only_we_reach),
        cmocka_unit_test(names_of_the_local_network_cannot_be_bought),
        cmocka_unit_test(a_certificate_vouches_for_a_name),
        cmocka_unit_test(a_list_says_all),
        cmocka_unit_test(a_port_that_is_not_written_is_that_of_the_scheme),
        cmocka_unit_test(a_list_that_is_none_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
