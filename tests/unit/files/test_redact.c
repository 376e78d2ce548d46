/* Tests of files/redact.c and its finders. Keys are put together from two
 * strings, so that nobody who looks for leaked ones finds them here. */
#include "plain_test.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "files/rules.h"

static void
assert_redacted(const char *patterns, const char *text, const char *want)
{
    struct redact *r = redact_new(patterns);
    size_t n = strlen(text), marks = 0, count;
    char *copy = xmalloc(n); /* of its exact size */
    struct buf out;

    memcpy(copy, text, n);
    buf_init(&out, 1 << 20);
    count = redact_text(r, copy, n, &out);
    assert_string_equal(buf_cstr(&out), want);
    for (const char *s = want; (s = strstr(s, "[redacted]")) != NULL; s++)
        marks++;
    assert_int_equal(count, marks);
    buf_release(&out);
    free(copy);
    redact_free(r);
}

/* All of it, and nothing around it. */
static void
assert_hidden(const char *what)
{
    char text[2000];

    assert_redacted("", what, "[redacted]");
    snprintf(text, sizeof(text), "so (%s), it is", what);
    assert_redacted("", text, "so ([redacted]), it is");
    snprintf(text, sizeof(text), "\xC3\xA4 %s.", what);
    assert_redacted("", text, "\xC3\xA4 [redacted].");
}

static void
assert_shown(const char *what)
{
    assert_redacted("", what, what);
}

static void
a_text_without_secrets_stays_as_it_is(void **state)
{
    (void)state;
    assert_shown("");
    assert_shown("Plain words, 42 of them, and \xE2\x82\xAC 3.50 at 10:30.");
    assert_shown("\xFF\xC3 broken bytes");
    redact_free(NULL);
}

static void
addresses_of_mail(void **state)
{
    (void)state;
    assert_hidden("anna@example.org");
    assert_hidden("Anna.M\xC3\xBCller+news@mail.sub-domain.example.co.uk");
    assert_redacted("", "Write to a@b.de or c_d@example.com.",
                    "Write to [redacted] or [redacted].");
    assert_redacted("", "mail=anna@example.org&x", "mail=[redacted]&x");
    assert_shown("@anna and me@home and x@y.z and a@1.2");
    assert_shown("a @ b.de, user@, @example.org");
}

static void
telephone_numbers(void **state)
{
    (void)state;
    assert_hidden("+49 30 1234567");
    assert_hidden("+4915112345678");
    assert_hidden("+49 (0) 30 / 123 45 67");
    assert_hidden("+1-202-555-0123");
    assert_hidden("030 1234567");
    assert_hidden("0171/1234567");
    assert_hidden("01711234567");
    assert_hidden("0033 1 23 45 67 89");
    assert_hidden("01 23 45 67 89");
    assert_hidden("(030) 123456");
    assert_hidden("(202) 555-0123");
    assert_hidden("202-555-0123");
    assert_hidden("1-202-555-0123");
    assert_hidden("030\xC2\xA0"
                  "1234567");
    assert_redacted("", "0171 1234567 0172 1234568", "[redacted] [redacted]");
    assert_redacted("", "Tel.: 030 1234567 (8-16 h)",
                    "Tel.: [redacted] (8-16 h)");
}

static void
other_numbers_are_no_telephones(void **state)
{
    (void)state;
    assert_shown("01.02.2024, 31/12/1999, 2024-08-15, 08:30:00");
    assert_shown("05.06.2024 10:00");
    assert_shown("0.12345678 and 3.14159265 and 1,234,567.89");
    assert_shown("127.0.0.1 and 192.168.100.200 and version 10.11.12");
    assert_shown("12345678 and 20240815 and 1700000000");
    assert_shown("ISBN 978-3-16-148410-0");
    assert_shown("a0171 1234567x");
    assert_shown("+12 and +123456");
}

