/*
 * What the tests of accounts share: a store in a folder of its own, and another
 * process with the same one.
 */
#ifndef ACCOUNTS_TEST_H
#define ACCOUNTS_TEST_H

#include "../store/store_test.h"
#include "base/clock.h"

struct accounts {
    char dir[256];
    struct store *s;
};

static inline struct store *
accounts_open(const char *dir)
{
    struct store_config c = {.dir = dir, .map_bytes = TEST_MAP};
    struct store *s = NULL;

    assert_int_equal(store_open(&s, &c), OK);
    return s;
}

static inline int
accounts_setup(void **state)
{
    struct accounts *a = calloc(1, sizeof(*a));

    assert_non_null(a);
    folder_make(a->dir);
    *state = a;
    return 0;
}

static inline int
accounts_teardown(void **state)
{
    struct accounts *a = *state;

    store_close(a->s);
    folder_remove(a->dir);
    free(a);
    return 0;
}

#define ON_ACCOUNTS(t) \
    cmocka_unit_test_setup_teardown(t, accounts_setup, accounts_teardown)

/* What was submitted before is carried out. */
static inline void
settle(struct store *s)
{
    struct store_op op = {.kind = STORE_PROBE, .owner = ""};

    assert_int_equal(store_apply(s, &op), OK);
}

static inline uint64_t
ops_of(struct store *s)
{
    struct store_stats st;

    store_stats(s, &st);
    return st.ops;
}

/* Put bytes in place of a record's. */
static inline void
record_set(struct store *s, const void *name, size_t n, const char *value,
           size_t len)
{
    struct record_change c = {.name = name, .n = n, .value = value, .len = len};
    struct store_op op = {.kind = STORE_RECORDS, .owner = ""};

    op.records.changes = &c;
    op.records.n = 1;
    assert_int_equal(store_apply(s, &op), OK);
}

/* --- another process ------------------------------------------------------ */

/* It is made before the store is opened here, and has one of its own; a line
 * that is sent to it is handed to fn, and what fn returns comes back. */
struct other {
    pid_t pid;
    int to, from;
};
typedef int other_fn(struct store *s, const char *line);

static inline void
other_serve(const char *dir, int in, int out, other_fn *fn)
{
    struct store *s = accounts_open(dir);
    char line[512];
    FILE *f = fdopen(in, "r");

    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        int answer;

        line[strcspn(line, "\n")] = '\0';
        answer = fn(s, line);
        if (write(out, &answer, sizeof(answer)) != sizeof(answer))
            break;
    }
    store_close(s);
    _exit(0);
}

static inline struct other
other_start(const char *dir, other_fn *fn)
{
    struct other o;
    int down[2], up[2];

    assert_int_equal(pipe(down), 0);
    assert_int_equal(pipe(up), 0);
    o.pid = fork();
    assert_true(o.pid >= 0);
    if (o.pid == 0) {
        (void)close(down[1]);
        (void)close(up[0]);
        other_serve(dir, down[0], up[1], fn);
    }
    (void)close(down[0]);
    (void)close(up[1]);
    o.to = down[1];
    o.from = up[0];
    return o;
}

static inline int
other_ask(const struct other *o, const char *line)
{
    int answer;

    assert_int_equal(write(o->to, line, strlen(line)), strlen(line));
    assert_int_equal(write(o->to, "\n", 1), 1);
    assert_int_equal(read(o->from, &answer, sizeof(answer)), sizeof(answer));
    return answer;
}

static inline void
other_end(const struct other *o)
{
    (void)close(o->to);
    assert_int_equal(child_wait(o->pid), 0);
    (void)close(o->from);
}

#endif
