/*
 * The doors: where requests come in. FastCGI (http/fcgi.c, the only file that
 * calls FCGX) and the engine socket on which chat.cgi hands over its request
 * and its stdout (http/cgi.c). A few acceptor threads serve both: accept,
 * read the parameters and the body, build the request, call fn.
 *
 * Facts obeyed are in docs/DESIGN.md ("The edge").
 */
#ifndef HTTP_DOOR_H
#define HTTP_DOOR_H

#include "http/request.h"

/* Takes rq, whose conn is set. why is never NULL: why->err is OK, or why says
 * what was wrong with the request (then the answer is that problem).
 * rq->body_too_big is not a problem yet. Acceptor thread. */
typedef void door_fn(void *arg, struct request *rq, const struct problem *why);

struct door_config {
    int fcgi_fd;   /* listening socket, owned by the caller; -1: none */
    int engine_fd; /* listening unix socket; -1: none */
    unsigned threads;
    struct body_limits body;
    const char *base_path; /* "" : SCRIPT_NAME */
    door_fn *fn;
    void *arg;
};

struct doors;
/* Start the acceptors. ERR_INTERNAL with a log line. Signals are blocked in
 * them; SIGPIPE is ignored from here on. Install handlers for SIGTERM and
 * SIGUSR1 before: libfcgi takes these two where they are at their default.
 * c is copied; its strings and descriptors must outlive the doors. */
MUST_USE enum err doors_open(struct doors **out, const struct door_config *c);
/* Stop accepting, join, free. Requests already handed over live on. */
void doors_close(struct doors *d);

/* Is fd 0 a FastCGI listening socket? It is only asked, never accepted on. */
bool door_is_fcgi(void);

/* --- the CGI side (http/cgi.c): runs in chat.cgi, a process of its own --- */

#define CGI_SOCKET "engine.sock" /* in DATA_DIR */

/* Listen on path (mode 0600), replacing a dead socket. Returns the fd, or -1
 * when another process owns it (lock file beside it) or it cannot be made
 * (logged). The lock is held until the process ends. Call once per path. */
int cgi_listen(const char *path);
/* Read this process's CGI request (environment and fd 0) and pass it with
 * stdout to the engine at path; a body that was put into a file is passed as
 * that file. OK: the engine has it, exit 0. ERR_NOTFOUND:
 * nobody listens, or the engine left before it took the request; nothing was
 * answered, the body is kept, and the call may be repeated (after starting an
 * engine) or followed by cgi_request. Other: answered with an error on stdout
 * already, or the client left. */
MUST_USE enum err cgi_hand_over(const char *path,
                                const struct body_limits *limits,
                                const char *base_path);
/* Build the request of this process itself, for running in-process. Its conn
 * is a copy of stdout. Results as door_fn's why. */
MUST_USE enum err cgi_request(struct request **out,
                              const struct body_limits *limits,
                              const char *base_path, struct problem *why);
/* Put the body that cgi_hand_over read back on fd 0, for another program that
 * is about to take this process over. ERR_INTERNAL with a log line. */
MUST_USE enum err cgi_unread(void);
/* Start `program --engine` as a daemon: a session of its own, no CGI
 * variables, fd 0 and 1 on /dev/null, fd 2 appended to log_path (NULL: it
 * stays, and is the web server's log). Returns once it is forked.
 * ERR_INTERNAL with a log line. */
MUST_USE enum err cgi_start_engine(const char *program, const char *log_path);

#endif
