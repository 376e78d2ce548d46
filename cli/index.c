/*
 * parley index: folders into the index of files, beside a running server. What
 * has not changed is not read again, so a run that was cut off is gone on with
 * by running it again. Ctrl-C ends it between two pieces of a file; what is
 * whole until then stays.
 *
 * A folder is a collection of its own, named after it. Unless --owner says
 * whose it is, everybody who may chat sees it.
 */
#include "base/base.h"

#include "cli.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "auth/identity.h"
#include "base/conf.h"
#include "base/mem.h"
#include "base/process.h"
#include "base/text.h"
#include "describe.h"
#include "files/crawl.h"
#include "files/extract.h"
#include "files/receive.h"

#define SKIPPED_SHOWN 1000 /* files that are named */

static const char help[] =
    "usage: parley index [--owner NAME] [--name NAME] FOLDER...\n"
    "       parley index --list\n"
    "       parley index --drop NAME [--owner NAME]\n"
    "       parley index --describe [OPTION...] [FOLDER...]\n\n"
    "  --owner NAME  who alone may see it: ann (or local/ann), jwt/ann, ...;\n"
    "                else everybody who may chat\n"
    "  --name NAME   of the collection; else the folder's\n"
    "  --list        the collections that there are\n"
    "  --drop NAME   take a collection out of the index\n"
    "  --describe    have a model describe images that nobody has described:\n"
    "                those of the folders, else of all that --owner (or\n"
    "                everybody) sees; what it costs is said first\n"
    "  --again       those, too, that a model has described before\n"
    "  --sidecar     write what it says beside each image, as NAME.json\n"
    "  --yes         do not ask before\n\n"
    "A file .parleyrules in the folder says what is left out, and what may\n"
    "not leave this machine.";

static volatile sig_atomic_t interrupted;

static void
on_interrupt(int number)
{
    (void)number;
    interrupted = interrupted + 1;
}

static int
interrupts(void)
{
    return (int)interrupted;
}

struct options {
    char owner[STORE_OWNER_MAX + 1];
    const char *name, *drop;
    bool list, describe, again, sidecar, yes, owned;
    char **folders;
    int n_folders;
};

/* --- what went by --------------------------------------------------------- */

struct skipped {
    char *line[SKIPPED_SHOWN]; /* owned */
    size_t n, more;
};

struct run {
    struct cli_bar bar;
    struct skipped skipped;
};

static bool
is_stopped(void *arg)
{
    (void)arg;
    return interrupted != 0;
}

static void
on_progress(void *arg, const struct crawl_count *done,
            const struct crawl_count *all, const char *name)
{
    struct run *r = arg;
    char text[96], shown[41];

    text_show(shown, sizeof(shown), name);
    (void)snprintf(text, sizeof(text), "%" PRIu64 " of %" PRIu64 " files  %s",
                   done->files, all->files, shown);
    cli_bar_show(&r->bar, done->bytes + done->files, all->bytes + all->files,
                 text);
}

static void
on_skipped(void *arg, const struct document *d)
{
    struct skipped *s = &((struct run *)arg)->skipped;
    char shown[FILES_NAME_MAX + 1];
    struct buf line;

    if (s->n == SKIPPED_SHOWN) {
        s->more++;
        return;
    }
    buf_init(&line, FILES_NAME_MAX + 256);
    text_show(shown, sizeof(shown), d->name);
    buf_addf(&line, "%s: %s (%s)", shown, skip_name(d->skip),
             skip_text(d->skip));
    s->line[s->n++] = xstrdup(buf_cstr(&line));
    buf_release(&line);
}

static void
tell_skipped(struct skipped *s)
{
    if (s->n > 0)
        (void)fprintf(stderr, "Not searchable:\n");
    for (size_t i = 0; i < s->n; i++) {
        (void)fprintf(stderr, "  %s\n", s->line[i]);
        free(s->line[i]);
    }
    if (s->more > 0)
        (void)fprintf(stderr, "  and %zu more\n", s->more);
}

/* --- indexing ------------------------------------------------------------- */

/* The last part of its path. */
static const char *
folder_name(const char *root)
{
    const char *slash = strrchr(root, '/');

    return slash != NULL && slash[1] != '\0' ? slash + 1 : root;
}

