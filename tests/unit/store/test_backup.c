/*
 * Backups: taken beside a process that writes, put back where no process is,
 * and refused where that would harm.
 */
#include "store_test.h"

#include <fcntl.h>
#include <lmdb.h>
#include <signal.h>

#include "store/backup.h"
#include "store/fsck_inside.h"
#include "store/record.h"

#define KILLS 40
#define KILL_STEP_NS 250000

static char data[256], copies[256];
static char store_dir[300], copy[300];

static void
put(const char *session, const char *answer)
{
    struct store_config c = {.dir = store_dir, .map_bytes = TEST_MAP};
    struct store *s;

    assert_int_equal(store_open(&s, &c), OK);
    (void)put_turn(s, "ann", session, "q", answer);
    store_close(s);
}

static void
assert_stored(const char *session, const char *want)
{
    struct store_config c = {.dir = store_dir, .map_bytes = TEST_MAP};
    struct store *s;

    assert_int_equal(store_open(&s, &c), OK);
    assert_messages(s, "ann", session, UINT32_MAX, 9, 0, want);
    store_close(s);
}

static int
setup(void **state)
{
    (void)state;
    folder_make(data);
    folder_make(copies);
    (void)snprintf(store_dir, sizeof(store_dir), "%s/store", data);
    (void)snprintf(copy, sizeof(copy), "%s/one", copies);
    put("s", "before");
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    folder_remove(data);
    folder_remove(copies);
    return 0;
}

static void
touch(const char *dir, const char *name)
{
    char path[400];
    int fd;

    (void)snprintf(path, sizeof(path), "%s/%s", data, dir);
    assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
    (void)snprintf(path, sizeof(path), "%s/%s/%s", data, dir, name);
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
}

static bool
there(const char *dir, const char *name)
{
    char path[BACKUP_TEXT_MAX + 300];

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    return access(path, F_OK) == 0;
}

/* An owner is counted who is not there. */
static void
damage(const char *dir)
{
    uint8_t record[RECORD_SCALAR_LEN];
    MDB_val k = {3, (void *)"zoe"}, v = {sizeof(record), record};
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;

    record_scalar_write(record, 9);
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 16), 0);
    assert_int_equal(mdb_env_set_mapsize(env, TEST_MAP), 0);
    assert_int_equal(mdb_env_open(env, dir, MDB_NOLOCK, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "owners", 0, &dbi), 0);
    assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static pid_t
user_start(int *tell)
{
    struct store_config c = {.dir = store_dir, .map_bytes = TEST_MAP};
    int up[2], down[2];
    char byte = 0;
    pid_t pid;

    assert_int_equal(pipe(up), 0);
    assert_int_equal(pipe(down), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct store *s;
        bool told = false;
        int n = 0;

        (void)close(down[1]);
        if (store_open(&s, &c) != OK ||
            fcntl(down[0], F_SETFL, O_NONBLOCK) != 0)
            _exit(1);
        while (read(down[0], &byte, 1) != 0) {
            char id[32];

            (void)snprintf(id, sizeof(id), "w%d", n++ % 20);
            (void)put_turn(s, "ann", id, "q", "a");
            if (!told && write(up[1], &byte, 1) != 1)
                _exit(1);
            told = true;
        }
        store_close(s);
        _exit(0);
    }
    (void)close(down[0]);
    (void)close(up[1]);
    assert_int_equal(read(up[0], &byte, 1), 1);
    (void)close(up[0]);
    *tell = down[1];
    return pid;
}

/* --- taking one ---------------------------------------------------------- */

