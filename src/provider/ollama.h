/*
 * What the files of the Ollama provider share. The provider itself is
 * provider_ollama (provider/provider.h); nobody else includes this but its
 * tests. All of it is pure.
 */
#ifndef PROVIDER_OLLAMA_H
#define PROVIDER_OLLAMA_H

#include "base/buf.h"
#include "provider/wire.h"

/* --- ollama_build.c ------------------------------------------------------ */

enum err ollama_build(const struct ask *ask, const struct account *acc,
                      struct upstream_request *out, struct problem *why);
/* URL and headers of a request below the account's base. accept: media type.
 * ERR_BADREQ with why. */
MUST_USE enum err ollama_address(struct upstream_request *out,
                                 const struct account *acc, const char *path,
                                 const char *accept, struct problem *why);

/* --- ollama_error.c ------------------------------------------------------ */

/* head NULL: a line with an error inside a reply that began well. */
void ollama_error(const struct upstream_head *head, const char *body, size_t n,
                  struct provider_error *out);

/* --- ollama_lists.c ------------------------------------------------------ */

#define OLLAMA_EMBED_MAX 128 /* texts at once; the server names no limit */

enum err ollama_models_build(const struct account *acc, const char *page,
                             int64_t now_ms, struct upstream_request *out,
                             struct problem *why);
enum err ollama_models_read(const char *body, size_t n, model_fn *fn, void *arg,
                            struct buf *next, struct problem *why);
enum err ollama_embed_build(const struct embed_ask *ask,
                            const struct account *acc,
                            struct upstream_request *out, struct problem *why);
enum err ollama_embed_read(const char *body, size_t n, struct embeddings *out,
                           struct problem *why);

#endif
