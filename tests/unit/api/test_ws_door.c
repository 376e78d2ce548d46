/*
 * Tests of api/ws_door.c, ws_link.c, ws_login.c, ws_turn.c and ws_work.c
 * together: an engine with its loop in a thread of its own, and clients that
 * block on ws.sock. The bytes of frames are http's affair (test_frames.c), what
 * is said in them the dialects' (test_ws.c).
 */
#include "../http/http_test.h"

#include "../chat/chat_test.h"
#include "auth_rig.h"
#include "api/file_service.h"
#include "api/ws_door.h"
#include "http/frames.h"
#include "http/unixsock.h"

#define HEAD                                               \
    " HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"       \
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static struct app app;
static int fds[16]; /* clients; -1: none */
static size_t n_fds;

static void
open_door(void *arg)
{
    (void)arg;
    app.ws = ws_door_open(&app);
}

static void
stop_door(void *arg)
{
    (void)arg;
    ws_door_stop(app.ws);
}

static void
start(void)
{
    rig_start();
    app = (struct app){.en = rig, .ping_ms = 15000};
    auth_rig_open(&app);
    file_service_open(&app);
    engine_call(rig, open_door, NULL);
    assert_non_null(app.ws);
}

static int
setup(void **state)
{
    (void)state;
    rig_folder();
    taps_start();
    conf_override(CONF_AI_PROVIDER, "offline");
    conf_override(CONF_WS_PER_CLIENT, "2");
    n_fds = 0;
    return 0;
}

/* As server_run ends. */
static int
teardown(void **state)
{
    int64_t deadline_ms = 0;

    (void)state;
    if (rig != NULL) {
        engine_call(rig, rig_drain, &deadline_ms);
        engine_call(rig, stop_door, NULL);
        assert_int_equal(pthread_join(rig_thread, NULL), 0);
        ws_door_close(app.ws);
        auth_rig_close(&app);
        file_service_close(&app);
        engine_close(rig);
        rig = NULL;
    }
    for (size_t i = 0; i < n_fds; i++)
        if (fds[i] >= 0)
            (void)close(fds[i]);
    taps_stop();
    folder_remove(rig_dir);
    return 0;
}

/* --- clients ------------------------------------------------------------- */

/* Connect to an address; headers: further lines. The status of the answer is
 * in *status. */
static int *
connect_with(const char *at, const char *headers, int *status)
{
    struct timeval limit = {.tv_sec = 20};
    struct buf b;
    char path[400];
    int fd;

    (void)snprintf(path, sizeof(path), "%s/data/ws.sock", rig_dir);
    fd = unixsock_connect(path);
    assert_true(fd >= 0 && n_fds < COUNT_OF(fds));
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    buf_init(&b, 4096);
    buf_addf(&b, "GET %s" HEAD "%s\r\n", at, headers);
    assert_int_equal(send(fd, b.data, b.len, MSG_NOSIGNAL), b.len);
    buf_clear(&b);
    while (b.len < 4 || memcmp(b.data + b.len - 4, "\r\n\r\n", 4) != 0) {
        char c;

        assert_int_equal(recv(fd, &c, 1, 0), 1);
        buf_addc(&b, c);
    }
    *status = (int)strtol(buf_cstr(&b) + 9, NULL, 10);
    buf_release(&b);
    fds[n_fds] = fd;
    return &fds[n_fds++];
}

static int *
join(const char *at)
{
    int status, *fd = connect_with(at, "", &status);

    assert_int_equal(status, 101);
    return fd;
}

static void
leave(int *fd)
{
    (void)close(*fd);
    *fd = -1;
}

static int
refused(const char *at, const char *headers)
{
    int status, *fd = connect_with(at, headers, &status);

    leave(fd);
    return status;
}

