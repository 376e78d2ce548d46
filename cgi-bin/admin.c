/*
 * The administrator's program, and the one to read first: how a request becomes
 * a reply, without an engine and without a loop.
 *
 * A web server starts it in one of two ways. As plain CGI it finds one request
 * in its environment and on its standard input, answers on its standard output,
 * and ends. As FastCGI its standard input is a socket on which web servers
 * call; a few threads take requests from it until a signal says that it is
 * enough. Both hand a struct request to the same function (api/admin.h).
 */
#include "base/base.h"

#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/admin.h"
#include "api/confine.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/process.h"
#include "http/door.h"

#define THREADS 2 /* administrators are few */
#define BODY_MAX ((size_t)64 * 1024)

/* Settings with a secret that others can read: the log says which file. */
static int
refuse(bool cgi)
{
    log_error("conf.refused", "error=\"%s\"", conf_refusal());
    if (cgi)
        (void)puts("Status: 503 Service Unavailable\r\n"
                   "Content-Type: application/json\r\n"
                   "Cache-Control: no-store\r\n\r\n"
                   "{\"error\":\"The server is not set up\",\"message\":\"Its "
                   "log says what is missing.\",\"code\":\"not_set_up\"}");
    return cgi ? 0 : 1;
}

/* Plain CGI: the one request of this process. */
static int
answer_one(void)
{
    const struct body_limits limits = {.max = BODY_MAX};
    struct problem why = {.err = OK};
    struct request *rq = NULL;
    struct admin a;

    IGNORE(cgi_request(&rq, &limits, conf_str(CONF_BASE_PATH), &why));
    if (rq == NULL)
        return 1;
    admin_init(&a, 1);
    admin_request(&a, rq, &why);
    admin_release(&a);
    return 0;
}

/* FastCGI: all that come, until a signal. */
static int
serve(void)
{
    struct door_config dc = {
        .fcgi_fd = STDIN_FILENO,
        .engine_fd = -1,
        .threads = THREADS,
        .body = {.max = BODY_MAX},
        .base_path = conf_str(CONF_BASE_PATH),
        .fn = admin_request,
    };
    struct admin a;
    struct doors *doors;
    sigset_t ends;
    int signo;

    (void)sigemptyset(&ends);
    (void)sigaddset(&ends, SIGTERM);
    (void)sigaddset(&ends, SIGINT);
    (void)sigaddset(&ends, SIGUSR1);
    (void)sigaddset(&ends, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &ends, NULL);
    confine();
    admin_init(&a, THREADS);
    dc.arg = &a;
    if (doors_open(&doors, &dc) != OK)
        return 1;
    (void)sigwait(&ends, &signo);
    doors_close(doors);
    admin_release(&a);
    return 0;
}

static void
settings(bool cgi)
{
    char root[PROCESS_PATH_MAX];
    enum log_level level;

    process_root(root);
    log_set_level(LOG_ERROR); /* the chat program says what is wrong in them */
    IGNORE(conf_load(root));
    if (log_level_parse(conf_str(CONF_LOG_LEVEL), &level))
        log_set_level(level);
    if (cgi && !conf_is_set(CONF_LOG_LEVEL))
        log_set_level(LOG_WARN); /* beginning is no news in each request */
}

int
main(int argc, char **argv)
{
    bool fcgi = argc == 1 && door_is_fcgi();
    bool cgi = argc == 1 && !fcgi && getenv("GATEWAY_INTERFACE") != NULL;

    if (argc == 2 && strcmp(argv[1], "--print-routes") == 0) {
        admin_print_routes(stdout);
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--wanted") == 0) {
        settings(false);
        return admin_wanted() ? 0 : 1;
    }
    if (!fcgi && !cgi) {
        (void)puts("admin: a FastCGI and CGI program, started by a web server\n"
                   "  --print-routes every address of it\n"
                   "  --wanted       status 0 if there are administrators");
        return 2;
    }
    (void)umask(077);
    settings(cgi);
    if (conf_refusal() != NULL)
        return refuse(cgi);
    return cgi ? answer_one() : serve();
}
