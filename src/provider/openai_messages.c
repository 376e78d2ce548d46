/*
 * The history as Chat Completions messages (docs/WIRE.md).
 *
 * One message of ours can be several of theirs: each result of a tool is a
 * message of its own, in the order of the calls. The system text is the first
 * message; its role is "system", which OpenAI reads as "developer" where that
 * is wanted. Contents are plain strings wherever they can be, because many
 * servers of this wire know the list of parts only where an image is in it.
 *
 * Left out: that a tool failed (the wire has no word for it; the result's text
 * says so), and thoughts and signatures of other providers.
 */
#include "base/base.h"

#include "provider/openai.h"

#include "base/json.h"
#include "base/text.h"

#define ID_MADE_MAX 32 /* bytes of an id of our own */

struct messages {
    struct json_out *j;
    const struct openai_wire *wire;
    bool thoughts;         /* the server takes its own thoughts back */
    size_t calls, results; /* without an id, so far */
    struct problem *why;
};

static void
put_text_message(struct json_out *j, enum role role, const char *text, size_t n)
{
    json_begin_obj(j);
    json_put_str(j, "role", role_name(role));
    json_put_strn(j, "content", text, n);
    json_end_obj(j);
}

static bool
is_text(const struct piece *p, enum piece_kind kind)
{
    return p->kind == kind && p->len > 0;
}

static size_t
count(const struct ask_message *m, enum piece_kind kind)
{
    size_t i, n = 0;

    for (i = 0; i < m->n_pieces; i++)
        n += kind == PIECE_CALL ? m->pieces[i].kind == kind
                                : is_text(&m->pieces[i], kind);
    return n;
}

/* --- texts -------------------------------------------------------------- */

/* May this piece's text be in a string for the provider? */
static bool
wanted(const struct messages *c, const struct piece *p, enum piece_kind kind)
{
    if (!is_text(p, kind))
        return false;
    return kind != PIECE_THOUGHT || (!p->sealed && p->origin != NULL &&
                                     strcmp(p->origin, c->wire->name) == 0);
}

/* All texts of a kind as one member; nothing if there are none. The one text
 * of most messages is not copied. */
static bool
put_joined(struct messages *c, const char *name, const struct ask_message *m,
           enum piece_kind kind, const char *between)
{
    const struct piece *one = NULL;
    struct buf all;
    size_t i, n = 0;

    buf_init(&all, c->j->buf->max);
    for (i = 0; i < m->n_pieces; i++) {
        const struct piece *p = &m->pieces[i];

        if (!wanted(c, p, kind))
            continue;
        if (++n == 1) {
            one = p;
            continue;
        }
        if (n == 2)
            buf_add(&all, one->text, one->len);
        buf_adds(&all, between);
        buf_add(&all, p->text, p->len);
    }
    if (n == 1)
        json_put_strn(c->j, name, one->text, one->len);
    else if (n > 1)
        json_put_strn(c->j, name, all.data, all.len);
    if (buf_status(&all) != OK)
        c->j->buf->over = true;
    buf_release(&all);
    return n > 0;
}

/* --- users and the system ----------------------------------------------- */

static bool
url_ok(const char *url)
{
    return text_istarts(url, "https://") || text_istarts(url, "http://") ||
           text_istarts(url, "data:");
}

static enum err
put_image(struct messages *c, const struct piece *p)
{
    struct buf url;

    if (p->media_type == NULL && !url_ok(p->text))
        return problem_set(c->why, ERR_IMPOSSIBLE, "image_not_supported",
                           "This image cannot be sent to the provider",
                           "Give the image as a web address or as data.");
    buf_init(&url, c->j->buf->max);
    if (p->media_type != NULL) {
        buf_adds(&url, "data:");
        buf_adds(&url, p->media_type);
        buf_adds(&url, ";base64,");
    }
    buf_add(&url, p->text, p->len);
    json_begin_obj(c->j);
    json_put_str(c->j, "type", "image_url");
    json_name(c->j, "image_url");
    json_begin_obj(c->j);
    json_put_strn(c->j, "url", url.data, url.len);
    json_end_obj(c->j);
    json_end_obj(c->j);
    if (buf_status(&url) != OK)
        c->j->buf->over = true;
    buf_release(&url);
    return OK;
}

static enum err
put_parts(struct messages *c, const struct ask_message *m)
{
    enum err e = OK;
    size_t i;

    json_name(c->j, "content");
    json_begin_arr(c->j);
    for (i = 0; i < m->n_pieces && e == OK; i++) {
        const struct piece *p = &m->pieces[i];

        if (is_text(p, PIECE_IMAGE)) {
            e = put_image(c, p);
        } else if (is_text(p, PIECE_TEXT)) {
            json_begin_obj(c->j);
            json_put_str(c->j, "type", "text");
            json_put_strn(c->j, "text", p->text, p->len);
            json_end_obj(c->j);
        }
    }
    json_end_arr(c->j);
    return e;
}

/* Several texts without an image are joined as vLLM and llama.cpp join text
 * parts: by a line end. */
static enum err
put_said(struct messages *c, const struct ask_message *m)
{
    enum err e = OK;

    if (count(m, PIECE_TEXT) == 0 && count(m, PIECE_IMAGE) == 0)
        return OK;
    json_begin_obj(c->j);
    json_put_str(c->j, "role", role_name(m->role));
    if (count(m, PIECE_IMAGE) > 0)
        e = put_parts(c, m);
    else
        (void)put_joined(c, "content", m, PIECE_TEXT, "\n");
    json_end_obj(c->j);
    return e;
}

