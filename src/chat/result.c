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
put_ids(struct json_out *j, const struct result *r)
{
    json_put_str(j, "session_id", r->session_id);
    json_put_ident(j, "turn_id", &r->turn);
    if (ident_is_zero(&r->answer_message)) /* a command's is no message */
        json_put_str(j, "message_id", NULL);
    else
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

/* In decimal, so that no cent is lost to a double. */
void
result_add_dollars(struct json_out *j, int64_t cost_micro)
{
    char text[48];
    int n;

    n = snprintf(text, sizeof(text), "%" PRId64 ".%06" PRId64,
                 cost_micro / 1000000, cost_micro % 1000000);
    while (text[n - 1] == '0')
        n--;
    if (text[n - 1] == '.')
        n--;
    json_add_raw(j, text, (size_t)n);
}

void
result_put_cost(struct json_out *j, int64_t cost_micro)
{
    json_name(j, "cost_usd");
    if (cost_micro < 0)
        json_add_null(j);
    else
        result_add_dollars(j, cost_micro);
}

void
result_put_usage(struct json_out *j, const struct usage *u, int64_t cost_micro)
{
    json_name(j, "usage");
    json_begin_obj(j);
    json_put_count(j, "input_tokens", u->input_tokens);
    json_put_count(j, "output_tokens", u->output_tokens);
    json_put_count(j, "cached_tokens", u->cached_tokens);
    result_put_cost(j, cost_micro);
    json_end_obj(j);
}

static void
put_array(struct json_out *j, const char *name, const char *text)
{
    if (text == NULL)
        text = "[]";
    json_put_raw(j, name, text, strlen(text));
}

/* A failure says only what there is. */
static void
put_failure(struct json_out *j, const struct result *r)
{
    put_error(j, r);
    if (r->tool_calls != NULL)
        put_array(j, "tool_calls", r->tool_calls);
    if (r->notes != NULL)
        put_array(j, "notes", r->notes);
    json_put_str(j, "message", r->problem->message);
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
    result_put_usage(&j, &r->usage, r->has_cost ? r->cost_micro : -1);
    if (r->command != NULL)
        json_put_str(&j, "command", r->command);
    if (r->outcome != NULL)
        json_put_raw(&j, "result", r->outcome, strlen(r->outcome));
    if (r->problem != NULL) {
        put_failure(&j, r);
    } else {
        put_array(&j, "tool_calls", r->tool_calls);
        put_array(&j, "tool_results", NULL);
        put_array(&j, "citations", r->citations);
        put_array(&j, "notes", r->notes);
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
result_add(int64_t *sum, int64_t n)
{
    if (n < 0)
        return;
    if (*sum < 0)
        *sum = 0;
    *sum = n > INT64_MAX - *sum ? INT64_MAX : *sum + n;
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
