/* Tests of base/text.c. */
#include "base_test.h"

#include "base/buf.h"
#include "base/text.h"

#define B(s) (s), sizeof(s) - 1

/* The slow, plain definition: decode, then look. */
static bool
slow_valid(const unsigned char *s, size_t n)
{
    size_t i = 0;

    while (i < n) {
        int more = s[i] < 0x80             ? 0
                   : (s[i] & 0xE0) == 0xC0 ? 1
                   : (s[i] & 0xF0) == 0xE0 ? 2
                   : (s[i] & 0xF8) == 0xF0 ? 3
                                           : -1;
        static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
        uint32_t c;

        if (more < 0 || n - i <= (size_t)more)
            return false;
        c = more ? s[i] & (0x3Fu >> more) : s[i];
        for (int k = 1; k <= more; k++) {
            if ((s[i + (size_t)k] & 0xC0) != 0x80)
                return false;
            c = c << 6 | (s[i + (size_t)k] & 0x3F);
        }
        if (c < least[more] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
            return false;
        i += (size_t)more + 1;
    }
    return true;
}

static void
utf8_agrees_with_its_definition(void **state)
{
    static const unsigned char edge[] = {
        0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF,
        0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE,
        0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xF8, 0xFE, 0xFF,
    };
    const size_t k = COUNT_OF(edge);

    (void)state;
    for (size_t i = 0; i < k * k * k * k; i++) {
        unsigned char s[4] = {edge[i % k], edge[i / k % k], edge[i / k / k % k],
                              edge[i / k / k / k]};

        for (size_t n = 0; n <= 4; n++)
            if (utf8_valid((char *)s, n) != slow_valid(s, n))
                fail_msg("%02x %02x %02x %02x of %zu", s[0], s[1], s[2], s[3],
                         n);
    }
}

static void
utf8_is_checked_at_every_place_of_a_long_text(void **state)
{
    char s[64];

    (void)state;
    for (size_t i = 0; i < sizeof(s); i++) {
        memset(s, 'a', sizeof(s));
        assert_true(utf8_valid(s, sizeof(s)));
        s[i] = (char)0xFF;
        assert_false(utf8_valid(s, sizeof(s)));
    }
}

static void
the_whole_part_never_ends_inside_a_character(void **state)
{
    static const char s[] = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80z";
    static const size_t whole[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11};

    (void)state;
    for (size_t n = 0; n < COUNT_OF(whole); n++)
        assert_int_equal(utf8_whole(s, n), whole[n]);
}

static void
what_can_never_become_a_character_counts_as_whole(void **state)
{
    (void)state;
    assert_int_equal(utf8_whole(B("a\x80")), 2);
    assert_int_equal(utf8_whole(B("a\x80\x80\x80\x80")), 5);
    assert_int_equal(utf8_whole(B("a\xC0")), 2);
    assert_int_equal(utf8_whole(B("a\xE0\x80")), 3);
    assert_int_equal(utf8_whole(B("a\xED\xA0")), 3);
    assert_int_equal(utf8_whole(B("a\xF4\x90")), 3);
    assert_int_equal(utf8_whole(B("\xFF")), 1);
}

static void
scrub(const char *s, size_t n, const char *want)
{
    struct buf b;

    buf_init(&b, 1000);
    utf8_scrub(&b, s, n);
    assert_string_equal(buf_cstr(&b), want);
    assert_true(utf8_valid(b.data ? b.data : "", b.len));
    buf_release(&b);
}

#define FFFD "\xEF\xBF\xBD"

static void
scrubbing_replaces_each_maximal_subpart(void **state)
{
    (void)state;
    scrub(B(""), "");
    scrub(NULL, 0, "");
    scrub(B("plain"), "plain");
    scrub(B("\xC3\xA4"), "\xC3\xA4");
    scrub(B("a\xFFz"), "a" FFFD "z");
    scrub(B("\xF0\x9F\x98z"), FFFD "z");
    scrub(B("\xF0\x9F\x98"), FFFD);
    scrub(B("\xC0\xAF"), FFFD FFFD);
    scrub(B("\xED\xA0\x80"), FFFD FFFD FFFD);
    scrub(B("\xE2\x82\xE2\x82\xAC"), FFFD "\xE2\x82\xAC");
    /* The example of the Unicode standard, table 3-8. */
    scrub(B("\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64"),
          "a" FFFD FFFD FFFD "b" FFFD "c" FFFD FFFD "d");
}

static void
blank_is_what_shows_nothing(void **state)
{
    (void)state;
    assert_true(text_blank(B("")));
    assert_true(text_blank(B(" \t\r\n\f\v")));
    assert_true(text_blank(B("\0")));
    assert_true(text_blank(B("\xC2\xA0\xC2\x85")));
    assert_true(text_blank(B("\xE3\x80\x80\xE2\x80\x8B\xEF\xBB\xBF")));
    assert_true(text_blank(B("\xE2\x80\x80\xE2\x80\xA8\xE1\x9A\x80")));
    assert_false(text_blank(B(" x ")));
    assert_false(text_blank(B("\xE2\x80\x8C")));
    assert_false(text_blank(B("\xFF")));
    assert_false(text_blank(B("\x01")));
}

static void
letters_compare_without_case(void **state)
{
    (void)state;
    assert_true(text_ieq("Content-TYPE", "content-type"));
    assert_false(text_ieq("a", "ab"));
    assert_false(text_ieq("ab", "a"));
    assert_false(text_ieq("[", "{"));
    assert_true(text_ieqn("ABCdef", 3, "abc"));
    assert_false(text_ieqn("ABCdef", 2, "abc"));
    assert_false(text_ieqn("abc\0", 4, "abc"));
    assert_true(text_ieqn("", 0, ""));
    assert_true(text_starts("abc", "ab"));
    assert_false(text_starts("Abc", "ab"));
    assert_false(text_starts("a", "ab"));
    assert_true(text_istarts("Bearer x", "bearer "));
    assert_false(text_istarts("Bear", "bearer"));
    assert_true(text_istarts("x", ""));
}

static enum err
number(const char *s, int64_t min, int64_t max, int64_t *out)
{
    return text_i64(s, strlen(s), min, max, out);
}

static void
whole_numbers_are_read_within_bounds(void **state)
{
    int64_t v = 77;

    (void)state;
    assert_int_equal(number("9223372036854775807", INT64_MIN, INT64_MAX, &v),
                     OK);
    assert_true(v == INT64_MAX);
    assert_int_equal(number("-9223372036854775808", INT64_MIN, INT64_MAX, &v),
                     OK);
    assert_true(v == INT64_MIN);
    assert_int_equal(number("007", 0, 10, &v), OK);
    assert_int_equal(v, 7);
    assert_int_equal(number("-0", -1, 1, &v), OK);
    assert_int_equal(v, 0);
    assert_int_equal(number("0", 0, 0, &v), OK);
    assert_int_equal(number("10", 1, 10, &v), OK);
    assert_int_equal(v, 10);
}

static void
what_is_no_number_leaves_the_result_alone(void **state)
{
    static const char *const bad[] = {
        "",
        "-",
        "+1",
        " 1",
        "1 ",
        "1.0",
        "0x1",
        "1e3",
        "--1",
        "1-",
        "9223372036854775808",
        "-9223372036854775809",
        "99999999999999999999999",
        "101",
        "-101",
    };
    int64_t v = 77;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        bool wide = strlen(bad[i]) > 10;

        assert_int_equal(
            number(bad[i], wide ? INT64_MIN : -100, wide ? INT64_MAX : 100, &v),
            ERR_BADREQ);
        assert_int_equal(v, 77);
    }
    assert_int_equal(text_i64("1\0", 2, 0, 9, &v), ERR_BADREQ);
}

