/*
 * What the files of the OpenAI provider share. The provider itself is
 * provider_openai (provider/provider.h); nobody else includes this but its
 * tests. All of it is pure.
 */
#ifndef PROVIDER_OPENAI_H
#define PROVIDER_OPENAI_H

#include "base/buf.h"
#include "provider/provider.h"

/* --- openai_build.c ----------------------------------------------------- */

enum err openai_build(const struct ask *ask, const struct account *acc,
                      struct upstream_request *out, struct problem *why);

/* --- openai_error.c ----------------------------------------------------- */

/* head NULL: an error object inside a reply that began well. */
void openai_error(const struct upstream_head *head, const char *body, size_t n,
                  struct provider_error *out);

/* --- openai_chunk.c, openai_fast.c -------------------------------------- */

struct openai_text {
    const char *p; /* borrowed; NULL: not there */
    size_t len;
};

/* What one chat.completion.chunk (or a whole chat.completion) says. */
struct openai_chunk {
    struct openai_text model, content, refusal;
    struct openai_text reasoning;         /* "reasoning" */
    struct openai_text reasoning_content; /* "reasoning_content" wins */
    enum finish finish;                   /* FINISH_NONE: not said */
    bool has_usage;
    struct usage usage;
    bool is_error;      /* an error object; nothing else is set */
    bool known;         /* it had choices or usage: it is of this format */
    void *tree;         /* owned; what the texts point into */
    struct buf scratch; /* owned; likewise */
};

void openai_chunk_init(struct openai_chunk *c);
/* Forget what was read, for the next one; keeps a little memory. */
void openai_chunk_clear(struct openai_chunk *c);
void openai_chunk_release(struct openai_chunk *c);

/* Read one JSON text by cJSON. Texts point into c. ERR_UPSTREAM: not a JSON
 * object. c is clear before. */
MUST_USE enum err openai_chunk_read(struct openai_chunk *c, const char *s,
                                    size_t n);
/* The same without a tree, for the common chunks: true if all of it was
 * understood, and then c holds exactly what openai_chunk_read would have
 * found; false: ask that one (c is clear again). Texts point into s and c. */
MUST_USE bool openai_chunk_fast(struct openai_chunk *c, const char *s,
                                size_t n);
enum finish openai_finish(const char *s, size_t n);
/* The four digits of a \u escape at p; -1 if they are not there. */
int openai_hex4(const char *p, const char *end);

#endif
