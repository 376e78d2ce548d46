/*
 * A question that no user asked: one request to a model for the program's own
 * ends (a summary, a title), in the background. Nobody waits for it and it has
 * no reader: what is said is gathered, its tokens are counted as those of turns
 * are. It has limits of its own and no cache. Loop thread only.
 */
#ifndef CHAT_ASIDE_H
#define CHAT_ASIDE_H

#include "base/buf.h"
#include "chat/generator.h"
#include "chat/prompt.h"

#define ASIDE_RETRIES_MAX 1 /* or UPSTREAM_RETRIES, if that is less */

struct engine;

struct aside_calls {
    /* The question for this route, as struct generator_calls has it: fills
     * a->ask->ask (prompt_build) and a->report. */
    const struct ask *(*prepare)(void *arg, const struct route_choice *route,
                                 bool tight, struct problem *why);
    /* It is over: the last call. code is why there is no answer, else NULL; one
     * that its limit cut off (cut) is an answer. */
    void (*done)(void *arg, const char *code, bool cut);
};

/* Embedded; set up by aside_init. */
struct aside {
    struct engine *en;
    const struct aside_calls *calls;
    void *arg;
    struct turn_ask *ask;        /* owned; its arena holds what it needs */
    struct route_choice route;   /* that is asked now, and answered */
    struct generator *generator; /* NULL: it has none */
    struct prompt_report report; /* of what was sent */
    struct buf text;             /* as it came; no more than its ceiling */
    struct usage usage;
    char model[STORE_NAME_MAX + 1]; /* that answers, as far as known */
};

/* The engine's settings with the limits of such questions: total_ms at most,
 * with all tries. */
struct generator_config aside_config(const struct engine *en, int64_t total_ms);
/* For a session of this owner. Copies the strings and the route. calls and arg
 * are borrowed. */
void aside_init(struct aside *a, struct engine *en, const char *owner,
                const char *session_id, const struct route_choice *route,
                size_t text_max);
/* Ask routes[0], or the next one if it cannot answer. c is borrowed until the
 * end, the routes' models as well. */
void aside_start(struct aside *a, const struct generator_config *c,
                 const struct route_choice *routes, size_t n_routes,
                 const struct aside_calls *calls, void *arg);
/* Stops what runs; no call comes. */
void aside_release(struct aside *a);

/* What the answer cost, micro-dollars; -1: not known. */
int64_t aside_cost(const struct aside *a);
/* What came, at most max bytes of it: UTF-8 without NULs and without white
 * space at its ends; in the arena. "" if nothing is left. */
const char *aside_text(struct aside *a, size_t max, size_t *len);

#endif
