/* Tests of base/log.c: standard error is a pipe while a line is written. */
#include "base_test.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"

static int pipe_fd[2];
static int real_stderr;
static char got[65536];

static void
listen_in(void)
{
    (void)fflush(stderr);
    assert_int_equal(pipe(pipe_fd), 0);
    real_stderr = dup(STDERR_FILENO);
    assert_true(real_stderr >= 0);
    assert_true(dup2(pipe_fd[1], STDERR_FILENO) >= 0);
    (void)close(pipe_fd[1]);
}

/* What was written since listen_in. */
static const char *
heard(void)
{
    size_t n = 0;
    ssize_t r;

    assert_true(dup2(real_stderr, STDERR_FILENO) >= 0);
    (void)close(real_stderr);
    while ((r = read(pipe_fd[0], got + n, sizeof(got) - 1 - n)) > 0)
        n += (size_t)r;
    got[n] = '\0';
    (void)close(pipe_fd[0]);
    return got;
}

static void
a_line_is_stamp_level_event_and_pairs(void **state)
{
    const char *s;

    (void)state;
    listen_in();
    log_info("turn.done", "id=%s ms=%d", "abc", 12);
    s = heard();
    assert_int_equal(s[4], '-');
    assert_int_equal(s[23], 'Z');
    assert_string_equal(s + 24, " info turn.done id=abc ms=12\n");
}

static void
the_request_id_joins_every_line_of_its_thread(void **state)
{
    const char *s;

    (void)state;
    listen_in();
    log_set_request("r-1");
    log_warn("one", "a=%d", 1);
    log_error("two", NULL);
    log_set_request(NULL);
    log_info("three", "b=2");
    s = heard();
    assert_non_null(strstr(s, " warn one rid=r-1 a=1\n"));
    assert_non_null(strstr(s, " error two rid=r-1\n"));
    assert_non_null(strstr(s, " info three b=2\n"));
}

static void
lines_below_the_level_are_not_written(void **state)
{
    (void)state;
    listen_in();
    log_debug("hidden", "x=1");
    log_set_level(LOG_ERROR);
    log_warn("hidden", "x=2");
    log_error("shown", "x=3");
    log_set_level(LOG_DEBUG);
    log_debug("shown", "x=4");
    assert_true(log_enabled(LOG_DEBUG));
    log_set_level(LOG_INFO);
    assert_false(log_enabled(LOG_DEBUG));
    assert_true(log_enabled(LOG_INFO));
    heard();
    assert_null(strstr(got, "hidden"));
    assert_non_null(strstr(got, "x=3"));
    assert_non_null(strstr(got, "x=4"));
}

static void
nothing_from_outside_can_begin_a_line(void **state)
{
    (void)state;
    listen_in();
    log_info("name", "v=\"%s\"", "a\r\nb\x1b[31m\tc\x7f");
    heard();
    assert_non_null(strstr(got, "v=\"a  b [31m c \"\n"));
    assert_ptr_equal(strchr(got, '\n'), got + strlen(got) - 1);
}

