/*
 * pdftotext, run for one file.
 *
 * It is asked for words and where they stand (-bbox-layout) rather than for
 * text: what is a paragraph, a heading or the number of a page can be told from
 * that. It opens the file anew by the name of its descriptor, as it would read
 * all of its standard input into memory. What it complains about tells an
 * encrypted file from a broken one; it has no other way of saying so.
 *
 * It ends with us: it has the group that the parent kills, its output breaks
 * when we are gone, and the kernel is asked to tell it.
 */
#include "base/base.h"

#include "files/pdf.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files/extract.h"
#include "files/extract_confine.h"

#define PIPE_BYTES ((size_t)32 * 1024)
#define SAID_MAX 8192 /* bytes of its complaints that are looked at */
#define FILE_NAME "/proc/self/fd/0"

struct run {
    pid_t pid; /* 0: there is none */
    int out, err;
    bool missing; /* there is no such program */
};

static struct run prepared;

/* --- starting ------------------------------------------------------------- */

static const char *
find_program(void)
{
    static const char *const places[] = {
        "/usr/bin/pdftotext", "/usr/local/bin/pdftotext", "/bin/pdftotext",
        "/opt/bin/pdftotext"};

    for (size_t i = 0; i < COUNT_OF(places); i++)
        if (access(places[i], X_OK) == 0)
            return places[i];
    return NULL;
}

static NORETURN void
become(const char *path, int fd, int out, int err)
{
    const char *file = access(FILE_NAME, R_OK) == 0 ? FILE_NAME : "-";
    char *const argv[] = {(char[]){"pdftotext"},
                          (char[]){"-bbox-layout"},
                          (char[]){"-enc"},
                          (char[]){"UTF-8"},
                          (char *)(uintptr_t)file,
                          (char[]){"-"},
                          NULL};
    char *const env[] = {(char[]){"LC_ALL=C"}, NULL};

    (void)signal(SIGPIPE, SIG_DFL);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if ((fd != 0 && dup2(fd, 0) < 0) || dup2(out, 1) < 0 || dup2(err, 2) < 0)
        _exit(126);
    (void)close_range(3, ~0U, 0);
    confine_program(path);
    (void)execve(path, argv, env);
    _exit(126);
}

/* A descriptor above the three that a program begins with. */
static bool
make_pipe(int ends[2])
{
    int low[2];

    if (pipe2(low, O_CLOEXEC) != 0)
        return false;
    for (int i = 0; i < 2; i++) {
        ends[i] = fcntl(low[i], F_DUPFD_CLOEXEC, 3);
        (void)close(low[i]);
    }
    if (ends[0] >= 0 && ends[1] >= 0)
        return true;
    for (int i = 0; i < 2; i++)
        if (ends[i] >= 0)
            (void)close(ends[i]);
    return false;
}

static struct run
start(int fd)
{
    const char *path = find_program();
    struct run r = {.missing = path == NULL, .out = -1, .err = -1};
    int out[2], err[2];

    if (path == NULL || !make_pipe(out))
        return r;
    if (!make_pipe(err)) {
        (void)close(out[0]);
        (void)close(out[1]);
        return r;
    }
    r.pid = fork();
    if (r.pid == 0)
        become(path, fd, out[1], err[1]);
    (void)close(out[1]);
    (void)close(err[1]);
    r.out = out[0];
    r.err = err[0];
    if (r.pid < 0) {
        (void)close(r.out);
        (void)close(r.err);
        r.pid = 0;
    }
    return r;
}

void
pdf_prepare(void)
{
    prepared = start(0);
}

/* --- listening ------------------------------------------------------------ */

/* Read once. False: it has ended. */
static bool
take(int fd, char *buf, ssize_t *n)
{
    do
        *n = read(fd, buf, PIPE_BYTES);
    while (*n < 0 && errno == EINTR);
    return *n > 0;
}

/* Until both ends are closed, or enough is known. */
static void
listen_to(const struct run *r, struct pdf_words *w, struct buf *said)
{
    struct pollfd fds[2] = {{r->out, POLLIN, 0}, {r->err, POLLIN, 0}};
    char buf[PIPE_BYTES];
    ssize_t n;

    while ((fds[0].fd >= 0 || fds[1].fd >= 0) && w->c->err == OK) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return;
        if (fds[0].fd >= 0 && fds[0].revents != 0) {
            if (take(fds[0].fd, buf, &n))
                pdf_words_feed(w, buf, (size_t)n);
            else
                fds[0].fd = -1;
        }
        if (fds[1].fd >= 0 && fds[1].revents != 0) {
            if (!take(fds[1].fd, buf, &n))
                fds[1].fd = -1;
            else if ((size_t)n < SAID_MAX - said->len)
                buf_add(said, buf, (size_t)n);
        }
    }
}

static bool
says(const struct buf *said, const char *words)
{
    return said->len > 0 &&
           memmem(said->data, said->len, words, strlen(words)) != NULL;
}

/* Why it failed; SKIP_NOT if it did not. */
static enum skip
verdict(int status, const struct buf *said)
{
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL ||
                       WTERMSIG(status) == SIGABRT
                   ? SKIP_TIME
                   : SKIP_BROKEN;
    if (WEXITSTATUS(status) == 0)
        return SKIP_NOT;
    if (says(said, "Incorrect password") ||
        says(said, "Unsupported version/revision") ||
        says(said, "security handler"))
        return SKIP_ENCRYPTED;
    return says(said, "ut of memory") ? SKIP_TIME : SKIP_BROKEN;
}

static void
read_run(struct run *r, struct compose *c, struct facts *f)
{
    struct pdf_words w;
    struct buf said;
    enum skip why;
    int status = 0;

    pdf_words_init(&w, c, f);
    buf_init(&said, SAID_MAX);
    listen_to(r, &w, &said);
    pdf_words_end(&w);
    (void)close(r->out); /* it ends if it writes more */
    (void)close(r->err);
    if (c->err == OK) {
        while (waitpid(r->pid, &status, 0) < 0 && errno == EINTR) {}
        why = verdict(status, &said);
        if (why != SKIP_NOT)
            (void)compose_fail(c, why);
    } else {
        (void)kill(r->pid, SIGKILL);
        (void)waitpid(r->pid, NULL, 0);
    }
    buf_release(&said);
    pdf_words_release(&w);
}

enum err
pdf_read(int fd, block_fn *fn, void *arg, struct facts *f, enum skip *why)
{
    struct run r = prepared.pid > 0 ? prepared : start(fd);
    struct compose c;
    enum err e;

    (void)memset(&prepared, 0, sizeof(prepared));
    compose_init(&c, fn, arg);
    if (r.pid > 0)
        read_run(&r, &c, f);
    else
        (void)compose_fail(&c, r.missing ? SKIP_TYPE : SKIP_TIME);
    e = compose_end(&c, why);
    compose_release(&c);
    return e;
}
