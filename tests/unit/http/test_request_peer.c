/* Tests of http/request_peer.c: who asks, seen through proxies. */
#include "http_test.h"

#include "http/request_peer.h"

static struct problem why;

/* A request from addr, with what X-Forwarded-For says and one more variable;
 * NULL: not sent. */
static struct request *
from(const char *addr, const char *forwarded, const char *more)
{
    char a[128], f[4096];
    const char *vars[5] = {"REQUEST_METHOD=GET"};
    size_t n = 1;

    if (addr != NULL) {
        (void)snprintf(a, sizeof(a), "REMOTE_ADDR=%s", addr);
        vars[n++] = a;
    }
    if (forwarded != NULL) {
        (void)snprintf(f, sizeof(f), "HTTP_X_FORWARDED_FOR=%s", forwarded);
        vars[n++] = f;
    }
    if (more != NULL)
        vars[n++] = more;
    return make_request(vars);
}

static void
trust(const char *list)
{
    assert_int_equal(request_trust(list, &why), OK);
}

#define assert_peer(addr, forwarded, want)                 \
    do {                                                   \
        struct request *rq_ = from(addr, forwarded, NULL); \
        assert_string_equal(request_peer(rq_), want);      \
        request_free(rq_);                                 \
    } while (0)

static void
without_trust_the_peer_is_who_connected(void **state)
{
    (void)state;
    trust("");
    assert_peer("192.0.2.7", NULL, "192.0.2.7");
    assert_peer("192.0.2.7", "6.6.6.6", "192.0.2.7");
    assert_peer("127.0.0.1", "6.6.6.6", "127.0.0.1");
    assert_peer("2001:DB8:0:0::1", NULL, "2001:db8::1");
    assert_peer("::ffff:192.0.2.7", NULL, "192.0.2.7");
    assert_peer("fe80::1%eth0", NULL, "fe80::1");
    assert_peer(NULL, NULL, "");
    assert_peer(NULL, "6.6.6.6", "");
    assert_peer("", "6.6.6.6", "");
    assert_peer("no address", "6.6.6.6", "");
}

static void
a_trusted_proxy_says_whom_it_speaks_for(void **state)
{
    (void)state;
    trust("10.0.0.0/8, 192.0.2.1 ::1\tfd00::/8");
    assert_peer("10.1.2.3", "198.51.100.9", "198.51.100.9");
    assert_peer("::1", "198.51.100.9", "198.51.100.9");
    assert_peer("::ffff:10.1.2.3", "198.51.100.9", "198.51.100.9");
    assert_peer("fd12::9", "2001:db8::5", "2001:db8::5");
    assert_peer("192.0.2.2", "198.51.100.9", "192.0.2.2");
    assert_peer("11.0.0.1", "198.51.100.9", "11.0.0.1");
    assert_peer("10.1.2.3", NULL, "10.1.2.3");
    assert_peer("10.1.2.3", "", "10.1.2.3");
}

static void
what_a_client_wrote_in_front_is_not_believed(void **state)
{
    (void)state;
    trust("10.0.0.0/8");
    assert_peer("10.0.0.1", "6.6.6.6, 198.51.100.9", "198.51.100.9");
    assert_peer("10.0.0.1", "127.0.0.1, 198.51.100.9, 10.0.0.2",
                "198.51.100.9");
    assert_peer("10.0.0.1", "10.9.9.9,198.51.100.9,10.0.0.3 , 10.0.0.2",
                "198.51.100.9");
    assert_peer("10.0.0.1", "10.0.0.3,10.0.0.2", "10.0.0.3");
}

static void
what_is_no_address_ends_the_chain(void **state)
{
    static const char *const bad[] = {
        "unknown",      "6.6.6.6, unknown",
        "6.6.6.6,",     ",",
        "1.2.3",        "1.2.3.4.5",
        "0x7f.1",       "evil.example",
        "[1.2.3.4]",    "[::1",
        "1.2.3.4 \" x", "010.0.0.1",
        "1.2.3.4:5:6",
    };

    (void)state;
    trust("10.0.0.0/8");
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_peer("10.0.0.1", bad[i], "10.0.0.1");
}

