/*
 * The client's side of a WebSocket's opening handshake (RFC 6455, 4.1): the
 * request as bytes, the reply from bytes. Pure.
 */
#ifndef CLIENT_SHAKE_H
#define CLIENT_SHAKE_H

#include "base/buf.h"

#define SHAKE_KEY_LEN 25           /* 24 characters and NUL */
#define SHAKE_HEAD_MAX (16 * 1024) /* bytes of a reply's head */

/* What a ws:// or wss:// address says. */
struct shake_url {
    char dial[1024]; /* http:// or https:// of the host, for the connection */
    char host[512];  /* the Host header */
    char path[4096]; /* with the query; /ws/chat if there is none */
};
/* The session is put into the query if it is not "". ERR_BADREQ: too long, or
 * a character that no address has. */
MUST_USE enum err shake_url(struct shake_url *u, const char *url,
                            const char *session_id);

void shake_key(char key[SHAKE_KEY_LEN]); /* random */
/* header: one line "Name: value" more; "" for none. */
void shake_request(struct buf *out, const struct shake_url *u, const char *key,
                   const char *header);

struct shake_reply {
    size_t head_len; /* bytes; what follows belongs to the connection */
    int status;      /* 101 only if everything about it is right */
};
/* ERR_AGAIN: the head is not whole. ERR_BADREQ: it is no HTTP, or a 101 that
 * does not know the key. ERR_TOOBIG: longer than SHAKE_HEAD_MAX. */
MUST_USE enum err shake_reply(struct shake_reply *r, const char *s, size_t n,
                              const char *key);

#endif
