/*
 * The mapped table: how the file is made, and how a word in it is changed.
 *
 * The file is made anew, under another name that then takes the place of the
 * old, when it is of another boot (times are monotonic), of another version, or
 * damaged. Whoever is about to do so holds a lock on the file that is there;
 * who waited for that lock finds that the name leads elsewhere now, and begins
 * again. So several processes that start at once end with one file.
 *
 * A name has a group of slots where it may be, and no other. In a full group,
 * the word that would be missed least gives way: its value is made 0, then the
 * tag is changed. A value that somebody puts there in between has the bits of
 * the old tag, so that it is not taken for the new one's, and whoever was about
 * to change it for the old one either does so (it is forgotten anyway) or sees
 * that the tag is another. Two processes that make room for the same name in
 * the same moment may take two slots; the first of them in the group counts for
 * both.
 *
 * What is lost when the machine goes down is lost: nothing is ever synced.
 */
#include "base/base.h"

#include "auth/limit_table.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/limit.h"
#include "base/ident.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/process.h"

#define PATH_BYTES 4096
#define LOCK_TRIES 200
#define LOCK_PAUSE_MS 10
#define OPEN_TRIES 20 /* each means that another process made a file */

static const char magic[8] = {'P', 'R', 'L', 'Y', 'L', 'I', 'M', '\n'};

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "shared between processes");
_Static_assert(sizeof(struct limit_slot) == 16, "docs/WIRE.md");
_Static_assert(sizeof(struct limit_header) == 128, "docs/WIRE.md");
_Static_assert(LIMIT_FILE_BYTES == 1052672, "docs/WIRE.md");
_Static_assert(LIMIT_SLOTS % LIMIT_GROUP == 0, "whole groups");

/* --- the header --------------------------------------------------------- */

static void
header_check(const struct limit_header *h, uint8_t out[DIGEST_LEN])
{
    digest_hmac(out, h->key, sizeof(h->key), h,
                offsetof(struct limit_header, check));
}

static void
header_make(struct limit_header *h)
{
    memset(h, 0, sizeof(*h));
    memcpy(h->magic, magic, sizeof(magic));
    h->version = LIMIT_VERSION;
    h->slots = LIMIT_SLOTS;
    h->group = LIMIT_GROUP;
    h->areas = LIMIT_AREA__MAX;
    (void)snprintf(h->boot, sizeof(h->boot), "%s", process_boot_id());
    ident_random(h->key, sizeof(h->key));
    header_check(h, h->check);
}

static bool
header_sound(const struct limit_header *h)
{
    uint8_t check[DIGEST_LEN];

    if (memcmp(h->magic, magic, sizeof(magic)) != 0 ||
        h->version != LIMIT_VERSION || h->slots != LIMIT_SLOTS ||
        h->group != LIMIT_GROUP || h->areas != LIMIT_AREA__MAX)
        return false;
    header_check(h, check);
    return digest_equal(check, h->check, sizeof(check)) &&
           strcmp(h->boot, process_boot_id()) == 0;
}

/* --- the file ----------------------------------------------------------- */

/* Whoever has it makes a file of a megabyte at the most; one who is stopped
 * meanwhile does not stop others for good. */
static bool
lock(int fd)
{
    struct flock f = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE_MS * 1000000};

    for (int i = 0; i < LOCK_TRIES; i++) {
        if (fcntl(fd, F_OFD_SETLK, &f) == 0)
            return true;
        if (errno != EAGAIN && errno != EACCES && errno != EINTR)
            return false;
        (void)nanosleep(&pause, NULL);
    }
    errno = ETIMEDOUT;
    return false;
}

/* Closing would not do: a map keeps the file open, and the lock with it. */
static void
unlock(int fd)
{
    struct flock f = {.l_type = F_UNLCK, .l_whence = SEEK_SET, .l_len = 1};

    IGNORE(fcntl(fd, F_OFD_SETLK, &f) != 0);
}

static bool
is_at(int fd, const char *path)
{
    struct stat ours, there;

    return fstat(fd, &ours) == 0 && lstat(path, &there) == 0 &&
           ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

static bool
sound(int fd, struct limit_header *h)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
           st.st_size == (off_t)LIMIT_FILE_BYTES &&
           pread(fd, h, sizeof(*h), 0) == (ssize_t)sizeof(*h) &&
           header_sound(h);
}

/* Blocks for all of it: a full disk must fail here, not at a store into the
 * map. errno is set where this fails. */
static bool
fill(int fd)
{
    struct limit_header h;
    int rc;

    do
        rc = posix_fallocate(fd, 0, (off_t)LIMIT_FILE_BYTES);
    while (rc == EINTR);
    if (rc != 0) {
        errno = rc;
        return false;
    }
    header_make(&h);
    return pwrite(fd, &h, sizeof(h), 0) == (ssize_t)sizeof(h);
}

