/*
 * Turns on a full disk: what is not durable is not acknowledged, nothing that
 * came is lost, and all goes on when there is room. The disk is a small one of
 * this program's own; where that may not be mounted, the tests are skipped.
 */
#include "chat_test.h"

#include "ops/audit.h"

#define DISK_BYTES (6 * 1024 * 1024)
#define ANSWER_BYTES (200 * 1000)

static bool mounted;
static char disk[256];

static int
setup(void **state)
{
    (void)state;
    if (!mounted)
        return 0;
    (void)snprintf(rig_dir, sizeof(rig_dir), "%s", disk);
    rig_settings();
    taps_start();
    rig_start();
    return 0;
}

static void
fill_up(void)
{
    char path[300];

    (void)snprintf(path, sizeof(path), "%s/other", disk);
    assert_true(disk_fill(path) > 0);
}

static void
make_room(void)
{
    char path[300];

    (void)snprintf(path, sizeof(path), "%s/other", disk);
    (void)unlink(path);
}

static int
teardown(void **state)
{
    if (!mounted)
        return 0;
    make_room();
    (void)rig_teardown(state);
    (void)mkdir(disk, 0700);
    return 0;
}

static char *
long_text(size_t bytes)
{
    char *s = xcalloc(1, bytes + 1);

    memset(s, 'x', bytes);
    return s;
}

static bool
count_call(void *arg, const struct audit_entry *e)
{
    *(int *)arg += strcmp(e->event, "provider_call") == 0;
    return true;
}

/* A call is noted once, also where its answer is stored late. */
static void
assert_calls(const char *dir, int want)
{
    int n = 0;

    audit_stop();
    assert_int_equal(audit_read(dir, 0, 0, count_call, &n), OK);
    assert_int_equal(n, want);
}

static void
an_answer_that_cannot_be_stored_is_no_success(void **state)
{
    int64_t until_ms = clock_mono_ms() + TAP_WAIT_MS;
    struct turn_info info = {.state = TURN_STATE_OPEN};
    struct record *rec, *late, *next;
    char *answer, audit[256];

    (void)state;
    if (!mounted)
        skip();
    folder_make(audit);
    assert_int_equal(
        audit_start(&(struct audit_config){.dir = audit, .file_max = 1 << 20}),
        OK);
    rec = ask_tap("s", "tap 0");
    rec->store = NULL; /* it will not be in it */
    tap_text(0, "so far ");
    record_wait_events(rec, 2);
    fill_up();
    answer = long_text(ANSWER_BYTES);
    tap_text(0, answer);
    tap_finish(0, FINISH_STOP);
    free(answer);
    record_wait_done(rec);
    assert_whole(rec, EVENT_ERROR, 0);
    assert_end_has(rec, "\"code\":\"store_full\"");
    assert_end_has(rec, "\"finish_reason\":\"error\"");
    assert_end_has(rec, "\"retryable\":true");
    assert_end_has(rec, "\"content\":\"so far xxx");
    assert_stored("s", "user:tap 0|");
    late = follow(&rec->turn, 0); /* the same to who asks later */
    record_wait_done(late);
    assert_whole(late, EVENT_ERROR, 0);
    /* The session waits for its answer, which is stored as soon as it can. */
    next = ask_tap("s", "tap 1");
    make_room();
    while (info.state != TURN_STATE_ENDED && clock_mono_ms() < until_ms) {
        fake_sleep_ms(20);
        (void)!store_turn(engine_store(rig), &rec->turn, &info);
    }
    assert_int_equal(info.state, TURN_STATE_ENDED);
    tap_finish(1, FINISH_STOP);
    record_wait_done(next);
    assert_whole(next, EVENT_COMPLETE, 0);
    assert_end_has(next, "\"conversation_length\":4");
    assert_calls(audit, 2);
    folder_remove(audit);
}

static void
a_question_that_cannot_be_stored_is_refused(void **state)
{
    struct record *rec;
    char *question;

    (void)state;
    if (!mounted)
        skip();
    (void)whole_turn(0, "s", "tap 0", "before");
    fill_up();
    question = long_text(PROMPT_MESSAGE_MAX);
    memcpy(question, "tap 1", 5);
    rec = ask_tap("s", question);
    record_wait_done(rec);
    assert_refused(rec, ERR_FULL, "store_full");
    if (tap_count(&taps[1].asked) > 0)
        tap_wait_left(1, 1); /* what was asked meanwhile is cancelled */
    make_room();
    memcpy(question, "tap 2", 5); /* tap 1 may hear of the first one yet */
    tap_finish(2, FINISH_STOP);
    rec = ask_tap("s", question);
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    free(question);
}

static void
a_drain_does_not_wait_for_a_full_disk(void **state)
{
    struct record *rec;
    char *answer;

    (void)state;
    if (!mounted)
        skip();
    rec = ask_tap("s", "tap 0");
    rec->store = NULL;
    tap_text(0, "so far ");
    record_wait_events(rec, 2);
    fill_up();
    answer = long_text(ANSWER_BYTES);
    tap_text(0, answer);
    tap_finish(0, FINISH_STOP);
    free(answer);
    record_wait_done(rec);
    assert_whole(rec, EVENT_ERROR, 0);
    rig_stop(20000); /* the next process closes the turn */
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_answer_that_cannot_be_stored_is_no_success),
        T(a_question_that_cannot_be_stored_is_refused),
        T(a_drain_does_not_wait_for_a_full_disk),
    };
    int failed;

    folder_make(disk);
    mounted = small_disk_mount(disk, DISK_BYTES);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (mounted)
        (void)umount2(disk, MNT_DETACH);
    folder_remove(disk);
    return failed;
}
