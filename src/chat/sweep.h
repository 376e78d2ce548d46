/*
 * The sweep: sessions whose time is over (SESSION_TTL, expires_at) read as not
 * there at once; at start and then every minute a part of the store is looked
 * through, and the temporary ones, and those are deleted. What dead processes
 * have reserved is settled, and what the ledger has of old days goes. Loop
 * thread only.
 */
#ifndef CHAT_SWEEP_H
#define CHAT_SWEEP_H

#include "base/base.h"

#define SWEEP_MS 60000    /* between two looks */
#define SWEEP_LOOKS 20000 /* sessions in one look */
#define SWEEP_DELETES 200 /* sessions in one look; more make another at once */

struct engine;
struct sweep;

struct sweep *sweep_new(struct engine *en); /* begins by itself */
/* Workers must have ended. NULL is fine. */
void sweep_free(struct sweep *w);

#endif
