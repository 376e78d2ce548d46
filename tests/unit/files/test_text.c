/* Tests of files/text.c with the readers of prose and code, of the decoder, and
 * of the cutting into lines and blocks. */
#include "text_test.h"

#include <pthread.h>

static void
check(enum text_kind kind, const char *s, const char *want)
{
    check_bytes(kind, s, strlen(s), want);
}

/* --- prose ---------------------------------------------------------------- */

static void
blank_lines_part_paragraphs(void **state)
{
    (void)state;
    check(TEXT_PLAIN, "One.\n\nTwo.\n \t \n\n\nThree.",
          "T|One.\nT|Two.\nT|Three.");
    check(TEXT_PLAIN, "\n\n  One  \n", "T|One");
    check(TEXT_PLAIN, "One\n\xC2\xA0\nTwo", "T|One\nT|Two");
}

static void
lines_that_were_wrapped_are_joined(void **state)
{
    (void)state;
    check(TEXT_PLAIN,
          "This is a paragraph that somebody's editor has broken where the\n"
          "line was full, so it is one sentence.\n",
          "T|This is a paragraph that somebody's editor has broken where the "
          "line was full, so it is one sentence.");
    check(TEXT_PLAIN,
          "  The lines of this one begin with two blanks, as some letters do,\n"
          "  and are joined all the same.",
          "T|The lines of this one begin with two blanks, as some letters do, "
          "and are joined all the same.");
}

static void
lines_that_somebody_ended_are_kept(void **state)
{
    (void)state;
    check(TEXT_PLAIN, "Roses are red,\nviolets are blue.",
          "T|Roses are red,\nviolets are blue.");
    check(TEXT_PLAIN,
          "A list follows this line, which is long enough to be wrapped here\n"
          "- one\n- two",
          "T|A list follows this line, which is long enough to be wrapped "
          "here\n- one\n- two");
    check(TEXT_PLAIN,
          "2024-05-01 10:00:00 INFO the server has started on port 8080 now\n"
          "2024-05-01 10:00:01 INFO another line of the same log",
          "T|2024-05-01 10:00:00 INFO the server has started on port 8080 now\n"
          "2024-05-01 10:00:01 INFO another line of the same log");
}

static void
a_line_may_be_wrapped_at_its_limits(void **state)
{
    char *a;

    (void)state;
    for (size_t n = 54; n <= 122; n++) {
        a = many('a', n);
        assert_true(text_was_wrapped(n, "b", 1) == (n >= 55 && n <= 120));
        free(a);
    }
    assert_false(text_was_wrapped(100, "", 0));
    assert_false(text_was_wrapped(100, "1", 1));
    assert_true(text_was_wrapped(100, "\xC3\xA4", 2));
    assert_true(text_was_wrapped(100, "(so)", 4));
}

static void
chinese_is_joined_without_a_blank(void **state)
{
    struct buf in;
    struct buf want;

    (void)state;
    buf_init(&in, 4096);
    buf_init(&want, 4096);
    buf_adds(&want, "T|");
    for (int i = 0; i < 120; i++) {
        buf_adds(&in, i == 60 ? "\n\xE5\xAD\x97" : "\xE5\xAD\x97");
        buf_adds(&want, "\xE5\xAD\x97");
    }
    check_bytes(TEXT_PLAIN, in.data, in.len, buf_cstr(&want));
    buf_release(&in);
    buf_release(&want);
}

/* --- code ----------------------------------------------------------------- */

static void
definitions_are_blocks_of_code(void **state)
{
    (void)state;
    check(TEXT_CODE,
          "#include <a.h>\n\nint\nf(void)\n{\n    int i;\n\n    g(i);\n}\n"
          "int h;\n",
          "C|#include <a.h>\nC|int\nf(void)\n{\n    int i;\n\n    g(i);\n}\n"
          "C|int h;");
    check(TEXT_CODE, "def f():\n\tpass  \n\n\n\ndef g():\n\tpass\n",
          "C|def f():\n\tpass\nC|def g():\n\tpass");
    check(TEXT_CODE, "  a:\n    b: 1\n", "C|  a:\n    b: 1");
}

