/*
 * The side that starts a reader and listens to it.
 *
 * The reader is a process of its own, with nothing of ours but the file and a
 * pipe: every other descriptor is closed, whoever opened it, and of the
 * environment it gets what a sanitizer wants and no more. It has a group of its
 * own, so that what it starts itself (pdftotext) ends with it. Whatever it does
 * (says what it may not, says nothing, never ends, dies) costs this one file
 * and EXTRACT_SECONDS at most; the time that the caller takes with the blocks
 * does not count.
 *
 * What a reader says itself is believed where it harms nobody: the reason why
 * it could not read. If it dies before that, the reason is how it died.
 */
#include "base/base.h"

#include "files/extract.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/process.h"
#include "files/extract_record.h"

#define PROGRAM "ingest"
#define READ_BYTES ((size_t)64 * 1024)
#define END_MS 2000 /* from the end of its output to its own */
#define LOOK_MS 2   /* between two looks whether it has ended */

static char *program; /* owned; NULL: beside the one that runs */
static int patience_s = EXTRACT_SECONDS;

void
extract_program(const char *path)
{
    free(program);
    program = xstrdup(path);
}

void
extract_patience(int seconds)
{
    patience_s = seconds;
}

static void
find_program(char path[PROCESS_PATH_MAX])
{
    ssize_t n;
    char *slash;

    if (program != NULL) {
        (void)snprintf(path, PROCESS_PATH_MAX, "%s", program);
        return;
    }
    n = readlink("/proc/self/exe", path, PROCESS_PATH_MAX - 1);
    path[n > 0 ? n : 0] = '\0';
    slash = strrchr(path, '/');
    n = slash != NULL ? slash - path + 1 : 0;
    (void)snprintf(path + n, PROCESS_PATH_MAX - (size_t)n, "%s", PROGRAM);
}

/* NULL: no child reads it. */
static const char *
kind_word(enum file_kind kind)
{
    switch (kind) {
    case KIND_HTML: return "html";
    case KIND_PDF: return "pdf";
    case KIND_DOCX: return "docx";
    case KIND_ODT: return "odt";
    case KIND_EPUB: return "epub";
    case KIND_IMAGE: return "image";
    case KIND_NONE:
    case KIND_TEXT: return NULL;
    }
    return NULL;
}

/* --- starting ------------------------------------------------------------- */

/* The file becomes descriptor 0, the pipe 1, all others are closed. */
static int
set_descriptors(posix_spawn_file_actions_t *a, int fd, int pipe_end)
{
    int rc = posix_spawn_file_actions_adddup2(a, fd, STDIN_FILENO);

    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(a, pipe_end, STDOUT_FILENO);
    if (rc == 0)
        rc = posix_spawn_file_actions_addopen(a, STDERR_FILENO, "/dev/null",
                                              O_WRONLY, 0);
    if (rc == 0)
        rc = posix_spawn_file_actions_addclosefrom_np(a, STDERR_FILENO + 1);
    return rc;
}

static int
set_attributes(posix_spawnattr_t *a)
{
    sigset_t none, all;

    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    (void)sigdelset(&all, SIGKILL);
    (void)sigdelset(&all, SIGSTOP);
    (void)posix_spawnattr_setsigmask(a, &none);
    (void)posix_spawnattr_setsigdefault(a, &all);
    (void)posix_spawnattr_setpgroup(a, 0);
    return posix_spawnattr_setflags(a, POSIX_SPAWN_SETSIGMASK |
                                           POSIX_SPAWN_SETSIGDEF |
                                           POSIX_SPAWN_SETPGROUP);
}

/* What a program built with a sanitizer looks at. */
static void
environment(char *env[4])
{
    static const char *const names[] = {
        "ASAN_OPTIONS=", "UBSAN_OPTIONS=", "TSAN_OPTIONS="};
    size_t n = 0;

    for (char **e = environ; *e != NULL && n < COUNT_OF(names); e++)
        for (size_t i = 0; i < COUNT_OF(names); i++)
            if (strncmp(*e, names[i], strlen(names[i])) == 0 &&
                n < COUNT_OF(names))
                env[n++] = *e;
    env[n] = NULL;
}

