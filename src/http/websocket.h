/*
 * The WebSocket listener: ws.sock in DATA_DIR, for web servers that pass an
 * upgrade on. One process owns it (a lock file); when that one ends another
 * takes over. Its place in the loop is here; until the protocol is built every
 * handshake is answered 501 with the error body, so a client falls back to
 * SSE at once. Loop thread.
 */
#ifndef HTTP_WEBSOCKET_H
#define HTTP_WEBSOCKET_H

#include "base/loop.h"

#define WEBSOCKET_SOCKET "ws.sock"
#define WEBSOCKET_HEAD_MAX (16 * 1024) /* bytes of a handshake */
#define WEBSOCKET_CONNS_MAX 64         /* handshakes under way */
#define WEBSOCKET_HANDSHAKE_MS 10000   /* for the whole head */
#define WEBSOCKET_RETRY_MS 5000        /* between attempts to own the socket */

struct websocket;
/* Listen, or try again every WEBSOCKET_RETRY_MS while another process owns the
 * socket. NULL with a log line if path can never be a socket (too long). path
 * is copied. */
struct websocket *websocket_open(struct loop *l, const char *path);
/* The same with other times. */
struct websocket *websocket_open_timed(struct loop *l, const char *path,
                                       int handshake_ms, int retry_ms);
/* Ends handshakes under way and gives the socket up. NULL is fine. */
void websocket_close(struct websocket *w);

#endif
