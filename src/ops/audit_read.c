/*
 * Reading the audit log while others append to it. The list of files is made
 * under a shared lock, with audit.log opened and its length noted, so that it
 * holds whole batches and no file twice; what happens afterwards is no part of
 * it. The reading itself holds no lock. A folder that was copied elsewhere has
 * no lock file, and needs none.
 */
#include "base/base.h"

#include "ops/audit_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

/* --- the files -------------------------------------------------------- */

/* The number of audit-NNNN.log; 0: it is another name. */
static int64_t
part_no(const char *name)
{
    static const char begin[] = "audit-", end[] = ".log";
    const size_t lead = sizeof(begin) - 1;
    size_t n = strlen(name), digits = 0;
    int64_t no;

    if (n >= AUDIT_NAME_MAX || strncmp(name, begin, lead) != 0)
        return 0;
    while (name[lead + digits] >= '0' && name[lead + digits] <= '9')
        digits++;
    if (digits < 4 || strcmp(name + lead + digits, end) != 0 ||
        text_i64(name + lead, digits, 1, INT64_MAX - 1, &no) != OK)
        return 0;
    return no;
}

typedef void name_fn(void *arg, const char *name, int64_t no);

static enum err
each_part(int dir_fd, name_fn *fn, void *arg)
{
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *e;

    if (d == NULL) {
        if (fd >= 0)
            (void)close(fd);
        return ERR_STORE;
    }
    /* cppcheck-suppress readdirCalled */
    while ((e = readdir(d)) != NULL) {
        int64_t no = part_no(e->d_name);

        if (no > 0)
            fn(arg, e->d_name, no);
    }
    (void)closedir(d);
    return OK;
}

static void
take_highest(void *arg, const char *name, int64_t no)
{
    int64_t *highest = arg;

    (void)name;
    if (no > *highest)
        *highest = no;
}

int64_t
audit_parts_highest(int dir_fd)
{
    int64_t highest = 0;

    return each_part(dir_fd, take_highest, &highest) == OK ? highest : -1;
}

static void
add_part(void *arg, const char *name, int64_t no)
{
    struct audit_parts_list *l = arg;
    struct audit_part *p;

    l->parts = xrealloc(l->parts, (l->n + 1) * sizeof(*l->parts));
    p = &l->parts[l->n++];
    (void)snprintf(p->name, sizeof(p->name), "%s", name);
    p->no = no;
    p->size = -1;
}

static int
by_number(const void *a, const void *b)
{
    const struct audit_part *x = a, *y = b;

    return x->no < y->no ? -1 : x->no > y->no;
}

