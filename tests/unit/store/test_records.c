/*
 * Values under names: putting, finding and listing them, what a change may
 * expect, all or nothing, and the time after which they are gone. Every test
 * but the last ones runs on LMDB and on memory.
 */
#include "store_test.h"

#include <lmdb.h>

#include "base/budget.h"
#include "base/clock.h"
#include "base/mem.h"

static struct store *
store_of(void **state)
{
    struct on_store *f = *state;

    return f->s;
}

static struct record_change
put(const char *name, const char *value)
{
    struct record_change c = {.name = name,
                              .n = strlen(name),
                              .value = value,
                              .len = value == NULL ? 0 : strlen(value)};

    return c;
}

static enum err
apply(struct store *s, const struct record_change *c, size_t n, size_t *wrong)
{
    struct store_op op = {.kind = STORE_RECORDS};

    op.records.changes = c;
    op.records.n = n;
    op.records.wrong = 99;
    IGNORE(store_apply(s, &op));
    if (wrong != NULL)
        *wrong = op.records.wrong;
    return op.err;
}

static enum err
apply_one(struct store *s, struct record_change c)
{
    return apply(s, &c, 1, NULL);
}

static void
assert_record(struct store *s, const char *name, const char *want)
{
    struct buf out;
    enum err e;

    buf_init(&out, STORE_RECORD_MAX);
    e = store_record(s, name, strlen(name), &out);
    if (want == NULL) {
        assert_int_equal(e, ERR_NOTFOUND);
    } else {
        assert_int_equal(e, OK);
        assert_string_equal(buf_cstr(&out), want);
    }
    buf_release(&out);
}

/* --- putting and taking away ---------------------------------------------- */

static void
a_value_is_found_under_its_name(void **state)
{
    struct store *s = store_of(state);
    struct store_stats before, after;

    assert_record(s, "key/1", NULL);
    assert_int_equal(apply_one(s, put("key/1", "one")), OK);
    assert_record(s, "key/1", "one");
    assert_record(s, "key/", NULL);
    assert_record(s, "key/11", NULL);
    assert_int_equal(apply_one(s, put("key/1", "another")), OK);
    assert_record(s, "key/1", "another");
    assert_int_equal(apply_one(s, put("key/1", "")), OK);
    assert_record(s, "key/1", "");
    assert_int_equal(apply_one(s, put("key/1", NULL)), OK);
    assert_record(s, "key/1", NULL);
    store_stats(s, &before);
    assert_int_equal(apply_one(s, put("key/1", NULL)), OK); /* as it was */
    store_stats(s, &after);
    assert_int_equal(after.ops, before.ops + 1);
}

static void
names_and_values_are_bytes(void **state)
{
    struct store *s = store_of(state);
    struct record_change c[] = {
        {.name = "a\0b", .n = 3, .value = "\0\xff\n", .len = 3},
        {.name = "a", .n = 1, .value = "short", .len = 5},
    };
    struct buf out;

    assert_int_equal(apply(s, c, COUNT_OF(c), NULL), OK);
    buf_init(&out, 16);
    buf_add(&out, "+", 1);
    assert_int_equal(store_record(s, "a\0b", 3, &out), OK);
    assert_int_equal(out.len, 4);
    assert_memory_equal(out.data, "+\0\xff\n", 4); /* behind what was there */
    buf_release(&out);
    assert_record(s, "a", "short");
}