static void
elements_may_have_ports(void **state)
{
    (void)state;
    trust("10.0.0.1");
    assert_peer("10.0.0.1", "198.51.100.9:51234", "198.51.100.9");
    assert_peer("10.0.0.1", "[2001:db8::5]:51234", "2001:db8::5");
    assert_peer("10.0.0.1", "[2001:db8::5]", "2001:db8::5");
    assert_peer("10.0.0.1", "::ffff:198.51.100.9", "198.51.100.9");
}

static void
a_chain_without_end_is_left(void **state)
{
    char list[4000] = "198.51.100.9";
    size_t n = strlen(list);

    (void)state;
    trust("10.0.0.0/8");
    for (int i = 0; i < 300; i++)
        n += (size_t)snprintf(list + n, sizeof(list) - n, ",10.0.0.2");
    assert_peer("10.0.0.1", list, "10.0.0.2");
}

static void
networks_end_at_a_bit(void **state)
{
    (void)state;
    trust("192.0.2.128/25 2001:db8:8000::/33 203.0.113.7/32");
    assert_peer("192.0.2.127", "6.6.6.6", "192.0.2.127");
    assert_peer("192.0.2.129", "6.6.6.6", "6.6.6.6");
    assert_peer("2001:db8:7fff::1", "6.6.6.6", "2001:db8:7fff::1");
    assert_peer("2001:db8:8001::1", "6.6.6.6", "6.6.6.6");
    assert_peer("203.0.113.6", "6.6.6.6", "203.0.113.6");
    assert_peer("203.0.113.7", "6.6.6.6", "6.6.6.6");
    trust("0.0.0.0/0");
    assert_peer("203.0.113.7", "2001:db8::1", "2001:db8::1");
    assert_peer("2001:db8::2", "6.6.6.6", "2001:db8::2");
}

static void
a_list_that_is_none_is_told(void **state)
{
    static const char *const bad[] = {
        "*",           "localhost",   "10.0.0.0/33", "10.0.0.0/",
        "10.0.0.0/-1", "::1/129",     "10.0.0/8",    "10.0.0.0/8/8",
        "proxy",       "10.0.0.1:80", "[::1]",
    };
    char many[2000] = "";
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(request_trust(bad[i], &why), ERR_BADREQ);
        assert_non_null(strstr(why.message, bad[i]));
    }
    assert_int_equal(request_trust("10.0.0.1, no, 10.0.0.2", &why), ERR_BADREQ);
    assert_peer("10.0.0.1", "6.6.6.6", "6.6.6.6");
    assert_peer("10.0.0.2", "6.6.6.6", "10.0.0.2");
    for (int i = 0; i <= REQUEST_TRUST_MAX; i++)
        n += (size_t)snprintf(many + n, sizeof(many) - n, "10.0.0.%d,", i);
    assert_int_equal(request_trust(many, &why), ERR_TOOBIG);
}

static bool
tls(const char *addr, const char *https, const char *proto)
{
    char var[64];
    const char *vars[] = {"REQUEST_METHOD=GET", NULL, NULL, NULL, NULL};
    struct request *rq;
    size_t n = 1;
    bool yes;

    (void)snprintf(var, sizeof(var), "REMOTE_ADDR=%s", addr);
    vars[n++] = var;
    if (https != NULL)
        vars[n++] = https;
    if (proto != NULL)
        vars[n++] = proto;
    rq = make_request(vars);
    yes = request_tls(rq);
    request_free(rq);
    return yes;
}

static void
tls_is_what_the_web_server_or_a_trusted_proxy_says(void **state)
{
    (void)state;
    trust("10.0.0.1");
    assert_false(tls("192.0.2.1", NULL, NULL));
    assert_true(tls("192.0.2.1", "HTTPS=on", NULL));
    assert_true(tls("192.0.2.1", "HTTPS=1", NULL));
    assert_false(tls("192.0.2.1", "HTTPS=off", NULL));
    assert_false(tls("192.0.2.1", "HTTPS=", NULL));
    assert_true(tls("192.0.2.1", "REQUEST_SCHEME=https", NULL));
    assert_false(tls("192.0.2.1", "REQUEST_SCHEME=http", NULL));
    assert_false(tls("192.0.2.1", NULL, "HTTP_X_FORWARDED_PROTO=https"));
    assert_true(tls("10.0.0.1", NULL, "HTTP_X_FORWARDED_PROTO=HTTPS"));
    assert_true(tls("10.0.0.1", NULL, "HTTP_X_FORWARDED_PROTO=http, https"));
    assert_false(tls("10.0.0.1", NULL, "HTTP_X_FORWARDED_PROTO=https,http"));
    assert_false(tls("10.0.0.1", "HTTPS=on", "HTTP_X_FORWARDED_PROTO=http"));
    assert_true(tls("10.0.0.1", "HTTPS=on", NULL));
}

