/*
 * A WebSocket as the client has it: whole text messages both ways over a
 * carrier's line; frames, masks, pings and the closing handshake are inside.
 */
#ifndef CLIENT_DUPLEX_H
#define CLIENT_DUPLEX_H

#include "client/carrier.h"
#include "client/shake.h"

#define DUPLEX_MESSAGE_MAX (100 * 1024 * 1024) /* bytes, received */
#define DUPLEX_REFUSAL_MAX (64 * 1024)         /* bytes of a refusal's body */
#define DUPLEX_SILENCE_MS 75000                /* a server pings every 30 s */

struct duplex;

/* Why there is none. */
struct duplex_refusal {
    int status;                /* of HTTP; 0: there was no reply */
    char why[CARRIER_WHY_MAX]; /* one line */
    struct buf body; /* of a reply that refuses; "" if there is none */
};
void duplex_refusal_init(struct duplex_refusal *r);
void duplex_refusal_release(struct duplex_refusal *r);

/* Connect and shake hands; header as in shake_request. NULL with *end
 * (CARRIER_DONE: it was refused) and r. */
struct duplex *duplex_open(struct carrier *c, const struct shake_url *u,
                           const char *header, enum carrier_end *end,
                           struct duplex_refusal *r);
/* Says goodbye; NULL is fine. */
void duplex_close(struct duplex *d);
/* Queue a message; it is sent by duplex_step. Copies. */
void duplex_send(struct duplex *d, const char *s, size_t n);

/* A message came. */
typedef void duplex_fn(void *arg, const char *s, size_t n);
/* Send and receive what can be at once, then wait for at most ms if nothing
 * could be. False: it is closed, or silent for too long. Returns early if the
 * carrier is stopped. */
bool duplex_step(struct duplex *d, int ms, duplex_fn *fn, void *arg);

#endif
