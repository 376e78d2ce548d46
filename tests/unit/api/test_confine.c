/* Tests of api/confine.c: what a program with these settings can open yet. It
 * is entered in a child, which tells by its exit status what was wrong. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <fcntl.h>
#include <netdb.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/confine.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/sandbox.h"

#define ROOM 512

static char root[64];

static const char *
below(const char *name)
{
    static char path[4][ROOM];
    static int next;
    char *p = path[next++ % 4];

    (void)snprintf(p, ROOM, "%s/%s", root, name);
    return p;
}

static void
put(const char *name)
{
    int fd = open(below(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
}

static int
setup(void **state)
{
    static const char *const dirs[] = {"etc", "static", "papers", "other"};

    (void)state;
    (void)snprintf(root, sizeof(root), "/tmp/parley-confine-XXXXXX");
    if (mkdtemp(root) == NULL)
        return -1;
    for (size_t i = 0; i < COUNT_OF(dirs); i++)
        if (mkdir(below(dirs[i]), 0700) != 0)
            return -1;
    put("etc/models.json");
    put("static/index.html");
    put("papers/ca.pem");
    put("other/file");
    put(".env");
    (void)setenv("DATA_DIR", below("deep/below/data"), 1);
    (void)setenv("UPSTREAM_CA", below("papers/ca.pem"), 1);
    return 0;
}

static int
teardown(void **state)
{
    char command[ROOM];

    (void)state;
    (void)unsetenv("SANDBOX");
    (void)snprintf(command, sizeof(command), "rm -rf %s", root);
    return system(command);
}

static bool
opens(const char *path, int how)
{
    int fd = open(path, how | O_CLOEXEC, 0600);

    if (fd < 0)
        return false;
    (void)close(fd);
    return true;
}

#define CHECK(number, yes)   \
    do {                     \
        if (!(yes))          \
            _exit((number)); \
    } while (0)

/* inside: is there anything that limits it? */
static void
look_around(bool inside)
{
    struct addrinfo *list = NULL;

    CHECK(1, opens(below("etc/models.json"), O_RDONLY));
    CHECK(2, opens(below("static/index.html"), O_RDONLY));
    CHECK(3, opens(below("papers/ca.pem"), O_RDONLY));
    CHECK(4, opens(below("deep/below/data/new"), O_RDWR | O_CREAT));
    CHECK(5, opens("/etc/passwd", O_RDONLY) && opens("/dev/urandom", O_RDONLY));
    CHECK(6, opens("/proc/self/stat", O_RDONLY));
    CHECK(7, getaddrinfo("localhost", "443", NULL, &list) == 0);
    freeaddrinfo(list);
    CHECK(8, opens(below("other/file"), O_RDONLY) == !inside);
    CHECK(9, opens(below(".env"), O_RDONLY) == !inside);
    CHECK(10, opens(below("papers/ca.pem"), O_RDWR) == !inside);
    CHECK(11, opens(below("etc/new"), O_RDWR | O_CREAT) == !inside);
    _exit(0);
}

/* Does this kernel, and this build, limit anything? Asked in a child. */
static bool
can_be_limited(void)
{
    int status = 0;
    pid_t pid;

    (void)fflush(NULL);
    pid = fork();
    if (pid == 0) {
        const struct sandbox nothing = {.binds = false};
        struct sandbox_report r;

        sandbox_enter(&nothing, &r);
        _exit(r.landlock > 0 && !sandbox_is_hindrance());
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

static int
confined(bool inside)
{
    int status = 0;
    pid_t pid;

    (void)fflush(NULL);
    pid = fork();
    if (pid == 0) {
        log_set_level(LOG_ERROR);
        IGNORE(conf_load(root));
        confine();
        look_around(inside);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void
what_settings_name_stays_and_the_rest_is_gone(void **state)
{
    (void)state;
    assert_int_equal(confined(can_be_limited()), 0);
}

static void
off_means_off_and_data_dir_is_made_all_the_same(void **state)
{
    (void)state;
    (void)setenv("SANDBOX", "off", 1);
    assert_int_equal(confined(false), 0);
    assert_true(opens(below("deep/below/data/new"), O_RDONLY));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            what_settings_name_stays_and_the_rest_is_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(
            off_means_off_and_data_dir_is_made_all_the_same, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
