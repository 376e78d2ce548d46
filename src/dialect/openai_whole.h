/*
 * OpenAI's dialect, an answer in one piece: parts are gathered and become a
 * chat.completion at the end. Pure.
 */
#ifndef DIALECT_OPENAI_WHOLE_H
#define DIALECT_OPENAI_WHOLE_H

#include "dialect/openai_out.h"

/* Bytes of the answer's text, and of the thoughts and of all arguments. */
#define OPENAI_WHOLE_MAX (8 * 1024 * 1024)
#define OPENAI_WHOLE_JSON_MAX (64 * 1024 * 1024) /* bytes of the reply */

struct openai_whole_call;

struct openai_whole {
    struct buf text, thought;        /* owned */
    struct openai_whole_call *calls; /* owned */
    size_t n_calls, cap;
    size_t args; /* bytes of arguments and signatures so far */
    bool over;   /* the answer is past OPENAI_WHOLE_MAX */
};

void openai_whole_init(struct openai_whole *w);
void openai_whole_release(struct openai_whole *w);
/* Gather; o hears what is said of the model. */
void openai_whole_part(struct openai_whole *w, struct openai_out *o,
                       const struct part *p);
/* ERR_TOOBIG: the answer is longer than may be gathered. */
MUST_USE enum err openai_whole_status(const struct openai_whole *w);
/* The chat.completion. */
void openai_whole_json(const struct openai_whole *w, const struct openai_out *o,
                       enum finish finish, const struct usage *u,
                       struct buf *out);

#endif
