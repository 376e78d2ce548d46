/*
 * Messages of a request as messages of an ask. With an image, a call or a
 * thought a message has pieces, else a text (openai_in_parts.c). Results of
 * tools that follow each other become one message, which is how providers
 * other than OpenAI want the results of parallel calls, and each is given the
 * name of the tool that its call named. Pure.
 */
#include "base/base.h"

#include "dialect/openai_in_read.h"

static const char *
call_param(struct openai_making *k, size_t call, const char *member)
{
    (void)snprintf(k->param, sizeof(k->param),
                   "messages[%zu].tool_calls[%zu]%s", k->index, call, member);
    return k->param;
}

static bool
is_there(const cJSON *m)
{
    return m != NULL && !cJSON_IsNull(m);
}

/* --- the assistant -------------------------------------------------------- */

/* What stood beside a call, as text: openai_in_origin knows what it is. */
static void
take_beside(struct openai_making *k, const cJSON *o, struct piece *p)
{
    const cJSON *beside = json_obj(o, "extra_content");
    char *json = beside != NULL ? cJSON_PrintUnformatted(beside) : NULL;

    if (json != NULL)
        p->signature = arena_strdup(k->r->arena, json);
    cJSON_free(json);
}

static enum err
take_call(struct openai_making *k, const cJSON *o, size_t i)
{
    const cJSON *f = cJSON_GetObjectItemCaseSensitive(o, "function");
    struct openai_read *r = k->r;
    const char *type, *id, *name, *args;
    struct piece *p;

    if (!cJSON_IsObject(o))
        return openai_wrong_type(r, call_param(k, i, ""), "must be an object");
    if (openai_string(r, o, "type", call_param(k, i, ".type"), &type) != OK ||
        openai_string(r, o, "id", call_param(k, i, ".id"), &id) != OK)
        return ERR_BADREQ;
    if (type != NULL && strcmp(type, "function") != 0)
        return openai_refuse(r, "unsupported_value", call_param(k, i, ".type"),
                             "must be \"function\"");
    if (id == NULL)
        return openai_missing(r, call_param(k, i, ".id"));
    if (strlen(id) > OPENAI_IN_ID_MAX)
        return openai_wrong_value(r, call_param(k, i, ".id"), "is too long");
    if (!cJSON_IsObject(f))
        return openai_missing(r, call_param(k, i, ".function"));
    if (openai_string(r, f, "name", call_param(k, i, ".function.name"),
                      &name) != OK ||
        openai_string(r, f, "arguments",
                      call_param(k, i, ".function.arguments"), &args) != OK)
        return ERR_BADREQ;
    if (name == NULL)
        return openai_missing(r, call_param(k, i, ".function.name"));
    if (args == NULL)
        args = "";
    p = openai_add_piece(k, PIECE_CALL, args, strlen(args));
    p->id = arena_strdup(r->arena, id);
    p->name = arena_strdup(r->arena, name);
    take_beside(k, o, p);
    return OK;
}

static enum err
take_calls(struct openai_making *k, const cJSON *calls)
{
    const cJSON *o;
    size_t i = 0;
    enum err e;

    if (!is_there(calls))
        return OK;
    if (!cJSON_IsArray(calls))
        return openai_wrong_type(k->r, openai_param(k, ".tool_calls"),
                                 "must be an array");
    cJSON_ArrayForEach(o, calls) {
        e = take_call(k, o, i++);
        if (e != OK)
            return e;
    }
    return OK;
}

