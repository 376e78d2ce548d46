/*
 * Tests of http/wsock.c: a socket pair, the loop in this very thread, run for
 * as long as a test waits for something. The client's frames are made by hand.
 */
#include "http_test.h"

#include <poll.h>

#include "base/clock.h"
#include "http/wsock.h"

#define PING_MS 60
#define CLOSE_MS 150
#define WAIT_MS 20000 /* then a test has failed */
#define MESSAGE_MAX (64 * 1024)

static struct loop *loop;
static struct wsocks socks;
static struct wsock *sock;
static int far; /* the client */

static struct buf got; /* messages, each with a bar behind it */
static int n_closed, n_ready;
static bool echo, closes;

static struct loop_timer tick;
static int64_t until_ms;
static bool (*wanted)(void);
static struct buf seen; /* what the client read */

static void
on_message(void *owner, const char *p, size_t n)
{
    assert_ptr_equal(owner, &got);
    buf_add(&got, p, n);
    buf_addc(&got, '|');
    if (echo)
        IGNORE(wsock_say(sock, p, n));
    if (closes)
        wsock_close(sock, 4001, "enough");
}

static void
on_ready(void *owner)
{
    assert_ptr_equal(owner, &got);
    n_ready++;
}

static void
on_closed(void *owner)
{
    assert_ptr_equal(owner, &got);
    n_closed++;
}

static const struct wsock_ops ops = {on_message, on_ready, on_closed};

/* --- time ---------------------------------------------------------------- */

static void
on_tick(struct loop_timer *t)
{
    if (wanted() || loop_now_ms(loop) >= until_ms)
        loop_stop(loop);
    else
        loop_timer_set(loop, t, loop_now_ms(loop) + 1);
}

static void
run_until(bool (*fn)(void))
{
    wanted = fn;
    until_ms = clock_mono_ms() + WAIT_MS;
    tick.fn = on_tick;
    loop_timer_set(loop, &tick, 0);
    loop_run(loop);
    assert_true(fn());
}

static int64_t pause_until_ms;

static bool
pause_is_over(void)
{
    return clock_mono_ms() >= pause_until_ms;
}

static void
run_for(int ms)
{
    pause_until_ms = clock_mono_ms() + ms;
    run_until(pause_is_over);
}

/* --- the client ---------------------------------------------------------- */

static void
put(unsigned head, const char *p, size_t n)
{
    struct buf b;

    buf_init(&b, MESSAGE_MAX * 2);
    buf_addc(&b, (char)head);
    if (n < 126) {
        buf_addc(&b, (char)(0x80 | n));
    } else {
        buf_addc(&b, (char)(0x80 | 126));
        buf_addc(&b, (char)(n >> 8));
        buf_addc(&b, (char)n);
    }
    buf_add(&b, "\0\0\0\0", 4);
    buf_add(&b, p, n);
    assert_int_equal(send(far, b.data, b.len, MSG_NOSIGNAL), b.len);
    buf_release(&b);
}

static void
put_text(const char *s)
{
    put(0x81, s, strlen(s));
}

/* Read what is there into seen. */
static bool far_ended;

static void
look(void)
{
    ssize_t n;

    do {
        char *p = buf_room(&seen, 65536);

        n = recv(far, p, 65536, MSG_DONTWAIT);
        if (n > 0)
            seen.len += (size_t)n;
        if (n == 0)
            far_ended = true;
    } while (n > 0);
}

static size_t wanted_bytes;

static bool
bytes_are_there(void)
{
    look();
    return seen.len >= wanted_bytes;
}

static void
see(const char *p, size_t n)
{
    wanted_bytes = n;
    run_until(bytes_are_there);
    assert_int_equal(seen.len, n);
    assert_memory_equal(seen.data, p, n);
    buf_clear(&seen);
}

static bool
owner_was_told(void)
{
    look();
    return n_closed > 0;
}

static bool
all_is_over(void)
{
    look();
    return socks.n == 0;
}

static bool
far_has_ended(void)
{
    look();
    return far_ended;
}

static const char *wanted_text;

static bool
text_came(void)
{
    return strcmp(buf_cstr(&got), wanted_text) == 0;
}

static void
hear(const char *text)
{
    wanted_text = text;
    run_until(text_came);
    buf_clear(&got);
}

static void
begin_with(const char *early, size_t n)
{
    int fds[2];

    assert_int_equal(
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
        0);
    far = fds[1];
    sock = wsock_new(&socks, fds[0], &ops, &got, early, n);
}

static int
begin(void **state)
{
    (void)state;
    loop = loop_new();
    socks = (struct wsocks){.c = {.loop = loop,
                                  .message_max = MESSAGE_MAX,
                                  .ping_ms = WAIT_MS,
                                  .close_ms = CLOSE_MS}};
    buf_init(&got, 1024 * 1024);
    buf_init(&seen, FAR_MAX);
    n_closed = n_ready = 0;
    echo = closes = far_ended = false;
    begin_with(NULL, 0);
    return 0;
}

