/*
 * Reading the password file: all of it, in one go, into a table that is sorted
 * by name. Lines that cannot be used are told, and skipped. A file that changed
 * while it was read is not used at all, since programs that write in place
 * (htpasswd does) leave half of it for a moment.
 */
#include "base/base.h"

#include "auth/htpasswd_file.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

#define WORLD_WRITES (S_IWOTH)
#define WORLD_READS (S_IROTH)
#define PATH_SHOWN 192 /* bytes of a path in advice, with quotes and NUL */

/* --- faults ------------------------------------------------------------- */

struct reading {
    const char *path;
    struct htpasswd_table *table;
    size_t cap; /* of table->users */
    htpasswd_fault_fn *fn;
    void *arg;
};

/* A word that a shell takes as it is, or otherwise. */
static void
quote(char *out, size_t size, const char *s, const char *otherwise)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@%+/-";

    if (*s != '\0' && *s != '-' && s[strspn(s, safe)] == '\0')
        (void)snprintf(out, size, "%s", s);
    else if (*s != '\0' && strchr(s, '\'') == NULL)
        (void)snprintf(out, size, "'%s'", s);
    else
        (void)snprintf(out, size, "%s", otherwise);
}

static void
tell(struct reading *r, int line, const char *user, const char *what,
     bool hash_anew)
{
    struct htpasswd_fault f = {.line = line, .user = user, .what = what};
    char path[PATH_SHOWN], name[HTPASSWD_USER_MAX + 3];

    r->table->faults++;
    if (r->fn == NULL)
        return;
    if (hash_anew) {
        quote(path, sizeof(path),
              strlen(r->path) + 3 < sizeof(path) ? r->path : "", "FILE");
        quote(name, sizeof(name), user, "USER");
        (void)snprintf(f.advice, sizeof(f.advice),
                       "parley passwd %s %s, or htpasswd -B -C 12 %s %s, or "
                       "put there what mkpasswd -m yescrypt prints",
                       path, name, path, name);
    }
    r->fn(r->arg, &f);
}

/* --- lines -------------------------------------------------------------- */

static void
add(struct reading *r, const struct htpasswd_line *l, char *line, int number)
{
    struct htpasswd_table *t = r->table;

    if (t->n == r->cap) {
        r->cap = r->cap ? 2 * r->cap : 16;
        t->users = xrealloc(t->users, r->cap * sizeof(*t->users));
    }
    line[l->user_len] = '\0';
    line[l->user_len + 1 + l->hash_len] = '\0';
    t->users[t->n++] = (struct htpasswd_user){.name = l->user,
                                              .hash = l->hash,
                                              .cost_len = l->cost_len,
                                              .line = number};
}

static void
take_line(struct reading *r, char *line, size_t n, int number)
{
    struct htpasswd_line l;
    char name[HTPASSWD_USER_MAX + 1] = "";
    const char *why;
    enum err e = htpasswd_line_read(line, n, &l, &why);

    if (e == OK)
        add(r, &l, line, number);
    else if (e != ERR_NOTFOUND) {
        if (l.user != NULL)
            (void)snprintf(name, sizeof(name), "%.*s", (int)l.user_len, l.user);
        tell(r, number, name, why, l.user != NULL);
    }
}

static int
by_name(const void *a, const void *b)
{
    const struct htpasswd_user *x = a, *y = b;
    int c = strcmp(x->name, y->name);

    return c != 0 ? c : (x->line > y->line) - (x->line < y->line);
}

/* Of each name the first counts. */
static void
unique(struct reading *r)
{
    struct htpasswd_table *t = r->table;
    size_t kept = 0;

    if (t->n > 1)
        qsort(t->users, t->n, sizeof(*t->users), by_name);
    for (size_t i = 0; i < t->n; i++) {
        if (kept > 0 && strcmp(t->users[kept - 1].name, t->users[i].name) == 0)
            tell(r, t->users[i].line, t->users[i].name,
                 "is there twice; the first line counts", false);
        else
            t->users[kept++] = t->users[i];
    }
    t->n = kept;
}

static int
by_cost(const void *a, const void *b)
{
    const struct htpasswd_user *x = *(const struct htpasswd_user *const *)a;
    const struct htpasswd_user *y = *(const struct htpasswd_user *const *)b;
    int c;

    if (x->cost_len != y->cost_len)
        return x->cost_len < y->cost_len ? -1 : 1;
    c = memcmp(x->hash, y->hash, x->cost_len);
    return c != 0 ? c : (x->line > y->line) - (x->line < y->line);
}

