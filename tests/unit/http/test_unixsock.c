/* Tests of http/unixsock.c: one owner at a time, whatever was left behind. */
#include "door_test.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char path[100];

static void
the_socket_is_private_and_answers(void **state)
{
    int fd, lock, client;
    struct stat st;

    (void)state;
    assert_int_equal(unixsock_listen(path, 0600, &fd, &lock), OK);
    assert_int_equal(stat(path, &st), 0);
    assert_true(S_ISSOCK(st.st_mode));
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(lock, F_GETFD) & FD_CLOEXEC);
    client = unixsock_connect(path);
    assert_true(client >= 0);
    assert_true(fcntl(client, F_GETFD) & FD_CLOEXEC);
    close(client);
    close(fd);
    close(lock);
}

static void
a_second_owner_is_refused_until_the_first_is_gone(void **state)
{
    int fd, lock, fd2, lock2;

    (void)state;
    assert_int_equal(unixsock_listen(path, 0600, &fd, &lock), OK);
    assert_int_equal(unixsock_listen(path, 0600, &fd2, &lock2), ERR_CONFLICT);
    close(fd);
    assert_int_equal(unixsock_listen(path, 0600, &fd2, &lock2), ERR_CONFLICT);
    assert_int_equal(unixsock_connect(path), -1);
    close(lock);
    assert_int_equal(unixsock_listen(path, 0600, &fd2, &lock2), OK);
    close(fd2);
    close(lock2);
}

static void
a_socket_of_a_dead_process_is_replaced(void **state)
{
    pid_t pid = fork();
    int fd, lock, status;

    (void)state;
    if (pid == 0) {
        if (unixsock_listen(path, 0600, &fd, &lock))
            _exit(1);
        kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(unixsock_connect(path), -1);
    assert_int_equal(errno, ECONNREFUSED);
    assert_int_equal(unixsock_listen(path, 0600, &fd, &lock), OK);
    close(fd);
    close(lock);
}

static void
paths_that_cannot_be_are_errors(void **state)
{
    char longer[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
    struct sockaddr_un a;
    int fd, lock;

    (void)state;
    memset(longer, 'x', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(unixsock_addr(&a, longer), ERR_TOOBIG);
    assert_int_equal(unixsock_listen(longer, 0600, &fd, &lock), ERR_TOOBIG);
    assert_int_equal(unixsock_connect(longer), -1);
    longer[sizeof(longer) - 2] = '\0';
    assert_int_equal(unixsock_addr(&a, longer), OK);
    assert_int_equal(unixsock_listen("/nowhere/at/all", 0600, &fd, &lock),
                     ERR_INTERNAL);
    assert_int_equal(unixsock_connect("/nowhere/at/all"), -1);
}

static int
setup(void **state)
{
    (void)state;
    make_dir();
    in_dir(path, "s");
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    remove_dir();
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_socket_is_private_and_answers),
        cmocka_unit_test(a_second_owner_is_refused_until_the_first_is_gone),
        cmocka_unit_test(a_socket_of_a_dead_process_is_replaced),
        cmocka_unit_test(paths_that_cannot_be_are_errors),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
