/*
 * What belongs to a message, for whoever asks a model of their own with it
 * (/api/cloud-chat), and the same request answered by the model of this machine
 * (/api/chat). Over HTTP here; over WebSocket the same by api/ws_work.c.
 */
#ifndef API_CLOUD_CHAT_H
#define API_CLOUD_CHAT_H

#include "base/json.h"

/* Have the model of this machine answer it: Ollama where it is set up, else
 * what answers offline. */
void cloud_local(cJSON *ask);

#endif
