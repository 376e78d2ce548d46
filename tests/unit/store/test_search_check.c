/*
 * Tests of store/search_check.c: it tells what is damaged, and touches nothing.
 */
#include "search_test.h"

#include <fcntl.h>

static void
file_path(char out[300])
{
    (void)snprintf(out, 300, "%s/messages.db", search_dir);
}

static bool
is_damaged(void)
{
    bool damaged = true;

    assert_int_equal(search_check(search_dir, &damaged), OK);
    return damaged;
}

static void
fill(void)
{
    for (uint64_t no = 1; no <= 200; no++) {
        struct search_message m = message_of(
            "ann", no, 0, "a word, and another one behind it");

        assert_int_equal(search_add(ix, &m, 1, no), OK);
    }
}

static void
none_is_none(void **state)
{
    struct stat st;
    char path[300];

    (void)state;
    file_path(path);
    assert_false(is_damaged());
    assert_int_not_equal(stat(path, &st), 0);
}

static void
one_in_use_is_sound(void **state)
{
    uint64_t cursor;

    (void)state;
    fill();
    assert_false(is_damaged());
    assert_int_equal(search_cursor(ix, &cursor), OK);
    assert_int_equal(cursor, 200);
}

static void
bytes_that_were_changed_are_damage_and_stay(void **state)
{
    unsigned char junk[4096];
    struct stat before, after;
    char path[300];
    int fd;

    (void)state;
    fill();
    search_close(ix);
    file_path(path);
    memset(junk, 0xa5, sizeof(junk));
    fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    for (off_t page = 3; page < 12; page++)
        assert_int_equal(pwrite(fd, junk, sizeof(junk), page * 4096),
                         sizeof(junk));
    close(fd);
    assert_int_equal(stat(path, &before), 0);
    assert_true(is_damaged());
    assert_true(is_damaged());
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_int_equal(before.st_size, after.st_size);
    assert_int_equal(search_open(&ix, search_dir), OK);
}

static void
what_is_no_index_is_damage(void **state)
{
    char path[300];
    FILE *f;

    (void)state;
    search_close(ix);
    file_path(path);
    f = fopen(path, "we");
    assert_non_null(f);
    for (int i = 0; i < 1000; i++)
        (void)fputs("this is a letter to my aunt\n", f);
    assert_int_equal(fclose(f), 0);
    assert_true(is_damaged());
    assert_int_equal(search_open(&ix, search_dir), OK);
}

static void
a_long_name_is_an_error(void **state)
{
    char name[3000];
    bool damaged;

    (void)state;
    memset(name, 'x', sizeof(name));
    name[2999] = '\0';
    assert_int_equal(search_check(name, &damaged), ERR_STORE);
}

int
main(void)
{
#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, search_setup, search_teardown)
    const struct CMUnitTest tests[] = {
        TEST(none_is_none),
        TEST(one_in_use_is_sound),
        TEST(bytes_that_were_changed_are_damage_and_stay),
        TEST(what_is_no_index_is_damage),
        TEST(a_long_name_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