static void
names_and_values_have_limits(void **state)
{
    struct store *s = store_of(state);
    char *big = xmalloc(STORE_RECORD_MAX + 1);
    char name[STORE_RECORD_NAME_MAX + 1];
    struct record_change c = {.name = name, .value = big};
    struct buf out;

    memset(big, 'v', STORE_RECORD_MAX + 1);
    memset(name, 'n', sizeof(name));
    c.n = STORE_RECORD_NAME_MAX;
    c.len = STORE_RECORD_MAX;
    assert_int_equal(apply_one(s, c), OK);
    buf_init(&out, STORE_RECORD_MAX);
    assert_int_equal(store_record(s, name, c.n, &out), OK);
    assert_int_equal(out.len, STORE_RECORD_MAX);
    assert_memory_equal(out.data, big, STORE_RECORD_MAX);
    assert_int_equal(store_record(s, name, c.n, &out), ERR_TOOBIG);
    buf_release(&out);
    buf_init(&out, STORE_RECORD_MAX);
    assert_int_equal(store_record(s, name, c.n + 1, &out), ERR_NOTFOUND);
    assert_int_equal(store_record(s, name, 0, &out), ERR_NOTFOUND);
    buf_release(&out);
    c.len = STORE_RECORD_MAX + 1;
    assert_int_equal(apply_one(s, c), ERR_TOOBIG);
    c.len = 1;
    c.n = STORE_RECORD_NAME_MAX + 1;
    assert_int_equal(apply_one(s, c), ERR_TOOBIG);
    c.n = 0;
    assert_int_equal(apply_one(s, c), ERR_BADREQ);
    c.n = 1;
    c.expires_ms = -1;
    assert_int_equal(apply_one(s, c), ERR_BADREQ);
    assert_int_equal(apply(s, NULL, 0, NULL), ERR_BADREQ);
    free(big);
}

static void
many_changes_are_one_but_not_too_many(void **state)
{
    static char names[STORE_RECORDS_MAX + 1][8];
    static struct record_change c[STORE_RECORDS_MAX + 1];
    struct store *s = store_of(state);
    struct store_stats before, after;

    for (size_t i = 0; i < COUNT_OF(c); i++) {
        (void)snprintf(names[i], sizeof(names[i]), "n%03zu", i);
        c[i] = put(names[i], "v");
    }
    assert_int_equal(apply(s, c, STORE_RECORDS_MAX + 1, NULL), ERR_TOOBIG);
    assert_record(s, "n000", NULL);
    store_stats(s, &before);
    assert_int_equal(apply(s, c, STORE_RECORDS_MAX, NULL), OK);
    store_stats(s, &after);
    assert_int_equal(after.commits, before.commits + 1);
    assert_record(s, "n000", "v");
    assert_record(s, "n255", "v");
    assert_record(s, "n256", NULL);
}

/* --- what is expected ----------------------------------------------------- */

static struct record_change
expecting(struct record_change c, enum record_expect expect, const char *was)
{
    c.expect = expect;
    c.was = was;
    c.was_len = was == NULL ? 0 : strlen(was);
    return c;
}

static void
a_change_may_expect_what_is_there(void **state)
{
    struct store *s = store_of(state);
    struct record_change v = put("k", "v"), w = put("k", "w");

    assert_int_equal(apply_one(s, expecting(v, RECORD_PRESENT, NULL)),
                     ERR_CONFLICT);
    assert_int_equal(apply_one(s, expecting(v, RECORD_SAME, "")), ERR_CONFLICT);
    assert_record(s, "k", NULL);
    assert_int_equal(apply_one(s, expecting(v, RECORD_ABSENT, NULL)), OK);
    assert_int_equal(apply_one(s, expecting(w, RECORD_ABSENT, NULL)),
                     ERR_CONFLICT);
    assert_int_equal(apply_one(s, expecting(w, RECORD_SAME, "x")),
                     ERR_CONFLICT);
    assert_int_equal(apply_one(s, expecting(w, RECORD_SAME, "vv")),
                     ERR_CONFLICT);
    assert_record(s, "k", "v");
    assert_int_equal(apply_one(s, expecting(w, RECORD_SAME, "v")), OK);
    assert_record(s, "k", "w");
    assert_int_equal(apply_one(s, expecting(v, RECORD_PRESENT, NULL)), OK);
    assert_record(s, "k", "v");
    v = put("k", NULL);
    assert_int_equal(apply_one(s, expecting(v, RECORD_SAME, "w")),
                     ERR_CONFLICT);
    assert_record(s, "k", "v");
    assert_int_equal(apply_one(s, expecting(v, RECORD_SAME, "v")), OK);
    assert_record(s, "k", NULL);
    assert_int_equal(apply_one(s, expecting(v, RECORD_PRESENT, NULL)),
                     ERR_CONFLICT);
}

