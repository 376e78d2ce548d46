/*
 * Appending to the audit log. Everything happens under audit.lock, a batch at a
 * time: look whether the file is as we left it (nearly always, where there is
 * one process), else read its last line; write the lines with one write; wait
 * for the disk; leave number and hash in audit.head.
 *
 * Where the end is not as expected, nothing is smoothed over. Half a line (a
 * process was killed, and its write with it) is cut off, and the next line
 * says so. If audit.head knows of more lines than there are, lines were cut
 * off that had been durable: the chain goes on from audit.head, so that the
 * missing numbers show for ever, and a line of its own tells of it.
 *
 * Some room is allocated ahead, so that the last events before a disk is full,
 * and the first ones after, are written all the same. A write that fails is
 * taken back to the last whole line.
 */
#include "base/base.h"

#include "ops/audit_file.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "ops/audit_tail.h"

#define ROOM_AHEAD (64 * 1024)      /* bytes */
#define BATCH_MAX (8 * 1024 * 1024) /* bytes of lines in one write */
#define TICK_NS 20000000L           /* between two interruptions */
#define TICK_SIGNAL (SIGRTMIN + 5)  /* of nobody else */
#define MODE 0600

/* --- opening ---------------------------------------------------------- */

static void
on_tick(int signo)
{
    (void)signo; /* it interrupts, that is all */
}

/* Wait in the kernel, which lets those who wait have a lock in turn; a timer of
 * this thread alone interrupts it when the time is over, and again until the
 * thread has noticed. */
static int
flock_timed(int fd, int how, timer_t timer)
{
    const struct itimerspec when = {.it_value.tv_sec = AUDIT_LOCK_MS / 1000,
                                    .it_interval.tv_nsec = TICK_NS};
    int64_t end_ms = clock_mono_ms() + AUDIT_LOCK_MS;
    int r = timer_settime(timer, 0, &when, NULL);

    while (r == 0 && (r = flock(fd, how)) != 0 && errno == EINTR) {
        if (clock_mono_ms() >= end_ms) {
            errno = EWOULDBLOCK;
            break;
        }
        r = 0;
    }
    return r;
}

int
audit_flock(int fd, int how)
{
    const struct sigaction tick = {.sa_handler = on_tick};
    struct sigevent to = {.sigev_notify = SIGEV_THREAD_ID,
                          .sigev_signo = TICK_SIGNAL};
    sigset_t only, before;
    timer_t timer;
    int r, errnum;

    /* Another one holds it for a write and the disk: mostly nobody does. */
    if (flock(fd, how | LOCK_NB) == 0)
        return 0;
    to._sigev_un._tid = gettid();
    if (errno != EWOULDBLOCK || sigaction(TICK_SIGNAL, &tick, NULL) != 0 ||
        timer_create(CLOCK_MONOTONIC, &to, &timer) != 0)
        return -1;
    (void)sigemptyset(&only);
    (void)sigaddset(&only, TICK_SIGNAL);
    (void)pthread_sigmask(SIG_UNBLOCK, &only, &before);
    r = flock_timed(fd, how, timer);
    errnum = errno;
    (void)timer_delete(timer);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = errnum;
    return r;
}

int
audit_lock_take(int dir_fd, bool shared)
{
    int fd = openat(
        dir_fd, AUDIT_LOCK,
        (shared ? O_RDONLY : O_RDWR | O_CREAT) | O_CLOEXEC | O_NOFOLLOW, MODE);
    int errnum;

    if (fd < 0 || audit_flock(fd, shared ? LOCK_SH : LOCK_EX) == 0)
        return fd;
    errnum = errno;
    (void)close(fd);
    errno = errnum;
    return -1;
}

void
audit_lock_leave(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}

enum err
audit_file_open(struct audit_file *f, const struct audit_config *c)
{
    (void)memset(f, 0, sizeof(*f));
    f->fd = f->lock_fd = -1;
    f->max = (off_t)c->file_max;
    audit_seal_init(&f->seal, c->key);
    f->dir_fd = open(c->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->dir_fd >= 0)
        f->lock_fd = openat(f->dir_fd, AUDIT_LOCK,
                            O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, MODE);
    if (f->lock_fd >= 0)
        return OK;
    log_error("audit.open", "dir=\"%s\" error=\"%s\"", c->dir, strerror(errno));
    audit_file_close(f);
    return ERR_STORE;
}

