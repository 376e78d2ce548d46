/*
 * The keeper of the process that reads: it starts it, holds the socket over its
 * death, and starts the next one. It opens no file and reads nothing that
 * others have written, so it has no need of the sandbox that the reader enters,
 * and must not be in it: what a reader gives up, those after it would not have.
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

int
serve_keep(const struct serve *s, int sock)
{
    int wait_ms = AGAIN_FIRST_MS, status = 0;
    pid_t keeper = getpid(), pid;

    for (;;) {
        pid = fork();
        if (pid == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
            return getppid() == keeper ? serve_run(s, sock) : 0;
        }
        if (pid < 0)
            return serve_run(s, sock);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            continue;
        if (WIFEXITED(status))
            return WEXITSTATUS(status);
        if (WTERMSIG(status) == SIGTERM || is_left(sock, wait_ms))
            return 0;
        log_warn("files.broker", "signal=%d error=\"it is started again\"",
                 WTERMSIG(status));
        wait_ms = wait_ms < AGAIN_MAX_MS / 2 ? 2 * wait_ms : AGAIN_MAX_MS;
    }
}
