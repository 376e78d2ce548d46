/*
 * Tests of api/session_events.c and session_news.c: what a device that watches
 * a session is sent, and what becomes of one that is slow, leaves, or is there
 * when the engine ends. The web server's end of a socket pair is read as it
 * comes.
 */
#include "../http/http_test.h"

#include <signal.h>

#include "../chat/chat_test.h"
#include "auth_rig.h"
#include "api/app.h"
#include "base/json.h"
#include "base/metric.h"

#define LONG (4 * 1024 * 1024) /* bytes; much more than a socket takes */

static struct app app;

static int
setup(void **state)
{
    (void)rig_setup(state);
    /* So far away that it hides no wake-up that is missing. */
    app = (struct app){.en = rig, .ping_ms = 600000};
    auth_rig_open(&app);
    return 0;
}

static int
teardown(void **state)
{
    int rc = rig_teardown(state);

    auth_rig_close(&app);
    return rc;
}

/* --- the device ----------------------------------------------------------- */

struct device {
    int fd;
    struct buf got;
    bool over;
};

static struct device
device_open(const char *last_id, enum conn_kind kind)
{
    char last[256] = "X_NOTHING=1";
    const char *vars[] = {"REQUEST_METHOD=GET", "PATH_INFO=/sessions/s/events",
                          "HTTP_X_REQUEST_ID=rid", last, NULL};
    struct request *rq;
    struct device d = {.over = false};

    if (last_id != NULL)
        (void)snprintf(last, sizeof(last), "HTTP_LAST_EVENT_ID=%s", last_id);
    rq = make_request(vars);
    d.fd = make_conn(rq, kind, 1);
    buf_init(&d.got, FAR_MAX);
    app_request(&app, rq, NULL);
    return d;
}

static void
device_close(struct device *d)
{
    if (d->fd >= 0)
        (void)close(d->fd);
    d->fd = -1;
    buf_release(&d->got);
}

/* Read until it has `part` (NULL: until the end). */
static const char *
device_read(struct device *d, const char *part)
{
    int64_t until_ms = clock_mono_ms() + TAP_WAIT_MS;

    while (part != NULL ? strstr(buf_cstr(&d->got), part) == NULL : !d->over) {
        struct pollfd p = {d->fd, POLLIN, 0};
        char *room = buf_room(&d->got, 65536);
        ssize_t n;

        if (clock_mono_ms() > until_ms || d->over)
            fail_msg("no \"%s\" in \"%.3000s\"", part != NULL ? part : "end",
                     buf_cstr(&d->got));
        if (poll(&p, 1, 100) <= 0)
            continue;
        n = read(d->fd, room, 65536);
        assert_true(n >= 0);
        d->got.len += (size_t)n;
        d->over = n == 0;
    }
    return buf_cstr(&d->got);
}

static size_t
times(const char *text, const char *part)
{
    size_t n = 0;

    for (; (text = strstr(text, part)) != NULL; text += strlen(part))
        n++;
    return n;
}

/* The id of the last whole event. */
static void
last_id(struct device *d, char out[128])
{
    const char *at = buf_cstr(&d->got), *next;

    out[0] = '\0';
    for (; (next = strstr(at, "\nid: ")) != NULL; at = next + 5) {
        size_t n = strcspn(next + 5, "\n");

        assert_true(n < 128);
        if (strstr(next, "\n\n") != NULL)
            (void)snprintf(out, 128, "%.*s", (int)n, next + 5);
    }
}

static void
wait_readers(int64_t n)
{
    int64_t until_ms = clock_mono_ms() + TAP_WAIT_MS;

    while (metric_get(METRIC_READERS) != n) {
        assert_true(clock_mono_ms() < until_ms);
        fake_sleep_ms(5);
    }
}

static struct store *
store(void)
{
    return engine_store(rig);
}

/* --- what is sent --------------------------------------------------------- */

static void
the_first_event_is_how_it_is(void **state)
{
    struct device d;
    const char *text;

    (void)state;
    (void)put_turn(store(), "", "s", "q", "a");
    d = device_open(NULL, CONN_CGI);
    text = device_read(&d, "}}\n\n");
    assert_int_equal(strncmp(text, "Status: 200 OK\r\n", 16), 0);
    assert_has(text, "Content-Type: text/event-stream\r\n");
    assert_has(text, "\r\n\r\n: ok");
    assert_int_equal(times(text, "retry: 1000\n\n"), 1);
    assert_has(text, "\nevent: session\ndata: {\"type\":\"session\","
                     "\"session_id\":\"s\",\"session\":{\"session_id\":\"s\"");
    assert_has(text, "\"has_context\":false,\"head\":\"");
    assert_int_equal(times(text, "\nid: "), 1);
    device_close(&d);
    wait_readers(0);
}