static void
close_log(struct audit_file *f)
{
    if (f->fd >= 0)
        (void)close(f->fd);
    f->fd = -1;
    f->known = false;
}

void
audit_file_close(struct audit_file *f)
{
    close_log(f);
    if (f->lock_fd >= 0)
        (void)close(f->lock_fd);
    if (f->dir_fd >= 0)
        (void)close(f->dir_fd);
    f->lock_fd = f->dir_fd = -1;
}

/* --- going on where the chain is -------------------------------------- */

static enum err write_lines(struct audit_file *f, const struct buf *lines);

/* A line of our own, about the log itself. */
static enum err
own_line(struct audit_file *f, const struct audit_fact *fact)
{
    struct audit_link before = f->link;
    struct buf body, line;
    enum err e;

    buf_init(&body, AUDIT_LINE_MAX);
    buf_init(&line, AUDIT_LINE_MAX);
    audit_body(&body, fact, clock_wall_ms());
    audit_line(&line, &f->link, &f->seal, body.data, body.len);
    e = buf_status(&line) == OK ? write_lines(f, &line) : ERR_INTERNAL;
    if (e != OK)
        f->link = before;
    buf_release(&body);
    buf_release(&line);
    return e;
}

/* The chain goes on from audit.head if that knows more than the files do, and
 * nobody else can have written it. */
static enum err
tell_gap(struct audit_file *f, const struct audit_tail *t, bool trusted,
         const struct audit_link *head)
{
    struct audit_fact fact = {.what = AUDIT_GAP,
                              .with = {AUDIT_NUMBER("found", t->link.n),
                                       AUDIT_NUMBER("expected", head->n)}};

    log_error("audit.gap", "found=%" PRId64 " expected=%" PRId64, t->link.n,
              head->n);
    if (trusted && head->n >= f->link.n)
        f->link = *head;
    return own_line(f, &fact);
}

/* Whoever takes the macs off all lines gets no silence for it. */
static enum err
tell_new_key(struct audit_file *f)
{
    struct audit_fact fact = {.what = AUDIT_NEW_KEY,
                              .with = {AUDIT_NUMBER("found", f->link.n)}};

    log_warn("audit.new_key", "found=%" PRId64, f->link.n);
    return own_line(f, &fact);
}

static enum err
tell_torn(struct audit_file *f, size_t bytes)
{
    struct audit_fact fact = {.what = AUDIT_REPAIRED,
                              .with = {AUDIT_NUMBER("bytes", (int64_t)bytes)}};

    log_warn("audit.repaired", "bytes=%zu", bytes);
    return own_line(f, &fact);
}

/* Is the end of the files one that audit.head agrees with? It may know of
 * fewer lines: a process was killed before it wrote it. */
static bool
agrees(const struct audit_tail *t, bool has_head, const struct audit_link *head)
{
    if (!t->lines && t->link.n == 0)
        return !has_head || head->n == 0;
    if (!t->ours || !has_head)
        return false;
    return head->n < t->link.n ||
           (head->n == t->link.n && strcmp(head->hash, t->link.hash) == 0);
}

/* Read the end of the log, which another process wrote or cut. */
static enum err
find_end(struct audit_file *f)
{
    struct audit_tail t;
    struct audit_link head = {.n = 0};
    bool trusted;
    bool has_head = audit_head_load(f->dir_fd, &f->seal, &head, &trusted);
    size_t torn;
    enum err e = audit_tail_read(f->fd, &t);

    torn = t.torn;
    if (e == OK && torn > 0 && ftruncate(f->fd, t.size) != 0)
        e = audit_failed(errno);
    f->size = f->room = t.size;
    if (e == OK && !t.lines)
        e = audit_tail_before(f->dir_fd, &t);
    if (e != OK)
        return e;
    f->link = t.link;
    if (!agrees(&t, has_head, &head))
        e = tell_gap(f, &t, trusted, &head);
    else if (has_head && !trusted)
        e = tell_new_key(f);
    if (e == OK && torn > 0)
        e = tell_torn(f, torn);
    return e;
}

