/*
 * What a client is told over WebSocket, as far as the dialects have it in
 * common: the greeting, errors, the answers to verbs, the history. The frames
 * of an answer are each dialect's own. Pure.
 */
#include "base/base.h"

#include "dialect/ws_inside.h"

#define GREETING "Connected to AI assistant"
#define PREPARED "Server ready"

/* --- pieces --------------------------------------------------------------- */

void
ws_open(struct json_out *j, const char *type, struct buf *out)
{
    json_out_init(j, out);
    json_begin_obj(j);
    json_put_str(j, "type", type);
}

void
ws_say(struct buf *out, const char *type, const char *message)
{
    struct json_out j;

    ws_open(&j, type, out);
    json_put_str(&j, "message", message);
    json_end_obj(&j);
}

/* --- members of what chat/result.c wrote ---------------------------------- */

/* Behind the string that begins at s[i]; n if it does not end. */
static size_t
behind_string(const char *s, size_t n, size_t i)
{
    for (i++; i < n; i++) {
        const char *quote = memchr(s + i, '"', n - i);
        size_t slashes = 0, at;

        if (quote == NULL)
            return n;
        at = (size_t)(quote - s);
        while (slashes < at - i && s[at - 1 - slashes] == '\\')
            slashes++;
        i = at;
        if (slashes % 2 == 0)
            return at + 1;
    }
    return n;
}

/* Behind the value that begins at s[i]; n if it does not end. */
static size_t
behind_value(const char *s, size_t n, size_t i)
{
    size_t depth = 0;

    while (i < n) {
        if (s[i] == '"') {
            i = behind_string(s, n, i);
            if (depth == 0)
                return i;
            continue;
        }
        if (s[i] == '{' || s[i] == '[')
            depth++;
        else if ((s[i] == '}' || s[i] == ']') && depth-- <= 1)
            return depth == 0 ? i + 1 : i; /* its own end, or the outer one */
        else if (s[i] == ',' && depth == 0)
            return i;
        i++;
    }
    return n;
}

struct ws_slice
ws_member(const struct event *ev, const char *name)
{
    const char *s = ev->data;
    size_t n = ev->len, len = strlen(name);
    size_t i = 1, key, value, end;
    bool found;

    while (i < n && s[i] == '"') {
        key = i + 1;
        i = behind_string(s, n, i);
        if (i >= n || s[i] != ':')
            break;
        value = i + 1;
        found = i - 1 - key == len && memcmp(s + key, name, len) == 0;
        if (!found && i - 1 - key == 7 && memcmp(s + key, "message", 7) == 0)
            break; /* the last one, and long */
        end = behind_value(s, n, value);
        if (end >= n)
            break;
        if (found)
            return (struct ws_slice){s + value, end - value};
        if (s[end] != ',')
            break; /* it was the last */
        i = end + 1;
    }
    return (struct ws_slice){NULL, 0};
}

void
ws_put_slice(struct json_out *j, const char *name, struct ws_slice v,
             const char *otherwise)
{
    if (v.n > 0)
        json_put_raw(j, name, v.s, v.n);
    else if (otherwise != NULL)
        json_put_raw(j, name, otherwise, strlen(otherwise));
}

/* --- a connection --------------------------------------------------------- */

bool
ws_greeting(const struct ws *w, const char *session_id, int64_t wall_ms,
            struct buf *out)
{
    struct json_out j;

    if (w->at == WS_AT_CLIENT)
        return false;
    if (w->at != WS_AT_CHAT) {
        ws_say(out, "status", PREPARED);
        return true;
    }
    ws_open(&j, "connection_established", out);
    json_put_str(&j, "session_id", session_id);
    json_put_str(&j, "message", GREETING);
    json_put_time(&j, "timestamp", wall_ms);
    json_end_obj(&j);
    return true;
}

bool
ws_notice(const struct ws *w, const char *text, struct buf *out)
{
    const struct ws_speech *speech = ws_speech(w);

    if (speech == NULL || !speech->notices)
        return false;
    ws_say(out, "system", text);
    return true;
}

/* --- turns ---------------------------------------------------------------- */

bool
ws_ends_only(const struct ws *w)
{
    const struct ws_speech *speech = ws_speech(w);

    return speech == NULL || speech->ends_only;
}