static void
say(const int *fd, const char *text)
{
    struct buf b;
    size_t n = strlen(text);

    buf_init(&b, 64 * 1024);
    buf_addc(&b, (char)0x81);
    if (n < 126) {
        buf_addc(&b, (char)(0x80 | n));
    } else {
        buf_addc(&b, (char)(0x80 | 126));
        buf_addc(&b, (char)(n >> 8));
        buf_addc(&b, (char)n);
    }
    buf_add(&b, "\0\0\0\0", 4);
    buf_add(&b, text, n);
    assert_int_equal(send(*fd, b.data, b.len, MSG_NOSIGNAL), b.len);
    buf_release(&b);
}

static void
get(const int *fd, struct buf *b, size_t n)
{
    char *p = buf_room(b, n);

    if (n > 0)
        assert_int_equal(recv(*fd, p, n, MSG_WAITALL), n);
    b->len += n;
}

/* The next message, of any number of frames; a close as "close CODE". In a
 * buffer that the next call uses again. */
static const char *
hear(const int *fd)
{
    static struct buf text;
    bool fin = false;

    buf_release(&text);
    buf_init(&text, 1024 * 1024);
    while (!fin) {
        struct buf head;
        size_t n;
        int opcode;

        buf_init(&head, 16);
        get(fd, &head, 2);
        fin = (head.data[0] & 0x80) != 0;
        opcode = head.data[0] & 0x0f;
        n = (unsigned char)head.data[1];
        if (n == 126) {
            get(fd, &head, 2);
            n = (size_t)(unsigned char)head.data[2] << 8 |
                (unsigned char)head.data[3];
        }
        buf_release(&head);
        get(fd, &text, n);
        if (opcode == 8) {
            unsigned code = (unsigned char)text.data[0] * 256u +
                            (unsigned char)text.data[1];

            buf_clear(&text);
            buf_addf(&text, "close %u", code);
        }
    }
    return buf_cstr(&text);
}

/* Until a message with this in it. */
static void
hear_until(const int *fd, const char *part)
{
    while (strstr(hear(fd), part) == NULL)
        continue;
}

static void
wait_for_count(size_t n)
{
    for (int i = 0; i < 20000 && ws_door_count(app.ws) != n; i++)
        (void)usleep(1000);
    assert_int_equal(ws_door_count(app.ws), n);
}

/* --- tests --------------------------------------------------------------- */

static void
handshakes_are_checked(void **state)
{
    (void)state;
    start();
    assert_int_equal(refused("/nowhere", ""), 404);
    assert_int_equal(refused("/ws/a/b", ""), 404);
    assert_int_equal(refused("/ws/chat?session_id=a%20b", ""), 400);
    assert_int_equal(refused("/ws/chat?session_id=%zz", ""), 400);
    assert_int_equal(refused("/ws/chat", "Origin: https://evil.example\r\n"),
                     403);
    assert_int_equal(refused("/ws/chat", "Origin: http://h\r\n"), 101);
    assert_int_equal(refused("/ws/chat/auth", ""), 401);
    assert_int_equal(refused("/ws/chat/auth?token=t", ""), 101);
    assert_int_equal(refused("/ws/chat/auth", "Authorization: Bearer t\r\n"),
                     101);
    wait_for_count(0);
}

static void
a_client_has_so_many_and_everybody_together(void **state)
{
    int *a, *b;

    (void)state;
    conf_override(CONF_WS_MAX, "4");
    start();
    a = join("/ws/me");
    b = join("/ws/me");
    assert_int_equal(refused("/ws/me", ""), 429);
    /* Somebody else of that name. */
    assert_int_equal(refused("/ws/me", "X-Forwarded-For: 10.0.0.1\r\n"), 101);
    wait_for_count(2);
    leave(a);
    wait_for_count(1);
    (void)join("/ws/me");
    (void)join("/ws/chat");
    (void)join("/ws/chat");
    assert_int_equal(ws_door_count(app.ws), 4);
    assert_int_equal(refused("/ws/chat", ""), 503);
    leave(b);
    wait_for_count(3);
    (void)join("/ws/chat");
}

