/*
 * Listening to an answer. A stream may break off and go on elsewhere, a
 * finished one is told anew in one piece, and a WebSocket that asks again gets
 * the whole answer only. So that each character is told once, an event whose
 * number was heard is passed over, and a whole text that comes at the end is
 * compared with what was told: only what is behind that is new.
 */
#include "base/base.h"

#include "client/inside.h"

#include "base/text.h"

void
heard_init(struct heard *h, struct parley *p)
{
    memset(h, 0, sizeof(*h));
    h->p = p;
    buf_init(&h->text, CLIENT_REPLY_MAX);
}

void
heard_release(struct heard *h)
{
    buf_release(&h->text);
}

static void
tell_more(struct heard *h, const char *s, size_t n)
{
    const struct parley_calls *on = &h->p->on;

    if (n == 0)
        return;
    buf_add(&h->text, s, n);
    if (on->on_chunk != NULL)
        on->on_chunk(on->arg, s, n);
}

/* The whole text: what of it is new. */
static void
tell_rest(struct heard *h, const char *s)
{
    size_t n = s != NULL ? strlen(s) : 0;

    if (n > h->text.len &&
        (h->text.len == 0 || memcmp(s, h->text.data, h->text.len) == 0))
        tell_more(h, s + h->text.len, n - h->text.len);
}

static void
take_start(struct heard *h, const cJSON *o)
{
    const char *turn = json_str(o, "turn_id");
    const char *session = json_str(o, "session_id");
    struct ident id;

    if (turn != NULL && ident_parse(turn, strlen(turn), &id) == OK)
        ident_text(h->turn_id, &id);
    if (session != NULL && ident_session_valid(session, strlen(session)))
        (void)snprintf(h->p->session_id, sizeof(h->p->session_id), "%s",
                       session);
    client_connected(h->p);
    client_state(h->p, PARLEY_THINKS, "");
}

static const char *
first_of(const cJSON *o, const char *a, const char *b)
{
    const char *s = json_str(o, a);

    if (s == NULL && b != NULL)
        s = json_str(o, b);
    return s != NULL ? s : "";
}

static void
tell_answer(struct heard *h, const cJSON *o, const char *json, bool cancelled)
{
    struct parley_message m = {
        .kind = PARLEY_ANSWER,
        .role = "assistant",
        .text = buf_cstr(&h->text),
        .text_len = h->text.len,
        .id = first_of(o, "message_id", NULL),
        .model = first_of(o, "model", NULL),
        .finish_reason = first_of(o, "finish_reason", NULL),
        .timestamp = first_of(o, "timestamp", NULL),
        .json = json,
    };

    h->ended = true;
    h->status = cancelled ? PARLEY_STOPPED : PARLEY_OK;
    if (h->p->on.on_message != NULL)
        h->p->on.on_message(h->p->on.arg, &m);
}

static void
take_end(struct heard *h, const cJSON *o, const char *json, bool cancelled)
{
    tell_rest(h, first_of(o, "content", "message"));
    cancelled = cancelled ||
                strcmp(first_of(o, "finish_reason", NULL), "cancelled") == 0;
    tell_answer(h, o, json, cancelled);
}

static void
take_error(struct heard *h, const cJSON *o, const char *json)
{
    tell_rest(h, json_str(o, "content"));
    h->ended = true;
    h->status = client_refused(h->p, 0, json, strlen(json));
}

enum err
heard_object(struct heard *h, uint32_t seq, const cJSON *o, const char *json)
{
    const char *type = json_str(o, "type");

    if (type == NULL)
        return ERR_BADREQ;
    if (h->p->broken)
        client_state(h->p, PARLEY_CONNECTS_AGAIN, "");
    if (h->ended || (seq != 0 && seq <= h->seq))
        return OK;
    if (seq != 0)
        h->seq = seq;
    if (strcmp(type, "response_start") == 0)
        take_start(h, o);
    else if (strcmp(type, "typing") == 0)
        client_state(h->p, PARLEY_THINKS, "");
    else if (strcmp(type, "response_chunk") == 0)
        tell_more(h, first_of(o, "content", NULL),
                  strlen(first_of(o, "content", NULL)));
    else if (strcmp(type, "tool_call") == 0)
        client_state(h->p, PARLEY_USES_TOOL, first_of(o, "name", NULL));
    else if (strcmp(type, "response_complete") == 0 ||
             strcmp(type, "ai_response") == 0)
        take_end(h, o, json, false);
    else if (strcmp(type, "response_cancelled") == 0)
        take_end(h, o, json, true);
    else if (strcmp(type, "error") == 0)
        take_error(h, o, json);
    return OK;
}

enum err
heard_event(struct heard *h, uint32_t seq, const char *json, size_t n)
{
    cJSON *o = json_parse_lenient(json, n);
    char *copy;
    enum err e;

    if (o == NULL)
        return ERR_BADREQ;
    copy = xmemdup0(json, n);
    e = heard_object(h, seq, o, copy);
    free(copy);
    cJSON_Delete(o);
    return e;
}
