/*
 * A file of so many records, mapped by everybody who reads, and changed with a
 * lock on it (flock). A record is taken when a reading begins, and counts it;
 * when the reading ends it is empty again. So what is left over has counted the
 * readings that did not end, whoever ended them, and nobody has to notice a
 * death. The pages belong to the kernel: a process that is killed has written.
 *
 * A file is known by a digest of its collection, name, size and time: one that
 * was changed or sent again is another, and is tried again.
 *
 * What is lost when the machine dies, or when there are more such files than
 * records, is a few more tries.
 */
#include "base/base.h"

#include "files/tried.h"

#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/process.h"

#define FILE_NAME "tried"

struct record {
    uint8_t key[DIGEST_LEN];
    uint64_t start_ticks; /* of the process that reads it, or did last */
    int32_t pid;
    uint32_t times; /* begun and not ended; 0: the record is empty */
};
_Static_assert(sizeof(struct record) == 48, "docs/WIRE.md");

#define BYTES (TRIED_FILES * sizeof(struct record))

struct tried {
    int fd;                      /* -1: nothing is written down */
    struct record *all;          /* mapped */
    struct record *_Atomic mine; /* of the file that is read; NULL: none */
    _Atomic int64_t since_ms;
};

/* --- the file ------------------------------------------------------------- */

/* All of its blocks are there before it is mapped: a page that the disk has no
 * room for would be the end of this process. */
static bool
map(struct tried *t, const char *dir)
{
    char path[PATH_MAX];
    void *at;

    if (snprintf(path, sizeof(path), "%s/" FILE_NAME, dir) >=
        (int)sizeof(path)) {
        errno = ENAMETOOLONG;
        return false;
    }
    t->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (t->fd < 0)
        return false;
    errno = posix_fallocate(t->fd, 0, (off_t)BYTES);
    if (errno != 0)
        return false;
    at = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, t->fd, 0);
    if (at == MAP_FAILED)
        return false;
    t->all = at;
    return true;
}

struct tried *
tried_open(const char *dir)
{
    struct tried *t = xcalloc(1, sizeof(*t));

    t->fd = -1;
    if (map(t, dir))
        return t;
    log_warn("files.tried", "error=\"%s\"", strerror(errno));
    if (t->fd >= 0)
        (void)close(t->fd);
    t->fd = -1;
    return t;
}

void
tried_close(struct tried *t)
{
    if (t == NULL)
        return;
    if (t->all != NULL)
        (void)munmap(t->all, BYTES);
    if (t->fd >= 0)
        (void)close(t->fd);
    free(t);
}

/* --- records -------------------------------------------------------------- */

static void
make_key(uint8_t key[DIGEST_LEN], int64_t collection, const char *name,
         int64_t size, int64_t mtime_ns)
{
    struct buf b;

    buf_init(&b, strlen(name) + 80);
    buf_addf(&b, "%" PRId64 " %" PRId64 " %" PRId64 " %s", collection, size,
             mtime_ns, name);
    digest_sha256(key, b.data, b.len);
    buf_release(&b);
}

static bool
is_read_now(const struct record *r)
{
    const struct process p = {r->pid, r->start_ticks};

    return r->pid != 0 && process_alive(&p);
}

/* The record of a file, or one for it: an empty one, else the one that says the
 * least of those that nobody reads. NULL: there is none. */
static struct record *
find(struct tried *t, const uint8_t key[DIGEST_LEN])
{
    struct record *free_one = NULL, *least = NULL;

    for (size_t i = 0; i < TRIED_FILES; i++) {
        struct record *r = &t->all[i];

        if (r->times > 0 && memcmp(r->key, key, DIGEST_LEN) == 0)
            return r;
        if (r->times == 0 && free_one == NULL)
            free_one = r;
        if (r->times > 0 && (least == NULL || r->times < least->times) &&
            free_one == NULL && !is_read_now(r))
            least = r;
    }
    return free_one != NULL ? free_one : least;
}

unsigned
tried_begin(struct tried *t, int64_t collection, const char *name, int64_t size,
            int64_t mtime_ns)
{
    uint8_t key[DIGEST_LEN];
    struct process me;
    struct record *r;
    unsigned times = 0;

    if (t == NULL)
        return 0;
    atomic_store(&t->since_ms, clock_mono_ms());
    if (t->all == NULL || flock(t->fd, LOCK_EX) != 0)
        return 0;
    make_key(key, collection, name, size, mtime_ns);
    r = find(t, key);
    if (r != NULL && r->times > 0 && memcmp(r->key, key, DIGEST_LEN) == 0)
        times = r->times;
    /* Of somebody who reads it as well only the one before is a failure. */
    if (times > 0 && is_read_now(r)) {
        times--;
        r = NULL;
    }
    if (r != NULL) {
        me = process_self();
        r->pid = me.pid;
        r->start_ticks = me.start_ticks;
        (void)memcpy(r->key, key, DIGEST_LEN);
        r->times = times + 1;
        atomic_store(&t->mine, r);
    }
    (void)flock(t->fd, LOCK_UN);
    return times;
}

void
tried_end(struct tried *t, bool gave_up)
{
    struct record *r;

    if (t == NULL)
        return;
    atomic_store(&t->since_ms, 0);
    r = atomic_exchange(&t->mine, NULL);
    if (r == NULL || flock(t->fd, LOCK_EX) != 0)
        return;
    r->pid = 0;
    if (!gave_up)
        r->times = 0;
    (void)flock(t->fd, LOCK_UN);
}

int64_t
tried_since_ms(const struct tried *t)
{
    return atomic_load(&t->since_ms);
}

/* No lock: a handler must not wait, and nobody else changes a record that is
 * in use. */
void
tried_forgive(struct tried *t)
{
    struct record *r = t != NULL ? atomic_exchange(&t->mine, NULL) : NULL;

    if (r == NULL)
        return;
    r->pid = 0;
    r->times--;
}
