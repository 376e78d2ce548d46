/* What is too easy for a password: auth/password.h. */
#include "base/base.h"

#include "auth/password.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

#include "../base/base_test.h"

/* A project's folder with a list of its own. */
static char root[] = "/tmp/parley-password-XXXXXX";

static char real_root[200]; /* where the test is run; "" if unknown */

static const char *
list_path(const char *folder)
{
    static char path[300];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, PASSWORD_LIST);
    return path;
}

static void
write_list(const char *bytes, size_t n)
{
    FILE *f = fopen(list_path(root), "w");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static int
make_root(void **state)
{
    static const char list[] = "# walruses many people chose\n"
                               "fordf350\nMilkyWay\nwhat\"s\\up\n#1winner\n"
                               "trombone\n";

    (void)state;
    log_set_level(LOG_ERROR);
    if (getcwd(real_root, sizeof(real_root)) == NULL)
        real_root[0] = '\0';
    assert_non_null(mkdtemp(root));
    assert_int_equal(chdir(root), 0);
    assert_int_equal(mkdir("etc", 0700), 0);
    assert_int_equal(mkdir("etc/lexicon", 0700), 0);
    write_list(list, sizeof(list) - 1);
    return 0;
}

static int
remove_root(void **state)
{
    static const char *const names[] = {PASSWORD_LIST, "etc/lexicon", "etc",
                                        root};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_int_equal(remove(names[i]), 0);
    return 0;
}

static void
refused(const char *user, const char *password, const char *why)
{
    const char *fault = password_fault(root, user, password);

    if (fault == NULL || strstr(fault, why) == NULL)
        fail_msg("%s of %s: %s", password, user, fault != NULL ? fault : "-");
}

static void
taken(const char *user, const char *password)
{
    const char *fault = password_fault(root, user, password);

    if (fault != NULL)
        fail_msg("%s of %s: %s", password, user, fault);
}

#define EACH 61 /* lines of the list: it is read anew for each of them */

/* The list that make takes from npm, where it has been there already. */
static void
what_most_people_use_is_refused(void **state)
{
    FILE *f = real_root[0] != '\0' ? fopen(list_path(real_root), "r") : NULL;
    char word[100];
    size_t n = 0, line = 0;

    (void)state;
    if (f == NULL)
        skip();
    while (fgets(word, sizeof(word), f) != NULL) {
        word[strcspn(word, "\n")] = '\0';
        if (strncmp(word, "# ", 2) == 0)
            continue;
        n += strlen(word) >= PASSWORD_MIN;
        if (line++ % EACH == 0 &&
            password_fault(real_root, "ann", word) == NULL)
            fail_msg("%s is taken", word);
    }
    (void)fclose(f);
    assert_true(n >= 3000);
}

static void
the_list_is_a_password_a_line(void **state)
{
    (void)state;
    refused("", "trombone", "many people use");
    refused("", "Tr0mb0ne-77", "many people use");
    refused("", "what\"s\\up", "many people use");
    refused("", "#1winner", "many people use");
    taken("", "# walruses many people chose");
    taken("", "walruses");
    taken("", "fordf350 milkyway");
}

/* The last: it leaves no list that is of use. */
static void
without_the_list_the_obvious_is_refused(void **state)
{
    size_t n = PASSWORD_LIST_MAX + 1;
    char *bytes = malloc(n);

    (void)state;
    assert_non_null(bytes);
    memset(bytes, '\n', n);
    memcpy(bytes, "trombone", 8);
    write_list(bytes, n - 1);
    refused("", "trombone", "many people use");
    write_list(bytes, n); /* too long */
    taken("", "trombone");
    refused("", "Dragon2024!", "many people use");
    write_list("", 0);
    taken("", "trombone");
    refused("", "password", "many people use");
    free(bytes);
    assert_int_equal(unlink(list_path(root)), 0);
    taken("", "trombone");
    refused("", "P4ssw0rd!!", "many people use");
    assert_int_equal(mkdir(list_path(root), 0700), 0); /* cannot be read */
    taken("", "trombone");
    refused("", "sunshine", "many people use");
}

static void
case_makes_no_difference(void **state)
{
    static const char *const all[] = {
        "password", "baseball",  "Football", "TRUSTNO1", "iloveyou",
        "computer", "starwars",  "corvette", "internet", "maverick",
        "Victoria", "liverpool", "1qaz2wsx", "passw0rd", "qwerty123",
        "fordf350", "milkyway"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        if (password_fault(root, "ann", all[i]) == NULL)
            fail_msg("%s is taken", all[i]);
    }
}

static void
words_are_seen_through_what_is_put_on_them(void **state)
{
    static const char *const all[] = {
        "Dragon2024!",  "dragon123456", "2024dragon",     "!!monkey!!",
        "p4$$w0rd",     "P@ssw0rd2023", "$unsh1ne",       "l3tm31n!",
        "shadow#1999",  "b4s3b4ll1",    "123monkey123",   "monkeymonkey1",
        "m0nk3ym0nk3y", "mustang12",    "12345678dragon", "dragon19871224"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(all); i++)
        refused("ann", all[i], "many people use");
}

static void
walks_and_repetitions_are_refused(void **state)
{
    static const char *const walks[] = {
        "qwertyuiop", "poiuytrewq", "asdfghjk",  "1qaz2wsx3edc", "1q2w3e4r",
        "q1w2e3r4t5", "abcdefgh",   "87654321",  "0987654321",   "aaaaaaaa",
        "aaaa1111",   "abc123abc",  "qwerty12",  "QWERTZUIOP",   "azertyuiop",
        "!@#$%^&*(",  "qweasdzxc",  "zxcvbnm,.", "11112222"};
    static const char *const again[] = {"kw7kw7kw7", "x9kx9kx9kx9",
                                        "zvy8zvy8zvy8zvy8"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(walks); i++)
        refused("", walks[i], "in a row");
    for (size_t i = 0; i < COUNT_OF(again); i++)
        refused("", again[i], "again and again");
}

static void
dates_are_refused(void **state)
{
    static const char *const dates[] = {"24121987",   "1987-12-24",
                                        "12/24/1987", "24.12.2003",
                                        "19871224",   "2003 12 24"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(dates); i++)
        refused("", dates[i], "a date");
    taken("", "99887361");
    taken("", "24121687");
    taken("", "19879924");
}

static void
names_are_refused(void **state)
{
    (void)state;
    refused("annabella", "annabella", "user's name");
    refused("annabella", "AnnaBella!", "user's name");
    refused("ann", "ann83746152", "user's name");
    refused("ann", "4nn-2024", "user's name");
    refused("ann.brewster@example.org", "Brewster7", "user's name");
    refused("bo.li", "bo.li!!!", "user's name");
    refused("zoë", "zoë20242024", "user's name");
    refused("ann", "annannann", "user's name");
    refused("ann", "parley2024", "program's name");
    refused("ann", "P4rl3y!!", "program's name");
    taken("bo", "bo7 rgx kq");
    taken("ann", "annual rings of oaks");
}

static void
characters_are_counted_not_bytes(void **state)
{
    (void)state;
    refused("", "", "fewer than 8");
    refused("", "seven77", "fewer than 8");
    refused("", "sieven\xc3\xa4", "fewer than 8");
    taken("", "\xc3\xa4\xc3\xb6\xc3\xbcxk\xc3\x9fqj");
}

static void
what_is_none_of_it_is_taken(void **state)
{
    static const char *const all[] = {
        "correct horse battery",
        "first one",
        "second one",
        "tr0ub4dor and 3 more",
        "kX7#vq2!mZ",
        "nine purple violins",
        "zebra-lamp-canoe",
        "9f3b1c7e5a20",
        "mjt8 hyb5",
        ("\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c"
         "\xd0\xb8\xd1\x89\xd0\xb5")};
    char longest[2000];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(all); i++)
        taken("ann", all[i]);
    for (size_t i = 0; i < sizeof(longest) - 1; i++)
        longest[i] = (char)('!' + i * i * 7 % 90);
    longest[sizeof(longest) - 1] = '\0';
    taken("ann", longest);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_most_people_use_is_refused),
        cmocka_unit_test(the_list_is_a_password_a_line),
        cmocka_unit_test(case_makes_no_difference),
        cmocka_unit_test(words_are_seen_through_what_is_put_on_them),
        cmocka_unit_test(walks_and_repetitions_are_refused),
        cmocka_unit_test(dates_are_refused),
        cmocka_unit_test(names_are_refused),
        cmocka_unit_test(characters_are_counted_not_bytes),
        cmocka_unit_test(what_is_none_of_it_is_taken),
        cmocka_unit_test(without_the_list_the_obvious_is_refused),
    };

    return cmocka_run_group_tests(tests, make_root, remove_root);
}
