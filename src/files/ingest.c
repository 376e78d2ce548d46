/*
 * A file is known by its size and the time of its change (with those of the
 * file beside an image that describes it: the sum, and the later one); where
 * they differ, it is read. So a second run over the same folder reads nothing,
 * and one that was cut off goes on where it was.
 *
 * Small files of plain text share a transaction, since a commit each would cost
 * more than reading them. Before a file that may take long the transaction is
 * ended: others want to write, too.
 */
#include "base/base.h"

#include "files/ingest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "files/chunk.h"
#include "files/described.h"
#include "files/extract.h"
#include "files/image.h"
#include "files/kind.h"

#define BATCH_MS 50             /* that others may have to wait */
#define BATCH_FILE (256 * 1024) /* bytes; longer ones have their own */

/* --- opening ------------------------------------------------------------- */

int
ingest_open(int root, const char *path)
{
    struct open_how how = {
        .flags = O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
                   RESOLVE_NO_MAGICLINKS,
    };
    struct stat st;
    int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));

    if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
        (void)close(fd);
        errno = EINVAL;
        return -1;
    }
    return fd;
}

/* ENXIO, ENODEV: a socket or a device stands there. */
bool
ingest_is_gone(int errnum)
{
    return errnum == ENOENT || errnum == ENOTDIR || errnum == ELOOP ||
           errnum == EINVAL || errnum == ENXIO || errnum == ENODEV;
}

struct opened {
    int fd, sidecar; /* -1: none */
    char sidecar_path[INGEST_PATH_BYTES];
    int64_t size;     /* of both */
    int64_t mtime_ns; /* of the later one */
};

