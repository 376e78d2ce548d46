/*
 * The folder is walked twice: to count, so that progress can be told, and to
 * read. Names are taken in their order, one folder's in memory at a time.
 *
 * What is in the index and no longer in the folder is found by asking for each
 * document whether its file is still there: no list of names is kept, however
 * many there are. What has become the sidecar of an image since then is taken
 * out where it is met.
 */
#include "base/base.h"

#include "files/crawl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "files/image.h"
#include "files/kind.h"
#include "files/origin.h"

struct walker {
    const struct crawl *c;
    struct ingest in;
    struct rules *rules;
    dev_t device;
    bool reads; /* the second time */
    struct crawl_count all, done;
    char path[FILES_NAME_MAX + 1]; /* of the entry, below the root */
};

/* --- names ---------------------------------------------------------------- */

struct names {
    char **name; /* owned, sorted */
    size_t n, cap;
};

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
names_read(struct names *names, DIR *dir)
{
    struct dirent *de;

    *names = (struct names){.n = 0};
    /* cppcheck-suppress readdirCalled */
    while ((de = readdir(dir)) != NULL) {
        if (de->d_name[0] == '.')
            continue;
        if (names->n == names->cap) {
            names->cap = names->cap == 0 ? 64 : 2 * names->cap;
            names->name = xrealloc(names->name,
                                   names->cap * sizeof(*names->name));
        }
        names->name[names->n++] = xstrdup(de->d_name);
    }
    if (names->n > 0)
        qsort(names->name, names->n, sizeof(*names->name), by_name);
}

static void
names_release(struct names *names)
{
    for (size_t i = 0; i < names->n; i++)
        free(names->name[i]);
    free(names->name);
}

/* --- one entry ------------------------------------------------------------ */

static bool
is_stopped(const struct walker *w)
{
    return w->c->stopped != NULL && w->c->stopped(w->c->arg);
}

static void
count(const struct walker *w, struct crawl_count *n, const struct document *d,
      enum ingested did)
{
    n->added += did == INGEST_ADDED;
    n->same += did == INGEST_SAME;
    n->skipped += d->skip != SKIP_NOT && did != INGEST_GONE;
    n->gone += did == INGEST_GONE;
    if (d->skip != SKIP_NOT && did != INGEST_GONE && w->c->skipped != NULL)
        w->c->skipped(w->c->arg, d);
}

static enum err
visit_file(struct walker *w, const struct stat *st)
{
    struct crawl_count *n = w->reads ? &w->done : &w->all;
    struct document d;
    enum ingested did;
    enum err e = OK;

    if (w->reads && w->c->progress != NULL)
        w->c->progress(w->c->arg, &w->done, &w->all, w->path);
    if (w->reads) {
        e = ingest_file(&w->in, w->path, w->path, &d, &did);
        if (e == OK)
            count(w, n, &d, did);
    }
    n->files++;
    n->bytes += (uint64_t)st->st_size;
    return e;
}

static enum err visit_folder(struct walker *w, int fd, size_t len, int depth);

