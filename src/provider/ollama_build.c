/*
 * An ask as a request of Ollama's native chat (docs/WIRE.md); names as in the
 * server's api/types.go.
 *
 * A message has one content, so several texts of a message are joined with a
 * line end between them. Images go beside the content, as base64: the server
 * fetches nothing, so an image's address is refused here, with a reason. Each
 * result of a tool is a message of its own. There is no mark for a result that
 * is a failure; its text says so.
 *
 * The server has no tool_choice. "none" is kept by offering no tools, a named
 * one by offering only that; that a tool must be called cannot be demanded.
 *
 * num_ctx is the window that the table of models has, if it has one: the server
 * would take a few thousand tokens and silently drop the beginning of more.
 *
 * think is true or false; the models called gpt-oss take a level instead and
 * ignore the rest. A model that cannot think refuses true. Nothing is sent
 * where nothing was asked for: models that can think then do.
 */
#include "base/base.h"

#include "provider/ollama.h"

#include <math.h>

static const char address_hint[] = "Check the base URL of the Ollama server.";
static const char key_hint[] = "The key for Ollama must be one line.";
static const char own_name[] = "ollama";

/* --- messages ------------------------------------------------------------ */

struct messages {
    struct json_out *j;
    size_t n;
    struct buf text; /* of the message under way; its memory is reused */
};

/* The texts of one kind, joined; false: there are none. */
static bool
join(struct messages *ms, const struct ask_message *m, enum piece_kind kind)
{
    size_t i;

    buf_clear(&ms->text);
    for (i = 0; i < m->n_pieces; i++) {
        const struct piece *p = &m->pieces[i];

        if (p->kind != kind || p->len == 0)
            continue;
        if (kind == PIECE_THOUGHT && (p->sealed || p->origin == NULL ||
                                      strcmp(p->origin, own_name) != 0))
            continue;
        if (ms->text.len > 0)
            buf_addc(&ms->text, '\n');
        buf_add(&ms->text, p->text, p->len);
    }
    return ms->text.len > 0;
}

static size_t
count(const struct ask_message *m, enum piece_kind kind)
{
    size_t i, n = 0;

    for (i = 0; i < m->n_pieces; i++)
        n += m->pieces[i].kind == kind;
    return n;
}

static void
put_plain(struct messages *ms, enum role role, const char *text, size_t n)
{
    if (n == 0)
        return;
    json_begin_obj(ms->j);
    json_put_str(ms->j, "role", role_name(role));
    json_put_strn(ms->j, "content", text, n);
    json_end_obj(ms->j);
    ms->n++;
}

static void
put_result(struct messages *ms, const struct piece *p)
{
    buf_clear(&ms->text);
    if (p->failed)
        buf_adds(&ms->text, "Error: ");
    buf_add(&ms->text, p->text, p->len);
    json_begin_obj(ms->j);
    json_put_str(ms->j, "role", role_name(ROLE_TOOL));
    json_put_strn(ms->j, "content", buf_cstr(&ms->text), ms->text.len);
    json_put_str(ms->j, "tool_name", p->name);
    if (p->id[0] != '\0')
        json_put_str(ms->j, "tool_call_id", p->id);
    json_end_obj(ms->j);
    ms->n++;
}

static void
put_images(struct json_out *j, const struct ask_message *m)
{
    size_t i;

    if (count(m, PIECE_IMAGE) == 0)
        return;
    json_name(j, "images");
    json_begin_arr(j);
    for (i = 0; i < m->n_pieces; i++) {
        if (m->pieces[i].kind == PIECE_IMAGE)
            json_add_strn(j, m->pieces[i].text, m->pieces[i].len);
    }
    json_end_arr(j);
}

static void
put_calls(struct json_out *j, const struct ask_message *m)
{
    size_t i;

    if (count(m, PIECE_CALL) == 0)
        return;
    json_name(j, "tool_calls");
    json_begin_arr(j);
    for (i = 0; i < m->n_pieces; i++) {
        const struct piece *p = &m->pieces[i];

        if (p->kind != PIECE_CALL)
            continue;
        json_begin_obj(j);
        if (p->id[0] != '\0')
            json_put_str(j, "id", p->id);
        json_name(j, "function");
        json_begin_obj(j);
        json_put_str(j, "name", p->name);
        wire_put_args(j, "arguments", p);
        json_end_obj(j);
        json_end_obj(j);
    }
    json_end_arr(j);
}

static void
put_message(struct messages *ms, const struct ask_message *m)
{
    bool text;
    size_t i;

    if (m->pieces == NULL) {
        put_plain(ms, m->role, m->text, m->len);
        return;
    }
    for (i = 0; i < m->n_pieces; i++) {
        if (m->pieces[i].kind == PIECE_RESULT)
            put_result(ms, &m->pieces[i]);
    }
    text = join(ms, m, PIECE_TEXT);
    if (!text && count(m, PIECE_IMAGE) == 0 && count(m, PIECE_CALL) == 0)
        return;
    json_begin_obj(ms->j);
    json_put_str(ms->j, "role", role_name(m->role));
    json_put_strn(ms->j, "content", buf_cstr(&ms->text), ms->text.len);
    if (join(ms, m, PIECE_THOUGHT))
        json_put_strn(ms->j, "thinking", buf_cstr(&ms->text), ms->text.len);
    put_images(ms->j, m);
    put_calls(ms->j, m);
    json_end_obj(ms->j);
    ms->n++;
}

