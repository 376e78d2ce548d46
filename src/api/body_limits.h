/*
 * How long requests may be, by the settings: an import is a file and may be
 * long, all others are read into memory. Also for chat.cgi, which reads bodies
 * without the rest of the application.
 */
#ifndef API_BODY_LIMITS_H
#define API_BODY_LIMITS_H

#include "http/request.h"

/* From the settings; out borrows from them. Any thread. */
void body_limits_load(struct body_limits *out);

#endif
