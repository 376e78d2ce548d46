/* What the files of the WebSocket dialects share. Private to dialect/ws*.c. */
#ifndef DIALECT_WS_INSIDE_H
#define DIALECT_WS_INSIDE_H

#include "dialect/ws.h"

/* A dialect. */
struct ws_speech {
    bool ends_only; /* wants end events alone */
    bool coded;     /* errors have a code, too */
    bool notices;   /* has a frame for what answers nothing */
    /* in->ask is the frame, an object; it stays if in->what becomes WS_ASK or
     * WS_CONTEXT. */
    void (*read)(const struct ws *w, struct ws_in *in);
    /* As ws_event, of an event that is no ERROR. */
    bool (*event)(const struct ws_turn *t, const struct event *ev,
                  struct buf *out);
};
extern const struct ws_speech ws_commands;  /* ws_commands.c */
extern const struct ws_speech ws_client;    /* ws_client.c */
extern const struct ws_speech ws_streaming; /* ws_streaming.c */
extern const struct ws_speech ws_cloud;     /* ws_cloud.c */

/* NULL: undecided. */
const struct ws_speech *ws_speech(const struct ws *w);

/* --- reading (ws_read.c) -------------------------------------------------- */

/* Whole sentences, without their full stop. */
#define WS_SAY_FORMAT "Invalid message format"
#define WS_SAY_MESSAGE "Missing required parameter: message"
#define WS_SAY_TYPE "Unknown message type"

/* The frame is WS_BAD. message: what to do about it; may be "". */
void ws_bad(struct ws_in *in, const char *code, const char *error,
            const char *message);
/* The same of a member: "Invalid parameter: NAME", "NAME must be RULE". */
void ws_bad_member(struct ws_in *in, const char *name, const char *rule);
/* The type is not known. */
void ws_bad_type(struct ws_in *in, const char *type);
/* A member is not there, or null. */
bool ws_lacks(const cJSON *o, const char *name);
/* WS_ASK: the frame without what says what it is, and text (which may be in
 * it) as its message. NULL or blank: WS_BAD. */
void ws_ask(struct ws_in *in, const char *text);
/* The verb of a type that both dialects with types have: ping, stop, auth,
 * history, clear, logout. False: it is none of them. */
bool ws_verb(const char *type, enum ws_what *what);
/* The credentials of an auth frame (ws_auth.c). */
void ws_read_auth(struct ws_in *in);

/* --- writing -------------------------------------------------------------- */

/* {"type":TYPE, left open. */
void ws_open(struct json_out *j, const char *type, struct buf *out);
/* {"type":TYPE,"message":MESSAGE} */
void ws_say(struct buf *out, const char *type, const char *message);
/* Streaming's frame of an event; two dialects have it. */
bool ws_streaming_event(const struct event *ev, struct buf *out);

/* The value of a member of an object that chat/result.c wrote, as JSON text;
 * n 0: it has none. No tree is made, and what stands behind "message" is not
 * looked at (nothing does): an answer may be long. */
struct ws_slice {
    const char *s;
    size_t n;
};
struct ws_slice ws_member(const struct event *ev, const char *name);
/* Put name with a slice's value; otherwise (JSON) if it has none, NULL: leave
 * it out. */
void ws_put_slice(struct json_out *j, const char *name, struct ws_slice v,
                  const char *otherwise);

#endif
