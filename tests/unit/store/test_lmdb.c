/*
 * What is LMDB's own about the store: growth, failing disks, other
 * processes, formats. Writes and syncs of the library go through the
 * functions below, which fail when a test says so.
 */
#include "raw_test.h"

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "store/backend.h"
#include "store/key.h"
#include "store/record.h"

/* --- a disk that fails --------------------------------------------------- */

static int fail_pwrite_after = -1; /* writes that still succeed; -1: all */
static int fail_sync_after = -1;
static int fail_errno = EIO;

static bool
fails(int *after)
{
    int left = __atomic_load_n(after, __ATOMIC_RELAXED);

    if (left < 0)
        return false;
    if (left > 0) {
        __atomic_store_n(after, left - 1, __ATOMIC_RELAXED);
        return false;
    }
    errno = __atomic_load_n(&fail_errno, __ATOMIC_RELAXED);
    return true;
}

static void
disk_works(void)
{
    __atomic_store_n(&fail_pwrite_after, -1, __ATOMIC_RELAXED);
    __atomic_store_n(&fail_sync_after, -1, __ATOMIC_RELAXED);
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
    if (fails(&fail_pwrite_after))
        return -1;
    return syscall(SYS_pwrite64, fd, p, n, at);
}

ssize_t
writev(int fd, const struct iovec *v, int n)
{
    if (fails(&fail_pwrite_after))
        return -1;
    return syscall(SYS_writev, fd, v, n);
}

int
fdatasync(int fd)
{
    if (fails(&fail_sync_after))
        return -1;
    return (int)syscall(SYS_fdatasync, fd);
}

/* --- fixture ------------------------------------------------------------- */

static char dir[256];
static struct store *s;

static void
open_store(size_t map_bytes)
{
    struct store_config c = {.dir = dir, .map_bytes = map_bytes};

    assert_int_equal(store_open(&s, &c), OK);
}

static int
setup(void **state)
{
    (void)state;
    folder_make(dir);
    open_store(TEST_MAP);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    disk_works();
    store_close(s);
    s = NULL;
    folder_remove(dir);
    return 0;
}

/* --- growth -------------------------------------------------------------- */

static bool
count_bytes(void *arg, const struct message *m)
{
    size_t *n = arg;

    *n += m->text_len;
    return true;
}

static void
a_small_map_grows(void **state)
{
    static char text[300 * 1024];
    struct store_stats st;
    size_t n = 0;

    (void)state;
    store_close(s);
    open_store(1);
    memset(text, 'g', sizeof(text) - 1);
    for (int i = 0; i < 20; i++)
        (void)put_turn(s, "", "abc", text, "a");
    store_stats(s, &st);
    assert_true(st.map_bytes >= 8 * 1024 * 1024);
    assert_true(st.used_bytes >= 6 * 1000 * 1000);
    assert_int_equal(st.messages, 40);
    assert_int_equal(
        store_messages(s, "", "abc", UINT32_MAX, 100, 0, NULL, count_bytes, &n),
        OK);
    assert_int_equal(n, 20 * sizeof(text)); /* 20 NULs, 20 answers */
    store_close(s);
    open_store(1);
    (void)put_turn(s, "", "abc", "q", "a");
}

struct reading {
    unsigned reads;
    bool stop;
    bool failed;
};

static bool
read_seq(void *arg, const struct message *m)
{
    uint32_t *next = arg;

    if (m->seq != *next)
        return false;
    ++*next;
    return true;
}

/* Read one session over and over: each time a whole snapshot. */
static void *
read_on(void *arg)
{
    struct reading *r = arg;

    while (!__atomic_load_n(&r->stop, __ATOMIC_ACQUIRE)) {
        struct session sess;
        uint32_t next = 0;
        enum err e = store_messages(s, "", "abc", UINT32_MAX, 10000, 0, &sess,
                                    read_seq, &next);

        if (e == ERR_NOTFOUND)
            continue;
        if (e != OK || next != sess.n_messages)
            __atomic_store_n(&r->failed, true, __ATOMIC_RELEASE);
        (void)__atomic_add_fetch(&r->reads, 1, __ATOMIC_ACQ_REL);
    }
    return NULL;
}

