/*
 * The chat program put together: engine, doors, signals. Main thread.
 */
#ifndef API_SERVER_H
#define API_SERVER_H

#include "base/base.h"

enum server_mode {
    SERVER_FCGI,   /* fd 0 is a listening socket */
    SERVER_ENGINE, /* started by a CGI; leaves when it is idle */
    SERVER_ONE     /* a CGI's one request, then done */
};

/* Serve until SIGTERM or SIGINT (or idle, or answered). Returns an exit
 * status. Settings are loaded. */
int server_run(enum server_mode mode);
#endif
