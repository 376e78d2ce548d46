/*
 * Turn results as JSON, field by field as the API names them. Used by the turn
 * that ends, and by whoever mends a turn that another process left. Pure.
 */
#include "base/base.h"

#include "chat/result.h"

#include "base/json.h"

enum event_type
result_event(enum finish f)
{
    switch (f) {
    case FINISH_CANCELLED: return EVENT_CANCELLED;
    case FINISH_INCOMPLETE:
    case FINISH_INTERRUPTED:
    case FINISH_ERROR: return EVENT_ERROR;
    default: return EVENT_COMPLETE;
    }
}

static void
put_tokens(struct json_out *j, const char *name, int64_t n)
{
    json_name(j, name);
    if (n < 0)
        json_add_null(j);
    else
        json_add_i64(j, n);
}

static void
put_ids(struct json_out *j, const struct result *r)
{
    json_put_str(j, "session_id", r->session_id);
    json_put_ident(j, "turn_id", &r->turn);
    json_put_ident(j, "message_id", &r->answer_message);
    json_put_str(j, "provider", r->provider);
    json_put_str(j, "model", r->model);
}

static void
put_error(struct json_out *j, const struct result *r)
{
    struct problem p = *r->problem;

    json_put_str(j, "code", p.code);
    json_put_str(j, "error", p.error);
    json_put_bool(j, "retryable", p.retryable);
    json_put_str(j, "kind", err_code(p.err));
    if (p.status != 0)
        json_put_i64(j, "status", p.status);
    if (p.retry_after_s > 0)
        json_put_i64(j, "retry_after", p.retry_after_s);
    json_put_strn(j, "content", r->text, r->text_len);
}

void
result_put_usage(struct json_out *j, const struct usage *u)
{
    json_name(j, "usage");
    json_begin_obj(j);
    put_tokens(j, "input_tokens", u->input_tokens);
    put_tokens(j, "output_tokens", u->output_tokens);
    put_tokens(j, "cached_tokens", u->cached_tokens);
    json_name(j, "cost_usd");
    json_add_null(j); /* no price list: not known */
    json_end_obj(j);
}

static void
put_empty(struct json_out *j, const char *name)
{
    json_name(j, name);
    json_begin_arr(j);
    json_end_arr(j);
}

void
result_json(struct buf *out, const struct result *r)
{
    struct json_out j;

    json_out_init(&j, out);
    json_begin_obj(&j);
    put_ids(&j, r);
    json_put_str(&j, "finish_reason", finish_name(r->finish));
    json_put_time(&j, "timestamp", r->at_ms);
    json_put_i64(&j, "conversation_length", r->conversation_length);
    result_put_usage(&j, &r->usage);
    if (r->problem != NULL) {
        put_error(&j, r);
        json_put_str(&j, "message", r->problem->message);
    } else {
        put_empty(&j, "tool_calls");
        put_empty(&j, "tool_results");
        put_empty(&j, "citations");
        put_empty(&j, "notes");
        json_put_strn(&j, "message", r->text, r->text_len);
    }
    json_end_obj(&j);
}

void
result_start_json(struct buf *out, const struct result *r)
{
    struct json_out j;

    json_out_init(&j, out);
    json_begin_obj(&j);
    put_ids(&j, r);
    json_put_time(&j, "timestamp", r->at_ms);
    json_end_obj(&j);
}

void
result_interrupted(struct problem *p)
{
    (void)memset(p, 0, sizeof(*p));
    (void)problem_set(p, ERR_BUSY, "interrupted", "The answer was interrupted",
                      "The server stopped while it was answering. What came "
                      "is kept; send the message again for a new answer.");
    p->retryable = true;
}
