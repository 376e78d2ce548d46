/*
 * The patterns of files/rules.c against git: for generated sets of patterns and
 * generated paths, what `git check-ignore` calls ignored has our label ignore,
 * and nothing else has. The sets are the same in every run.
 *
 * Left out: stars that touch a letter ("a**" + "/b"), which git reads otherwise
 * than it says, and sets with a range of two letters, for what may be wrong.
 */
#include "plain_test.h"

#include <sys/wait.h>

#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "files/rules.h"

#define SETS 150
#define PATHS 120

static uint32_t seed = 20240815;

static unsigned
roll(unsigned n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 16) % n;
}

/* One part of a pattern or, without signs, of a path. */
static void
add_part(struct buf *b, bool signs)
{
    static const char *const plain[] = {"a",   "b",   "ab", "ba",  "c.txt",
                                        "a.b", "abc", "B",  "x y", "-",
                                        "b]",  "*",   "!"};
    static const char *const sign[] = {
        "*",      "a*",    "*b",   "?",      "?b",    "*.txt",  "[ab]",
        "[!a]*",  "[^b]?", "*a*b", "[a-c]*", "\\a",   "\\*",    "[]]*",
        "b[]a]",  "[a-]",  "[-b]", "*?",     "a*b*c", "[\\]b]", "[[:alpha:]]",
        "[a*b]?", "a\\b",  "?*?",  "**",     "\\!",   "[!]]"};

    if (signs && roll(2))
        buf_adds(b, sign[roll(COUNT_OF(sign))]);
    else
        buf_adds(b, plain[roll(signs ? COUNT_OF(plain) - 2 : COUNT_OF(plain))]);
}

static void
add_pattern(struct buf *b)
{
    unsigned parts = 1 + roll(3);

    if (roll(4) == 0)
        buf_addc(b, '!');
    if (roll(4) == 0)
        buf_addc(b, '/');
    for (unsigned i = 0; i < parts; i++) {
        if (i)
            buf_addc(b, '/');
        if (parts > 1 && roll(5) == 0)
            buf_adds(b, "**");
        else
            add_part(b, true);
    }
    if (roll(5) == 0)
        buf_addc(b, '/');
}

static void
write_file(const char *dir, const char *name, const struct buf *b)
{
    char path[256];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, b->data, b->len), b->len);
    close(fd);
}

static void
read_file(const char *dir, const char *name, struct buf *b)
{
    char path[256], part[4096];
    ssize_t n;
    int fd;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    while ((n = read(fd, part, sizeof(part))) > 0)
        buf_add(b, part, (size_t)n);
    close(fd);
}

/* git's exit status in dir; in and out are files there. */
static int
git(const char *dir, const char *arguments)
{
    char line[1024];
    int status;

    snprintf(line, sizeof(line),
             "cd '%s' && HOME=\"$PWD\" GIT_CONFIG_NOSYSTEM=1 "
             "GIT_CONFIG_GLOBAL=/dev/null GIT_DIR=.git GIT_WORK_TREE=. "
             "git %s <in >out 2>err",
             dir, arguments);
    status = system(line);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool
is_listed(const struct buf *list, const char *path)
{
    for (size_t i = 0; i < list->len; i += strlen(list->data + i) + 1)
        if (strcmp(list->data + i, path) == 0)
            return true;
    return false;
}

static unsigned
compare(const char *dir)
{
    struct buf patterns, lines, paths, ignored;
    struct rules *r = NULL;
    struct problem why = {.err = OK};
    unsigned found = 0, count = 1 + roll(4);
    int status;

    buf_init(&patterns, 1 << 16);
    buf_init(&lines, 1 << 16);
    buf_init(&paths, 1 << 20);
    buf_init(&ignored, 1 << 20);
    for (unsigned i = 0; i < count; i++) {
        size_t at = patterns.len;

        add_pattern(&patterns);
        buf_addf(&lines, "ignore %.*s\n", (int)(patterns.len - at),
                 patterns.data + at);
        buf_addc(&patterns, '\n');
    }
    for (unsigned i = 0; i < PATHS; i++) {
        for (unsigned part = 0, parts = 1 + roll(4); part < parts; part++) {
            if (part)
                buf_addc(&paths, '/');
            add_part(&paths, false);
        }
        buf_addc(&paths, '\0');
    }
    write_file(dir, ".gitignore", &patterns);
    write_file(dir, "in", &paths);
    status = git(dir, "check-ignore --no-index --stdin -z");
    assert_true(status == 0 || status == 1);
    read_file(dir, "out", &ignored);
    if (rules_read(lines.data, lines.len, &r, &why))
        fail_msg("%s\n%s", why.message, buf_cstr(&lines));
    for (size_t i = 0; i < paths.len; i += strlen(paths.data + i) + 1) {
        const char *path = paths.data + i;
        bool ours = rules_label(r, path, false) == LABEL_IGNORE;

        if (ours != is_listed(&ignored, path))
            fail_msg("%s is%s ignored by git, with\n%s", path,
                     ours ? " not" : "", buf_cstr(&patterns));
        found += ours;
    }
    rules_free(r);
    buf_release(&patterns);
    buf_release(&lines);
    buf_release(&paths);
    buf_release(&ignored);
    return found;
}

static void
ignored_is_what_git_ignores(void **state)
{
    char dir[] = "/tmp/parley-rules-XXXXXX", line[64];
    struct buf none;
    unsigned found = 0;

    (void)state;
    if (system("git --version >/dev/null 2>&1") != 0)
        skip();
    assert_non_null(mkdtemp(dir));
    buf_init(&none, 1);
    buf_addc(&none, '\n');
    write_file(dir, "in", &none);
    buf_release(&none);
    assert_int_equal(git(dir, "init -q"), 0);
    for (int i = 0; i < SETS; i++)
        found += compare(dir);
    snprintf(line, sizeof(line), "rm -rf '%s'", dir);
    assert_int_equal(system(line), 0);
    /* Both answers are tried often. */
    assert_in_range(found, SETS * PATHS / 10, SETS * PATHS * 9 / 10);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ignored_is_what_git_ignores),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
