/* Tests of client/parley.c, over_http.c and sending.c: a server that cuts, that
 * is away for a moment, that moved, that is something else. */
#include "client_test.h"

#include "../upstream/fake_provider.h"

#define TURN "01234567-89ab-7def-8123-456789abcdef"
#define STATUS "{\"status\":\"running\"}"

/* What the server does; set before the client asks. */
enum plan { FINE, CUT_EACH, AWAY_TWICE, ALWAYS_CUT, REFUSES, MOVED, OTHER };
static _Atomic enum plan plan;
static atomic_int questions, resumes, stops;
static char key[2][64]; /* client_message_id of the first questions */

static void
reply(int fd, int status, const char *body)
{
    fake_say(fd, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n\r\n%s", status,
             strlen(body), body);
}

static void
say_event(int fd, int seq, const char *type, const char *more)
{
    fake_say(fd, "id: " TURN ".%d\nevent: %s\ndata: {\"type\":\"%s\"%s}\n\n",
             seq, type, type, more);
}

static void
say_events(int fd, int from, int to)
{
    static const char *const events[][2] = {
        {"response_start", ",\"session_id\":\"s\",\"turn_id\":\"" TURN "\""},
        {"response_chunk", ",\"content\":\"one \""},
        {"response_chunk", ",\"content\":\"two\""},
        {"response_complete",
         ",\"content\":\"one two\",\"finish_reason\":\"stop\""},
    };

    fake_say(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                 "Connection: close\r\n\r\n");
    for (int i = from; i <= to; i++)
        say_event(fd, i, events[i - 1][0], events[i - 1][1]);
}

static void
keep_key(const char *body, int n)
{
    const char *at = strstr(body, "\"client_message_id\":\"");

    if (n < 2 && at != NULL)
        (void)sscanf(at + 21, "%40[^\"]", key[n]);
}

static bool
answer_question(const struct fake_request *rq)
{
    int n = questions++;

    keep_key(rq->body, n);
    if (plan == REFUSES)
        reply(rq->fd, 400, "{\"error\":\"Bad\",\"code\":\"bad\"}");
    else if (plan == AWAY_TWICE && n < 2)
        reply(rq->fd, 503, "{\"error\":\"Away\",\"code\":\"not_running\"}");
    else if (plan == ALWAYS_CUT)
        return false;
    else
        say_events(rq->fd, 1, plan == CUT_EACH ? 2 : 4);
    return false;
}

static bool
answer(const struct fake_request *rq)
{
    if (plan == MOVED) {
        fake_say(rq->fd, "HTTP/1.1 301 X\r\nLocation: https://other/\r\n"
                         "Content-Length: 0\r\n\r\n");
    } else if (plan == OTHER) {
        reply(rq->fd, 200, "<html>");
    } else if (strcmp(rq->path, "/status") == 0) {
        reply(rq->fd, 200, STATUS);
    } else if (strcmp(rq->path, "/chat/stop") == 0) {
        stops++;
        reply(rq->fd, 200, "{}");
    } else if (strstr(rq->path, "/messages?limit=2") != NULL) {
        reply(rq->fd, 200,
              "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},"
              "{\"role\":\"assistant\",\"content\":\"b\"},7]}");
    } else if (strstr(rq->path, "/messages?limit=") != NULL) {
        reply(rq->fd, 404, "{\"error\":\"none\"}");
    } else if (strcmp(rq->path, "/chat/stream?turn_id=" TURN) == 0) {
        resumes++;
        assert_non_null(strstr(rq->head, "Last-Event-ID: " TURN "."));
        if (resumes == 1)
            say_events(rq->fd, 3, 3);
        else
            say_events(rq->fd, 4, 4);
        return false;
    } else if (strcmp(rq->path, "/chat") == 0) {
        if (strstr(rq->body, "\"/clear\"") == NULL)
            return answer_question(rq);
        reply(rq->fd, 200, "{\"message\":\"\"}");
    } else {
        reply(rq->fd, 404, "{\"error\":\"Not found\"}");
    }
    return true;
}

struct world {
    struct fake *fake;
    struct told told;
    struct parley *p;
};

static int
setup(void **state)
{
    struct world *w = xcalloc(1, sizeof(*w));
    struct parley_config c = {.session_id = "s", .patience_ms = 20000};
    char url[64];

    plan = FINE;
    questions = resumes = stops = 0;
    memset(key, 0, sizeof(key));
    w->fake = fake_start(answer);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", w->fake->port);
    c.url = url;
    w->p = told_parley(&w->told, &c);
    *state = w;
    return 0;
}

static int
teardown(void **state)
{
    struct world *w = *state;

    parley_free(w->p);
    fake_stop(w->fake);
    told_release(&w->told);
    free(w);
    return 0;
}

static enum parley_status
ask(struct world *w)
{
    struct parley_ask question = {.message = "hi"};

    return parley_send(w->p, &question);
}