static void
two_spellings_of_a_proxys_header_are_refused(void **state)
{
    static const char *const names[] = {"HTTP_X_FORWARDED_FOR",
                                        "HTTP_X_FORWARDED_PROTO"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char one[100], two[100];
        const char *const vars[] = {"REQUEST_METHOD=GET",
                                    "REMOTE_ADDR=10.0.0.1", one, two, NULL};
        struct request *rq;

        (void)snprintf(one, sizeof(one), "%s=192.0.2.1", names[i]);
        (void)snprintf(two, sizeof(two), "%s=6.6.6.6", names[i]);
        trust("10.0.0.1");
        assert_int_equal(request_new(&rq, vars, "", &why), ERR_BADREQ);
        assert_string_equal(why.code, "ambiguous_client");
        request_free(rq);
        trust("");
        assert_int_equal(request_new(&rq, vars, "", &why), OK);
        assert_string_equal(request_peer(rq), "10.0.0.1");
        request_free(rq);
    }
}

static bool
local(const char *addr, const char *forwarded, const char *more)
{
    struct request *rq = from(addr, forwarded, more);
    bool yes = request_local(rq);

    request_free(rq);
    return yes;
}

static void
local_is_who_is_here_and_nobody_between(void **state)
{
    (void)state;
    trust("");
    assert_true(local("127.0.0.1", NULL, NULL));
    assert_true(local("127.8.8.8", NULL, NULL));
    assert_true(local("::1", NULL, NULL));
    assert_true(local("::ffff:127.0.0.1", NULL, NULL));
    assert_false(local("192.0.2.1", NULL, NULL));
    assert_false(local(NULL, NULL, NULL));
    assert_false(local("127.0.0.1", "127.0.0.1", NULL));
    assert_false(local("127.0.0.1", NULL, "HTTP_FORWARDED=for=127.0.0.1"));
    assert_false(local("127.0.0.1", NULL, "HTTP_X_REAL_IP=127.0.0.1"));
    assert_false(local("127.0.0.1", NULL, "HTTP_VIA=1.1 proxy"));
    assert_true(local("127.0.0.1", NULL, "HTTP_HOST=127.0.0.1:8080"));
    assert_true(local("::1", NULL, "HTTP_HOST=[::1]:8080"));
    assert_true(local("127.0.0.1", NULL, "HTTP_HOST=Localhost:8080"));
    assert_true(local("127.0.0.1", NULL, "HTTP_HOST=chat.localhost"));
    assert_false(local("127.0.0.1", NULL, "HTTP_HOST=evil.example:8080"));
    assert_false(local("127.0.0.1", NULL, "HTTP_HOST=127.0.0.1.evil.example"));
    assert_false(local("127.0.0.1", NULL, "HTTP_HOST=evillocalhost"));
    assert_false(local("127.0.0.1", NULL, "HTTP_HOST="));
    trust("127.0.0.1");
    assert_true(local("127.0.0.1", NULL, "HTTP_X_REAL_IP=127.0.0.1"));
    assert_true(local("127.0.0.1", "127.0.0.1", NULL));
    assert_true(local("127.0.0.1", "::1", NULL));
    assert_false(local("127.0.0.1", "6.6.6.6, ::1", NULL));
    assert_false(local("127.0.0.1", "192.0.2.1", NULL));
    assert_false(local("127.0.0.1", "unknown", NULL));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_trust_the_peer_is_who_connected),
        cmocka_unit_test(a_trusted_proxy_says_whom_it_speaks_for),
        cmocka_unit_test(what_a_client_wrote_in_front_is_not_believed),
        cmocka_unit_test(what_is_no_address_ends_the_chain),
        cmocka_unit_test(elements_may_have_ports),
        cmocka_unit_test(a_chain_without_end_is_left),
        cmocka_unit_test(networks_end_at_a_bit),
        cmocka_unit_test(a_list_that_is_none_is_told),
        cmocka_unit_test(tls_is_what_the_web_server_or_a_trusted_proxy_says),
        cmocka_unit_test(two_spellings_of_a_proxys_header_are_refused),
        cmocka_unit_test(local_is_who_is_here_and_nobody_between),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
