/*
 * The inside of the engine, shared by the files of chat/ only. Everything is
 * owned by the loop thread unless it says otherwise.
 */
#ifndef CHAT_CORE_H
#define CHAT_CORE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/budget.h"
#include "base/worker.h"
#include "chat/cache.h"
#include "chat/circuit.h"
#include "chat/command.h"
#include "chat/engine.h"
#include "chat/generator.h"
#include "chat/session.h"
#include "chat/tokens.h"
#include "chat/turn.h"
#include "upstream/transfer.h"

struct asides;        /* chat/aside.h */
struct index;         /* chat/index.h */
struct files;         /* files/files.h */
struct file_embed;    /* chat/file_embed.h */
struct query_vectors; /* chat/query_vector.h */
struct mend;
struct relays;       /* chat/relay.h */
struct command_keys; /* chat/command_key.h */
struct sweep;        /* chat/sweep.h */
struct watches;      /* chat/watch.h */

struct engine {
    struct loop *loop;
    struct budget temporary; /* memory for temporary chats; thread-safe */
    struct store *store;     /* thread-safe */
    struct streamlog *log;
    struct hub *hub;
    struct transfers *transfers;
    struct workers *workers; /* thread-safe */
    struct sessions *sessions;
    struct command_keys *keys; /* of commands */
    struct circuits *circuits; /* state may be read anywhere */
    struct asides *summaries;  /* chat/summary.h */
    struct asides *titles;     /* chat/titles.h */
    struct cache *cache;       /* of answers; NULL: none is kept */
    struct token_scales *scales;
    struct allowances *allowances; /* constant */
    struct relays *relays;
    struct sweep *sweep;
    struct watches *watches;       /* of sessions */
    struct index *index;           /* thread-safe; NULL: there is none */
    struct files *files;           /* borrowed; thread-safe; NULL likewise */
    struct file_embed *file_embed; /* NULL likewise */
    struct query_vectors *query_vectors; /* thread-safe; its */
    enum err (*open_file)(void *arg, int64_t document, int *fd); /* sight.h */
    void *open_arg;
    struct generator_config gen;
    command_export_fn *exporter; /* constant; NULL: nobody */
    const char *system_prompt;   /* constant */
    int64_t orphan_ms;           /* constant; 0: never */
    uint64_t sessions_max;       /* of an owner; constant; 0: any number */
    uint32_t messages_max;       /* of a session; constant; 0: any number */
    struct turn *turns;          /* all, running or waiting */
    struct turn *dirty;          /* with text that is not in the log */
    struct mend *mends;          /* turns being mended */
    struct loop_hook hook;
    struct loop_timer stop_poll; /* other processes' wishes to cancel */
    struct loop_timer drain_timer;
    int64_t drain_deadline_ms;
    int64_t busy_ms;           /* monotonic; when it last had work */
    struct engine_hold *holds; /* outlets that still flush, probes */
    size_t capacity;           /* turns; constant after open */
    size_t descriptors;        /* for turns and watches; likewise */
    bool closed;               /* no turn begins any more */
    atomic_size_t running;
    atomic_bool draining;
    pthread_mutex_t call_mu; /* guards over */
    bool over;               /* the loop has ended: no engine_call any more */
};

/* Counting; each turn calls both once. */
void engine_turn_over(struct engine *en);
void engine_turn_begun(struct engine *en);
/* There is no room for one more turn. */
bool engine_full(const struct engine *en);
/* Descriptors that the turns leave, as many as there are. */
size_t engine_descriptors_left(const struct engine *en);

/* chat/mend.c: make the log of a turn whole that no process writes any more,
 * then attach r (NULL: nobody waits) or fail it. */
void mend_turn(struct engine *en, const char *owner, const struct ident *turn,
               struct reader *r);
void mend_all_left(struct engine *en); /* at start */
void mend_close(struct engine *en);    /* at the end */

#endif
