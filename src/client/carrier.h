/*
 * HTTP exchanges of a client, one at a time, over libcurl; the only file of the
 * client that knows curl. An exchange can be interrupted from any thread and
 * from a signal handler. Redirects are not followed: credentials go where the
 * user said and nowhere else.
 */
#ifndef CLIENT_CARRIER_H
#define CLIENT_CARRIER_H

#include "base/buf.h"

#include <stdatomic.h>

#define CARRIER_SILENCE_S 60 /* a server says something every 15 s */
#define CARRIER_WHY_MAX 256  /* curl's error, with its NUL */
#define CARRIER_LOCATION_MAX 512

enum carrier_end {
    CARRIER_DONE,    /* a whole reply, whatever its status */
    CARRIER_NOWHERE, /* no connection; nothing was asked */
    CARRIER_CUT,     /* it broke off, or nothing came */
    CARRIER_STOPPED, /* carrier_stop, or tick said so */
    CARRIER_WRONG    /* the address, the data or a certificate is not good */
};

struct carrier {
    void *multi;     /* CURLM, owned; NULL before the first exchange */
    void *side;      /* CURL, owned; a request that nobody waits for */
    void *side_list; /* curl_slist, owned; its headers */
    int wake_fd;     /* eventfd */
    _Atomic int stops;
    const char *ca_file; /* borrowed; NULL: the system's */
    int connect_ms;
};

struct carrier_call {
    const char *method;
    const char *url;
    const char *headers[8]; /* "Name: value"; NULL and "" are left out */
    const char *body;       /* NULL: none */
    size_t body_len;
    /* Bytes of a reply of status 200 as they come; NULL: into reply. Not OK
     * ends the exchange as CARRIER_CUT. */
    enum err (*data)(void *arg, const char *s, size_t n);
    /* After each step; not true ends the exchange as CARRIER_STOPPED. NULL:
     * the first carrier_stop does. */
    bool (*tick)(void *arg);
    void *arg;

    /* what came of it */
    int status; /* 0: none */
    char type[64];
    char location[CARRIER_LOCATION_MAX];
    struct buf reply;          /* of what data is not given */
    char why[CARRIER_WHY_MAX]; /* one line */
};

void carrier_init(struct carrier *c);
void carrier_release(struct carrier *c);
void carrier_call_init(struct carrier_call *call, const char *method,
                       const char *url);
void carrier_call_release(struct carrier_call *call);
enum carrier_end carrier_run(struct carrier *c, struct carrier_call *call);
/* Send a request beside the one that runs, in its tick; its reply is not
 * looked at. It ends with the exchange at the latest. Copies. */
void carrier_beside(struct carrier *c, const struct carrier_call *call);
/* Interrupt; counts until carrier_reset. Async-signal-safe. */
void carrier_stop(struct carrier *c);
void carrier_reset(struct carrier *c);
/* Wait. False: it was stopped. */
bool carrier_pause(struct carrier *c, int ms);

/* A new handle with what all of a client have; a CURL, the caller's. */
void *carrier_easy(const struct carrier *c, const char *url);
/* The reason of a CURLcode, as one line; error is curl's own, or "". */
void carrier_why(char why[CARRIER_WHY_MAX], int code, const char *error);
/* The eventfd was noticed; what stops counts stays. */
void carrier_drain(struct carrier *c);

/* --- a line: carrier_line.c ----------------------------------------------- */

/* A TCP connection to the host of an http:// or https:// address, with TLS if
 * it is one. CARRIER_DONE: to be closed by carrier_hang_up. */
struct carrier_line; /* an open connection */
enum carrier_end carrier_dial(struct carrier *c, const char *url,
                              struct carrier_line **out,
                              char why[CARRIER_WHY_MAX]);
void carrier_hang_up(struct carrier_line *l); /* NULL is fine */
/* Bytes moved, 0 if it would block, -1 at the end or a failure. */
ssize_t carrier_read(struct carrier_line *l, void *p, size_t n);
ssize_t carrier_write(struct carrier_line *l, const void *p, size_t n);
/* Wait until it can be read (or written, if write), or for ms. False: it was
 * stopped meanwhile. */
bool carrier_wait(struct carrier *c, struct carrier_line *l, bool write,
                  int ms);

#endif
