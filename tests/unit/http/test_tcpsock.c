/* Tests of http/tcpsock.c. */
#include "http_test.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "http/tcpsock.h"

static void
addresses_of_this_machine_are_listened_at(void **state)
{
    static const char *const at[] = {"127.0.0.1:0", "localhost:0",
                                     "127.8.9.10:0"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(at); i++) {
        struct sockaddr_in a = {.sin_family = AF_INET};
        char peer[TCPSOCK_ADDR_MAX];
        int fd, port = 0, near, far = -1;

        assert_int_equal(tcpsock_listen(at[i], &fd, &port), OK);
        assert_true(port > 0);
        a.sin_port = htons((uint16_t)port);
        a.sin_addr.s_addr = htonl(i == 2 ? 0x7f08090a : INADDR_LOOPBACK);
        near = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(near, (struct sockaddr *)&a, sizeof(a)), 0);
        while (far < 0) /* it does not block */
            far = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        tcpsock_peer(far, peer);
        assert_int_equal(strncmp(peer, "127.", 4), 0);
        close(far);
        close(near);
        close(fd);
    }
}

static void
other_addresses_are_refused(void **state)
{
    static const char *const at[] = {
        "",           "9001",          "0.0.0.0:1",
        "10.0.0.1:1", "[::]:1",        "*:1",
        ":1",         "127.0.0.1:",    "127.0.0.1:x",
        "127.0.0.1",  "example.org:1", "127.0.0.1:65536"};
    int fd = -1, port;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(at); i++)
        assert_int_equal(tcpsock_listen(at[i], &fd, &port), ERR_BADREQ);
    assert_int_equal(fd, -1);
}

static void
a_port_that_is_taken_is_said(void **state)
{
    char at[40];
    int fd, other, port;

    (void)state;
    assert_int_equal(tcpsock_listen("127.0.0.1:0", &fd, &port), OK);
    snprintf(at, sizeof(at), "127.0.0.1:%d", port);
    assert_int_equal(tcpsock_listen(at, &other, &port), ERR_INTERNAL);
    close(fd);
}

static void
a_unix_socket_has_no_address(void **state)
{
    char peer[TCPSOCK_ADDR_MAX] = "x";
    int fds[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    tcpsock_peer(fds[0], peer);
    assert_string_equal(peer, "");
    tcpsock_peer(-1, peer);
    assert_string_equal(peer, "");
    close(fds[0]);
    close(fds[1]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_of_this_machine_are_listened_at),
        cmocka_unit_test(other_addresses_are_refused),
        cmocka_unit_test(a_port_that_is_taken_is_said),
        cmocka_unit_test(a_unix_socket_has_no_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