static void
a_question_is_answered(void **state)
{
    struct world *w = *state;

    assert_int_equal(parley_connect(w->p), PARLEY_OK);
    assert_int_equal(ask(w), PARLEY_OK);
    assert_text(&w->told, "one two");
    assert_told(&w->told, "connected\nanswer: one two [stop]\n");
}

static void
a_stream_that_is_cut_goes_on(void **state)
{
    struct world *w = *state;

    plan = CUT_EACH;
    assert_int_equal(ask(w), PARLEY_OK);
    assert_int_equal(questions, 1);
    assert_int_equal(resumes, 2);
    assert_text(&w->told, "one two");
    assert_told(&w->told, "connected\nreconnects\nreconnects\n"
                          "answer: one two [stop]\n");
}

static void
a_server_that_is_away_is_asked_again_with_the_same_key(void **state)
{
    struct world *w = *state;

    plan = AWAY_TWICE;
    assert_int_equal(ask(w), PARLEY_OK);
    assert_int_equal(questions, 3);
    assert_string_not_equal(key[0], "");
    assert_string_equal(key[0], key[1]);
    assert_text(&w->told, "one two");
}

static void
patience_ends(void **state)
{
    struct world *w = *state;

    plan = ALWAYS_CUT;
    w->p->c.patience_ms = 1;
    assert_int_equal(ask(w), PARLEY_UNREACHABLE);
    assert_non_null(strstr(buf_cstr(&w->told.log), "error 3 connection_lost"));
}

static void
a_refusal_is_told_and_not_repeated(void **state)
{
    struct world *w = *state;

    plan = REFUSES;
    assert_int_equal(ask(w), PARLEY_REFUSED);
    assert_int_equal(questions, 1);
    assert_told(&w->told, "connected\nerror 1 bad: Bad\n");
}

static void
stopping_while_it_waits_ends_it(void **state)
{
    struct world *w = *state;

    plan = CUT_EACH;
    w->told.stop_at_chunk = w->p;
    assert_int_equal(ask(w), PARLEY_STOPPED);
    assert_text(&w->told, "one ");
}

static void
a_server_that_moved_or_is_another_is_said(void **state)
{
    struct world *w = *state;

    plan = MOVED;
    assert_int_equal(parley_connect(w->p), PARLEY_UNREACHABLE);
    assert_told(&w->told, "error 3 moved: The server says that it is at "
                          "https://other/; use that address\n");
    plan = OTHER;
    assert_int_equal(parley_connect(w->p), PARLEY_UNREACHABLE);
    assert_non_null(strstr(buf_cstr(&w->told.log), "error 3 no_parley"));
}

static void
the_rest_works(void **state)
{
    struct world *w = *state;

    assert_int_equal(parley_history(w->p, 2), PARLEY_OK);
    assert_told(&w->told, "connected\nhistory: user a\nhistory: assistant b\n");
    assert_int_equal(parley_history(w->p, 0), PARLEY_OK); /* 404: none yet */
    assert_int_equal(parley_clear(w->p), PARLEY_OK);
    assert_int_equal(parley_ping(w->p), PARLEY_OK);
    assert_int_equal(parley_logout(w->p), PARLEY_OK);
    assert_told(&w->told, "cleared\npong\nlogged out\n");
}

static void
wrong_arguments_are_told(void **state)
{
    static const struct {
        struct parley_config c;
        const char *told;
    } cases[] = {
        {{.url = NULL}, "error 2 invalid_url"},
        {{.url = "ftp://h"}, "error 2 invalid_url"},
        {{.url = "http://"}, "error 2 invalid_url"},
        {{.url = "http://h", .session_id = "a b"},
         "error 2 invalid_session_id"},
        {{.url = "http://h", .auth = PARLEY_AUTH_BEARER},
         "error 2 missing_credentials"},
    };
    struct world *w = *state;
    struct told told;
    struct parley *p;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        p = told_parley(&told, &cases[i].c);
        assert_int_equal(parley_connect(p), PARLEY_WRONG);
        assert_ptr_equal(strstr(buf_cstr(&told.log), cases[i].told),
                         buf_cstr(&told.log));
        parley_free(p);
        told_release(&told);
    }
    assert_int_equal(parley_send(w->p, &(struct parley_ask){.message = " "}),
                     PARLEY_WRONG);
    assert_int_equal(parley_send(w->p, &(struct parley_ask){.message = "\xff"}),
                     PARLEY_WRONG);
    parley_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_question_is_answered),
        TEST(a_stream_that_is_cut_goes_on),
        TEST(a_server_that_is_away_is_asked_again_with_the_same_key),
        TEST(patience_ends),
        TEST(a_refusal_is_told_and_not_repeated),
        TEST(stopping_while_it_waits_ends_it),
        TEST(a_server_that_moved_or_is_another_is_said),
        TEST(the_rest_works),
        TEST(wrong_arguments_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
