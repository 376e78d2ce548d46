/*
 * WebSockets and the application: who may connect, how many are there, and
 * what happens to them when the process stops. What is said over one is its
 * link's affair (api/ws_link.h). Loop thread, but for what is marked.
 */
#ifndef API_WS_DOOR_H
#define API_WS_DOOR_H

#include "api/app.h"

struct ws_door;

/* Listen on ws.sock in DATA_DIR, and where WS_LISTEN says. NULL: its path is
 * too long (logged). Before the loop runs. */
struct ws_door *ws_door_open(struct app *app);
/* The process stops: no more sockets, and those that wait for no answer are
 * closed; the others when theirs has come. */
void ws_door_stop(struct ws_door *d);
/* After the loop ended. NULL is fine. */
void ws_door_close(struct ws_door *d);

/* Sockets that are open, and of those the ones that follow a stream (which is
 * then counted as a reader, too). NULL: none. Any thread. */
size_t ws_door_count(const struct ws_door *d);
size_t ws_door_following(const struct ws_door *d);

#endif
