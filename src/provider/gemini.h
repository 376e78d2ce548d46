/*
 * What the files of the Gemini provider share. The provider itself is
 * provider_gemini (provider/provider.h); nobody else includes this but its
 * tests. All of it is pure.
 */
#ifndef PROVIDER_GEMINI_H
#define PROVIDER_GEMINI_H

#include "base/buf.h"
#include "provider/wire.h"

/* What a model's name says about how it thinks. */
enum gemini_kind {
    GEMINI_PLAIN,  /* does not think: 1.x, 2.0, Gemma */
    GEMINI_BUDGET, /* thinkingBudget: 2.5, and names without a version */
    GEMINI_LEVEL   /* thinkingLevel, and signatures of calls are demanded: 3 */
};
enum gemini_kind gemini_kind(const char *model);

/* --- gemini_contents.c --------------------------------------------------- */

/* Add the members systemInstruction and contents to an open object. False:
 * there is nothing to ask. */
MUST_USE bool gemini_put_contents(struct json_out *j, const struct ask *ask);

/* --- gemini_build.c ------------------------------------------------------ */

enum err gemini_build(const struct ask *ask, const struct account *acc,
                      struct upstream_request *out, struct problem *why);
/* URL and headers of a request below the account's base. accept: media type.
 * ERR_BADREQ with why. */
MUST_USE enum err gemini_address(struct upstream_request *out,
                                 const struct account *acc, const char *path,
                                 const char *accept, struct problem *why);
/* "/models/m" for model "m" or "models/m", percent-encoded. */
void gemini_model_path(struct buf *out, const char *model);

/* --- gemini_chunk.c ------------------------------------------------------ */

/* What one reply said so far. Starts as all zeros. */
struct gemini_answer {
    enum finish finish; /* FINISH_NONE: not said yet */
    int n_calls;
    bool model_told;
    bool known; /* something of this format came */
};

/* Tell one GenerateContentResponse, or an error object in its place. OK;
 * ERR_HUP: PART_ERROR was told, read no more; ERR_UPSTREAM: not a JSON
 * object. */
MUST_USE enum err gemini_chunk(struct gemini_answer *a, const char *s, size_t n,
                               part_fn *fn, void *arg);

/* --- gemini_error.c ------------------------------------------------------ */

/* head NULL: an error object inside a reply that began well. */
void gemini_error(const struct upstream_head *head, const char *body, size_t n,
                  struct provider_error *out);

/* --- gemini_lists.c ------------------------------------------------------ */

#define GEMINI_EMBED_MAX 100 /* requests in a batch */

enum err gemini_models_build(const struct account *acc, const char *page,
                             int64_t now_ms, struct upstream_request *out,
                             struct problem *why);
enum err gemini_models_read(const char *body, size_t n, model_fn *fn, void *arg,
                            struct buf *next, struct problem *why);
enum err gemini_embed_build(const struct embed_ask *ask,
                            const struct account *acc,
                            struct upstream_request *out, struct problem *why);
enum err gemini_embed_read(const char *body, size_t n, struct embeddings *out,
                           struct problem *why);

#endif