static int64_t
mtime_ns(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

/* Does it say something of what a sidecar says? */
static bool
is_sidecar(int fd, const char *path)
{
    struct facts *said = xcalloc(1, sizeof(*said));
    char *bytes = xmalloc(SIDECAR_MAX + 1); /* with that, it is too long */
    ssize_t n = pread(fd, bytes, SIDECAR_MAX + 1, 0);
    bool is = n > 0 && sidecar_read(path, bytes, (size_t)n, said);

    free(bytes);
    free(said);
    return is;
}

/* "a/beach.jpg" has its words in "a/beach.jpg.json", "a/beach.json", or the
 * same with .txt. */
int
ingest_sidecar(const struct ingest *in, const char *image,
               char path[INGEST_PATH_BYTES])
{
    static const char *const endings[] = {".json", ".txt"};
    const char *slash = strrchr(image, '/');
    const char *dot = strrchr(slash != NULL ? slash : image, '.');
    size_t stem = dot != NULL ? (size_t)(dot - image) : strlen(image);

    for (size_t i = 0; i < 2 * COUNT_OF(endings); i++) {
        size_t n = i % 2 == 0 ? strlen(image) : stem;
        int fd = -1;

        if (snprintf(path, INGEST_PATH_BYTES, "%.*s%s", (int)n, image,
                     endings[i / 2]) < INGEST_PATH_BYTES &&
            rules_label(in->rules, path, false) != LABEL_IGNORE)
            fd = ingest_open(in->root, path);
        if (fd >= 0 && is_sidecar(fd, path))
            return fd;
        if (fd >= 0)
            (void)close(fd);
    }
    path[0] = '\0';
    return -1;
}

static bool
open_file(struct opened *o, const struct ingest *in, const char *path)
{
    struct stat st;

    *o = (struct opened){.sidecar = -1};
    o->fd = ingest_open(in->root, path);
    if (o->fd < 0 || fstat(o->fd, &st) != 0)
        return false;
    o->size = (int64_t)st.st_size;
    o->mtime_ns = mtime_ns(&st);
    if (kind_of(path, NULL, 0).kind == KIND_IMAGE)
        o->sidecar = ingest_sidecar(in, path, o->sidecar_path);
    if (o->sidecar >= 0 && fstat(o->sidecar, &st) == 0) {
        o->size += (int64_t)st.st_size;
        if (mtime_ns(&st) > o->mtime_ns)
            o->mtime_ns = mtime_ns(&st);
    }
    return true;
}

static void
close_file(struct opened *o)
{
    if (o->fd >= 0)
        (void)close(o->fd);
    if (o->sidecar >= 0)
        (void)close(o->sidecar);
}

/* --- reading ------------------------------------------------------------- */

struct reading {
    struct ingest *in;
    struct chunker *chunker;
    struct files_put *put;
    uint64_t chunks;
    bool stopped;
};

static enum err
take_chunk(void *arg, const struct chunk *c)
{
    struct reading *r = arg;

    if (r->chunks++ % 64 == 0 && r->in->stopped != NULL &&
        r->in->stopped(r->in->arg)) {
        r->stopped = true;
        return ERR_HUP;
    }
    return files_put_chunk(r->put, c);
}

static enum err
take_block(void *arg, const struct block *b)
{
    struct reading *r = arg;

    return chunker_add(r->chunker, b);
}

/* What is known of an image is its text. */
static enum err
add_image(struct reading *r, const struct opened *o, struct document *d)
{
    char *bytes = xmalloc(SIDECAR_MAX);
    struct block b = {.kind = BLOCK_TEXT};
    struct buf text;
    ssize_t n = o->sidecar >= 0 ? read(o->sidecar, bytes, SIDECAR_MAX) : 0;
    enum err e = OK;

    if (n > 0 && !sidecar_stale(bytes, (size_t)n, d->hash))
        IGNORE(sidecar_read(o->sidecar_path, bytes, (size_t)n, &d->facts));
    free(bytes);
    if (d->id > 0 && d->facts.described_by[0] != '\0')
        e = files_undescribe(r->in->files, d->id); /* the sidecar says it */
    else
        described_use(r->in->files, d->id, d->hash, &d->facts);
    buf_init(&text, 2 * BLOCK_MAX);
    image_text(d->name, &d->facts, &text);
    b.text = buf_cstr(&text);
    b.len = text.len < BLOCK_MAX ? text.len : utf8_whole(b.text, BLOCK_MAX);
    if (e == OK && b.len > 0)
        e = take_block(r, &b);
    buf_release(&text);
    return e;
}

static enum err
read_blocks(struct reading *r, const struct opened *o, const struct kind *k,
            struct document *d)
{
    enum err e;

    e = k->kind == KIND_TEXT
            ? text_read(o->fd, k->text, take_block, r, &d->facts, &d->skip)
            : extract_read(o->fd, k, take_block, r, &d->facts, &d->skip);
    if (d->facts.type[0] == '\0')
        (void)snprintf(d->facts.type, sizeof(d->facts.type), "%s", k->type);
    d->image = k->kind == KIND_IMAGE;
    if (e == OK && d->skip == SKIP_NOT && d->image)
        e = add_image(r, o, d);
    if (e == OK && d->skip == SKIP_NOT)
        e = chunker_end(r->chunker);
    return e == ERR_IMPOSSIBLE && d->skip != SKIP_NOT ? OK : e;
}

/* Was the file deleted while it was read, or another put in its place? */
static bool
is_gone(const struct opened *o)
{
    struct stat st;

    return o->fd >= 0 && (fstat(o->fd, &st) != 0 || st.st_nlink == 0);
}

/* Everything but the reasons why it cannot be read goes up. ERR_NOTFOUND: it is
 * gone, and what is known of it was left alone. */
static enum err
put_file(struct ingest *in, const struct opened *o, const struct kind *k,
         struct document *d)
{
    struct reading r = {.in = in};
    const char *redactions = rules_redactions(in->rules);
    enum err e = files_put_begin(in->files, d, &r.put);

    if (e != OK)
        return e;
    r.chunker = chunker_new(take_chunk, &r);
    if (d->skip == SKIP_NOT)
        e = read_blocks(&r, o, k, d);
    if (e == OK && d->skip == SKIP_NOT && r.chunks == 0)
        d->skip = SKIP_EMPTY;
    chunker_free(r.chunker);
    if (e == OK && is_gone(o))
        e = ERR_NOTFOUND;
    if (e == OK)
        return files_put_end(r.put, d, redactions);
    files_put_abandon(r.put);
    return r.stopped ? ERR_HUP : e;
}

/* --- the transaction ----------------------------------------------------- */

enum err
ingest_settle(struct ingest *in)
{
    if (!in->batch)
        return OK;
    in->batch = false;
    return files_batch_end(in->files, true);
}

static enum err
settle_for(struct ingest *in, bool small)
{
    enum err e = OK;

    if (in->batch && (!small || clock_mono_ms() - in->batch_ms >= BATCH_MS))
        e = ingest_settle(in);
    if (e == OK && small && !in->batch) {
        e = files_batch_begin(in->files);
        in->batch = e == OK;
        in->batch_ms = clock_mono_ms();
    }
    return e;
}

/* --- one file ------------------------------------------------------------ */

static bool
is_same(const struct document *known, const struct document *d)
{
    return known->size == d->size && known->mtime_ns == d->mtime_ns &&
           known->skip != SKIP_WAITING && known->skip != SKIP_READ &&
           known->skip != SKIP_TIME;
}

/* Why it is not read at all, and what kind it is. */
static void
look(struct document *d, const struct opened *o, struct kind *k)
{
    uint8_t head[KIND_LOOK];
    ssize_t n = pread(o->fd, head, sizeof(head), 0);

    *k = kind_of(d->name, head, n > 0 ? (size_t)n : 0);
    if (n < 0)
        d->skip = SKIP_READ;
    else if (n == 0)
        d->skip = SKIP_EMPTY;
    else if (d->size > INGEST_FILE_MAX)
        d->skip = SKIP_SIZE;
    else if (k->kind == KIND_NONE)
        d->skip = SKIP_TYPE;
    if (d->skip == SKIP_NOT && digest_file(d->hash, o->fd) != OK)
        d->skip = SKIP_READ;
    if (lseek(o->fd, 0, SEEK_SET) != 0)
        d->skip = SKIP_READ;
    (void)snprintf(d->facts.type, sizeof(d->facts.type), "%s", k->type);
}

/* The rules may have changed though the file has not. */
static enum err
relabel(struct ingest *in, struct document *known, enum label label)
{
    const char *redactions = rules_redactions(in->rules);
    enum err e;

    if (known->label_fixed)
        label = known->label;
    if (label == known->label && label != LABEL_REDACT)
        return OK;
    e = settle_for(in, true);
    known->label = label;
    return e == OK ? files_ruled(in->files, known->id, label,
                                 redactions != NULL ? redactions : "")
                   : e;
}

/* What is said of an image goes where the image goes. */
static enum label
label_of(const struct ingest *in, const struct opened *o, const char *name)
{
    enum label label = rules_label(in->rules, name, false);
    enum label beside = o->sidecar >= 0
                            ? rules_label(in->rules, o->sidecar_path, false)
                            : label;

    return beside > label ? beside : label;
}

/* It is not the one that is known. */
static enum err
read_anew(struct ingest *in, const struct opened *o, struct document *d,
          enum ingested *did)
{
    struct kind k = kind_of(d->name, NULL, 0);
    enum err e;

    if (tried_begin(in->tried, in->collection, d->name, d->size, d->mtime_ns) >=
        TRIED_MAX) {
        d->skip = SKIP_DIED;
        (void)snprintf(d->facts.type, sizeof(d->facts.type), "%s", k.type);
        log_warn("files.died", "collection=%" PRId64 " tries=%d",
                 in->collection, TRIED_MAX);
    } else if (o->fd >= 0) {
        look(d, o, &k);
    }
    e = settle_for(in, d->skip != SKIP_NOT ||
                           (k.kind == KIND_TEXT && d->size <= BATCH_FILE));
    if (e == OK)
        e = put_file(in, o, &k, d);
    tried_end(in->tried, e == OK && d->skip == SKIP_TIME);
    if (e == ERR_NOTFOUND)
        return OK;
    *did = d->skip == SKIP_NOT ? INGEST_ADDED : INGEST_SKIPPED;
    return e;
}

enum err
ingest_file(struct ingest *in, const char *path, const char *name,
            struct document *d, enum ingested *did)
{
    struct document known;
    struct opened o;
    bool is_known;
    enum err e;

    *did = INGEST_GONE;
    *d = (struct document){.collection = in->collection};
    (void)snprintf(d->name, sizeof(d->name), "%s", name);
    e = files_known(in->files, in->collection, name, &known);
    is_known = e == OK;
    if (e != OK && e != ERR_NOTFOUND)
        return e;
    if (!open_file(&o, in, path) && ingest_is_gone(errno)) {
        close_file(&o);
        return is_known ? files_delete(in->files, known.id) : OK;
    }
    d->label = label_of(in, &o, name);
    d->skip = o.fd < 0 ? SKIP_READ : SKIP_NOT;
    d->size = o.fd < 0 ? 0 : o.size;
    d->mtime_ns = o.fd < 0 ? 0 : o.mtime_ns;
    if (is_known && is_same(&known, d)) {
        *did = INGEST_SAME;
        e = relabel(in, &known, d->label);
        *d = known;
    } else {
        d->id = is_known ? known.id : 0;
        if (is_known && known.label_fixed) {
            d->label = known.label;
            d->label_fixed = true;
        }
        e = read_anew(in, &o, d, did);
    }
    close_file(&o);
    return e;
}