static void
messages_come_as_they_are_stored(void **state)
{
    struct store_op begin = op_begin("", "s", "q1"), end;
    struct device d;
    const char *text;

    (void)state;
    (void)put_turn(store(), "", "s", "q0", "a0");
    d = device_open(NULL, CONN_CGI);
    (void)device_read(&d, "event: session\n");
    assert_int_equal(store_apply(store(), &begin), OK);
    text = device_read(&d, "\"content\":\"q1\"}}\n\n"); /* before the answer */
    assert_has(text, "event: message_added\ndata: {\"type\":\"message_added\","
                     "\"session_id\":\"s\",\"message\":{\"id\":\"");
    end = op_end(&begin.begin.turn, "a1");
    end.session_id = "s";
    assert_int_equal(store_apply(store(), &end), OK);
    (void)device_read(&d, "\"content\":\"a1\"}}\n\n");
    assert_int_equal(times(buf_cstr(&d.got), "\nid: "), 3);
    device_close(&d);
    wait_readers(0);
}

static void
who_comes_back_goes_on(void **state)
{
    struct device d, e;
    char id[128];

    (void)state;
    (void)put_turn(store(), "", "s", "q0", "a0");
    d = device_open(NULL, CONN_CGI);
    (void)device_read(&d, "}}\n\n");
    last_id(&d, id);
    device_close(&d);
    (void)put_turn(store(), "", "s", "q1", "a1");
    e = device_open(id, CONN_CGI);
    (void)device_read(&e, "\"content\":\"a1\"}}\n\n");
    assert_int_equal(times(buf_cstr(&e.got), "\nid: "), 2);
    device_close(&e);
    wait_readers(0);
}

static void
a_deletion_is_the_end(void **state)
{
    struct store_op op = op_on(STORE_SESSION_DELETE, "", "s");
    struct device d;
    const char *text;

    (void)state;
    (void)put_turn(store(), "", "s", "q", "a");
    d = device_open(NULL, CONN_CGI);
    (void)device_read(&d, "event: session\n");
    assert_int_equal(store_apply(store(), &op), OK);
    text = device_read(&d, NULL);
    assert_has(text, ".gone\nevent: session_deleted\ndata: "
                     "{\"type\":\"session_deleted\",\"session_id\":\"s\"}\n\n");
    device_close(&d);
    wait_readers(0);
}

static void
refused(const char *last, const char *status)
{
    struct device d = device_open(last, CONN_CGI);

    assert_has(device_read(&d, NULL), status);
    device_close(&d);
}

static void
what_cannot_be_has_a_status(void **state)
{
    (void)state;
    refused(NULL, "Status: 404 ");
    (void)put_turn(store(), "eve", "s", "q", "a");
    refused(NULL, "Status: 404 ");
    refused("1.2.3", "Status: 400 ");
}

static void
one_too_many_is_told_so(void **state)
{
    struct device d;

    (void)state;
    rig_stop(0);
    conf_override(CONF_MAX_STREAMS, "1");
    rig_start();
    app.en = rig;
    auth_rig_open(&app);
    (void)put_turn(store(), "", "s", "q", "a");
    d = device_open(NULL, CONN_CGI);
    (void)device_read(&d, "event: session\n");
    refused(NULL, "Status: 503 ");
    device_close(&d);
    wait_readers(0);
}

/* --- slow ones ------------------------------------------------------------ */

static char *
long_text(void)
{
    char *text = xcalloc(1, LONG + 1);

    for (size_t i = 0; i < LONG; i++)
        text[i] = (char)('a' + i % 23);
    return text;
}

static void
a_device_that_stands_still_gets_all_of_it_later(void **state)
{
    char *text = long_text();
    struct device d;
    const char *at;

    (void)state;
    (void)put_turn(store(), "", "s", "q0", "a0");
    d = device_open(NULL, CONN_CGI);
    (void)device_read(&d, "event: session\n");
    (void)put_turn(store(), "", "s", "q1", text);
    (void)put_turn(store(), "", "s", "q2", "a2");
    (void)device_read(&d, "\"content\":\"abc");
    fake_sleep_ms(100); /* it reads nothing */
    (void)device_read(&d, "\"content\":\"a2\"}}\n\n");
    assert_int_equal(times(buf_cstr(&d.got), "\nid: "), 5);
    at = strstr(buf_cstr(&d.got), "\"content\":\"abc");
    assert_non_null(at);
    assert_memory_equal(at + 11, text, LONG);
    assert_int_equal(strncmp(at + 11 + LONG, "\"}}\n\n", 5), 0);
    device_close(&d);
    free(text);
    wait_readers(0);
}

static bool
take_ident(void *arg, const struct message *m)
{
    *(struct ident *)arg = m->id;
    return false;
}

/* What was begun cannot be brought to its end as it was: it is broken off, and
 * comes whole to who comes back. */