static void
card_numbers(void **state)
{
    (void)state;
    assert_hidden("4111111111111111");
    assert_hidden("4111 1111 1111 1111");
    assert_hidden("5500-0000-0000-0004");
    assert_hidden("340000000000009");
    assert_redacted("", "4111 1111 1111 1111 12/27", "[redacted] 12/27");
    assert_shown("4111111111111112");
    assert_shown("41111111111111110000000");
    assert_shown("x4111111111111111");
}

static void
account_numbers(void **state)
{
    (void)state;
    assert_hidden("DE89370400440532013000");
    assert_hidden("DE89 3704 0044 0532 0130 00");
    assert_hidden("gb82west12345698765432");
    assert_hidden("NO93 8601 1117 947");
    assert_redacted("", "DE89 3704 0044 0532 0130 00 at a bank",
                    "[redacted] at a bank");
    assert_shown("DE88370400440532013000");
    assert_shown("DE89370400440532013000X");
    assert_shown("QQ89370400440532013000");
}

static void
keys_and_tokens(void **state)
{
    (void)state;
    assert_hidden("sk-"
                  "ant-abcdefghijkl0123456789");
    assert_hidden("ghp"
                  "_0123456789abcdefABCDEF0123456789abcd");
    assert_hidden("AKIA"
                  "IOSFODNN7EXAMPLE0000");
    assert_hidden("eyJ"
                  "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjMifQ.c2lnbmF0dXJl");
    assert_hidden("d41d8cd98f00b204e9800998ecf8427e");
    assert_hidden("Xk29fLq83ZpTm4Wc7Rv1Yb6Nh5Js0DgA");
    assert_redacted("", "https://anna:geheim@host/x",
                    "https://anna:[redacted]@host/x");
    assert_shown("https://host:8080/x and http://a:b and task-oriented");
    assert_shown("sk-learn is a library; sk-short1");
    assert_shown("a-file-name-that-is-quite-long-and-harmless-2024-08");
    assert_shown("123e4567-e89b-12d3-a456-426614174000");
    assert_shown("12345678901234567890123456789012345678");
    assert_shown("/usr/share/doc/Parley/README/of/the/Year2024/Long/Path");
}

static void
passwords_after_their_names(void **state)
{
    (void)state;
    assert_redacted("", "password: hunter2, ok", "password: [redacted], ok");
    assert_redacted("", "DB_PASSWORD=\"two words\"",
                    "DB_PASSWORD=\"[redacted]\"");
    assert_redacted("", "{\"api_key\": \"abc123def456\"}",
                    "{\"api_key\": \"[redacted]\"}");
    assert_redacted("", "Authorization: Bearer abcdefgh12345678ijkl",
                    "Authorization: Bearer [redacted]");
    assert_redacted("",
                    "Passwort: gr\xC3\xBC\xC3\x9F"
                    "e!",
                    "Passwort: [redacted]");
    assert_shown("The secret: never give up. A token: one word.");
    assert_shown("password is what you type; password:\nnext line");
}

#define BEGIN_KEY   \
    "-----BEGIN RS" \
    "A PRIVATE KEY-----"
#define END_KEY   \
    "-----END RS" \
    "A PRIVATE KEY-----"
#define KEY_LINE "MIIEpAIBAAKCAQEA7bq0Xk29fLq83ZpTm4Wc7Rv1Yb6Nh5Js0DgA/x+1"

static void
private_keys_whole_and_in_parts(void **state)
{
    (void)state;
    assert_redacted("", "a\n" BEGIN_KEY "\n" KEY_LINE "\nxy\n" END_KEY "\nb",
                    "a\n[redacted]\nb");
    assert_redacted("", "a\n" BEGIN_KEY "\n" KEY_LINE "\nxy", "a\n[redacted]");
    assert_redacted("", "xy\n" END_KEY "\nb", "[redacted]\nb");
    assert_redacted("", KEY_LINE "\n  " KEY_LINE "\r\nshort",
                    "[redacted]\n  [redacted]\r\nshort");
    assert_shown("-----BEGIN CERTIFICATE-----\n----- a line -----");
}