static void
a_turn_is_told_and_kept(void **state)
{
    int *fd;

    (void)state;
    start();
    fd = join("/ws/chat?session_id=mine");
    assert_non_null(strstr(hear(fd), "\"session_id\":\"mine\""));
    say(fd, "{\"type\":\"chat\",\"message\":\"hello\"}");
    assert_non_null(strstr(hear(fd), "\"type\":\"typing\""));
    assert_non_null(strstr(hear(fd), "\"type\":\"ai_response\""));
    leave(fd);
    fd = join("/ws/chat?session_id=mine");
    (void)hear(fd);
    say(fd, "{\"type\":\"history\"}");
    assert_non_null(strstr(hear(fd), "\"content\":\"hello\""));
    say(fd, "{\"type\":\"clear\"}");
    assert_non_null(strstr(hear(fd), "\"history_cleared\""));
    say(fd, "{\"type\":\"history\"}");
    assert_string_equal(hear(fd), "{\"type\":\"history\",\"messages\":[]}");
    say(fd, "{\"type\":\"ping\"}");
    assert_non_null(strstr(hear(fd), "\"pong\""));
}

static void
what_is_wrong_is_told_and_nothing_ends(void **state)
{
    int *fd;

    (void)state;
    start();
    fd = join("/ws/me");
    say(fd, "{");
    assert_non_null(strstr(hear(fd), "\"type\":\"error\""));
    say(fd, "{\"type\":\"stop\"}");
    assert_non_null(strstr(hear(fd), "nothing_to_stop"));
    say(fd, "{\"type\":\"chat_message\",\"message\":{\"content\":\"x\"},"
            "\"temperature\":\"hot\"}");
    assert_non_null(strstr(hear(fd), "temperature"));
    say(fd, "{\"type\":\"chat_message\",\"message\":{\"content\":\"x\"},"
            "\"session_id\":7}");
    assert_non_null(strstr(hear(fd), "session_id"));
    say(fd, "{\"type\":\"chat_message\",\"message\":{\"content\":\"x\"},"
            "\"provider\":\"nobody\"}");
    assert_non_null(strstr(hear(fd), "\"type\":\"error\""));
    say(fd, "{\"type\":\"ping\"}");
    assert_non_null(strstr(hear(fd), "\"pong\""));
}

static void
a_message_may_move_to_another_session(void **state)
{
    int *fd;

    (void)state;
    start();
    fd = join("/ws/me");
    say(fd, "{\"type\":\"chat_message\",\"message\":{\"content\":\"one\"},"
            "\"session_id\":\"other\"}");
    hear_until(fd, "response_complete");
    say(fd, "{\"type\":\"history\"}");
    assert_non_null(strstr(hear(fd), "\"content\":\"one\""));
    leave(fd);
    fd = join("/ws/me?session_id=other");
    say(fd, "{\"type\":\"history\"}");
    assert_non_null(strstr(hear(fd), "\"content\":\"one\""));
}

/* Many give themselves the same name. */
static void
a_name_is_no_way_into_anothers_session(void **state)
{
    int *fd;

    (void)state;
    start();
    fd = join("/ws/me");
    say(fd, "{\"type\":\"chat_message\",\"message\":{\"content\":\"one\"}}");
    hear_until(fd, "response_complete");
    fd = join("/ws/me");
    say(fd, "{\"type\":\"history\"}");
    assert_null(strstr(hear(fd), "\"content\":\"one\""));
}

/* The one worker is held, so that all but the first message must wait. */
static void
messages_wait_in_order_up_to_a_few(void **state)
{
    int *fd;

    (void)state;
    start();
    fd = join("/ws/chat");
    (void)hear(fd);
    hold_worker();
    for (int i = 0; i < 10; i++)
        say(fd, i == 3 ? "{" : "{\"message\":\"/help\"}");
    assert_non_null(strstr(hear(fd), "oo many messages"));
    hold_release();
    for (int i = 0; i < 9; i++)
        assert_non_null(
            strstr(hear(fd), i == 3 ? "\"error\"" : "\"command_response\""));
    say(fd, "{\"message\":\"/help\"}");
    assert_non_null(strstr(hear(fd), "\"command_response\""));
}

