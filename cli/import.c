/*
 * parley import: conversations of files, straight into the store. A server may
 * go on: both write the same store, one after the other, and the index of words
 * is brought up to date here.
 *
 * A file is read in pieces and written in rounds (api/intake.h), so the memory
 * is the same for any size.
 */
#include "base/base.h"

#include "cli.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/intake.h"
#include "base/conf.h"
#include "base/mem.h"
#include "chat/index_beside.h"
#include "dialect/import.h"

struct job {
    struct intake_config c;
    struct index_beside index;
    enum err indexed; /* OK: the index has all that was stored */
    int status;
};

struct file {
    const char *name; /* as people gave it */
    int fd;
    uint64_t size; /* 0: not known */
    uint64_t at;   /* bytes that were read */
};

/* --- the index ------------------------------------------------------------ */

static void
on_session(void *arg, const char *owner, const char *session_id)
{
    struct job *j = arg;

    if (j->indexed == OK)
        j->indexed = index_beside_add(&j->index, owner, session_id);
}

/* --- a file --------------------------------------------------------------- */

static void
show(struct cli_bar *bar, const struct file *f, const struct intake *in)
{
    struct intake_totals t;
    char text[96];

    intake_totals(in, &t);
    (void)snprintf(text, sizeof(text), "%" PRIu64 " MiB, %zu sessions",
                   f->at >> 20, t.sessions);
    cli_bar_show(bar, f->at, f->size, text);
}

/* Up to a round. *end: there is no more. */
static enum err
read_round(struct file *f, struct intake *in, char *piece, bool *end)
{
    enum err e = OK;

    while (e == OK && !*end && !intake_full(in)) {
        ssize_t n = read(f->fd, piece, INTAKE_PIECE);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ERR_INTERNAL;
        *end = n == 0;
        f->at += (uint64_t)n;
        e = *end ? intake_read_end(in) : intake_read(in, piece, (size_t)n);
    }
    return e;
}

static enum err
read_file(struct job *j, struct file *f, struct intake *in)
{
    char *piece = xmalloc(INTAKE_PIECE);
    enum err e = OK, stored = OK;
    struct cli_bar bar;
    bool end = false;

    cli_bar_init(&bar, f->name);
    while (e == OK && stored == OK && !end) {
        e = read_round(f, in, piece, &end);
        if (j->indexed == OK)
            j->indexed = index_beside_begin(&j->index);
        stored = intake_write_all(in);
        show(&bar, f, in);
    }
    cli_bar_end(&bar);
    free(piece);
    return e;
}

static void
on_fault(void *arg, size_t item, const char *rule)
{
    (void)fprintf(stderr, "%s: item %zu: %s\n", (const char *)arg, item, rule);
}

static void
tell(struct job *j, const struct file *f, const struct intake *in)
{
    struct intake_totals t;

    intake_totals(in, &t);
    intake_each_fault(in, on_fault, (void *)(uintptr_t)f->name);
    (void)printf("%s: %zu sessions, %zu messages; messages left out %zu, "
                 "faults %zu\n",
                 f->name, t.sessions, t.messages, t.left_out, t.faults);
    if (t.faults > 0 && j->status == CLI_OK)
        j->status = CLI_FAULTS;
}

static void
import_file(struct job *j, struct file *f)
{
    struct intake *in = intake_new(&j->c);
    struct problem p = {.err = OK};
    enum err e = read_file(j, f, in);
    int errnum = errno;

    if (intake_end(in, e, &p) == OK) {
        tell(j, f, in);
        if (e == ERR_INTERNAL || intake_status(in) != OK)
            j->status = CLI_FAILED;
    } else if (e == ERR_INTERNAL) {
        j->status = cli_fail("%s: %s", f->name, strerror(errnum));
    } else {
        intake_each_fault(in, on_fault, (void *)(uintptr_t)f->name);
        j->status = cli_fail("%s: %s", f->name,
                             p.message[0] != '\0' ? p.message : p.error);
    }
    intake_free(in);
}

static void
import_from(struct job *j, const char *name, int fd)
{
    struct file f = {.name = name, .fd = fd};
    struct stat st;

    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        f.size = (uint64_t)st.st_size;
    import_file(j, &f);
}

static void
open_and_import(struct job *j, const char *name)
{
    int fd;

    if (strcmp(name, "-") == 0) {
        import_from(j, "stdin", STDIN_FILENO);
        return;
    }
    fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        j->status = cli_fail("%s: %s", name, strerror(errno));
        return;
    }
    import_from(j, name, fd);
    (void)close(fd);
}

/* --- the command ---------------------------------------------------------- */

static int
import_files(struct job *j, int n, char **names)
{
    if (cli_open_store(&j->c.store) != OK)
        return cli_fail("the store in %s cannot be opened", cli_store());
    j->indexed = index_beside_open(&j->index, j->c.store, cli_index());
    for (int i = 0; i < n; i++)
        open_and_import(j, names[i]);
    if (j->indexed == OK)
        j->indexed = index_beside_end(&j->index);
    if (j->indexed != OK && j->status == CLI_OK)
        j->status = cli_fail("the sessions are stored, but the index of words "
                             "could not be written: run parley reindex");
    index_beside_close(&j->index);
    store_close(j->c.store);
    return j->status;
}

/* auto, or the name of a format. */
static bool
format_parse(const char *name, const char **out)
{
    *out = NULL;
    for (int f = 0; f < IMPORT__MAX; f++)
        if (strcmp(name, import_format_name((enum import_format)f)) == 0)
            *out = import_format_name((enum import_format)f);
    return *out != NULL || strcmp(name, "auto") == 0;
}

int
cli_import(int argc, char **argv)
{
    struct job j = {.status = CLI_OK};
    int i = 0;

    j.c.owner = "";
    j.c.sessions_max = (uint64_t)conf_int(CONF_MAX_SESSIONS);
    j.c.messages_max = (uint32_t)conf_int(CONF_MAX_MESSAGES);
    j.c.used = conf_int(CONF_SESSION_TTL) > 0;
    j.c.stored = on_session;
    j.c.arg = &j;
    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        if (strcmp(argv[i], "--owner") == 0 && i + 1 < argc)
            j.c.owner = argv[++i];
        else if (strcmp(argv[i], "--format") != 0 || i + 1 == argc ||
                 !format_parse(argv[++i], &j.c.format))
            return cli_wrong("import");
    }
    if (i == argc || strlen(j.c.owner) > STORE_OWNER_MAX)
        return cli_wrong("import");
    for (int k = i; k < argc; k++)
        if (argv[k][0] == '\0' || (argv[k][0] == '-' && argv[k][1] != '\0'))
            return cli_wrong("import");
    return import_files(&j, argc - i, argv + i);
}
