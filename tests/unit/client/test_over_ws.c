/* Tests of client/over_ws.c and duplex.c, with a server of the test's own that
 * writes its frames by hand. */
#include "client_test.h"

#include "../upstream/fake_provider.h"

#include <openssl/evp.h>

#define TURN "01234567-89ab-7def-8123-456789abcdef"
#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define GREETING "{\"type\":\"connection_established\",\"session_id\":\"s\"}"
#define START                                                      \
    "{\"type\":\"response_start\",\"session_id\":\"s\",\"seq\":1," \
    "\"turn_id\":\"" TURN "\"}"

/* What the server does; set before the client connects. */
enum plan { FINE, CUT_ONCE, FORBIDDEN, HTML, SILENT, BAD_FRAME, CLOSES };
static _Atomic enum plan plan;
static atomic_int connections, chats, stops;

static void
frame(int fd, int opcode, const char *s)
{
    size_t n = strlen(s);
    unsigned char head[4] = {(unsigned char)(0x80 | opcode)};

    head[1] = n < 126 ? (unsigned char)n : 126;
    head[2] = (unsigned char)(n >> 8);
    head[3] = (unsigned char)n;
    fake_send(fd, (const char *)head, n < 126 ? 2 : 4);
    fake_send(fd, s, n);
}

static bool
read_all(int fd, void *p, size_t n)
{
    return n == 0 || recv(fd, p, n, MSG_WAITALL) == (ssize_t)n;
}

/* A client's frame, unmasked, as a string; its opcode, -1 at the end. A frame
 * without mask is a failure. */
static int
next_frame(int fd, char *out, size_t max)
{
    unsigned char head[2], more[8], mask[4];
    size_t n, extra;

    if (!read_all(fd, head, 2))
        return -1;
    assert_true(head[1] & 0x80);
    n = head[1] & 0x7f;
    extra = n == 126 ? 2 : n == 127 ? 8 : 0;
    if (!read_all(fd, more, extra))
        return -1;
    if (extra > 0)
        n = 0;
    for (size_t i = 0; i < extra; i++)
        n = n << 8 | more[i];
    if (n >= max || !read_all(fd, mask, 4) || !read_all(fd, out, n))
        return -1;
    for (size_t i = 0; i < n; i++)
        out[i] = (char)((unsigned char)out[i] ^ mask[i % 4]);
    out[n] = '\0';
    return head[0] & 0x0f;
}

/* False: the connection is over. */
static bool
answer_chat(int fd, const char *s)
{
    int n = chats++;

    assert_non_null(strstr(s, "\"stream\":true"));
    frame(fd, 1, START);
    frame(fd, 9, "are you there"); /* a ping between */
    frame(fd, 1,
          "{\"type\":\"response_chunk\",\"content\":\"one \",\"seq\":2}");
    if (plan == CUT_ONCE && n == 0)
        return false;
    if (plan == BAD_FRAME) {
        frame(fd, 3, "?");
        plan = FINE;
        return true;
    }
    if (strstr(s, "wait for stop") != NULL)
        return true;
    frame(fd, 1,
          "{\"type\":\"ai_response\",\"message\":\"one two\","
          "\"finish_reason\":\"stop\"}");
    return true;
}

static bool
answer_frame(int fd, const char *s)
{
    if (strstr(s, "\"type\":\"chat\"") != NULL)
        return answer_chat(fd, s);
    if (strstr(s, "\"stop\"") != NULL) {
        stops++;
        frame(fd, 1,
              "{\"type\":\"ai_response\",\"message\":\"one \","
              "\"finish_reason\":\"cancelled\"}");
    } else if (strstr(s, "\"auth\"") != NULL) {
        frame(fd, 1,
              strstr(s, "good") != NULL
                  ? "{\"type\":\"auth_response\",\"success\":true}"
                  : "{\"type\":\"auth_response\",\"success\":false,"
                    "\"message\":\"No\"}");
    } else if (strstr(s, "\"history\"") != NULL) {
        frame(fd, 1,
              "{\"type\":\"history\",\"messages\":["
              "{\"role\":\"user\",\"content\":\"a\"},"
              "{\"role\":\"assistant\",\"content\":\"b\"}]}");
    } else if (strstr(s, "\"clear\"") != NULL) {
        frame(fd, 1, "{\"type\":\"history_cleared\"}");
    } else if (strstr(s, "\"ping\"") != NULL) {
        frame(fd, 1, "{\"type\":\"pong\"}");
    } else if (strstr(s, "\"logout\"") != NULL) {
        frame(fd, 1, "{\"type\":\"error\",\"message\":\"Not now\"}");
    }
    return true;
}

static void
accept_key(const char *head, char out[64])
{
    const char *at = strstr(head, "Sec-WebSocket-Key: ");
    unsigned char hash[EVP_MAX_MD_SIZE];
    char text[128];
    unsigned n = 0;

    assert_non_null(at);
    (void)snprintf(text, sizeof(text), "%.24s" GUID, at + 19);
    assert_int_equal(EVP_Digest(text, strlen(text), hash, &n, EVP_sha1(), NULL),
                     1);
    (void)EVP_EncodeBlock((unsigned char *)out, hash, (int)n);
}