static void
tell(const char *name, const char *owner, const struct crawl_count *n)
{
    (void)printf("%s: %" PRIu64 " files, %" PRIu64 " new or changed, %" PRIu64
                 " as before, %" PRIu64 " not searchable, %" PRIu64
                 " gone; seen by %s\n",
                 name, n->files, n->added, n->same, n->skipped, n->gone,
                 strcmp(owner, FILES_SHARED) == 0 ? "everybody who may chat"
                                                  : owner);
}

/* *id: of its collection. */
static int
index_folder(struct files *f, const struct options *o, const char *folder,
             int64_t *id)
{
    char *root = realpath(folder, NULL);
    const char *name = o->name;
    struct run *r = xcalloc(1, sizeof(*r));
    struct crawl c = {.files = f,
                      .root = root,
                      .tried = tried_open(files_dir(f)),
                      .stopped = is_stopped,
                      .progress = on_progress,
                      .skipped = on_skipped,
                      .arg = r};
    struct crawl_count done = {.files = 0};
    struct problem why = {.err = OK};
    struct collection col;
    int status = CLI_OK;
    enum err e;

    if (root == NULL) {
        tried_close(c.tried);
        free(r);
        return cli_fail("there is no folder %s", folder);
    }
    if (name == NULL)
        name = folder_name(root);
    cli_bar_init(&r->bar, name);
    e = files_collection(f, o->owner, name, root, &col);
    c.collection = *id = e == OK ? col.id : 0;
    if (e == OK)
        e = crawl(&c, &done, &why);
    cli_bar_end(&r->bar);
    tell_skipped(&r->skipped);
    if (e == ERR_CONFLICT && why.err == OK)
        status = cli_fail("the collection %s is of another folder; give this "
                          "one a --name, or --drop that one",
                          name);
    else if (e == ERR_HUP)
        status = cli_fail("stopped; run it again to go on");
    else if (e != OK)
        status = cli_fail("%s: %s %s", folder,
                          why.err != OK ? why.error : err_text(e), why.message);
    if (e == OK || e == ERR_HUP)
        tell(name, o->owner, &done);
    tried_close(c.tried);
    free(root);
    free(r);
    return status;
}

/* --- the rest ------------------------------------------------------------- */

static bool
print_collection(void *arg, const struct collection *c)
{
    char name[sizeof(c->name)], root[sizeof(c->root)];

    (void)arg;
    text_show(name, sizeof(name), c->name);
    text_show(root, sizeof(root), c->root);
    (void)printf("%-24s %8" PRId64 " files %9" PRId64 " chunks  %s  %s\n", name,
                 c->documents, c->chunks,
                 strcmp(c->owner, FILES_SHARED) == 0 ? "everybody" : c->owner,
                 root[0] != '\0' ? root : "(uploads)");
    return true;
}

static int
drop(struct files *f, const struct options *o)
{
    struct collection c;
    enum err e = files_collection(f, o->owner, o->drop, NULL, &c);

    if (e == ERR_NOTFOUND)
        return cli_fail("there is no collection %s", o->drop);
    if (e == OK)
        e = files_collection_drop(f, c.id);
    if (e == OK && c.root[0] == '\0')
        receive_forget(files_dir(f), c.id);
    return e == OK ? CLI_OK : cli_fail("%s: %s", o->drop, err_text(e));
}

/* --- describing ----------------------------------------------------------- */

struct chosen {
    const struct options *o;
    int64_t *id; /* owned; of collections */
    size_t n;
};

static void
choose(struct chosen *c, int64_t id)
{
    c->id = xrealloc(c->id, (c->n + 1) * sizeof(*c->id));
    c->id[c->n++] = id;
}

/* Without --owner what is nobody's goes with what is everybody's, but never
 * what is somebody's. */
static bool
choose_owned(void *arg, const struct collection *c)
{
    struct chosen *to = arg;
    const struct options *o = to->o;

    if ((strcmp(c->owner, o->owner) == 0 ||
         (!o->owned && strcmp(c->owner, FILES_NOBODY) == 0)) &&
        (o->name == NULL || strcmp(c->name, o->name) == 0))
        choose(to, c->id);
    return true;
}