static void
who_leaves_at_any_time_breaks_nothing(void **state)
{
    int *fd;

    (void)state;
    start();
    fd = join("/ws/me?session_id=left");
    hold_worker();
    say(fd, "{\"type\":\"chat_message\",\"message\":{\"content\":\"said\"}}");
    say(fd, "{\"type\":\"history\"}");
    say(fd, "{\"type\":\"ping\"}");
    assert_non_null(strstr(hear(fd), "\"pong\"")); /* it has all of them */
    leave(fd);
    wait_for_count(0);
    hold_release();
    /* What was said is asked all the same. */
    fd = join("/ws/me?session_id=left");
    do {
        say(fd, "{\"type\":\"history\"}");
    } while (strstr(hear(fd), "\"role\":\"assistant\"") == NULL);
    assert_int_equal(ws_door_following(app.ws), 0);
}

static void
a_context_ends_its_connection(void **state)
{
    int *fd;

    (void)state;
    start();
    fd = join("/api/cloud-chat");
    assert_non_null(strstr(hear(fd), "ready"));
    say(fd, "{\"message\":\"x\",\"image_name\":\"cat.png\"}");
    assert_non_null(strstr(hear(fd), "File not found: cat.png"));
    say(fd, "{\"message\":\"where is it?\"}");
    assert_non_null(strstr(hear(fd), "\"status\""));
    assert_non_null(strstr(hear(fd), "\"user_message\":\"where is it?\""));
    assert_string_equal(hear(fd), "close 1000");
    fd = join("/api/chat");
    (void)hear(fd);
    say(fd, "{\"message\":\"hello\"}");
    hear_until(fd, "\"response\":");
    assert_string_equal(hear(fd), "close 1000");
}

static void
credentials_are_taken_and_forgotten(void **state)
{
    int *fd;

    (void)state;
    start();
    fd = join("/ws/chat");
    (void)hear(fd);
    say(fd, "{\"type\":\"auth\",\"auth_type\":\"bearer_token\","
            "\"token\":\"secret\"}");
    assert_non_null(strstr(hear(fd), "\"success\":true"));
    say(fd, "{\"type\":\"auth\",\"auth_type\":\"bearer_token\"}");
    assert_non_null(strstr(hear(fd), "\"success\":false"));
    say(fd, "{\"type\":\"logout\"}");
    assert_non_null(strstr(hear(fd), "logout_success"));
}

/* A token server that takes connections and says nothing; returns its
 * descriptor. The list of hosts has it. */
static int
mute_server(char url[64])
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t n = sizeof(a);
    char host[40];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    (void)snprintf(host, sizeof(host), "127.0.0.1:%d", ntohs(a.sin_port));
    (void)snprintf(url, 64, "https://%s/token", host);
    conf_override(CONF_OAUTH_TOKEN_HOSTS, host);
    conf_override(CONF_UPSTREAM_CONNECT_MS, "15000");
    return fd;
}

static void
say_login(const int *fd, const char *url)
{
    char text[300];

    (void)snprintf(text, sizeof(text),
                   "{\"type\":\"auth\",\"auth_type\":\"oauth2\","
                   "\"client_id\":\"i\",\"client_secret\":\"s\","
                   "\"token_url\":\"%s\"}",
                   url);
    say(fd, text);
}