/* "error" and "message" of an error event as one text. */
static void
put_sentences(struct json_out *j, const struct event *ev)
{
    struct ws_slice error = ws_member(ev, "error");
    struct ws_slice message = ws_member(ev, "message");

    json_name(j, "message");
    buf_addc(j->buf, '"');
    if (error.n > 2)
        buf_add(j->buf, error.s + 1, error.n - 2);
    if (error.n > 2 && message.n > 2)
        buf_adds(j->buf, ". ");
    if (message.n > 2)
        buf_add(j->buf, message.s + 1, message.n - 2);
    buf_addc(j->buf, '"');
    j->comma = true;
}

static void
tell_error(const struct ws_speech *speech, const struct event *ev,
           struct buf *out)
{
    struct json_out j;

    ws_open(&j, "error", out);
    put_sentences(&j, ev);
    if (speech != NULL && speech->coded) {
        ws_put_slice(&j, "code", ws_member(ev, "code"), NULL);
        ws_put_slice(&j, "retryable", ws_member(ev, "retryable"), NULL);
    }
    json_end_obj(&j);
}

bool
ws_event(const struct ws *w, const struct ws_turn *t, const struct event *ev,
         struct buf *out)
{
    const struct ws_speech *speech = ws_speech(w);

    if (ev->type == EVENT_ERROR) {
        tell_error(speech, ev, out);
        return true;
    }
    return speech != NULL && speech->event(t, ev, out);
}

bool
ws_closes(const struct ws *w, enum event_type end)
{
    return w->dialect == WS_CLOUD && end != EVENT_ERROR;
}

void
ws_problem(const struct ws *w, const struct problem *p, struct buf *out)
{
    const struct ws_speech *speech = ws_speech(w);
    char text[sizeof(p->error) + sizeof(p->message) + 2];
    struct json_out j;

    (void)snprintf(text, sizeof(text), "%s%s%s", p->error,
                   p->error[0] != '\0' && p->message[0] != '\0' ? ". " : "",
                   p->message);
    ws_open(&j, "error", out);
    json_put_str(&j, "message", text);
    if (speech != NULL && speech->coded) {
        json_put_str(&j, "code", p->code);
        json_put_bool(&j, "retryable", p->retryable);
    }
    json_end_obj(&j);
}

/* --- verbs ---------------------------------------------------------------- */

void
ws_pong(int64_t wall_ms, struct buf *out)
{
    struct json_out j;

    ws_open(&j, "pong", out);
    json_put_time(&j, "timestamp", wall_ms);
    json_end_obj(&j);
}

void
ws_cleared(struct buf *out)
{
    ws_say(out, "history_cleared", "Conversation history cleared");
}

void
ws_logged_out(struct buf *out)
{
    ws_say(out, "logout_success", "Logged out successfully");
}

void
ws_auth_answer(const struct problem *why, struct buf *out)
{
    struct json_out j;

    ws_open(&j, "auth_response", out);
    json_put_bool(&j, "success", why == NULL || why->err == OK);
    if (why == NULL || why->err == OK) {
        json_put_str(&j, "message", "Authentication successful");
    } else {
        char text[sizeof(why->error) + sizeof(why->message) + 32];

        (void)snprintf(text, sizeof(text), "Authentication failed: %s%s%s",
                       why->error, why->message[0] != '\0' ? ". " : "",
                       why->message);
        json_put_str(&j, "message", text);
    }
    json_end_obj(&j);
}

void
ws_history_begin(struct json_out *j, struct buf *out)
{
    ws_open(j, "history", out);
    json_name(j, "messages");
    json_begin_arr(j);
}

void
ws_history_message(struct json_out *j, const struct ws_message *m)
{
    json_begin_obj(j);
    json_put_str(j, "role", m->role);
    json_put_strn(j, "content", m->text, m->text_len);
    json_put_time(j, "timestamp", m->at_ms);
    if (m->id != NULL && !ident_is_zero(m->id))
        json_put_ident(j, "id", m->id);
    if (m->model != NULL && m->model[0] != '\0')
        json_put_str(j, "model", m->model);
    json_end_obj(j);
}

void
ws_history_end(struct json_out *j)
{
    json_end_arr(j);
    json_end_obj(j);
}
