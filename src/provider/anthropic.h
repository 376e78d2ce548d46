/*
 * What the files of the Anthropic provider share, and what Bedrock needs of
 * them: there the same events come in other frames. The provider itself is
 * provider_anthropic (provider/provider.h). All of it is pure.
 */
#ifndef PROVIDER_ANTHROPIC_H
#define PROVIDER_ANTHROPIC_H

#include "base/buf.h"
#include "provider/provider.h"

struct json_out; /* base/json.h */

/* --- anthropic_body.c --------------------------------------------------- */

#define ANTHROPIC_TOKENS_DEFAULT 4096 /* max_tokens, which must be said */
#define ANTHROPIC_TOP_P_THINKING 0.95 /* the least that goes with thinking */

/* Tokens to think with for a word (NULL or "": not said); 0: no thinking. */
int64_t anthropic_budget(const char *effort);
/* The member "thinking" of one that has a budget (> 0). */
void anthropic_put_thinking(struct json_out *j, const struct ask *ask,
                            int64_t budget);
/* The effort as a model that decides itself takes it: "low", "medium", "high";
 * NULL: it is not told. */
const char *anthropic_effort(const struct ask *ask, int64_t budget);

/* The JSON of a Messages request. bedrock: anthropic_version is inside, model
 * and stream are not. With why: ERR_BADREQ (nothing to ask), ERR_IMPOSSIBLE
 * (an image that the wire does not take) or ERR_TOOBIG. */
MUST_USE enum err anthropic_body(struct buf *out, const struct ask *ask,
                                 bool bedrock, struct problem *why);

/* --- anthropic_turn.c, for anthropic_body.c ----------------------------- */

/* The member "messages". Errors as of anthropic_body. */
MUST_USE enum err anthropic_put_messages(struct json_out *j,
                                         const struct ask *ask, bool bedrock,
                                         struct problem *why);
/* May thinking be asked for? Not if the model waits for the result of a tool
 * that it called without a thought of this provider. */
bool anthropic_may_think(const struct ask *ask, bool bedrock);

/* --- anthropic_piece.c, for the two above ------------------------------- */

/* One content block; mark: what is before its end repeats. Errors as of
 * anthropic_body. */
MUST_USE enum err anthropic_put_piece(struct json_out *j, const struct piece *p,
                                      bool bedrock, bool mark,
                                      struct problem *why);
/* The member "cache_control". */
void anthropic_put_mark(struct json_out *j);

/* --- anthropic_event.c -------------------------------------------------- */

struct anthropic_events; /* what one reply's events said so far */

struct anthropic_events *anthropic_events_new(void);
void anthropic_events_free(struct anthropic_events *s); /* NULL is fine */
/* One event's JSON; its "type" tells which. OK; ERR_HUP: the answer ended
 * (PART_FINISH or PART_ERROR was told), read no more; ERR_UPSTREAM with why:
 * not JSON. Unknown types are ignored, so is an object without a type. */
MUST_USE enum err anthropic_event(struct anthropic_events *s, const char *json,
                                  size_t n, part_fn *fn, void *arg,
                                  struct problem *why);
/* A whole Message object: a reply that was not streamed. As above. */
MUST_USE enum err anthropic_message(struct anthropic_events *s,
                                    const char *json, size_t n, part_fn *fn,
                                    void *arg, struct problem *why);
/* Was any event of this format seen? */
bool anthropic_known(const struct anthropic_events *s);

/* --- anthropic_error.c -------------------------------------------------- */

/* head NULL: an error object inside a reply that began well. */
void anthropic_error(const struct upstream_head *head, const char *body,
                     size_t n, struct provider_error *out);

#endif
