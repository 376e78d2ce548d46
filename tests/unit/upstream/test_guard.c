/* Tests of upstream/guard.c: which addresses and URLs may be called. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "upstream/guard.h"

static enum guard_class
class_of(const char *s)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, s, &in.sin_addr) == 1)
        return guard_class((struct sockaddr *)&in, sizeof(in));
    assert_int_equal(inet_pton(AF_INET6, s, &in6.sin6_addr), 1);
    return guard_class((struct sockaddr *)&in6, sizeof(in6));
}

static void
addresses_have_their_class(void **state)
{
    static const struct {
        const char *addr, *want;
    } rows[] = {
        {"0.0.0.0", "unspecified"},
        {"0.1.2.3", "unspecified"},
        {"127.0.0.1", "loopback"},
        {"127.255.255.255", "loopback"},
        {"126.255.255.255", "public"},
        {"128.0.0.0", "public"},
        {"10.0.0.1", "private"},
        {"11.0.0.1", "public"},
        {"172.15.255.255", "public"},
        {"172.16.0.0", "private"},
        {"172.31.255.255", "private"},
        {"172.32.0.0", "public"},
        {"192.168.0.1", "private"},
        {"192.169.0.1", "public"},
        {"100.63.255.255", "public"},
        {"100.64.0.0", "shared"},
        {"100.127.255.255", "shared"},
        {"100.128.0.0", "public"},
        {"100.100.100.200", "link-local"}, /* metadata of clouds */
        {"168.63.129.16", "link-local"},
        {"168.63.129.17", "public"},
        {"fd00:ec2::254", "link-local"},
        {"fd20:ce::254", "link-local"},
        {"fd00:ec2::255", "private"},
        {"::ffff:100.100.100.200", "link-local"},
        {"2002:a9fe:a9fe::", "link-local"},
        {"::ffff:0:127.0.0.1", "reserved"},
        {"192.0.0.192", "reserved"},
        {"192.88.99.1", "reserved"},
        {"169.254.169.254", "link-local"},
        {"224.0.0.1", "multicast"},
        {"239.255.255.255", "multicast"},
        {"240.0.0.1", "reserved"},
        {"255.255.255.255", "reserved"},
        {"192.0.2.1", "reserved"},
        {"198.51.100.1", "reserved"},
        {"203.0.113.1", "reserved"},
        {"198.18.0.1", "reserved"},
        {"198.20.0.1", "public"},
        {"8.8.8.8", "public"},
        {"::", "unspecified"},
        {"::1", "loopback"},
        {"::2", "unspecified"},
        {"::ffff:127.0.0.1", "loopback"},
        {"::ffff:10.0.0.1", "private"},
        {"::ffff:169.254.169.254", "link-local"},
        {"::ffff:8.8.8.8", "public"},
        {"::127.0.0.1", "loopback"},
        {"64:ff9b::a9fe:a9fe", "link-local"},
        {"64:ff9b::808:808", "public"},
        {"64:ff9b:1::1", "reserved"},
        {"2002:7f00:1::", "loopback"},
        {"2002:808:808::", "public"},
        {"2001:0:1:2:3:4:80ff:fffe", "loopback"},
        {"2001:1::1", "reserved"},
        {"2001:db8::1", "reserved"},
        {"3fff::1", "reserved"},
        {"fe80::1", "link-local"},
        {"febf::1", "link-local"},
        {"fec0::1", "private"},
        {"fc00::1", "private"},
        {"fdff::1", "private"},
        {"ff02::1", "multicast"},
        {"1000::1", "reserved"},
        {"2a00:1450:4001::1", "public"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *is = guard_class_name(class_of(rows[i].addr));

        if (strcmp(is, rows[i].want) != 0)
            fail_msg("%s: %s, not %s", rows[i].addr, is, rows[i].want);
    }
}

static void
what_is_no_address_is_reserved(void **state)
{
    struct sockaddr other = {.sa_family = AF_UNIX};
    struct sockaddr_in in = {.sin_family = AF_INET};

    (void)state;
    assert_int_equal(guard_class(&other, sizeof(other)), GUARD_RESERVED);
    assert_int_equal(guard_class((struct sockaddr *)&in, 4), GUARD_RESERVED);
    assert_string_equal(guard_class_name((enum guard_class)99), "reserved");
}