static void
a_conflict_changes_nothing_at_all(void **state)
{
    struct store *s = store_of(state);
    struct record_change c[3] = {put("a", "1"), put("b", NULL), put("c", "3")};
    size_t wrong;

    assert_int_equal(apply_one(s, put("b", "2")), OK);
    c[2].expect = RECORD_PRESENT;
    assert_int_equal(apply(s, c, 3, &wrong), ERR_CONFLICT);
    assert_int_equal(wrong, 2);
    assert_record(s, "a", NULL);
    assert_record(s, "b", "2");
    assert_record(s, "c", NULL);
    c[0].expect = RECORD_PRESENT;
    assert_int_equal(apply(s, c, 3, &wrong), ERR_CONFLICT);
    assert_int_equal(wrong, 0);
    c[0].expect = c[2].expect = RECORD_ABSENT;
    c[1].expect = RECORD_SAME;
    c[1].was = "2";
    c[1].was_len = 1;
    assert_int_equal(apply(s, c, 3, &wrong), OK);
    assert_int_equal(wrong, 0);
    assert_record(s, "a", "1");
    assert_record(s, "b", NULL);
    assert_record(s, "c", "3");
}

static void
a_change_meets_those_before_it(void **state)
{
    struct store *s = store_of(state);
    struct record_change c[4] = {
        expecting(put("k", "1"), RECORD_ABSENT, NULL),
        expecting(put("k", "2"), RECORD_SAME, "1"),
        expecting(put("k", NULL), RECORD_SAME, "2"),
        expecting(put("k", "4"), RECORD_ABSENT, NULL),
    };
    size_t wrong;

    assert_int_equal(apply(s, c, 4, NULL), OK);
    assert_record(s, "k", "4");
    assert_int_equal(apply(s, c, 4, &wrong), ERR_CONFLICT);
    assert_int_equal(wrong, 0);
    c[0].expect = RECORD_ANY;
    c[1].was = "4"; /* which is there, but not any more */
    assert_int_equal(apply(s, c, 4, &wrong), ERR_CONFLICT);
    assert_int_equal(wrong, 1);
    assert_record(s, "k", "4");
    c[1] = expecting(put("k", "2"), RECORD_ANY, NULL);
    c[1].expires_ms = 1; /* is over as it is put */
    c[2] = expecting(put("k", "3"), RECORD_ABSENT, NULL);
    assert_int_equal(apply(s, c, 3, NULL), OK);
    assert_record(s, "k", "3");
}

/* In one transaction: the second meets what the first made. */
static void
of_two_who_expect_the_same_one_wins(void **state)
{
    struct on_store *f = *state;
    struct record_change a = expecting(put("lock", "a"), RECORD_ABSENT, NULL);
    struct record_change b = expecting(put("lock", "b"), RECORD_ABSENT, NULL);
    struct store_op first = {.kind = STORE_RECORDS}, second = first;
    struct store_op *ops[] = {&first, &second};
    char dir[256];
    struct store_config c = {.dir = dir, .map_bytes = TEST_MAP};
    bool wrote;
    void *impl;

    folder_make(dir);
    assert_int_equal(f->be->open(&impl, &c), OK);
    first.records.changes = &a;
    second.records.changes = &b;
    first.records.n = second.records.n = 1;
    assert_int_equal(f->be->apply(impl, ops, 2, &wrote), OK);
    assert_true(wrote);
    assert_int_equal(first.err, OK);
    assert_int_equal(second.err, ERR_CONFLICT);
    f->be->close(impl);
    folder_remove(dir);
}

/* --- listing -------------------------------------------------------------- */