static void
readers_stay_through_growth(void **state)
{
    static char text[64 * 1024];
    struct reading r = {0};
    pthread_t threads[3];

    (void)state;
    store_close(s);
    open_store(1);
    memset(text, 'r', sizeof(text) - 1);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &r), 0);
    for (int i = 0; i < 100; i++)
        (void)put_turn(s, "", "abc", text, "a");
    while (__atomic_load_n(&r.reads, __ATOMIC_ACQUIRE) < 10)
        (void)usleep(1000);
    __atomic_store_n(&r.stop, true, __ATOMIC_RELEASE);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_false(r.failed);
}

/* --- other processes ----------------------------------------------------- */

static void
another_process_grows_the_store(void **state)
{
    static char text[200 * 1024];
    struct session sess;
    pid_t pid;
    int fds[2];
    char c;

    (void)state;
    store_close(s); /* nothing of it is carried across the fork */
    s = NULL;
    assert_int_equal(pipe(fds), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        assert_int_equal(read(fds[0], &c, 1), 1); /* the parent is open */
        open_store(1);
        memset(text, 'p', sizeof(text) - 1);
        for (int i = 0; i < 30; i++)
            (void)put_turn(s, "", "theirs", text, "a");
        store_close(s);
        _exit(0);
    }
    open_store(1);
    (void)put_turn(s, "", "ours", "q", "a");
    assert_int_equal(write(fds[1], "x", 1), 1);
    memset(text, 'o', sizeof(text) - 1);
    for (int i = 0; i < 30; i++) /* while the other does the same */
        (void)put_turn(s, "", "big", text, "a");
    assert_int_equal(child_wait(pid), 0);
    assert_int_equal(store_session(s, "", "big", &sess), OK);
    assert_int_equal(sess.n_messages, 60);
    assert_int_equal(store_session(s, "", "theirs", &sess), OK);
    assert_int_equal(sess.n_messages, 60);
    (void)put_turn(s, "", "ours", "q2", "a2");
    assert_messages(s, "", "ours", UINT32_MAX, 9, 0, "0:q|1:a|2:q2|3:a2|");
    (void)close(fds[0]);
    (void)close(fds[1]);
}

/* Turns until killed; each that was acknowledged is named on fd. */
static void
turns_until_killed(int fd, int round)
{
    open_store(TEST_MAP);
    for (uint32_t i = 0;; i++) {
        char id[32], text[32];
        struct ident turn;

        (void)snprintf(id, sizeof(id), "r%d-%u", round, i % 7);
        (void)snprintf(text, sizeof(text), "%u", i);
        turn = put_turn(s, "ann", id, text, text);
        assert_int_equal(write(fd, turn.b, sizeof(turn.b)), sizeof(turn.b));
    }
}

static void
what_was_acknowledged_survives_a_kill(void **state)
{
    (void)state;
    store_close(s);
    s = NULL;
    for (int round = 0; round < 10; round++) {
        struct ident acked[2000];
        size_t n = 0;
        int fds[2];
        pid_t pid;

        assert_int_equal(pipe(fds), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            turns_until_killed(fds[1], round);
            _exit(1);
        }
        (void)close(fds[1]);
        while (n < 20 + (size_t)round * 7) {
            assert_int_equal(read(fds[0], acked[n].b, 16), 16);
            n++;
        }
        if (round % 2 != 0) /* somebody else has it open then */
            open_store(TEST_MAP);
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(child_wait(pid), -SIGKILL);
        while (n < COUNT_OF(acked) && read(fds[0], acked[n].b, 16) == 16)
            n++;
        (void)close(fds[0]);
        if (s == NULL)
            open_store(TEST_MAP);
        (void)put_turn(s, "bob", "after", "q", "a");
        for (size_t i = 0; i < n; i++) {
            struct turn_info t;
            struct text answer = {0};

            assert_int_equal(store_turn(s, &acked[i], &t), OK);
            assert_int_equal(t.state, TURN_STATE_ENDED);
            assert_int_equal(store_turn_answer(s, &t, text_message, &answer),
                             OK);
        }
        store_close(s);
        s = NULL;
    }
}

