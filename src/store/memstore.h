/*
 * The store in memory as the home of temporary sessions; beside
 * memstore_backend, whose calls take what memstore_new makes. For store/split.c
 * and tests.
 */
#ifndef STORE_MEMSTORE_H
#define STORE_MEMSTORE_H

#include "store/backend.h"

struct memstore;

/* For temporary sessions: they say so, their numbers have STORE_NO_TEMPORARY,
 * and they take no more than room has (borrowed), but for what ends a turn.
 * memstore_backend.close frees it. */
struct memstore *memstore_new(struct budget *room, int64_t ttl_ms);

/* Is any session in it? Any thread; a load. */
bool memstore_any(const struct memstore *ms);
/* Any thread. Also one whose time is over. */
bool memstore_has(struct memstore *ms, const char *owner, const char *id);
/* The ids of an owner's sessions, owned by the caller; returns how many. */
size_t memstore_ids(struct memstore *ms, const char *owner,
                    char (**ids)[IDENT_SESSION_MAX + 1]);
bool memstore_has_turn(struct memstore *ms, const struct ident *turn);

#endif
