/*
 * What the files of the Bedrock provider share. The provider itself is
 * provider_bedrock (provider/provider.h); nobody else includes this but its
 * tests. All of it is pure.
 */
#ifndef PROVIDER_BEDROCK_H
#define PROVIDER_BEDROCK_H

#include "base/buf.h"
#include "provider/provider.h"

/* maxTokens beside Claude's thinking, if the ask does not say. */
#define BEDROCK_THINKING_TOKENS 4096

/* --- bedrock_request.c -------------------------------------------------- */

/* Finish a request whose url and body are there (no body: a GET): adds the
 * headers and the signature or key. ERR_BADREQ with why. */
MUST_USE enum err bedrock_send(struct upstream_request *out,
                               const struct account *acc, const char *accept,
                               int64_t now_ms, struct problem *why);
/* Set url to base_url/model/ID/action. ERR_BADREQ with why. */
MUST_USE enum err bedrock_url(struct upstream_request *out,
                              const struct account *acc, const char *model,
                              const char *action, struct problem *why);

enum err bedrock_build(const struct ask *ask, const struct account *acc,
                       struct upstream_request *out, struct problem *why);

/* --- bedrock_body.c ----------------------------------------------------- */

/* What an ask comes down to for one model. */
struct bedrock_plan {
    const struct ask *ask;
    bool claude;
    bool marks;             /* for the prompt cache */
    bool tools;             /* declared, and may be called */
    bool history;           /* the messages hold calls or results */
    bool json;              /* response_format is json_object */
    int64_t budget;         /* Claude's tokens to think with; 0: none */
    const char *model_word; /* effort, as gpt-oss and Nova have it; NULL */
};

/* Is it one of Anthropic's, as far as its name tells? */
bool bedrock_is_claude(const char *model);
/* The JSON of a Converse request. ERR_BADREQ, ERR_IMPOSSIBLE or ERR_TOOBIG
 * with why. */
MUST_USE enum err bedrock_body(struct buf *out, const struct ask *ask,
                               struct problem *why);

struct json_out; /* base/json.h */

/* --- bedrock_tools.c, for bedrock_body.c -------------------------------- */

/* The member "toolConfig", if there are tools to declare. */
void bedrock_put_tools(struct json_out *j, const struct bedrock_plan *p);
/* Is the choice of a tool said in Claude's way? */
bool bedrock_choice_is_claudes(const struct bedrock_plan *p);
/* Then: the member "tool_choice" of the fields for the model. */
void bedrock_put_claudes_choice(struct json_out *j, const struct ask *ask);

/* --- bedrock_turn.c, for bedrock_body.c --------------------------------- */

/* The member "messages"; mark: the user's last turn ends in a mark. Errors as
 * of bedrock_body. */
MUST_USE enum err bedrock_put_messages(struct json_out *j,
                                       const struct ask *ask, bool mark,
                                       struct problem *why);
/* A mark: what stands before it may be kept for the next request. */
void bedrock_put_mark(struct json_out *j);

/* --- bedrock_piece.c, for bedrock_turn.c -------------------------------- */

/* One content block. Errors as of bedrock_body. */
MUST_USE enum err bedrock_put_piece(struct json_out *j, const struct piece *p,
                                    struct problem *why);

/* --- bedrock_event.c ---------------------------------------------------- */

struct bedrock_events; /* what one reply's events said so far */

struct bedrock_events *bedrock_events_new(void);
void bedrock_events_free(struct bedrock_events *s); /* NULL is fine */
/* One event of a ConverseStream. OK; ERR_HUP: the answer ended (PART_FINISH
 * or PART_ERROR was told), read no more; ERR_UPSTREAM with why: not this
 * format. Unknown types are ignored. */
MUST_USE enum err bedrock_event(struct bedrock_events *s, const char *type,
                                const char *json, size_t n, part_fn *fn,
                                void *arg, struct problem *why);
/* A whole Converse reply. As above. */
MUST_USE enum err bedrock_message(struct bedrock_events *s, const char *json,
                                  size_t n, part_fn *fn, void *arg,
                                  struct problem *why);
/* The stream ended. OK: PART_FINISH or PART_ERROR was told, as messageStop was
 * seen; ERR_UPSTREAM: it was not. */
MUST_USE enum err bedrock_events_end(struct bedrock_events *s, part_fn *fn,
                                     void *arg, struct problem *why);
/* Was any event of this format seen? */
bool bedrock_known(const struct bedrock_events *s);

/* --- bedrock_error.c ---------------------------------------------------- */

/* head NULL: an error object inside a reply that began well. */
void bedrock_error(const struct upstream_head *head, const char *body, size_t n,
                   struct provider_error *out);
/* An exception inside a stream; type: "throttlingException". */
void bedrock_exception(const char *type, const char *body, size_t n,
                       struct provider_error *out);

/* --- bedrock_lists.c ---------------------------------------------------- */

enum err bedrock_models_build(const struct account *acc, const char *page,
                              int64_t now_ms, struct upstream_request *out,
                              struct problem *why);
enum err bedrock_models_read(const char *body, size_t n, model_fn *fn,
                             void *arg, struct buf *next, struct problem *why);
enum err bedrock_embed_build(const struct embed_ask *ask,
                             const struct account *acc,
                             struct upstream_request *out, struct problem *why);
enum err bedrock_embed_read(const char *body, size_t n, struct embeddings *out,
                            struct problem *why);

#endif