static void
long_definitions_are_cut_at_blank_lines(void **state)
{
    char *line = many('x', 1300);
    struct buf in;
    struct buf want;

    (void)state;
    buf_init(&in, 4096);
    buf_init(&want, 4096);
    buf_addf(&in, "f {\n  %s\n\n  %s\n}", line, "y");
    buf_addf(&want, "C|f {\n  %s\nC|  %s\n}", line, "y");
    check_bytes(TEXT_CODE, in.data, in.len, buf_cstr(&want));
    free(line);
    buf_release(&in);
    buf_release(&want);
}

/* --- the sizes of lines and blocks ---------------------------------------- */

static void
a_block_of_the_limit_is_whole(void **state)
{
    static const enum text_kind kinds[] = {TEXT_PLAIN, TEXT_MARKDOWN, TEXT_CODE,
                                           TEXT_CSV};

    (void)state;
    for (size_t k = 0; k < COUNT_OF(kinds); k++)
        for (size_t n = BLOCK_MAX - 1; n <= BLOCK_MAX + 1; n++) {
            struct reading r;
            char *s = many('x', n);

            read_all_ways(&r, kinds[k], s, n);
            assert_int_equal(r.e, OK);
            assert_int_equal(r.blocks, n > BLOCK_MAX ? 2 : 1);
            assert_int_equal(r.out.data[1], n > BLOCK_MAX ? '+' : '|');
            reading_release(&r);
            free(s);
        }
}

static void
a_line_of_the_limit_is_whole(void **state)
{
    (void)state;
    for (size_t n = TEXT_LINE_MAX - 1; n <= TEXT_LINE_MAX + 1; n++) {
        struct reading r;
        char *s = many('x', n + 2);

        s[n] = '\n';
        read_all_ways(&r, TEXT_PLAIN, s, n + 2);
        assert_int_equal(r.e, OK);
        assert_int_equal(r.blocks, 1);
        assert_int_equal(r.out.len, n + 4);
        reading_release(&r);
        free(s);
    }
}

static void
a_block_is_cut_between_lines(void **state)
{
    struct reading r;
    struct buf in;
    const char *second;

    (void)state;
    buf_init(&in, READ_MAX);
    for (int i = 0; i < 2000; i++)
        buf_addf(&in, "%d line\n", i);
    read_all_ways(&r, TEXT_PLAIN, in.data, in.len);
    assert_int_equal(r.blocks, 2);
    second = strstr(buf_cstr(&r.out), " line\nT|");
    assert_non_null(second);
    assert_true(r.longest <= BLOCK_MAX && r.longest > BLOCK_MAX - 20);
    assert_null(strstr(r.out.data, "T+|"));
    reading_release(&r);
    buf_release(&in);
}

static void
a_long_line_is_cut_between_characters(void **state)
{
    struct buf in;
    struct buf back;
    struct reading r;

    (void)state;
    buf_init(&in, READ_MAX);
    buf_init(&back, READ_MAX);
    for (int i = 0; i < 20000; i++)
        buf_adds(&in, i % 3 ? "\xE2\x82\xAC" : "\xF0\x9F\x98\x80");
    read_all_ways(&r, TEXT_PLAIN, in.data, in.len);
    assert_int_equal(r.e, OK);
    for (const char *p = buf_cstr(&r.out); *p;) {
        const char *end = strstr(p, "\nT");

        p = strchr(p, '|') + 1;
        end = end ? end : p + strlen(p);
        buf_add(&back, p, (size_t)(end - p));
        p = *end ? end + 1 : end;
    }
    assert_int_equal(back.len, in.len);
    assert_memory_equal(back.data, in.data, in.len);
    reading_release(&r);
    buf_release(&in);
    buf_release(&back);
}

static void
miles_of_blanks_say_nothing(void **state)
{
    char *s = many(' ', 100000);

    (void)state;
    for (enum text_kind k = TEXT_PLAIN; k <= TEXT_JSON; k++)
        check_skip(k, s, 100000, SKIP_EMPTY);
    s[99999] = 'x';
    check_bytes(TEXT_CSV, s, 100000, "R|x");
    free(s);
}

/* --- what the bytes are --------------------------------------------------- */

static void
marks_are_taken_off(void **state)
{
    (void)state;
    check(TEXT_PLAIN, "\xEF\xBB\xBFhi", "T|hi");
    check_bytes(TEXT_PLAIN, "\xFF\xFEh\0\xE4\0", 6, "T|h\xC3\xA4");
    check_bytes(TEXT_PLAIN, "\xFE\xFF\0h\0\xE4", 6, "T|h\xC3\xA4");
    check_skip(TEXT_PLAIN, "\xEF\xBB\xBF", 3, SKIP_EMPTY);
    check_skip(TEXT_PLAIN, "\xFF\xFE", 2, SKIP_EMPTY);
    check(TEXT_PLAIN, "\xEF\xBB", "T|\xC3\xAF\xC2\xBB");
}

