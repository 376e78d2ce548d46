/*
 * The inside of the store in memory. For memstore*.c only; everything with
 * mu held.
 */
#ifndef STORE_MEMSTORE_DATA_H
#define STORE_MEMSTORE_DATA_H

#include <pthread.h>

#include "store/backend.h"

struct mem_session {
    struct session s;
    struct message *messages; /* owned, as are their strings */
    char *summary;            /* owned; NULL: none */
    size_t summary_len;
    struct session_summary summary_of; /* if there is one */
    char *context;                     /* owned; NULL: none */
};

struct mem_turn {
    struct turn_info t;
    uint64_t session_no;
};

struct mem_key {
    char *owner, *scope, *key; /* owned */
    struct ident turn;
    int64_t expires_ms;
};

struct memstore {
    pthread_mutex_t mu;            /* guards all below */
    struct mem_session **sessions; /* owned, in order of creation */
    size_t n_sessions;
    struct mem_turn *turns;
    size_t n_turns;
    struct mem_key *keys;
    size_t n_keys;
    uint64_t next_no;
    int64_t ttl_ms; /* constant */
};

bool memstore_gone(const struct memstore *ms, const struct mem_session *s);
/* NULL: not there. */
struct mem_session *memstore_session_id(struct memstore *ms, const char *id);
/* NULL: not there, or another owner's, or its time is over. */
struct mem_session *memstore_session(struct memstore *ms, const char *owner,
                                     const char *id);
struct mem_session *memstore_session_no(struct memstore *ms, uint64_t no);
struct mem_turn *memstore_turn(struct memstore *ms, const struct ident *id);
/* Of an owner, also those whose time is over. */
uint64_t memstore_count(const struct memstore *ms, const char *owner);
/* The length of the line of a message, or of STORE_ROOT. */
uint32_t memstore_length(const struct mem_session *s, uint32_t leaf);
/* Is seq on the line of leaf? */
bool memstore_line_has(const struct mem_session *s, uint32_t leaf,
                       uint32_t seq);
/* The turn of a key that is remembered, or NULL. */
struct mem_turn *memstore_key(struct memstore *ms, const char *owner,
                              const char *scope, const char *key);
/* All messages, and the summary. */
void memstore_session_clear(struct mem_session *s);
void memstore_session_free(struct mem_session *s);

/* memstore_apply.c */
MUST_USE enum err memstore_apply(void *impl, struct store_op *const ops[],
                                 size_t n, bool *wrote);

#endif
