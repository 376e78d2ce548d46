/*
 * Whose budget a request is paid from: that of who asks, even where it acts as
 * another (who goes on with an anonymous session by its id), and that of the
 * API key that was used.
 */
#ifndef API_PAYER_H
#define API_PAYER_H

#include "api/app.h"
#include "auth/identity.h"
#include "chat/allowance.h"

/* Strings are borrowed from who. A key is read in the store: acceptor or
 * worker. */
void payer_find(struct app *app, const struct identity *who, struct payer *out);
/* The same for an ask, which gets copies. */
void payer_take(struct app *app, const struct identity *who,
                struct turn_ask *a);

#endif