static enum err
take_assistant(struct openai_making *k, const cJSON *o)
{
    const cJSON *content = cJSON_GetObjectItemCaseSensitive(o, "content");
    const cJSON *calls = cJSON_GetObjectItemCaseSensitive(o, "tool_calls");
    const char *thought, *refusal;
    enum err e = OK;

    if (is_there(cJSON_GetObjectItemCaseSensitive(o, "function_call")))
        return openai_refuse(k->r, "unsupported_parameter",
                             openai_param(k, ".function_call"),
                             "is not taken, use tool_calls");
    if (openai_string(k->r, o, "reasoning_content",
                      openai_param(k, ".reasoning_content"), &thought) != OK ||
        openai_string(k->r, o, "refusal", openai_param(k, ".refusal"),
                      &refusal) != OK)
        return ERR_BADREQ;
    if (thought != NULL && thought[0] != '\0')
        (void)openai_add_piece(k, PIECE_THOUGHT, thought, strlen(thought));
    if (is_there(content))
        e = openai_take_content(k, content);
    if (e == OK && refusal != NULL && refusal[0] != '\0')
        (void)openai_add_piece(k, PIECE_TEXT, refusal, strlen(refusal));
    if (e == OK)
        e = take_calls(k, calls);
    openai_settle(k, "");
    return e;
}

/* --- tools ---------------------------------------------------------------- */

/* The name of the tool that was called with this id, by the nearest message
 * with calls; NULL: nobody called so. */
static const char *
called(const struct ask *ask, size_t before, const char *id)
{
    for (size_t i = before; i > 0; i--) {
        const struct ask_message *m = &ask->messages[i - 1];
        bool calls = false;

        for (size_t k = 0; k < m->n_pieces; k++) {
            if (m->pieces[k].kind != PIECE_CALL)
                continue;
            calls = true;
            if (strcmp(m->pieces[k].id, id) == 0)
                return m->pieces[k].name;
        }
        if (calls || m->role == ROLE_USER)
            return NULL;
    }
    return NULL;
}

/* Results that follow each other share a message: *m is the one of the last
 * result, or a new one. */
static enum err
take_result(struct openai_making *k, const cJSON *o)
{
    const cJSON *content = cJSON_GetObjectItemCaseSensitive(o, "content");
    struct ask *ask = &k->r->a->ask;
    struct ask_message said = {.role = ROLE_TOOL}, *m = k->m;
    struct openai_making text; /* of the result alone */
    const char *id, *name;
    struct piece *p;
    enum err e;

    if (openai_string(k->r, o, "tool_call_id", openai_param(k, ".tool_call_id"),
                      &id) != OK)
        return ERR_BADREQ;
    if (id == NULL)
        return openai_missing(k->r, openai_param(k, ".tool_call_id"));
    name = called(ask, ask->n_messages, id);
    if (name == NULL)
        return openai_wrong_value(k->r, openai_param(k, ".tool_call_id"),
                                  "must be the id of a call in the message "
                                  "before it");
    if (!is_there(content))
        return openai_missing(k->r, openai_param(k, ".content"));
    text = *k;
    text.m = &said;
    e = openai_take_content(&text, content);
    if (e != OK)
        return e;
    openai_settle(&text, "\n");
    p = (struct piece *)(uintptr_t)m->pieces + m->n_pieces++;
    p->kind = PIECE_RESULT;
    p->text = said.text;
    p->len = said.len;
    p->id = arena_strdup(k->r->arena, id);
    p->name = name;
    return OK;
}

/* --- messages ------------------------------------------------------------- */

static enum err
parse_role(struct openai_making *k, const cJSON *o, enum role *out)
{
    const char *role;

    if (openai_string(k->r, o, "role", openai_param(k, ".role"), &role) != OK)
        return ERR_BADREQ;
    if (role == NULL)
        return openai_missing(k->r, openai_param(k, ".role"));
    if (strcmp(role, "developer") == 0)
        *out = ROLE_SYSTEM;
    else if (role_parse(role, out) != OK)
        return openai_wrong_value(k->r, openai_param(k, ".role"),
                                  "must be \"system\", \"developer\", "
                                  "\"user\", \"assistant\" or \"tool\"");
    return OK;
}

