/*
 * What the files of the client share. Private to src/client; everything runs
 * on the thread of whoever calls the library.
 */
#ifndef CLIENT_INSIDE_H
#define CLIENT_INSIDE_H

#include "base/base.h"

#include <stdatomic.h>

#include "base/buf.h"
#include "base/ident.h"
#include "base/json.h"
#include "base/mem.h"
#include "client/carrier.h"
#include "client/parley.h"

#define CLIENT_REPLY_MAX (64 * 1024 * 1024) /* bytes of a whole reply */
#define CLIENT_ASK_MAX (96 * 1024 * 1024)   /* bytes; the server has its own */
#define CLIENT_STOP_MS 5000 /* for the end of an answer that was stopped */
#define CLIENT_HISTORY_MAX 500

/* How the server is spoken to. The functions are those of parley.h; arguments
 * are checked, and stop is clear when they are called. Each tells its error
 * itself (client_fail). */
struct transport {
    const char *name;
    enum parley_status (*connect)(struct parley *p);
    enum parley_status (*send)(struct parley *p, const struct parley_ask *ask);
    enum parley_status (*history)(struct parley *p, int limit);
    enum parley_status (*clear)(struct parley *p);
    enum parley_status (*ping)(struct parley *p);
    enum parley_status (*logout)(struct parley *p);
    void (*close)(struct parley *p); /* also when nothing is open */
};
extern const struct transport over_http; /* over_http.c */
extern const struct transport over_ws;   /* over_ws.c */

struct parley {
    struct parley_config c; /* strings are owned */
    struct parley_calls on;
    const struct transport *transport; /* NULL: the address is none */
    char *url; /* owned; with scheme, without '/' at the end, query, fragment */
    char session_id[IDENT_SESSION_MAX + 1];
    bool connected;   /* on_connected was called */
    bool broken;      /* PARLEY_RECONNECTS was told, and nothing was heard */
    char *oauth;      /* owned; the token; NULL: none */
    int64_t oauth_ms; /* monotonic; when to fetch another; 0: never */
    struct carrier carrier;
    void *link; /* over_ws.c's; owned */
};

/* Tell an error in one line; code may be NULL. Gives status. */
enum parley_status client_fail(struct parley *p, enum parley_status status,
                               int http_status, const char *code,
                               const char *fmt, ...) PRINTF(5, 6);
/* Tell the error that the body of a reply or a frame says, else its status. */
enum parley_status client_refused(struct parley *p, int http_status,
                                  const char *s, size_t n);
void client_state(struct parley *p, enum parley_state s, const char *text);
void client_connected(struct parley *p);
/* A message with nothing but its kind and perhaps a text. */
void client_tell(struct parley *p, enum parley_kind kind, const char *text,
                 int ms);
/* One message of the conversation, as the server's JSON has it. */
void client_tell_history(struct parley *p, const cJSON *message);

/* client/login.c: the header that says who we are, into out ("" if none);
 * fetches an OAuth2 token if it must. again: the last one was refused. */
enum parley_status login_header(struct parley *p, bool again, struct buf *out);
/* The frame that says it on a WebSocket. out is as large as LOGIN_FRAME_MAX,
 * and the caller overwrites it. */
#define LOGIN_FRAME_MAX (256 * 1024)
void login_frame(const struct parley *p, struct buf *out);
/* Overwrite and release a buffer that held one. */
void login_wipe(struct buf *b);
/* Overwrite all secrets. */
void login_forget(struct parley *p);
/* Is what auth needs there? NULL, or the sentence that says what is missing. */
const char *login_missing(const struct parley_config *c);

/* client/over_http.c: base + path into out, which is made. */
void over_http_url(const struct parley *p, struct buf *out, const char *path);
/* Tell how an exchange ended that should have been CARRIER_DONE. */
enum parley_status over_http_fail(struct parley *p, enum carrier_end end,
                                  const char *why);
#define OVER_HTTP_HEADER_MAX 16384 /* bytes, as login_header may make */
#define OVER_HTTP_JSON "Content-Type: application/json"

/* client/sending.c: ask, and hear the whole answer, by HTTP. */
enum parley_status sending_run(struct parley *p, const struct parley_ask *ask);

/* client/question.c: the body of POST /chat. type: "chat" for a WebSocket's
 * frame, NULL for none. */
void question_json(struct buf *out, const struct parley *p,
                   const struct parley_ask *ask, const char *key,
                   const char *type);

/* client/heard.c: what was heard of an answer, over however many connections.
 * A text is told once: what comes again is compared with what was told. */
struct heard {
    struct parley *p;
    struct buf text;              /* that was told */
    char turn_id[IDENT_TEXT_LEN]; /* "" before response_start */
    uint32_t seq;                 /* the last event's; 0: none */
    bool ended;
    enum parley_status status; /* then */
};
void heard_init(struct heard *h, struct parley *p);
void heard_release(struct heard *h);
/* An event of a stream or a frame of a WebSocket, whose type is in it. seq 0:
 * it has none. Events that were heard already and unknown ones change nothing.
 * ERR_BADREQ: it is no JSON object with a type. */
MUST_USE enum err heard_event(struct heard *h, uint32_t seq, const char *json,
                              size_t n);
MUST_USE enum err heard_object(struct heard *h, uint32_t seq, const cJSON *o,
                               const char *json);

#endif
