/*
 * The chat program: one binary, three ways in. Started with a listening socket
 * as fd 0 it serves FastCGI; started by a web server as plain CGI it hands its
 * request and its stdout to the engine, starting one if none runs; with
 * --engine it is that engine. Where a host forbids both, it answers the one
 * request itself.
 */
#include "base/base.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/app.h"
#include "api/server.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/process.h"
#include "http/door.h"

#define ENGINE_START_MS 3000 /* how long a CGI waits for its engine */
#define ENGINE_LOOK_MS 5

/* A process of its own, in a session of its own: it outlives this request. */
static void
start_engine(void)
{
    pid_t pid = fork();
    int null;

    if (pid != 0)
        return;
    (void)setsid();
    null = open("/dev/null", O_RDWR);
    if (null >= 0) {
        (void)dup2(null, STDIN_FILENO);
        (void)dup2(null, STDOUT_FILENO);
    }
    (void)execl("/proc/self/exe", "chat", "--engine", (char *)NULL);
    _exit(127);
}

static int
serve_cgi(void)
{
    char path[4096];
    size_t body_max = (size_t)conf_int(CONF_BODY_MAX_KIB) * 1024;
    int64_t until_ms = clock_mono_ms() + ENGINE_START_MS;
    bool started = false;
    enum err e;

    (void)signal(SIGPIPE, SIG_IGN);
    (void)mkdir(conf_str(CONF_DATA_DIR), 0700);
    (void)server_socket(path, sizeof(path));
    while ((e = cgi_hand_over(path, body_max)) == ERR_NOTFOUND) {
        if (!started)
            start_engine();
        started = true;
        if (clock_mono_ms() > until_ms)
            return server_run(SERVER_CGI);
        (void)usleep(ENGINE_LOOK_MS * 1000);
    }
    return e == OK ? 0 : 1;
}

static int
usage(void)
{
    (void)puts("chat: a FastCGI or CGI program; see README.md\n"
               "  --engine       serve plain CGI requests, leave when idle\n"
               "  --print-env    every setting, as .env.example\n"
               "  --print-table  every setting, as a Markdown table\n"
               "  --version");
    return 2;
}

int
main(int argc, char **argv)
{
    char root[PROCESS_PATH_MAX];
    enum log_level level;

    process_root(root);
    if (argc > 1 && strcmp(argv[1], "--version") == 0)
        return puts("parley " APP_VERSION) < 0;
    if (argc > 1 && strcmp(argv[1], "--print-env") == 0) {
        conf_print_env(stdout);
        return 0;
    }
    if (argc > 1 && strcmp(argv[1], "--print-table") == 0) {
        conf_print_table(stdout);
        return 0;
    }
    IGNORE(conf_load(root)); /* mistakes are logged; defaults serve */
    if (log_level_parse(conf_str(CONF_LOG_LEVEL), &level))
        log_set_level(level);
    if (argc > 1 && strcmp(argv[1], "--engine") == 0)
        return server_run(SERVER_ENGINE);
    if (argc == 1 && door_is_fcgi())
        return server_run(SERVER_FCGI);
    if (argc == 1 && getenv("GATEWAY_INTERFACE") != NULL)
        return serve_cgi();
    return usage();
}