static int
end(void **state)
{
    (void)state;
    wsocks_abort(&socks);
    assert_int_equal(socks.n, 0);
    close(far);
    loop_timer_clear(loop, &tick);
    loop_free(loop);
    buf_release(&got);
    buf_release(&seen);
    return 0;
}

/* --- tests --------------------------------------------------------------- */

static void
messages_go_both_ways(void **state)
{
    (void)state;
    echo = true;
    put_text("hello");
    put(0x01, "in ", 3);
    put(0x80, "two", 3);
    hear("hello|in two|");
    see("\x81\x05hello\x81\x06in two", 15);
    assert_int_equal(n_closed, 0);
}

static void
what_came_with_the_handshake_is_heard(void **state)
{
    (void)state;
    close(far);
    run_until(all_is_over);
    n_closed = 0;
    begin_with("\x81\x85\0\0\0\0early", 11);
    hear("early|");
    put_text("later");
    hear("later|");
}

static void
a_ping_is_answered_between_fragments(void **state)
{
    struct buf wire;
    char text[FRAMES_FRAGMENT + 3];

    (void)state;
    put(0x89, "abc", 3);
    see("\x8a\x03"
        "abc",
        5);

    memset(text, 'x', sizeof(text));
    buf_init(&wire, 2 * sizeof(text));
    frames_put_text(&wire, text, sizeof(text));
    /* In the middle of the first fragment. */
    assert_int_equal(wsock_write(sock, wire.data, 100), OK);
    assert_true(wsock_mid_message(sock));
    put(0x89, "p", 1);
    put_text("also heard");
    hear("also heard|");
    assert_int_equal(wsock_say(sock, "said", 4), OK);
    assert_int_equal(wsock_write(sock, wire.data + 100, wire.len - 100), OK);
    assert_false(wsock_mid_message(sock));
    wanted_bytes = wire.len + 3 + 6;
    run_until(bytes_are_there);
    assert_memory_equal(seen.data, wire.data, 4 + FRAMES_FRAGMENT);
    assert_memory_equal(seen.data + 4 + FRAMES_FRAGMENT, "\x8a\x01p\x80\x03xxx",
                        8);
    assert_memory_equal(seen.data + wire.len + 3, "\x81\x04said", 6);
    buf_release(&wire);
}

static void
bytes_may_be_written_cut_anywhere(void **state)
{
    struct buf wire;
    char text[200];

    (void)state;
    memset(text, 'x', sizeof(text));
    buf_init(&wire, 1000);
    frames_put_text(&wire, text, sizeof(text));
    frames_put_text(&wire, "", 0);
    frames_put_text(&wire, "short", 5);
    for (size_t i = 0; i < wire.len; i++)
        assert_int_equal(wsock_write(sock, wire.data + i, 1), OK);
    assert_false(wsock_mid_message(sock));
    see(wire.data, wire.len);
    buf_release(&wire);
}

static void
a_slow_peer_is_waited_for(void **state)
{
    char *text = xmalloc(4 * 1024 * 1024);
    struct buf wire;
    enum err e = OK;
    size_t at = 0;

    (void)state;
    for (size_t i = 0; i < 4 * 1024 * 1024; i++)
        text[i] = (char)('a' + i % 23);
    buf_init(&wire, 5 * 1024 * 1024);
    frames_put_text(&wire, text, 4 * 1024 * 1024);
    while (at < wire.len) {
        size_t n = wire.len - at < 32768 ? wire.len - at : 32768;

        e = wsock_write(sock, wire.data + at, n);
        at += n;
        if (e == OK)
            continue;
        assert_int_equal(e, ERR_AGAIN);
        n_ready = 0;
        run_for(5);
        assert_int_equal(n_ready, 0);
        look();
        wanted_bytes = at;
        run_until(bytes_are_there);
        run_for(2);
        assert_int_equal(n_ready, 1);
    }
    see(wire.data, wire.len);
    buf_release(&wire);
    free(text);
}

static void
the_peer_closes_and_is_answered(void **state)
{
    (void)state;
    put(0x88,
        "\x03\xe8"
        "bye",
        5);
    run_until(owner_was_told);
    see("\x88\x05\x03\xe8"
        "bye",
        7);
    run_until(far_has_ended); /* the server's side ends first */
    close(far);
    far = -1;
    run_until(all_is_over);
    assert_int_equal(n_closed, 1);
}

static void
we_close_and_wait_for_the_answer(void **state)
{
    (void)state;
    closes = true;
    put_text("x");
    put_text("never heard");
    hear("x|");
    see("\x88\x08\x0f\xa1"
        "enough",
        10);
    assert_int_equal(socks.n, 1);
    put(0x88, "\x0f\xa1", 2);
    run_until(far_has_ended);
    assert_int_equal(n_closed, 0); /* the owner has done it itself */
    run_until(all_is_over);
}

static void
a_peer_that_does_not_answer_is_not_waited_for_long(void **state)
{
    int64_t began_ms = clock_mono_ms();

    (void)state;
    closes = true;
    put_text("x");
    run_until(all_is_over);
    assert_true(clock_mono_ms() - began_ms >= CLOSE_MS - 1);
}

