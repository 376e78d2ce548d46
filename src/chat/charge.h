/*
 * What is used without a stored turn is reserved and settled here: temporary
 * sessions, relays, commands that ask a model, embeddings, and the program's
 * own questions. A stored turn does both with its messages (chat/turn.c).
 *
 * A reserve that is not settled, since its process died, is settled by whoever
 * finds it: all of it is counted as used then. Loop thread only, but for the
 * sweeping.
 */
#ifndef CHAT_CHARGE_H
#define CHAT_CHARGE_H

#include "chat/allowance.h"

struct engine;
struct charge;

/* why NULL: it is reserved, and has to be settled by its id. Else it is not;
 * why says what a client is told. */
typedef void charge_fn(void *arg, const struct problem *why);

/* Reserve what a bill says; it is copied. It takes the place of what is
 * reserved under this id, which stays if it does not fit; a bill of nothing
 * (b->what.n) gives that back. fn is called once and not before this returned;
 * what is given back is gone then. */
struct charge *charge_begin(struct engine *en, const struct ident *id,
                            const struct bill *b, charge_fn *fn, void *arg);
/* Whoever asked for it left: fn is not called. NULL is fine. */
void charge_drop(struct engine *en, struct charge *c);
/* Settle what was reserved under this id, if anything was, and count what was
 * used, which is copied. model NULL in it: nothing was; part: the reserve
 * stays. Tried again until it is stored. Once the engine closes it is left to
 * the next process. */
void charge_settle(struct engine *en, const struct ident *id,
                   const struct ledger_spent *spent);
/* The same for what reserved nothing. */
void charge_count(struct engine *en, const struct ledger_spent *spent);
/* What a provider counted goes into the metrics. */
void charge_metrics(const struct usage *u);

/* --- sweeping (charge_sweep.c): any thread that may wait for the disk ----- */

#define CHARGE_SWEEP_MAX 64    /* reserves in one transaction */
#define CHARGE_SWEEP_PASS 1024 /* in one pass */
#define CHARGE_PRUNE_MAX 1000  /* records of the ledger at once */

/* Zeroed before the first pass; the next one goes on where it was. */
struct charge_sweep {
    struct ident after; /* zero: from the first reserve on */
    /* out, of this pass */
    bool more;                            /* another one is needed */
    size_t settled;                       /* reserves of dead processes */
    struct ident open[CHARGE_SWEEP_PASS]; /* their turns that are open in the
                                             store, and have to be mended */
    size_t n_open;
};

/* Settle what dead processes left. */
void charge_sweep(struct store *s, struct charge_sweep *w);
/* Take rows of the ledger away that are older than so many days (0: none
 * are), CHARGE_PRUNE_MAX at most. *more: there are more. ERR_STORE,
 * ERR_FULL. */
MUST_USE enum err charge_prune(struct store *s, int64_t now_ms, int64_t days,
                               bool *more);

#endif