static void
hex_goes_there_and_back(void **state)
{
    unsigned char all[256];
    unsigned char back[256];
    char hex[513];

    (void)state;
    for (size_t i = 0; i < sizeof(all); i++)
        all[i] = (unsigned char)i;
    text_hex(hex, all, sizeof(all));
    assert_int_equal(strlen(hex), 512);
    assert_int_equal(text_unhex(back, sizeof(back), hex), OK);
    assert_memory_equal(all, back, sizeof(all));
    assert_int_equal(text_unhex(back, 2, "aBCd"), OK);
    assert_memory_equal(back, "\xAB\xCD", 2);
    assert_int_equal(text_unhex(back, 2, "aBC"), ERR_BADREQ);
    assert_int_equal(text_unhex(back, 1, "g0"), ERR_BADREQ);
    assert_int_equal(text_unhex(back, 1, ""), ERR_BADREQ);
}

static void
base64_follows_the_rfc(void **state)
{
    static const char *const pairs[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        const char *text = pairs[i][1];
        size_t bare = strcspn(text, "=");

        buf_clear(&b);
        text_base64(&b, pairs[i][0], strlen(pairs[i][0]));
        assert_string_equal(buf_cstr(&b), text);
        buf_clear(&b);
        assert_int_equal(text_unbase64(&b, text, strlen(text)), OK);
        assert_string_equal(buf_cstr(&b), pairs[i][0]);
        buf_clear(&b);
        assert_int_equal(text_unbase64(&b, text, bare), OK);
        assert_string_equal(buf_cstr(&b), pairs[i][0]);
    }
    buf_release(&b);
}

