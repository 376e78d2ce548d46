/*
 * From bytes to a turn_ask. A form or a query gives strings, JSON gives typed
 * members; both end in one set of fields, checked once. Strings are copied
 * into the ask's arena, since the request is freed before the turn ends.
 */
#include "base/base.h"

#include "api/ask.h"

#include <math.h>

#include "api/ask_media.h"
#include "base/json.h"
#include "base/text.h"
#include "chat/command.h"
#include "chat/retrieve.h"
#include "chat/temporary.h"
#include "http/form.h"

#define IDEM_GLOBAL_MIN 16 /* characters of a key that stands without session */
#define MAX_TOKENS_MAX 10000000
#define STOPPING_RETRY_S 2

_Static_assert(STORE_NAME_MAX == 128, "as the message below says");

/* The fields of POST /chat as they came; borrowed from the body. */
struct fields {
    const char *message, *session_id, *provider, *model, *context, *idem;
    const char *parent;
    size_t message_len;
    bool stream, detach, temporary;
    int files; /* 1 yes, 0 no, -1 not said */
    double temperature, top_p;
    int64_t max_tokens;
    const char *stop[ASK_STOPS_MAX];
    size_t n_stop;
    const cJSON *history; /* NULL: not given */
};

static const struct fields no_fields = {
    .files = -1, .temperature = NAN, .top_p = NAN};

/* In the words of the getters of base/json. */
static enum err
bad_field(struct problem *why, const char *name, const char *rule)
{
    char error[sizeof(why->error)];

    (void)snprintf(error, sizeof(error), "Invalid parameter: %s", name);
    return problem_set(why, ERR_BADREQ, "invalid_parameter", error,
                       "%s must be %s", name, rule);
}

/* --- JSON ---------------------------------------------------------------- */

static enum err
json_stops(const cJSON *o, struct fields *f, struct problem *why)
{
    const cJSON *stop = cJSON_GetObjectItemCaseSensitive(o, "stop");
    const cJSON *item;

    if (stop == NULL || cJSON_IsNull(stop))
        return OK;
    if (cJSON_IsString(stop)) {
        f->stop[f->n_stop++] = stop->valuestring;
        return OK;
    }
    if (!cJSON_IsArray(stop))
        return bad_field(why, "stop", "a string or an array of strings");
    cJSON_ArrayForEach(item, stop) {
        if (!cJSON_IsString(item) || f->n_stop == ASK_STOPS_MAX)
            return bad_field(why, "stop", "at most 8 strings");
        f->stop[f->n_stop++] = item->valuestring;
    }
    return OK;
}

static enum err
json_files(const cJSON *o, struct fields *f, struct problem *why)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, "files");
    bool yes = false;

    if (v == NULL || cJSON_IsNull(v) || cJSON_IsArray(v)) /* names: ask_media */
        return OK;
    if (json_get_bool(o, "files", &yes, why) != OK)
        return ERR_BADREQ;
    f->files = yes;
    return OK;
}

static enum err
json_fields(const cJSON *o, struct fields *f, struct problem *why)
{
    const struct {
        const char *name;
        const char **to;
    } strings[] = {
        {"message", &f->message},          {"session_id", &f->session_id},
        {"provider", &f->provider},        {"model", &f->model},
        {"context", &f->context},          {"client_message_id", &f->idem},
        {"parent_message_id", &f->parent},
    };
    const cJSON *history = cJSON_GetObjectItemCaseSensitive(o, "history");

    if (!cJSON_IsObject(o))
        return problem_set(why, ERR_BADREQ, "invalid_json",
                           "The body is not a JSON object",
                           "Send an object with a 'message' field.");
    for (size_t i = 0; i < COUNT_OF(strings); i++)
        if (json_get_str(o, strings[i].name, strings[i].to, why) != OK)
            return ERR_BADREQ;
    if (json_files(o, f, why) != OK ||
        json_get_bool(o, "stream", &f->stream, why) != OK ||
        json_get_bool(o, "detach", &f->detach, why) != OK ||
        json_get_bool(o, "temporary", &f->temporary, why) != OK ||
        json_get_num(o, "temperature", 0, 2, &f->temperature, why) != OK ||
        json_get_num(o, "top_p", 0, 1, &f->top_p, why) != OK ||
        json_get_i64(o, "max_tokens", 1, MAX_TOKENS_MAX, &f->max_tokens, why) !=
            OK)
        return ERR_BADREQ;
    if (history != NULL && !cJSON_IsNull(history)) {
        if (!cJSON_IsArray(history))
            return bad_field(why, "history", "an array of {role, content}");
        f->history = history;
    }
    if (f->message != NULL)
        f->message_len = strlen(f->message);
    return json_stops(o, f, why);
}