static void
words_of_the_rules(void **state)
{
    static const char rules[] = "Project  Falcon\nACC-[0-9]*\nM\xC3\x9Cller\n"
                                "w?nd\n\\[x\\]\nbad[\n#1*";

    (void)state;
    assert_redacted(rules, "project falcon, PROJECT\n\tFALCON.",
                    "[redacted], [redacted].");
    assert_redacted(rules, "Projects Falcon, Project Falcons, aProject Falcon",
                    "Projects Falcon, Project Falcons, aProject Falcon");
    assert_redacted(rules, "ACC-12345x ACC-x acc-9",
                    "[redacted] ACC-x [redacted]");
    assert_redacted(rules, "Herr m\xC3\xBCller und Frau M\xC3\x9CLLER-Y",
                    "Herr [redacted] und Frau [redacted]-Y");
    assert_redacted(rules, "wind wund w\xC3\xA4nd wnd",
                    "[redacted] [redacted] [redacted] wnd");
    assert_redacted(rules, "an [x] here", "an [redacted] here");
    assert_redacted(rules, "what is bad[ stays hidden",
                    "what is [redacted] stays hidden");
    assert_redacted(rules, "number #12,3 is", "number [redacted] is");
}

/* As docs/RULES.md says. */
static void
addresses_of_machines_by_a_rule(void **state)
{
    (void)state;
    assert_redacted("[0-9]*.[0-9]*.[0-9]*.[0-9]*", "from 127.0.0.1 with 1.2.3",
                    "from [redacted] with 1.2.3");
}

static void
what_overlaps_is_one_mark(void **state)
{
    (void)state;
    assert_redacted("anna*\nexample.org and more", "anna@example.org and more.",
                    "[redacted].");
    assert_redacted("a b\nb c\nc d", "a b c d e", "[redacted] e");
    assert_redacted("a\nb", "a b", "[redacted] [redacted]");
}

/* What makes a careless finder look twice at everything. */
/* A part of a text, at every place where it may be cut. */
static void
what_is_cut_by_a_border_is_known(void **state)
{
    static const char text[] = "So Project Falcon pays 4111 1111 1111 1111 by "
                               "+49 30 1234567, mail ann@example.org.";
    static const char whole[] = "So [redacted] pays [redacted] by [redacted], "
                                "mail [redacted].";
    static const char *const secret[] = {"Project", "Falcon", "4111",
                                         "1111",    "+49",    "1234567",
                                         "ann",     "@",      "example"};
    struct redact *r = redact_new("Project Falcon");
    size_t n = strlen(text);
    struct buf a, b;

    (void)state;
    for (size_t cut = 0; cut <= n; cut++) {
        buf_init(&a, 1000);
        buf_init(&b, 1000);
        (void)redact_part(r, text, n, 0, cut, false, &a);
        (void)redact_part(r, text, n, cut, n, false, &b);
        for (size_t i = 0; i < COUNT_OF(secret); i++) {
            assert_null(strstr(buf_cstr(&a), secret[i]));
            assert_null(strstr(buf_cstr(&b), secret[i]));
        }
        assert_true(strncmp(buf_cstr(&a), whole, 3) == 0 || cut < 3);
        if (cut == 0)
            assert_string_equal(buf_cstr(&b), whole);
        buf_release(&a);
        buf_release(&b);
    }
    buf_init(&a, 1000);
    assert_int_equal(redact_part(r, text, n, 5, 9, false, &a), 1);
    assert_string_equal(buf_cstr(&a), "[redacted]"); /* all of it is inside */
    buf_clear(&a);
    assert_int_equal(redact_part(r, text, n, 18, 22, false, &a), 0);
    assert_string_equal(buf_cstr(&a), "pays");
    buf_release(&a);
    redact_free(r);
}

