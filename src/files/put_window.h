/*
 * Windows: some chunks that are written together, and the helper, a thread that
 * finds their words and vectors while the one who writes is busy with those
 * before. The inside of put*.c. A helper belongs to a connection; all its
 * functions are called by the thread that has that.
 */
#ifndef FILES_PUT_WINDOW_H
#define FILES_PUT_WINDOW_H

#include "files/put.h"
#include "files/shelf_vector.h"
#include "files/vector.h"

#define WINDOW SKETCH_ROWS /* chunks */

/* From helper_give to helper_wait it is the helper's, and nobody else looks. */
struct put_window {
    /* Whose they are; set before they are given. */
    int64_t document, first; /* numbers: of it, and of the first chunk here */
    uint32_t seq;            /* of that in the document */
    int64_t lang;
    char name[FILES_NAME_MAX + 1], title[FACTS_TITLE_MAX + 1];
    /* As they were read back. */
    uint32_t n;
    struct put_head head[WINDOW];
    size_t at[WINDOW]; /* of the heading in bytes; the text is behind it */
    struct buf bytes;
    /* What the helper found. */
    struct buf words; /* shelf_token_list of each chunk */
    size_t words_at[WINDOW + 1];
    float vector[WINDOW][VECTOR_DIMS];
};

static inline const char *
window_text(const struct put_window *w, uint32_t i)
{
    return w->bytes.data + w->at[i] + w->head[i].heading_len;
}

/* With two windows. NULL: FTS5 has no tokenizer for it. */
struct put_helper *helper_new(struct shelf_conn *c);
void helper_free(struct put_helper *h); /* NULL is fine; rests first */
/* End the thread; what was given and not waited for is forgotten. What is known
 * of words stays. */
void helper_rest(struct put_helper *h);
/* Were both windows given and not waited for? */
bool helper_full(const struct put_helper *h);
/* A window that nobody uses; not of a full one. */
struct put_window *helper_window(struct put_helper *h);
/* To be worked on; thread: by a thread, which is started if need be. */
void helper_give(struct put_helper *h, struct put_window *w, bool thread);
/* The window that was given first, worked on; NULL: none was given. It is the
 * caller's until it takes another one. */
struct put_window *helper_wait(struct put_helper *h);

#endif