/* What terminals and viewers take for more than text. */
static void
no_character_commands_a_terminal(void **state)
{
    static const char *const evil[] = {
        "\xc2\x9b",                     /* CSI of C1 */
        "\xc2\x85",                     /* next line */
        "\xe2\x80\xa8", "\xe2\x80\xa9", /* separators */
        "\xe2\x80\xae", "\xe2\x81\xa6", /* direction */
        "\xe2\x80\x8f", "\x1b",         "\x9b",
        "\xff",         "\xc0\x8a",     "\xed\xa0\x80",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(evil); i++) {
        listen_in();
        log_info("name", "v=\"<%s>\" w=\"%s\"", evil[i], evil[i]);
        heard();
        assert_null(strstr(got, evil[i]));
        assert_non_null(strstr(got, "v=\"<"));
        assert_non_null(strstr(got, ">\" w=\""));
        assert_true(utf8_valid(got, strlen(got)));
        assert_ptr_equal(strchr(got, '\n'), got + strlen(got) - 1);
    }
    listen_in();
    log_info("name", "v=\"%s\"", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
    heard(); /* what is harmless stays */
    assert_non_null(strstr(got, "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"));
}

static void
a_quoted_text_stays_in_its_quotes(void **state)
{
    char text[LOG_TEXT_MAX];
    char big[2 * LOG_TEXT_MAX];

    (void)state;
    listen_in();
    log_info("name", "v=\"%s\" w=1", LOG_TEXT("a\" user=\"admin\" x=\\\n\"b"));
    heard();
    assert_non_null(
        strstr(got, "v=\"a\\\" user=\\\"admin\\\" x=\\\\ \\\"b\" w=1\n"));
    assert_string_equal(log_text(text, NULL), "");
    assert_string_equal(log_text(text, "plain"), "plain");
    for (size_t shift = 0; shift < 4; shift++) {
        memset(big, '"', shift);
        for (size_t i = shift; i + 3 < sizeof(big); i += 3)
            memcpy(big + i, "\xE2\x82\xAC", 4);
        assert_true(strlen(log_text(text, big)) > LOG_TEXT_MAX - 8);
        assert_true(utf8_valid(text, strlen(text)));
    }
    memset(big, '"', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    assert_int_equal(strlen(log_text(text, big)) % 2, 0);
}

static void
a_long_line_is_cut_between_characters(void **state)
{
    char text[4000];

    (void)state;
    for (size_t shift = 0; shift < 3; shift++) {
        memset(text, 'a', shift);
        for (size_t i = shift; i + 3 < sizeof(text); i += 3)
            memcpy(text + i, "\xE2\x82\xAC", 4);
        listen_in();
        log_info("long", "%s", text);
        heard();
        assert_in_range(strlen(got), LOG_LINE_MAX - 4, LOG_LINE_MAX);
        assert_true(utf8_valid(got, strlen(got)));
        assert_int_equal(got[strlen(got) - 1], '\n');
    }
    memset(text, 'e', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    listen_in();
    log_set_request(text);
    log_info("long", "%s", "gone");
    log_line(LOG_INFO, text, "gone");
    log_set_request(NULL);
    heard();
    assert_int_equal(strlen(got), 2 * LOG_LINE_MAX);
}

static void
levels_have_names(void **state)
{
    enum log_level level;

    (void)state;
    assert_true(log_level_parse("debug", &level));
    assert_int_equal(level, LOG_DEBUG);
    assert_true(log_level_parse("WARN", &level));
    assert_int_equal(level, LOG_WARN);
    assert_false(log_level_parse("", &level));
    assert_false(log_level_parse("loud", &level));
}

static void
errno_survives_a_line(void **state)
{
    (void)state;
    listen_in();
    errno = ENOENT;
    log_info("e", "reason=%m");
    assert_int_equal(errno, ENOENT);
    heard();
    assert_non_null(strstr(got, "No such file"));
}

static void *
shout(void *arg)
{
    log_set_request(arg);
    for (int i = 0; i < 100; i++)
        log_info("thread", "i=%d id=%s", i, (const char *)arg);
    return NULL;
}

static void
threads_never_mix_their_lines(void **state)
{
    static char a[] = "aaaa";
    static char b[] = "bbbb";
    pthread_t t[2];
    int lines = 0;

    (void)state;
    listen_in();
    (void)fcntl(pipe_fd[0], F_SETPIPE_SZ, 65536);
    assert_int_equal(pthread_create(&t[0], NULL, shout, a), 0);
    assert_int_equal(pthread_create(&t[1], NULL, shout, b), 0);
    assert_int_equal(pthread_join(t[0], NULL), 0);
    assert_int_equal(pthread_join(t[1], NULL), 0);
    heard();
    for (char *s = got, *end; (end = strchr(s, '\n')); s = end + 1, lines++) {
        *end = '\0';
        assert_true((strstr(s, "rid=aaaa") && strstr(s, " id=aaaa")) ||
                    (strstr(s, "rid=bbbb") && strstr(s, " id=bbbb")));
    }
    assert_int_equal(lines, 200);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_stamp_level_event_and_pairs),
        cmocka_unit_test(the_request_id_joins_every_line_of_its_thread),
        cmocka_unit_test(lines_below_the_level_are_not_written),
        cmocka_unit_test(nothing_from_outside_can_begin_a_line),
        cmocka_unit_test(no_character_commands_a_terminal),
        cmocka_unit_test(a_quoted_text_stays_in_its_quotes),
        cmocka_unit_test(a_long_line_is_cut_between_characters),
        cmocka_unit_test(levels_have_names),
        cmocka_unit_test(errno_survives_a_line),
        cmocka_unit_test(threads_never_mix_their_lines),
    };

    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