static void
words_in_names_of_files_are_joined_in_many_ways(void **state)
{
    static const char *const names[] = {
        "Project Falcon.md",   "project_falcon.md", "a/PROJECT-FALCON/b.txt",
        "old.project.falcon.", "Project/Falcon",    "x-project_falcon-y"};
    struct redact *r = redact_new("Project Falcon");
    struct buf out;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        buf_init(&out, 1000);
        assert_int_equal(redact_part(r, names[i], strlen(names[i]), 0,
                                     strlen(names[i]), true, &out),
                         1);
        assert_null(strcasestr(buf_cstr(&out), "falcon"));
        assert_non_null(strstr(buf_cstr(&out), "[redacted]"));
        buf_release(&out);
    }
    assert_redacted("Project Falcon", "project_falcon", "project_falcon");
    redact_free(r);
}

static void
what_was_cut_loses_its_end(void **state)
{
    struct redact *r = redact_new("Project Falcon");
    char text[256];
    struct buf out;

    (void)state;
    (void)memset(text, 'x', sizeof(text));
    (void)memcpy(text + 255 - 11, " Project Fa", 11);
    text[255] = '\0';
    buf_init(&out, 1000);
    redact_cut(r, text, 255, 255, &out);
    assert_null(strstr(buf_cstr(&out), "Project"));
    assert_int_equal(out.len, 255 - REDACT_TAIL + strlen("[redacted]"));
    buf_clear(&out);
    redact_cut(r, text, 251, 255, &out); /* it was not */
    assert_non_null(strstr(buf_cstr(&out), " Projec"));
    buf_clear(&out);
    redact_cut(r, text, 252, 255, &out); /* a character of four bytes */
    assert_null(strstr(buf_cstr(&out), "Proj"));
    buf_clear(&out);
    redact_cut(r, "Of Project Falcon", 17, 255, &out);
    assert_string_equal(buf_cstr(&out), "Of [redacted]");
    buf_clear(&out);
    redact_cut(r, "", 0, 255, &out);
    assert_int_equal(out.len, 0);
    buf_release(&out);
    redact_free(r);
}

static void
no_text_is_slow(void **state)
{
    static const char *const parts[] = {
        "sk-",      "sk-.",      "a@",     "://a:",
        "a.",       "0171 ",     "4111 1", "DE89",
        "bearer",   "-----END ", "(0",     "password:\"",
        "[",        "a ",        "x*",     "-----BEGIN PRIVATE K",
        "\xC3\xA4", " \t",       "eyJ-"};
    struct redact *r = redact_new("a* b* c\n*a*a*a*a*a*b\n????????x\na b");
    struct buf text, out;

    (void)state;
    buf_init(&text, 1 << 20);
    buf_init(&out, 16 << 20);
    for (size_t k = 0; k < COUNT_OF(parts); k++) {
        buf_clear(&text);
        buf_clear(&out);
        while (text.len < 1 << 13)
            buf_adds(&text, parts[k]);
        redact_text(r, text.data, text.len, &out);
        assert_int_equal(buf_status(&out), OK);
    }
    buf_release(&text);
    buf_release(&out);
    redact_free(r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_without_secrets_stays_as_it_is),
        cmocka_unit_test(addresses_of_mail),
        cmocka_unit_test(telephone_numbers),
        cmocka_unit_test(other_numbers_are_no_telephones),
        cmocka_unit_test(card_numbers),
        cmocka_unit_test(account_numbers),
        cmocka_unit_test(keys_and_tokens),
        cmocka_unit_test(passwords_after_their_names),
        cmocka_unit_test(private_keys_whole_and_in_parts),
        cmocka_unit_test(words_of_the_rules),
        cmocka_unit_test(addresses_of_machines_by_a_rule),
        cmocka_unit_test(what_overlaps_is_one_mark),
        cmocka_unit_test(what_is_cut_by_a_border_is_known),
        cmocka_unit_test(words_in_names_of_files_are_joined_in_many_ways),
        cmocka_unit_test(what_was_cut_loses_its_end),
        cmocka_unit_test(no_text_is_slow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
