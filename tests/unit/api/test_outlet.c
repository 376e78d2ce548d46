/*
 * Tests of api/outlet.c and outlet_reply.c: what a client of each kind is
 * sent, and what becomes of one that is slow or leaves. The web server's end
 * of a socket pair is read as it comes.
 */
#include "../http/http_test.h"

#include <signal.h>

#include "../chat/chat_test.h"
#include "api/outlet_reply.h"
#include "base/json.h"
#include "base/metric.h"

static struct app app;
static int far_fds[16];
static size_t n_far;

static int
setup(void **state)
{
    (void)rig_setup(state);
    app = (struct app){.en = rig, .ping_ms = 15000};
    n_far = 0;
    return 0;
}

static int
teardown(void **state)
{
    (void)rig_teardown(state);
    for (size_t i = 0; i < n_far; i++)
        if (far_fds[i] >= 0)
            (void)close(far_fds[i]);
    return 0;
}

/* --- the client ----------------------------------------------------------- */

/* What one client gets. */
struct client {
    int *fd;
    struct outlet *o; /* the loop's as soon as it is asked with */
    struct buf got;
    bool over;
};

static struct client
client_new(enum outlet_kind kind, enum conn_kind conn)
{
    const char *vars[] = {"REQUEST_METHOD=POST", "PATH_INFO=/chat",
                          "SCRIPT_NAME=/base", "HTTP_X_REQUEST_ID=rid", NULL};
    struct request *rq = make_request(vars);
    struct client c = {.fd = &far_fds[n_far]};

    assert_true(n_far < COUNT_OF(far_fds));
    far_fds[n_far++] = make_conn(rq, conn, 1);
    c.o = outlet_new(&app, rq, kind);
    buf_init(&c.got, FAR_MAX);
    return c;
}

static void
client_free(struct client *c)
{
    buf_release(&c->got);
    if (*c->fd >= 0)
        (void)close(*c->fd);
    *c->fd = -1;
}

/* A client that asks a tap. */
static struct client
client_ask(enum outlet_kind kind, const char *session, const char *text)
{
    struct client c = client_new(kind, CONN_CGI);

    engine_ask(rig, ask_new(&tap_provider, session, text), outlet_reader(c.o));
    return c;
}

static struct client
client_follow(enum outlet_kind kind, const struct ident *turn, uint32_t after,
              int64_t wait_ms)
{
    struct client c = client_new(kind, CONN_CGI);

    outlet_after(c.o, after, wait_ms);
    engine_follow(rig, "", turn, outlet_reader(c.o));
    return c;
}

/* Read until it has `part` (NULL: until the end). */
static void
client_read(struct client *c, const char *part)
{
    int64_t until_ms = clock_mono_ms() + TAP_WAIT_MS;

    while (part != NULL ? strstr(buf_cstr(&c->got), part) == NULL : !c->over) {
        struct pollfd p = {*c->fd, POLLIN, 0};
        char *room = buf_room(&c->got, 65536);
        ssize_t n;

        if (clock_mono_ms() > until_ms || c->over) {
            print_error("no \"%s\" in \"%s\"\n", part != NULL ? part : "end",
                        buf_cstr(&c->got));
            fail();
        }
        if (poll(&p, 1, 100) <= 0)
            continue;
        assert_non_null(room);
        n = read(*c->fd, room, 65536);
        assert_true(n >= 0);
        c->got.len += (size_t)n;
        c->over = n == 0;
    }
}

static const char *
client_all(struct client *c)
{
    client_read(c, NULL);
    return buf_cstr(&c->got);
}