/* False: there is nothing to ask. */
static bool
put_messages(struct json_out *j, const struct ask *ask)
{
    struct messages ms = {.j = j};
    size_t i, asked;

    buf_init(&ms.text, j->buf->max);
    json_name(j, "messages");
    json_begin_arr(j);
    if (ask->system != NULL)
        put_plain(&ms, ROLE_SYSTEM, ask->system, strlen(ask->system));
    asked = ms.n;
    for (i = 0; i < ask->n_messages; i++)
        put_message(&ms, &ask->messages[i]);
    json_end_arr(j);
    if (ms.text.over)
        j->buf->over = true;
    buf_release(&ms.text);
    return ms.n > asked;
}

/* --- the rest of the body ------------------------------------------------ */

static void
put_tools(struct json_out *j, const struct ask *ask)
{
    const char *named = ask->tool_choice == TOOL_CHOICE_NAMED ? ask->tool_named
                                                              : NULL;
    size_t i;

    if (ask->n_tools == 0 || ask->tool_choice == TOOL_CHOICE_NONE)
        return;
    json_name(j, "tools");
    json_begin_arr(j);
    for (i = 0; i < ask->n_tools; i++) {
        if (named == NULL || strcmp(named, ask->tools[i].name) == 0)
            wire_put_function(j, &ask->tools[i], false);
    }
    json_end_arr(j);
}

static void
put_options(struct json_out *j, const struct ask *ask)
{
    if (ask->max_tokens <= 0 && isnan(ask->temperature) && isnan(ask->top_p) &&
        ask->n_stop == 0 && ask->window <= 0)
        return;
    json_name(j, "options");
    json_begin_obj(j);
    if (ask->window > 0) /* or it holds a few thousand, and drops the rest */
        json_put_i64(j, "num_ctx", ask->window);
    if (ask->max_tokens > 0)
        json_put_i64(j, "num_predict", ask->max_tokens);
    wire_put_number(j, "temperature", ask->temperature);
    wire_put_number(j, "top_p", ask->top_p);
    wire_put_stops(j, "stop", ask, true);
    json_end_obj(j);
}

static void
put_think(struct json_out *j, const struct ask *ask)
{
    const char *effort = ask->effort;
    bool think = effort != NULL && strcmp(effort, "none") != 0;

    if (effort == NULL)
        return;
    if (!think || strstr(ask->model, "gpt-oss") == NULL)
        json_put_bool(j, "think", think);
    else if (strcmp(effort, "medium") == 0 || strcmp(effort, "high") == 0)
        json_put_str(j, "think", effort);
    else
        json_put_str(j, "think", "low");
}

static enum err
put_body(struct buf *out, const struct ask *ask, struct problem *why)
{
    struct wire_format format;
    struct json_out j;
    bool any;
    enum err e;

    e = wire_tools_check(ask, why);
    if (e != OK)
        return e;
    e = wire_format_read(ask->format, &format, why);
    if (e != OK)
        return e;
    json_out_init(&j, out);
    json_begin_obj(&j);
    json_put_str(&j, "model", ask->model);
    any = put_messages(&j, ask);
    json_put_bool(&j, "stream", !ask->whole);
    put_tools(&j, ask);
    if (format.kind == WIRE_FORMAT_JSON)
        json_put_str(&j, "format", "json");
    else if (format.kind == WIRE_FORMAT_SCHEMA)
        json_put_raw(&j, "format", format.schema, strlen(format.schema));
    put_options(&j, ask);
    put_think(&j, ask);
    json_end_obj(&j);
    wire_format_release(&format);
    if (!any)
        return problem_set(why, ERR_BADREQ, NULL, "There is nothing to ask",
                           NULL);
    return wire_body_fits(out, why);
}

/* --- the request --------------------------------------------------------- */

static bool
has_image_url(const struct ask *ask)
{
    size_t i, k;

    for (i = 0; i < ask->n_messages; i++) {
        const struct ask_message *m = &ask->messages[i];

        for (k = 0; m->pieces != NULL && k < m->n_pieces; k++) {
            if (m->pieces[k].kind == PIECE_IMAGE &&
                m->pieces[k].media_type == NULL)
                return true;
        }
    }
    return false;
}

enum err
ollama_address(struct upstream_request *out, const struct account *acc,
               const char *path, const char *accept, struct problem *why)
{
    enum err e = wire_url(out, acc->base_url, path, address_hint, why);

    if (e == OK)
        e = wire_secret(out, "Authorization", "Bearer ", acc->key, key_hint,
                        why);
    return e == OK ? wire_json_headers(out, accept, why) : e;
}

enum err
ollama_build(const struct ask *ask, const struct account *acc,
             struct upstream_request *out, struct problem *why)
{
    enum err e;

    if (has_image_url(ask))
        return problem_set(why, ERR_IMPOSSIBLE, "image_not_supported",
                           "Ollama does not fetch images",
                           "Send the image itself, as a data URL, instead of "
                           "its address.");
    out->method = "POST";
    e = ollama_address(out, acc, "/api/chat",
                       ask->whole ? "application/json" : "application/x-ndjson",
                       why);
    return e == OK ? put_body(&out->body, ask, why) : e;
}