static int
spawn(const char *path, const char *word, int fd, int pipe_end, pid_t *pid)
{
    char *const argv[] = {(char[]){PROGRAM}, (char[]){"--extract"},
                          (char *)(uintptr_t)word, NULL};
    char *env[4];
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int rc = posix_spawn_file_actions_init(&actions);

    if (rc != 0)
        return rc;
    rc = posix_spawnattr_init(&attributes);
    if (rc == 0) {
        environment(env);
        rc = set_descriptors(&actions, fd, pipe_end);
        if (rc == 0)
            rc = set_attributes(&attributes);
        if (rc == 0)
            rc = posix_spawn(pid, path, &actions, &attributes, argv, env);
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return rc;
}

/* A pipe whose ends are above the descriptors that the child begins with. */
static enum err
make_pipe(int ends[2])
{
    int low[2];

    if (pipe2(low, O_CLOEXEC) != 0)
        return ERR_BUSY;
    for (int i = 0; i < 2; i++) {
        ends[i] = fcntl(low[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        (void)close(low[i]);
    }
    if (ends[0] >= 0 && ends[1] >= 0)
        return OK;
    for (int i = 0; i < 2; i++)
        if (ends[i] >= 0)
            (void)close(ends[i]);
    return ERR_BUSY;
}

/* --- listening ------------------------------------------------------------ */

/* Feed what comes to r. OK: its output has ended, or what it says has. */
static enum err
listen_to(int fd, struct record_reader *r, bool *late)
{
    int64_t until_ms = clock_mono_ms() + patience_s * INT64_C(1000);
    char *buf = xmalloc(READ_BYTES);
    enum err e = OK;

    while (e == OK && !r->ended) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int64_t left_ms = until_ms - clock_mono_ms(), before_ms;
        ssize_t n;

        *late = left_ms <= 0;
        if (*late)
            break;
        if (poll(&p, 1, (int)left_ms) <= 0)
            continue;
        n = read(fd, buf, READ_BYTES);
        if (n == 0)
            break;
        if (n < 0)
            continue;
        before_ms = clock_mono_ms();
        e = record_feed(r, buf, (size_t)n);
        until_ms += clock_mono_ms() - before_ms; /* ours, not its */
    }
    free(buf);
    return e;
}

/* --- its end -------------------------------------------------------------- */

static enum skip
reason(const siginfo_t *how)
{
    if (how->si_code != CLD_KILLED && how->si_code != CLD_DUMPED)
        return SKIP_BROKEN;
    switch (how->si_status) {
    case SIGKILL: /* of the kernel's: no memory is left */
    case SIGXCPU:
    case SIGABRT: /* of our own: it may have no more (base/mem.h) */
        return SKIP_TIME;
    default: return SKIP_BROKEN;
    }
}

/* Wait a little for it to end by itself, which says how it did. */
static enum skip
await(pid_t pid)
{
    int64_t until_ms = clock_mono_ms() + END_MS;
    siginfo_t how;

    do {
        (void)memset(&how, 0, sizeof(how));
        if (waitid(P_PID, (id_t)pid, &how, WEXITED | WNOHANG | WNOWAIT) != 0 &&
            errno != EINTR)
            return SKIP_BROKEN; /* somebody else has waited for it */
        if (how.si_pid == pid)
            return reason(&how);
        (void)usleep(LOOK_MS * 1000);
    } while (clock_mono_ms() < until_ms);
    return SKIP_TIME;
}

/* It and what it has started are gone when this returns. */
static void
end(pid_t pid)
{
    (void)kill(-pid, SIGKILL);
    (void)kill(pid, SIGKILL); /* before it had a group */
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
}

/* --- the whole ------------------------------------------------------------ */

static enum err
run(const char *word, int fd, struct record_reader *r)
{
    char path[PROCESS_PATH_MAX];
    bool late = false;
    int ends[2], rc;
    pid_t pid;
    enum err e = make_pipe(ends);

    if (e != OK)
        return e;
    find_program(path);
    rc = spawn(path, word, fd, ends[1], &pid);
    (void)close(ends[1]);
    if (rc != 0) {
        (void)close(ends[0]);
        log_error("extract.start", "program=\"%s\" errno=%d", LOG_TEXT(path),
                  rc);
        return rc == EAGAIN || rc == ENOMEM ? ERR_BUSY : ERR_INTERNAL;
    }
    e = listen_to(ends[0], r, &late);
    (void)close(ends[0]);
    if (e == OK && late)
        r->why = SKIP_TIME;
    else if (e == OK && !r->ended)
        r->why = await(pid);
    end(pid);
    if (e == OK && r->why != SKIP_NOT)
        return ERR_IMPOSSIBLE;
    return e;
}

enum err
extract_read(int fd, const struct kind *kind, block_fn *fn, void *arg,
             struct facts *facts, enum skip *why)
{
    const char *word = kind_word(kind->kind);
    struct record_reader r;
    enum err e;

    *why = SKIP_NOT;
    if (word == NULL) {
        *why = SKIP_TYPE;
        return ERR_IMPOSSIBLE;
    }
    record_reader_init(&r, fn, arg, facts);
    e = run(word, fd, &r);
    if (e == ERR_IMPOSSIBLE)
        *why = r.why;
    record_reader_release(&r);
    if (facts->type[0] == '\0')
        (void)snprintf(facts->type, sizeof(facts->type), "%s", kind->type);
    return e;
}