/* How often part is in text. */
static size_t
times(const char *text, const char *part)
{
    size_t n = 0;

    for (; (text = strstr(text, part)) != NULL; text += strlen(part))
        n++;
    return n;
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

/* --- streams -------------------------------------------------------------- */

static void
a_stream_has_a_head_and_then_events_with_ids(void **state)
{
    struct client c = client_ask(OUTLET_SSE, "s", "tap 0");
    char id[IDENT_TEXT_LEN], line[80];
    const char *text;

    (void)state;
    tap_text(0, "Hello\nyou");
    client_read(&c, "Hello\\nyou");
    tap_finish(0, FINISH_STOP);
    text = client_all(&c);
    assert_int_equal(strncmp(text, "Status: 200 OK\r\n", 16), 0);
    assert_has(text, "Content-Type: text/event-stream\r\n");
    assert_has(text, "X-Request-Id: rid\r\n");
    assert_has(text, "X-Accel-Buffering: no\r\n");
    assert_has(text, "\r\n\r\n: ok");
    assert_int_equal(times(text, "retry: 1000\n\n"), 1);
    (void)snprintf(id, sizeof(id), "%s", strstr(text, "\"turn_id\":\"") + 11);
    (void)snprintf(line, sizeof(line), "\n\nid: %s.1\nevent: response_start\n",
                   id);
    assert_has(text, line);
    (void)snprintf(line, sizeof(line), "\n\nid: %s.2\nevent: response_chunk\n",
                   id);
    assert_has(text, line);
    (void)snprintf(line, sizeof(line),
                   "\n\nid: %s.3\nevent: response_complete\n", id);
    assert_has(text, line);
    assert_int_equal(times(text, "\nid: "), 3);
    assert_has(text, ",\"message\":\"Hello\\nyou\"}\n\n");
    client_free(&c);
}

static void
a_follower_has_its_head_at_once(void **state)
{
    struct record *rec;
    struct client c;

    (void)state;
    rec = ask_tap("s", "tap 0");
    tap_text(0, "a");
    record_wait_events(rec, 2);
    c = client_follow(OUTLET_SSE, &rec->turn, 2, 0);
    client_read(&c, "retry: 1000\n\n"); /* though there is no news */
    assert_lacks(buf_cstr(&c.got), "\nid: ");
    tap_text(0, "b");
    client_read(&c, ".3\nevent: response_chunk\n");
    tap_finish(0, FINISH_STOP);
    assert_int_equal(times(client_all(&c), "\nid: "), 2);
    client_free(&c);
    record_wait_done(rec);
}

static void
a_stream_that_waits_has_its_head_soon(void **state)
{
    struct record *rec;
    struct client c;

    (void)state;
    rec = ask_tap("s", "tap 0");
    tap_wait_asked(0, 1);
    c = client_ask(OUTLET_SSE, "s", "tap 1");
    client_read(&c, "retry: 1000\n\n"); /* the turn has not begun */
    assert_false(rec->done);
    tap_finish(0, FINISH_STOP);
    tap_finish(1, FINISH_STOP);
    assert_int_equal(times(client_all(&c), "\nid: "), 2);
    assert_int_equal(times(buf_cstr(&c.got), "Status: "), 1);
    client_free(&c);
    record_wait_done(rec);
}

static void
a_refusal_before_the_head_has_a_status(void **state)
{
    static const enum outlet_kind kinds[] = {OUTLET_SSE, OUTLET_TEXT,
                                             OUTLET_JSON, OUTLET_DETACH};
    struct ident none = ident_v7();
    struct record *rec;

    (void)state;
    rec = ask_tap("s", "tap 0");
    tap_wait_asked(0, 1);
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct turn_ask *a = ask_new(&tap_provider, "s", "tap 1");
        struct client c = client_new(kinds[i], CONN_CGI);

        a->owner = "eve"; /* not her session */
        engine_ask(rig, a, outlet_reader(c.o));
        if (i == 0)
            tap_finish(0, FINISH_STOP);
        assert_has(client_all(&c), "Status: 404 ");
        assert_has(buf_cstr(&c.got), "Content-Type: application/json\r\n");
        assert_has(buf_cstr(&c.got), "\"request_id\":\"rid\"}");
        client_free(&c);
        c = client_follow(kinds[i], &none, 0, 0);
        assert_has(client_all(&c), "Status: 404 ");
        assert_has(buf_cstr(&c.got), "\"code\":\"turn_not_found\"");
        client_free(&c);
    }
    record_wait_done(rec);
}

static void
who_has_seen_all_gets_no_content(void **state)
{
    struct ident turn;
    struct client c;

    (void)state;
    turn = whole_turn(0, "s", "tap 0", "x");
    c = client_follow(OUTLET_SSE, &turn, 3, 0);
    assert_has(client_all(&c), "Status: 204 ");
    client_free(&c);
}

