/*
 * A link is a WebSocket that speaks with the engine: its frames become turns
 * and other wishes, done one after another; what comes of them becomes frames
 * of its dialect. A link holds no turn logic. When its socket is gone the turn
 * goes on without it, and the answer is in the session. Loop thread. For
 * api/ws_*.c only.
 */
#ifndef API_WS_LINK_H
#define API_WS_LINK_H

#include "api/app.h"
#include "api/ws_door.h"
#include "auth/auth.h"
#include "auth/oauth2.h"
#include "dialect/ws.h"
#include "http/wsock.h"

#define WS_LINK_QUEUE_MAX 8 /* frames that wait while one is worked on */

struct credentials_box; /* auth/credentials.h */
struct ws_counts;
struct ws_count;
struct ws_link;

/* The inside of a door, as its links see it. */
struct ws_door {
    struct app *app; /* borrowed */
    struct websocket *listener;
    struct ws_counts *clients;
    struct credentials_box *box;
    struct oauth2 *oauth2;
    struct ws_link *links;
    size_t n_links; /* with those whose socket is gone */
    size_t max;     /* sockets */
    size_t per_client;
    struct buf scratch;      /* of a frame being made */
    struct loop_timer sweep; /* of the box */
    struct engine_hold hold; /* while closing ones are waited for */
    struct loop_timer end;   /* of that */
    int64_t stopped_ms;
    bool stopping, holds, closed;
    size_t n_strangers; /* of n_open, those who are not signed in */
    _Atomic size_t n_open, n_following;
};

/* What a frame wants, while it waits. */
struct ws_wish {
    struct ws_wish *next;
    struct ws_in in;
};

enum ws_link_state {
    WS_LINK_IDLE,
    WS_LINK_WORKS,   /* a worker prepares what was asked */
    WS_LINK_ASKED,   /* the engine has the reader */
    WS_LINK_FOLLOWS, /* the reader is attached to a stream */
    WS_LINK_SIGNS_IN /* a token server is asked */
};

struct ws_link {
    struct ws_door *door;
    struct ws_link *prev, *next;
    struct wsock *sock; /* NULL: gone */
    struct ws ws;
    struct ws_count *count; /* NULL: it is not counted */
    enum ws_link_state state;
    struct reader r;
    struct ident turn;        /* while it follows */
    struct ws_turn as;        /* what its events are told as */
    char *data;               /* owned; as.data */
    struct oauth2_wait login; /* while it signs in */
    struct ws_wish *queue;
    unsigned n_queue;
    bool lists;       /* app_lists of its handshake */
    bool enters;      /* who it is is being found out: nothing else goes on */
    bool stop_wanted; /* as soon as there is a turn */
    bool ended;       /* the end event was told */
    unsigned closes;  /* the code with which it is closed next; 0: not */
    char session_id[IDENT_SESSION_MAX + 1];
    int64_t since_ms;    /* monotonic; it is whose it is */
    int64_t asked_ms;    /* monotonic; when its events asked for who last */
    struct identity who; /* who speaks; credentials are kept under its owner */
    char owner[STORE_OWNER_MAX + 1]; /* as whom it acts: its session's owner */
};

extern const struct wsock_ops ws_link_sock; /* owner: the link */

struct ws_link *ws_link_new(struct ws_door *d, enum ws_endpoint at,
                            const struct identity *who, const char *session_id,
                            struct ws_count *count);
/* A wish at the head of all that wait. Takes what in holds. */
void ws_link_first(struct ws_link *l, struct ws_in *in);
/* A websocket_app's opened. */
void ws_link_opened(void *link, struct wsock *sock);
/* The process stops. */
void ws_link_stop(struct ws_link *l);
/* Close the socket; the link goes. */
void ws_link_close(struct ws_link *l, unsigned code, const char *reason);
/* The link goes, unless somebody still has it. */
void ws_link_over(struct ws_link *l);
/* Send a frame. Nothing if the socket is gone or the frame too large. */
void ws_link_say(struct ws_link *l, const struct buf *frame);
void ws_link_problem(struct ws_link *l, const struct problem *p);
struct buf *ws_link_scratch(struct ws_link *l); /* empty; of a frame */
/* It is idle again: the next wish. */
void ws_link_next(struct ws_link *l);

/* --- api/ws_login.c: credentials ------------------------------------------ */

/* Must this WS_AUTH wait for what came before it? */
bool ws_login_waits(const struct ws_link *l, const struct ws_in *in);
/* WS_AUTH, in its turn: it is answered at once, or the link signs in, or a
 * worker looks at it. Takes what in holds. */
void ws_login_begin(struct ws_link *l, struct ws_in *in);
void ws_login_answer(struct ws_link *l,
                     const struct problem *why); /* or NULL */
/* A worker found out that it is who (e is as auth_find's). Takes what in
 * holds. */
void ws_login_found(struct ws_link *l, struct ws_in *in, enum err e,
                    const struct identity *who, const struct problem *why);
/* What the chain of ways in is asked about these credentials. Borrows. */
void ws_login_ask(struct auth_ask *ask, const struct credentials *c,
                  const char *addr);
/* May its client do this (MAY_WRITE: ask, too), now? Else it is told, or the
 * connection ends, where its login has. */
bool ws_login_may(struct ws_link *l, enum may may);
/* The link stops signing in, and is idle; its client is told why if it is
 * there still. */
void ws_login_cancel(struct ws_link *l, const char *sentence);
/* WS_LOGOUT, at once. */
void ws_login_out(struct ws_link *l);

/* --- api/ws_work.c: what a worker does ------------------------------------ */

/* WS_ASK, WS_CONTEXT, WS_HISTORY or WS_CLEAR. Takes what in holds. */
void ws_work_begin(struct ws_link *l, struct ws_in *in);

/* --- api/ws_turn.c: following a turn -------------------------------------- */

/* Takes ask and data (may be NULL). */
void ws_turn_ask(struct ws_link *l, struct turn_ask *ask, bool stream,
                 char *data, size_t data_len);
void ws_turn_follow(struct ws_link *l, const struct ident *turn, bool stream);
/* Cancel what runs, now or as soon as there is a turn. */
void ws_turn_stop(struct ws_link *l);

#endif
