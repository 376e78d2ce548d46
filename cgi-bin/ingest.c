/*
 * The program that reads files which may be hostile. It is started by the
 * others and not by people, and never by a web server:
 *
 *   ingest --extract KIND   reads the file on descriptor 0, writes records of
 *                           what it says to 1 (files/extract.h), and ends
 *   ingest --serve          serves the chat program that started it, by the
 *                           socket on descriptor 3 (files/broker.h)
 *
 * It stands beside the programs of the web server because they find it there.
 * Started as one of them it answers nothing and ends.
 */
#include "base/base.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/log.h"
#include "base/process.h"
#include "base/text.h"
#include "files/broker.h"
#include "files/extract.h"

#define SOCKET 3                 /* descriptor */
#define AGAIN_FIRST_MS 200       /* before what died is started again */
#define AGAIN_MAX_MS (60 * 1000) /* the wait doubles up to this */

/* Is nobody there any more who could ask? Waits for that. */
static bool
is_left(int wait_ms)
{
    struct pollfd p = {SOCKET, 0, 0};

    return poll(&p, 1, wait_ms) > 0;
}

/* Serve in a process of its own, and in another one if that is killed: what
 * waits in the socket meanwhile is kept by this one. It ends with this one. */
static int
serve_kept(const struct serve *s)
{
    int wait_ms = AGAIN_FIRST_MS, status = 0;
    pid_t keeper = getpid(), pid;

    for (;;) {
        pid = fork();
        if (pid == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
            return getppid() == keeper ? serve_run(s, SOCKET) : 0;
        }
        if (pid < 0)
            return serve_run(s, SOCKET);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            continue;
        if (WIFEXITED(status))
            return WEXITSTATUS(status);
        if (WTERMSIG(status) == SIGTERM || is_left(wait_ms))
            return 0;
        log_warn("files.broker", "signal=%d error=\"it is started again\"",
                 WTERMSIG(status));
        wait_ms = wait_ms < AGAIN_MAX_MS / 2 ? 2 * wait_ms : AGAIN_MAX_MS;
    }
}

/* Parley's own documents and pictures, for who has no files yet; and the folder
 * of the settings. */
static int
serve(void)
{
    char root[PROCESS_PATH_MAX], dir[PROCESS_PATH_MAX];
    char samples[PROCESS_PATH_MAX];
    enum log_level level;
    struct serve s = {.dir = dir};
    struct serve_folder folders[] = {
        {FILES_OWN_DOCUMENTS, "", "README.md,docs"},
        {FILES_OWN_IMAGES, "", NULL},
        {"Files", "", NULL},
    };

    process_root(root);
    log_set_level(LOG_ERROR); /* the program that started this one said all */
    IGNORE(conf_load(root));
    log_set_level(LOG_INFO);
    if (log_level_parse(conf_str(CONF_LOG_LEVEL), &level))
        log_set_level(level);
    if (snprintf(dir, sizeof(dir), "%s/files", conf_str(CONF_DATA_DIR)) >=
            (int)sizeof(dir) ||
        snprintf(samples, sizeof(samples), "%s/etc/demo", root) >=
            (int)sizeof(samples))
        return 1;
    if (!text_ieq(conf_str(CONF_FILES_SAMPLES), "off")) {
        folders[0].root = root;
        folders[1].root = samples;
    }
    folders[2].root = conf_str(CONF_FILES_DIR);
    s.folder = folders;
    s.n_folders = COUNT_OF(folders);
    s.every_s = (int)conf_int(CONF_FILES_EVERY_S);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)umask(077);
    return serve_kept(&s);
}

/* A web server may pass a query on as an argument; what it starts has no such
 * socket. */
static bool
has_socket(void)
{
    int type = 0;
    socklen_t len = sizeof(type);

    return getsockopt(SOCKET, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
           type == SOCK_SEQPACKET;
}

int
main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--serve") == 0 && has_socket())
        return serve();
    if (getenv("GATEWAY_INTERFACE") != NULL || getenv("FCGI_ROLE") != NULL)
        return 2;
    if (argc == 3 && strcmp(argv[1], "--extract") == 0)
        return extract_child(argv[2]);
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        (void)puts("ingest " PARLEY_VERSION);
        return 0;
    }
    (void)fputs("ingest: a part of Parley, started by its other programs\n"
                "  --extract KIND  read the file on descriptor 0\n"
                "  --serve         serve the chat program, on descriptor 3\n"
                "  --version\n",
                stderr);
    return 2;
}