static void
an_error_in_a_stream_is_an_event(void **state)
{
    struct client c = client_ask(OUTLET_SSE, "s", "tap 0");

    (void)state;
    tap_text(0, "half");
    client_read(&c, "half");
    tap_close(0, true);
    assert_has(client_all(&c), ".3\nevent: error\n");
    assert_has(buf_cstr(&c.got), "\"content\":\"half\"");
    assert_int_equal(times(buf_cstr(&c.got), "Status: "), 1);
    client_free(&c);
}

static void
who_joins_a_turn_gets_its_ids(void **state)
{
    struct turn_ask *a = ask_new(&tap_provider, "x", "tap 0");
    struct turn_ask *b = ask_new(&tap_provider, "y", "tap 1");
    struct turn_ask *d = ask_new(&tap_provider, "z", "tap 2");
    struct client one = client_new(OUTLET_SSE, CONN_CGI);
    struct client two = client_new(OUTLET_SSE, CONN_CGI);
    struct client three = client_new(OUTLET_DETACH, CONN_CGI);
    struct ident none;
    char id[IDENT_TEXT_LEN], url[80];

    (void)state;
    a->idem_key = b->idem_key = d->idem_key = "key";
    a->idem_scope = b->idem_scope = d->idem_scope = "";
    assert_int_equal(prompt_load(engine_store(rig), b, &none), OK);
    assert_int_equal(prompt_load(engine_store(rig), d, &none), OK);
    engine_ask(rig, a, outlet_reader(one.o));
    tap_text(0, "x");
    client_read(&one, "\"x\"");
    engine_ask(rig, b, outlet_reader(two.o));
    engine_ask(rig, d, outlet_reader(three.o));
    client_read(&two, "\"x\"");
    tap_finish(0, FINISH_STOP);
    (void)snprintf(id, sizeof(id), "%s",
                   strstr(client_all(&one), "\nid: ") + 5);
    assert_int_equal(times(client_all(&two), id),
                     times(buf_cstr(&one.got), id));
    assert_int_equal(times(buf_cstr(&two.got), "\nid: "), 3);
    (void)snprintf(url, sizeof(url), "/chat/stream?turn_id=%s\"", id);
    assert_has(client_all(&three), url);
    client_free(&one);
    client_free(&two);
    client_free(&three);
}

static void
silence_is_filled_with_pings(void **state)
{
    struct client c;

    (void)state;
    rig_stop(0);
    conf_override(CONF_PING_MS, "50");
    rig_start();
    app = (struct app){.en = rig, .ping_ms = 50};
    c = client_ask(OUTLET_SSE, "s", "tap 0");
    tap_text(0, "a");
    client_read(&c, "\n\n: ping\n\n");
    tap_finish(0, FINISH_STOP);
    assert_has(client_all(&c), "event: response_complete\n");
    client_free(&c);
}

/* --- text ----------------------------------------------------------------- */

static void
text_is_bare(void **state)
{
    struct client c = client_ask(OUTLET_TEXT, "s", "tap 0");
    const char *body;

    (void)state;
    tap_text(0, "Hello ");
    client_read(&c, "Hello ");
    tap_put(0, 'R', "hm", 2);
    tap_text(0, "\xE2\x82\xAC");
    tap_finish(0, FINISH_STOP);
    body = strstr(client_all(&c), "\r\n\r\n");
    assert_has(buf_cstr(&c.got), "Content-Type: text/plain; charset=utf-8\r\n");
    assert_string_equal(body + 4, "Hello \xE2\x82\xAC");
    client_free(&c);
}

static void
text_that_never_came_is_an_error_with_a_status(void **state)
{
    struct client c;

    (void)state;
    tap_refuse(0, 1, 400);
    c = client_ask(OUTLET_TEXT, "s", "tap 0");
    assert_has(client_all(&c), "Status: 502 ");
    assert_has(buf_cstr(&c.got), "\"code\":\"tap_refused\"");
    client_free(&c);
}

static void
text_that_broke_off_says_so(void **state)
{
    struct client c = client_ask(OUTLET_TEXT, "s", "tap 0");
    struct client late;
    const char *body;
    struct ident turn;
    struct record *rec;

    (void)state;
    tap_text(0, "half");
    client_read(&c, "half");
    tap_close(0, true);
    body = strstr(client_all(&c), "\r\n\r\n");
    assert_string_equal(body + 4, "half\n\n[tap_truncated: Try again.]\n");
    client_free(&c);
    /* The same to one who gets all of it at once. */
    rec = ask_tap("t", "tap 1");
    tap_text(1, "half");
    record_wait_events(rec, 2);
    tap_close(1, true);
    record_wait_done(rec);
    turn = rec->turn;
    late = client_follow(OUTLET_TEXT, &turn, 0, 0);
    body = strstr(client_all(&late), "\r\n\r\n");
    assert_string_equal(body + 4, "half\n\n[tap_truncated: Try again.]\n");
    client_free(&late);
}