/* Put a new one in place; the caller has the lock of the old. */
static bool
make(const char *path)
{
    char fresh[PATH_BYTES];
    int fd, saved;
    bool ok;

    if ((size_t)snprintf(fresh, sizeof(fresh), "%s.new", path) >=
        sizeof(fresh)) {
        errno = ENAMETOOLONG;
        return false;
    }
    (void)unlink(fresh); /* of a process that died */
    fd = open(fresh, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    ok = fill(fd) && rename(fresh, path) == 0;
    saved = errno;
    (void)close(fd);
    if (!ok)
        (void)unlink(fresh); /* best effort */
    errno = saved;
    return ok;
}

static bool
map(struct limit *l, int fd)
{
    const int rights = PROT_READ | PROT_WRITE;
    void *p;

    if (fd < 0)
        /* cppcheck-suppress invalidFunctionArg */
        p = mmap(NULL, LIMIT_FILE_BYTES, rights, MAP_SHARED | MAP_ANONYMOUS, -1,
                 0);
    else
        p = mmap(NULL, LIMIT_FILE_BYTES, rights, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return false;
    l->map = p;
    l->slots = (struct limit_slot *)(void *)(l->map + LIMIT_HEADER);
    return true;
}

/* One try: 1: mapped; 0: again; -1: errno says why not. */
static int
attach(struct limit *l, const char *path)
{
    struct limit_header h;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int got = -1, saved;

    if (fd < 0)
        return -1;
    if (!lock(fd))
        got = -1;
    else if (!is_at(fd, path))
        got = 0;
    else if (sound(fd, &h)) {
        got = map(l, fd) ? 1 : -1;
        memcpy(l->key, h.key, sizeof(l->key));
    } else
        got = make(path) ? 0 : -1;
    saved = errno;
    unlock(fd);
    (void)close(fd);
    errno = saved;
    return got;
}

struct limit *
limit_open(const char *path)
{
    struct limit *l = xcalloc(1, sizeof(*l));
    int got = 0;

    for (int i = 0; got == 0 && i < OPEN_TRIES; i++) {
        errno = EAGAIN;
        got = attach(l, path);
    }
    if (got > 0) {
        l->shared = true;
        return l;
    }
    log_error("limit.file",
              "file=\"%s\" error=\"%s\" note=\"limits are counted by each "
              "process for itself\"",
              path, strerror(errno));
    if (!map(l, -1)) {
        log_error("limit.map", "error=\"%s\"", strerror(errno));
        abort(); /* a megabyte: for want of memory */
    }
    ident_random(l->key, sizeof(l->key));
    return l;
}

void
limit_close(struct limit *l)
{
    if (l == NULL)
        return;
    (void)munmap(l->map, LIMIT_FILE_BYTES);
    explicit_bzero(l->key, sizeof(l->key));
    free(l);
}

bool
limit_shared(const struct limit *l)
{
    return l->shared;
}

/* --- words -------------------------------------------------------------- */

struct place {
    struct limit_slot *group; /* LIMIT_GROUP of them */
    uint64_t tag;
};

static struct place
place_of(const struct limit *l, const struct limit_ask *ask)
{
    uint8_t text[DIGEST_LEN + 1], digest[DIGEST_LEN];
    struct place p;
    uint32_t n;

    assert(ask->kind < 256 && ask->area < LIMIT_AREA__MAX);
    text[0] = (uint8_t)ask->kind;
    digest_hmac(text + 1, l->key, sizeof(l->key), ask->name, strlen(ask->name));
    digest_hmac(digest, l->key, sizeof(l->key), text, sizeof(text));
    memcpy(&p.tag, digest, sizeof(p.tag));
    memcpy(&n, digest + sizeof(p.tag), sizeof(n));
    if (p.tag == 0)
        p.tag = 1;
    p.group = l->slots + (size_t)ask->area * LIMIT_SLOTS +
              (size_t)(n % (LIMIT_SLOTS / LIMIT_GROUP)) * LIMIT_GROUP;
    return p;
}

static uint64_t
word_of(uint64_t tag, uint64_t value)
{
    if (value >> LIMIT_WORD_BITS != tag >> LIMIT_WORD_BITS)
        return 0;
    return value & LIMIT_WORD_MAX;
}

static struct limit_slot *
find(const struct place *p)
{
    for (size_t i = 0; i < LIMIT_GROUP; i++)
        if (atomic_load(&p->group[i].tag) == p->tag)
            return &p->group[i];
    return NULL;
}

/* Make a slot the name's. The caller looks again which one it is: another
 * process may have been faster, here or there. */
static void
claim(const struct place *p, const struct limit_ask *ask)
{
    struct limit_slot *least = NULL;
    uint64_t least_rank = 0, least_tag = 0, least_value = 0;

    for (size_t i = 0; i < LIMIT_GROUP; i++) {
        struct limit_slot *s = &p->group[i];
        uint64_t tag = atomic_load(&s->tag);
        uint64_t value = atomic_load(&s->value);
        uint64_t word = word_of(tag, value);
        uint64_t rank = word != 0 ? ask->rank(ask->now_ms, word) : 0;

        if (tag == 0) {
            least = s;
            least_tag = 0;
            least_value = value;
            break;
        }
        if (least == NULL || rank < least_rank) {
            least = s;
            least_rank = rank;
            least_tag = tag;
            least_value = value;
        }
    }
    /* Empty first: one time in 65536 the new tag has the old one's bits. */
    if (least_value != 0)
        (void)atomic_compare_exchange_strong(&least->value, &least_value, 0);
    /* What is there already, if this fails, is as good. */
    (void)atomic_compare_exchange_strong(&least->tag, &least_tag, p->tag);
}

void
limit_update(struct limit *l, const struct limit_ask *ask)
{
    struct place p = place_of(l, ask);

    for (;;) {
        struct limit_slot *s = find(&p);
        uint64_t value, word, next;

        value = s != NULL ? atomic_load(&s->value) : 0;
        word = word_of(p.tag, value);
        next = ask->fn(ask->arg, word);
        assert(next <= LIMIT_WORD_MAX);
        if (next == word)
            return;
        if (s == NULL) {
            claim(&p, ask);
            continue;
        }
        if (word == 0 && atomic_load(&s->tag) != p.tag)
            continue; /* it was taken away in between */
        next |= p.tag >> LIMIT_WORD_BITS << LIMIT_WORD_BITS;
        if (atomic_compare_exchange_strong(&s->value, &value, next))
            return;
    }
}
