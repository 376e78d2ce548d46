/*
 * What the files of chat/file_embed.h share: the work goes round in
 * file_embed.c, and what is taken, sent and refused is in file_embed_ask.c.
 */
#ifndef CHAT_FILE_EMBED_INSIDE_H
#define CHAT_FILE_EMBED_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "base/worker.h"
#include "chat/embed.h"
#include "chat/file_embed.h"
#include "chat/vector_model.h"

struct query_vectors; /* chat/query_vector.h */

enum file_embed_step { IDLE, LOADING, ASKING, STORING };

/* What is asked for together. */
struct file_batch {
    size_t n;
    int64_t chunk[FILE_EMBED_BATCH];
    char *text[FILE_EMBED_BATCH]; /* owned; NULL: it is blank */
    const char *ask[FILE_EMBED_BATCH];
    struct buf names; /* of their documents, each on a line */
};

struct file_embed {
    struct embed em; /* first; the loop's */
    struct engine *en;
    struct vector_model model; /* constant */
    bool leaves;               /* constant: its provider is elsewhere */
    bool background;           /* constant */
    struct query_vectors *queries;
    struct mail start, kick;
    atomic_bool kicked; /* the letter is under way */

    /* the loop's */
    enum file_embed_step step;
    bool attached;          /* the engine has em */
    bool again;             /* something new came while it was looking */
    bool resting, stopping; /* until the timer; for good */
    bool plain;             /* one chunk was refused: the plain text is asked */
    int64_t retry_ms;       /* of the next failure; 0: none yet */
    size_t size;            /* chunks of the next batch */
    uint64_t stored;        /* chunks, since nothing was pending */
    struct loop_timer timer;

    /* the worker's while it works, else the loop's */
    struct job job;
    int lock_fd;
    bool leads;
    enum err e;
    struct file_batch batch;
    float *rows; /* owned; NULL: none came */
    size_t dims;
    bool uneven; /* rows of different lengths came */

    pthread_mutex_t mu; /* guards state, code */
    enum file_embed_state state;
    char code[64];
};

/* --- file_embed.c: how it goes on ----------------------------------------- */

/* Look for more. */
void file_embed_load(struct file_embed *fe);
/* Keep the rows that came. */
void file_embed_store(struct file_embed *fe);
/* Something failed: leave it for a while. least_ms: no sooner than that. */
void file_embed_rest(struct file_embed *fe, const char *code, int64_t least_ms);
/* Until the settings change: another process may try. */
void file_embed_give_up(struct file_embed *fe, const char *code);

/* --- file_embed_ask.c ----------------------------------------------------- */

void file_batch_clear(struct file_batch *b);
/* A chunk_text_fn with a batch as its arg. */
bool file_batch_take(void *arg, int64_t chunk, const char *name,
                     const char *text, size_t n);
/* Forget the rows. */
void file_embed_drop(struct file_embed *fe);
/* Ask for the batch; file_embed_store or another of the above is next. */
void file_embed_ask(struct file_embed *fe);

#endif