static bool
text_record(void *arg, const char *name, size_t n, const char *value,
            size_t len)
{
    struct text *t = arg;

    t->n += (size_t)snprintf(t->s + t->n, sizeof(t->s) - t->n, "%.*s=%.*s|",
                             (int)n, name, (int)len, value);
    return ++t->count != t->stop_after;
}

static void
assert_list(struct store *s, const char *prefix, const char *after,
            uint32_t limit, const char *want)
{
    struct text t = {0};

    assert_int_equal(store_records(s, prefix, strlen(prefix), after,
                                   after == NULL ? 0 : strlen(after), limit,
                                   text_record, &t),
                     OK);
    assert_string_equal(t.s, want);
}

static void
those_that_begin_alike_are_listed_in_order(void **state)
{
    static const char *const names[] = {"u/b", "u/a", "u/a/x", "t/z",
                                        "v",   "u",   "u/aa",  "\xff"};
    struct store *s = store_of(state);
    struct text t = {.stop_after = 2};
    char longer[STORE_RECORD_NAME_MAX + 2];

    assert_list(s, "", NULL, 9, "");
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_int_equal(apply_one(s, put(names[i], "1")), OK);
    assert_list(s, "u/", NULL, 9, "u/a=1|u/a/x=1|u/aa=1|u/b=1|");
    assert_list(s, "u/", NULL, 2, "u/a=1|u/a/x=1|");
    assert_list(s, "u/", "u/a/x", 2, "u/aa=1|u/b=1|");
    assert_list(s, "u/", "u/b", 2, "");
    assert_list(s, "u/", "u/a/", 1, "u/a/x=1|"); /* which is not there */
    assert_list(s, "u/", "a", 1, "u/a=1|");      /* before all of them */
    assert_list(s, "u/", "u", 1, "u/a=1|");
    assert_list(s, "u/", "x", 9, "");
    assert_list(s, "u/", NULL, 0, "");
    assert_list(s, "", "u/b", 9, "v=1|\xff=1|");
    assert_list(s, "", "", 1, "t/z=1|");
    assert_list(s, "w", NULL, 9, "");
    assert_list(s, "\xff", NULL, 9, "\xff=1|");
    assert_int_equal(store_records(s, "u", 1, NULL, 0, 9, text_record, &t), OK);
    assert_string_equal(t.s, "u=1|u/a=1|");
    memset(longer, 'u', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    assert_list(s, longer, NULL, 9, "");
    assert_list(s, "u", longer, 9, "");
    assert_list(s, "", longer, 1, "v=1|");
}

/* --- time ----------------------------------------------------------------- */

/* Wait until that time is over. */
static void
wait_past(int64_t at_ms)
{
    while (clock_wall_ms() <= at_ms)
        (void)usleep(2000);
}

static void
one_whose_time_is_over_is_not_there(void **state)
{
    struct store *s = store_of(state);
    struct record_change c = put("login/1", "v");
    int64_t over_ms = clock_wall_ms() + 200;

    c.expires_ms = clock_wall_ms() + 3600 * 1000;
    assert_int_equal(apply_one(s, c), OK);
    assert_record(s, "login/1", "v");
    assert_list(s, "login/", NULL, 9, "login/1=v|");
    c.expires_ms = over_ms;
    assert_int_equal(apply_one(s, c), OK); /* it has a new time */
    c = put("login/2", "w");
    assert_int_equal(apply_one(s, c), OK);
    wait_past(over_ms);
    assert_record(s, "login/1", NULL);
    assert_list(s, "login/", NULL, 1, "login/2=w|");
    assert_int_equal(
        apply_one(s, expecting(put("login/1", "x"), RECORD_PRESENT, NULL)),
        ERR_CONFLICT);
    assert_int_equal(
        apply_one(s, expecting(put("login/1", "x"), RECORD_SAME, "v")),
        ERR_CONFLICT);
    assert_int_equal(
        apply_one(s, expecting(put("login/1", "x"), RECORD_ABSENT, NULL)), OK);
    assert_record(s, "login/1", "x");
    c = put("login/1", "y");
    c.expires_ms = 1; /* as good as taken away */
    assert_int_equal(apply_one(s, c), OK);
    assert_record(s, "login/1", NULL);
}

/* --- on disk -------------------------------------------------------------- */

static void
reopen(struct on_store *f)
{
    struct store_config c = {.dir = f->dir, .map_bytes = TEST_MAP};

    store_close(f->s);
    assert_int_equal(store_open_on(&f->s, f->be, &c), OK);
}

/* How many records the file has, also those that read as not there. */
static size_t
count_on_disk(struct on_store *f)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_stat st;

    store_close(f->s);
    f->s = NULL;
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 32), 0);
    assert_int_equal(mdb_env_open(env, f->dir, MDB_RDONLY, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "records", 0, &dbi), 0);
    assert_int_equal(mdb_stat(txn, dbi, &st), 0);
    mdb_txn_abort(txn);
    mdb_env_close(env);
    reopen(f);
    return st.ms_entries;
}

