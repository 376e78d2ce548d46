/*
 * What is said to an OAuth2 token server and what it says, for clients that
 * ask for themselves (RFC 6749, section 4.4). Pure; any thread. For
 * auth/oauth2.c and tests.
 */
#ifndef AUTH_OAUTH2_WIRE_H
#define AUTH_OAUTH2_WIRE_H

#include "auth/credentials.h"
#include "upstream/transfer.h"

#define OAUTH2_REPLY_MAX (64 * 1024) /* bytes */
#define OAUTH2_LIFE_S 300            /* of a token whose server does not say */
#define OAUTH2_LIFE_MAX_S 86400      /* the longest that we believe */

/* Fill q (which is not initialised) with the request for a token: the client's
 * id and secret in Authorization, or in the body if c->in_body. The caller
 * releases q. */
void oauth2_request(const struct credentials *c, struct upstream_request *q);

/* A transfer that gave no whole reply: returns why->err. */
enum err oauth2_unreached(enum transfer_end end, struct problem *why);

struct oauth2_reply {
    char *token; /* owned; NULL: none */
    int64_t life_s;
    bool refused_client; /* invalid_client: the other way may do */
};

/* Read a whole reply. out is always filled, and released by the caller; ERR_*
 * fills why with a sentence that has nothing of the reply in it. */
MUST_USE enum err oauth2_reply_read(int status, const char *p, size_t n,
                                    struct oauth2_reply *out,
                                    struct problem *why);
void oauth2_reply_release(struct oauth2_reply *r); /* overwrites */

#endif