static void
urls_are_of_the_list(void **state)
{
    static const char list[] =
        "auth.example.com, *.login.example,8.8.8.8 *.0.0.1,"
        "other.example:8443";
    static const struct {
        const char *url;
        enum err want;
    } rows[] = {
        {"https://auth.example.com/token", OK},
        {"https://AUTH.example.COM/token?a=b#c", OK},
        {"https://auth.example.com:443/", OK},
        {"https://auth.example.com./", OK},
        {"https://a.login.example", OK},
        {"https://a.b.login.example/x", OK},
        {"https://other.example:8443/", OK},
        {"https://8.8.8.8/", OK},
        {"https://login.example/", ERR_FORBIDDEN},
        {"https://evillogin.example/", ERR_FORBIDDEN},
        {"https://other.example/", ERR_FORBIDDEN},
        {"https://auth.example.com:8443/", ERR_FORBIDDEN},
        {"https://auth.example.com.evil.example/", ERR_FORBIDDEN},
        {"https://evil.example/?auth.example.com", ERR_FORBIDDEN},
        {"https://evil.example/#@auth.example.com", ERR_FORBIDDEN},
        {"https:///token", ERR_FORBIDDEN}, /* the host is "token" */
        {"https://127.0.0.1/", ERR_FORBIDDEN},
        {"https://0x7f.1/", ERR_FORBIDDEN},
        {"https://2130706433/", ERR_FORBIDDEN},
        {"https://[::1]/", ERR_FORBIDDEN},
        {"https://[::ffff:10.0.0.1]/", ERR_FORBIDDEN},
        {"https://[fe80::1%25eth0]/", ERR_FORBIDDEN},
        {"https://169.254.169.254/latest", ERR_FORBIDDEN},
        {"http://auth.example.com/", ERR_BADREQ},
        {"ftp://auth.example.com/", ERR_BADREQ},
        {"file:///etc/passwd", ERR_BADREQ},
        {"https://user:pw@auth.example.com/", ERR_BADREQ},
        {"https://auth.example.com@evil.example/", ERR_BADREQ},
        {"auth.example.com/token", ERR_BADREQ},
        {"//auth.example.com/token", ERR_BADREQ},
        {"https://", ERR_BADREQ},
        {"", ERR_BADREQ},
        {"nonsense", ERR_BADREQ},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct problem p = {.err = OK};
        enum guard_class also = GUARD_RESERVED;
        enum err e = guard_url(rows[i].url, list, &also, &p);

        if (e != rows[i].want)
            fail_msg("%s: %s", rows[i].url, err_code(e));
        assert_int_equal(also, GUARD_PUBLIC);
        if (e != OK)
            assert_true(p.error[0] != '\0' && p.err == e);
    }
}

/* Also as another spelling of the same. */
static void
an_address_that_is_not_public_must_be_listed_itself(void **state)
{
    static const char list[] =
        "127.0.0.1:8443 [::1]:8443, localhost:9443,10.0.0.5,[fd00::5],"
        "100.64.0.1, 169.254.169.254 0.0.0.0 224.0.0.1 [fe80::1]";
    static const struct {
        const char *url;
        enum err want;
        enum guard_class also;
    } rows[] = {
        {"https://127.0.0.1:8443/", OK, GUARD_LOOPBACK},
        {"https://0x7f.1:8443/", OK, GUARD_LOOPBACK},
        {"https://[::1]:8443/", OK, GUARD_LOOPBACK},
        {"https://localhost:9443/", OK, GUARD_LOOPBACK},
        {"https://LocalHost.:9443/", OK, GUARD_LOOPBACK},
        {"https://10.0.0.5/", OK, GUARD_PRIVATE},
        {"https://[fd00::5]/", OK, GUARD_PRIVATE},
        {"https://100.64.0.1/", OK, GUARD_SHARED},
        {"https://127.0.0.1/", ERR_FORBIDDEN, GUARD_PUBLIC},
        {"https://127.0.0.1:9443/", ERR_FORBIDDEN, GUARD_PUBLIC},
        {"https://127.0.0.2:8443/", ERR_FORBIDDEN, GUARD_PUBLIC},
        {"https://[::1]/", ERR_FORBIDDEN, GUARD_PUBLIC},
        {"https://localhost/", ERR_FORBIDDEN, GUARD_PUBLIC},
        {"https://localhost:8443/", ERR_FORBIDDEN, GUARD_PUBLIC},
        {"https://10.0.0.6/", ERR_FORBIDDEN, GUARD_PUBLIC},
        {"https://169.254.169.254/", ERR_FORBIDDEN, GUARD_PUBLIC},
        {"https://0.0.0.0/", ERR_FORBIDDEN, GUARD_PUBLIC},
        {"https://224.0.0.1/", ERR_FORBIDDEN, GUARD_PUBLIC},
        {"https://[fe80::1]/", ERR_FORBIDDEN, GUARD_PUBLIC},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct problem p = {.err = OK};
        enum guard_class also = GUARD_RESERVED;
        enum err e = guard_url(rows[i].url, list, &also, &p);

        if (e != rows[i].want || also != rows[i].also)
            fail_msg("%s: %s, %s", rows[i].url, err_code(e),
                     guard_class_name(also));
    }
}

