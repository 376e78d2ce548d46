/*
 * Tests of api/way.c: how a conn is watched, and what becomes of what is left
 * of a reply. The web server's end of a socket pair is read as it comes.
 */
#include "../http/http_test.h"

#include <signal.h>

#include "../chat/chat_test.h"
#include "api/way.h"

#define MUCH (2 * 1024 * 1024) /* bytes; more than a socket takes */

/* Someone who writes; what happens to it is counted. */
struct writer {
    struct way way; /* first */
    int far_fd;
    atomic_int rooms, lefts, frees;
};

static char text[MUCH];
static struct writer wr;

static void
on_room(struct way *w)
{
    (void)w;
    (void)atomic_fetch_add(&wr.rooms, 1);
}

static void
on_left(struct way *w)
{
    way_release(w);
    (void)atomic_fetch_add(&wr.lefts, 1);
}

static void
on_free(struct way *w)
{
    way_release(w);
    (void)atomic_fetch_add(&wr.frees, 1);
}

static const struct way_calls calls = {on_room, on_left, on_free};

static int
setup(void **state)
{
    static const char *const vars[] = {"REQUEST_METHOD=GET", "PATH_INFO=/",
                                       NULL};
    struct request *rq = make_request(vars);

    (void)rig_setup(state);
    memset(text, 'x', sizeof(text));
    (void)memset(&wr, 0, sizeof(wr));
    wr.far_fd = make_conn(rq, CONN_CGI, 1);
    way_init(&wr.way, rig, rq, &calls);
    return 0;
}

static int
teardown(void **state)
{
    (void)rig_teardown(state);
    if (wr.far_fd >= 0)
        (void)close(wr.far_fd);
    return 0;
}

static void
wait_for(atomic_int *n)
{
    int64_t until_ms = clock_mono_ms() + TAP_WAIT_MS;

    while (atomic_load(n) == 0) {
        assert_true(clock_mono_ms() < until_ms);
        fake_sleep_ms(2);
    }
}

static size_t
read_rest(void)
{
    struct buf got;
    size_t n;

    read_all(wr.far_fd, &got);
    n = got.len;
    buf_release(&got);
    return n;
}

static void
send_much(void *arg)
{
    (void)arg;
    way_head_done(&wr.way);
    assert(wr.way.rq == NULL);
    assert(way_sent(&wr.way, conn_send(wr.way.conn, text, MUCH)) == ERR_AGAIN);
}

static void
end_now(void *arg)
{
    (void)arg;
    IGNORE(conn_end(wr.way.conn, "end", 3));
    way_over(&wr.way);
}

static void
over_now(void *arg)
{
    (void)arg;
    way_over(&wr.way);
}

static void
watch_now(void *arg)
{
    (void)arg;
    way_watch(&wr.way);
}

/* --- while it is written -------------------------------------------------- */

static void
a_full_socket_tells_when_there_is_room(void **state)
{
    struct buf got;
    char *room;

    (void)state;
    engine_call(rig, send_much, NULL);
    assert_int_equal(atomic_load(&wr.rooms), 0);
    buf_init(&got, FAR_MAX);
    while (got.len < MUCH) {
        ssize_t n;

        room = buf_room(&got, 65536);
        assert_non_null(room);
        n = read(wr.far_fd, room, 65536);
        assert_true(n > 0);
        got.len += (size_t)n;
    }
    assert_memory_equal(got.data, text, MUCH);
    buf_release(&got);
    wait_for(&wr.rooms);
    engine_call(rig, end_now, NULL);
    wait_for(&wr.frees);
    assert_int_equal(read_rest(), 3);
    assert_int_equal(atomic_load(&wr.lefts), 0);
}

static void
a_client_that_leaves_is_noticed_without_a_write(void **state)
{
    (void)state;
    engine_call(rig, watch_now, NULL);
    (void)close(wr.far_fd);
    wr.far_fd = -1;
    wait_for(&wr.lefts);
    assert_int_equal(atomic_load(&wr.frees), 0);
}

/* --- the end -------------------------------------------------------------- */

static void
what_is_left_of_a_whole_answer_is_flushed(void **state)
{
    (void)state;
    engine_call(rig, send_much, NULL);
    engine_call(rig, end_now, NULL);
    assert_int_equal(atomic_load(&wr.frees), 0); /* it lingers */
    assert_int_equal(read_rest(), MUCH + 3);
    wait_for(&wr.frees);
}

static void
an_answer_that_is_broken_off_looks_so(void **state)
{
    (void)state;
    engine_call(rig, send_much, NULL);
    engine_call(rig, over_now, NULL);
    wait_for(&wr.frees); /* at once */
    assert_true(read_rest() < MUCH);
}

static void
who_leaves_while_it_lingers_is_let_go(void **state)
{
    (void)state;
    engine_call(rig, send_much, NULL);
    engine_call(rig, end_now, NULL);
    (void)close(wr.far_fd);
    wr.far_fd = -1;
    wait_for(&wr.frees);
    assert_int_equal(atomic_load(&wr.lefts), 0);
}

static void
the_end_frees_what_lingers(void **state)
{
    (void)state;
    engine_call(rig, send_much, NULL);
    engine_call(rig, end_now, NULL);
    rig_stop(0);
    assert_int_equal(atomic_load(&wr.frees), 1);
}

/* --- the rest of an answered request -------------------------------------- */

static struct conn *
answered(int *far_fd)
{
    struct conn *c;
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
                     0);
    *far_fd = fds[1];
    c = conn_new(CONN_CGI, fds[0], 0);
    assert_int_equal(conn_end(c, text, MUCH), ERR_AGAIN);
    return c;
}

static void
the_rest_of_an_answered_request_is_sent(void **state)
{
    struct conn *c = answered(&wr.far_fd);

    (void)state;
    way_drain(rig, c);
    assert_int_equal(read_rest(), MUCH);
    (void)close(wr.far_fd);
}

static void
the_rest_is_let_go_if_its_client_leaves(void **state)
{
    struct conn *c = answered(&wr.far_fd);

    (void)state;
    way_drain(rig, c);
    (void)close(wr.far_fd);
    rig_stop(20000); /* returns: nobody is waited for */
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_full_socket_tells_when_there_is_room),
        T(a_client_that_leaves_is_noticed_without_a_write),
        T(what_is_left_of_a_whole_answer_is_flushed),
        T(an_answer_that_is_broken_off_looks_so),
        T(who_leaves_while_it_lingers_is_let_go),
        T(the_end_frees_what_lingers),
        cmocka_unit_test_setup_teardown(the_rest_of_an_answered_request_is_sent,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(the_rest_is_let_go_if_its_client_leaves,
                                        rig_setup, rig_teardown),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
