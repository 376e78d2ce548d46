/*
 * A question that no user asked: one request to a model for the program's own
 * ends (a summary, a title), in the background, after a turn of a session.
 *
 *   loading ──► reserving ──► asking ──────► storing ──► over
 *   (worker)    (committer)   (generator:    (committer)
 *                              one request)
 *
 * Nobody waits for it and it has no reader: what is said is gathered, its
 * tokens are counted as those of turns are. Who pays for the turn pays for it,
 * too: where a budget does not hold its worst case it is not asked. It has
 * limits of its own and no cache. A stop of the engine cuts it off. Loop thread
 * only.
 */
#ifndef CHAT_ASIDE_H
#define CHAT_ASIDE_H

#include "base/buf.h"
#include "chat/due.h"
#include "chat/generator.h"
#include "chat/prompt.h"
#include "chat/prompt_file.h"
#include "store/store.h"

#define ASIDE_RETRIES_MAX 1 /* or UPSTREAM_RETRIES, if that is less */

struct engine;

struct aside_calls {
    /* Worker. What is needed of the store; ERR_NOTFOUND: nothing is to be
     * done, and it is over. */
    enum err (*load)(void *arg);
    /* The question for this route, as struct generator_calls has it: fills
     * a->ask->ask (prompt_build) and a->report. */
    const struct ask *(*prepare)(void *arg, const struct route_choice *route,
                                 bool tight, struct problem *why);
    /* Nothing more comes of the model, or nothing was loaded. code is why there
     * is no answer, else NULL; one that its limit cut off (cut) is an answer.
     * aside_store or aside_over is next. */
    void (*done)(void *arg, const char *code, bool cut);
    /* What became of aside_store: aside_over is next. */
    void (*stored)(void *arg, enum err e);
    /* The last call: it is out of the list, arg may be freed. */
    void (*over)(void *arg);
};

/* What all of one kind have in common; constant. */
struct aside_kind {
    bool (*wanted)(void); /* do the settings want them? */
    enum prompt_file prompt;
    size_t max;       /* at once, of all sessions */
    int64_t total_ms; /* for one, with all tries */
    const struct aside_calls *calls;
};

/* All of one kind. */
struct asides {
    struct engine *en;
    const struct aside_kind *kind;
    bool wanted;  /* constant */
    char *prompt; /* owned, constant: the system text; NULL: not wanted */
    struct aside *first;
    size_t n;
    struct generator_config gen; /* with limits of their own */
};

/* Embedded; set up by aside_init. */
struct aside {
    struct asides *all;
    struct aside *prev, *next;
    void *arg;
    struct turn_ask *ask;        /* owned; its arena holds what it needs */
    struct route_choice route;   /* that is asked now, and answered */
    struct generator *generator; /* NULL: it has none */
    struct prompt_report report; /* of what was sent */
    struct buf text;             /* as it came; no more than its ceiling */
    int64_t said;                /* bytes of all that came */
    struct usage usage;
    char model[STORE_NAME_MAX + 1]; /* that answers, as far as known */
    int64_t begun_ms;               /* monotonic */
    struct ident id;                /* of what is reserved */
    struct due due;
    struct store_op op; /* for aside_store */
    bool useless;       /* op is what aside_useless stores */

    const struct route_choice *routes; /* borrowed */
    size_t n_routes;
    enum err load_err;
    struct job job;
    struct mail mail;
};

/* Reads the settings and the prompt's file. The engine's own settings are read
 * before. */
struct asides *asides_new(struct engine *en, const struct aside_kind *kind);
/* Lets go what runs; workers and store must have ended. NULL is fine. */
void asides_free(struct asides *all);
/* Are they wanted, and may one begin after a turn of this session, which has
 * none yet? */
bool asides_may(const struct asides *all, const struct turn_ask *turn);
/* Is one under way? */
bool asides_busy(const struct asides *all);
/* The engine stops: end those that wait for a provider, as cut answers are. */
void asides_cut(struct asides *all);

/* One after this turn, given to its calls as arg. Copies what it needs. */
void aside_init(struct aside *a, struct asides *all, void *arg,
                const struct turn_ask *turn, const struct route_choice *route,
                size_t text_max);
/* Load, reserve, then ask routes[0], or the next one if it cannot answer.
 * routes and their models are borrowed until the end. */
void aside_begin(struct aside *a, const struct route_choice *routes,
                 size_t n_routes);
/* Submit a->op, of which kind and its own members are set, for the session. */
void aside_store(struct aside *a);
void aside_over(struct aside *a);
/* Nothing came of it that can be used: what it cost all the same is added to
 * what its session costs, if that has this number still, and it is over. */
void aside_useless(struct aside *a, uint64_t session_no);

/* What the answer cost, with tries that failed, micro-dollars; -1: not
 * known. */
int64_t aside_cost(const struct aside *a);
/* What came, at most max bytes of it: UTF-8 without NULs and without white
 * space at its ends; in the arena. "" if nothing is left. */
const char *aside_text(struct aside *a, size_t max, size_t *len);
/* Since it began, ms. */
int64_t aside_age_ms(const struct aside *a);

#endif
