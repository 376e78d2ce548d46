/*
 * Forgetting: what is gone is not found, does not come back, and is in none of
 * the files.
 */
#include "search_test.h"

static void
what_is_forgotten_is_not_found_and_stays_forgotten(void **state)
{
    uint64_t gone[] = {1, 3, 77};
    struct search_stats st;

    (void)state;
    add(1, 0, "a common word");
    add(2, 0, "a common word");
    add(3, 0, "a common word");
    add(3, 1, "a common word");
    assert_int_equal(search_forget(ix, gone, 3), OK);
    assert_found("common", "2:0|");
    add(1, 0, "a common word"); /* by somebody who reads behind */
    add(77, 0, "a common word");
    assert_found("common", "2:0|");
    assert_int_equal(search_forget(ix, gone, 0), OK);
    assert_int_equal(search_stats(ix, &st), OK);
    assert_int_equal(st.messages, 1);
    assert_int_equal(st.sessions, 1);
    assert_int_equal(cursor_now(), 77);
}

/* How many of the words "<prefix><i>e" are in the files of the folder. */
static unsigned
words_in_files(const char *prefix, unsigned n)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    unsigned found = 0;

    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        char path[300], word[40];
        struct stat st;
        char *bytes;
        FILE *f;

        (void)snprintf(path, sizeof(path), "%s/messages.db%s", search_dir,
                       ends[i]);
        f = fopen(path, "rbe");
        if (f == NULL)
            continue;
        assert_int_equal(fstat(fileno(f), &st), 0);
        bytes = malloc((size_t)st.st_size + 1);
        assert_non_null(bytes);
        assert_int_equal(fread(bytes, 1, (size_t)st.st_size, f), st.st_size);
        (void)fclose(f);
        for (unsigned k = 0; k < n; k++) {
            (void)snprintf(word, sizeof(word), "%s%ue", prefix, k);
            found += memmem(bytes, (size_t)st.st_size, word, strlen(word)) !=
                     NULL;
        }
        free(bytes);
    }
    return found;
}

/* The files are read by another process: closing one here would drop SQLite's
 * locks on it. */
static unsigned
words_seen_from_outside(const char *prefix, unsigned n)
{
    pid_t pid = fork();

    if (pid == 0) {
        unsigned found = words_in_files(prefix, n);

        _exit(found < 100 ? (int)found : 100);
    }
    return (unsigned)child_wait(pid);
}

#define MARKED 400

/* Messages of many lengths, those of even sessions with words that begin with
 * "zzmark". FTS5 writes what words have in common once: so each of these is
 * alone in its place of the alphabet, behind one that begins so. */
static void
add_marked(void)
{
    char *text = malloc(20000);

    assert_non_null(text);
    for (unsigned i = 0; i < MARKED; i++) {
        int n = snprintf(text, 100, i % 2 ? "plain%ue " : "zzmark%ue ", i / 2);

        for (unsigned k = 0; k < i * 37 % 211; k++)
            n += snprintf(text + n, 100, "w%u ", (i * 31 + k * 17) % 3001);
        if (i % 20 == 0) /* more than a page */
            for (unsigned k = 0; k < 2000; k++)
                n += snprintf(text + n, 100, "filler%u ", k % 7);
        if (i % 2 == 0)
            (void)snprintf(text + n, 100, "zzmark%ue", i / 2);
        add(1 + i % 40, i / 40, text);
    }
    free(text);
}

static void
forgotten_text_is_in_no_file(void **state)
{
    uint64_t gone[20];

    (void)state;
    add_marked();
    assert_int_not_equal(words_seen_from_outside("zzmark", MARKED / 2), 0);
    for (unsigned i = 0; i < 20; i++)
        gone[i] = 1 + 2 * i;
    assert_int_equal(search_forget(ix, gone, 3), OK);
    assert_int_equal(search_forget(ix, gone + 3, 17), OK);
    assert_int_equal(words_seen_from_outside("zzmark", MARKED / 2), 0);
    assert_int_not_equal(words_seen_from_outside("plain", MARKED / 2), 0);
    assert_found("zzmark*", "");
    assert_found("plain7e", "16:0|");
    for (uint64_t no = 1; no <= 40; no++)
        assert_int_equal(search_forget(ix, &no, 1), OK);
    assert_int_equal(words_seen_from_outside("plain", MARKED / 2), 0);
}

static void
replaced_text_is_wiped_with_the_next_that_is_forgotten(void **state)
{
    uint64_t none = 12345;

    (void)state;
    add_marked();
    for (unsigned i = 0; i < MARKED; i += 2)
        add(1 + i % 40, i / 40, "nothing");
    assert_int_equal(search_forget(ix, &none, 1), OK);
    assert_int_equal(words_seen_from_outside("zzmark", MARKED / 2), 0);
    assert_found("plain7e", "16:0|");
}

static void
a_reset_forgets_all(void **state)
{
    uint64_t gone = 1;

    (void)state;
    add_marked();
    assert_int_equal(search_forget(ix, &gone, 1), OK);
    assert_int_equal(search_reset(ix), OK);
    assert_int_equal(words_seen_from_outside("zzmark", MARKED / 2), 0);
    assert_int_equal(cursor_now(), 0);
    add(1, 0, "also what was forgotten");
    assert_found("forgotten", "1:0|");
}

static void
what_is_cleared_may_come_again(void **state)
{
    uint64_t cleared[] = {1, 5};
    char owner[STORE_OWNER_MAX + 1];
    uint32_t seq = 99;
    struct ident id;

    (void)state;
    add(1, 0, "what was said");
    add(1, 1, "and answered");
    add(2, 0, "what was said");
    assert_int_equal(search_last(ix, 1, &seq, &id, owner), OK);
    assert_int_equal(seq, 1);
    assert_int_equal(search_clear(ix, cleared, 2), OK);
    assert_int_equal(search_last(ix, 1, &seq, &id, owner), ERR_NOTFOUND);
    assert_found("said", "2:0|");
    add(1, 0, "said anew");
    assert_found("anew", "1:0|");
}

static void
what_it_has_is_told(void **state)
{
    struct search_message m = message_of("ann", 4, 7, "hello");
    char owner[STORE_OWNER_MAX + 1];
    uint64_t no[2];
    uint32_t seq;
    struct ident id;
    size_t n;

    (void)state;
    add(1, 0, "a");
    add(9, 0, "b");
    assert_int_equal(search_add(ix, &m, 1, SEARCH_CURSOR_KEEP), OK);
    assert_int_equal(cursor_now(), 9);
    assert_int_equal(search_last(ix, 4, &seq, &id, owner), OK);
    assert_int_equal(seq, 7);
    assert_string_equal(owner, "ann");
    assert_true(ident_eq(&id, &m.id));
    assert_int_equal(search_sessions(ix, 0, no, 2, &n), OK);
    assert_int_equal(n, 2);
    assert_int_equal(no[0], 1);
    assert_int_equal(no[1], 4);
    assert_int_equal(search_sessions(ix, 5, no, 2, &n), OK);
    assert_int_equal(n, 1);
    assert_int_equal(no[0], 9);
}

#define TEST(f) \
    cmocka_unit_test_setup_teardown(f, search_setup, search_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_forgotten_is_not_found_and_stays_forgotten),
        TEST(forgotten_text_is_in_no_file),
        TEST(replaced_text_is_wiped_with_the_next_that_is_forgotten),
        TEST(a_reset_forgets_all),
        TEST(what_is_cleared_may_come_again),
        TEST(what_it_has_is_told),
    };

    return cmocka_run_group_tests_name("search_forget", tests, NULL, NULL);
}