/* --- forms and queries --------------------------------------------------- */

static const char *
form_str(const struct form *form, const char *name)
{
    const struct form_field *field = form_get(form, name);

    return field != NULL ? field->value : NULL;
}

static enum err
form_bool(const struct form *form, const char *name, bool *out,
          struct problem *why)
{
    const char *s = form_str(form, name);

    if (s == NULL)
        return OK;
    if (strcmp(s, "true") == 0 || strcmp(s, "1") == 0)
        *out = true;
    else if (strcmp(s, "false") == 0 || strcmp(s, "0") == 0 || *s == '\0')
        *out = false;
    else
        return bad_field(why, name, "true or false");
    return OK;
}

static enum err
form_num(const struct form *form, const char *name, double max, double *out,
         struct problem *why)
{
    const char *s = form_str(form, name);
    char must[40];
    char *end;
    double v;

    if (s == NULL || *s == '\0')
        return OK;
    v = strtod(s, &end);
    if (s[strspn(s, "0123456789.eE+-")] != '\0' || *end != '\0' ||
        !(v >= 0 && v <= max)) {
        (void)snprintf(must, sizeof(must), "a number from 0 to %g", max);
        return bad_field(why, name, must);
    }
    *out = v;
    return OK;
}

static enum err
form_files(const struct form *form, struct fields *f, struct problem *why)
{
    const char *s = form_str(form, "files");
    bool yes = false;

    if (s == NULL || *s == '\0')
        return OK;
    if (form_bool(form, "files", &yes, why) != OK)
        return ERR_BADREQ;
    f->files = yes;
    return OK;
}

static enum err
form_fields(const struct form *form, struct fields *f, struct problem *why)
{
    const struct form_field *message = form_get(form, "message");
    const char *tokens = form_str(form, "max_tokens");
    char must[64];

    if (message != NULL) {
        f->message = message->value;
        f->message_len = message->value_len;
    }
    f->session_id = form_str(form, "session_id");
    f->provider = form_str(form, "provider");
    f->model = form_str(form, "model");
    f->context = form_str(form, "context");
    f->idem = form_str(form, "client_message_id");
    f->parent = form_str(form, "parent_message_id");
    if (form_str(form, "stop") != NULL)
        f->stop[f->n_stop++] = form_str(form, "stop");
    if (form_files(form, f, why) != OK ||
        form_bool(form, "stream", &f->stream, why) != OK ||
        form_bool(form, "detach", &f->detach, why) != OK ||
        form_bool(form, "temporary", &f->temporary, why) != OK ||
        form_num(form, "temperature", 2, &f->temperature, why) != OK ||
        form_num(form, "top_p", 1, &f->top_p, why) != OK)
        return ERR_BADREQ;
    if (tokens != NULL && *tokens != '\0' &&
        text_i64(tokens, strlen(tokens), 1, MAX_TOKENS_MAX, &f->max_tokens) !=
            OK) {
        (void)snprintf(must, sizeof(must), "a whole number from 1 to %d",
                       MAX_TOKENS_MAX);
        return bad_field(why, "max_tokens", must);
    }
    return OK;
}