static void
utf16_is_decoded(void **state)
{
    (void)state;
    check_bytes(TEXT_PLAIN, "\xFF\xFE\x3D\xD8\0\xDE", 6, "T|\xF0\x9F\x98\x80");
    check_bytes(TEXT_PLAIN, "\xFE\xFF\xD8\x3D\xDE\0", 6, "T|\xF0\x9F\x98\x80");
    check_bytes(TEXT_PLAIN, "\xFF\xFE\x3D\xD8x\0", 6, "T|\xEF\xBF\xBDx");
    check_bytes(TEXT_PLAIN, "\xFF\xFEx\0\0\xDE", 6, "T|x\xEF\xBF\xBD");
    check_bytes(TEXT_PLAIN, "\xFF\xFEx\0\x3D\xD8", 6, "T|x\xEF\xBF\xBD");
    check_bytes(TEXT_PLAIN, "\xFF\xFEx\0y", 5, "T|x\xEF\xBF\xBD");
    check_bytes(TEXT_PLAIN, "\xFF\xFEx\0\r\0\n\0\r\0\n\0y\0", 14, "T|x\nT|y");
}

static void
what_is_no_utf8_is_windows_1252(void **state)
{
    (void)state;
    check(TEXT_PLAIN, "caf\xE9 \x80 \x93x\x94",
          "T|caf\xC3\xA9 \xE2\x82\xAC "
          "\xE2\x80\x9Cx\xE2\x80\x9D");
    check(TEXT_PLAIN, "caf\xC3\xA9 caf\xE9", "T|caf\xC3\xA9 caf\xC3\xA9");
    check(TEXT_PLAIN, "a\x81z", "T|az");
    check(TEXT_PLAIN, "x\xE2\x82", "T|x\xC3\xA2\xE2\x80\x9A"); /* cut off */
    check(TEXT_PLAIN, "\xE9t\xE9", "T|\xC3\xA9t\xC3\xA9");
}

static void
every_end_of_a_line_is_one(void **state)
{
    (void)state;
    check(TEXT_PLAIN, "a\r\nb\rc\r\r\nd", "T|a\nb\nc\nT|d");
    check(TEXT_PLAIN,
          "a\fb\vc\xC2\x85"
          "d\r",
          "T|a\nb\nc\nd");
    check(TEXT_PLAIN, "a\x08\x1B[0mb\x7F\xC2\x90\x1A", "T|a[0mb");
}

static void
binary_is_told_by_a_nul_near_the_beginning(void **state)
{
    char *s = many('x', 20000);

    (void)state;
    check_skip(TEXT_PLAIN, "a\0b", 3, SKIP_BINARY);
    check_skip(TEXT_PLAIN, "\0\n", 2, SKIP_BINARY);
    s[TEXT_BINARY_LOOK - 1] = '\0';
    check_skip(TEXT_CODE, s, 20000, SKIP_BINARY);
    s[TEXT_BINARY_LOOK - 1] = 'x';
    s[TEXT_BINARY_LOOK] = '\0';
    for (enum text_kind k = TEXT_PLAIN; k < TEXT_JSON; k++) {
        struct reading r;

        read_all_ways(&r, k, s, 20000);
        assert_int_equal(r.e, OK);
        reading_release(&r);
    }
    free(s);
}

static void
binary_is_told_by_many_control_characters(void **state)
{
    char *s = many('x', 20000);
    struct reading r;

    (void)state;
    for (int i = 0; i <= TEXT_BINARY_BAD; i++)
        s[2 * TEXT_BINARY_SPAN + i] = '\x01';
    check_skip(TEXT_PLAIN, s, 20000, SKIP_BINARY);
    s[2 * TEXT_BINARY_SPAN] = 'x';
    read_all_ways(&r, TEXT_PLAIN, s, 20000);
    assert_int_equal(r.e, OK);
    reading_release(&r);
    check_skip(TEXT_PLAIN,
               "\x01\x02"
               "abc",
               5, SKIP_BINARY);
    check_bytes(TEXT_PLAIN,
                "\x01"
                "0123456789abcde",
                16, "T|0123456789abcde");
    check_skip(TEXT_PLAIN,
               "\x01"
               "0123456789abcd",
               15, SKIP_BINARY);
    free(s);
}

