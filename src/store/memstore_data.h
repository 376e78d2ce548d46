/*
 * The inside of the store in memory. For memstore*.c only; everything with
 * the lock held, to write where it changes anything.
 */
#ifndef STORE_MEMSTORE_DATA_H
#define STORE_MEMSTORE_DATA_H

#include <pthread.h>

#include "store/backend.h"
#include "store/memtable.h"

struct mem_turn;

struct mem_session {
    struct mem_node node; /* first; by id */
    struct session s;
    struct message *messages; /* owned, as are their strings */
    size_t cap;               /* of messages */
    struct mem_turn *turns;   /* owned; of it, the newest first */
    bool summarised;          /* it has a summary, or what one cost */
    char *summary;            /* owned; NULL: "" */
    size_t summary_len;
    struct session_summary summary_of;
    char *context; /* owned; NULL: none */
    size_t context_len;
    struct mem_session *prev, *next; /* in the order of their numbers */
};

/* An idempotency key, as long as its turn. */
struct mem_key {
    struct mem_node node;      /* first; by all three */
    char *owner, *scope, *key; /* owned */
    struct mem_turn *turn;
    int64_t expires_ms;
};

struct mem_turn {
    struct mem_node node; /* first; by id */
    struct turn_info t;   /* session_id and owner are its session's */
    struct mem_session *session;
    struct mem_turn *next; /* of the session */
    struct mem_key *key;   /* owned; NULL: none */
};

/* A value under a name (memstore_records.c). */
struct mem_record {
    char *name, *value; /* owned */
    size_t n, len;
    int64_t expires_ms; /* 0: never */
};

struct memstore {
    pthread_rwlock_t lock;      /* guards all below that is not constant */
    struct mem_table by_id;     /* sessions */
    struct mem_table turns;     /* by id */
    struct mem_table keys;      /* those of turns */
    struct mem_session *first;  /* owned */
    struct mem_session *last;   /* the newest */
    uint64_t next_no;           /* less the bit of a temporary one */
    size_t n_sessions;          /* atomic: also read without the lock */
    struct mem_record *records; /* owned; in the order of names */
    size_t n_records;
    int64_t ttl_ms;      /* constant */
    struct budget *room; /* constant, as is temporary; borrowed; NULL: any
                            number of bytes */
    bool temporary;      /* what its sessions are */
};

/* memstore.c; NULL: not there. */
bool memstore_gone(const struct memstore *ms, const struct mem_session *s);
struct mem_session *memstore_session_id(struct memstore *ms, const char *id);
/* NULL also: another owner's, or its time is over. */
struct mem_session *memstore_session(struct memstore *ms, const char *owner,
                                     const char *id);
struct mem_turn *memstore_turn(struct memstore *ms, const struct ident *id);
/* Of an owner, also those whose time is over. A walk over all. */
uint64_t memstore_count(const struct memstore *ms, const char *owner);
/* The length of the line of a message, or of STORE_ROOT. */
uint32_t memstore_length(const struct mem_session *s, uint32_t leaf);
/* Is seq on the line of leaf? */
bool memstore_line_has(const struct mem_session *s, uint32_t leaf,
                       uint32_t seq);
/* The turn of a key that is remembered, or NULL. */
struct mem_turn *memstore_key(struct memstore *ms, const char *owner,
                              const char *scope, const char *key);

/* memstore_keep.c: what is kept, and the bytes that it takes. Those that are
 * called …_cost say how many; whoever puts something has taken them from room,
 * and what is freed gives them back. */

size_t memstore_text_cost(const char *text, size_t len); /* NULL: 0 */
size_t memstore_message_cost(const struct message *m);
size_t memstore_session_cost(void); /* without what belongs to it */
size_t memstore_turn_cost(const struct store_op *begin); /* with its key */

struct mem_session *memstore_put_session(struct memstore *ms,
                                         const struct store_op *op,
                                         int64_t at_ms);
/* Copies. Sets the seq and parent of *m. */
void memstore_put_message(struct mem_session *s, struct message *m,
                          uint32_t parent);
void memstore_put_turn(struct memstore *ms, struct mem_session *s,
                       const struct store_op *begin);
/* Replace a text by a copy of another, and take or give the difference: "" with
 * len 0 takes it away. ERR_FULL: there is no room for it, and it is as it was.
 */
MUST_USE enum err memstore_set_text(struct memstore *ms, char **text,
                                    size_t *len, const char *to, size_t to_len);
/* All messages and turns, and the summary. */
void memstore_session_clear(struct memstore *ms, struct mem_session *s);
/* Out of all lists, with what belongs to it. */
void memstore_session_free(struct memstore *ms, struct mem_session *s);

/* memstore_apply.c */
MUST_USE enum err memstore_apply(void *impl, struct store_op *const ops[],
                                 size_t n, bool *wrote);

/* memstore_records.c; the first takes the lock by itself. */
MUST_USE enum err memstore_records(void *impl, const struct record_query *q,
                                   record_fn *fn, void *arg);
MUST_USE enum err memstore_change_records(struct memstore *ms,
                                          struct store_op *op);
void memstore_records_free(struct memstore *ms);

/* memstore_owner.c: STORE_SESSION_OWNER. */
MUST_USE enum err memstore_give(struct memstore *ms, struct store_op *op);

#endif
