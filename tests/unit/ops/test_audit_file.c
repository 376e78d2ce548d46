/* Tests of ops/audit_file.c: the end of the log, whatever became of who wrote
 * it. */
#include "audit_test.h"

#include <signal.h>

#define FILE_MAX ((size_t)16 << 20)
#define DISK_BYTES ((size_t)256 * 1024)

static struct audit_config plain, keyed;

static int
setup(void **state)
{
    plain = audit_config(NULL, FILE_MAX);
    keyed = audit_config(SECRET, FILE_MAX);
    return audit_setup(state);
}

static int64_t
size_of(const char *name)
{
    struct stat st;

    return stat(audit_path(name), &st) == 0 ? (int64_t)st.st_size : -1;
}

static void
lines_follow_each_other_over_many_processes(void **state)
{
    struct audit_file a, b;
    struct stat st;

    (void)state;
    assert_int_equal(audit_file_open(&a, &keyed), OK);
    assert_int_equal(audit_file_open(&b, &keyed), OK);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(audit_put(&a, 1, 2), OK);
        assert_int_equal(audit_put(&b, 1, 1), OK);
    }
    audit_file_close(&a);
    audit_file_close(&b);
    ASSERT_SOUND(&keyed, 30);
    assert_int_equal(stat(audit_path(AUDIT_LOG), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(audit_path(AUDIT_HEAD), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void
a_batch_is_one_chain(void **state)
{
    struct audit_entry_body bodies[500];
    struct audit_file f;
    size_t done;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++)
        bodies[i] = (struct audit_entry_body){.data = "\"at\":\"now\"",
                                              .len = 10};
    assert_int_equal(audit_file_open(&f, &plain), OK);
    assert_int_equal(audit_file_append(&f, bodies, COUNT_OF(bodies), &done),
                     OK);
    assert_int_equal(done, COUNT_OF(bodies));
    audit_file_close(&f);
    ASSERT_SOUND(&plain, 500);
}

static void
half_a_line_is_cut_off_and_told(void **state)
{
    struct audit_file f;
    struct audit_found found;
    size_t len;
    char *s;

    (void)state;
    audit_make(&plain, 3);
    s = audit_slurp(AUDIT_LOG, &len);
    /* However little, or much, of it was written. */
    for (size_t n = 1; n < 200; n += 33) {
        FILE *out = fopen(audit_path(AUDIT_LOG), "ae");
        char *now;

        assert_non_null(out);
        assert_int_equal(fwrite(s, 1, n, out), n);
        (void)fclose(out);
        audit_check(&plain, &found);
        assert_non_null(strstr(found.text, "note audit.log"));
        assert_non_null(strstr(found.text, "half a line at the end"));
        assert_int_equal(found.verdict.faults, 0);

        assert_int_equal(audit_file_open(&f, &plain), OK);
        assert_int_equal(audit_put(&f, 9, 1), OK);
        audit_file_close(&f);
        audit_check(&plain, &found);
        assert_string_equal(found.text, "");
        now = audit_slurp(AUDIT_LOG, NULL);
        assert_non_null(strstr(now, "\"event\":\"audit_repaired\""));
        free(now);
    }
    free(s);
    ASSERT_SOUND(&plain, 3 + 2 * 7);
}

/* Also where the very first line was never finished. */
static void
half_a_first_line_is_cut_off(void **state)
{
    struct audit_file f;

    (void)state;
    audit_spill(AUDIT_LOG, "{\"n\":1", 6);
    assert_int_equal(audit_file_open(&f, &plain), OK);
    assert_int_equal(audit_put(&f, 1, 1), OK);
    audit_file_close(&f);
    ASSERT_SOUND(&plain, 2);
}

static void
what_was_cut_off_stays_missing(void **state)
{
    struct audit_file f;
    size_t len;
    char *s, *cut;

    (void)state;
    audit_make(&keyed, 10);
    s = audit_slurp(AUDIT_LOG, &len);
    cut = memrchr(s, '\n', len - 1);
    cut = memrchr(s, '\n', (size_t)(cut - s));
    audit_spill(AUDIT_LOG, s, (size_t)(cut - s) + 1);
    free(s);
    ASSERT_FINDS(&keyed, "lines 9 to 10 are missing: the end was cut off");
    /* The next writer does not make it look whole. */
    assert_int_equal(audit_file_open(&f, &keyed), OK);
    assert_int_equal(audit_put(&f, 11, 1), OK);
    audit_file_close(&f);
    ASSERT_FINDS(&keyed, "lines 9 to 10 are missing before this one");
    ASSERT_FINDS(&keyed, "line 11 tells that the log did not end where");
    s = audit_slurp(AUDIT_LOG, NULL);
    assert_non_null(strstr(s, "\"found\":8,\"expected\":10"));
    free(s);
}

static void
a_log_that_was_removed_stays_missing(void **state)
{
    (void)state;
    audit_make(&plain, 4);
    assert_int_equal(unlink(audit_path(AUDIT_LOG)), 0);
    ASSERT_FINDS(&plain, "lines 1 to 4 are missing: the end was cut off");
    audit_make(&plain, 2);
    ASSERT_FINDS(&plain, "lines 1 to 4 are missing before this one");
}

static void
a_head_that_was_removed_is_told(void **state)
{
    (void)state;
    audit_make(&plain, 4);
    assert_int_equal(unlink(audit_path(AUDIT_HEAD)), 0);
    ASSERT_FINDS(&plain, "whether the end was cut off cannot be told");
    audit_make(&plain, 2);
    ASSERT_FINDS(&plain, "line 5 tells that the log did not end where");
}

/* Without the key nobody makes the chain jump. */
static void
a_forged_head_is_not_followed(void **state)
{
    struct audit_seal none;
    struct audit_link link;
    char head[AUDIT_HEAD_LEN + 1];
    struct audit_found found;

    (void)state;
    audit_make(&keyed, 3);
    audit_seal_init(&none, NULL);
    audit_link_init(&link);
    link.n = 1000000;
    audit_head_write(head, &link, &none);
    audit_spill(AUDIT_HEAD, head, AUDIT_HEAD_LEN);
    ASSERT_FINDS(&keyed, "it was not written with this key");
    audit_make(&keyed, 1);
    audit_check(&keyed, &found);
    assert_int_equal(found.verdict.last_n, 5);
    ASSERT_FINDS(&keyed, "line 4 tells that the log did not end where");
}

static void
rotation_keeps_the_chain_and_the_files(void **state)
{
    const struct audit_config small = audit_config(SECRET, 2000);
    struct audit_file a, b;
    struct audit_found found;

    (void)state;
    assert_int_equal(audit_file_open(&a, &small), OK);
    assert_int_equal(audit_file_open(&b, &small), OK);
    for (int i = 0; i < 25; i++) {
        assert_int_equal(audit_put(&a, i, 1), OK);
        assert_int_equal(audit_put(&b, i, 1), OK);
    }
    audit_file_close(&a);
    audit_file_close(&b);
    audit_check(&small, &found);
    assert_string_equal(found.text, "");
    assert_int_equal(found.verdict.last_n, 50);
    assert_true(found.verdict.files >= 8);
    assert_true(size_of("audit-0001.log") >= 2000);
    assert_true(size_of("audit-0001.log") < 3000);
}

/* The process died after it renamed audit.log and before it made another. */
static void
a_rotation_that_broke_off_is_gone_on_with(void **state)
{
    char to[400];

    (void)state;
    audit_make(&keyed, 5);
    (void)snprintf(to, sizeof(to), "%s", audit_path("audit-0001.log"));
    assert_int_equal(rename(audit_path(AUDIT_LOG), to), 0);
    ASSERT_SOUND(&keyed, 5);
    audit_make(&keyed, 2);
    ASSERT_SOUND(&keyed, 7);
    assert_true(size_of(AUDIT_LOG) > 0);
}

/* Or after it made the other, empty. */
static void
an_empty_file_goes_on_from_the_one_before(void **state)
{
    char to[400];

    (void)state;
    audit_make(&keyed, 5);
    (void)snprintf(to, sizeof(to), "%s", audit_path("audit-0001.log"));
    assert_int_equal(rename(audit_path(AUDIT_LOG), to), 0);
    audit_spill(AUDIT_LOG, "", 0);
    audit_make(&keyed, 2);
    ASSERT_SOUND(&keyed, 7);
}

static void
a_folder_that_is_not_there_is_refused(void **state)
{
    struct audit_config c = {.dir = "/nowhere/at/all", .file_max = FILE_MAX};
    struct audit_file f;

    (void)state;
    log_set_level((enum log_level)(LOG_ERROR + 1));
    assert_int_equal(audit_file_open(&f, &c), ERR_STORE);
    log_set_level(LOG_ERROR);
}

/* --- killed ----------------------------------------------------------- */

/* Write for ever, in batches. Where the disk is slow, one that waits too long
 * for the others says so and tries again, as the log's thread does. */
static void
write_until_killed(const struct audit_config *c)
{
    struct audit_entry_body bodies[20];
    struct audit_file f;
    char text[600];

    (void)memset(text, 'x', sizeof(text));
    (void)memcpy(text, "\"x\":\"", 5);
    text[sizeof(text) - 1] = '"';
    for (size_t i = 0; i < COUNT_OF(bodies); i++)
        bodies[i] = (struct audit_entry_body){.data = text,
                                              .len = sizeof(text)};
    if (audit_file_open(&f, c) != OK)
        _exit(1);
    for (;;) {
        size_t done;
        enum err e = audit_file_append(&f, bodies, COUNT_OF(bodies), &done);

        if (e != OK && e != ERR_STORE)
            _exit(2);
    }
}

static int64_t
lines_now(const struct audit_config *c)
{
    struct audit_found found;

    (void)memset(&found, 0, sizeof(found));
    if (audit_verify(c, 0, audit_note_finding, &found, &found.verdict) != OK)
        return 0;
    return found.verdict.last_n;
}

static void
a_process_that_is_killed_leaves_a_log_that_goes_on(void **state)
{
    const struct audit_config c = audit_config(SECRET, 256 * 1024);
    struct audit_found found;
    pid_t pids[3];

    (void)state;
    for (int round = 0; round < 6; round++) {
        int64_t before = lines_now(&c);

        for (size_t i = 0; i < COUNT_OF(pids); i++) {
            pids[i] = fork();
            if (pids[i] == 0)
                write_until_killed(&c);
            assert_true(pids[i] > 0);
        }
        while (lines_now(&c) < before + 200)
            (void)usleep(1000);
        for (size_t i = 0; i < COUNT_OF(pids); i++)
            (void)kill(pids[i], SIGKILL);
        for (size_t i = 0; i < COUNT_OF(pids); i++)
            assert_int_equal(child_wait(pids[i]), -SIGKILL);
        audit_make(&c, 1);
        audit_check(&c, &found);
        assert_string_equal(found.text, "");
    }
}

/* --- a full disk ------------------------------------------------------ */

static int
with_a_full_disk(void)
{
    struct audit_file f;
    struct audit_found found;
    int64_t n = 0;
    enum err e = OK;

    if (!small_disk_mount(audit_dir, DISK_BYTES))
        return 77;
    assert_int_equal(audit_file_open(&f, &keyed), OK);
    assert_int_equal(audit_put(&f, 1, 5), OK);
    assert_true(disk_fill(audit_path("filler")) > 0);
    /* There is some room that was set aside; then there is none. */
    while (e == OK && n < 10000) {
        e = audit_put(&f, n, 1);
        if (e == OK)
            n++;
    }
    assert_int_equal(e, ERR_FULL);
    assert_true(n >= 5);
    assert_int_equal(audit_put(&f, n, 1), ERR_FULL);
    audit_check(&keyed, &found);
    assert_string_equal(found.text, "");
    assert_int_equal(found.verdict.last_n, 5 + n);

    assert_int_equal(unlink(audit_path("filler")), 0);
    assert_int_equal(audit_put(&f, n, 3), OK);
    audit_file_close(&f);
    audit_check(&keyed, &found);
    assert_string_equal(found.text, "");
    assert_int_equal(found.verdict.last_n, 5 + n + 3);
    return 0;
}

static void
a_full_disk_leaves_whole_lines(void **state)
{
    pid_t pid = fork();
    int status;

    (void)state;
    if (pid == 0)
        _exit(with_a_full_disk());
    status = child_wait(pid);
    if (status == 77)
        skip();
    assert_int_equal(status, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, audit_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_follow_each_other_over_many_processes),
        TEST(a_batch_is_one_chain),
        TEST(half_a_line_is_cut_off_and_told),
        TEST(half_a_first_line_is_cut_off),
        TEST(what_was_cut_off_stays_missing),
        TEST(a_log_that_was_removed_stays_missing),
        TEST(a_head_that_was_removed_is_told),
        TEST(a_forged_head_is_not_followed),
        TEST(rotation_keeps_the_chain_and_the_files),
        TEST(a_rotation_that_broke_off_is_gone_on_with),
        TEST(an_empty_file_goes_on_from_the_one_before),
        TEST(a_folder_that_is_not_there_is_refused),
        TEST(a_process_that_is_killed_leaves_a_log_that_goes_on),
        TEST(a_full_disk_leaves_whole_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
