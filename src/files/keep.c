/*
 * The keeper of the process that reads: it starts it, holds the socket over its
 * death, and starts the next one, also where one could not open the index (on a
 * full disk, say): that may be otherwise a minute later. It opens no file and
 * reads nothing that others have written, so it has no need of the sandbox that
 * the reader enters, and must not be in it: what a reader gives up, those after
 * it would not have.
 *
 * One thread; it ends when nobody is left who could ask.
 */
#include "base/base.h"

#include "files/broker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define AGAIN_FIRST_MS 200       /* before what died is started again */
#define AGAIN_MAX_MS (60 * 1000) /* the wait doubles up to this */

/* Is nobody there any more who could ask? Waits for that. */
static bool
is_left(int sock, int wait_ms)
{
    struct pollfd p = {sock, 0, 0};

    return poll(&p, 1, wait_ms) > 0;
}

/* Run one reader to its end. */
static int
run_one(const struct serve *s, int sock)
{
    pid_t keeper = getpid(), pid = fork();
    int status = 0;

    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
        exit(getppid() == keeper ? serve_run(s, sock) : 0);
    }
    if (pid < 0)
        return serve_run(s, sock) << 8; /* as waitpid would say it */
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return status;
}

int
serve_keep(const struct serve *s, int sock)
{
    int wait_ms = AGAIN_FIRST_MS;

    for (;;) {
        int64_t since_ms = clock_mono_ms();
        int status = run_one(s, sock);
        int signo = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

        if ((signo == 0 && WEXITSTATUS(status) == 0) || signo == SIGTERM)
            return 0;
        if (clock_mono_ms() - since_ms > AGAIN_MAX_MS)
            wait_ms = AGAIN_FIRST_MS; /* it was well until now */
        if (is_left(sock, wait_ms))
            return signo == 0 ? WEXITSTATUS(status) : 0;
        log_warn("files.broker", "signal=%d error=\"it is started again\"",
                 signo);
        wait_ms = wait_ms < AGAIN_MAX_MS / 2 ? 2 * wait_ms : AGAIN_MAX_MS;
    }
}