/* --- whole replies -------------------------------------------------------- */

/* The JSON body of a reply. */
static cJSON *
body_of(struct client *c, int status)
{
    const char *body = strstr(client_all(c), "\r\n\r\n");
    char line[32], length[64];
    cJSON *j = NULL;

    assert_non_null(body);
    body += 4;
    (void)snprintf(line, sizeof(line), "Status: %d ", status);
    assert_has(buf_cstr(&c->got), line);
    (void)snprintf(length, sizeof(length), "Content-Length: %zu\r\n",
                   strlen(body));
    assert_has(buf_cstr(&c->got), length);
    assert_has(buf_cstr(&c->got), "Content-Type: application/json\r\n");
    assert_int_equal(json_parse(body, strlen(body), &j, NULL), OK);
    return j;
}

static void
json_is_the_answer_in_one_piece(void **state)
{
    struct client c = client_ask(OUTLET_JSON, "s", "tap 0");
    cJSON *j;

    (void)state;
    tap_text(0, "Hello ");
    tap_text(0, "\"you\"");
    tap_finish(0, FINISH_STOP);
    j = body_of(&c, 200);
    assert_string_equal(json_str(j, "session_id"), "s");
    assert_string_equal(json_str(j, "message"), "Hello \"you\"");
    assert_string_equal(json_str(j, "finish_reason"), "stop");
    assert_string_equal(json_str(j, "provider"), "tap");
    assert_int_equal(json_i64(j, "conversation_length", 0), 2);
    assert_int_equal(strlen(json_str(j, "timestamp")), 24);
    assert_null(json_str(j, "type"));
    cJSON_Delete(j);
    client_free(&c);
}

static void
json_of_a_failure_has_its_status(void **state)
{
    struct client c;
    cJSON *j;

    (void)state;
    tap_refuse(0, 1, 400);
    c = client_ask(OUTLET_JSON, "s", "tap 0");
    j = body_of(&c, 502);
    assert_string_equal(json_str(j, "code"), "tap_refused");
    assert_string_equal(json_str(j, "error"), "The tap refused");
    assert_string_equal(json_str(j, "message"), "It said 400.");
    assert_string_equal(json_str(j, "request_id"), "rid");
    cJSON_Delete(j);
    client_free(&c);
}

static void
detached_turns_are_named(void **state)
{
    struct client c = client_ask(OUTLET_DETACH, "s", "tap 0");
    struct record *rec;
    struct ident turn;
    char url[80];
    cJSON *j;

    (void)state;
    j = body_of(&c, 202); /* nothing was answered yet */
    (void)snprintf(url, sizeof(url), "/base/chat/stream?turn_id=%s",
                   json_str(j, "turn_id"));
    assert_string_equal(json_str(j, "stream_url"), url);
    assert_int_equal(ident_parse(json_str(j, "turn_id"), 36, &turn), OK);
    cJSON_Delete(j);
    client_free(&c);
    tap_text(0, "later");
    tap_finish(0, FINISH_STOP);
    rec = follow(&turn, 0);
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
}

static void
stopping_tells_how_it_ended(void **state)
{
    struct client c = client_new(OUTLET_STOPPED, CONN_CGI);
    struct record *rec;
    cJSON *j;

    (void)state;
    rec = ask_tap("s", "tap 0");
    tap_text(0, "half");
    record_wait_events(rec, 2);
    engine_stop_turn(rig, "", &rec->turn, outlet_reader(c.o));
    j = body_of(&c, 200);
    assert_string_equal(json_str(j, "finish_reason"), "cancelled");
    assert_string_equal(json_str(j, "message"), "half");
    cJSON_Delete(j);
    client_free(&c);
    record_wait_done(rec);
}

/* --- polling -------------------------------------------------------------- */

