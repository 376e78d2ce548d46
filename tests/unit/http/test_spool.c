/*
 * Tests of http/spool.c: files without a name, their bytes, and a disk that is
 * full (a limit of the file's size stands for it).
 */
#include "http_test.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "http/spool.h"

static char folder[64];

static int
entries(void)
{
    DIR *d = opendir(folder);
    int n = -2; /* . and .. */

    assert_non_null(d);
    while (readdir(d) != NULL)
        n++;
    (void)closedir(d);
    return n;
}

static void
what_is_written_is_read_at_any_place(void **state)
{
    char p[10];
    int fd;

    (void)state;
    assert_int_equal(spool_open(&fd, folder), OK);
    assert_int_equal(spool_write(fd, "01234", 5), OK);
    assert_int_equal(spool_write(fd, "", 0), OK);
    assert_int_equal(spool_write(fd, "56789", 5), OK);
    assert_int_equal(spool_read(fd, 3, p, 4), 4);
    assert_memory_equal(p, "3456", 4);
    assert_int_equal(spool_read(fd, 8, p, 10), 2);
    assert_memory_equal(p, "89", 2);
    assert_int_equal(spool_read(fd, 10, p, 10), 0);
    close(fd);
}

static void
it_has_no_name_and_does_not_outlive_an_exec(void **state)
{
    int fd;

    (void)state;
    assert_int_equal(spool_open(&fd, folder), OK);
    assert_int_equal(entries(), 0);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    close(fd);
}

static void
a_folder_that_is_not_there_is_an_error(void **state)
{
    char missing[100];
    int fd;

    (void)state;
    (void)snprintf(missing, sizeof(missing), "%s/missing", folder);
    assert_int_equal(spool_open(&fd, missing), ERR_STORE);
    assert_true(fd < 0);
}

static void
no_room_is_told_apart(void **state)
{
    struct rlimit before, small;
    char bytes[100];
    int fd;

    (void)state;
    memset(bytes, 'x', sizeof(bytes));
    assert_int_equal(spool_open(&fd, folder), OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 150;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(spool_write(fd, bytes, 100), OK);
    assert_int_equal(spool_write(fd, bytes, 100), ERR_FULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    close(fd);
    assert_int_equal(spool_read(-1, 0, bytes, 1), -1);
}

static int
setup(void **state)
{
    (void)state;
    log_set_level(LOG_ERROR + 1);
    (void)snprintf(folder, sizeof(folder), "/tmp/parley-spool-XXXXXX");
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
    (void)state;
    return rmdir(folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_at_any_place),
        cmocka_unit_test(it_has_no_name_and_does_not_outlive_an_exec),
        cmocka_unit_test(a_folder_that_is_not_there_is_an_error),
        cmocka_unit_test(no_room_is_told_apart),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