static void
a_backup_is_a_private_folder_with_one_file(void **state)
{
    struct backup b = {.store = store_dir};
    char path[400];
    struct stat st;

    (void)state;
    assert_int_equal(backup_make(&b, copy), OK);
    assert_int_equal(b.found.faults, 0);
    assert_int_equal(b.found.messages, 2);
    assert_int_equal(stat(copy, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    (void)snprintf(path, sizeof(path), "%s/data.mdb", copy);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(b.found.bytes, st.st_size);
    assert_false(there(copy, "lock.mdb"));
    assert_false(there(copy, "data.mdb.part"));
}

/* What is read and copied was opened before another process let it grow. */
static void
a_store_that_grew_is_mapped_anew(void **state)
{
    static char text[200 * 1024];
    struct store_config c = {.dir = store_dir, .map_bytes = 1};
    struct fsck_result r;
    struct store *s;
    MDB_env *env;
    MDB_txn *txn;
    pid_t pid;

    (void)state;
    (void)snprintf(store_dir, sizeof(store_dir), "%s/small", data);
    assert_int_equal(store_open(&s, &c), OK);
    (void)put_turn(s, "ann", "s", "q", "a");
    store_close(s);
    assert_int_equal(fsck_env_open(store_dir, false, &r, &env), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (store_open(&s, &c) != OK)
            _exit(1);
        memset(text, 't', sizeof(text) - 1);
        for (int i = 0; i < 30; i++)
            (void)put_turn(s, "ann", "s", text, "a");
        store_close(s);
        _exit(0);
    }
    assert_int_equal(child_wait(pid), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn),
                     MDB_MAP_RESIZED);
    assert_int_equal(fsck_env_begin(env, &txn), 0);
    mdb_txn_abort(txn);
    mdb_env_close(env);
}

static void
a_folder_that_holds_something_is_refused(void **state)
{
    struct backup b = {.store = store_dir};

    (void)state;
    assert_int_equal(mkdir(copy, 0755), 0); /* an empty one is fine */
    assert_int_equal(backup_make(&b, copy), OK);
    assert_int_equal(backup_make(&b, copy), ERR_CONFLICT);
    assert_non_null(strstr(b.why, "not an empty folder"));
    assert_int_equal(backup_make(&b, store_dir), ERR_CONFLICT);
    assert_int_equal(backup_make(&b, "/nowhere/at/all"), ERR_STORE);
}

static void
no_store_leaves_no_folder(void **state)
{
    struct backup b = {.store = "/nowhere/at/all"};

    (void)state;
    assert_int_equal(backup_make(&b, copy), ERR_NOTFOUND);
    assert_int_not_equal(access(copy, F_OK), 0);
}

/* In a process of its own, which alone sees the small disk. */
static int
on_a_full_disk(void)
{
    struct backup b = {.store = store_dir};
    char path[400];

    if (!small_disk_mount(copies, 256 * 1024))
        return 77;
    (void)snprintf(path, sizeof(path), "%s/filler", copies);
    (void)disk_fill(path);
    if (backup_make(&b, copy) != ERR_FULL || access(copy, F_OK) == 0)
        return 1;
    return unlink(path) == 0 && backup_make(&b, copy) == OK ? 0 : 2;
}

static void
a_full_disk_leaves_nothing(void **state)
{
    pid_t pid = fork();
    int status;

    (void)state;
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(on_a_full_disk());
    status = child_wait(pid);
    if (status == 77)
        skip();
    assert_int_equal(status, 0);
}

static void
a_backup_beside_a_writer_is_whole(void **state)
{
    struct backup b = {.store = store_dir};
    int tell;
    pid_t pid = user_start(&tell);
    uint64_t had = 0;

    (void)state;
    for (int i = 0; i < 5; i++) {
        (void)snprintf(copy, sizeof(copy), "%s/%d", copies, i);
        assert_int_equal(backup_make(&b, copy), OK);
        assert_int_equal(b.found.faults, 0);
        assert_true(b.found.messages >= had && b.found.messages > 2);
        had = b.found.messages;
    }
    (void)close(tell);
    assert_int_equal(child_wait(pid), 0);
}

/* --- putting one back ---------------------------------------------------- */

static void
what_was_stored_is_stored_again(void **state)
{
    struct backup b = {.store = store_dir};

    (void)state;
    assert_int_equal(backup_make(&b, copy), OK);
    put("s", "after");
    touch("streams", "data.mdb");
    touch("search", "messages.db");
    assert_int_equal(backup_restore(&b, data, copy, false), OK);
    assert_int_equal(b.found.messages, 2);
    assert_stored("s", "0:q|1:before|");
    assert_false(there(data, "streams"));
    assert_false(there(data, "search"));
    assert_false(there(data, "store.new"));
    assert_true(there(b.kept, "data.mdb"));
    put("s", "new"); /* the backup is not the store */
    assert_stored("s", "0:q|1:before|2:q|3:new|");
    {
        char old[sizeof(b.kept)];

        memcpy(old, b.kept, sizeof(old));
        assert_int_equal(backup_restore(&b, data, old, false), OK);
        assert_string_not_equal(old, b.kept);
    }
    assert_stored("s", "0:q|1:before|2:q|3:after|");
}

/* --- values under names ----------------------------------------------- */

static void
put_value(const char *value)
{
    struct store_config c = {.dir = store_dir, .map_bytes = TEST_MAP};
    struct record_change change = {
        .name = "key/1", .n = 5, .value = value, .len = strlen(value)};
    struct store_op op = {.kind = STORE_RECORDS};
    struct store *s;

    op.records.changes = &change;
    op.records.n = 1;
    assert_int_equal(store_open(&s, &c), OK);
    assert_int_equal(store_apply(s, &op), OK);
    store_close(s);
}

static void
values_under_names_come_back_too(void **state)
{
    struct store_config c = {.dir = store_dir, .map_bytes = TEST_MAP};
    struct backup b = {.store = store_dir};
    struct store *s;
    struct buf out;

    (void)state;
    put_value("before");
    assert_int_equal(backup_make(&b, copy), OK);
    assert_int_equal(b.found.faults, 0);
    put_value("after");
    assert_int_equal(backup_restore(&b, data, copy, false), OK);
    buf_init(&out, 64);
    assert_int_equal(store_open(&s, &c), OK);
    assert_int_equal(store_record(s, "key/1", 5, &out), OK);
    store_close(s);
    assert_string_equal(buf_cstr(&out), "before");
    buf_release(&out);
}

#define NAMED 100

static void
put_named(struct store *s, const char *begin)
{
    struct store_op op = {.kind = STORE_RECORDS};
    struct record_change changes[NAMED];
    char names[NAMED][64];

    for (int i = 0; i < NAMED; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "%s%03d", begin, i);
        changes[i] = (struct record_change){
            .name = names[i],
            .n = strlen(names[i]),
            .value = "a value that takes some room",
            .len = 28};
    }
    op.records.changes = changes;
    op.records.n = NAMED;
    assert_int_equal(store_apply(s, &op), OK);
}