/* --- from fields to an ask ----------------------------------------------- */

static enum err
take_history(struct turn_ask *a, const cJSON *history, struct problem *why)
{
    const cJSON *item;
    int n = cJSON_GetArraySize(history);

    if (n > PROMPT_GIVEN_MAX)
        return problem_set(why, ERR_TOOBIG, NULL, "The history is too long",
                           "At most %d messages.", PROMPT_GIVEN_MAX);
    a->history_given = true;
    a->history = arena_alloc(&a->arena, (size_t)n * sizeof(*a->history));
    cJSON_ArrayForEach(item, history) {
        const char *role = json_str(item, "role");
        const char *content = json_str(item, "content");
        struct ask_message *m = &a->history[a->n_history];

        if (role == NULL || content == NULL || role_parse(role, &m->role) != OK)
            return bad_field(why, "history", "an array of {role, content}");
        m->len = strlen(content);
        m->text = arena_memdup0(&a->arena, content, m->len);
        a->n_history++;
    }
    return OK;
}

static enum err
take_session(struct turn_ask *a, const struct fields *f, struct problem *why)
{
    char id[IDENT_SESSION_MAX + 1];

    if (app_session_id(f->session_id, id, why) != OK)
        return why->err;
    a->fresh = f->session_id == NULL || f->session_id[0] == '\0';
    a->session_id = arena_strdup(&a->arena, id);
    return OK;
}

static enum err
take_idem(struct turn_ask *a, const char *key, struct problem *why)
{
    size_t n;

    if (key == NULL || key[0] == '\0')
        return OK;
    n = strlen(key);
    if (n > PROMPT_IDEM_MAX)
        return problem_set(why, ERR_BADREQ, "invalid_idempotency_key",
                           "The idempotency key is too long",
                           "At most %d bytes.", PROMPT_IDEM_MAX);
    /* Without a session the key alone names its owner's turn (of nobody's see
     * api/chat.c): a short one could be that of another question. */
    if (a->fresh && n < IDEM_GLOBAL_MIN)
        return OK;
    a->idem_key = arena_memdup0(&a->arena, key, n);
    a->idem_scope = a->fresh ? "" : a->session_id;
    return OK;
}

static enum err
take_parent(struct turn_ask *a, const char *parent, struct problem *why)
{
    struct ident id;

    if (parent == NULL || parent[0] == '\0')
        return OK;
    if (ident_parse(parent, strlen(parent), &id) != OK)
        return app_message_missing(why, "parent_message_id");
    a->follows = (struct ident *)(void *)arena_memdup0(&a->arena, &id,
                                                       sizeof(id));
    return OK;
}

static enum err
take_fields(struct turn_ask *a, const struct fields *f, const char *idem,
            struct problem *why)
{
    enum err e;

    if (f->message == NULL || text_blank(f->message, f->message_len))
        return problem_set(why, ERR_BADREQ, "missing_message",
                           "Missing required parameter: message",
                           "Please provide a 'message' field");
    if (f->message_len > PROMPT_MESSAGE_MAX)
        return problem_set(why, ERR_TOOBIG, "message_too_big",
                           "The message is too long",
                           "At most %d bytes; attach long texts in parts.",
                           PROMPT_MESSAGE_MAX);
    if (f->model != NULL && strlen(f->model) > STORE_NAME_MAX)
        return bad_field(why, "model", "at most 128 bytes");
    a->text = arena_memdup0(&a->arena, f->message, f->message_len);
    a->text_len = f->message_len;
    command_read(a);
    a->any_model = (f->model == NULL || f->model[0] == '\0') &&
                   (f->provider == NULL || f->provider[0] == '\0');
    a->context = arena_strdup(&a->arena, f->context);
    a->temperature = f->temperature;
    a->top_p = f->top_p;
    a->ask.max_tokens = f->max_tokens;
    for (size_t i = 0; i < f->n_stop; i++)
        a->ask.stop[a->ask.n_stop++] = arena_strdup(&a->arena, f->stop[i]);
    a->temporary = f->temporary;
    a->files = f->files;
    e = f->temporary ? temporary_check(why) : OK;
    if (e == OK)
        e = take_session(a, f, why);
    if (e == OK)
        e = take_idem(a, f->idem != NULL ? f->idem : idem, why);
    if (e == OK)
        e = take_parent(a, f->parent, why);
    if (e == OK && f->history != NULL)
        e = take_history(a, f->history, why);
    if (e != OK)
        return e;
    return catalog_route(f->provider, arena_strdup(&a->arena, f->model),
                         &a->route, why);
}

