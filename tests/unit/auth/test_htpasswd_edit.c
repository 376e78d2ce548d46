/* Tests of auth/htpasswd_edit.c: new hashes, and a file that is changed. */
#include "base/base.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <crypt.h>
#include <unistd.h>

#include "auth/htpasswd_file.h"

struct world {
    char dir[64], path[128], link[128];
};

static int
set_up(void **state)
{
    static struct world w;

    (void)snprintf(w.dir, sizeof(w.dir), "/tmp/parley-htedit-XXXXXX");
    if (mkdtemp(w.dir) == NULL)
        return -1;
    (void)snprintf(w.path, sizeof(w.path), "%s/users", w.dir);
    (void)snprintf(w.link, sizeof(w.link), "%s/link", w.dir);
    *state = &w;
    return 0;
}

static int
tear_down(void **state)
{
    struct world *w = *state;

    (void)unlink(w->path);
    (void)unlink(w->link);
    return rmdir(w->dir); /* nothing else was left there */
}

static void
write_text(const struct world *w, const char *text, mode_t mode)
{
    FILE *f = fopen(w->path, "we");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(w->path, mode), 0);
}

static void
text_is(const struct world *w, const char *want)
{
    char got[4096];
    FILE *f = fopen(w->path, "re");
    size_t n;

    assert_non_null(f);
    n = fread(got, 1, sizeof(got) - 1, f);
    got[n] = '\0';
    assert_int_equal(fclose(f), 0);
    assert_string_equal(got, want);
}

static mode_t
mode_of(const char *path)
{
    struct stat st;

    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode & 07777;
}

static void
a_hash_is_yescrypt_with_a_new_salt(void **state)
{
    char one[HTPASSWD_HASH_MAX + 1], two[HTPASSWD_HASH_MAX + 1];
    char line[HTPASSWD_HASH_MAX + 8];
    struct crypt_data *data = calloc(1, sizeof(*data));
    struct problem why = {0};
    struct htpasswd_line l;
    const char *what;

    (void)state;
    assert_non_null(data);
    assert_int_equal(htpasswd_hash(one, "p\xc3\xa4ss", &why), OK);
    assert_int_equal(htpasswd_hash(two, "p\xc3\xa4ss", &why), OK);
    assert_string_not_equal(one, two);
    assert_string_equal(crypt_rn("p\xc3\xa4ss", one, data, sizeof(*data)), one);
    (void)snprintf(line, sizeof(line), "ann:%s", one);
    assert_int_equal(htpasswd_line_read(line, strlen(line), &l, &what), OK);
    free(data);
}

static void
what_is_no_password_is_refused(void **state)
{
    char hash[HTPASSWD_HASH_MAX + 1], many[HTPASSWD_PASSWORD_MAX + 2];
    struct problem why = {0};

    (void)state;
    memset(many, 'x', sizeof(many) - 1);
    many[sizeof(many) - 1] = '\0';
    assert_int_equal(htpasswd_hash(hash, many, &why), ERR_BADREQ);
    assert_int_equal(htpasswd_hash(hash, many + 1, &why), OK);
    assert_int_equal(htpasswd_hash(hash, "", &why), ERR_BADREQ);
    assert_int_equal(htpasswd_hash(hash, "a\nb", &why), ERR_BADREQ);
    assert_int_equal(htpasswd_hash(hash, "a\xff", &why), ERR_BADREQ);
    assert_string_equal(why.code, "invalid_password");
}

static void
users_come_change_and_go(void **state)
{
    struct world *w = *state;
    struct problem why = {0};

    assert_int_equal(htpasswd_put(w->path, "ann", NULL, &why), ERR_NOTFOUND);
    assert_int_equal(access(w->path, F_OK), -1);
    assert_int_equal(htpasswd_put(w->path, "ann", "$h1", &why), OK);
    assert_int_equal(mode_of(w->path), 0600);
    text_is(w, "ann:$h1\n");
    assert_int_equal(htpasswd_put(w->path, "an", "$h2", &why), OK);
    text_is(w, "ann:$h1\nan:$h2\n");
    assert_int_equal(htpasswd_put(w->path, "ann", "$h3", &why), OK);
    text_is(w, "ann:$h3\nan:$h2\n");
    assert_int_equal(htpasswd_put(w->path, "ann", NULL, &why), OK);
    text_is(w, "an:$h2\n");
    assert_int_equal(htpasswd_put(w->path, "ann", NULL, &why), ERR_NOTFOUND);
    assert_int_equal(htpasswd_put(w->path, "an", NULL, &why), OK);
    text_is(w, "");
}

