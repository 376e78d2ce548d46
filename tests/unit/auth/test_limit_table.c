/* Tests of auth/limit_table.c: the file, and words in it. */
#include "base/base.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "auth/limit.h"
#include "auth/limit_table.h"
#include "base/log.h"

struct world {
    char dir[64], path[128];
};

static int
set_up(void **state)
{
    static struct world w;

    (void)snprintf(w.dir, sizeof(w.dir), "/tmp/parley-limits-XXXXXX");
    if (mkdtemp(w.dir) == NULL)
        return -1;
    (void)snprintf(w.path, sizeof(w.path), "%s/limits", w.dir);
    *state = &w;
    return 0;
}

static int
tear_down(void **state)
{
    struct world *w = *state;

    (void)unlink(w->path);
    return rmdir(w->dir);
}

static uint64_t
add_one(void *arg, uint64_t word)
{
    *(uint64_t *)arg = word + 1;
    return word + 1;
}

static uint64_t
get(void *arg, uint64_t word)
{
    *(uint64_t *)arg = word;
    return word;
}

static uint64_t
set_100(void *arg, uint64_t word)
{
    (void)arg, (void)word;
    return 100;
}

static uint64_t
rank_value(int64_t now_ms, uint64_t word)
{
    (void)now_ms;
    return word;
}

/* The value after fn. */
static uint64_t
update(struct limit *l, const char *name, limit_word_fn *fn)
{
    uint64_t value = 0;
    struct limit_ask ask = {.area = LIMIT_AREA_GUESSES,
                            .kind = 7,
                            .name = name,
                            .rank = rank_value,
                            .fn = fn,
                            .arg = &value};

    limit_update(l, &ask);
    return value;
}

/* --- the file ----------------------------------------------------------- */

static void
what_one_counts_another_sees(void **state)
{
    struct world *w = *state;
    struct limit *a = limit_open(w->path), *b = limit_open(w->path);
    struct stat st;

    assert_true(limit_shared(a) && limit_shared(b));
    assert_int_equal(update(a, "x", add_one), 1);
    assert_int_equal(update(b, "x", add_one), 2);
    limit_close(a);
    limit_close(b);
    a = limit_open(w->path);
    assert_int_equal(update(a, "x", get), 2);
    limit_close(a);
    assert_int_equal(stat(w->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_size, LIMIT_FILE_BYTES);
    assert_true((size_t)st.st_blocks * 512 >= LIMIT_FILE_BYTES);
}

static void
change(const char *path, off_t at, uint8_t by)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    uint8_t b;

    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &b, 1, at), 1);
    b ^= by;
    assert_int_equal(pwrite(fd, &b, 1, at), 1);
    assert_int_equal(close(fd), 0);
}

static void
any_other_byte_in_the_header_makes_it_anew(void **state)
{
    struct world *w = *state;

    for (off_t at = 0; at < (off_t)sizeof(struct limit_header); at++) {
        struct limit *l = limit_open(w->path);

        assert_true(limit_shared(l));
        assert_int_equal(update(l, "x", add_one), 1);
        limit_close(l);
        change(w->path, at, 0x20);
    }
}

static void
a_file_of_another_length_is_made_anew(void **state)
{
    static const off_t lengths[] = {0, 1, 4096, (off_t)LIMIT_FILE_BYTES - 1,
                                    (off_t)LIMIT_FILE_BYTES + 1};
    struct world *w = *state;

    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        struct limit *l = limit_open(w->path);

        assert_true(limit_shared(l));
        assert_int_equal(update(l, "x", add_one), 1);
        limit_close(l); /* nobody may have it mapped when it is cut */
        assert_int_equal(truncate(w->path, lengths[i]), 0);
    }
}

static void
where_no_file_can_be_each_counts_for_itself(void **state)
{
    struct world *w = *state;
    struct limit *a, *b;

    assert_int_equal(mkdir(w->path, 0700), 0);
    a = limit_open(w->path);
    b = limit_open(w->path);
    assert_false(limit_shared(a) || limit_shared(b));
    assert_int_equal(update(a, "x", add_one), 1);
    assert_int_equal(update(b, "x", add_one), 1);
    assert_int_equal(update(a, "x", add_one), 2);
    limit_close(a);
    limit_close(b);
    assert_int_equal(rmdir(w->path), 0);
    assert_int_equal(symlink("elsewhere", w->path), 0); /* nor through a link */
    a = limit_open(w->path);
    assert_false(limit_shared(a));
    limit_close(a);
}