static void
expect_poll(const struct ident *turn, uint32_t after, int64_t wait_ms,
            int want_n, int64_t want_next, bool want_done)
{
    struct client c = client_follow(OUTLET_EVENTS, turn, after, wait_ms);
    cJSON *j = body_of(&c, 200);
    const cJSON *events = json_arr(j, "events");
    const cJSON *ev;
    int64_t seq = after;

    assert_int_equal(cJSON_GetArraySize(events), want_n);
    cJSON_ArrayForEach(ev, events)
        assert_int_equal(json_i64(ev, "seq", 0), ++seq);
    assert_int_equal(json_i64(j, "next", -1), want_next);
    assert_int_equal(cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(j, "done")),
                     want_done);
    cJSON_Delete(j);
    client_free(&c);
}

static void
polling_gives_what_is_there(void **state)
{
    struct record *rec;

    (void)state;
    rec = ask_tap("s", "tap 0");
    tap_text(0, "a");
    record_wait_events(rec, 2);
    tap_text(0, "b");
    record_wait_events(rec, 3);
    expect_poll(&rec->turn, 0, 0, 3, 3, false);
    expect_poll(&rec->turn, 2, 0, 1, 3, false);
    expect_poll(&rec->turn, 3, 0, 0, 3, false);  /* no news, no wait */
    expect_poll(&rec->turn, 3, 60, 0, 3, false); /* none in time */
    tap_finish(0, FINISH_STOP);
    expect_poll(&rec->turn, 3, 20000, 1, 4, true); /* as soon as there are */
    expect_poll(&rec->turn, 0, 0, 4, 4, true);
    expect_poll(&rec->turn, 4, 20000, 0, 4, true); /* all seen: no wait */
    record_wait_done(rec);
}

/* --- slow and gone -------------------------------------------------------- */

static void
a_client_that_leaves_is_let_go_and_the_turn_goes_on(void **state)
{
    static const enum conn_kind conns[] = {CONN_CGI, CONN_FCGI};
    static const enum outlet_kind kinds[] = {OUTLET_SSE, OUTLET_TEXT,
                                             OUTLET_JSON, OUTLET_EVENTS};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(conns) * COUNT_OF(kinds); i++) {
        struct client c = client_new(kinds[i / 2], conns[i % 2]);
        struct record *rec;
        char session[8];

        (void)snprintf(session, sizeof(session), "s%zu", i % 100);
        rec = ask_tap(session, "tap 0");
        tap_text(0, "a");
        record_wait_events(rec, 2);
        outlet_after(c.o, kinds[i / 2] == OUTLET_EVENTS ? 2 : 0, 20000);
        engine_follow(rig, "", &rec->turn, outlet_reader(c.o));
        wait_readers(2);
        client_free(&c);
        wait_readers(1); /* at once, without a write */
        tap_text(0, "b");
        tap_finish(0, FINISH_STOP);
        record_wait_done(rec);
        assert_stored(session, "user:tap 0|assistant:ab(stop)|");
    }
}

#define SLOW_MAX \
    (64 * 1024) /* bytes that a client may cost that stands still */

static void
slow_cost(void *arg)
{
    const struct client *c = arg;

    assert(c->o->r.blocked);
    assert(c->o->way.conn->rest.cap <= SLOW_MAX);
}

static void
a_slow_client_gets_all_and_costs_little(void **state)
{
    struct client c = client_ask(OUTLET_TEXT, "s", "tap 0");
    size_t bytes = 4 * 1024 * 1024, at;
    char *text = xcalloc(1, bytes + 1);
    const char *body;
    struct record *rec;

    (void)state;
    for (size_t i = 0; i < bytes; i++)
        text[i] = (char)('a' + i % 23);
    tap_text(0, "begin:");
    client_read(&c, "begin:");
    for (at = 0; at < bytes; at += bytes / 64)
        tap_put(0, 'T', text + at, bytes / 64);
    tap_finish(0, FINISH_STOP);
    fake_sleep_ms(200); /* it reads nothing, and holds nobody up */
    engine_call(rig, slow_cost, &c);
    rec = ask_tap("other", "tap 1");
    tap_finish(1, FINISH_STOP);
    record_wait_done(rec);
    body = strstr(client_all(&c), "begin:");
    assert_int_equal(strlen(body), bytes + 6);
    assert_string_equal(body + 6, text);
    free(text);
    client_free(&c);
}