static void
what_else_is_there_stays(void **state)
{
    struct world *w = *state;
    struct problem why = {0};

    write_text(w, "# who\n\nbob:$apr1$x\r\nann:a\nann:b\nbroken", 0640);
    assert_int_equal(htpasswd_put(w->path, "ann", "$h", &why), OK);
    text_is(w, "# who\n\nbob:$apr1$x\r\nann:$h\nbroken\n");
    assert_int_equal(mode_of(w->path), 0640);
    assert_int_equal(chmod(w->path, 0644), 0);
    assert_int_equal(htpasswd_put(w->path, "bob", NULL, &why), OK);
    text_is(w, "# who\n\nann:$h\nbroken\n");
    assert_int_equal(mode_of(w->path), 0640); /* not for others any more */
}

static void
a_link_stays_a_link(void **state)
{
    struct world *w = *state;
    struct problem why = {0};

    write_text(w, "", 0600);
    assert_int_equal(symlink("users", w->link), 0);
    assert_int_equal(htpasswd_put(w->link, "ann", "$h", &why), OK);
    text_is(w, "ann:$h\n");
    assert_int_equal(mode_of(w->link), 0777);
}

static void
what_cannot_be_says_why(void **state)
{
    struct world *w = *state;
    struct problem why = {0};

    assert_int_equal(htpasswd_put(w->path, "a:b", "$h", &why), ERR_BADREQ);
    assert_string_equal(why.code, "invalid_user");
    assert_int_equal(htpasswd_put(w->path, "", "$h", &why), ERR_BADREQ);
    assert_int_equal(htpasswd_put(w->path, "a\nb", "$h", &why), ERR_BADREQ);
    assert_int_equal(
        htpasswd_put("/nonexistent/folder/users", "ann", "$h", &why),
        ERR_NOTFOUND);
    assert_int_equal(htpasswd_put(w->dir, "ann", "$h", &why), ERR_BADREQ);
    write_text(w, "", 0600);
    assert_int_equal(truncate(w->path, HTPASSWD_FILE_MAX + 1), 0);
    assert_int_equal(htpasswd_put(w->path, "ann", "$h", &why), ERR_BADREQ);
}

static void
of_many_at_once_none_is_lost(void **state)
{
    struct world *w = *state;
    struct htpasswd_table *t;
    struct problem why = {0};
    char name[32];
    pid_t pids[6];

    for (size_t i = 0; i < COUNT_OF(pids); i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            int failed = 0;

            for (int n = 0; n < 5; n++) {
                (void)snprintf(name, sizeof(name), "u%zu-%d", i, n);
                failed += htpasswd_put(w->path, name,
                                       "$6$s$ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456"
                                       "789./abcdeABCDEFGHIJKLMNOPQRSTUVWXYZ01"
                                       "23456789./abcde",
                                       &why) != OK;
            }
            _exit(failed);
        }
        assert_true(pids[i] > 0);
    }
    for (size_t i = 0; i < COUNT_OF(pids); i++) {
        int status;

        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(htpasswd_table_read(&t, w->path, NULL, NULL, NULL, &why),
                     OK);
    assert_int_equal(t->n, 30);
    assert_int_equal(t->faults, 0);
    htpasswd_table_free(t);
}

int
main(void)
{
#define ONE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hash_is_yescrypt_with_a_new_salt),
        cmocka_unit_test(what_is_no_password_is_refused),
        ONE(users_come_change_and_go),
        ONE(what_else_is_there_stays),
        ONE(a_link_stays_a_link),
        ONE(what_cannot_be_says_why),
        ONE(of_many_at_once_none_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
