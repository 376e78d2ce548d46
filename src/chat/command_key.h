/*
 * The idempotency keys of commands: which turn carried one out. The store
 * remembers those of messages; a command leaves nothing in it, and its answer
 * lasts as long as its stream does. So these are in memory, the newest
 * COMMAND_KEYS_MAX of this process. Loop thread only.
 */
#ifndef CHAT_COMMAND_KEY_H
#define CHAT_COMMAND_KEY_H

#include "base/ident.h"

#define COMMAND_KEYS_MAX 512

struct command_keys;
struct turn_ask; /* chat/prompt.h */

struct command_keys *command_keys_new(void);
void command_keys_free(struct command_keys *k); /* NULL is fine */
/* The turn that this ask's key named last; false: none is known, or the ask
 * has no key. That its stream is still there is not said. */
bool command_keys_find(const struct command_keys *k, const struct turn_ask *a,
                       struct ident *turn);
/* Remember the turn. Nothing to do for an ask without a key. */
void command_keys_put(struct command_keys *k, const struct turn_ask *a,
                      const struct ident *turn);

#endif