static void
base64_keeps_all_bytes_of_all_lengths(void **state)
{
    unsigned char in[300];
    struct buf text;
    struct buf out;

    (void)state;
    buf_init(&text, 1000);
    buf_init(&out, 1000);
    for (size_t n = 0; n <= sizeof(in); n++) {
        for (size_t i = 0; i < n; i++)
            in[i] = (unsigned char)(i * 37 + n);
        buf_clear(&text);
        buf_clear(&out);
        text_base64(&text, in, n);
        assert_int_equal(text_unbase64(&out, text.data, text.len), OK);
        assert_int_equal(out.len, n);
        if (n)
            assert_memory_equal(out.data, in, n);
    }
    buf_release(&text);
    buf_release(&out);
}

static void
bad_base64_adds_nothing(void **state)
{
    static const char *const bad[] = {
        "A",    "AAAAA", "Zg=",      "Zg===",    "Z===",   "====",
        "=",    "Zm9v=", "Zm9v====", "Zm 9v",    "Zm9v\n", "Zm-_",
        "Zh==", "Zm9=",  "Z=g=",     "Zg==Zg==",
    };
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    buf_adds(&b, "kept");
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(text_unbase64(&b, bad[i], strlen(bad[i])), ERR_BADREQ);
        assert_string_equal(buf_cstr(&b), "kept");
    }
    buf_release(&b);
    buf_init(&b, 2);
    assert_int_equal(text_unbase64(&b, B("Zm9v")), ERR_TOOBIG);
    buf_release(&b);
}

static void
percent_decoding_undoes_encoding(void **state)
{
    char all[255];
    struct buf enc;
    struct buf dec;

    (void)state;
    for (size_t i = 0; i < sizeof(all); i++)
        all[i] = (char)(i + 1);
    buf_init(&enc, 1000);
    buf_init(&dec, 1000);
    text_percent(&enc, all, sizeof(all));
    assert_int_equal(text_unpercent(&dec, enc.data, enc.len, true), OK);
    assert_int_equal(dec.len, sizeof(all));
    assert_memory_equal(dec.data, all, sizeof(all));
    buf_clear(&enc);
    text_percent(&enc, B("a-b_c.d~e f/\xC3\xA4"));
    assert_string_equal(buf_cstr(&enc), "a-b_c.d~e%20f%2F%C3%A4");
    buf_release(&enc);
    buf_release(&dec);
}

static void
plus_is_a_space_only_in_forms(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    assert_int_equal(text_unpercent(&b, B("a+b%2Bc"), true), OK);
    assert_string_equal(buf_cstr(&b), "a b+c");
    buf_clear(&b);
    assert_int_equal(text_unpercent(&b, B("a+b%2bc"), false), OK);
    assert_string_equal(buf_cstr(&b), "a+b+c");
    buf_release(&b);
}

static void
bad_escapes_and_nul_add_nothing(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    buf_adds(&b, "kept");
    assert_int_equal(text_unpercent(&b, B("a%"), false), ERR_BADREQ);
    assert_int_equal(text_unpercent(&b, B("a%4"), false), ERR_BADREQ);
    assert_int_equal(text_unpercent(&b, B("a%4g"), false), ERR_BADREQ);
    assert_int_equal(text_unpercent(&b, B("a%g4"), false), ERR_BADREQ);
    assert_int_equal(text_unpercent(&b, B("a%00"), false), ERR_BADREQ);
    assert_int_equal(text_unpercent(&b, B("a\0b"), false), ERR_BADREQ);
    assert_string_equal(buf_cstr(&b), "kept");
    buf_release(&b);
    buf_init(&b, 2);
    assert_int_equal(text_unpercent(&b, B("abc"), false), ERR_TOOBIG);
    buf_release(&b);
}

