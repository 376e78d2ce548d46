/*
 * Sessions, their messages and turns, as the store knows them. Part of
 * store/store.h, which says how they are read and written.
 */
#ifndef STORE_SESSION_H
#define STORE_SESSION_H

#include "base/base.h"
#include "base/ident.h"
#include "base/process.h"

#define STORE_OWNER_MAX 128              /* bytes; "" is the anonymous owner */
#define STORE_NAME_MAX 128               /* bytes of a provider or model name */
#define STORE_TITLE_MAX 256              /* bytes */
#define STORE_TAGS_MAX 512               /* bytes of all tags of a session */
#define STORE_TEXT_MAX (8 * 1024 * 1024) /* bytes of one message */
#define STORE_EXTRA_MAX (256 * 1024)     /* bytes of a message's extra */

/* Roles and finishes are stored as the numbers of docs/WIRE.md; the store
 * passes them through. */
struct message {
    uint32_t seq;    /* in the session, from 0, no gaps */
    uint32_t parent; /* seq of the message it follows; STORE_ROOT: none */
    uint8_t role;    /* enum role */
    uint8_t finish;  /* enum finish; 0 for user messages */
    int64_t at_ms;   /* wall clock */
    struct ident id;
    struct ident turn;
    int64_t input_tokens, output_tokens, cached_tokens; /* -1: not known */
    int64_t cost_micro;   /* micro-dollars, of an answer; -1: not known */
    const char *provider; /* "" for user messages */
    const char *model;
    const char *text; /* UTF-8 */
    size_t text_len;
    /* A JSON object of what else is known of it (chat/extra.h), without a NUL
     * behind it; "" if nothing, and NULL is read as "". */
    const char *extra;
    size_t extra_len; /* at most STORE_EXTRA_MAX */
};

/* Messages form a tree: each follows one, and two that follow the same one are
 * siblings (a question that was asked anew, an answer that was made again). The
 * line of a message is the way from the root to it; the session's own line is
 * that of its head. Without branches all messages are one line. */
#define STORE_ROOT UINT32_MAX /* the parent of a first message */
#define STORE_HEAD UINT32_MAX /* where a line ends: the session's head */

struct session {
    char id[IDENT_SESSION_MAX + 1];
    char owner[STORE_OWNER_MAX + 1];
    char title[STORE_TITLE_MAX + 1]; /* "" until named */
    bool titled; /* for good: by its user, or by a model; else the title is that
                    of the first words */
    int64_t created_ms, updated_ms;
    int64_t expires_ms; /* wall clock; 0: not set for this session */
    uint64_t no;        /* internal number: the key of its records */
    uint32_t n_messages;
    uint32_t head;   /* seq of the line's last message; if there is any */
    uint32_t length; /* messages of the line */
    bool branched;   /* some message has a sibling */
    bool pinned, archived;
    bool has_context;               /* store_context */
    char model[STORE_NAME_MAX + 1]; /* as a request names one; "": default */
    char tags[STORE_TAGS_MAX + 1];  /* each followed by a newline */
    bool open;                      /* a turn is being produced */
    struct ident open_turn;
    bool temporary; /* in memory alone: see below; never on disk */
};

enum turn_state { TURN_STATE_OPEN = 1, TURN_STATE_ENDED = 2 };

/* A turn as the store knows it. */
struct turn_info {
    struct ident id;
    enum turn_state state;
    char session_id[IDENT_SESSION_MAX + 1];
    char owner[STORE_OWNER_MAX + 1];
    struct ident user_message, answer_message;
    uint32_t answer_seq;          /* valid when ended */
    uint32_t conversation_length; /* valid when ended */
    uint32_t end_seq;             /* seq of the stream's last event */
    int64_t begun_ms, ended_ms;
    struct process process; /* who produces it */
    bool temporary;         /* as its session */
};

/* A session may be made as a temporary one: then it and all that belongs to it
 * (messages, turns, keys, context, summary) is in this process's memory and
 * never in a file. By its owner and id it is read and written as any other; no
 * list, no walk and no count has it, but for store_expired, which is for who
 * deletes. It ends when it is deleted, when its time is over, and with the
 * process. Its number has this bit, those of others have not. */
#define STORE_NO_TEMPORARY (UINT64_C(1) << 63)

#endif
