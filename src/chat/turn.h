/*
 * A turn is one question and its answer: a state machine on the loop. Each
 * step starts one asynchronous thing and names the next. It does not know
 * HTTP. Loop thread only.
 *
 *   waiting ──► loading ──► running ──► ending ──► over
 *   (session    (worker:    (committer   (committer:
 *    is busy)    history)    begins it,   the answer)
 *                            provider
 *                            answers)
 *
 * Exactly one end event is logged, after the answer is durable. A turn that
 * could not begin logs nothing: its readers are failed with the problem.
 */
#ifndef CHAT_TURN_H
#define CHAT_TURN_H

#include "chat/due.h"
#include "chat/generator.h"
#include "chat/prompt.h"
#include "chat/result.h"
#include "chat/stream.h"

#define TURN_NOTES_MAX (64 * 1024)         /* bytes */
#define TURN_THOUGHT_MAX (2 * 1024 * 1024) /* bytes that wait for the log */
#define TURN_THOUGHTS_MAX \
    (8 * 1024 * 1024) /* bytes of all; the rest is left
                                               out, and a note says so */

struct engine;
struct session_slot;
struct turn_calls;
struct command_run;

/* A turn's id and its messages' lie beside each other (ident_beside). */
enum { TURN_ID, TURN_QUESTION_ID, TURN_ANSWER_ID };

enum turn_step {
    TURN_WAITING,
    TURN_LOADING,
    TURN_RUNNING,
    TURN_ENDING,
    TURN_OVER
};

struct turn {
    struct engine *en;
    struct turn_ask *ask;       /* owned */
    struct route_choice chosen; /* ask->route is the one that answers */
    struct ident id, user_message, answer_message;
    enum turn_step step;
    struct session_slot *slot;
    struct turn *slot_next;   /* waiting behind another */
    struct turn *prev, *next; /* all turns of the engine */
    struct turn *dirty_next;
    bool dirty;                  /* has text that is not in the log */
    struct stream *stream;       /* NULL once closed */
    struct generator *generator; /* NULL when it is done */

    bool begun;                  /* the user's message is durable */
    bool begin_pending;          /* the committer has the begin op */
    bool too_long;               /* the answer reached STORE_TEXT_MAX */
    bool context_told;           /* EVENT_CONTEXT is in the log */
    bool cached;                 /* the answer was kept from before */
    bool saving;                 /* the end op failed: tried again */
    enum finish finish;          /* NONE: not known yet */
    struct problem problem;      /* with INCOMPLETE and ERROR */
    struct prompt_report report; /* of what the model was sent */
    struct buf notes;            /* objects of a JSON array, with commas */
    struct command_run *command; /* owned; NULL: it is a message */
    struct turn_calls *calls;    /* owned; chat/turn_calls.h; NULL: none */
    struct buf extra;            /* as stored with the answer */

    struct buf text; /* the answer so far, well-formed UTF-8 */
    size_t logged;   /* bytes of text in the log */
    char carry[4];   /* the beginning of a character */
    size_t carry_len;
    struct buf thought;             /* reasoning that is not in the log yet */
    size_t thoughts;                /* bytes of all reasoning so far */
    char model[STORE_NAME_MAX + 1]; /* that answers, as far as known */
    struct usage usage;
    struct due due; /* held: apart from what is with its question */
    bool held_told; /* which files were held back */

    int64_t begun_ms; /* monotonic */
    int64_t
        alone_ms; /* monotonic, since when without a reader; 0: it has one */
    int64_t first_ms; /* monotonic, of the first text; 0: none yet */
    int64_t at_ms;    /* wall clock of the answer */
    uint32_t conversation_length;
    int64_t asked_ms;    /* wall clock of the user's message */
    struct store_op *op; /* owned; begin, then end; NULL in between */
    struct mail mail;    /* results from other threads */
    struct job job;      /* loading */
    enum err load_err;
    struct ident existing; /* the turn that an idempotency key names */
    struct loop_timer timer;
};

/* Takes ask; r is attached and sees what becomes of it. */
void turn_start(struct engine *en, struct turn_ask *ask, struct reader *r);
/* Its session is free: go on. */
void turn_go(struct turn *t);
/* Let a worker run it, with t as its argument, and then the loop done. */
void turn_work(struct turn *t, job_fn *run, void (*done)(struct mail *m));
void turn_cancel(struct turn *t);
/* End it with what there is: the process is stopping. */
void turn_cut(struct turn *t);
/* The process ends and the turn has not: let it go. The next process closes
 * it. */
void turn_abandon(struct turn *t);
/* Put new text into the log; end of each loop turn. */
void turn_flush(struct turn *t);
/* Invariants, for tests. */
void turn_check(const struct turn *t);

#endif