static void
base64url_has_no_padding(void **state)
{
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg"},
                                           {"fo", "Zm8"},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg"}};
    char out[8];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        text_base64url(out, pairs[i][0], strlen(pairs[i][0]));
        assert_string_equal(out, pairs[i][1]);
        assert_int_equal(strlen(out), TEXT_BASE64URL_LEN(strlen(pairs[i][0])));
    }
    text_base64url(out, "\xfb\xff\xfe", 3);
    assert_string_equal(out, "-__-");
    assert_int_equal(text_base64url_value('-'), 62);
    assert_int_equal(text_base64url_value('_'), 63);
    assert_int_equal(text_base64url_value('9'), 61);
    assert_int_equal(text_base64url_value('+'), -1);
    assert_int_equal(text_base64url_value('='), -1);
    assert_int_equal(text_base64url_value('\0'), -1);
}

static void
plain_text_commands_nobody(void **state)
{
    static const char *const bad[] = {"a\n",      "\x1b[m", "\x7f",
                                      "\xc2\x85", "\xc3",   "\xff"};

    (void)state;
    assert_true(text_plain("", 0));
    assert_true(text_plain("J\xc3\xbcrgen \xc2\xa0 \xe2\x82\xac", 14));
    assert_false(text_plain("a\0b", 3));
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(text_plain(bad[i], strlen(bad[i])));
}

static void
visible_text_is_what_a_header_can_hold(void **state)
{
    (void)state;
    assert_true(text_visible("!a~", 3));
    assert_false(text_visible("!a~", 2));
    assert_false(text_visible("", 3));
    assert_false(text_visible("a b", 3));
    assert_false(text_visible("a\n", 3));
    assert_false(text_visible("a\x7f", 3));
    assert_false(text_visible("\xc3\xa4", 3));
}

static void
what_turns_text_around_is_not_shown(void **state)
{
    char out[12];

    (void)state;
    text_show(out, sizeof(out), NULL);
    assert_string_equal(out, "");
    text_show(out, sizeof(out), "a\r\nb\x1b[2J\x7f");
    assert_string_equal(out, "a??b?[2J?");
    text_show(out, sizeof(out), "\xc2\x9b\xc3\xa4\xff");
    assert_string_equal(out, "?\xc3\xa4?");
    text_show(out, sizeof(out), "0123456789\xc3\xa4");
    assert_string_equal(out, "0123456789");
    text_show(out, sizeof(out), "0123456789ab");
    assert_string_equal(out, "0123456789a");
    text_show(out, sizeof(out), "\xe2\x82");
    assert_string_equal(out, "?");
    text_show(out, sizeof(out),
              "\xe2\x80\xae"
              "a\xe2\x81\xa9\xd8\x9c");
    assert_string_equal(out, "?a??");
    text_show(out, sizeof(out), "\xf0\x9f\x99\x82");
    assert_string_equal(out, "\xf0\x9f\x99\x82");
    assert_true(text_shown("\xc3\xa4 \xf0\x9f\x99\x82"));
    assert_false(text_shown("a\xe2\x80\xae"));
    assert_false(text_shown("a\n"));
    assert_false(text_shown("a\xff"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64url_has_no_padding),
        cmocka_unit_test(plain_text_commands_nobody),
        cmocka_unit_test(visible_text_is_what_a_header_can_hold),
        cmocka_unit_test(what_turns_text_around_is_not_shown),
        cmocka_unit_test(utf8_agrees_with_its_definition),
        cmocka_unit_test(utf8_is_checked_at_every_place_of_a_long_text),
        cmocka_unit_test(the_whole_part_never_ends_inside_a_character),
        cmocka_unit_test(what_can_never_become_a_character_counts_as_whole),
        cmocka_unit_test(scrubbing_replaces_each_maximal_subpart),
        cmocka_unit_test(blank_is_what_shows_nothing),
        cmocka_unit_test(letters_compare_without_case),
        cmocka_unit_test(whole_numbers_are_read_within_bounds),
        cmocka_unit_test(what_is_no_number_leaves_the_result_alone),
        cmocka_unit_test(hex_goes_there_and_back),
        cmocka_unit_test(base64_follows_the_rfc),
        cmocka_unit_test(base64_keeps_all_bytes_of_all_lengths),
        cmocka_unit_test(bad_base64_adds_nothing),
        cmocka_unit_test(percent_decoding_undoes_encoding),
        cmocka_unit_test(plus_is_a_space_only_in_forms),
        cmocka_unit_test(bad_escapes_and_nul_add_nothing),
    };

    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
