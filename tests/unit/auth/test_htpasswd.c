/* Tests of auth/htpasswd.c: who can sign in, also after the file changed. */
#include "base/base.h"

#include <sys/stat.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <crypt.h>
#include <pthread.h>
#include <unistd.h>

#include "auth/htpasswd.h"
#include "auth/htpasswd_file.h"
#include "base/clock.h"
#include "base/log.h"

#define DEADLINE_MS 60000 /* for what takes a second or two */

struct world {
    char dir[64], path[128];
    struct htpasswd *h;
};

static void
hash_of(char out[CRYPT_OUTPUT_SIZE], const char *password, const char *setting)
{
    struct crypt_data *data = calloc(1, sizeof(*data));
    const char *got;

    assert_non_null(data);
    got = crypt_rn(password, setting, data, sizeof(*data));
    assert_non_null(got);
    (void)snprintf(out, CRYPT_OUTPUT_SIZE, "%s", got);
    free(data);
}

static void
put(const struct world *w, const char *user, const char *password,
    const char *setting)
{
    char hash[CRYPT_OUTPUT_SIZE];
    struct problem why = {0};

    hash_of(hash, password, setting);
    if (htpasswd_put(w->path, user, hash, &why) != OK)
        fail_msg("%s", why.message);
}

#define CHEAP "$2y$04$abcdefghijklmnopqrstuu"

static int
set_up(void **state)
{
    static struct world w;
    struct problem why = {0};

    (void)snprintf(w.dir, sizeof(w.dir), "/tmp/parley-htpasswd-XXXXXX");
    if (mkdtemp(w.dir) == NULL)
        return -1;
    (void)snprintf(w.path, sizeof(w.path), "%s/users", w.dir);
    put(&w, "ann", "b cr\xc3\xbdpt", CHEAP);
    put(&w, "bob", "sha", "$6$rounds=1000$saltsalt");
    put(&w, "carl", "yes", "$y$j75$saltsalt");
    put(&w, "dora", "a", "$2a$04$abcdefghijklmnopqrstuu");
    put(&w, "emil", "b", "$2b$04$abcdefghijklmnopqrstuu");
    *state = &w;
    return htpasswd_open(&w.h, w.path, 4, &why) == OK ? 0 : -1;
}

static int
tear_down(void **state)
{
    struct world *w = *state;

    htpasswd_close(w->h);
    (void)unlink(w->path);
    return rmdir(w->dir);
}

static enum err
check(struct world *w, const char *user, const char *password)
{
    struct problem why = {0};
    enum err e = htpasswd_check(w->h, user, password, &why);

    if (e == ERR_AUTH)
        assert_string_equal(why.code, "invalid_login");
    return e;
}

static void
pause_a_little(void)
{
    const struct timespec t = {.tv_nsec = 50 * 1000000};

    (void)nanosleep(&t, NULL);
}

/* Until the check says so. */
static void
wait_until(struct world *w, const char *user, const char *password,
           enum err want)
{
    int64_t until_ms = clock_mono_ms() + DEADLINE_MS;

    while (check(w, user, password) != want) {
        if (clock_mono_ms() > until_ms)
            fail_msg("%s is not taken in time", user);
        pause_a_little();
    }
}

/* Past the next look at the file. */
static void
wait_for_a_look(void)
{
    int64_t until_ms = clock_mono_ms() + HTPASSWD_LOOK_MS + 100;

    while (clock_mono_ms() < until_ms)
        pause_a_little();
}

/* -------------------------------------------------------------------------- */

static void
all_kinds_sign_in(void **state)
{
    struct world *w = *state;

    assert_int_equal(htpasswd_count(w->h), 5);
    for (int i = 0; i < 2; i++) { /* computed, then known */
        assert_int_equal(check(w, "ann", "b cr\xc3\xbdpt"), OK);
        assert_int_equal(check(w, "bob", "sha"), OK);
        assert_int_equal(check(w, "carl", "yes"), OK);
        assert_int_equal(check(w, "dora", "a"), OK);
        assert_int_equal(check(w, "emil", "b"), OK);
        assert_true(htpasswd_known(w->h, "carl", "yes"));
    }
}

static void
others_do_not(void **state)
{
    static const struct {
        const char *user, *password;
    } no[] = {
        {"ann", "sha"},  {"ann", ""},     {"ann", "b cr\xc3\xbdpt "},
        {"Ann", "sha"},  {"", ""},        {"nobody", "sha"},
        {"bob:", "sha"}, {"nobody", "a"}, {"nobody", "b cr\xc3\xbdpt"},
    };
    char many[2000];
    struct world *w = *state;

    for (size_t i = 0; i < COUNT_OF(no); i++) {
        assert_int_equal(check(w, no[i].user, no[i].password), ERR_AUTH);
        assert_false(htpasswd_known(w->h, no[i].user, no[i].password));
    }
    memset(many, 'x', sizeof(many) - 1);
    many[sizeof(many) - 1] = '\0';
    assert_int_equal(check(w, many, "sha"), ERR_AUTH);
    assert_int_equal(check(w, "bob", many), ERR_AUTH);
}