static bool
same_cost(const struct htpasswd_user *x, const struct htpasswd_user *y)
{
    return x->cost_len == y->cost_len &&
           memcmp(x->hash, y->hash, x->cost_len) == 0;
}

/* The hash of the kind and cost that most have; of two that are as many, the
 * one that comes first in the file. */
static void
find_typical(struct htpasswd_table *t)
{
    const struct htpasswd_user **all = xcalloc(t->n + 1, sizeof(*all));
    const struct htpasswd_user *best = NULL;
    size_t most = 0;

    for (size_t i = 0; i < t->n; i++)
        all[i] = &t->users[i];
    if (t->n > 1)
        qsort(all, t->n, sizeof(*all), by_cost);
    for (size_t i = 0, run = 0; i < t->n; i += run) {
        run = 1;
        while (i + run < t->n && same_cost(all[i], all[i + run]))
            run++;
        if (run > most || (run == most && all[i]->line < best->line)) {
            most = run;
            best = all[i];
        }
    }
    t->typical = best != NULL ? best->hash : NULL;
    free(all);
}

static void
take_text(struct reading *r)
{
    struct htpasswd_table *t = r->table;
    char *at = t->text, *end = t->text + t->size;

    if (t->size >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0)
        at += 3; /* some editors' mark */
    for (int number = 1; at < end; number++) {
        char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t n = (size_t)((stop != NULL ? stop : end) - at);

        take_line(r, at, n, number);
        at += n + 1;
    }
    unique(r);
    find_typical(t);
}

/* --- the file ----------------------------------------------------------- */

static enum err
refuse(struct problem *why, enum err e, const char *path, const char *what)
{
    return problem_set(why, e, "htpasswd_file", "No password file",
                       "The password file %s %s.", path, what);
}

static bool
same_state(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
           a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static enum err
load(int fd, const char *path, struct htpasswd_table *t, struct stat *st,
     struct problem *why)
{
    struct stat after;

    if (fstat(fd, st) != 0 || !S_ISREG(st->st_mode))
        return refuse(why, ERR_BADREQ, path, "is no file");
    if ((st->st_mode & WORLD_WRITES) != 0)
        return refuse(why, ERR_FORBIDDEN, path,
                      "can be written by everybody (chmod o-rw)");
    if (st->st_size > HTPASSWD_FILE_MAX)
        return refuse(why, ERR_BADREQ, path, "is too big");
    t->open_to_all = (st->st_mode & WORLD_READS) != 0;
    t->text = xcalloc((size_t)st->st_size + 2, 1);
    while (t->size < (size_t)st->st_size + 1) {
        ssize_t n = read(fd, t->text + t->size,
                         (size_t)st->st_size + 1 - t->size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return refuse(why, ERR_FORBIDDEN, path, strerror(errno));
        if (n == 0)
            break;
        t->size += (size_t)n;
    }
    if (t->size != (size_t)st->st_size || fstat(fd, &after) != 0 ||
        !same_state(st, &after))
        return refuse(why, ERR_AGAIN, path, "was written to just now");
    return OK;
}

enum err
htpasswd_table_read(struct htpasswd_table **out, const char *path,
                    struct stat *st, htpasswd_fault_fn *fn, void *arg,
                    struct problem *why)
{
    struct htpasswd_table *t;
    struct reading r = {.path = path, .fn = fn, .arg = arg};
    struct stat own;
    enum err e;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    *out = NULL;
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return refuse(why, ERR_NOTFOUND, path, "is not there");
    if (fd < 0)
        return refuse(why, ERR_FORBIDDEN, path, "cannot be opened");
    t = xcalloc(1, sizeof(*t));
    e = load(fd, path, t, st != NULL ? st : &own, why);
    (void)close(fd);
    if (e == OK) {
        r.table = t;
        take_text(&r);
        if (t->n == 0 && t->faults > 0)
            e = refuse(why, ERR_BADREQ, path, "has no line that can be used");
    }
    if (e != OK)
        htpasswd_table_free(t);
    else
        *out = t;
    return e;
}

void
htpasswd_table_free(struct htpasswd_table *t)
{
    if (t == NULL)
        return;
    if (t->text != NULL)
        explicit_bzero(t->text, t->size);
    free(t->text);
    free(t->users);
    free(t);
}

static int
find_name(const void *key, const void *user)
{
    return strcmp(key, ((const struct htpasswd_user *)user)->name);
}

const struct htpasswd_user *
htpasswd_table_find(const struct htpasswd_table *t, const char *name)
{
    if (t->n == 0)
        return NULL;
    return bsearch(name, t->users, t->n, sizeof(*t->users), find_name);
}