static bool
count_record(void *arg, const char *name, size_t n, const char *value,
             size_t len)
{
    (void)name, (void)n, (void)value, (void)len;
    ++*(size_t *)arg;
    return true;
}

static size_t
n_records(const char *begin)
{
    struct store_config c = {.dir = store_dir, .map_bytes = TEST_MAP};
    struct store *s;
    size_t n = 0;

    assert_int_equal(store_open(&s, &c), OK);
    assert_int_equal(store_records(s, begin, strlen(begin), NULL, 0, UINT32_MAX,
                                   count_record, &n),
                     OK);
    store_close(s);
    return n;
}

/* So many that they are on many pages. */
static void
what_has_to_end_does_not_come_back(void **state)
{
    static const char *const ended[] = {"login/", "logins/", NULL};
    static const char *const names[] = {"login/", "logins/ann/", "login",
                                        "loginz/", "key/"};
    struct store_config c = {.dir = store_dir, .map_bytes = TEST_MAP};
    struct backup b = {.store = store_dir, .ended = ended};
    struct store *s;

    (void)state;
    assert_int_equal(store_open(&s, &c), OK);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        put_named(s, names[i]);
    store_close(s);
    assert_int_equal(backup_make(&b, copy), OK);
    assert_int_equal(b.left_out, 0);
    assert_int_equal(backup_restore(&b, data, copy, false), OK);
    assert_int_equal(b.left_out, 2 * NAMED);
    assert_int_equal(n_records("login/"), 0);
    assert_int_equal(n_records("logins/"), 0);
    assert_int_equal(n_records("login"), 2 * NAMED);
    assert_int_equal(n_records("key/"), NAMED);
    assert_stored("s", "0:q|1:before|");
    assert_int_equal(backup_make(&b, copies), ERR_CONFLICT);
    b.ended = NULL; /* the copy itself was not touched */
    assert_int_equal(backup_restore(&b, data, copy, false), OK);
    assert_int_equal(n_records("login/"), NAMED);
}

