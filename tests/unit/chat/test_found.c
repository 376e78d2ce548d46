/*
 * Tests of chat/found.c: of what the index finds only what is still in the
 * store is given, of one's own, of one session or of all.
 */
#include "chat_test.h"

#include "chat/found.h"
#include "chat/index.h"

struct finds {
    char text[1024]; /* "session:seq,seq|…" */
    size_t n;
    const char *unwanted; /* this session is not wanted */
};

static bool
take(void *arg, const struct session *s, const struct search_hit *hits,
     size_t n)
{
    struct finds *f = arg;

    assert_true(n > 0);
    f->n += (size_t)snprintf(f->text + f->n, sizeof(f->text) - f->n,
                             "%s:", s->id);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(hits[i].session_id, s->id);
        f->n += (size_t)snprintf(f->text + f->n, sizeof(f->text) - f->n, "%u,",
                                 hits[i].seq);
    }
    f->text[f->n - 1] = '|';
    return true;
}

static bool
is_wanted(void *arg, const struct session *s)
{
    const struct finds *f = arg;

    return f->unwanted == NULL || strcmp(f->unwanted, s->id) != 0;
}

static enum err
find(const char *owner, const char *session, const char *q, struct finds *f,
     bool *whole)
{
    struct found_ask ask = {
        .search = {.owner = owner, .q = q, .q_len = strlen(q), .limit = 10},
        .session_id = session,
        .wanted = is_wanted};
    char next[SEARCH_CURSOR_MAX];

    f->n = 0;
    f->text[0] = '\0';
    return found_query(rig, &ask, next, take, f, whole);
}

/* Until all that was said is in the index. */
static void
wait_indexed(void)
{
    int64_t until_ms = clock_mono_ms() + TAP_WAIT_MS;
    struct finds f = {.n = 0};
    bool whole = false;

    rig_settle(); /* the index hears of an answer after its readers did */
    while (!whole && clock_mono_ms() < until_ms) {
        assert_int_equal(find("", NULL, "word", &f, &whole), OK);
        if (!whole)
            fake_sleep_ms(5);
    }
    assert_true(whole);
}

static void
assert_finds(const char *session, const char *q, const char *want)
{
    struct finds f = {.n = 0};
    bool whole;

    assert_int_equal(find("", session, q, &f, &whole), OK);
    assert_string_equal(f.text, want);
}

static void
of_all_sessions_or_of_one(void **state)
{
    struct finds f = {.unwanted = "b"};
    bool whole;

    (void)state;
    (void)whole_turn(0, "a", "tap 0 red", "blue");
    wait_indexed();
    (void)whole_turn(0, "b", "tap 0 green", "red and red");
    (void)whole_turn(0, "b", "tap 0 white", "red");
    wait_indexed();
    assert_finds("a", "red", "a:0|");
    assert_finds("b", "red", "b:1|b:3|");
    assert_finds("a", "green", "");
    assert_finds(NULL, "green", "b:0|");
    assert_int_equal(find("", NULL, "red", &f, &whole), OK);
    assert_string_equal(f.text, "a:0|");
}

static void
what_is_gone_is_not_found(void **state)
{
    struct store_op op = op_on(STORE_SESSION_CLEAR, "", "a");
    struct store_op del = op_on(STORE_SESSION_DELETE, "", "b");

    (void)state;
    (void)whole_turn(0, "a", "tap 0 red", "blue");
    (void)whole_turn(0, "b", "tap 0 red", "blue");
    wait_indexed();
    /* The index is not told. */
    assert_int_equal(store_apply(engine_store(rig), &op), OK);
    assert_int_equal(store_apply(engine_store(rig), &del), OK);
    assert_finds(NULL, "red", "");
    assert_finds("a", "red", "");
    /* Another message at the same place is another one. */
    tap_text(0, "nothing");
    tap_finish(0, FINISH_STOP);
    record_wait_done(ask_tap("a", "tap 0 yellow"));
    wait_indexed();
    assert_finds("a", "red", "");
    assert_finds("a", "yellow", "a:0|");
}

static void
errors_are_told(void **state)
{
    static char q[SEARCH_QUERY_MAX + 2];
    struct problem p = {.err = OK};
    struct finds f = {.n = 0};
    bool whole;

    (void)state;
    assert_int_equal(find("", "nobody", "red", &f, &whole), ERR_NOTFOUND);
    (void)whole_turn(0, "a", "tap 0 red", "blue");
    assert_int_equal(find("ann", "a", "red", &f, &whole), ERR_NOTFOUND);
    memset(q, 'a', SEARCH_QUERY_MAX);
    assert_int_equal(find("", "a", q, &f, &whole), OK);
    q[SEARCH_QUERY_MAX] = 'a';
    assert_int_equal(find("", "a", q, &f, &whole), ERR_TOOBIG);
    found_problem(&p, ERR_TOOBIG);
    assert_string_equal(p.code, "invalid_q");
    found_problem(&p, ERR_BADREQ);
    assert_string_equal(p.code, "invalid_cursor");
    found_problem(&p, ERR_STORE);
    assert_string_equal(p.code, "search_failed");
    assert_int_equal(p.err, ERR_BUSY);
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(of_all_sessions_or_of_one),
        T(what_is_gone_is_not_found),
        T(errors_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