static void
refused_with(const char *frame, size_t n, unsigned code)
{
    assert_int_equal(send(far, frame, n, MSG_NOSIGNAL), n);
    run_until(owner_was_told);
    wanted_bytes = 4;
    run_until(bytes_are_there);
    assert_int_equal((unsigned char)seen.data[0], 0x88);
    assert_int_equal(
        (unsigned char)seen.data[2] << 8 | (unsigned char)seen.data[3], code);
    run_until(far_has_ended);
}

static void
an_unmasked_frame_is_refused(void **state)
{
    (void)state;
    refused_with("\x81\x01x", 3, 1002);
}

static void
text_that_is_none_is_refused(void **state)
{
    (void)state;
    refused_with("\x81\x81\0\0\0\0\xff", 7, 1007);
}

/* The client is still sending when it is refused: it reads why all the same. */
static void
a_message_too_big_is_refused_and_the_rest_is_read(void **state)
{
    char *rest = xcalloc(1, 256 * 1024);
    ssize_t n = 0;
    int rounds = 0;

    (void)state;
    refused_with("\x81\xff\0\0\0\0\0\x10\0\0\0\0\0\0x", 15, 1009);
    while (n >= 0 || errno == EAGAIN) {
        n = send(far, rest, 256 * 1024, MSG_DONTWAIT | MSG_NOSIGNAL);
        run_for(1);
        if (n > 0)
            rounds++;
        if (socks.n == 0)
            break;
    }
    assert_true(rounds > 1); /* it was read, not answered by a reset */
    free(rest);
}

static void
a_peer_that_is_gone_is_noticed(void **state)
{
    (void)state;
    close(far);
    far = -1;
    run_until(all_is_over);
    assert_int_equal(n_closed, 1);
}

static void
writing_to_a_peer_that_is_gone_says_so(void **state)
{
    (void)state;
    close(far);
    far = -1;
    assert_int_equal(wsock_say(sock, "x", 1), ERR_HUP);
    assert_int_equal(wsock_say(sock, "x", 1), ERR_HUP);
    assert_int_equal(n_closed, 0); /* not before the loop */
    run_until(all_is_over);
    assert_int_equal(n_closed, 1);
}

static void
a_silent_peer_is_pinged_and_then_given_up(void **state)
{
    (void)state;
    close(far);
    run_until(all_is_over);
    n_closed = 0;
    socks.c.ping_ms = PING_MS;
    begin_with(NULL, 0);
    buf_clear(&seen);
    wanted_bytes = 2;
    run_until(bytes_are_there);
    assert_memory_equal(seen.data, "\x89\x00", 2);
    run_until(owner_was_told);
}

static void
a_peer_that_answers_lives(void **state)
{
    (void)state;
    close(far);
    run_until(all_is_over);
    n_closed = 0;
    socks.c.ping_ms = PING_MS;
    begin_with(NULL, 0);
    for (int i = 0; i < 8; i++) {
        buf_clear(&seen);
        wanted_bytes = 2;
        run_until(bytes_are_there);
        put(0x8a, "", 0);
    }
    assert_int_equal(n_closed, 0);
}

static void
an_idle_peer_is_closed(void **state)
{
    (void)state;
    close(far);
    run_until(all_is_over);
    n_closed = 0;
    socks.c.ping_ms = PING_MS;
    socks.c.idle_ms = 1;
    begin_with(NULL, 0);
    buf_clear(&seen);
    run_until(owner_was_told);
    wanted_bytes = 4;
    run_until(bytes_are_there);
    assert_memory_equal(seen.data + 2, "\x03\xe9", 2); /* 1001 */
    put(0x88, "\x03\xe9", 2);
    run_until(far_has_ended);
}

static void
the_end_of_all_tells_owners(void **state)
{
    (void)state;
    wsocks_abort(&socks);
    assert_int_equal(n_closed, 1);
    assert_int_equal(socks.n, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(messages_go_both_ways),
        TEST(what_came_with_the_handshake_is_heard),
        TEST(a_ping_is_answered_between_fragments),
        TEST(bytes_may_be_written_cut_anywhere),
        TEST(a_slow_peer_is_waited_for),
        TEST(the_peer_closes_and_is_answered),
        TEST(we_close_and_wait_for_the_answer),
        TEST(a_peer_that_does_not_answer_is_not_waited_for_long),
        TEST(an_unmasked_frame_is_refused),
        TEST(text_that_is_none_is_refused),
        TEST(a_message_too_big_is_refused_and_the_rest_is_read),
        TEST(a_peer_that_is_gone_is_noticed),
        TEST(writing_to_a_peer_that_is_gone_says_so),
        TEST(a_silent_peer_is_pinged_and_then_given_up),
        TEST(a_peer_that_answers_lives),
        TEST(an_idle_peer_is_closed),
        TEST(the_end_of_all_tells_owners),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