/* How many pieces the message can have. */
static enum err
room_for(struct openai_making *k, const cJSON *o)
{
    const cJSON *content = cJSON_GetObjectItemCaseSensitive(o, "content");
    const cJSON *calls = cJSON_GetObjectItemCaseSensitive(o, "tool_calls");
    size_t parts = cJSON_IsArray(content) ? (size_t)cJSON_GetArraySize(content)
                                          : 1;
    size_t n_calls = cJSON_IsArray(calls) ? (size_t)cJSON_GetArraySize(calls)
                                          : 0;

    if (parts > OPENAI_IN_PARTS_MAX)
        return openai_too_many(k->r, openai_param(k, ".content"),
                               OPENAI_IN_PARTS_MAX);
    if (n_calls > OPENAI_IN_CALLS_MAX)
        return openai_too_many(k->r, openai_param(k, ".tool_calls"),
                               OPENAI_IN_CALLS_MAX);
    /* and a thought, and a refusal */
    k->pieces = arena_alloc(k->r->arena,
                            (parts + n_calls + 2) * sizeof(*k->pieces));
    return OK;
}

/* How many results follow each other from this one on. */
static size_t
results(const cJSON *o)
{
    size_t n = 1;

    for (o = o->next; o != NULL; o = o->next, n++) {
        const char *role = json_str(o, "role");

        if (role == NULL || strcmp(role, role_name(ROLE_TOOL)) != 0)
            break;
    }
    return n;
}

/* The message that takes this one: a new one, but for a result that follows
 * another. */
static struct ask_message *
message_for(struct openai_read *r, struct ask_message *list, enum role role,
            const cJSON *o)
{
    struct ask *ask = &r->a->ask;
    struct ask_message *m;

    if (role == ROLE_TOOL && ask->n_messages > 0 &&
        list[ask->n_messages - 1].role == ROLE_TOOL)
        return &list[ask->n_messages - 1];
    m = &list[ask->n_messages];
    m->role = role;
    m->text = "";
    if (role == ROLE_TOOL)
        m->pieces = arena_alloc(r->arena, results(o) * sizeof(*m->pieces));
    return m;
}

static enum err
take_message(struct openai_read *r, const cJSON *o, size_t index,
             struct ask_message *list)
{
    struct openai_making k = {.r = r, .index = index};
    const cJSON *content = cJSON_GetObjectItemCaseSensitive(o, "content");
    enum role role = ROLE_USER;
    enum err e;

    if (!cJSON_IsObject(o))
        return openai_wrong_type(r, openai_param(&k, ""), "must be an object");
    if (parse_role(&k, o, &role) != OK)
        return ERR_BADREQ;
    e = room_for(&k, o);
    if (e != OK)
        return e;
    k.m = message_for(r, list, role, o);
    if (role == ROLE_TOOL) {
        struct ask_message *m = k.m;

        e = take_result(&k, o);
        if (e == OK && m == &list[r->a->ask.n_messages])
            r->a->ask.n_messages++;
        return e;
    }
    if (role == ROLE_ASSISTANT) {
        e = take_assistant(&k, o);
    } else if (!is_there(content)) {
        e = openai_missing(r, openai_param(&k, ".content"));
    } else {
        e = openai_take_content(&k, content);
        openai_settle(&k, "\n");
    }
    if (e == OK)
        r->a->ask.n_messages++;
    return e;
}

enum err
openai_in_messages(struct openai_read *r, const cJSON *messages)
{
    struct ask_message *list;
    const cJSON *o;
    size_t n, i = 0;
    enum err e;

    if (messages == NULL || cJSON_IsNull(messages))
        return openai_missing(r, "messages");
    if (!cJSON_IsArray(messages))
        return openai_wrong_type(r, "messages", "must be an array");
    n = (size_t)cJSON_GetArraySize(messages);
    if (n == 0)
        return openai_wrong_value(r, "messages", "must not be empty");
    if (n > OPENAI_IN_MESSAGES_MAX)
        return openai_too_many(r, "messages", OPENAI_IN_MESSAGES_MAX);
    list = arena_alloc(r->arena, n * sizeof(*list));
    r->a->ask.messages = list;
    cJSON_ArrayForEach(o, messages) {
        e = take_message(r, o, i++, list);
        if (e != OK)
            return e;
    }
    return OK;
}