static void
a_slow_client_of_a_stream_gets_each_event_once(void **state)
{
    struct client c = client_ask(OUTLET_SSE, "s", "tap 0");
    size_t bytes = 300000;
    char *text = xcalloc(1, bytes + 1);
    const char *all;

    (void)state;
    memset(text, 'x', bytes);
    for (int i = 0; i < 10; i++) {
        tap_put(0, 'T', text, bytes);
        fake_sleep_ms(10);
    }
    tap_finish(0, FINISH_STOP);
    free(text);
    fake_sleep_ms(100);
    all = client_all(&c);
    for (uint32_t seq = 1; seq <= times(all, "\nid: "); seq++) {
        char part[32];

        (void)snprintf(part, sizeof(part), ".%u\nevent: ", seq);
        assert_int_equal(times(all, part), 1);
    }
    assert_int_equal(times(all, "event: response_complete\n"), 1);
    assert_int_equal(strcmp(all + c.got.len - 3, "}\n\n"), 0);
    client_free(&c);
}

static void
a_slow_client_of_a_whole_reply_gets_all_of_it(void **state)
{
    struct client c = client_ask(OUTLET_JSON, "s", "tap 0");
    size_t bytes = 3 * 1024 * 1024;
    char *text = xcalloc(1, bytes + 1);
    cJSON *j;

    (void)state;
    memset(text, 'x', bytes);
    tap_put(0, 'T', text, bytes);
    tap_finish(0, FINISH_STOP);
    fake_sleep_ms(200);
    j = body_of(&c, 200);
    assert_string_equal(json_str(j, "message"), text);
    cJSON_Delete(j);
    free(text);
    client_free(&c);
}

static void
the_loop_ends_now(void *arg)
{
    (void)arg;
    loop_stop(engine_loop(rig));
}

/* Two clients that take nothing: one whose turn has ended, one whose request
 * was answered; and two answers that the loop does not come to any more. */
static void
the_end_lets_go_of_clients_that_stand_still(void **state)
{
    struct client slow = client_ask(OUTLET_JSON, "s", "tap 0");
    static char text[3 * 1024 * 1024];
    struct client late;
    struct conn *conn;
    int fds[2], i;

    (void)state;
    memset(text, 'x', sizeof(text));
    tap_put(0, 'T', text, sizeof(text));
    tap_finish(0, FINISH_STOP);
    client_read(&slow, "Status: 200"); /* and no further */
    for (i = 0; i < 2; i++) {
        assert_int_equal(
            socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        far_fds[n_far++] = fds[1];
        conn = conn_new(CONN_CGI, fds[0], 0);
        assert_int_equal(conn_end(conn, text, sizeof(text)), ERR_AGAIN);
        if (i == 1) {
            engine_call(rig, the_loop_ends_now, NULL);
            assert_int_equal(pthread_join(rig_thread, NULL), 0);
        }
        way_drain(rig, conn);
    }
    late = client_ask(OUTLET_JSON, "s", "tap 1");
    engine_close(rig); /* nothing stays behind */
    rig = NULL;
    assert_has(client_all(&late), "Status: 503 ");
    client_free(&late);
    client_free(&slow);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_stream_has_a_head_and_then_events_with_ids),
        T(a_follower_has_its_head_at_once),
        T(a_stream_that_waits_has_its_head_soon),
        T(a_refusal_before_the_head_has_a_status),
        T(who_has_seen_all_gets_no_content),
        T(an_error_in_a_stream_is_an_event),
        T(who_joins_a_turn_gets_its_ids),
        T(silence_is_filled_with_pings),
        T(text_is_bare),
        T(text_that_never_came_is_an_error_with_a_status),
        T(text_that_broke_off_says_so),
        T(json_is_the_answer_in_one_piece),
        T(json_of_a_failure_has_its_status),
        T(detached_turns_are_named),
        T(stopping_tells_how_it_ended),
        T(polling_gives_what_is_there),
        T(a_client_that_leaves_is_let_go_and_the_turn_goes_on),
        T(a_slow_client_gets_all_and_costs_little),
        T(a_slow_client_of_a_stream_gets_each_event_once),
        T(a_slow_client_of_a_whole_reply_gets_all_of_it),
        T(the_end_lets_go_of_clients_that_stand_still),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
