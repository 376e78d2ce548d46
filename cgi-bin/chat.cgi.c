/*
 * The plain CGI front: hands its request and its stdout to the engine, starts
 * one (chat --engine) if none runs, and ends. It is a program of its own
 * because a web server starts it for every request: without curl and its
 * thirty libraries that takes a third of the time. Where a host forbids
 * processes that stay, it becomes chat --one and answers by itself.
 */
#include "base/base.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/body_limits.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/process.h"
#include "http/door.h"

#define ENGINE_START_MS 3000 /* how long it waits for an engine to start */
#define ENGINE_LOOK_MS 2     /* between two looks */

/* The program chat in our own folder. */
static void
find_chat(char path[PROCESS_PATH_MAX])
{
    ssize_t n = readlink("/proc/self/exe", path, PROCESS_PATH_MAX - 8);
    char *slash;

    path[n < 0 ? 0 : n] = '\0';
    slash = strrchr(path, '/');
    (void)snprintf(slash != NULL ? slash : path, 8, "/chat");
}

static int
answer_here(const char *chat)
{
    if (cgi_unread() == OK)
        (void)execl(chat, "chat", "--one", (char *)NULL);
    log_error("cgi.exec", "program=%s errno=%d", chat, errno);
    return 1;
}

/* The log says which file, and what to do. */
static int
refuse(void)
{
    log_error("conf.refused", "error=\"%s\"", conf_refusal());
    (void)puts("Status: 503 Service Unavailable\r\n"
               "Content-Type: application/json\r\n"
               "Cache-Control: no-store\r\n\r\n"
               "{\"error\":\"The server is not set up\",\"message\":\"Its log "
               "says what is missing.\",\"code\":\"not_set_up\"}");
    return 0;
}

int
main(void)
{
    char root[PROCESS_PATH_MAX], chat[PROCESS_PATH_MAX], path[PROCESS_PATH_MAX];
    int64_t until_ms = clock_mono_ms() + ENGINE_START_MS;
    struct body_limits limits;
    bool started = false;
    enum err e;

    if (getenv("GATEWAY_INTERFACE") == NULL) {
        (void)puts("chat.cgi: a CGI program, started by a web server");
        return 2;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    process_root(root);
    find_chat(chat);
    IGNORE(conf_load(root)); /* mistakes are logged; defaults serve */
    if (conf_refusal() != NULL)
        return refuse();
    (void)mkdir(conf_str(CONF_DATA_DIR), 0700); /* the store tells if not */
    (void)snprintf(path, sizeof(path), "%s/%s", conf_str(CONF_DATA_DIR),
                   CGI_SOCKET);
    body_limits_load(&limits);
    while ((e = cgi_hand_over(path, &limits, conf_str(CONF_BASE_PATH))) ==
           ERR_NOTFOUND) {
        if (!started && cgi_start_engine(chat, NULL) != OK)
            return answer_here(chat);
        started = true;
        if (clock_mono_ms() > until_ms)
            return answer_here(chat);
        (void)usleep(ENGINE_LOOK_MS * 1000);
    }
    return e == OK ? 0 : 1;
}