static int
describe_all(struct files *f, const char *dir, struct chosen *c)
{
    struct describe d = {.files = f,
                         .dir = dir,
                         .again = c->o->again,
                         .yes = c->o->yes,
                         .sidecar = c->o->sidecar,
                         .interrupts = interrupts};
    int status = describe_begin(&d);
    enum err e = OK;

    if (status == CLI_OK && c->o->n_folders == 0)
        e = files_collections(f, NULL, choose_owned, c);
    for (size_t i = 0; status == CLI_OK && e == OK && i < c->n; i++)
        e = describe_look(&d, c->id[i]);
    if (e != OK)
        status = cli_fail("the index in %s cannot be read", dir);
    if (status == CLI_OK)
        status = describe_do(&d);
    describe_end(&d);
    return status;
}

/* --- all of it ------------------------------------------------------------ */

static int
run(const struct options *o)
{
    struct chosen chosen = {.o = o};

    char dir[PROCESS_PATH_MAX];
    struct files *f;
    int status = CLI_OK;

    if (snprintf(dir, sizeof(dir), "%s/files", conf_str(CONF_DATA_DIR)) >=
        (int)sizeof(dir))
        return cli_fail("DATA_DIR is too long");
    if (files_open(dir, &f) != OK)
        return cli_fail("the index in %s cannot be opened", dir);
    if (o->list && files_collections(f, NULL, print_collection, NULL) != OK)
        status = cli_fail("the index in %s cannot be read", dir);
    if (o->drop != NULL)
        status = drop(f, o);
    for (int i = 0; i < o->n_folders && !interrupted; i++) {
        int64_t id = 0;
        int one = index_folder(f, o, o->folders[i], &id);

        status = one != CLI_OK ? one : status;
        choose(&chosen, id);
    }
    if (o->describe && status == CLI_OK && !interrupted)
        status = describe_all(f, dir, &chosen);
    free(chosen.id);
    files_close(f);
    return status;
}

/* The program that reads what is no plain text is the web server's: beside the
 * others in an installation, and where it was built. */
static bool
find_reader(void)
{
    static const char *const beside[] = {"cgi-bin", "bin"};
    char self[PROCESS_PATH_MAX], path[PROCESS_PATH_MAX + 32];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    char *slash;

    self[n > 0 ? n : 0] = '\0';
    slash = strrchr(self, '/');
    if (slash == NULL)
        return false;
    *slash = '\0';
    for (size_t i = 0; i < COUNT_OF(beside); i++) {
        (void)snprintf(path, sizeof(path), "%s/../%s/ingest", self, beside[i]);
        if (access(path, X_OK) == 0) {
            extract_program(path);
            return true;
        }
    }
    return false;
}

static bool
take_owner(struct options *o, const char *name)
{
    o->owned = true;
    return identity_named(o->owner, name);
}

/* Is it an option without a value? */
static bool
take_switch(struct options *o, const char *name)
{
    const struct {
        const char *name;
        bool *on;
    } switches[] = {{"--list", &o->list},
                    {"--describe", &o->describe},
                    {"--again", &o->again},
                    {"--sidecar", &o->sidecar},
                    {"--yes", &o->yes}};

    for (size_t i = 0; i < COUNT_OF(switches); i++)
        if (strcmp(name, switches[i].name) == 0) {
            *switches[i].on = true;
            return true;
        }
    return false;
}

int
cli_index_files(int argc, char **argv)
{
    struct options o = {.owner = FILES_SHARED};
    struct sigaction sa = {.sa_handler = on_interrupt};
    int i;

    for (i = 0; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;

        if (strcmp(argv[i], "--help") == 0) {
            (void)puts(help);
            return CLI_OK;
        }
        if (take_switch(&o, argv[i]))
            continue;
        if (value == NULL)
            return cli_wrong("index");
        if (strcmp(argv[i], "--name") == 0)
            o.name = value;
        else if (strcmp(argv[i], "--drop") == 0)
            o.drop = value;
        else if (strcmp(argv[i], "--owner") != 0 || !take_owner(&o, value))
            return cli_wrong("index");
        i++;
    }
    o.folders = argv + i;
    o.n_folders = argc - i;
    if ((o.n_folders == 0 && !o.list && o.drop == NULL && !o.describe) ||
        ((o.again || o.sidecar || o.yes) && !o.describe))
        return cli_wrong("index");
    if (o.n_folders > 1 && o.name != NULL)
        return cli_fail("--name is for one folder");
    if (o.n_folders > 0 && !find_reader())
        return cli_fail("the program cgi-bin/ingest, which reads files, is not "
                        "there");
    (void)sigaction(SIGINT, &sa, NULL);
    (void)sigaction(SIGTERM, &sa, NULL);
    return run(&o);
}