static enum err
read_form(struct request *rq, const char *s, size_t n, struct fields *f,
          struct problem *why)
{
    struct form form;
    enum err e = form_parse(&form, &rq->arena, s, n, why);

    return e != OK ? e : form_fields(&form, f, why);
}

/* json is what f is of; NULL: it is of a form. */
static enum err
make_ask(const struct fields *f, const cJSON *json, const char *owner,
         const char *idem, struct turn_ask **out, struct ask_options *opt,
         struct problem *why)
{
    struct turn_ask *a = turn_ask_new();
    enum err e;

    a->owner = arena_strdup(&a->arena, owner);
    e = take_fields(a, f, idem, why);
    if (e == OK && json != NULL)
        e = ask_media(a, json, why);
    if (e != OK) {
        turn_ask_free(a);
        return e;
    }
    *out = a;
    *opt = (struct ask_options){.stream = f->stream, .detach = f->detach};
    return OK;
}

enum err
ask_parse(struct request *rq, bool query, struct turn_ask **out,
          struct ask_options *opt, struct problem *why)
{
    const char *idem = request_header(rq, "Idempotency-Key");
    struct fields f = no_fields;
    cJSON *json = NULL;
    enum err e;

    if (!query && rq->body_len == 0)
        e = OK; /* no field at all */
    else if (query)
        e = read_form(rq, rq->query, strlen(rq->query), &f, why);
    else if (strcmp(rq->type, "application/x-www-form-urlencoded") == 0)
        e = read_form(rq, rq->body != NULL ? rq->body : "", rq->body_len, &f,
                      why);
    else if (strcmp(rq->type, "application/json") == 0 || *rq->type == '\0')
        e = json_parse(rq->body != NULL ? rq->body : "", rq->body_len, &json,
                       why);
    else
        e = problem_set(why, ERR_TYPE, NULL, NULL, NULL);
    if (e == OK)
        e = json != NULL
                ? ask_from_json(json, app_owner(rq), idem, out, opt, why)
                : make_ask(&f, NULL, app_owner(rq), idem, out, opt, why);
    cJSON_Delete(json);
    return e;
}

enum err
ask_from_json(const cJSON *json, const char *owner, const char *idem,
              struct turn_ask **out, struct ask_options *opt,
              struct problem *why)
{
    struct fields f = no_fields;
    enum err e = json_fields(json, &f, why);

    return e != OK ? e : make_ask(&f, json, owner, idem, out, opt, why);
}

enum err
ask_load(struct engine *en, struct turn_ask *a, struct ident *existing,
         struct problem *why)
{
    enum err e = ERR_STOPPING;

    if (!engine_draining(en))
        e = a->command == NULL ? prompt_load(engine_store(en), a, existing)
            : a->temporary     ? prompt_session(engine_store(en), a)
                               : OK;
    if (e == OK && retrieve_check(en, a, why) != OK)
        return why->err;
    if (e == OK)
        retrieve(en, a);
    if (e == OK || e == ERR_CONFLICT)
        return e;
    if (e == ERR_NOTFOUND)
        (void)app_message_missing(why, "parent_message_id");
    else
        (void)temporary_problem(why, e);
    why->retry_after_s = e == ERR_STOPPING ? STOPPING_RETRY_S : 0;
    return e;
}
