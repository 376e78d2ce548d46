/*
 * Tests of chat/session.c: who runs, who waits, who is next. The turns are
 * empty but for their session; turn_go is this file's own.
 */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/mem.h"
#include "chat/session.h"
#include "chat/turn.h"

#define QUEUE_MAX 3

static struct sessions *sessions;
static char gone[64]; /* the turns that were let go, by their names */

/* Instead of turn.c's. */
void
turn_go(struct turn *t)
{
    size_t n = strlen(gone);

    gone[n] = t->model[0];
    gone[n + 1] = '\0';
}

static struct turn *
turn_new(const char *session, const char *name)
{
    struct turn *t = xcalloc(1, sizeof(*t));

    t->ask = turn_ask_new();
    t->ask->session_id = session;
    t->model[0] = name[0];
    return t;
}

static void
turn_free(struct turn *t)
{
    turn_ask_free(t->ask);
    free(t);
}

/* Leave, and be gone. */
static void
leave(struct turn *t)
{
    session_leave(sessions, t);
    assert_null(t->slot);
    turn_free(t);
}

static int
setup(void **state)
{
    (void)state;
    sessions = sessions_new(QUEUE_MAX);
    gone[0] = '\0';
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    sessions_free(sessions); /* asserts that it is empty */
    return 0;
}

static void
one_runs_and_the_rest_follow_in_order(void **state)
{
    struct turn *t[4];

    (void)state;
    for (int i = 0; i < 4; i++) {
        t[i] = turn_new("s", &"abcd"[i]);
        assert_int_equal(session_enter(sessions, t[i]),
                         i == 0 ? OK : ERR_AGAIN);
    }
    assert_string_equal(gone, "");
    for (int i = 0; i < 4; i++)
        leave(t[i]);
    assert_string_equal(gone, "bcd");
}

static void
the_queue_holds_as_many_as_it_may(void **state)
{
    struct turn *t[QUEUE_MAX + 2];

    (void)state;
    for (int i = 0; i < QUEUE_MAX + 2; i++) {
        t[i] = turn_new("s", &"abcde"[i]);
        assert_int_equal(session_enter(sessions, t[i]), i == 0 ? OK
                                                        : i <= QUEUE_MAX
                                                            ? ERR_AGAIN
                                                            : ERR_LIMIT);
    }
    leave(t[QUEUE_MAX + 1]); /* who did not come in leaves nothing */
    leave(t[0]);
    t[0] = turn_new("s", "f"); /* there is room again */
    assert_int_equal(session_enter(sessions, t[0]), ERR_AGAIN);
    for (int i = 1; i <= QUEUE_MAX; i++)
        leave(t[i]);
    leave(t[0]);
    assert_string_equal(gone, "bcdf");
}

static void
who_gives_up_leaves_from_anywhere(void **state)
{
    /* Who leaves while a runs, and who is let go after that. */
    static const struct {
        const char *leave, *rest;
    } rows[] = {{"b", "cd"}, {"c", "bd"}, {"d", "bc"}, {"bc", "d"},
                {"cd", "b"}, {"dc", "b"}, {"bd", "c"}, {"bcd", ""},
                {"dcb", ""}, {"cbd", ""}, {"db", "c"}};

    (void)state;
    for (size_t row = 0; row < COUNT_OF(rows); row++) {
        struct turn *t[5];

        gone[0] = '\0';
        for (int i = 0; i < 4; i++) {
            t[i] = turn_new("s", &"abcd"[i]);
            (void)!session_enter(sessions, t[i]);
        }
        for (const char *p = rows[row].leave; *p != '\0'; p++) {
            leave(t[*p - 'a']);
            t[*p - 'a'] = NULL;
        }
        t[4] = turn_new("s", "e"); /* comes last, whoever left */
        assert_int_equal(session_enter(sessions, t[4]), ERR_AGAIN);
        for (int i = 0; i < 5; i++)
            if (t[i] != NULL)
                leave(t[i]);
        assert_int_equal(strlen(gone), strlen(rows[row].rest) + 1);
        assert_memory_equal(gone, rows[row].rest, strlen(rows[row].rest));
        assert_int_equal(gone[strlen(rows[row].rest)], 'e');
    }
}

static void
sessions_do_not_know_each_other(void **state)
{
    static char names[10000][8];
    struct turn **t = xcalloc(COUNT_OF(names), sizeof(struct turn *));

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        (void)snprintf(names[i], sizeof(names[i]), "s%zu", i % 100000);
        t[i] = turn_new(names[i], "x");
        assert_int_equal(session_enter(sessions, t[i]), OK);
    }
    for (size_t i = 0; i < COUNT_OF(names); i++)
        leave(t[i]);
    assert_string_equal(gone, "");
    free(t);
}

static struct turn *
twin_of(const char *session, const char *owner, const char *key)
{
    struct turn_ask *a = turn_ask_new();
    struct turn *t;

    a->session_id = session;
    a->owner = owner;
    a->idem_key = key;
    t = session_twin(sessions, a);
    turn_ask_free(a);
    return t;
}

static void
a_twin_is_found_among_those_at_work(void **state)
{
    struct turn *a = turn_new("s", "a");
    struct turn *b = turn_new("s", "b");
    struct turn *c = turn_new("s", "c");

    (void)state;
    a->ask->idem_key = "ka";
    c->ask->idem_key = "kc";
    assert_null(twin_of("s", "", "ka"));
    (void)!session_enter(sessions, a);
    (void)!session_enter(sessions, b);
    (void)!session_enter(sessions, c);
    assert_ptr_equal(twin_of("s", "", "ka"), a);
    assert_ptr_equal(twin_of("s", "", "kc"), c);
    assert_null(twin_of("s", "", "kb"));
    assert_null(twin_of("s", "", NULL));
    assert_null(twin_of("s", "eve", "ka"));
    assert_null(twin_of("t", "", "ka"));
    leave(a);
    assert_null(twin_of("s", "", "ka"));
    leave(c);
    assert_null(twin_of("s", "", "kc"));
    leave(b);
}

static void
leaving_twice_is_nothing(void **state)
{
    struct turn *a = turn_new("s", "a");

    (void)state;
    (void)!session_enter(sessions, a);
    session_leave(sessions, a);
    session_leave(sessions, a);
    turn_free(a);
    sessions_free(NULL);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(one_runs_and_the_rest_follow_in_order),
        T(the_queue_holds_as_many_as_it_may),
        T(who_gives_up_leaves_from_anywhere),
        T(sessions_do_not_know_each_other),
        T(a_twin_is_found_among_those_at_work),
        T(leaving_twice_is_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