/* One of before there were any. */
static void
a_backup_without_records_is_restored(void **state)
{
    static const char *const ended[] = {"login/", NULL};
    struct backup b = {.store = store_dir, .ended = ended};
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;

    (void)state;
    assert_int_equal(backup_make(&b, copy), OK);
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 16), 0);
    assert_int_equal(mdb_env_open(env, copy, MDB_NOLOCK, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "records", 0, &dbi), 0);
    assert_int_equal(mdb_drop(txn, dbi, 1), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
    assert_int_equal(backup_restore(&b, data, copy, false), OK);
    assert_int_equal(b.left_out, 0);
    assert_stored("s", "0:q|1:before|");
}

static void
a_backup_goes_into_an_empty_data_folder(void **state)
{
    struct backup b = {.store = store_dir};

    (void)state;
    assert_int_equal(backup_make(&b, copy), OK);
    folder_remove(store_dir);
    assert_int_equal(rmdir(data), 0);
    assert_int_equal(backup_restore(&b, data, copy, false), OK);
    assert_string_equal(b.kept, "");
    assert_stored("s", "0:q|1:before|");
}

static void
a_store_in_use_is_not_replaced(void **state)
{
    struct backup b = {.store = store_dir};
    char who[40];
    int tell;
    pid_t pid;

    (void)state;
    assert_int_equal(backup_make(&b, copy), OK);
    pid = user_start(&tell);
    touch("search", "messages.db");
    assert_int_equal(backup_restore(&b, data, copy, true), ERR_BUSY);
    (void)snprintf(who, sizeof(who), "process %d ", (int)pid);
    assert_non_null(strstr(b.why, who));
    assert_true(there(data, "search/messages.db"));
    assert_string_equal(b.kept, "");
    (void)close(tell);
    assert_int_equal(child_wait(pid), 0);
    assert_int_equal(backup_restore(&b, data, copy, false), OK);
    assert_stored("s", "0:q|1:before|");
}

/* They open the store, write and leave, again and again; in between it is
 * replaced. Whoever has it open is told or waits. */
static void
processes_that_come_and_go_see_a_whole_store(void **state)
{
    struct backup b = {.store = store_dir};
    int restored = 0, status;
    pid_t pid, ended = 0;

    (void)state;
    assert_int_equal(backup_make(&b, copy), OK);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        for (int i = 0; i < 60; i++) {
            struct timespec pause = {0, 1000000};

            put("s", "more");
            (void)nanosleep(&pause, NULL);
        }
        _exit(0);
    }
    while ((ended = waitpid(pid, &status, WNOHANG)) == 0) {
        enum err e = backup_restore(&b, data, copy, false);
        struct timespec pause = {0, 2000000};

        assert_true(e == OK || e == ERR_BUSY);
        restored += e == OK;
        (void)nanosleep(&pause, NULL);
    }
    assert_int_equal(ended, pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_true(restored > 0);
    {
        struct fsck_config c = {.dir = store_dir};
        struct fsck_result r;

        assert_int_equal(fsck_run(&c, &r), OK);
        assert_int_equal(r.faults, 0);
    }
}

static void
a_process_that_was_killed_does_not_use_it(void **state)
{
    struct backup b = {.store = store_dir};
    int tell;
    pid_t pid;

    (void)state;
    assert_int_equal(backup_make(&b, copy), OK);
    pid = user_start(&tell);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(child_wait(pid), -SIGKILL);
    (void)close(tell);
    assert_int_equal(backup_restore(&b, data, copy, false), OK);
    assert_stored("s", "0:q|1:before|");
}