/* The server is called: who leaves before that has no connection to end. */
static int
wait_for_call(int server_fd)
{
    int fd = accept4(server_fd, NULL, NULL, SOCK_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

/* Wait until a call of a server ends; what it was sent is read. */
static void
wait_for_hangup(int fd)
{
    struct timeval limit = {.tv_sec = 20};
    char bytes[1024];
    ssize_t n;

    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    do
        n = recv(fd, bytes, sizeof(bytes), 0);
    while (n > 0);
    assert_true(n == 0 || errno == ECONNRESET);
    (void)close(fd);
}

static void
what_comes_after_a_login_waits(void **state)
{
    char url[64];
    int server_fd = mute_server(url), call, *fd, *other;

    (void)state;
    start();
    fd = join("/ws/chat?session_id=mine");
    other = join("/ws/chat?session_id=mine");
    (void)hear(fd);
    (void)hear(other);
    say_login(fd, url);
    call = wait_for_call(server_fd);
    say(fd, "{\"type\":\"history\"}");
    say(fd, "{\"type\":\"auth\",\"auth_type\":\"basic_auth\"}");
    say_login(fd, "https://auth.example.com/");
    say(fd, "{\"type\":\"ping\"}");
    assert_non_null(strstr(hear(fd), "\"pong\""));
    /* Somebody else's takes its place. */
    say(other, "{\"type\":\"auth\",\"auth_type\":\"bearer_token\","
               "\"token\":\"secret\"}");
    assert_non_null(strstr(hear(other), "\"success\":true"));
    assert_non_null(strstr(hear(fd), "Other credentials were given"));
    assert_non_null(strstr(hear(fd), "\"type\":\"history\""));
    assert_non_null(strstr(hear(fd), "username is missing"));
    assert_non_null(strstr(hear(fd), "may not be called"));
    wait_for_hangup(call);
    (void)close(server_fd);
}

static void
a_logout_takes_logins_back(void **state)
{
    char url[64];
    int server_fd = mute_server(url), call, *fd;

    (void)state;
    start();
    fd = join("/ws/chat");
    (void)hear(fd);
    say_login(fd, url);
    call = wait_for_call(server_fd);
    for (int i = 0; i < 7; i++)
        say(fd, "{\"type\":\"history\"}");
    say_login(fd, url);
    say_login(fd, url);
    assert_non_null(strstr(hear(fd), "Too many messages"));
    say(fd, "{\"type\":\"stop\"}");
    assert_non_null(strstr(hear(fd), "nothing_to_stop"));
    say(fd, "{\"type\":\"logout\"}");
    for (int i = 0; i < 2; i++)
        assert_non_null(strstr(hear(fd), "Signed out meanwhile"));
    assert_non_null(strstr(hear(fd), "logout_success"));
    for (int i = 0; i < 7; i++)
        assert_non_null(strstr(hear(fd), "\"type\":\"history\""));
    wait_for_hangup(call);
    (void)close(server_fd);
}

static void
who_leaves_while_signing_in_asks_nobody(void **state)
{
    char url[64];
    int server_fd = mute_server(url), call, *fd;

    (void)state;
    start();
    fd = join("/ws/chat");
    (void)hear(fd);
    say_login(fd, url);
    call = wait_for_call(server_fd);
    say(fd, "{\"type\":\"ping\"}");
    assert_non_null(strstr(hear(fd), "\"pong\""));
    leave(fd);
    wait_for_hangup(call);
    /* And one that is there at the end of the process. */
    fd = join("/ws/chat");
    (void)hear(fd);
    say_login(fd, url);
    call = wait_for_call(server_fd);
    say(fd, "{\"type\":\"ping\"}");
    assert_non_null(strstr(hear(fd), "\"pong\""));
    engine_call(rig, stop_door, NULL);
    assert_non_null(strstr(hear(fd), "The server is stopping"));
    assert_string_equal(hear(fd), "close 1001");
    wait_for_hangup(call);
    (void)close(server_fd);
}

static void
a_stop_says_goodbye(void **state)
{
    int *fd;

    (void)state;
    start();
    fd = join("/ws/chat");
    (void)hear(fd);
    engine_call(rig, stop_door, NULL);
    assert_string_equal(hear(fd), "close 1001");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(handshakes_are_checked),
        TEST(a_client_has_so_many_and_everybody_together),
        TEST(a_turn_is_told_and_kept),
        TEST(what_is_wrong_is_told_and_nothing_ends),
        TEST(a_message_may_move_to_another_session),
        TEST(a_name_is_no_way_into_anothers_session),
        TEST(messages_wait_in_order_up_to_a_few),
        TEST(who_leaves_at_any_time_breaks_nothing),
        TEST(a_context_ends_its_connection),
        TEST(credentials_are_taken_and_forgotten),
        TEST(what_comes_after_a_login_waits),
        TEST(a_logout_takes_logins_back),
        TEST(who_leaves_while_signing_in_asks_nobody),
        TEST(a_stop_says_goodbye),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
