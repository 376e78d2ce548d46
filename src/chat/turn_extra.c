/*
 * Notes, context and cost of a turn. All of it is small: numbers and a few
 * sentences of ours, never what a provider said.
 */
#include "base/base.h"

#include "chat/turn_extra.h"

#include <stdarg.h>

#include "base/json.h"
#include "provider/models.h"

#define NOTE_MAX 512 /* bytes of a note's message */

void
turn_note(struct turn *t, const char *code, const char *fmt, ...)
{
    char message[NOTE_MAX];
    struct json_out j;
    struct buf note;
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);
    buf_init(&note, 8 * NOTE_MAX);
    json_out_init(&j, &note);
    json_begin_obj(&j);
    json_put_str(&j, "code", code);
    json_put_str(&j, "message", message);
    json_end_obj(&j);
    if (buf_status(&note) == OK &&
        t->notes.len + note.len + 1 <= TURN_NOTES_MAX) {
        if (t->notes.len > 0)
            buf_addc(&t->notes, ',');
        buf_add(&t->notes, note.data, note.len);
    }
    buf_release(&note);
}

void
turn_notes_json(struct buf *out, const struct turn *t)
{
    buf_addc(out, '[');
    buf_adds(out, t->ask->notes);
    if (t->ask->notes[0] != '\0' && t->notes.len > 0)
        buf_addc(out, ',');
    if (t->notes.len > 0)
        buf_add(out, t->notes.data, t->notes.len);
    buf_addc(out, ']');
}

bool
turn_was_cut(const struct turn *t)
{
    return t->report.dropped + t->report.cut > 0 || t->report.shortened ||
           t->report.summarised;
}

void
turn_context_json(struct buf *out, const struct turn *t)
{
    const struct prompt_report *r = &t->report;
    struct json_out j;

    json_out_init(&j, out);
    json_begin_obj(&j);
    json_put_str(&j, "provider", t->ask->route.provider->name);
    json_put_str(&j, "model", t->ask->route.model);
    json_put_i64(&j, "sent", r->sent);
    json_put_i64(&j, "dropped", r->dropped);
    json_put_i64(&j, "cut", r->cut);
    json_put_bool(&j, "summarised", r->summarised);
    json_put_bool(&j, "shortened", r->shortened);
    json_name(&j, "files");
    json_begin_arr(&j);
    json_end_arr(&j);
    json_put_count(&j, "window_tokens", r->window_tokens);
    json_put_count(&j, "reserve_tokens", r->reserve_tokens);
    json_put_i64(&j, "estimated_tokens", r->scaled);
    json_put_count(&j, "input_tokens", t->usage.input_tokens);
    json_end_obj(&j);
}

void
turn_extra_json(struct buf *out, const struct turn *t)
{
    buf_adds(out, "{\"notes\":");
    turn_notes_json(out, t);
    buf_adds(out, ",\"context\":");
    turn_context_json(out, t);
    buf_addc(out, '}');
}

int64_t
turn_cost(const struct turn *t)
{
    const char *provider = t->ask->route.provider->name;
    const struct model *m = model_find(provider, t->model);

    if (t->cached)
        return 0;
    if (m == NULL)
        m = model_find(provider, t->ask->route.model);
    return model_cost(m, &t->usage);
}