#define CHURN 20 /* times so much */

static void *impl; /* behind s, when it was opened so */

static enum err
spied_open(void **out, const struct store_config *c)
{
    enum err e = lmdb_backend.open(out, c);

    impl = *out;
    return e;
}

static void
open_spied(void)
{
    static struct backend spied;
    struct store_config c = {.dir = dir, .map_bytes = TEST_MAP};

    spied = lmdb_backend;
    spied.open = spied_open;
    assert_int_equal(store_open_on(&s, &spied, &c), OK);
}

struct holding {
    int fd;
    bool told;
};

/* In the middle of a read, for ever. */
static bool
hold_on(void *arg, const struct message *m)
{
    struct holding *h = arg;

    (void)m;
    if (!h->told && write(h->fd, "x", 1) != 1)
        _exit(1);
    h->told = true;
    for (;;)
        (void)pause();
}

/* Bytes that the file grows by when much is written and deleted: pages that a
 * reader may still want are not used again. */
static uint64_t
growth_of_churn(void)
{
    static char text[200 * 1024];
    struct store_op del = {
        .kind = STORE_SESSION_DELETE, .owner = "", .session_id = "churn"};
    struct store_stats before, now;

    memset(text, 'c', sizeof(text) - 1);
    store_stats(s, &before);
    for (int i = 0; i < CHURN; i++) {
        (void)put_turn(s, "", "churn", text, "a");
        assert_int_equal(store_apply(s, &del), OK);
    }
    store_stats(s, &now);
    return now.used_bytes - before.used_bytes;
}

/* Have another process read, kill it in the middle, and see that its place in
 * the table of readers is taken back by whoever tends or opens the store. */
