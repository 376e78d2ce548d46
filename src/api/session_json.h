/*
 * A session as JSON, and the members that a client may set. For the handlers of
 * sessions. Acceptor threads.
 */
#ifndef API_SESSION_JSON_H
#define API_SESSION_JSON_H

#include "api/app.h"
#include "base/json.h"

#define SESSION_TAGS_MAX 10 /* of one session */
#define SESSION_TAG_MAX 50  /* bytes of one */

/* The members of a session in a list, without braces. */
void session_put(struct json_out *j, const struct session *s);

/* Is it one of these (as struct session has them)? */
bool session_has_tag(const char *tags, const char *tag);

/* What a body asks to change. Strings are borrowed from the tree, but for tags,
 * which are here. */
struct session_change {
    struct store_op op; /* its patch is filled */
    char tags[STORE_TAGS_MAX + 1];
    const char *leaf;    /* a message's id; NULL: not said */
    bool temporary_said; /* op.temporary is what was said */
};
/* ERR_BADREQ with why. json is an object. */
MUST_USE enum err session_change_read(const cJSON *json,
                                      struct session_change *out,
                                      struct problem *why);

#endif
