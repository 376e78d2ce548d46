/* Tests of ops/audit_line.c. */
#include "audit_test.h"

#include "base/json.h"

/* Computed with sha256sum, not with this program. */
#define HASH_OF_LINE \
    "71ea52b5aa414304b4635ba0626cbb29a2f6e93eb313b5186e47db5006a828d9"

static void
body_of(struct buf *b, const struct audit_fact *f)
{
    buf_init(b, AUDIT_LINE_MAX);
    audit_body(b, f, 1767323045678);
    assert_int_equal(buf_status(b), OK);
}

/* The line of a fact, as the first of a chain. */
static char *
line_of(const struct audit_fact *f, const char *secret, size_t *len)
{
    struct audit_link link;
    struct audit_seal seal;
    struct buf body, line;
    char *s;

    audit_link_init(&link);
    audit_seal_init(&seal, secret);
    body_of(&body, f);
    buf_init(&line, AUDIT_LINE_MAX);
    audit_line(&line, &link, &seal, body.data, body.len);
    assert_int_equal(buf_status(&line), OK);
    assert_int_equal(line.data[line.len - 1], '\n');
    *len = line.len - 1;
    s = xmemdup0(line.data, *len);
    buf_release(&body);
    buf_release(&line);
    return s;
}

static void
a_body_holds_what_it_is_told_in_order(void **state)
{
    struct audit_fact f = {
        .what = AUDIT_PROVIDER_CALL,
        .who = "local/ann",
        .addr = "192.0.2.7",
        .with = {AUDIT_TEXT("provider", "openai"), AUDIT_NUMBER("tokens", 42),
                 AUDIT_BOOL("cached", false), AUDIT_LIST("files", "a.txt\nb"),
                 AUDIT_TEXT("none", NULL)}};
    struct buf b;

    (void)state;
    body_of(&b, &f);
    assert_string_equal(
        buf_cstr(&b),
        "\"at\":\"2026-01-02T03:04:05.678Z\",\"event\":\"provider_call\","
        "\"who\":\"local/ann\",\"addr\":\"192.0.2.7\",\"provider\":\"openai\","
        "\"tokens\":42,\"cached\":false,\"files\":[\"a.txt\",\"b\"]");
    buf_release(&b);
}

static void
nobody_without_an_address_is_nobody(void **state)
{
    struct audit_fact f = {.what = AUDIT_CONFIG_CHANGED,
                           .with = {AUDIT_LIST("names", "")}};
    struct buf b;

    (void)state;
    body_of(&b, &f);
    assert_non_null(strstr(buf_cstr(&b), "\"who\":\"\",\"names\":[]"));
    buf_release(&b);
}

static void
what_comes_from_outside_cannot_end_a_line_or_move_a_terminal(void **state)
{
    static const char evil[] =
        "ann\r\n{\"n\":9}\x1b[2J\x7f\xc2\x9b\x33m\xe2\x80\xa8\xe2\x80\xae"
        "\xe2\x81\xa6\xff\"\\";
    struct audit_fact f = {.what = AUDIT_LOGIN_FAILED,
                           .who = evil,
                           .addr = evil,
                           .with = {AUDIT_TEXT("user", evil)}};
    size_t len;
    char *s = line_of(&f, NULL, &len);
    cJSON *o = NULL;

    (void)state;
    for (size_t i = 0; i < len; i++)
        assert_true((unsigned char)s[i] >= ' ' && s[i] != 0x7F);
    assert_null(strstr(s, "\xc2\x9b"));
    assert_null(strstr(s, "\xe2\x80\xae"));
    assert_null(strstr(s, "\xe2\x80\xa8"));
    assert_null(strstr(s, "\xe2\x81\xa6"));
    assert_non_null(strstr(s, "\\u009b"));
    assert_non_null(strstr(s, "\\u202e"));
    assert_int_equal(json_parse(s, len, &o, NULL), OK);
    /* It says the same as before; ill-formed bytes have become U+FFFD. */
    assert_memory_equal(json_str(o, "user"), evil, sizeof(evil) - 4);
    cJSON_Delete(o);
    free(s);
}

