/*
 * Answers from the store back into the log. A turn's log is let go of after a
 * while, and a process can die between storing an answer and logging its end;
 * whoever asks again sees events made from what is stored: the end event as it
 * was, and before it the start, what the model saw and the text in one piece.
 *
 * The other way round, a turn that was cut down by a crash has no answer
 * stored: what the log has of it becomes one.
 */
#include "base/base.h"

#include "chat/answer.h"

#include "base/clock.h"
#include "base/json.h"
#include "chat/result.h"

void
answer_init(struct answer *a)
{
    (void)memset(a, 0, sizeof(*a));
    buf_init(&a->text, STORE_TEXT_MAX + 16);
    buf_init(&a->stored, STORE_EXTRA_MAX);
}

void
answer_release(struct answer *a)
{
    buf_release(&a->text);
    buf_release(&a->stored);
    extra_release(&a->extra);
}

void
answer_clear(struct answer *a)
{
    buf_clear(&a->text);
    buf_clear(&a->stored);
    extra_release(&a->extra);
    (void)memset(&a->m, 0, sizeof(a->m));
    a->provider[0] = '\0';
    a->model[0] = '\0';
}

/* The message's strings are the answer's own. */
static void
point_in(struct answer *a)
{
    a->m.provider = a->provider;
    a->m.model = a->model;
    a->m.text = a->text.data != NULL ? a->text.data : "";
    a->m.text_len = a->text.len;
    a->m.extra = a->stored.data != NULL ? a->stored.data : "";
    a->m.extra_len = a->stored.len;
}

bool
answer_keep(void *arg, const struct message *m)
{
    struct answer *a = arg;

    a->m = *m;
    buf_add(&a->text, m->text, m->text_len);
    buf_add(&a->stored, m->extra, m->extra_len);
    (void)snprintf(a->provider, sizeof(a->provider), "%s", m->provider);
    (void)snprintf(a->model, sizeof(a->model), "%s", m->model);
    extra_read(&a->extra, m->extra, m->extra_len);
    point_in(a);
    return true;
}

/* --- from the log --------------------------------------------------------- */

void
answer_from_log(struct answer *a, struct streamlog *l,
                const struct turn_info *t, uint32_t *seq)
{
    struct stream_head head = {.ended = false};
    struct extra said = {.context = NULL};
    struct event ev = {.seq = 0};
    struct buf context;

    answer_clear(a);
    buf_init(&context, STORE_EXTRA_MAX);
    streamlog_settle(l);
    while (streamlog_next(l, &t->id, ev.seq, &ev) == OK) {
        *seq = ev.seq;
        if (ev.type == EVENT_CHUNK)
            buf_add(&a->text, ev.data, ev.len);
        if (ev.type != EVENT_CONTEXT)
            continue;
        buf_clear(&context);
        buf_add(&context, ev.data, ev.len);
    }
    if (context.len > 0 && buf_status(&context) == OK)
        said.context = buf_cstr(&context);
    extra_write(&a->stored, &said);
    buf_release(&context);
    if (streamlog_head(l, &t->id, &head) == OK) {
        (void)snprintf(a->provider, sizeof(a->provider), "%s", head.provider);
        (void)snprintf(a->model, sizeof(a->model), "%s", head.model);
    }
    a->m = (struct message){
        .role = ROLE_ASSISTANT,
        .finish = FINISH_INTERRUPTED,
        .at_ms = clock_wall_ms(),
        .id = t->answer_message,
        .turn = t->id,
        .input_tokens = -1,
        .output_tokens = -1,
        .cached_tokens = -1,
        .cost_micro = -1,
    };
    point_in(a);
}

/* --- into the log --------------------------------------------------------- */

/* The problem that a stored finish stands for. */
static void
stored_problem(struct problem *p, enum finish f)
{
    if (f == FINISH_INTERRUPTED) {
        result_interrupted(p);
        return;
    }
    (void)problem_set(p, ERR_UPSTREAM,
                      f == FINISH_INCOMPLETE ? "incomplete" : "provider_failed",
                      f == FINISH_INCOMPLETE ? "The answer broke off"
                                             : "There was no answer",
                      "Send the message again for a new answer.");
    p->retryable = true;
}

static void
fill_result(const struct answer *a, const struct turn_info *t, struct result *r)
{
    *r = (struct result){
        .session_id = t->session_id,
        .turn = t->id,
        .answer_message = t->answer_message,
        .provider = a->provider,
        .model = a->model,
        .finish = (enum finish)a->m.finish,
        .usage = {a->m.input_tokens, a->m.output_tokens, a->m.cached_tokens},
        .has_cost = a->m.cost_micro >= 0,
        .cost_micro = a->m.cost_micro,
        .notes = a->extra.notes,
        .tool_calls = a->extra.tool_calls,
        .citations = a->extra.citations,
        .conversation_length = t->conversation_length,
        .at_ms = a->m.at_ms,
        .text = a->m.text,
        .text_len = a->m.text_len,
    };
}

/* Did the stream tell the context? It does where something of the conversation
 * was left out; and then there was a number for it, so that a client that
 * resumes finds the end behind what it has seen. */
static bool
context_was_told(const struct answer *a, const struct turn_info *t)
{
    uint32_t others = a->m.text_len > 0 ? 3 : 2; /* start, text, end */
    cJSON *j;
    bool told;

    if (a->extra.context == NULL || t->end_seq <= others)
        return false;
    j = json_parse_lenient(a->extra.context, strlen(a->extra.context));
    told = cJSON_GetArraySize(json_arr(j, "files")) > 0 ||
           json_i64(j, "dropped", 0) > 0 || json_i64(j, "cut", 0) > 0 ||
           cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(j, "shortened"));
    cJSON_Delete(j);
    return told;
}

/* The events before the end. */
static enum err
append_before(const struct answer *a, const struct turn_info *t,
              struct stream *s, const struct result *r)
{
    struct buf json;
    enum err e;

    buf_init(&json, RESULT_MAX);
    result_start_json(&json, r);
    e = stream_append(s, EVENT_START, json.data, json.len);
    buf_release(&json);
    if (e == OK && context_was_told(a, t))
        e = stream_append(s, EVENT_CONTEXT, a->extra.context,
                          strlen(a->extra.context));
    if (e == OK && r->text_len > 0)
        e = stream_append(s, EVENT_CHUNK, r->text, r->text_len);
    if (e == OK && stream_seq(s) + 1 < t->end_seq)
        stream_set_seq(s, t->end_seq - 1);
    return e;
}

enum err
answer_append(const struct answer *a, const struct turn_info *t,
              struct stream *s)
{
    struct problem p = {.err = OK};
    struct result r;
    struct buf json;
    enum err e = OK;

    fill_result(a, t, &r);
    if (result_event(r.finish) == EVENT_ERROR) {
        stored_problem(&p, r.finish);
        r.problem = &p;
    }
    if (stream_seq(s) == 0)
        e = append_before(a, t, s, &r);
    buf_init(&json, RESULT_MAX);
    result_json(&json, &r);
    if (e == OK)
        e = stream_append(s, result_event(r.finish), json.data, json.len);
    buf_release(&json);
    return e;
}
