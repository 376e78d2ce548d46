/*
 * The data of the events that begin and end a turn, as JSON. The end event
 * holds what POST /chat returns: the same bytes serve the JSON reply, the SSE
 * event and every later reader. "message" is the last member, so that an
 * encoder finds the text without parsing. Pure.
 */
#ifndef CHAT_RESULT_H
#define CHAT_RESULT_H

#include "base/buf.h"
#include "base/json.h"
#include "provider/provider.h"
#include "store/streamlog.h"

#define RESULT_MAX (64 * 1024 * 1024) /* bytes; text escaped and twice */

struct result {
    const char *session_id;
    struct ident turn, answer_message;
    const char *provider, *model; /* NULL: none was asked */
    enum finish finish;
    struct usage usage;
    bool has_cost;
    int64_t cost_micro;     /* micro-dollars; if has_cost */
    const char *notes;      /* a JSON array's text; NULL: [] */
    const char *tool_calls; /* likewise */
    const char *citations;  /* likewise */
    const char *command;    /* NULL: it was no command */
    const char *outcome;    /* the command's "result", a JSON object; or NULL */
    uint32_t conversation_length;
    int64_t at_ms; /* wall clock of the answer */
    const char *text;
    size_t text_len;
    const struct problem *problem; /* NULL: a whole or a cancelled answer */
};

/* Which event ends a turn that finished so. */
enum event_type result_event(enum finish f);
/* The data of that event. */
void result_json(struct buf *out, const struct result *r);
/* The data of EVENT_START. */
void result_start_json(struct buf *out, const struct result *r);
/* "usage": {…}; what is not known is null. */
void result_put_usage(struct json_out *j, const struct usage *u,
                      int64_t cost_micro);
/* An amount of dollars, to the micro-dollar. */
void result_add_dollars(struct json_out *j, int64_t micro);
/* "cost_usd": dollars, to the micro-dollar; null if cost_micro is -1. */
void result_put_cost(struct json_out *j, int64_t cost_micro);
/* Add a count or a cost to a sum. One below 0 is not known and adds nothing; a
 * sum of nothing is not known either. */
void result_add(int64_t *sum, int64_t n);
/* The problem of a turn that its process left behind. */
void result_interrupted(struct problem *p);

#endif
