/* Tests of ops/audit_read.c. */
#include "audit_test.h"

static struct audit_config small;

static int
setup(void **state)
{
    small = audit_config(SECRET, 1000);
    return audit_setup(state);
}

struct seen {
    int64_t first, last;
    size_t n, enough;
    char event[40], who[40];
};

static bool
see(void *arg, const struct audit_entry *e)
{
    struct seen *s = arg;

    assert_int_equal(strlen(e->json), e->json_len);
    assert_int_equal(e->json[e->json_len - 1], '}');
    assert_string_equal(e->at, "2026-01-02T03:04:05.678Z");
    if (s->n++ == 0)
        s->first = e->n;
    else
        assert_int_equal(e->n, s->last + 1);
    s->last = e->n;
    (void)snprintf(s->event, sizeof(s->event), "%s", e->event);
    (void)snprintf(s->who, sizeof(s->who), "%s", e->who);
    return s->n != s->enough;
}

static struct seen
read_all(int64_t after, size_t limit, size_t enough)
{
    struct seen s = {.enough = enough};

    assert_int_equal(audit_read(audit_dir, after, limit, see, &s), OK);
    return s;
}

static void
lines_come_in_order_over_all_files(void **state)
{
    struct seen s;

    (void)state;
    audit_make(&small, 40);
    s = read_all(0, 0, 0);
    assert_int_equal(s.n, 40);
    assert_int_equal(s.first, 1);
    assert_int_equal(s.last, 40);
    assert_string_equal(s.event, "session_deleted");
    assert_string_equal(s.who, "local/ann");
}

static void
from_any_line_as_many_as_are_asked_for(void **state)
{
    (void)state;
    audit_make(&small, 40);
    for (int64_t after = 0; after <= 41; after++) {
        struct seen s = read_all(after, 3, 0);
        size_t left = after < 40 ? (size_t)(40 - after) : 0;

        assert_int_equal(s.n, left < 3 ? left : 3);
        if (s.n > 0)
            assert_int_equal(s.first, after + 1);
    }
    assert_int_equal(read_all(0, 0, 7).n, 7);
}

static void
lines_that_are_not_ours_are_left_out(void **state)
{
    const struct audit_config one = audit_config(SECRET, 1 << 20);
    size_t len;
    char *s;

    (void)state;
    audit_make(&one, 3);
    s = audit_slurp(AUDIT_LOG, &len);
    s = xrealloc(s, len + 100);
    (void)memcpy(s + len, "rubbish\n{\"n\":4,\"at", 18);
    audit_spill(AUDIT_LOG, s, len + 18);
    free(s);
    assert_int_equal(read_all(0, 0, 0).n, 3);
}

static void
there_may_be_no_log(void **state)
{
    struct seen s = {.n = 0};

    (void)state;
    assert_int_equal(audit_read(audit_dir, 0, 0, see, &s), ERR_NOTFOUND);
    assert_int_equal(audit_read("/nowhere/at/all", 0, 0, see, &s),
                     ERR_NOTFOUND);
}

/* What others append or rotate meanwhile does not disturb. */
static bool
write_meanwhile(void *arg, const struct audit_entry *e)
{
    if (e->n == 2)
        audit_make(&small, 12);
    return see(arg, e);
}

static void
who_reads_sees_the_log_as_it_was(void **state)
{
    struct seen s = {.n = 0};

    (void)state;
    audit_make(&small, 4);
    assert_int_equal(audit_read(audit_dir, 0, 0, write_meanwhile, &s), OK);
    assert_int_equal(s.n, 4);
    assert_int_equal(read_all(0, 0, 0).n, 16);
}

/* A copy of the files elsewhere, where nobody may lock. */
static void
a_copy_needs_no_lock(void **state)
{
    (void)state;
    audit_make(&small, 4);
    assert_int_equal(unlink(audit_path(AUDIT_LOCK)), 0);
    assert_int_equal(read_all(0, 0, 0).n, 4);
    assert_int_equal(access(audit_path(AUDIT_LOCK), F_OK), -1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, audit_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_come_in_order_over_all_files),
        TEST(from_any_line_as_many_as_are_asked_for),
        TEST(lines_that_are_not_ours_are_left_out),
        TEST(there_may_be_no_log),
        TEST(who_reads_sees_the_log_as_it_was),
        TEST(a_copy_needs_no_lock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
