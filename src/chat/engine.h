/*
 * The engine: the loop and everything that lives on it, as seen by the api
 * layer. Calls marked "any thread" post to the loop and return at once.
 */
#ifndef CHAT_ENGINE_H
#define CHAT_ENGINE_H

#include "base/worker.h"
#include "chat/prompt.h"
#include "chat/stream.h"

struct engine;
struct index; /* chat/index.h */

/* Open store, stream log, workers; nothing runs yet. ERR_STORE with a log
 * line. Settings are read from base/conf. */
MUST_USE enum err engine_open(struct engine **out);
/* After engine_run returned. */
void engine_close(struct engine *en);
/* The calling thread becomes the loop thread, until engine_drain is done. */
void engine_run(struct engine *en);
struct loop *engine_loop(struct engine *en);
struct store *engine_store(struct engine *en);
struct index *engine_index(struct engine *en);
struct circuits *engine_circuits(struct engine *en); /* chat/circuit.h */
const struct allowances *engine_allowances(const struct engine *en);
struct transfers *engine_transfers(struct engine *en); /* loop thread */

/* Any thread. Begin a turn; r follows it. Takes ask. */
void engine_ask(struct engine *en, struct turn_ask *ask, struct reader *r);
/* Any thread. Follow a turn, running or ended, in any process; r->after is
 * the last event seen. r is failed with ERR_NOTFOUND if there is no such turn
 * of this owner. */
void engine_follow(struct engine *en, const char *owner,
                   const struct ident *turn, struct reader *r);
/* Any thread. Cancel a turn, then follow it (r sees how it ended). */
void engine_stop_turn(struct engine *en, const char *owner,
                      const struct ident *turn, struct reader *r);
/* Any thread but the loop's. A session was deleted, which had these turns (the
 * last one may run still): it is cancelled, their streams are dropped from the
 * log, and the answers that are known by heart are forgotten. With session_id
 * (else NULL) whatever waits to be said in it is cancelled too. Returns when
 * that is done. */
void engine_forget(struct engine *en, const char *session_id,
                   const struct ident *turns, size_t n);
/* Any thread. Run a job on a worker; its letter comes to the loop. */
void engine_work(struct engine *en, struct job *j);
/* Sessions that an owner may have; 0: any number. */
uint64_t engine_sessions_max(const struct engine *en);
/* Any thread but the loop's. What the stream log has of a turn: its head, and
 * the data of its context event (a JSON object) in out, which stays empty if
 * there is none yet. ERR_NOTFOUND: no such stream. */
MUST_USE enum err engine_context(struct engine *en, const struct ident *turn,
                                 struct stream_head *head, struct buf *out);
/* Any thread. Run fn(arg) on the loop and wait for it. Not from the loop. Once
 * engine_run has returned it does nothing. */
void engine_call(struct engine *en, void (*fn)(void *arg), void *arg);

/* Loop thread. Refuse new turns; when the running ones ended, or deadline_ms
 * passed and they were cut, stop the loop. */
void engine_drain(struct engine *en, int64_t deadline_ms);
/* Something that must be finished before a drain is complete; embed it.
 * drop is called if the engine closes before: it frees what h is part of and
 * releases h. */
struct engine_hold {
    struct engine_hold *prev, *next; /* engine's */
    void (*drop)(struct engine_hold *h);
    void *arg;
};
void engine_hold(struct engine *en, struct engine_hold *h);    /* loop thread */
void engine_release(struct engine *en, struct engine_hold *h); /* likewise */
bool engine_draining(const struct engine *en);                 /* any thread */
size_t engine_running(struct engine *en); /* turns; any thread */
/* Streams that this process can hold; 503 beyond. */
size_t engine_capacity(const struct engine *en);
/* How long it has been without a turn or a reader, ms. Loop thread. */
int64_t engine_idle_ms(const struct engine *en);
void engine_log_stats(struct engine *en, struct streamlog_stats *out);

#endif