/* --- the whole ------------------------------------------------------------ */

static void
nothing_is_empty(void **state)
{
    (void)state;
    for (enum text_kind k = TEXT_PLAIN; k <= TEXT_JSON; k++) {
        check_skip(k, "", 0, SKIP_EMPTY);
        check_skip(k, "\n", 1, SKIP_EMPTY);
        check_skip(k, " \n\t\n", 4, SKIP_EMPTY);
    }
}

static void
a_folder_cannot_be_read(void **state)
{
    struct reading r;
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    reading_init(&r);
    assert_int_equal(
        text_read(fds[1], TEXT_PLAIN, reading_block, &r, &r.facts, &r.why),
        ERR_IMPOSSIBLE);
    assert_int_equal(r.why, SKIP_READ);
    reading_release(&r);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static enum err
third_fails(void *arg, const struct block *b)
{
    (void)b;
    return ++*(int *)arg == 3 ? ERR_FULL : OK;
}

static void
what_the_taker_says_ends_it(void **state)
{
    struct facts facts = {.title = ""};
    enum skip why = SKIP_BOMB;
    int count = 0;
    int fd = fd_of("a\n\nb\n\nc\n\nd\n\ne", 13);

    (void)state;
    assert_int_equal(
        text_read(fd, TEXT_PLAIN, third_fails, &count, &facts, &why), ERR_FULL);
    assert_int_equal(count, 3);
    assert_int_equal(why, SKIP_NOT);
    (void)close(fd);
}

struct writer {
    int fd;
    const char *s;
    size_t n;
};

static void *
write_bytes(void *arg)
{
    struct writer *w = arg;

    for (size_t i = 0; i < w->n; i++)
        assert_int_equal(write(w->fd, w->s + i, 1), 1);
    (void)close(w->fd);
    return NULL;
}

static void
a_pipe_is_read_as_a_file_is(void **state)
{
    static const char s[] =
        "\xEF\xBB\xBF# T\xC3\xA9te\r\n\r\n- a\r\n- b\xE9\n\n"
        "| h | i |\n|---|---|\n| 1 | 2 |\n";
    struct writer w = {.s = s, .n = sizeof(s) - 1};
    struct reading r;
    pthread_t thread;
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    w.fd = fds[1];
    reading_init(&r);
    assert_int_equal(pthread_create(&thread, NULL, write_bytes, &w), 0);
    r.e = text_read(fds[0], TEXT_MARKDOWN, reading_block, &r, &r.facts, &r.why);
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)close(fds[0]);
    assert_int_equal(r.e, OK);
    assert_string_equal(buf_cstr(&r.out), "H1|T\xC3\xA9te\nR|- a\nR|- b\xC3\xA9"
                                          "\nR|h: 1, i: 2");
    assert_string_equal(r.facts.title, "T\xC3\xA9te");
    reading_release(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blank_lines_part_paragraphs),
        cmocka_unit_test(lines_that_were_wrapped_are_joined),
        cmocka_unit_test(lines_that_somebody_ended_are_kept),
        cmocka_unit_test(a_line_may_be_wrapped_at_its_limits),
        cmocka_unit_test(chinese_is_joined_without_a_blank),
        cmocka_unit_test(definitions_are_blocks_of_code),
        cmocka_unit_test(long_definitions_are_cut_at_blank_lines),
        cmocka_unit_test(a_block_of_the_limit_is_whole),
        cmocka_unit_test(a_line_of_the_limit_is_whole),
        cmocka_unit_test(a_block_is_cut_between_lines),
        cmocka_unit_test(a_long_line_is_cut_between_characters),
        cmocka_unit_test(miles_of_blanks_say_nothing),
        cmocka_unit_test(marks_are_taken_off),
        cmocka_unit_test(utf16_is_decoded),
        cmocka_unit_test(what_is_no_utf8_is_windows_1252),
        cmocka_unit_test(every_end_of_a_line_is_one),
        cmocka_unit_test(binary_is_told_by_a_nul_near_the_beginning),
        cmocka_unit_test(binary_is_told_by_many_control_characters),
        cmocka_unit_test(nothing_is_empty),
        cmocka_unit_test(a_folder_cannot_be_read),
        cmocka_unit_test(what_the_taker_says_ends_it),
        cmocka_unit_test(a_pipe_is_read_as_a_file_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