#define OLD 40

/* Records that are over in so many milliseconds; returns when that is. */
static int64_t
put_old(struct store *s, int64_t in_ms)
{
    static char names[OLD][16];
    struct record_change c[OLD];
    int64_t over_ms = clock_wall_ms() + in_ms;

    for (size_t i = 0; i < OLD; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "old/%02zu", i);
        c[i] = put(names[i], "v");
        c[i].expires_ms = over_ms;
    }
    assert_int_equal(apply(s, c, OLD, NULL), OK);
    return over_ms;
}

static void
what_is_over_is_swept_by_those_who_put(void **state)
{
    struct on_store *f = *state;
    int64_t over_ms, in_ms = 100;
    char name[16];

    do { /* who is too slow puts nothing */
        over_ms = put_old(f->s, in_ms);
        in_ms *= 2;
    } while (count_on_disk(f) < OLD);
    wait_past(over_ms);
    assert_list(f->s, "old/", NULL, 99, "");
    assert_int_equal(apply_one(f->s, put("old/00", NULL)), OK);
    assert_int_equal(count_on_disk(f), OLD - 1); /* nobody has put one since */
    for (int i = 0; i < OLD / 2; i++) {
        (void)snprintf(name, sizeof(name), "new/%02d", i);
        assert_int_equal(apply_one(f->s, put(name, "v")), OK);
    }
    assert_int_equal(count_on_disk(f), OLD / 2);
}

static void
they_are_there_after_a_restart(void **state)
{
    struct on_store *f = *state;

    assert_int_equal(apply_one(f->s, put("k", "v")), OK);
    reopen(f);
    assert_record(f->s, "k", "v");
}

static void
another_process_sees_what_was_put(void **state)
{
    struct on_store *f = *state;
    struct store_config c = {.dir = f->dir, .map_bytes = TEST_MAP};
    pid_t pid;

    store_close(f->s); /* nothing of it is carried across the fork */
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct store *s;
        bool ok = store_open(&s, &c) == OK &&
                  apply_one(s, put("theirs", "v")) == OK;

        if (ok)
            store_close(s);
        _exit(ok ? 0 : 1);
    }
    assert_int_equal(store_open_on(&f->s, f->be, &c), OK);
    assert_int_equal(child_wait(pid), 0);
    assert_record(f->s, "theirs", "v");
    assert_int_equal(
        apply_one(f->s, expecting(put("theirs", NULL), RECORD_SAME, "v")), OK);
}

/* Puts until killed; the number of each that was acknowledged goes to fd. */
static void
put_until_killed(const char *dir, int fd)
{
    struct store_config c = {.dir = dir, .map_bytes = TEST_MAP};
    struct store *s;

    if (store_open(&s, &c) != OK)
        _exit(2);
    for (uint32_t i = 0;; i++) {
        char a[16], b[16];
        struct record_change both[2];

        (void)snprintf(a, sizeof(a), "a/%08" PRIu32, i);
        (void)snprintf(b, sizeof(b), "b/%08" PRIu32, i);
        both[0] = put(a, "v");
        both[1] = put(b, "v");
        if (apply(s, both, 2, NULL) != OK ||
            write(fd, &i, sizeof(i)) != (ssize_t)sizeof(i))
            _exit(3);
    }
}