static bool
answer(const struct fake_request *rq)
{
    char key[64], *s = xmalloc(65536);
    int opcode;

    connections++;
    if (plan == FORBIDDEN)
        fake_say(rq->fd, "HTTP/1.1 403 X\r\nContent-Length: 31\r\n\r\n"
                         "{\"error\":\"Not you\",\"code\":\"no\"}");
    else if (plan == HTML)
        fake_say(rq->fd, "HTTP/1.1 200 X\r\nConnection: close\r\n\r\n<html>");
    if (plan == FORBIDDEN || plan == HTML) {
        free(s);
        return false;
    }
    accept_key(rq->head, key);
    fake_say(rq->fd,
             "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
             "Sec-WebSocket-Accept: %s\r\n\r\n",
             key);
    if (plan == CLOSES)
        frame(rq->fd, 8, "\x03\xe9");
    else if (plan != SILENT)
        frame(rq->fd, 1, GREETING);
    do {
        opcode = next_frame(rq->fd, s, 65536);
    } while (opcode >= 0 && opcode != 8 &&
             (opcode != 1 || answer_frame(rq->fd, s)));
    free(s);
    return false;
}

struct world {
    struct fake *fake;
    struct told told;
    struct parley *p;
};

static void
start(struct world *w, const char *token)
{
    struct parley_config c = {.patience_ms = 20000, .token = token};
    char url[64];

    (void)snprintf(url, sizeof(url), "ws://127.0.0.1:%d", w->fake->port);
    c.url = url;
    c.auth = token != NULL ? PARLEY_AUTH_BEARER : PARLEY_AUTH_NONE;
    w->p = told_parley(&w->told, &c);
}

static int
setup(void **state)
{
    struct world *w = xcalloc(1, sizeof(*w));

    plan = FINE;
    connections = chats = stops = 0;
    w->fake = fake_start(answer);
    start(w, NULL);
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
ask(struct world *w, const char *message)
{
    struct parley_ask question = {.message = message};

    return parley_send(w->p, &question);
}

static void
a_question_is_answered(void **state)
{
    struct world *w = *state;

    assert_int_equal(ask(w, "hi"), PARLEY_OK);
    assert_string_equal(parley_session(w->p), "s");
    assert_text(&w->told, "one two");
    assert_int_equal(ask(w, "hi"), PARLEY_OK);
    assert_int_equal(connections, 1);
}

static void
a_connection_that_breaks_is_made_anew(void **state)
{
    static const enum plan plans[] = {CUT_ONCE, BAD_FRAME};
    struct world *w = *state;

    for (size_t i = 0; i < COUNT_OF(plans); i++) {
        plan = plans[i];
        chats = 0;
        buf_clear(&w->told.log);
        assert_int_equal(ask(w, "hi"), PARLEY_OK);
        assert_text(&w->told, "one two");
        assert_int_equal(chats, 2);
        assert_non_null(strstr(buf_cstr(&w->told.log), "reconnects\n"));
    }
}

static void
stopping_asks_the_server(void **state)
{
    struct world *w = *state;

    w->told.stop_at_chunk = w->p;
    assert_int_equal(ask(w, "wait for stop"), PARLEY_STOPPED);
    assert_int_equal(stops, 1);
    assert_told(&w->told, "connected\nanswer: one  [cancelled]\n");
    assert_int_equal(ask(w, "hi"), PARLEY_OK);
}

static void
refusals_are_told(void **state)
{
    static const struct {
        enum plan plan;
        enum parley_status status;
        const char *told;
    } cases[] = {
        {FORBIDDEN, PARLEY_REFUSED, "error 1 no: Not you\n"},
        {HTML, PARLEY_UNREACHABLE, "error 3 no_websocket: "},
        {CLOSES, PARLEY_UNREACHABLE, "error 3 no_parley: "},
    };
    struct world *w = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        plan = cases[i].plan;
        assert_int_equal(parley_connect(w->p), cases[i].status);
        assert_ptr_equal(strstr(buf_cstr(&w->told.log), cases[i].told),
                         buf_cstr(&w->told.log));
        buf_clear(&w->told.log);
    }
}

static void *
stop_soon(void *arg)
{
    while (connections == 0)
        fake_sleep_ms(1);
    parley_stop(arg);
    return NULL;
}

static void
waiting_for_the_greeting_can_be_stopped(void **state)
{
    struct world *w = *state;
    pthread_t thread;

    plan = SILENT;
    assert_int_equal(pthread_create(&thread, NULL, stop_soon, w->p), 0);
    assert_int_equal(parley_connect(w->p), PARLEY_STOPPED);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_told(&w->told, "");
}

static void
the_rest_works(void **state)
{
    struct world *w = *state;

    assert_int_equal(parley_history(w->p, 1), PARLEY_OK);
    assert_told(&w->told, "connected\nhistory: assistant b\n");
    assert_int_equal(parley_clear(w->p), PARLEY_OK);
    assert_int_equal(parley_ping(w->p), PARLEY_OK);
    assert_told(&w->told, "cleared\npong\n");
    assert_int_equal(parley_logout(w->p), PARLEY_REFUSED);
    assert_told(&w->told, "error 1 : Not now\n");
}

static void
credentials_are_taken_or_not(void **state)
{
    struct world *w = *state;

    parley_free(w->p);
    told_release(&w->told);
    start(w, "bad");
    assert_int_equal(ask(w, "hi"), PARLEY_REFUSED);
    assert_told(&w->told, "error 1 : No\n");
    parley_free(w->p);
    told_release(&w->told);
    start(w, "good");
    assert_int_equal(ask(w, "hi"), PARLEY_OK);
    assert_text(&w->told, "one two");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_question_is_answered),
        TEST(a_connection_that_breaks_is_made_anew),
        TEST(stopping_asks_the_server),
        TEST(refusals_are_told),
        TEST(waiting_for_the_greeting_can_be_stopped),
        TEST(the_rest_works),
        TEST(credentials_are_taken_or_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
