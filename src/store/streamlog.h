/*
 * The stream log: the numbered events of turns, in an LMDB environment of its
 * own (DATA_DIR/streams). It is written without fsync into a shared map, so an
 * append costs no system call, survives a killed process, and is lost only
 * with the machine's power; then (another boot id and no clean close) it is
 * made anew. The file's blocks are allocated ahead with posix_fallocate: a
 * full disk is ERR_FULL here, never SIGBUS.
 *
 * The streams of temporary sessions are kept in the heap instead and never in a
 * file: their head says so when it is put, before the first event. To all other
 * calls they are streams as any.
 *
 * Key: turn id (16 bytes) + seq (u32, big-endian). seq 0 is the head record,
 * events count from 1. Loop thread only, but for streamlog_txnid.
 *
 * Appends of one loop turn share one write transaction: begun by the first
 * append, ended by streamlog_commit. Reads use one snapshot, begun by the
 * first read after a commit and ended by streamlog_commit or streamlog_rest.
 */
#ifndef STORE_STREAMLOG_H
#define STORE_STREAMLOG_H

#include "base/ident.h"
#include "base/process.h"
#include "store/store.h"

/* Event types, in WIRE.md's numbers. CHUNK and REASONING carry plain UTF-8
 * text; all others a JSON object (the event's data, complete). */
enum event_type {
    EVENT_START = 1,
    EVENT_CONTEXT,
    EVENT_REASONING,
    EVENT_CHUNK,
    EVENT_TOOL_CALL,
    EVENT_TOOL_RESULT,
    EVENT_CITATION,
    EVENT_COMPLETE, /* from here on: ends */
    EVENT_CANCELLED,
    EVENT_ERROR,
    EVENT__MAX
};
#define EVENT_IS_END(t) ((t) >= EVENT_COMPLETE)

#define STREAMLOG_EVENT_MAX (2 * STORE_TEXT_MAX) /* bytes of one event */

struct event {
    uint32_t seq;
    enum event_type type;
    const char *data; /* borrowed until the next call that writes or rests */
    size_t len;
};

/* The head of a stream: whose it is. */
struct stream_head {
    struct process process;
    bool ended;
    bool stop;                  /* another process asks to cancel */
    bool temporary;             /* in memory; never on disk */
    int64_t begun_ms, ended_ms; /* wall clock */
    struct ident answer_message;
    char session_id[IDENT_SESSION_MAX + 1];
    char owner[STORE_OWNER_MAX + 1];
    char provider[STORE_NAME_MAX + 1];
    char model[STORE_NAME_MAX + 1];
};

struct streamlog_config {
    const char *dir;          /* DATA_DIR/streams */
    size_t map_min;           /* bytes allocated at first (0: 1 MiB) */
    size_t map_max;           /* bytes; the ceiling of the map */
    int64_t grace_ms;         /* ended streams are kept this long */
    struct budget *temporary; /* of the memory for streams of temporary
                                 sessions; borrowed; NULL: there are none */
};
struct streamlog;

MUST_USE enum err streamlog_open(struct streamlog **out,
                                 const struct streamlog_config *c);
void streamlog_close(struct streamlog *l); /* syncs and marks clean */

/* ERR_FULL: the map is at its ceiling, or the disk is full (of a temporary
 * stream: its budget is used up), and no ended stream is left to drop. The
 * append was not made; earlier ones stand. ERR_IMPOSSIBLE: a temporary one
 * where there are none. */
MUST_USE enum err streamlog_put_head(struct streamlog *l,
                                     const struct ident *turn,
                                     const struct stream_head *h);
MUST_USE enum err streamlog_append(struct streamlog *l,
                                   const struct ident *turn, uint32_t seq,
                                   enum event_type type, const void *data,
                                   size_t n);
/* Make the appends visible. OK also when there were none. ERR_STORE: none of
 * them was made. */
MUST_USE enum err streamlog_commit(struct streamlog *l);
void streamlog_rest(struct streamlog *l); /* end the read snapshot */

MUST_USE enum err streamlog_head(struct streamlog *l, const struct ident *turn,
                                 struct stream_head *out);
/* Before reading a stream whose process died: LMDB shows a commit in which its
 * writer was killed only to the next writer, so be one for a moment. */
void streamlog_settle(struct streamlog *l);
/* The next event after seq. ERR_NOTFOUND: none yet (or no such stream). */
MUST_USE enum err streamlog_next(struct streamlog *l, const struct ident *turn,
                                 uint32_t after, struct event *out);
/* The last event of the stream; ERR_NOTFOUND: none. */
MUST_USE enum err streamlog_last(struct streamlog *l, const struct ident *turn,
                                 struct event *out);
/* The head of the stream whose turn comes next after *turn, in the order of
 * their bytes (zeroes: the first), which becomes that turn. A head that cannot
 * be read is passed over. ERR_NOTFOUND: it was the last. */
MUST_USE enum err streamlog_after(struct streamlog *l, struct ident *turn,
                                  struct stream_head *out);
/* Drop a stream now (a deleted session). */
MUST_USE enum err streamlog_drop(struct streamlog *l, const struct ident *turn);
/* Drop up to max streams that ended more than grace ago; returns how many.
 * Resumes where it left off. */
size_t streamlog_sweep(struct streamlog *l, int64_t wall_ms, size_t max);
/* Changes when anybody, in any process, committed. Costs nanoseconds. */
uint64_t streamlog_txnid(struct streamlog *l);

/* Did another process commit since this was last asked? Nanoseconds. */
bool streamlog_others(struct streamlog *l);

struct streamlog_stats {
    uint64_t appends, commits, drops;
    uint64_t map_bytes, used_bytes;
};
void streamlog_stats(struct streamlog *l, struct streamlog_stats *out);

#endif
