/*
 * OpenAI's dialect, the way in: the body of a Chat Completions request as an
 * ask (provider/provider.h), and that of an embeddings request. Strict: what
 * is not understood is refused with the name of the member, and nothing that
 * matters is dropped without a word. Members that the wire has and Parley has
 * no word for are kept as text and passed on. Pure; any thread.
 *
 * Dropped in silence, since no provider's answer depends on them here: the
 * name of a participant, the detail of an image.
 */
#ifndef DIALECT_OPENAI_IN_H
#define DIALECT_OPENAI_IN_H

#include "chat/prompt.h"

#define OPENAI_IN_MESSAGES_MAX 4096 /* messages of a conversation */
#define OPENAI_IN_PARTS_MAX 1024    /* parts of one message */
#define OPENAI_IN_CALLS_MAX 256     /* tool calls of one message */
#define OPENAI_IN_TOOLS_MAX 128
#define OPENAI_IN_NAME_MAX 128        /* bytes of a tool's name */
#define OPENAI_IN_ID_MAX 1024         /* bytes of a call's id */
#define OPENAI_IN_MODEL_MAX 128       /* bytes; "provider/model" as a whole */
#define OPENAI_IN_TOKENS_MAX 10000000 /* the most that max_tokens may say */
#define OPENAI_IN_PARAM_MAX 96

/* What the body says beside the ask. */
struct openai_in {
    const char *model; /* in the ask's arena */
    bool stream;
    bool include_usage;
    char param[OPENAI_IN_PARAM_MAX]; /* with a problem: the member; "" */
};

/* Read a body into a->ask (messages, options; not model and system), with
 * copies in a's arena. The last message is the user's, or holds the results of
 * tools, as a rule; it may be anybody's. ERR_BADREQ or ERR_TOOBIG with why;
 * then a is only good to be freed. */
MUST_USE enum err openai_in_chat(const char *body, size_t n, struct turn_ask *a,
                                 struct openai_in *in, struct problem *why);
/* Who will answer is known: thoughts and signatures in a's messages came from
 * there. */
void openai_in_origin(struct turn_ask *a, const char *provider);
/* Which message of the ask is the user's last; n_messages: none is. */
size_t openai_in_user(const struct turn_ask *a);

/* --- embeddings ----------------------------------------------------------- */

#define OPENAI_IN_TEXTS_MAX 2048 /* texts of one request */

struct openai_in_embed {
    struct arena arena; /* holds all of it */
    const char *model;
    const char **texts; /* NUL-terminated */
    size_t n_texts;
    int64_t dimensions; /* 0: not said */
    bool base64;
    char param[OPENAI_IN_PARAM_MAX];
};

/* in is filled in any case and the caller's to release. ERR_BADREQ or
 * ERR_TOOBIG with why. */
MUST_USE enum err openai_in_embed(const char *body, size_t n,
                                  struct openai_in_embed *in,
                                  struct problem *why);
void openai_in_embed_release(struct openai_in_embed *in);

#endif
