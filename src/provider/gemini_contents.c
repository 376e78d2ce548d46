/*
 * The conversation as Gemini's contents (docs/WIRE.md).
 *
 * There are two roles, user and model, and they must alternate: neighbours of
 * one role become one content with more parts. Results of tools are the
 * user's. System texts of any place go to systemInstruction, in order. A part
 * or content that would be empty is left out, since the API refuses both.
 *
 * Signatures. Gemini hands out an opaque thoughtSignature with some parts and
 * wants it back in the same part (ai.google.dev, "Thought signatures"). One
 * that came with a call goes back with the call. One that came without a
 * thought, at the end of an answer, is kept by us as a thought without text
 * and goes back as the API sent it: an empty text with a signature. Models
 * from version 3 on refuse a turn whose first call has no signature; for
 * calls that another provider's model made, the same page names a word to
 * send instead.
 */
#include "base/base.h"

#include "provider/gemini.h"

#include "base/text.h"

static const char user[] = "user", model[] = "model";
static const char own_name[] = "gemini";
static const char no_signature[] = "skip_thought_signature_validator";

/* The array under way. */
struct contents {
    struct json_out *j;
    const char *role; /* user or model: of the open content; NULL: none */
};

static void
contents_close(struct contents *c)
{
    if (c->role != NULL) {
        json_end_arr(c->j);
        json_end_obj(c->j);
    }
    c->role = NULL;
}

/* The part's object stays open. */
static void
part_begin(struct contents *c, const char *role)
{
    if (c->role != role) {
        contents_close(c);
        json_begin_obj(c->j);
        json_put_str(c->j, "role", role);
        json_name(c->j, "parts");
        json_begin_arr(c->j);
        c->role = role;
    }
    json_begin_obj(c->j);
}

/* --- parts --------------------------------------------------------------- */

static void
put_text(struct contents *c, const char *role, const char *text, size_t n)
{
    if (n == 0)
        return;
    part_begin(c, role);
    json_put_strn(c->j, "text", text, n);
    json_end_obj(c->j);
}

/* By the end of a URL's path; NULL: it does not tell. */
static const char *
type_of_url(const char *url, size_t n)
{
    static const struct {
        const char *end, *type;
    } types[] = {
        {".png", "image/png"},   {".jpg", "image/jpeg"},
        {".jpeg", "image/jpeg"}, {".webp", "image/webp"},
        {".gif", "image/gif"},   {".heic", "image/heic"},
        {".heif", "image/heif"},
    };
    size_t i, len = 0;

    while (len < n && url[len] != '?' && url[len] != '#')
        len++;
    for (i = 0; i < COUNT_OF(types); i++) {
        size_t end = strlen(types[i].end);

        if (len > end && text_ieqn(url + len - end, end, types[i].end))
            return types[i].type;
    }
    return NULL;
}

static void
put_image(struct contents *c, const struct piece *p)
{
    bool inside = p->media_type != NULL;
    const char *type = inside ? p->media_type : type_of_url(p->text, p->len);

    if (p->len == 0)
        return;
    part_begin(c, user);
    json_name(c->j, inside ? "inlineData" : "fileData");
    json_begin_obj(c->j);
    if (type != NULL)
        json_put_str(c->j, "mimeType", type);
    json_put_strn(c->j, inside ? "data" : "fileUri", p->text, p->len);
    json_end_obj(c->j);
    json_end_obj(c->j);
}

static bool
is_own(const struct piece *p)
{
    return p->origin != NULL && strcmp(p->origin, own_name) == 0;
}

static bool
has_signature(const struct piece *p)
{
    return is_own(p) && p->signature != NULL && p->signature[0] != '\0';
}

/* Unsigned: what to send where no signature is; NULL: nothing. */
static void
put_call(struct contents *c, const struct piece *p, const char *unsigned_)
{
    const char *signature = has_signature(p) ? p->signature : unsigned_;

    part_begin(c, model);
    json_name(c->j, "functionCall");
    json_begin_obj(c->j);
    if (p->id[0] != '\0')
        json_put_str(c->j, "id", p->id);
    json_put_str(c->j, "name", p->name);
    wire_put_args(c->j, "args", p);
    json_end_obj(c->j);
    if (signature != NULL)
        json_put_str(c->j, "thoughtSignature", signature);
    json_end_obj(c->j);
}