static void
reader_is_killed(bool opens)
{
    const uint64_t all = CHURN * (uint64_t)200 * 1024;
    int fds[2];
    pid_t pid;
    char c;

    (void)put_turn(s, "", "abc", "q", "a");
    store_close(s);
    s = NULL;
    assert_int_equal(pipe(fds), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct holding h = {.fd = fds[1]};

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* if a check fails */
        open_store(TEST_MAP);
        (void)!store_messages(s, "", "abc", UINT32_MAX, 9, 0, NULL, hold_on,
                              &h);
        _exit(1);
    }
    open_spied();
    assert_int_equal(read(fds[0], &c, 1), 1);
    assert_true(growth_of_churn() > all / 2); /* it does hold them */
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(child_wait(pid), -SIGKILL);
    if (opens) {
        store_close(s);
        open_spied();
    } else {
        bool wrote;

        assert_int_equal(lmdb_backend.apply(impl, NULL, 0, &wrote), OK);
    }
    assert_true(growth_of_churn() < all / 8);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static void
a_killed_reader_keeps_no_pages_from_who_stays(void **state)
{
    (void)state;
    reader_is_killed(false);
}

static void
a_killed_reader_keeps_no_pages_from_who_comes(void **state)
{
    (void)state;
    reader_is_killed(true);
}

/* --- failing disks ------------------------------------------------------- */

static void
a_failed_write_is_told_and_undone(void **state)
{
    struct store_op b = op_begin("", "abc", "q");
    struct session sess;
    struct store_stats st;

    (void)state;
    (void)put_turn(s, "", "old", "q", "a");
    __atomic_store_n(&fail_errno, ENOSPC, __ATOMIC_RELAXED);
    __atomic_store_n(&fail_pwrite_after, 0, __ATOMIC_RELAXED);
    assert_int_equal(store_apply(s, &b), ERR_FULL);
    assert_int_equal(store_session(s, "", "abc", &sess), ERR_NOTFOUND);
    assert_int_equal(store_session(s, "", "old", &sess), OK);
    store_stats(s, &st);
    assert_true(st.full);
    assert_int_equal(st.failures, 1);
    disk_works();
    assert_int_equal(store_apply(s, &b), OK);
    store_stats(s, &st);
    assert_false(st.full);
}

static void
a_failed_sync_is_told_and_undone(void **state)
{
    struct store_op b = op_begin("", "abc", "q");
    struct session sess;
    struct store_stats st;

    (void)state;
    (void)put_turn(s, "", "old", "q", "a");
    __atomic_store_n(&fail_errno, EIO, __ATOMIC_RELAXED);
    __atomic_store_n(&fail_sync_after, 0, __ATOMIC_RELAXED);
    assert_int_equal(store_apply(s, &b), ERR_STORE);
    assert_int_equal(store_session(s, "", "abc", &sess), ERR_NOTFOUND);
    disk_works();
    assert_int_equal(store_apply(s, &b), OK);
    store_stats(s, &st);
    assert_false(st.full);
}

/* LMDB writes pages, then the meta page, and stops for good if the latter
 * fails. Fail each write of a commit in turn; afterwards everything works. */
static void
any_failed_write_of_a_commit_is_survived(void **state)
{
    uint32_t messages = 2;

    (void)state;
    (void)put_turn(s, "", "abc", "q", "a");
    for (int n = 0; n < 40; n++) {
        struct store_op b = op_begin("", "abc", "q"), e;
        struct session sess;
        enum err err;

        __atomic_store_n(&fail_errno, EIO, __ATOMIC_RELAXED);
        __atomic_store_n(&fail_pwrite_after, n, __ATOMIC_RELAXED);
        err = store_apply(s, &b);
        disk_works();
        assert_int_equal(store_session(s, "", "abc", &sess), OK);
        if (err == OK) {
            e = op_end(&b.begin.turn, "a");
            assert_int_equal(store_apply(s, &e), OK);
            messages += 2;
            assert_int_equal(e.end.length, messages);
            return; /* more writes succeeded than there are */
        }
        assert_int_equal(err, ERR_STORE);
        assert_false(sess.open);
        assert_int_equal(sess.n_messages, messages);
        (void)put_turn(s, "", "abc", "q", "a");
        messages += 2;
    }
    fail();
}

#define MAY_NOT_MOUNT 40

static void
on_a_full_disk(void)
{
    static char text[10000];
    char other[300];
    struct store_op b, probe = {.kind = STORE_PROBE};
    struct session sess;
    struct store_stats st;
    int n = 0;

    memset(text, 't', sizeof(text) - 1);
    (void)snprintf(other, sizeof(other), "%s/other", dir);
    open_store(TEST_MAP);
    (void)put_turn(s, "", "abc", "q", "a");
    assert_true(disk_fill(other) > 1024 * 1024);
    do {
        b = op_begin("", "abc", text);
        if (store_apply(s, &b) == OK) {
            struct store_op e = op_end(&b.begin.turn, text);

            (void)!store_apply(s, &e);
            b.err = e.err;
        }
        assert_true(n++ < 1000);
    } while (b.err == OK);
    assert_int_equal(b.err, ERR_FULL);
    store_stats(s, &st);
    assert_true(st.full);
    /* Reads go on. */
    assert_int_equal(store_session(s, "", "abc", &sess), OK);
    assert_true(sess.n_messages >= 2);
    /* So they do for one that opens now. */
    store_close(s);
    open_store(TEST_MAP);
    assert_int_equal(store_session(s, "", "abc", &sess), OK);
    b = op_begin("", "def", text);
    assert_int_equal(store_apply(s, &b), ERR_FULL);
    assert_int_equal(unlink(other), 0);
    assert_int_equal(store_apply(s, &probe), OK);
    store_stats(s, &st);
    assert_false(st.full);
    assert_int_equal(store_apply(s, &b), OK);
    store_close(s);
}

static void
a_full_disk_is_an_error_and_passes(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    store_close(s);
    s = NULL;
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (!small_disk_mount(dir, 4 * 1024 * 1024))
            _exit(MAY_NOT_MOUNT);
        on_a_full_disk();
        _exit(0);
    }
    status = child_wait(pid);
    if (status == MAY_NOT_MOUNT)
        skip();
    assert_int_equal(status, 0);
}

