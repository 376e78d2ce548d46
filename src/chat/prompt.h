/*
 * What a client asked for (parsed), and what the model is asked (the prompt):
 * system text, history, the new message. Loading the history reads the store
 * and so runs on an acceptor or a worker; building is pure.
 */
#ifndef CHAT_PROMPT_H
#define CHAT_PROMPT_H

#include "base/mem.h"
#include "chat/allowance.h"
#include "provider/provider.h"
#include "store/store.h"

#define PROMPT_MESSAGE_MAX (256 * 1024)   /* bytes of one user message */
#define PROMPT_HISTORY_MESSAGES 400       /* newest messages sent along */
#define PROMPT_HISTORY_BYTES (256 * 1024) /* bytes of them */
#define PROMPT_GIVEN_MAX 1000             /* messages in a given history */
#define TURN_ASK_NOTES_MAX (4 * 1024)     /* bytes of its notes */
#define ASK_NAMED_MAX 8                   /* files that a message names */
#define PROMPT_IDEM_MAX 255               /* bytes of an idempotency key */
#define PROMPT_TITLE_MAX 60      /* bytes of a title made from a message */
#define PROMPT_TITLE_LOOK 2048   /* bytes of the message looked at */
#define PROMPT_IMAGE_TOKENS 1000 /* that an image is taken to have */

struct command_line; /* chat/command.h */
struct retrieved;    /* chat/retrieve.h */
struct sight;        /* chat/sight.h */

/* One turn as asked for. Heap; everything it points to is in its arena. */
struct turn_ask {
    struct arena arena;
    const char *owner;  /* "" : anonymous */
    struct payer payer; /* whose budget it is */
    const char *session_id;
    bool lists;       /* the list of the owner's sessions may be seen */
    bool fresh;       /* the session id was made for this turn */
    bool temporary;   /* the session is a temporary one, or is to be: as it was
                         asked for, or as it was found */
    const char *text; /* the user's message, UTF-8, not blank */
    size_t text_len;
    const struct piece *pieces; /* the message with its images; NULL: text */
    size_t n_pieces;
    const struct command_line *command; /* what the text is; NULL: a message */
    const char *instruction; /* system text instead of all other; NULL */
    int files;               /* look into the files: 1 yes, 0 no, -1 not
                                    said */
    const struct retrieved *retrieved; /* chat/retrieve.h; NULL: nothing */
    const char *named[ASK_NAMED_MAX];  /* files that are meant, by name */
    size_t n_named;
    bool words_only;     /* this route does not take images of the index */
    const char *context; /* extra system text for this turn; NULL */
    const char *session_context; /* the session's own; "" if none */
    const char *session_model;   /* the session's choice; "" if none */
    const char *title; /* what names a session that has no name yet; NULL */
    bool any_model;    /* the request names none: the session's */
    const struct ident *follows; /* the message that this one follows, or (a
                                    user's) takes the place of; NULL: the
                                    last */
    uint32_t parent;             /* that, found: seq; or STORE_HEAD */
    bool root;                   /* it follows none */
    bool history_given;          /* history is the client's: do not load */
    struct ask_message *history; /* oldest first */
    size_t n_history;
    const struct ask_message *after; /* behind the new message: the calls and
                                        results of the client's tools; last */
    size_t n_after;
    uint32_t unloaded;        /* messages of the line before history */
    const char *summary;      /* of the line's oldest messages; "" if none */
    uint32_t summary_upto;    /* it stands for so many */
    size_t n_summarised;      /* of history, its oldest: it stands for these */
    uint32_t expect_messages; /* in the session when history was loaded */
    const char *idem_scope, *idem_key; /* NULL: none */
    struct route_choice route;
    double temperature, top_p; /* NaN: not given */
    int64_t answer_max;        /* tokens that are reserved for the answer of any
                           route; 0: none are */
    const char *notes; /* of what was asked for and is not done: objects of a
                          JSON array, with commas between; "" if none */
    struct ask ask;    /* built by prompt_build; points into this */
    bool loaded;
};

struct turn_ask *turn_ask_new(void);
void turn_ask_free(struct turn_ask *a); /* NULL is fine */
/* Add a note, of two literals that need no escape in JSON. */
void turn_ask_note(struct turn_ask *a, const char *code, const char *message);

/* Read the history (unless it was given), the session's context and model, and
 * its summary if summaries are wanted (SUMMARY) and it stands for messages of
 * this line; make a title if this message is the first; look for the key's
 * turn, if any. The line is that of the session's head, or of the message that
 * the new one follows. OK; ERR_CONFLICT: the key was used by *existing;
 * ERR_NOTFOUND: the message that it follows is not there; ERR_IMPOSSIBLE: it
 * is to be in a temporary session, and this one is stored; ERR_STORE. Acceptor
 * or worker. */