static bool
count_one(void *arg, const char *name, size_t n, const char *value, size_t len)
{
    (void)name;
    (void)n;
    (void)value;
    (void)len;
    ++*(uint32_t *)arg;
    return true;
}

static void
what_was_acknowledged_survives_a_kill(void **state)
{
    struct on_store *f = *state;
    struct store_config c = {.dir = f->dir, .map_bytes = TEST_MAP};
    uint32_t last = 0, seen, n_a = 0, n_b = 0;
    int fds[2];
    pid_t pid;

    store_close(f->s);
    assert_int_equal(pipe(fds), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        put_until_killed(f->dir, fds[1]);
    (void)close(fds[1]);
    while (last < 50 && read(fds[0], &seen, sizeof(seen)) == sizeof(seen))
        last = seen;
    assert_int_equal(kill(pid, SIGKILL), 0);
    while (read(fds[0], &seen, sizeof(seen)) == sizeof(seen))
        last = seen;
    (void)close(fds[0]);
    assert_int_equal(child_wait(pid), -SIGKILL);
    assert_int_equal(store_open_on(&f->s, f->be, &c), OK);
    assert_int_equal(
        store_records(f->s, "a/", 2, NULL, 0, UINT32_MAX, count_one, &n_a), OK);
    assert_int_equal(
        store_records(f->s, "b/", 2, NULL, 0, UINT32_MAX, count_one, &n_b), OK);
    assert_true(n_a >= last + 1);
    assert_int_equal(n_a, n_b); /* both, or none */
}

/* --- beside temporary sessions -------------------------------------------- */

static void
they_are_on_disk_whatever_is_in_memory(void **state)
{
    struct on_store *f = *state;
    struct store_op op = op_on(STORE_SESSION_PATCH, "", "t");
    struct store_config c = {.dir = f->dir, .map_bytes = TEST_MAP};
    struct budget room;

    budget_init(&room, 1024 * 1024);
    c.temporary = &room;
    store_close(f->s);
    assert_int_equal(store_open(&f->s, &c), OK);
    op.temporary = true;
    op.patch.create = true;
    assert_int_equal(store_apply(f->s, &op), OK);
    assert_true(op.temporary);
    assert_int_equal(apply_one(f->s, put("k", "v")), OK);
    assert_record(f->s, "k", "v");
    assert_list(f->s, "", NULL, 9, "k=v|");
    reopen(f); /* without it */
    assert_record(f->s, "k", "v");
}

int
main(void)
{
    static struct on_store lmdb = {.be = &lmdb_backend};
    static struct on_store mem = {.be = &memstore_backend};
#define TEST(t) ON_STORE(t, lmdb), ON_STORE(t, mem)
    const struct CMUnitTest tests[] = {
        TEST(a_value_is_found_under_its_name),
        TEST(names_and_values_are_bytes),
        TEST(names_and_values_have_limits),
        ON_STORE(many_changes_are_one_but_not_too_many, lmdb),
        TEST(a_change_may_expect_what_is_there),
        TEST(a_conflict_changes_nothing_at_all),
        TEST(a_change_meets_those_before_it),
        TEST(of_two_who_expect_the_same_one_wins),
        TEST(those_that_begin_alike_are_listed_in_order),
        TEST(one_whose_time_is_over_is_not_there),
        ON_STORE(what_is_over_is_swept_by_those_who_put, lmdb),
        ON_STORE(they_are_there_after_a_restart, lmdb),
        ON_STORE(another_process_sees_what_was_put, lmdb),
        ON_STORE(what_was_acknowledged_survives_a_kill, lmdb),
        ON_STORE(they_are_on_disk_whatever_is_in_memory, lmdb),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