/* --- the assistant and its tools ---------------------------------------- */

/* A call's or a result's id. Some providers give calls no ids, but this wire
 * wants one: calls and results without are numbered in their order. */
static void
put_id(struct messages *c, const char *name, const struct piece *p,
       size_t *without)
{
    char made[ID_MADE_MAX];

    if (p->id[0] == '\0') {
        (void)snprintf(made, sizeof(made), "call_%zu", ++*without);
        json_put_str(c->j, name, made);
    } else {
        json_put_str(c->j, name, p->id);
    }
}

/* What came beside a call ("extra_content", a JSON object), back to the server
 * that made it: Gemini's compatible API demands its thought signature. */
static void
put_signature(struct messages *c, const struct piece *p)
{
    size_t n;

    if (!c->thoughts || p->signature == NULL || p->origin == NULL ||
        strcmp(p->origin, c->wire->name) != 0)
        return;
    n = strlen(p->signature);
    if (p->signature[0] == '{' && json_check(p->signature, n, NULL) == OK)
        json_put_raw(c->j, "extra_content", p->signature, n);
}

static void
put_call(struct messages *c, const struct piece *p)
{
    json_begin_obj(c->j);
    put_id(c, "id", p, &c->calls);
    json_put_str(c->j, "type", "function");
    json_name(c->j, "function");
    json_begin_obj(c->j);
    json_put_str(c->j, "name", p->name);
    if (p->len > 0)
        json_put_strn(c->j, "arguments", p->text, p->len);
    else
        json_put_str(c->j, "arguments", "{}");
    json_end_obj(c->j);
    put_signature(c, p);
    json_end_obj(c->j);
}

/* A message that is nothing but thoughts is no answer, and is left out. */
static void
put_answer(struct messages *c, const struct ask_message *m)
{
    size_t i, calls = count(m, PIECE_CALL);

    if (calls == 0 && count(m, PIECE_TEXT) == 0)
        return;
    json_begin_obj(c->j);
    json_put_str(c->j, "role", role_name(m->role));
    if (!put_joined(c, "content", m, PIECE_TEXT, "")) {
        json_name(c->j, "content");
        json_add_null(c->j);
    }
    if (c->thoughts)
        (void)put_joined(c, "reasoning_content", m, PIECE_THOUGHT, "");
    if (calls > 0) {
        json_name(c->j, "tool_calls");
        json_begin_arr(c->j);
        for (i = 0; i < m->n_pieces; i++) {
            if (m->pieces[i].kind == PIECE_CALL)
                put_call(c, &m->pieces[i]);
        }
        json_end_arr(c->j);
    }
    json_end_obj(c->j);
}

static void
put_results(struct messages *c, const struct ask_message *m)
{
    size_t i;

    for (i = 0; i < m->n_pieces; i++) {
        const struct piece *p = &m->pieces[i];

        if (p->kind != PIECE_RESULT)
            continue;
        json_begin_obj(c->j);
        json_put_str(c->j, "role", role_name(ROLE_TOOL));
        put_id(c, "tool_call_id", p, &c->results);
        json_put_strn(c->j, "content", p->text, p->len);
        json_end_obj(c->j);
    }
}

/* --- messages ----------------------------------------------------------- */

/* Which pieces may be in whose message. */
static enum err
check(struct messages *c, const struct ask_message *m)
{
    bool tool = m->role == ROLE_TOOL;
    size_t i;

    if (tool && m->pieces == NULL)
        return problem_set(c->why, ERR_BADREQ, NULL,
                           "A tool's result does not name its call", NULL);
    for (i = 0; i < m->n_pieces; i++) {
        enum piece_kind kind = m->pieces[i].kind;

        if (kind == PIECE_IMAGE && m->role != ROLE_USER)
            return problem_set(c->why, ERR_IMPOSSIBLE, "image_not_supported",
                               "This provider takes images from users only",
                               "Send the image in a message of its own.");
        if ((kind == PIECE_CALL && m->role != ROLE_ASSISTANT) ||
            (kind == PIECE_RESULT && !tool && m->role != ROLE_USER) ||
            (tool && is_text(&m->pieces[i], PIECE_TEXT)))
            return problem_set(c->why, ERR_BADREQ, NULL,
                               "A message holds what its role cannot say",
                               NULL);
    }
    return OK;
}

static enum err
put_message(struct messages *c, const struct ask_message *m)
{
    enum err e = check(c, m);

    if (e != OK)
        return e;
    if (m->pieces == NULL) {
        put_text_message(c->j, m->role, m->text, m->len);
        return OK;
    }
    put_results(c, m);
    if (m->role != ROLE_ASSISTANT)
        return put_said(c, m);
    put_answer(c, m);
    return OK;
}

enum err
openai_messages(struct json_out *j, const struct openai_wire *w,
                const struct ask *ask, bool thoughts, struct problem *why)
{
    struct messages c = {.j = j, .wire = w, .thoughts = thoughts, .why = why};
    enum err e = OK;
    size_t i;

    json_begin_arr(j);
    if (ask->system != NULL && ask->system[0] != '\0')
        put_text_message(j, ROLE_SYSTEM, ask->system, strlen(ask->system));
    for (i = 0; i < ask->n_messages && e == OK; i++)
        e = put_message(&c, &ask->messages[i]);
    json_end_arr(j);
    return e;
}