/* Many start at once, on a file that is not sound. */
static void
several_that_start_at_once_share_one_file(void **state)
{
    struct world *w = *state;
    struct limit *l;
    pid_t pids[8];
    int fd;

    fd = open(w->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "rubbish", 7), 7);
    assert_int_equal(close(fd), 0);
    for (size_t i = 0; i < COUNT_OF(pids); i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            l = limit_open(w->path);
            for (int n = 0; n < 1000; n++)
                (void)update(l, "x", add_one);
            _exit(limit_shared(l) ? 0 : 1);
        }
        assert_true(pids[i] > 0);
    }
    for (size_t i = 0; i < COUNT_OF(pids); i++) {
        int status;

        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    l = limit_open(w->path);
    assert_int_equal(update(l, "x", get), 1000 * COUNT_OF(pids));
    limit_close(l);
}

/* --- words -------------------------------------------------------------- */

static void
looking_takes_no_slot(void **state)
{
    struct limit *l = limit_open("/nonexistent/limits");
    char name[32];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof(name), "n%d", i);
        assert_int_equal(update(l, name, get), 0);
    }
    for (size_t i = 0; i < (size_t)LIMIT_SLOTS * LIMIT_AREA__MAX; i++)
        assert_int_equal(atomic_load(&l->slots[i].tag), 0);
    limit_close(l);
}

static void
a_flood_pushes_out_what_counts_least(void **state)
{
    struct limit *l = limit_open("/nonexistent/limits");
    char name[32];

    (void)state;
    for (int i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof(name), "locked%d", i);
        (void)update(l, name, set_100);
    }
    for (int i = 0; i < 2 * LIMIT_SLOTS; i++) {
        (void)snprintf(name, sizeof(name), "flood%d", i);
        assert_int_equal(update(l, name, add_one), 1);
        assert_int_equal(update(l, name, get), 1);
    }
    for (int i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof(name), "locked%d", i);
        assert_int_equal(update(l, name, get), 100);
    }
    limit_close(l);
}

static void
rubbish_in_the_slots_does_no_harm(void **state)
{
    struct limit *l = limit_open("/nonexistent/limits");
    uint64_t seed = 1;
    char name[32];

    (void)state;
    for (size_t i = 0; i < (size_t)LIMIT_SLOTS * LIMIT_AREA__MAX; i++) {
        seed = seed * 6364136223846793005U + 1442695040888963407U;
        atomic_store(&l->slots[i].tag, seed);
        seed = seed * 6364136223846793005U + 1442695040888963407U;
        atomic_store(&l->slots[i].value, seed);
    }
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof(name), "n%d", i);
        assert_int_equal(update(l, name, add_one), 1);
        assert_int_equal(update(l, name, add_one), 2);
    }
    limit_close(l);
}

struct many {
    struct limit *l;
    int first;
};

/* All in few groups, so that slots change hands all the time. */
static void *
crowd(void *arg)
{
    struct many *m = arg;
    char name[32];

    for (int i = 0; i < 20000; i++) {
        (void)snprintf(name, sizeof(name), "n%d", (m->first + i) % 40000);
        (void)update(m->l, name, add_one);
        (void)update(m->l, "everybody", add_one);
    }
    return NULL;
}

static void
threads_that_change_slots_lose_no_count(void **state)
{
    struct limit *l = limit_open("/nonexistent/limits");
    struct many m[2] = {{l, 0}, {l, 10000}};
    pthread_t t[2];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(t); i++)
        assert_int_equal(pthread_create(&t[i], NULL, crowd, &m[i]), 0);
    for (size_t i = 0; i < COUNT_OF(t); i++)
        assert_int_equal(pthread_join(t[i], NULL), 0);
    assert_int_equal(update(l, "everybody", get), 40000);
    limit_close(l);
}

int
main(void)
{
#define ONE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ONE(what_one_counts_another_sees),
        ONE(any_other_byte_in_the_header_makes_it_anew),
        ONE(a_file_of_another_length_is_made_anew),
        ONE(where_no_file_can_be_each_counts_for_itself),
        ONE(several_that_start_at_once_share_one_file),
        cmocka_unit_test(looking_takes_no_slot),
        cmocka_unit_test(a_flood_pushes_out_what_counts_least),
        cmocka_unit_test(rubbish_in_the_slots_does_no_harm),
        cmocka_unit_test(threads_that_change_slots_lose_no_count),
    };

    log_set_level(LOG_ERROR + 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
