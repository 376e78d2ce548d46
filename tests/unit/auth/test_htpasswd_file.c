/* Tests of auth/htpasswd_file.c: the file
 * as a table, and what is told of it. */
#include "base/base.h"

#include <sys/stat.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <unistd.h>

#include "auth/htpasswd_file.h"

#define BCRYPT5 "$2y$05$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234"
#define BCRYPT6 "$2y$06$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234"
#define YESCRYPT "$y$j9T$saltsalt$ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./abcde"

struct world {
    char dir[64], path[128];
    char told[4096];
};

static int
set_up(void **state)
{
    static struct world w;

    memset(&w, 0, sizeof(w));
    (void)snprintf(w.dir, sizeof(w.dir), "/tmp/parley-htfile-XXXXXX");
    if (mkdtemp(w.dir) == NULL)
        return -1;
    (void)snprintf(w.path, sizeof(w.path), "%s/users", w.dir);
    *state = &w;
    return 0;
}

static int
tear_down(void **state)
{
    struct world *w = *state;

    (void)unlink(w->path);
    return rmdir(w->dir);
}

static void
write_file(const struct world *w, const char *text, size_t n)
{
    FILE *f = fopen(w->path, "we");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(w->path, 0600), 0);
}

static void
on_fault(void *arg, const struct htpasswd_fault *f)
{
    struct world *w = arg;
    size_t n = strlen(w->told);

    (void)snprintf(w->told + n, sizeof(w->told) - n, "%d %s|%s|%s\n", f->line,
                   f->user, f->what, f->advice);
}

static struct htpasswd_table *
read_text(struct world *w, const char *text)
{
    struct htpasswd_table *t;
    struct problem why = {0};

    write_file(w, text, strlen(text));
    w->told[0] = '\0';
    if (htpasswd_table_read(&t, w->path, NULL, on_fault, w, &why) != OK)
        fail_msg("%s", why.message);
    return t;
}

static void
users_are_found_by_name(void **state)
{
    struct htpasswd_table *t = read_text(*state, "\xef\xbb\xbf"
                                                 "dora:" YESCRYPT "\r\n"
                                                 "# a comment\n\n"
                                                 "ann:" BCRYPT5 "\n"
                                                 "bob:" BCRYPT6
                                                 ":a remark"); /* no newline */

    assert_int_equal(t->n, 3);
    assert_int_equal(t->faults, 0);
    assert_false(t->open_to_all);
    assert_string_equal(htpasswd_table_find(t, "ann")->hash, BCRYPT5);
    assert_string_equal(htpasswd_table_find(t, "bob")->hash, BCRYPT6);
    assert_string_equal(htpasswd_table_find(t, "dora")->hash, YESCRYPT);
    assert_null(htpasswd_table_find(t, "an"));
    assert_null(htpasswd_table_find(t, ""));
    assert_null(htpasswd_table_find(t, "Ann"));
    assert_string_equal(t->typical, YESCRYPT); /* all once: the first */
    htpasswd_table_free(t);
    t = read_text(*state, "");
    assert_int_equal(t->n, 0);
    assert_null(t->typical);
    assert_null(htpasswd_table_find(t, "ann"));
    htpasswd_table_free(t);
}

static void
the_typical_hash_is_of_what_most_have(void **state)
{
    struct htpasswd_table *t = read_text(*state, "a:" YESCRYPT "\n"
                                                 "b:" BCRYPT6 "\n"
                                                 "c:" BCRYPT5 "\n"
                                                 "d:" BCRYPT5 "\n");

    assert_string_equal(t->typical, BCRYPT5);
    htpasswd_table_free(t);
}