/* len: bytes of w->path that are the folder's, with its slash. */
static enum err
visit(struct walker *w, int dir, size_t len, const char *name, int depth)
{
    struct stat st;
    bool is_dir;
    int fd;

    if (len + strlen(name) + 1 > sizeof(w->path) ||
        fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return OK; /* too long, or gone */
    (void)strncpy(w->path + len, name, sizeof(w->path) - len - 1);
    is_dir = S_ISDIR(st.st_mode);
    if ((!is_dir && !S_ISREG(st.st_mode)) ||
        rules_label(w->rules, w->path, is_dir) == LABEL_IGNORE)
        return OK;
    if (!is_dir)
        return visit_file(w, &st);
    if (depth == CRAWL_DEPTH || st.st_dev != w->device ||
        len + strlen(name) + 2 > sizeof(w->path))
        return OK;
    fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return OK;
    (void)strncat(w->path, "/", sizeof(w->path) - strlen(w->path) - 1);
    return visit_folder(w, fd, strlen(w->path), depth + 1);
}

/* --- sidecars ------------------------------------------------------------- */

/* Is the entry the sidecar of this image beside it, which the walk reads? */
static bool
describes(struct walker *w, int dir, size_t len, const char *name,
          const char *image)
{
    char found[INGEST_PATH_BYTES];
    struct stat st;
    int fd;

    if (!sidecar_is_of(name, image) ||
        kind_of(image, NULL, 0).kind != KIND_IMAGE ||
        len + strlen(image) + 1 > sizeof(w->path) ||
        fstatat(dir, image, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(st.st_mode))
        return false;
    (void)strncpy(w->path + len, image, sizeof(w->path) - len - 1);
    fd = ingest_sidecar(&w->in, w->path, found);
    w->path[len] = '\0';
    if (fd >= 0)
        (void)close(fd);
    return fd >= 0 && strcmp(found + len, name) == 0;
}

static bool
is_sidecar(struct walker *w, int dir, size_t len, const struct names *names,
           const char *name)
{
    const char *dot = strrchr(name, '.');

    if (dot == NULL || (strcmp(dot, ".json") != 0 && strcmp(dot, ".txt") != 0))
        return false;
    for (size_t i = 0; i < names->n; i++)
        if (strncmp(names->name[i], name, (size_t)(dot - name)) == 0 &&
            describes(w, dir, len, name, names->name[i]))
            return true;
    return false;
}

/* It was a document of its own, and is no more. */
static enum err
forget(struct walker *w, size_t len, const char *name)
{
    struct document d;
    enum err e;

    if (!w->reads || len + strlen(name) + 1 > sizeof(w->path))
        return OK;
    (void)strncpy(w->path + len, name, sizeof(w->path) - len - 1);
    e = files_known(w->c->files, w->c->collection, w->path, &d);
    if (e == OK) {
        e = files_delete(w->c->files, d.id);
        w->done.gone++;
    }
    return e == ERR_NOTFOUND ? OK : e;
}

/* --- folders -------------------------------------------------------------- */

/* Is it among the names that are wanted of the top? */
static bool
is_wanted(const struct walker *w, const char *name)
{
    const char *s = w->c->only;
    size_t n = strlen(name);

    while (s != NULL && *s != '\0') {
        size_t len = strcspn(s, ",");

        if (len == n && strncmp(s, name, n) == 0)
            return true;
        s += len + (s[len] == ',');
    }
    return w->c->only == NULL;
}

/* Takes fd. */
static enum err
visit_folder(struct walker *w, int fd, size_t len, int depth)
{
    DIR *dir = fdopendir(fd);
    struct names names;
    enum err e = OK;

    if (dir == NULL) {
        (void)close(fd);
        return OK;
    }
    names_read(&names, dir);
    for (size_t i = 0; i < names.n && e == OK; i++) {
        const char *name = names.name[i];

        w->path[len] = '\0';
        if (is_stopped(w))
            e = ERR_HUP;
        else if (depth == 0 && !is_wanted(w, name))
            continue;
        else if (is_sidecar(w, dirfd(dir), len, &names, name))
            e = forget(w, len, name);
        else
            e = visit(w, dirfd(dir), len, name, depth);
    }
    w->path[len] = '\0';
    names_release(&names);
    (void)closedir(dir);
    return e;
}

static enum err
walk(struct walker *w, bool reads)
{
    int fd = openat(w->in.root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    w->reads = reads;
    if (fd < 0)
        return ERR_NOTFOUND;
    return visit_folder(w, fd, 0, 0);
}

/* --- all of it ------------------------------------------------------------ */

/* Has the document still a file that the walk would have come to? */
static bool
is_there(void *arg, const struct document *d)
{
    const struct walker *w = arg;
    char top[FILES_NAME_MAX + 1];
    int fd = ingest_open(w->in.root, d->name);
    bool there = fd >= 0 || !ingest_is_gone(errno);

    if (fd >= 0)
        (void)close(fd);
    (void)snprintf(top, sizeof(top), "%.*s", (int)strcspn(d->name, "/"),
                   d->name);
    return there && is_wanted(w, top) && !rules_ignore(w->rules, d->name);
}

/* A place that a disk is to be mounted on, and is not? */
static enum err
check_origin(const struct walker *w, const struct stat *root,
             struct problem *why)
{
    const char *dir = files_dir(w->c->files);
    struct collection c;
    enum err e;

    if (!origin_is_empty(w->in.root) || origin_is(dir, w->c->collection, root))
        return OK;
    e = files_collection_get(w->c->files, w->c->collection, &c);
    if (e != OK)
        return problem_set(why, e, NULL, NULL, NULL);
    if (c.documents + c.skipped == 0)
        return OK;
    return problem_set(why, ERR_CONFLICT, "folder_empty",
                       "The folder is empty, and not the one that was read "
                       "before: nothing is taken out",
                       "Is its disk mounted? If it is right, take the "
                       "collection out (parley index --drop).");
}

static enum err
run(struct walker *w, const struct stat *root, struct problem *why)
{
    uint64_t gone = 0;
    enum err settled, e;

    e = walk(w, false);
    if (e == OK)
        e = walk(w, true);
    settled = ingest_settle(&w->in);
    files_rest(w->c->files);
    if (e == OK)
        e = settled;
    if (e == OK)
        e = files_sweep(w->c->files, w->c->collection, is_there, w, &gone);
    w->done.gone += gone;
    if (e == OK)
        origin_note(files_dir(w->c->files), w->c->collection, root);
    if (e == OK && w->c->progress != NULL)
        w->c->progress(w->c->arg, &w->done, &w->all, "");
    return e == OK ? OK : problem_set(why, e, NULL, NULL, NULL);
}

/* Open the folder and read its rules. The end is walker_release. */
static enum err
walker_init(struct walker *w, const struct crawl *c, struct stat *root,
            struct problem *why)
{
    enum err e;

    *w = (struct walker){
        .c = c,
        .in = {.files = c->files,
               .collection = c->collection,
               .tried = c->tried,
               .stopped = c->stopped,
               .arg = c->arg},
    };
    w->in.root = open(c->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (w->in.root < 0 || fstat(w->in.root, root) != 0)
        return problem_set(why, ERR_NOTFOUND, "folder_missing",
                           "There is no such folder, or it cannot be read",
                           "%s: %s", c->root, strerror(errno));
    e = rules_of_folder(w->in.root, &w->rules, why);
    w->device = root->st_dev;
    w->in.rules = w->rules;
    return e;
}

static void
walker_release(struct walker *w)
{
    rules_free(w->rules);
    if (w->in.root >= 0)
        (void)close(w->in.root);
}

enum err
crawl(const struct crawl *c, struct crawl_count *done, struct problem *why)
{
    struct walker w;
    struct stat root = {.st_dev = 0};
    enum err e = walker_init(&w, c, &root, why);

    if (e == OK)
        e = check_origin(&w, &root, why);
    if (e == OK)
        e = run(&w, &root, why);
    walker_release(&w);
    *done = w.done;
    return e;
}

static enum err
take_out(const struct crawl *c, const char *name, struct document *d,
         enum ingested *did)
{
    enum err e = files_known(c->files, c->collection, name, d);

    *did = INGEST_GONE;
    if (e == OK)
        e = files_delete(c->files, d->id);
    return e == ERR_NOTFOUND ? OK : e;
}

enum err
crawl_one(const struct crawl *c, const char *name, struct document *d,
          enum ingested *did, struct problem *why)
{
    char top[FILES_NAME_MAX + 1];
    struct walker w;
    struct stat root = {.st_dev = 0};
    enum err settled, e = walker_init(&w, c, &root, why);

    *did = INGEST_GONE;
    if (e == OK) {
        (void)snprintf(top, sizeof(top), "%.*s", (int)strcspn(name, "/"), name);
        e = is_wanted(&w, top) && !rules_ignore(w.rules, name)
                ? ingest_file(&w.in, name, name, d, did)
                : take_out(c, name, d, did);
        settled = ingest_settle(&w.in);
        e = e == OK ? settled : e;
        if (e != OK)
            (void)problem_set(why, e, NULL, NULL, NULL);
    }
    walker_release(&w);
    return e;
}
