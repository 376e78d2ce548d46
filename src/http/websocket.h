/*
 * The WebSocket listener: ws.sock in DATA_DIR, for web servers that pass an
 * upgrade on, and beside it, if wished, a TCP port of this machine. One process
 * owns them (a lock file); when that one ends another takes over. It reads
 * handshakes, asks the application whether they are welcome, and makes sockets
 * of them. Loop thread.
 */
#ifndef HTTP_WEBSOCKET_H
#define HTTP_WEBSOCKET_H

#include "http/request.h"
#include "http/wsock.h"

#define WEBSOCKET_SOCKET "ws.sock"
#define WEBSOCKET_HANDSHAKES_MAX 512 /* under way; others wait in the kernel */
#define WEBSOCKET_HANDSHAKE_MS 10000 /* for the whole head */
#define WEBSOCKET_RETRY_MS 5000      /* between attempts to own the socket */
#define WEBSOCKET_CLOSE_MS 5000      /* for the end of a socket that closed */

struct websocket_app {
    /* A handshake in order: who will own its socket; NULL with why: it is
     * refused. rq stays the caller's. */
    void *(*admit)(void *arg, struct request *rq, struct problem *why);
    /* The socket of one who was admitted, which is open. */
    void (*opened)(void *owner, struct wsock *w);
    const struct wsock_ops *ops; /* of all of them */
    void *arg;
};

struct websocket_config {
    const char *path;      /* of the unix socket; copied */
    const char *tcp;       /* "127.0.0.1:9001"; "": none; copied */
    const char *base_path; /* as request_new takes it; constant */
    int handshake_ms, retry_ms;
    struct wsock_config sock; /* loop is set by websocket_open */
    struct websocket_app app;
};

struct websocket;
/* Listen, or try again every retry_ms while another process owns the socket.
 * NULL with a log line if path can never be a socket (too long). */
struct websocket *websocket_open(struct loop *l,
                                 const struct websocket_config *c);
/* Take no more handshakes; what is open stays. */
void websocket_stop(struct websocket *w);
size_t websocket_count(const struct websocket *w); /* sockets, open or not */
/* Ends all. NULL is fine. */
void websocket_close(struct websocket *w);

#endif
