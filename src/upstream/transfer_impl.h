/*
 * What the files of the transfer share: transfer.c (life and time),
 * transfer_easy.c (what one request tells curl and hears from it) and
 * transfer_watch.c (curl's descriptors in the loop). These three are the only
 * files that know curl; nobody else includes this. Loop thread only.
 */
#ifndef UPSTREAM_TRANSFER_IMPL_H
#define UPSTREAM_TRANSFER_IMPL_H

#include <curl/curl.h>

#include "upstream/transfer.h"

#define TRANSFER_POOL_MAX 64 /* easy handles kept for reuse */

struct transfer_sock;

struct transfers {
    struct loop *loop;
    CURLM *multi;
    CURLSH *share;                /* TLS sessions */
    char *ca_file;                /* owned; NULL: the system's */
    struct loop_timer alarm;      /* curl's */
    struct loop_timer tick;       /* ours */
    struct transfer_sock **socks; /* by descriptor; owned */
    size_t n_socks;
    struct transfer *running; /* doubly linked */
    struct transfer *walk;    /* the next one that the tick looks at */
    struct transfer *later;   /* noted while curl ran */
    size_t n_running;
    CURL *pool[TRANSFER_POOL_MAX];
    size_t n_pool;
    uint64_t n_opened; /* connections */
    bool in_curl;      /* curl_multi_socket_action is running */
};

/* What is needed until the reply begins; apart, so that a stream that
 * only waits for its next bytes does not carry it. */
struct transfer_out {
    struct upstream_request q;
    struct curl_slist headers[TRANSFER_HEADERS_MAX + 1]; /* into q */
    char reason[CURL_ERROR_SIZE];
};

struct transfer {
    struct transfers *ts;
    struct transfer *next, *prev; /* of ts->running */
    struct transfer *later;       /* of ts->later */
    CURL *easy;                   /* NULL: given back */
    struct transfer_out *out;     /* owned; NULL: not needed any more */
    struct transfer_limits lim;
    struct transfer_calls calls;
    void *arg;
    int64_t start_ms, byte_ms; /* byte_ms 0: no body byte yet */
    struct upstream_head head;
    size_t head_bytes;
    struct buf error;      /* body of a reply >= 400 */
    const char *verdict;   /* why we ended it; NULL: curl did */
    enum transfer_end end; /* with verdict */
    bool added;            /* to the multi handle */
    bool over;             /* curl said that it is */
    bool noted;            /* is on ts->later */
    bool head_done;        /* the final head came */
    bool gone;             /* cancelled, or done is being called */
    bool guard_refused;    /* an address that it may not call */
};

/* --- transfer.c --------------------------------------------------------- */

/* Let curl act on a descriptor (or CURL_SOCKET_TIMEOUT), then do what had to
 * wait. */
void transfers_run(struct transfers *ts, curl_socket_t fd, int what);
/* Decide how it ends; the first verdict stands. */
void transfer_give_up(struct transfer *t, enum transfer_end end,
                      const char *why);

/* --- transfer_easy.c ---------------------------------------------------- */

/* Set all options of t->easy; false: curl refused one, or the URL. */
MUST_USE bool transfer_set_up(struct transfer *t);
/* Of the receive buffer; false: the handle has one, of what size ever. */
MUST_USE bool transfer_buffer_size(CURL *easy);
/* Take an unfinished t out of the multi handle so that the server knows at
 * once. */
void transfer_break_off(struct transfer *t);
void transfer_drop_out(struct transfer *t); /* free t->out; NULL is fine */

/* --- transfer_watch.c --------------------------------------------------- */

/* curl's callbacks: watch this descriptor; open and close a socket. */
int transfer_on_socket(CURL *easy, curl_socket_t fd, int what, void *ts,
                       void *unused);
curl_socket_t transfer_on_open(void *ts, curlsocktype purpose,
                               struct curl_sockaddr *a);
/* The same for a guarded transfer. */
curl_socket_t transfer_on_guarded(void *transfer, curlsocktype purpose,
                                  struct curl_sockaddr *a);
int transfer_on_close(void *ts, curl_socket_t fd);
void transfers_unwatch(struct transfers *ts); /* free all of it */

#endif
