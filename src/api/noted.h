/*
 * What is done through the API goes into the audit log, with who asked and
 * from where. A session is named by a digest of its id, since the id opens it
 * to whoever knows it.
 */
#ifndef API_NOTED_H
#define API_NOTED_H

#include "http/request.h"
#include "ops/audit.h"

#define NOTED_SESSION_LEN 17 /* characters of a session's name, with the NUL */

/* The first 8 bytes of its SHA-256, in hexadecimal. */
void noted_session(char out[NOTED_SESSION_LEN], const char *id);

/* audit_event_wait with who asks; f is filled. Acceptor thread. */
MUST_USE enum err noted_wait(const struct request *rq, struct audit_fact *f);
/* audit_event with who asks. Any thread. */
void noted(const struct request *rq, struct audit_fact *f);

#endif