/* Have audit.log open, and know where the chain is. */
static enum err
settle(struct audit_file *f)
{
    struct stat st;
    enum err e;

    if (f->fd >= 0 && fstatat(f->dir_fd, AUDIT_LOG, &st, 0) == 0 &&
        st.st_ino == f->inode) {
        if (f->known && st.st_size == f->size)
            return OK;
    } else {
        close_log(f);
        f->fd = openat(f->dir_fd, AUDIT_LOG,
                       O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
                       MODE);
        if (f->fd < 0 || fstat(f->fd, &st) != 0)
            return audit_failed(errno);
        (void)fsync(f->dir_fd); /* best effort: the name */
        f->inode = st.st_ino;
    }
    f->known = false;
    e = find_end(f);
    f->known = e == OK;
    return e;
}

/* --- appending -------------------------------------------------------- */

/* One write, and to the disk. What fails is taken back. */
static enum err
write_lines(struct audit_file *f, const struct buf *lines)
{
    size_t done = 0;
    int errnum;

    if (f->room < f->size + (off_t)lines->len + ROOM_AHEAD / 2 &&
        fallocate(f->fd, FALLOC_FL_KEEP_SIZE, f->size,
                  (off_t)lines->len + ROOM_AHEAD) == 0)
        f->room = f->size + (off_t)lines->len + ROOM_AHEAD;
    while (done < lines->len) {
        ssize_t k = write(f->fd, lines->data + done, lines->len - done);

        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            goto undo;
        done += (size_t)k;
    }
    if (fdatasync(f->fd) != 0)
        goto undo;
    f->size += (off_t)lines->len;
    audit_head_save(f->dir_fd, &f->seal, &f->link);
    return OK;
undo:
    errnum = errno;
    IGNORE(ftruncate(f->fd, f->size)); /* else the next one finds it torn */
    f->known = false;
    f->room = f->size;
    return audit_failed(errnum);
}

/* audit.log becomes the next audit-NNNN.log. */
static enum err
rotate(struct audit_file *f)
{
    char name[AUDIT_NAME_MAX];
    int64_t no = audit_parts_highest(f->dir_fd);
    struct audit_link link = f->link;
    enum err e;

    if (no < 0)
        return audit_failed(errno);
    (void)snprintf(name, sizeof(name), "audit-%04" PRId64 ".log", no + 1);
    IGNORE(ftruncate(f->fd, f->size)); /* the room ahead goes */
    if (renameat(f->dir_fd, AUDIT_LOG, f->dir_fd, name) != 0)
        return audit_failed(errno);
    log_info("audit.rotated", "file=%s last=%" PRId64, name, link.n);
    close_log(f);
    e = settle(f);
    assert(e != OK || f->link.n >= link.n);
    return e;
}

/* Seal bodies from *done on into one write, as many as belong into this file;
 * at least one. */
static enum err
append_some(struct audit_file *f, const struct audit_entry_body *bodies,
            size_t n, size_t *done)
{
    struct audit_link before = f->link;
    struct buf lines;
    size_t i = *done;
    enum err e;

    buf_init(&lines, BATCH_MAX);
    while (i < n && (i == *done || (lines.len + AUDIT_LINE_MAX < BATCH_MAX &&
                                    f->size + (off_t)lines.len < f->max))) {
        audit_line(&lines, &f->link, &f->seal, bodies[i].data, bodies[i].len);
        i++;
    }
    e = buf_status(&lines) == OK ? write_lines(f, &lines) : ERR_INTERNAL;
    if (e == OK)
        *done = i;
    else
        f->link = before;
    buf_release(&lines);
    return e;
}

enum err
audit_file_append(struct audit_file *f, const struct audit_entry_body *bodies,
                  size_t n, size_t *done)
{
    enum err e;
    int r;

    *done = 0;
    if (audit_flock(f->lock_fd, LOCK_EX) != 0)
        return audit_failed(errno);
    e = settle(f);
    while (e == OK && *done < n) {
        if (f->size >= f->max)
            e = rotate(f);
        if (e == OK)
            e = append_some(f, bodies, n, done);
    }
    r = errno;
    (void)flock(f->lock_fd, LOCK_UN);
    errno = r;
    return e;
}
