/*
 * The engine's side of the hand-over (http/handover.h): takes a request and
 * the descriptor to answer on from a chat.cgi. Acceptor threads.
 */
#ifndef HTTP_ENGINE_DOOR_H
#define HTTP_ENGINE_DOOR_H

#include "http/door.h"

/* As fcgi_accept, on the engine socket. Only processes of our own user are
 * heard; others and broken messages are dropped with a log line (ERR_HUP). */
MUST_USE enum err engine_door_accept(int listen_fd, const struct door_config *c,
                                     struct request **out, struct problem *why);

#endif