static void
put_result(struct contents *c, const struct piece *p)
{
    part_begin(c, user);
    json_name(c->j, "functionResponse");
    json_begin_obj(c->j);
    if (p->id[0] != '\0')
        json_put_str(c->j, "id", p->id);
    json_put_str(c->j, "name", p->name);
    if (p->failed) {
        json_name(c->j, "response");
        json_begin_obj(c->j);
        json_put_strn(c->j, "error", p->len > 0 ? p->text : "", p->len);
        json_end_obj(c->j);
    } else {
        wire_put_object(c->j, "response", p->text, p->len, "result");
    }
    json_end_obj(c->j);
    json_end_obj(c->j);
}

static void
put_thought(struct contents *c, const struct piece *p)
{
    bool signature = has_signature(p);

    if (!is_own(p) || p->sealed || (p->len == 0 && !signature))
        return;
    part_begin(c, model);
    json_put_strn(c->j, "text", p->len > 0 ? p->text : "", p->len);
    if (p->len > 0)
        json_put_bool(c->j, "thought", true);
    if (signature)
        json_put_str(c->j, "thoughtSignature", p->signature);
    json_end_obj(c->j);
}

/* --- messages ------------------------------------------------------------ */

/* Does a model that demands signatures find none among these calls? */
static bool
lacks_signature(const struct ask_message *m, const char *model_name)
{
    size_t i;

    if (gemini_kind(model_name) != GEMINI_LEVEL)
        return false;
    for (i = 0; i < m->n_pieces; i++) {
        if (m->pieces[i].kind == PIECE_CALL && has_signature(&m->pieces[i]))
            return false;
    }
    return true;
}

static void
put_message(struct contents *c, const struct ask_message *m,
            const char *model_name)
{
    const char *role = m->role == ROLE_ASSISTANT ? model : user;
    const char *unsigned_;
    size_t i;

    if (m->pieces == NULL) {
        put_text(c, role, m->text, m->len);
        return;
    }
    unsigned_ = lacks_signature(m, model_name) ? no_signature : NULL;
    for (i = 0; i < m->n_pieces; i++) {
        const struct piece *p = &m->pieces[i];

        switch (p->kind) {
        case PIECE_TEXT: put_text(c, role, p->text, p->len); break;
        case PIECE_IMAGE: put_image(c, p); break;
        case PIECE_CALL:
            put_call(c, p, unsigned_);
            unsigned_ = NULL; /* the first call's is enough */
            break;
        case PIECE_RESULT: put_result(c, p); break;
        case PIECE_THOUGHT: put_thought(c, p); break;
        }
    }
}

/* --- the system text ----------------------------------------------------- */

struct system_out {
    struct json_out *j;
    bool open;
};

static void
put_system_text(void *arg, const char *text, size_t n)
{
    struct system_out *o = arg;

    if (!o->open) {
        json_name(o->j, "systemInstruction");
        json_begin_obj(o->j);
        json_name(o->j, "parts");
        json_begin_arr(o->j);
        o->open = true;
    }
    json_begin_obj(o->j);
    json_put_strn(o->j, "text", text, n);
    json_end_obj(o->j);
}

static void
put_system(struct json_out *j, const struct ask *ask)
{
    struct system_out o = {.j = j};

    wire_system(ask, put_system_text, &o);
    if (o.open) {
        json_end_arr(j);
        json_end_obj(j);
    }
}

bool
gemini_put_contents(struct json_out *j, const struct ask *ask)
{
    struct contents c = {.j = j};
    bool any;
    size_t i;

    put_system(j, ask);
    json_name(j, "contents");
    json_begin_arr(j);
    for (i = 0; i < ask->n_messages; i++) {
        if (ask->messages[i].role != ROLE_SYSTEM)
            put_message(&c, &ask->messages[i], ask->model);
    }
    any = c.role != NULL;
    contents_close(&c);
    json_end_arr(j);
    return any;
}