static void
bad_lines_are_told_and_disable_nobody_else(void **state)
{
    struct world *w = *state;
    struct htpasswd_table *t = read_text(w, "ann:" BCRYPT5 "\n"
                                            "bob:$apr1$x$y\n"
                                            "o'neil x:{SHA}abc=\n"
                                            "nothing\n"
                                            "ann:" BCRYPT6 "\n"
                                            "carl:" YESCRYPT "\n");
    char want[512];

    assert_int_equal(t->n, 2);
    assert_int_equal(t->faults, 4);
    assert_string_equal(htpasswd_table_find(t, "ann")->hash, BCRYPT5);
    assert_non_null(htpasswd_table_find(t, "carl"));
    assert_null(htpasswd_table_find(t, "bob"));
    (void)snprintf(want, sizeof(want),
                   "2 bob|has Apache's MD5 ($apr1$), which is too weak|parley "
                   "passwd %s bob, or htpasswd -B -C 12 %s bob, or put there "
                   "what mkpasswd -m yescrypt prints\n",
                   w->path, w->path);
    assert_non_null(strstr(w->told, want));
    assert_non_null(strstr(w->told, "3 o'neil x|has unsalted SHA-1"));
    assert_non_null(strstr(w->told, " USER, or htpasswd"));
    assert_non_null(strstr(w->told, "4 |has no colon"));
    assert_non_null(strstr(w->told, "5 ann|is there twice"));
    assert_null(strstr(w->told, "$x$y")); /* never the hash */
    htpasswd_table_free(t);
}

static enum err
read_only(struct world *w, const char *path)
{
    struct problem why = {0};
    struct htpasswd_table *t;
    enum err e = htpasswd_table_read(&t, path, NULL, on_fault, w, &why);

    if (e == OK)
        htpasswd_table_free(t);
    else {
        assert_null(t);
        assert_non_null(strstr(why.message, path));
    }
    return e;
}

static void
files_that_cannot_be_used_say_why(void **state)
{
    struct world *w = *state;
    struct htpasswd_table *t;

    assert_int_equal(read_only(w, w->path), ERR_NOTFOUND);
    assert_int_equal(read_only(w, w->dir), ERR_BADREQ);
    write_file(w, "bob:secret\n", 11);
    assert_int_equal(read_only(w, w->path), ERR_BADREQ);
    t = read_text(w, "ann:" BCRYPT5 "\n");
    htpasswd_table_free(t);
    assert_int_equal(chmod(w->path, 0602), 0);
    assert_int_equal(read_only(w, w->path), ERR_FORBIDDEN);
    assert_int_equal(chmod(w->path, 0600), 0);
    assert_int_equal(truncate(w->path, HTPASSWD_FILE_MAX + 1), 0);
    assert_int_equal(read_only(w, w->path), ERR_BADREQ);
    assert_int_equal(unlink(w->path), 0);
    assert_int_equal(mkfifo(w->path, 0600), 0); /* and it does not hang */
    assert_int_equal(read_only(w, w->path), ERR_BADREQ);
}

static void
a_file_that_all_may_read_is_told(void **state)
{
    struct world *w = *state;
    struct htpasswd_table *t = read_text(w, "ann:" BCRYPT5 "\n");
    struct problem why;

    htpasswd_table_free(t);
    assert_int_equal(chmod(w->path, 0644), 0);
    assert_int_equal(htpasswd_table_read(&t, w->path, NULL, NULL, NULL, &why),
                     OK);
    assert_true(t->open_to_all);
    htpasswd_table_free(t);
    assert_int_equal(chmod(w->path, 0640), 0);
    assert_int_equal(htpasswd_table_read(&t, w->path, NULL, NULL, NULL, &why),
                     OK);
    assert_false(t->open_to_all);
    htpasswd_table_free(t);
}

static void
nuls_in_the_file_end_nothing(void **state)
{
    static const char text[] = "a\0b:" BCRYPT5 "\nann:" BCRYPT5 "\0\n"
                               "bob:" BCRYPT5 "\n";
    struct world *w = *state;
    struct htpasswd_table *t;
    struct problem why;

    write_file(w, text, sizeof(text) - 1);
    assert_int_equal(htpasswd_table_read(&t, w->path, NULL, NULL, NULL, &why),
                     OK);
    assert_int_equal(t->n, 1);
    assert_non_null(htpasswd_table_find(t, "bob"));
    htpasswd_table_free(t);
}

int
main(void)
{
#define ONE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ONE(users_are_found_by_name),
        ONE(the_typical_hash_is_of_what_most_have),
        ONE(bad_lines_are_told_and_disable_nobody_else),
        ONE(files_that_cannot_be_used_say_why),
        ONE(a_file_that_all_may_read_is_told),
        ONE(nuls_in_the_file_end_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
