/*
 * Credentials that a client leaves with its session, for the tools' own HTTP
 * calls: a bearer token, an API key with its header, a user and password, or
 * an OAuth2 client. They are in memory only, of this process only, and are
 * overwritten when they are forgotten: at a logout, when the last connection
 * of the session is closed, or after a time. Nobody is shown them: no model,
 * no log, no other session.
 *
 * Every call may be made on any thread.
 */
#ifndef AUTH_CREDENTIALS_H
#define AUTH_CREDENTIALS_H

#include "base/base.h"

#define CREDENTIALS_VALUE_MAX (16 * 1024) /* bytes of one value */
#define CREDENTIALS_HEADER "X-API-Key"    /* where no header is named */

enum credentials_kind {
    CREDENTIALS_BEARER,
    CREDENTIALS_API_KEY,
    CREDENTIALS_BASIC,
    CREDENTIALS_OAUTH2,
    CREDENTIALS__MAX
};

/* Strings are owned, and NULL where the kind has no such thing. */
struct credentials {
    enum credentials_kind kind;
    char *token;               /* BEARER; OAUTH2: fetched; NULL: none yet */
    char *api_key, *header;    /* API_KEY; a header's name */
    char *username, *password; /* BASIC */
    char *client_id, *client_secret, *token_url, *scope; /* OAUTH2; scope may
                                                            be NULL */
    int64_t born_ms, until_ms; /* OAUTH2: of the token; monotonic */
    bool in_body;              /* OAUTH2: the token server wants them there */
};

/* Empty ones. */
struct credentials *credentials_new(enum credentials_kind kind);
struct credentials *credentials_copy(const struct credentials *c);
/* Overwrites, then frees. NULL is fine. */
void credentials_free(struct credentials *c);
/* Are all values there that the kind needs, of a length and of characters that
 * a header can hold? ERR_BADREQ with why, which has no value in it. */
MUST_USE enum err credentials_check(const struct credentials *c,
                                    struct problem *why);

/* The same kind and values, whatever was fetched with them? */
bool credentials_same(const struct credentials *a, const struct credentials *b);

/* --- kept for sessions ---------------------------------------------------- */

struct credentials_box;

/* sessions_max: that are held at once; ttl_ms: since they were put or taken
 * last. */
struct credentials_box *credentials_box_new(size_t sessions_max,
                                            int64_t ttl_ms);
void credentials_box_free(struct credentials_box *b); /* NULL is fine */

/* A connection belongs to a session from now on; each join needs its leave. */
void credentials_join(struct credentials_box *b, const char *owner,
                      const char *session_id);
/* The connection is closed. Was it the last, the credentials are forgotten. */
void credentials_leave(struct credentials_box *b, const char *owner,
                       const char *session_id);
/* Keep c for the session, in place of what it had. Takes *c and makes it NULL
 * (also where it fails). ERR_LIMIT: too many sessions have some. ERR_CONFLICT:
 * the session has no connection. now_ms: monotonic. */
MUST_USE enum err credentials_put(struct credentials_box *b, const char *owner,
                                  const char *session_id,
                                  struct credentials **c, int64_t now_ms);
/* A copy, owned by the caller; NULL: none are kept. */
struct credentials *credentials_find(struct credentials_box *b,
                                     const char *owner, const char *session_id,
                                     int64_t now_ms);
/* Keep what was fetched with c's login (token, born_ms, until_ms, in_body) for
 * the session. Copies. False: it does not have this login, or not any more. */
bool credentials_renew(struct credentials_box *b, const char *owner,
                       const char *session_id, const struct credentials *c);
/* False: there were none. */
bool credentials_forget(struct credentials_box *b, const char *owner,
                        const char *session_id);
/* Forget what is past its time; returns how many. Now and then. */
size_t credentials_sweep(struct credentials_box *b, int64_t now_ms);

#endif
