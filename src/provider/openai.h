/*
 * What the files of the OpenAI provider share, and what other providers that
 * speak its wire need of them (huggingface.c). The provider itself is
 * provider_openai (provider/provider.h). All of it is pure.
 */
#ifndef PROVIDER_OPENAI_H
#define PROVIDER_OPENAI_H

#include "base/buf.h"
#include "provider/meaning.h"
#include "provider/provider.h"

/* What tells one provider of this wire from another. */
struct openai_wire {
    const char *name;           /* the provider's: its own thoughts go back */
    const char *org_header;     /* takes account.org */
    const char *project_header; /* takes account.project; NULL: none */
    const char *url_setting, *key_setting; /* named in problems */
};
extern const struct openai_wire openai_wire;

/* --- openai_request.c --------------------------------------------------- */

/* Method, URL (the base URL and path) and headers of any request. accept: a
 * media type. ERR_BADREQ with why: the address or a header is not usable. */
MUST_USE enum err openai_request(const struct openai_wire *w,
                                 const struct account *acc, const char *method,
                                 const char *path, const char *accept,
                                 struct upstream_request *out,
                                 struct problem *why);
/* Is the base URL's host this one? */
bool openai_host_is(const char *base_url, const char *host);
/* OpenAI itself, which differs from those that speak its wire. */
bool openai_is_openai(const char *base_url);

/* --- openai_build.c ----------------------------------------------------- */

/* provider.build for a provider of this wire. */
MUST_USE enum err openai_ask(const struct openai_wire *w, const struct ask *ask,
                             const struct account *acc,
                             struct upstream_request *out, struct problem *why);
enum err openai_build(const struct ask *ask, const struct account *acc,
                      struct upstream_request *out, struct problem *why);

/* --- openai_messages.c -------------------------------------------------- */

struct json_out;

/* The value of "messages". thoughts: the server takes its own thoughts back.
 * ERR_BADREQ or ERR_IMPOSSIBLE with why. */
MUST_USE enum err openai_messages(struct json_out *j,
                                  const struct openai_wire *w,
                                  const struct ask *ask, bool thoughts,
                                  struct problem *why);

/* --- openai_extra.c ----------------------------------------------------- */

/* Add the members of ask.extra to the open object, as they are written there,
 * but for those that the request has already or must not have. ERR_BADREQ with
 * why: not a JSON object. */
MUST_USE enum err openai_extra(struct json_out *j, const struct ask *ask,
                               struct problem *why);

/* --- openai_error.c ----------------------------------------------------- */

/* head NULL: an error object inside a reply that began well. */
void openai_error(const struct upstream_head *head, const char *body, size_t n,
                  struct provider_error *out);
/* The meaning alone. */
enum meaning openai_meaning(const struct upstream_head *head, const char *body,
                            size_t n);

/* --- openai.c: the reader ----------------------------------------------- */

typedef void openai_error_fn(const struct upstream_head *head, const char *body,
                             size_t n, struct provider_error *out);

/* As in struct provider; error reads error objects inside a reply. */
void *openai_reader_new(openai_error_fn *error);
void openai_reader_free(void *reader); /* NULL is fine */
MUST_USE enum err openai_feed(void *reader, const char *p, size_t n,
                              part_fn *fn, void *arg, struct problem *why);
MUST_USE enum err openai_end(void *reader, part_fn *fn, void *arg,
                             struct problem *why);

/* --- openai_models.c, openai_embed.c ------------------------------------ */

#define OPENAI_EMBED_MAX 2048 /* texts in one request */

/* As in struct provider. */
MUST_USE enum err openai_models_ask(const struct openai_wire *w,
                                    const struct account *acc,
                                    struct upstream_request *out,
                                    struct problem *why);
enum err openai_models_read(const char *body, size_t n, model_fn *fn, void *arg,
                            struct buf *next, struct problem *why);
enum err openai_embed_build(const struct embed_ask *ask,
                            const struct account *acc,
                            struct upstream_request *out, struct problem *why);
enum err openai_embed_read(const char *body, size_t n, struct embeddings *out,
                           struct problem *why);

/* --- openai_chunk.c, openai_fast.c -------------------------------------- */

struct openai_text {
    const char *p; /* borrowed; NULL: not there */
    size_t len;
};

#define OPENAI_CALLS_MAX 256      /* tool calls of one answer */
#define OPENAI_CALL_UNNUMBERED -1 /* index: none was said */
#define OPENAI_CALL_LEGACY -2     /* index: of function_call */

/* What a chunk says about one tool call. */
struct openai_call {
    int64_t index;           /* >= 0, or one of the above */
    const char *id, *name;   /* borrowed; "": not said */
    struct openai_text args; /* what comes next of the arguments */
    char *args_made;         /* owned; args points into it, or NULL */
    char *signature;         /* owned; "extra_content" as JSON, or NULL */
};

/* What one chat.completion.chunk (or a whole chat.completion) says. */
struct openai_chunk {
    struct openai_text model, content, refusal;
    struct openai_text reasoning;         /* "reasoning" */
    struct openai_text reasoning_content; /* "reasoning_content" wins */
    struct openai_text choices; /* as they stand, if they are one choice that
                                   has index, delta and finish_reason; NULL:
                                   not so, or openai_chunk_read was asked */
    struct openai_call *calls;  /* owned; NULL if there are none */
    size_t n_calls;             /* at most OPENAI_CALLS_MAX + 1: too many */
    enum finish finish;         /* FINISH_NONE: not said */
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

/* --- openai_calls.c ----------------------------------------------------- */

struct openai_call_state;

/* The tool calls of one answer, as they come in deltas. */
struct openai_calls {
    struct openai_call_state *list; /* owned; in order of beginning */
    size_t n, cap;
};

void openai_calls_init(struct openai_calls *s);
void openai_calls_release(struct openai_calls *s);
/* Tell the parts that a chunk's calls mean. ERR_TOOBIG: past a limit. */
MUST_USE enum err openai_calls_take(struct openai_calls *s,
                                    const struct openai_call *calls, size_t n,
                                    part_fn *fn, void *arg);
/* The answer is done: tell what waited for a name that did not come. */
void openai_calls_end(struct openai_calls *s, part_fn *fn, void *arg);

#endif