static void
load_head(struct audit_parts_list *l)
{
    int fd = openat(l->dir_fd, AUDIT_HEAD, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t n;

    if (fd < 0)
        return;
    n = read(fd, l->head, sizeof(l->head));
    l->head_len = n > 0 ? (size_t)n : 0;
    (void)close(fd);
}

static enum err
list_all(struct audit_parts_list *l)
{
    struct stat st;

    if (each_part(l->dir_fd, add_part, l) != OK)
        return ERR_STORE;
    if (l->n > 0)
        qsort(l->parts, l->n, sizeof(*l->parts), by_number);
    l->last_fd = openat(l->dir_fd, AUDIT_LOG,
                        O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (l->last_fd < 0 && errno != ENOENT)
        return ERR_STORE;
    if (l->last_fd >= 0) {
        if (fstat(l->last_fd, &st) != 0)
            return ERR_STORE;
        add_part(l, AUDIT_LOG, INT64_MAX);
        l->parts[l->n - 1].size = st.st_size;
    }
    load_head(l);
    return l->n > 0 || l->head_len > 0 ? OK : ERR_NOTFOUND;
}

enum err
audit_parts_list(struct audit_parts_list *l, const char *dir)
{
    enum err e = ERR_STORE;
    int lock;

    (void)memset(l, 0, sizeof(*l));
    l->last_fd = -1;
    l->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (l->dir_fd < 0 && errno == ENOENT)
        return ERR_NOTFOUND;
    if (l->dir_fd >= 0) {
        lock = audit_lock_take(l->dir_fd, true);
        e = list_all(l);
        if (e == ERR_STORE)
            log_error("audit.list", "dir=\"%s\" error=\"%s\"", dir,
                      strerror(errno));
        audit_lock_leave(lock);
    } else {
        log_error("audit.list", "dir=\"%s\" error=\"%s\"", dir,
                  strerror(errno));
    }
    if (e != OK)
        audit_parts_free(l);
    return e;
}

void
audit_parts_free(struct audit_parts_list *l)
{
    if (l->last_fd >= 0)
        (void)close(l->last_fd);
    if (l->dir_fd >= 0)
        (void)close(l->dir_fd);
    free(l->parts);
    (void)memset(l, 0, sizeof(*l));
    l->last_fd = l->dir_fd = -1;
}

/* --- the lines -------------------------------------------------------- */

struct walk {
    const char *name;
    audit_walk_fn *fn;
    void *arg;
    int64_t line_no;
    bool more;
};

/* Tell of the whole lines in bytes[0..n); what follows them stays. A buffer
 * that is full of one line is told of as it is. */
static size_t
tell_lines(struct walk *w, char *bytes, size_t n, bool full)
{
    size_t at = 0;

    while (w->more && at < n) {
        char *end = memchr(bytes + at, '\n', n - at);

        if (end == NULL)
            break;
        *end = '\0';
        w->more = w->fn(w->arg, w->name, ++w->line_no, bytes + at,
                        (size_t)(end - bytes) - at, false);
        at = (size_t)(end - bytes) + 1;
    }
    if (w->more && at == 0 && full) {
        bytes[n] = '\0';
        w->more = w->fn(w->arg, w->name, ++w->line_no, bytes, n, false);
        at = n;
    }
    return at;
}

enum err
audit_part_walk(const struct audit_parts_list *l, size_t i, audit_walk_fn *fn,
                void *arg, bool *more)
{
    const size_t cap = 4 * (size_t)AUDIT_LINE_MAX;
    const struct audit_part *p = &l->parts[i];
    struct walk w = {.name = p->name, .fn = fn, .arg = arg, .more = *more};
    int64_t left = p->size < 0 ? INT64_MAX : p->size;
    bool last = p->no == INT64_MAX;
    int fd = last ? l->last_fd
                  : openat(l->dir_fd, p->name,
                           O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    char *bytes = xmalloc(cap + 1);
    off_t at = 0;
    size_t n = 0;
    ssize_t k = 1;

    while (fd >= 0 && w.more && left > 0 && k > 0) {
        size_t want = cap - n < (uint64_t)left ? cap - n : (size_t)left;
        size_t told;

        k = pread(fd, bytes + n, want, at);
        if (k < 0 && errno == EINTR) {
            k = 1;
            continue;
        }
        if (k <= 0)
            break;
        at += k;
        left -= k;
        n += (size_t)k;
        told = tell_lines(&w, bytes, n, n == cap);
        n -= told;
        (void)memmove(bytes, bytes + told, n);
    }
    if (fd < 0 || k < 0) {
        log_error("audit.read", "file=%s error=\"%s\"", p->name,
                  strerror(errno));
        k = -1;
    } else if (w.more && n > 0) {
        bytes[n] = '\0';
        w.more = fn(arg, p->name, ++w.line_no, bytes, n, true);
    }
    if (fd >= 0 && !last)
        (void)close(fd);
    free(bytes);
    *more = w.more;
    return k < 0 ? ERR_STORE : OK;
}

/* --- audit_read ------------------------------------------------------- */

struct reading {
    int64_t after_n;
    size_t left;
    bool bounded;
    audit_entry_fn *fn;
    void *arg;
};

static bool
tell_entry(struct reading *r, const char *line, size_t len, int64_t n)
{
    struct audit_entry e = {.n = n, .json = line, .json_len = len};
    cJSON *o = NULL;
    const char *s;
    bool more;

    if (json_parse(line, len, &o, NULL) != OK)
        return true;
    e.at = (s = json_str(o, "at")) != NULL ? s : "";
    e.event = (s = json_str(o, "event")) != NULL ? s : "";
    e.who = (s = json_str(o, "who")) != NULL ? s : "";
    more = r->fn(r->arg, &e);
    cJSON_Delete(o);
    if (r->bounded)
        r->left--;
    return more && (!r->bounded || r->left > 0);
}

static bool
on_line(void *arg, const char *file, int64_t line_no, const char *line,
        size_t len, bool torn)
{
    struct reading *r = arg;
    struct audit_parts p;

    (void)file, (void)line_no;
    if (torn || audit_line_read(line, len, &p) != OK || p.n <= r->after_n)
        return true;
    return tell_entry(r, line, len, p.n);
}

/* The number of the first line of a file. */
static bool
take_first(void *arg, const char *file, int64_t line_no, const char *line,
           size_t len, bool torn)
{
    int64_t *first = arg;
    struct audit_parts p;

    (void)file, (void)line_no, (void)torn;
    if (audit_line_read(line, len, &p) == OK)
        *first = p.n;
    return false;
}

/* The first file that may hold a line after number n. */
static size_t
first_part(const struct audit_parts_list *l, int64_t n)
{
    for (size_t i = l->n; i > 1; i--) {
        int64_t first = INT64_MAX;
        bool more = true;

        IGNORE(audit_part_walk(l, i - 1, take_first, &first, &more));
        if (first <= n)
            return i - 1;
    }
    return 0;
}

enum err
audit_read(const char *dir, int64_t after_n, size_t limit, audit_entry_fn *fn,
           void *arg)
{
    struct reading r = {.after_n = after_n,
                        .left = limit,
                        .bounded = limit > 0,
                        .fn = fn,
                        .arg = arg};
    struct audit_parts_list l;
    enum err e = audit_parts_list(&l, dir);
    bool more = true;

    if (e != OK)
        return e;
    for (size_t i = first_part(&l, after_n); i < l.n && more && e == OK; i++)
        e = audit_part_walk(&l, i, on_line, &r, &more);
    audit_parts_free(&l);
    return e;
}
