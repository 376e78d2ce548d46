/*
 * Conversations of a file on their way into the store: bytes are read in
 * (dialect/import.h), conversations gather, and when there are enough they are
 * written together. Whoever drives it decides on which threads, so that a
 * server can do it in steps and a program in one go; one thread at a time.
 *
 *     do {
 *         while (more && !intake_full(in))
 *             intake_read(in, s, n);
 *         intake_write(in, written, arg);     written is called later
 *         …
 *         again = intake_settle(in);          then, after each write
 *     } while (again or more);
 *     intake_end(in, …);
 *
 * The memory is that of INTAKE_ROUND and of one conversation, however long the
 * file. What the store cannot hold is told as a fault, and the next one
 * follows; titles and names that are too long are cut. The ids of our own
 * exports are kept where they are free; all others get new ones.
 */
#ifndef API_INTAKE_H
#define API_INTAKE_H

#include "base/json.h"
#include "store/store.h"

#define INTAKE_ROUND (1024 * 1024) /* bytes of text and extra of a write */
#define INTAKE_PIECE (64 * 1024)   /* bytes; read between two looks at it */
#define INTAKE_FAULTS_MAX 1000     /* that are told; others are counted */
#define INTAKE_JSON_MAX (512 * 1024)

struct intake_config {
    struct store *store;
    const char *owner;     /* borrowed */
    uint64_t sessions_max; /* of the owner; 0: any number */
    uint32_t messages_max; /* of a session; 0: any number */
    const char *format; /* only of this one; NULL: any (import_format_name) */
    bool used; /* their time of last use is now: where sessions are kept for a
                  time after it */
    /* A session was stored; called by intake_settle. May be NULL. */
    void (*stored)(void *arg, const char *owner, const char *session_id);
    void *arg;
};

struct intake_totals {
    size_t sessions, messages; /* stored */
    size_t left_out;           /* messages that hold nothing to take over */
    size_t faults;             /* told or not */
};

struct intake;

/* The config is copied. */
struct intake *intake_new(const struct intake_config *c);
/* Nothing of it is being written. NULL is fine. */
void intake_free(struct intake *in);

/* At most INTAKE_PIECE bytes. ERR_BADREQ: the file cannot be read on. After an
 * error there is still what waits to be written. */
MUST_USE enum err intake_read(struct intake *in, const char *s, size_t n);
/* The file ended. */
MUST_USE enum err intake_read_end(struct intake *in);
/* Is it time to write? */
bool intake_full(const struct intake *in);
/* Does nothing wait to be written? */
bool intake_empty(const struct intake *in);
/* Submit what waits. written is called once, when all of it was committed or
 * has failed: on the committer, or on this thread if there was nothing. Until
 * then the intake is not touched. */
void intake_write(struct intake *in, void (*written)(void *arg), void *arg);
/* Look at what came of it. True: some has to be written again (its ids were
 * taken and are others now). */
MUST_USE bool intake_settle(struct intake *in);
/* ERR_FULL, ERR_STORE: the store failed, it is time to end. */
MUST_USE enum err intake_status(const struct intake *in);
/* The two calls above, and waiting between: blocks. */
MUST_USE enum err intake_write_all(struct intake *in);

/* The reading is over, e says why; all is settled. OK: something was stored, or
 * there was nothing to store; what is wrong is one more fault. Else nothing was
 * stored, and why is filled. */
MUST_USE enum err intake_end(struct intake *in, enum err e,
                             struct problem *why);
void intake_totals(const struct intake *in, struct intake_totals *out);
/* Members of an object: sessions, messages, left_out, faults. After
 * intake_end. At most INTAKE_JSON_MAX bytes. */
void intake_put(struct intake *in, struct json_out *j);
/* The faults that are told, as lines for people. After intake_end. */
typedef void intake_fault_fn(void *arg, size_t item, const char *rule);
void intake_each_fault(const struct intake *in, intake_fault_fn *fn, void *arg);

#endif