static void
a_long_message_that_changes_meanwhile_is_not_mixed(void **state)
{
    static const char note[] = "{\"feedback\":{\"rating\":1}}";
    struct store_op op = op_on(STORE_MESSAGE_EXTRA, "", "s");
    char *text = long_text(), id[128];
    struct device d, e;
    const char *at;

    (void)state;
    (void)put_turn(store(), "", "s", "q0", "a0");
    d = device_open(NULL, CONN_CGI);
    (void)device_read(&d, "event: session\n");
    (void)put_turn(store(), "", "s", "q1", text);
    (void)device_read(&d, "\"content\":\"abc"); /* and no further */
    assert_int_equal(store_all_messages(store(), "", "s", 3, 1, NULL,
                                        take_ident, &op.extra.message),
                     OK);
    op.extra.seq = 3;
    op.extra.text = note;
    op.extra.len = strlen(note);
    assert_int_equal(store_apply(store(), &op), OK);
    assert_true(strlen(device_read(&d, NULL)) < LONG); /* torn */
    last_id(&d, id);
    e = device_open(id, CONN_CGI);
    (void)device_read(&e, "\"}}\n\n");
    at = strstr(buf_cstr(&e.got), "\"content\":\"abc");
    assert_non_null(at);
    assert_memory_equal(at + 11, text, LONG);
    assert_has(buf_cstr(&e.got), "\"feedback\":{");
    device_close(&d);
    device_close(&e);
    free(text);
    wait_readers(0);
}

/* --- leaving -------------------------------------------------------------- */

static void
who_leaves_is_let_go_at_once(void **state)
{
    static const enum conn_kind kinds[] = {CONN_CGI, CONN_FCGI};

    (void)state;
    (void)put_turn(store(), "", "s", "q", "a");
    for (size_t i = 0; i < 20; i++) {
        struct device d = device_open(NULL, kinds[i % 2]);

        if (i % 2 == 0 && i % 3)
            (void)device_read(&d, "event: session\n");
        wait_readers(1);
        device_close(&d);
        wait_readers(0);
    }
}

static void
who_leaves_while_a_worker_looks_is_let_go_then(void **state)
{
    struct device d;

    (void)state;
    (void)put_turn(store(), "", "s", "q", "a");
    hold_worker();
    d = device_open(NULL, CONN_CGI);
    (void)device_read(&d, "retry: ");
    device_close(&d);
    wait_readers(0);
    hold_release();
    rig_settle();
}

/* --- the engine ends ------------------------------------------------------ */

static void
a_drain_gives_what_there_is_and_ends(void **state)
{
    struct device d;
    const char *text;

    (void)state;
    (void)put_turn(store(), "", "s", "q", "a");
    d = device_open(NULL, CONN_CGI);
    rig_stop(20000); /* returns: nobody is waited for */
    text = device_read(&d, NULL);
    assert_has(text, "event: session\n");
    assert_int_equal(strcmp(text + strlen(text) - 2, "\n\n"), 0);
    device_close(&d);
}

static void
the_loop_ends_now(void *arg)
{
    (void)arg;
    loop_stop(engine_loop(rig));
}

/* One that stands still, one whose worker is held, one that the loop does not
 * come to any more. */
static void
the_end_lets_go_of_all(void **state)
{
    struct device slow, held, late;
    char *text = long_text();

    (void)state;
    (void)put_turn(store(), "", "s", "q", "a");
    slow = device_open(NULL, CONN_CGI);
    (void)device_read(&slow, "event: session\n");
    (void)put_turn(store(), "", "s", "q", text);
    fake_sleep_ms(100);
    hold_worker();
    held = device_open(NULL, CONN_CGI);
    (void)device_read(&held, "retry: ");
    engine_call(rig, the_loop_ends_now, NULL);
    assert_int_equal(pthread_join(rig_thread, NULL), 0);
    late = device_open(NULL, CONN_CGI);
    hold.held = false;
    (void)sem_post(&hold.go);
    engine_close(rig);
    rig = NULL;
    assert_int_equal(metric_get(METRIC_READERS), 0);
    device_close(&slow);
    device_close(&held);
    device_close(&late);
    free(text);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_first_event_is_how_it_is),
        T(messages_come_as_they_are_stored),
        T(who_comes_back_goes_on),
        T(a_deletion_is_the_end),
        T(what_cannot_be_has_a_status),
        T(one_too_many_is_told_so),
        T(a_device_that_stands_still_gets_all_of_it_later),
        T(a_long_message_that_changes_meanwhile_is_not_mixed),
        T(who_leaves_is_let_go_at_once),
        T(who_leaves_while_a_worker_looks_is_let_go_then),
        T(a_drain_gives_what_there_is_and_ends),
        T(the_end_lets_go_of_all),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