MUST_USE enum err prompt_load(struct store *s, struct turn_ask *a,
                              struct ident *existing);
/* The session's context and model alone, and whether it is temporary. Nothing
 * if there is no session. ERR_IMPOSSIBLE as above. */
MUST_USE enum err prompt_session(struct store *s, struct turn_ask *a);

/* --- chat/prompt_fit.c ---------------------------------------------------- */

#define PROMPT_CUT_MIN 64 /* tokens that a cut message keeps at least */

struct token_scales;

/* What the model is sent of a conversation. */
struct prompt_report {
    int64_t window_tokens;       /* of the model; -1: not known */
    int64_t reserve_tokens;      /* of it, for the answer; -1 likewise */
    int64_t estimate;            /* tokens sent, not corrected */
    int64_t scaled;              /* the same, corrected */
    int64_t room;                /* tokens that may be sent, not corrected;
                                    -1: any number */
    uint32_t sent, dropped, cut; /* messages */
    bool shortened;              /* because the provider found it too long */
    bool summarised;             /* a summary stands for older messages */
    bool options_dropped;        /* temperature and top_p: not for this model */
    uint32_t excerpts;           /* of files, that are sent along */
    bool stays;                  /* on this machine: route_stays */
    bool images_dropped;         /* a provider without a network sees none */
    uint8_t sight[ASK_NAMED_MAX]; /* what became of images of the index: enum
                                     sight_end (chat/sight.h) */
    uint8_t n_sights;
};

/* Fill a->ask for this route from the rest: what fits the model's window. The
 * system text is always whole, and so are excerpts of files, which begin the
 * new message: what is before them is the same from turn to turn, as caches of
 * prompts want it. If not all of the conversation fits, the session's summary
 * is put behind the system text in place of the oldest messages, cut to a
 * quarter of the room (and left out where that is too little); then long old
 * messages keep their head and tail, then the oldest pairs are left out.
 * shorter: send clearly less than r, which must be the last report, says.
 * ERR_TOOBIG: the new message cannot be made to fit; ERR_IMPOSSIBLE: the model
 * does not see images. why is filled. */
MUST_USE enum err prompt_build(struct turn_ask *a,
                               const struct route_choice *route,
                               const char *system_prompt,
                               const struct token_scales *scales, bool shorter,
                               struct prompt_report *r, struct problem *why);
/* The part of it that is about the model alone: temperature and top_p, where it
 * takes them, what its provider is to know of it, and no more of the answer
 * that is reserved than it can say. False: temperature or top_p were given and
 * are left out. */
bool prompt_options(struct turn_ask *a, const struct route_choice *route);
/* The part that is about files (chat/prompt_files.c): put what this route may
 * be shown into a->ask.excerpts, or return it as a text for prompt_quote, in
 * the arena of a ("": nothing); sets r->excerpts and r->stays. room as
 * prompt_build knows it. */
const char *prompt_excerpts(struct turn_ask *a,
                            const struct route_choice *route, int64_t room,
                            struct prompt_report *r);
/* Put that text, unless it is "", before what m says. */
void prompt_quote(struct turn_ask *a, struct ask_message *m,
                  const char *excerpts);
/* The part that is about images of the index (chat/prompt_images.c): put those
 * that this route may be shown behind the new message, which is among the n at
 * m; sets r->sight. room likewise. */
void prompt_images(struct turn_ask *a, const struct route_choice *route,
                   struct ask_message *m, size_t n, int64_t room,
                   struct prompt_report *r);
/* Number i of them, if it was shown, else NULL. */
const struct sight *prompt_shown(const struct turn_ask *a,
                                 const struct prompt_report *r, size_t i);
/* Tokens that these have at most, whatever route is asked. */
int64_t prompt_sight_tokens(const struct turn_ask *a);
/* Tokens that excerpts of files have at most, whatever route is asked. */
int64_t prompt_excerpt_tokens(const struct turn_ask *a);
/* Tokens that this route may be sent for a, not corrected; INT64_MAX: any
 * number. Sets a->ask.model. */
int64_t prompt_room(struct turn_ask *a, const struct route_choice *route,
                    const struct token_scales *scales);
/* What these messages are estimated to have, not corrected. */
int64_t prompt_tokens(const struct ask_message *m, size_t n);
/* Keep head and tail of a message that has more than max tokens; its new text
 * is in the arena of a. False: it stays as it is. Any thread. */
bool prompt_cut(struct turn_ask *a, struct ask_message *m, int64_t max);

#endif