static void
an_empty_list_allows_nothing(void **state)
{
    struct problem p;

    (void)state;
    assert_int_equal(guard_url("https://auth.example.com/", "", NULL, &p),
                     ERR_FORBIDDEN);
    assert_int_equal(guard_url("https://auth.example.com/", " ,, ", NULL, &p),
                     ERR_FORBIDDEN);
    assert_string_equal(p.code, "host_not_allowed");
}

static void
without_a_list_any_public_address_will_do(void **state)
{
    static const char *const not_allowed[] = {
        "https://localhost/", "https://LOCALHOST./", "https://127.0.0.1/",
        "https://10.0.0.5/",  "https://[::1]/",      "https://169.254.169.254/",
    };
    enum guard_class also;
    struct problem p;

    (void)state;
    assert_int_equal(guard_url("https://any.example/x", NULL, &also, &p), OK);
    assert_int_equal(also, GUARD_PUBLIC);
    assert_int_equal(guard_url("https://any.example:444/", NULL, &also, &p),
                     OK);
    assert_int_equal(guard_url("http://any.example/", NULL, &also, &p),
                     ERR_BADREQ);
    for (size_t i = 0; i < COUNT_OF(not_allowed); i++)
        assert_int_equal(guard_url(not_allowed[i], NULL, &also, &p),
                         ERR_FORBIDDEN);
}

/* Other ways to write an address that may not be called. */
static void
spellings_of_an_address_lead_nowhere(void **state)
{
    static const char *const urls[] = {
        "https://127.0.0.1./",
        "https://127.1/",
        "https://0177.0.0.1/",
        "https://017700000001/",
        "https://0x7f000001/",
        "https://0x7f.0x0.0x0.0x1/",
        "https://2130706433/",
        "https://0/",
        "https://0.0.0.0./",
        "https://%31%32%37.0.0.1/",
        "https://127%2e0%2e0%2e1/",
        "https://[::ffff:7f00:1]/",
        "https://[0:0:0:0:0:ffff:127.0.0.1]/",
        "https://[::127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[64:ff9b::169.254.169.254]/",
        "https://[2002:7f00:1::]/",
        "https://[fd00:ec2::254]/",
        "https://[::]/",
        "https://169.254.169.254./",
        "https://0xa9fea9fe/",
        "https://2852039166/",
        "https://100.100.100.200/",
        "https://168.63.129.16/",
        "https://\xEF\xBC\x91\xEF\xBC\x92\xEF\xBC\x97.0.0.1/",
        "https://127\xE3\x80\x82"
        "0\xE3\x80\x82"
        "0\xE3\x80\x82"
        "1/",
        ("https://\xE2\x93\x9B"
         "ocalhost/"),
        "https://%EF%BC%91.0.0.1/",
        "https://user@any.example/",
        "https://:@any.example/",
        "https://any.example\\@127.0.0.1/",
        "https://any.example:443:80/",
        "https://any.example:65536/",
        "https://any.example:-1/",
        "https://any.example:port/",
        "https://any .example/",
        "https://any.example\r\nHost: x/",
        "https://./",
        "https://%00/",
        "HTTPS://localhost/",
        "https:\\\\127.0.0.1\\",
        "javascript:alert(1)",
        "gopher://any.example/",
    };
    static const char *const lists[] = {NULL, "any.example", "*.0.0.1, *.1"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(urls); i++)
        for (size_t j = 0; j < COUNT_OF(lists); j++) {
            struct problem p = {.err = OK};

            if (guard_url(urls[i], lists[j], NULL, &p) == OK)
                fail_msg("%s with %s", urls[i], lists[j] ? lists[j] : "any");
        }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_have_their_class),
        cmocka_unit_test(what_is_no_address_is_reserved),
        cmocka_unit_test(urls_are_of_the_list),
        cmocka_unit_test(an_address_that_is_not_public_must_be_listed_itself),
        cmocka_unit_test(an_empty_list_allows_nothing),
        cmocka_unit_test(without_a_list_any_public_address_will_do),
        cmocka_unit_test(spellings_of_an_address_lead_nowhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
