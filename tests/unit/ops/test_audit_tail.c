/* Tests of ops/audit_tail.c. */
#include "audit_test.h"

#include "ops/audit_tail.h"

static struct audit_config plain;

static int
setup(void **state)
{
    plain = audit_config(NULL, 1 << 20);
    return audit_setup(state);
}

static struct audit_tail
tail_of(const char *name)
{
    int fd = open(audit_path(name), O_RDONLY | O_CLOEXEC);
    struct audit_tail t;

    assert_true(fd >= 0);
    assert_int_equal(audit_tail_read(fd, &t), OK);
    (void)close(fd);
    return t;
}

static int
folder(void)
{
    int fd = open(audit_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

static void
an_empty_file_has_no_line(void **state)
{
    struct audit_tail t;

    (void)state;
    audit_spill(AUDIT_LOG, "", 0);
    t = tail_of(AUDIT_LOG);
    assert_false(t.lines || t.ours);
    assert_int_equal(t.size, 0);
    assert_int_equal(t.link.n, 0);
}

static void
the_last_whole_line_counts(void **state)
{
    struct audit_tail t;
    size_t len;
    char *s;

    (void)state;
    audit_make(&plain, 5);
    s = audit_slurp(AUDIT_LOG, &len);
    t = tail_of(AUDIT_LOG);
    assert_true(t.lines && t.ours);
    assert_int_equal(t.link.n, 5);
    assert_int_equal(t.size, len);
    assert_int_equal(t.torn, 0);
    audit_spill(AUDIT_LOG, s, len - 1); /* its end is missing */
    t = tail_of(AUDIT_LOG);
    assert_int_equal(t.link.n, 4);
    assert_int_equal((size_t)t.size + t.torn, len - 1);
    *strstr(strrchr(s, '{'), "ann") = 'b';
    audit_spill(AUDIT_LOG, s, len);
    t = tail_of(AUDIT_LOG);
    assert_true(t.lines && !t.ours);
    assert_int_equal(t.link.n, 0);
    free(s);
}

static void
the_file_before_is_the_one_with_the_highest_number(void **state)
{
    int dir = folder();
    struct audit_tail t;
    char to[400];

    (void)state;
    assert_int_equal(audit_tail_before(dir, &t), OK);
    assert_false(t.lines);
    for (int i = 1; i <= 3; i++) {
        audit_make(&plain, 2);
        (void)snprintf(to, sizeof(to), "%s/audit-%04d.log", audit_dir, i);
        assert_int_equal(rename(audit_path(AUDIT_LOG), to), 0);
    }
    audit_spill("audit-9.log", "x\n", 2); /* none of ours */
    assert_int_equal(audit_tail_before(dir, &t), OK);
    assert_true(t.ours);
    assert_int_equal(t.link.n, 6);
    (void)close(dir);
}

static void
a_head_is_loaded_as_it_was_saved(void **state)
{
    struct audit_link link, head;
    struct audit_seal seal, none;
    int dir = folder();
    bool trusted;

    (void)state;
    audit_seal_init(&seal, SECRET);
    audit_seal_init(&none, NULL);
    audit_link_init(&link);
    assert_false(audit_head_load(dir, &seal, &head, &trusted));
    for (link.n = 1; link.n < 1000000; link.n *= 7) {
        audit_head_save(dir, &seal, &link);
        assert_true(audit_head_load(dir, &seal, &head, &trusted));
        assert_true(trusted);
        assert_int_equal(head.n, link.n);
    }
    audit_head_save(dir, &none, &link);
    assert_true(audit_head_load(dir, &seal, &head, &trusted));
    assert_false(trusted);
    assert_true(audit_head_load(dir, &none, &head, &trusted));
    assert_true(trusted);
    audit_spill(AUDIT_HEAD, "rubbish", 7);
    assert_false(audit_head_load(dir, &none, &head, &trusted));
    assert_false(trusted);
    (void)close(dir);
}

static void
a_full_disk_has_its_own_result(void **state)
{
    (void)state;
    assert_int_equal(audit_failed(ENOSPC), ERR_FULL);
    assert_int_equal(audit_failed(EDQUOT), ERR_FULL);
    assert_int_equal(audit_failed(EIO), ERR_STORE);
    assert_int_equal(errno, EIO);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, audit_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_file_has_no_line),
        TEST(the_last_whole_line_counts),
        TEST(the_file_before_is_the_one_with_the_highest_number),
        TEST(a_head_is_loaded_as_it_was_saved),
        TEST(a_full_disk_has_its_own_result),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
