/*
 * What is due for an answer for which one model after another may be asked:
 * its bill, what is reserved of it, and what those took that failed. Turns,
 * relays and asides have one each; their ids are those of the reserve. Loop
 * thread only.
 */
#ifndef CHAT_DUE_H
#define CHAT_DUE_H

#include "chat/allowance.h"
#include "chat/charge.h"

struct generator;
struct turn_ask;

/* Embedded, zeroed. */
struct due {
    struct bill bill;      /* of what is reserved, and of what is used */
    struct charge *charge; /* it waits for its reserve; NULL: it does not */
    bool held;             /* it is reserved under the id */
    bool unbilled;         /* nothing is for what is asked next */
    bool asked;            /* somebody is, and it was not noted yet */
    int64_t tried_micro;   /* what tries that failed have cost */
    charge_fn *next;       /* told of the reserve that it waits for */
    void *arg;
};

/* One call of a model. Borrowed, but for the usage. */
struct due_call {
    const char *payer;
    const struct route_choice *route;
    const char *model;   /* that answers */
    struct usage *usage; /* as the provider counted it; -1: it did not */
    int64_t sent;        /* tokens, estimated */
};

/* Tokens of all that a would send this route, as that counts them; no more than
 * its model takes. */
int64_t due_input(struct engine *en, const struct turn_ask *a,
                  const struct route_choice *route, const char *system_prompt);
/* Its worst case, where d->bill charges somebody: so many tokens are sent, and
 * one of n routes answers. Where a budget applies a asks for no longer an
 * answer than that. */
void due_worst(struct due *d, struct engine *en, struct turn_ask *a,
               const struct route_choice *routes, size_t n, int64_t input);
/* Reserve what the bill says, in place of what is reserved before, and tell
 * next, as charge_begin does. why: it does not fit; what was reserved before is
 * so still. */
void due_reserve(struct due *d, struct engine *en, const struct ident *id,
                 charge_fn *next, void *arg);
/* Nobody waits for the reserve any more. */
void due_leave(struct due *d, struct engine *en);
/* Answer a generator (NULL: it is gone) whether it may ask. */
void due_may(struct due *d, struct generator *g, const struct problem *why);

/* Did the provider count anything? */
bool due_is_counted(const struct usage *u);
/* Count what was used, as a part of what is reserved; nothing is no part. */
void due_part(struct engine *en, const struct ident *id,
              const struct ledger_spent *spent);
/* A call failed; its route is tried again, or given up (over). What it took, if
 * its provider said so, is counted, and its usage forgotten. */
void due_tried(struct due *d, struct engine *en, const struct ident *id,
               const struct due_call *c, bool over);
/* It is over: count what was used (model NULL: nothing), and give back what is
 * reserved still. */
void due_settle(struct due *d, struct engine *en, const struct ident *id,
                const struct ledger_spent *spent);

#endif
