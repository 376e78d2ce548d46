/*
 * WebSocket, what is said: a client's frame in, what it asks out; events of a
 * stream in, frames out. The clients of four documents connect unchanged, each
 * in its own dialect. Where one connects (the endpoint) and its first frame
 * that can be understood decide which one it speaks; later frames stay in it.
 *
 *   WS_COMMANDS   {"message": …} → one frame for each: message,
 *                 command_response, system or error
 *   WS_CLIENT     {"type": "chat" | "auth" | "history" | …} → typing,
 *                 ai_response, history, auth_response, …
 *   WS_STREAMING  {"type": "chat_message", …} → response_start,
 *                 response_chunk…, response_complete
 *   WS_CLOUD      {"message", "history", "image_name"} → status…, result
 *
 * docs/WIRE.md has their members. A frame is the text of one whole message:
 * how it is cut into fragments is the transport's. Encoders add the text of at
 * most one frame to out, and say whether there is one; out's own ceiling
 * bounds it. Pure, any thread; times are given.
 */
#ifndef DIALECT_WS_H
#define DIALECT_WS_H

#include "base/buf.h"
#include "base/json.h"
#include "store/streamlog.h"

struct credentials; /* auth/credentials.h */

enum ws_endpoint {
    WS_AT_CHAT,   /* /ws/chat, /ws/chat/auth */
    WS_AT_CLIENT, /* /ws/{client_id} */
    WS_AT_CLOUD,  /* /api/cloud-chat */
    WS_AT_LOCAL   /* /api/chat */
};

enum ws_dialect {
    WS_UNDECIDED, /* no frame that says it has come */
    WS_COMMANDS,
    WS_CLIENT,
    WS_STREAMING,
    WS_CLOUD,
    WS__MAX
};

/* One connection's side of it. Zeroes are /ws/chat, undecided. */
struct ws {
    enum ws_endpoint at;
    enum ws_dialect dialect;
};
void ws_init(struct ws *w, enum ws_endpoint at);

/* --- what a client says --------------------------------------------------- */

enum ws_what {
    WS_BAD,     /* why says what to tell (ws_problem); nothing else happens */
    WS_ASK,     /* a turn: ask */
    WS_CONTEXT, /* /api/cloud-chat: the context of a message: ask */
    WS_HISTORY, /* the session's messages: ws_history_… */
    WS_CLEAR,   /* empty the session: ws_cleared */
    WS_PING,    /* ws_pong */
    WS_AUTH,    /* auth: ws_auth_answer. Wipe the frame's bytes */
    WS_LOGOUT,  /* forget credentials: ws_logged_out */
    WS_STOP     /* cancel the turn that runs; its end event answers */
};

struct ws_in {
    enum ws_what what;
    struct problem why; /* WS_BAD */
    /* WS_ASK: an object as POST /chat takes it: message, history if one was
     * given, and whatever other members the frame has, under their names there
     * (they may be wrong: who reads the object checks them; "stream" and
     * "detach" are not among them). WS_CONTEXT: message, history and
     * image_name, checked. Owned; NULL else. */
    cJSON *ask;
    bool stream; /* WS_ASK: for ws_turn */
    /* WS_AUTH: owned; NULL if the frame lacked something: why says what, and
     * it is told by ws_auth_answer. The rest is credentials_check's. */
    struct credentials *auth;
};

/* Read a client's text or binary message. in is always filled, and released by
 * the caller. */
void ws_read(struct ws *w, const char *s, size_t n, struct ws_in *in);
/* Frees; secrets are overwritten. */
void ws_in_release(struct ws_in *in);

/* --- what it is told ------------------------------------------------------ */

/* The first frame of a connection, before the client said anything. False:
 * this endpoint has none. */
bool ws_greeting(const struct ws *w, const char *session_id, int64_t wall_ms,
                 struct buf *out);

/* What a turn's events are told as. */
struct ws_turn {
    bool stream; /* as the ask said: WS_CLIENT is told pieces, too */
    /* /api/chat alone: the object of ws_context_data, which the result has
     * beside the answer; borrowed. */
    const char *data;
    size_t data_len;
};
/* Are only end events wanted (reader.ends_only)? */
bool ws_ends_only(const struct ws *w);
/* The frame of an event; the same event gives the same frame. False: this
 * dialect says nothing of it. */
bool ws_event(const struct ws *w, const struct ws_turn *t,
              const struct event *ev, struct buf *out);
/* Does the connection end (close 1000) behind the frame of this end event, or
 * of ws_context? */
bool ws_closes(const struct ws *w, enum event_type end);

/* A turn that never began, a frame that cannot be understood, a request that
 * cannot be done. */
void ws_problem(const struct ws *w, const struct problem *p, struct buf *out);
/* Something to know that answers nothing: the server stops, for one. False:
 * this dialect has no word for it. */
bool ws_notice(const struct ws *w, const char *text, struct buf *out);

void ws_pong(int64_t wall_ms, struct buf *out);
void ws_cleared(struct buf *out);
void ws_logged_out(struct buf *out);
/* why NULL: it went well. */
void ws_auth_answer(const struct problem *why, struct buf *out);

/* A session's messages, oldest first, as one frame: begin, each, end. */
struct ws_message {
    const char *role; /* "user" */
    const char *text;
    size_t text_len;
    const struct ident *id; /* NULL: none */
    const char *model;      /* NULL or "": none */
    int64_t at_ms;          /* wall clock */
};
void ws_history_begin(struct json_out *j, struct buf *out);
void ws_history_message(struct json_out *j, const struct ws_message *m);
void ws_history_end(struct json_out *j);

/* --- /api/cloud-chat and /api/chat ---------------------------------------- */

struct ws_file {
    const char *name;
    double similarity; /* 0 to 1 */
};

/* An image of the collection that the message is about. */
struct ws_image {
    const char *name, *description;
    const char *const *tags;
    size_t n_tags;
    const char *base64; /* the file; "" if it is too large */
};

/* What is found for a message. Strings are not NULL. */
struct ws_context {
    const char *system_prompt;
    const char *rag_context;     /* excerpts of files; "" if none */
    const struct ws_file *files; /* best first */
    size_t n_files;
    const char *const *held; /* names of files that must stay here */
    size_t n_held;
    const struct ws_image *image; /* NULL: none was named */
    const char *user_message;
    const cJSON *history; /* as it was given; NULL: [] */
};

/* Check the object of a request: a message, history a list of {role, content},
 * image_name a string. ERR_BADREQ with the sentences that clients know
 * ("No message provided"). */
MUST_USE enum err ws_context_check(const cJSON *ask, struct problem *why);
/* An image_name that is no file: ERR_NOTFOUND, "File not found: NAME". */
MUST_USE enum err ws_file_missing(const char *name, struct problem *why);
/* The object that is a result's "data". */
void ws_context_data(const struct ws_context *c, struct buf *out);
/* The frames of it: one that says what is being done, and the result. A POST
 * is answered with the latter. */
void ws_context_status(struct buf *out);
void ws_context_result(const struct ws_context *c, struct buf *out);

#endif
