/*
 * What is used without a stored turn is reserved and settled here: temporary
 * sessions, relays, commands that ask a model, embeddings, and the program's
 * own questions. A stored turn does both with its messages (chat/turn.c).
 *
 * A reserve that is not settled, since its process died, is settled by whoever
 * finds it: all of it is counted as used then. Loop thread only.
 */
#ifndef CHAT_CHARGE_H
#define CHAT_CHARGE_H

#include "chat/allowance.h"

struct engine;
struct charge;

/* why NULL: it is reserved, and has to be settled by its id. Else it is not;
 * why says what a client is told. */
typedef void charge_fn(void *arg, const struct problem *why);

/* Reserve what a bill says; it is copied. There must be something to reserve
 * (b->what.n). fn is called once and not before this returned; what is given
 * back is gone then. */
struct charge *charge_begin(struct engine *en, const struct ident *id,
                            const struct bill *b, charge_fn *fn, void *arg);
/* Whoever asked for it left: fn is not called. NULL is fine. */
void charge_drop(struct engine *en, struct charge *c);
/* Settle what was reserved under this id, if anything was, and count what was
 * used, which is copied. model NULL in it: nothing was. Tried again until it is
 * stored. Once the engine closes it is left to the next process. */
void charge_settle(struct engine *en, const struct ident *id,
                   const struct ledger_spent *spent);
/* The same for what reserved nothing. */
void charge_count(struct engine *en, const struct ledger_spent *spent);

#define CHARGE_SWEEP_MAX 64 /* reserves of dead processes at once */

/* Settle what dead processes left. Any thread but the loop's. Returns how
 * many; the turns that are open in the store, and have to be mended, are put
 * into open and counted in *n_open. */
size_t charge_sweep(struct store *s, struct ident open[CHARGE_SWEEP_MAX],
                    size_t *n_open);

#endif