static void
the_largest_fact_fits_into_a_line(void **state)
{
    char big[2 * AUDIT_TEXT_MAX];
    struct audit_fact f = {
        .what = AUDIT_PROVIDER_CALL, .who = big, .addr = big};
    size_t len;
    char *s;

    (void)state;
    (void)memset(big, 1, sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    for (size_t i = 0; i < AUDIT_MEMBERS_MAX; i++)
        f.with[i] = (struct audit_member)AUDIT_TEXT("member", big);
    s = line_of(&f, SECRET, &len);
    assert_true(len < AUDIT_LINE_MAX);
    free(s);
    for (size_t i = 0; i < sizeof(big) - 1; i += 2)
        big[i] = '\n';
    for (size_t i = 0; i < AUDIT_MEMBERS_MAX; i++)
        f.with[i] = (struct audit_member)AUDIT_LIST("member", big);
    s = line_of(&f, SECRET, &len);
    assert_true(len < AUDIT_LINE_MAX);
    free(s);
}

static void
a_text_that_is_cut_ends_with_a_whole_character(void **state)
{
    char text[AUDIT_TEXT_MAX + 8];
    struct audit_fact f = {.what = AUDIT_LOGIN_FAILED,
                           .with = {AUDIT_TEXT("user", text)}};
    struct buf b;

    (void)state;
    (void)memset(text, 'x', sizeof(text));
    (void)memcpy(text + AUDIT_TEXT_MAX - 1, "\xc3\xa4", 3);
    body_of(&b, &f);
    assert_null(strstr(buf_cstr(&b), "\xc3"));
    assert_null(strstr(buf_cstr(&b), "\xef\xbf\xbd"));
    buf_release(&b);
}

static void
a_line_is_read_as_it_was_written(void **state)
{
    struct audit_fact f = {.what = AUDIT_LOGOUT, .who = "local/ann"};
    struct audit_seal seal, other;
    struct audit_parts p;
    size_t len;
    char *s = line_of(&f, SECRET, &len);

    (void)state;
    audit_seal_init(&seal, SECRET);
    audit_seal_init(&other, "another");
    assert_int_equal(audit_line_read(s, len, &p), OK);
    assert_int_equal(p.n, 1);
    assert_true(audit_hash_right(s, &p));
    assert_true(audit_mac_right(&seal, &p));
    assert_false(audit_mac_right(&other, &p));
    for (size_t i = 0; i < AUDIT_HEX; i++)
        assert_int_equal(p.prev[i], '0');
    free(s);

    s = line_of(&f, "", &len);
    assert_int_equal(audit_line_read(s, len, &p), OK);
    assert_string_equal(p.mac, "");
    assert_false(audit_mac_right(&seal, &p));
    free(s);
}

static void
the_hash_is_of_the_bytes_before_it(void **state)
{
    static const char line[] =
        "{\"n\":1,\"at\":\"2026-01-02T03:04:05.678Z\",\"event\":\"logout\","
        "\"who\":\"local/ann\",\"prev\":\"00000000000000000000000000000000"
        "00000000000000000000000000000000\"";
    struct audit_fact f = {.what = AUDIT_LOGOUT, .who = "local/ann"};
    size_t len;
    char *s = line_of(&f, NULL, &len);

    (void)state;
    assert_memory_equal(s, line, sizeof(line) - 1);
    assert_string_equal(s + sizeof(line) - 1,
                        ",\"hash\":\"" HASH_OF_LINE "\"}");
    free(s);
}

static void
no_changed_byte_goes_unseen(void **state)
{
    struct audit_fact f = {.what = AUDIT_LOGIN,
                           .who = "local/ann",
                           .with = {AUDIT_TEXT("way", "password")}};
    struct audit_seal seal;
    struct audit_parts p;
    size_t len;
    char *s = line_of(&f, SECRET, &len);

    (void)state;
    audit_seal_init(&seal, SECRET);
    for (size_t i = 0; i < len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            s[i] = (char)(s[i] ^ (1 << bit));
            if (audit_line_read(s, len, &p) == OK)
                assert_false(audit_hash_right(s, &p) &&
                             audit_mac_right(&seal, &p));
            s[i] = (char)(s[i] ^ (1 << bit));
        }
    }
    for (size_t n = 0; n < len; n++)
        assert_int_equal(audit_line_read(s, n, &p), ERR_BADREQ);
    free(s);
}