/* --- formats ------------------------------------------------------------- */

/* Put a record into a database behind the store's back; it is closed. */
static void
plant(const char *db, const void *key, size_t key_len, const void *data,
      size_t n)
{
    MDB_val k = {key_len, (void *)(uintptr_t)key};
    MDB_val v = {n, (void *)(uintptr_t)data};
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi = raw_open(dir, &env, &txn, 0, db);

    assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void
a_newer_format_is_refused(void **state)
{
    struct store_config c = {.dir = dir, .map_bytes = TEST_MAP};
    uint8_t record[RECORD_SCALAR_LEN];
    struct store *other;

    (void)state;
    store_close(s);
    record_scalar_write(record, 99);
    plant("meta", "format", 6, record, sizeof(record));
    log_set_level(LOG_ERROR + 1);
    assert_int_equal(store_open(&other, &c), ERR_STORE);
    log_set_level(LOG_ERROR);
    record_scalar_write(record, 1);
    plant("meta", "format", 6, record, sizeof(record));
    open_store(TEST_MAP);
}

static void
a_damaged_record_is_not_guessed_at(void **state)
{
    struct store_op b = op_begin("", "abc", "q");
    struct session sess;
    uint8_t key[KEY_NO_LEN];

    (void)state;
    (void)put_turn(s, "", "abc", "q", "a");
    (void)put_turn(s, "", "def", "q", "a");
    assert_int_equal(store_session(s, "", "abc", &sess), OK);
    store_close(s);
    key_no(key, sess.no);
    plant("sessions", key, sizeof(key), "\x01\x00junk", 6);
    open_store(TEST_MAP);
    log_set_level(LOG_ERROR + 1);
    assert_int_equal(store_session(s, "", "abc", &sess), ERR_STORE);
    assert_int_equal(store_apply(s, &b), ERR_STORE);
    log_set_level(LOG_ERROR);
    assert_int_equal(store_session(s, "", "def", &sess), OK);
    (void)put_turn(s, "", "def", "q", "a");
}

/* One that cannot be read is told, costs nothing else, and is replaced. */
static void
a_damaged_summary_is_as_good_as_none(void **state)
{
    struct store_op op = {.kind = STORE_SESSION_SUMMARY,
                          .owner = "",
                          .session_id = "abc",
                          .summary = {.upto_seq = 2, .text = "new"}};
    struct session_summary sum;
    struct session sess;
    struct buf text;
    uint8_t key[KEY_NO_LEN];

    (void)state;
    (void)put_turn(s, "", "abc", "q", "a");
    assert_int_equal(store_session(s, "", "abc", &sess), OK);
    op.summary.session_no = sess.no;
    op.summary.text_len = 3;
    store_close(s);
    key_no(key, sess.no);
    plant("summaries", key, sizeof(key), "\x02\x7f\x00junk", 7);
    open_store(TEST_MAP);
    buf_init(&text, STORE_SUMMARY_MAX);
    log_set_level(LOG_ERROR + 1);
    assert_int_equal(store_summary(s, "", "abc", &sum, &text), ERR_STORE);
    assert_int_equal(text.len, 0);
    assert_messages(s, "", "abc", UINT32_MAX, 9, 0, "0:q|1:a|");
    assert_int_equal(store_apply(s, &op), OK);
    log_set_level(LOG_ERROR);
    assert_int_equal(store_summary(s, "", "abc", &sum, &text), OK);
    assert_int_equal(sum.upto_seq, 2);
    assert_string_equal(buf_cstr(&text), "new");
    buf_release(&text);
}

static void
a_deletion_leaves_no_summary_behind(void **state)
{
    struct store_op op = {.kind = STORE_SESSION_SUMMARY,
                          .owner = "",
                          .session_id = "abc",
                          .summary = {.upto_seq = 2, .text = "s"}};
    struct store_op del = {
        .kind = STORE_SESSION_DELETE, .owner = "", .session_id = "abc"};
    struct session sess;

    (void)state;
    (void)put_turn(s, "", "abc", "q", "a");
    assert_int_equal(store_session(s, "", "abc", &sess), OK);
    op.summary.session_no = sess.no;
    op.summary.text_len = 1;
    assert_int_equal(store_apply(s, &op), OK);
    store_close(s);
    assert_int_equal(raw_entries(dir, "summaries"), 1);
    open_store(TEST_MAP);
    assert_int_equal(store_apply(s, &del), OK);
    store_close(s);
    assert_int_equal(raw_entries(dir, "summaries"), 0);
    open_store(TEST_MAP);
}

static bool
take_old(void *arg, const struct message *m)
{
    unsigned *seen = arg;

    ++*seen;
    if (m->seq != 1)
        return true;
    assert_int_equal(m->text_len, 3);
    assert_memory_equal(m->text, "old", 3);
    assert_int_equal(m->input_tokens, 7);
    assert_int_equal(m->cost_micro, -1);
    assert_int_equal(m->extra_len, 0);
    return true;
}

/* Behind the question of a session: an answer as the first version had it. */
static void
a_message_of_an_older_version_is_read(void **state)
{
    uint8_t record[64] = {1, 2, 1, 100}, *w = record + 4;
    uint8_t key[KEY_MESSAGE_LEN];
    struct session sess;
    struct ident turn;
    unsigned seen = 0;

    (void)state;
    turn = put_turn(s, "", "abc", "q", "new");
    assert_int_equal(store_session(s, "", "abc", &sess), OK);
    store_close(s);
    memcpy(w, turn.b, 16);
    memcpy(w + 16, turn.b, 16);
    memcpy(w + 32, "\x08\x00\x00\x01p\0\x01m\0old", 12);
    key_message(key, sess.no, 1);
    plant("messages", key, sizeof(key), record, 4 + 32 + 12);
    open_store(TEST_MAP);
    assert_int_equal(
        store_messages(s, "", "abc", UINT32_MAX, 9, 0, NULL, take_old, &seen),
        OK);
    assert_int_equal(seen, 2);
    (void)put_turn(s, "", "abc", "q2", "a2");
    assert_messages(s, "", "abc", UINT32_MAX, 9, 0, "0:q|1:old|2:q2|3:a2|");
}

static void
the_files_are_private(void **state)
{
    struct stat st;
    char path[300];

    (void)state;
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    (void)snprintf(path, sizeof(path), "%s/data.mdb", dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    (void)snprintf(path, sizeof(path), "%s/lock.mdb", dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_small_map_grows),
        T(readers_stay_through_growth),
        T(another_process_grows_the_store),
        T(what_was_acknowledged_survives_a_kill),
        T(a_killed_reader_keeps_no_pages_from_who_stays),
        T(a_killed_reader_keeps_no_pages_from_who_comes),
        T(a_failed_write_is_told_and_undone),
        T(a_failed_sync_is_told_and_undone),
        T(any_failed_write_of_a_commit_is_survived),
        T(a_full_disk_is_an_error_and_passes),
        T(a_newer_format_is_refused),
        T(a_damaged_record_is_not_guessed_at),
        T(a_damaged_summary_is_as_good_as_none),
        T(a_deletion_leaves_no_summary_behind),
        T(a_message_of_an_older_version_is_read),
        T(the_files_are_private),
    };

    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