static void
a_new_password_counts_and_the_old_one_does_not(void **state)
{
    struct world *w = *state;
    char before[DIGEST_NAME_LEN], after[DIGEST_NAME_LEN];

    assert_int_equal(check(w, "bob", "sha"), OK);
    assert_true(htpasswd_mark(w->h, "bob", before));
    put(w, "bob", "new", CHEAP);
    wait_until(w, "bob", "new", OK);
    assert_int_equal(check(w, "bob", "sha"), ERR_AUTH); /* known or not */
    assert_true(htpasswd_mark(w->h, "bob", after));
    assert_string_not_equal(before, after);
    assert_true(htpasswd_mark(w->h, "ann", after));
    assert_true(htpasswd_mark(w->h, "ann", before));
    assert_string_equal(before, after);
}

static void
who_is_taken_out_is_out(void **state)
{
    struct world *w = *state;
    struct problem why = {0};
    char mark[DIGEST_NAME_LEN];

    assert_int_equal(check(w, "carl", "yes"), OK);
    assert_int_equal(htpasswd_put(w->path, "carl", NULL, &why), OK);
    wait_until(w, "carl", "yes", ERR_AUTH);
    assert_false(htpasswd_mark(w->h, "carl", mark));
    assert_false(htpasswd_known(w->h, "carl", "yes"));
    assert_int_equal(htpasswd_count(w->h), 4);
}

static void
write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void
a_broken_file_changes_nothing(void **state)
{
    struct world *w = *state;

    write_text(w->path, "ann:$apr1$x$y\nrubbish\n");
    wait_for_a_look();
    assert_int_equal(check(w, "bob", "sha"), OK);
    assert_int_equal(unlink(w->path), 0);
    wait_for_a_look();
    assert_int_equal(check(w, "carl", "yes"), OK);
    put(w, "zoe", "z", CHEAP); /* and a sound one counts again */
    wait_until(w, "zoe", "z", OK);
    assert_int_equal(check(w, "bob", "sha"), ERR_AUTH);
    write_text(w->path, ""); /* empty is sound: nobody */
    wait_until(w, "zoe", "z", ERR_AUTH);
    assert_int_equal(htpasswd_count(w->h), 0);
}

static void
what_cannot_be_opened_says_so(void **state)
{
    struct world *w = *state;
    struct problem why = {0};
    struct htpasswd *h;
    char path[160];

    (void)snprintf(path, sizeof(path), "%s/none", w->dir);
    assert_int_equal(htpasswd_open(&h, path, 4, &why), ERR_NOTFOUND);
    assert_null(h);
    assert_non_null(strstr(why.message, path));
    assert_int_equal(htpasswd_open(&h, w->dir, 4, &why), ERR_BADREQ);
    assert_int_equal(chmod(w->path, 0666), 0);
    assert_int_equal(htpasswd_open(&h, w->path, 4, &why), ERR_FORBIDDEN);
}

/* Wrong ones, right ones and a file that changes, all at the same time. */
static void *
ask_much(void *arg)
{
    struct world *w = arg;
    struct problem why;
    char mark[DIGEST_NAME_LEN];

    for (int i = 0; i < 40; i++) {
        IGNORE(htpasswd_check(w->h, "ann", "b cr\xc3\xbdpt", &why) != OK);
        IGNORE(htpasswd_check(w->h, "ann", i % 2 ? "x" : "y", &why) != OK);
        IGNORE(htpasswd_known(w->h, "ann", "x"));
        IGNORE(htpasswd_mark(w->h, "ann", mark));
        if (i % 10 == 0)
            wait_for_a_look();
    }
    return NULL;
}

static void
threads_and_a_file_that_changes(void **state)
{
    struct world *w = *state;
    pthread_t t[3];

    for (size_t i = 0; i < COUNT_OF(t); i++)
        assert_int_equal(pthread_create(&t[i], NULL, ask_much, w), 0);
    for (int i = 0; i < 3; i++) {
        put(w, "other", i % 2 ? "one" : "two", CHEAP);
        wait_for_a_look();
    }
    for (size_t i = 0; i < COUNT_OF(t); i++)
        assert_int_equal(pthread_join(t[i], NULL), 0);
    wait_until(w, "other", "two", OK);
    assert_int_equal(check(w, "ann", "b cr\xc3\xbdpt"), OK);
}

/* A name may be longer than what is left for it in an owner. */
static void
who_is_in_the_file_is_known_by_name_or_digest(void **state)
{
    struct world *w = *state;
    char name[HTPASSWD_USER_MAX + 1], digest[DIGEST_NAME_LEN + 1] = "#";
    int64_t deadline_ms = clock_mono_ms() + DEADLINE_MS;

    assert_true(htpasswd_has(w->h, "ann"));
    assert_false(htpasswd_has(w->h, "an"));
    assert_false(htpasswd_has(w->h, ""));
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    digest_name(digest + 1, name, strlen(name));
    assert_false(htpasswd_has(w->h, name));
    assert_false(htpasswd_has(w->h, digest));
    put(w, name, "c", CHEAP);
    while (!htpasswd_has(w->h, digest)) {
        assert_true(clock_mono_ms() < deadline_ms);
        assert_int_equal(usleep(20000), 0);
    }
    assert_true(htpasswd_has(w->h, name));
    digest[5] ^= 1;
    assert_false(htpasswd_has(w->h, digest));
}

int
main(void)
{
#define ONE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ONE(all_kinds_sign_in),
        ONE(others_do_not),
        ONE(a_new_password_counts_and_the_old_one_does_not),
        ONE(who_is_taken_out_is_out),
        ONE(who_is_in_the_file_is_known_by_name_or_digest),
        ONE(a_broken_file_changes_nothing),
        ONE(what_cannot_be_opened_says_so),
        ONE(threads_and_a_file_that_changes),
    };

    log_set_level(LOG_ERROR + 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
