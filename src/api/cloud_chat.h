/*
 * What belongs to a message, for whoever asks a model of their own with it
 * (/api/cloud-chat), and the same request answered by the model of this machine
 * (/api/chat). Over HTTP here; over WebSocket the same by api/ws_work.c.
 */
#ifndef API_CLOUD_CHAT_H
#define API_CLOUD_CHAT_H

#include "dialect/ws.h"

/* Find the context of a request's object that passed ws_context_check; out
 * borrows from it and from the settings. ERR_NOTFOUND: there is no such image.
 * Acceptor or worker. */
MUST_USE enum err cloud_context(const cJSON *ask, struct ws_context *out,
                                struct problem *why);
/* Have the model of this machine answer it: Ollama where it is set up, else
 * what answers offline. */
void cloud_local(cJSON *ask);

#endif