/* Killed at any moment, a restore leaves the old store or the new one. */
static void
a_restore_that_is_killed_leaves_a_whole_store(void **state)
{
    struct backup b = {.store = store_dir};
    int olds = 0, news = 0;

    (void)state;
    assert_int_equal(backup_make(&b, copy), OK);
    put("s", "after");
    for (int i = 0; i < KILLS; i++) {
        struct timespec pause = {0, i * KILL_STEP_NS};
        struct fsck_config c = {.dir = store_dir};
        struct fsck_result r;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0)
            _exit(backup_restore(&b, data, copy, false) == OK ? 0 : 1);
        (void)nanosleep(&pause, NULL);
        (void)kill(pid, SIGKILL);
        assert_int_not_equal(child_wait(pid), 1);
        assert_int_equal(fsck_run(&c, &r), OK);
        assert_int_equal(r.faults, 0);
        if (r.messages == 2) {
            news++;
            put("s", "after");
        } else {
            assert_int_equal(r.messages, 4);
            olds++;
        }
    }
    assert_true(olds > 0);
    assert_int_equal(olds + news, KILLS);
    assert_int_equal(backup_restore(&b, data, copy, false), OK);
    assert_stored("s", "0:q|1:before|");
    assert_false(there(data, "store.new"));
}

static void
a_backup_with_faults_needs_force(void **state)
{
    struct backup b = {.store = store_dir};

    (void)state;
    assert_int_equal(backup_make(&b, copy), OK);
    damage(copy);
    assert_int_equal(backup_restore(&b, data, copy, false), ERR_BADREQ);
    assert_int_equal(b.found.faults, 1);
    assert_string_equal(b.kept, "");
    assert_stored("s", "0:q|1:before|");
    assert_int_equal(backup_restore(&b, data, copy, true), OK);
    assert_true(there(b.kept, "data.mdb"));
    assert_stored("s", "0:q|1:before|");
    (void)snprintf(copy, sizeof(copy), "%s/two", copies);
    assert_int_equal(backup_make(&b, copy), OK); /* is as the store is */
    assert_int_equal(b.found.faults, 1);
}

static void
what_is_no_backup_is_refused(void **state)
{
    struct backup b = {.store = store_dir};
    char path[400];

    (void)state;
    assert_int_equal(backup_restore(&b, data, "/nowhere/at/all", true),
                     ERR_NOTFOUND);
    assert_int_equal(backup_restore(&b, data, store_dir, true), ERR_BADREQ);
    assert_int_equal(backup_make(&b, copy), OK);
    (void)snprintf(path, sizeof(path), "%s/data.mdb", copy);
    assert_int_equal(truncate(path, 3 * 4096), 0);
    assert_int_equal(backup_restore(&b, data, copy, true), ERR_STORE);
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(backup_restore(&b, data, copy, true), ERR_STORE);
    assert_false(there(data, "store.new"));
    assert_stored("s", "0:q|1:before|");
}

#define ON(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ON(a_backup_is_a_private_folder_with_one_file),
        ON(a_store_that_grew_is_mapped_anew),
        ON(a_folder_that_holds_something_is_refused),
        ON(no_store_leaves_no_folder),
        ON(a_full_disk_leaves_nothing),
        ON(a_backup_beside_a_writer_is_whole),
        ON(what_was_stored_is_stored_again),
        ON(values_under_names_come_back_too),
        ON(what_has_to_end_does_not_come_back),
        ON(a_backup_without_records_is_restored),
        ON(a_backup_goes_into_an_empty_data_folder),
        ON(a_store_in_use_is_not_replaced),
        ON(processes_that_come_and_go_see_a_whole_store),
        ON(a_process_that_was_killed_does_not_use_it),
        ON(a_restore_that_is_killed_leaves_a_whole_store),
        ON(a_backup_with_faults_needs_force),
        ON(what_is_no_backup_is_refused),
    };

    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