static void
other_lines_are_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        "{",
        "{}",
        "x",
        "{\"n\":1}",
        "{\"n\":,\"prev\":\"\"}",
        "{\"n\":1,\"prev\":\"0\",\"hash\":\"0\"}"};
    struct audit_parts p;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_int_equal(audit_line_read(wrong[i], strlen(wrong[i]), &p),
                         ERR_BADREQ);
}

static void
the_head_says_where_the_chain_is(void **state)
{
    char text[AUDIT_HEAD_LEN + 1];
    struct audit_seal seal, other, none;
    struct audit_link link, read;
    bool right;

    (void)state;
    audit_seal_init(&seal, SECRET);
    audit_seal_init(&other, "another");
    audit_seal_init(&none, NULL);
    audit_link_init(&link);
    link.n = 42;
    link.hash[3] = 'f';
    audit_head_write(text, &link, &seal);
    assert_int_equal(strlen(text), AUDIT_HEAD_LEN);
    assert_int_equal(
        audit_head_read(text, AUDIT_HEAD_LEN, &seal, &read, &right), OK);
    assert_true(right);
    assert_int_equal(read.n, 42);
    assert_string_equal(read.hash, link.hash);
    assert_int_equal(
        audit_head_read(text, AUDIT_HEAD_LEN, &other, &read, &right), OK);
    assert_false(right);
    audit_head_write(text, &link, &none);
    assert_int_equal(
        audit_head_read(text, AUDIT_HEAD_LEN, &none, &read, &right), OK);
    assert_int_equal(strlen(text), AUDIT_HEAD_LEN);
    for (size_t n = 0; n < AUDIT_HEAD_LEN; n++)
        assert_int_equal(audit_head_read(text, n, &none, &read, &right),
                         ERR_BADREQ);
    text[20] = 'x';
    assert_int_equal(
        audit_head_read(text, AUDIT_HEAD_LEN, &none, &read, &right),
        ERR_BADREQ);
}

static void
every_event_has_a_word_and_a_meaning(void **state)
{
    (void)state;
    for (int i = 0; i < AUDIT__MAX; i++) {
        assert_non_null(audit_what_name((enum audit_what)i));
        assert_non_null(audit_what_help((enum audit_what)i));
        for (int k = 0; k < i; k++)
            assert_string_not_equal(audit_what_name((enum audit_what)i),
                                    audit_what_name((enum audit_what)k));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_holds_what_it_is_told_in_order),
        cmocka_unit_test(nobody_without_an_address_is_nobody),
        cmocka_unit_test(
            what_comes_from_outside_cannot_end_a_line_or_move_a_terminal),
        cmocka_unit_test(the_largest_fact_fits_into_a_line),
        cmocka_unit_test(a_text_that_is_cut_ends_with_a_whole_character),
        cmocka_unit_test(a_line_is_read_as_it_was_written),
        cmocka_unit_test(the_hash_is_of_the_bytes_before_it),
        cmocka_unit_test(no_changed_byte_goes_unseen),
        cmocka_unit_test(other_lines_are_refused),
        cmocka_unit_test(the_head_says_where_the_chain_is),
        cmocka_unit_test(every_event_has_a_word_and_a_meaning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
