/*
 * What a client says over WebSocket. A frame is parsed by the strict rules of
 * base/json.h; then its endpoint, its type and its members say which dialect
 * it is, unless an earlier frame said so. One that cannot be understood is
 * told and decides nothing, so that the next one may be right.
 *
 * What is asked goes on as the object that POST /chat takes: the same checks
 * are made of it there. Pure.
 */
#include "base/base.h"

#include "dialect/ws_inside.h"

#include "auth/credentials.h"
#include "base/text.h"

static const struct ws_speech *const speeches[WS__MAX] = {
    [WS_COMMANDS] = &ws_commands,
    [WS_CLIENT] = &ws_client,
    [WS_STREAMING] = &ws_streaming,
    [WS_CLOUD] = &ws_cloud,
};

const struct ws_speech *
ws_speech(const struct ws *w)
{
    return speeches[w->dialect];
}

void
ws_init(struct ws *w, enum ws_endpoint at)
{
    w->at = at;
    w->dialect = at == WS_AT_CLOUD || at == WS_AT_LOCAL ? WS_CLOUD
                                                        : WS_UNDECIDED;
}

/* --- what the dialects share ---------------------------------------------- */

void
ws_bad(struct ws_in *in, const char *code, const char *error,
       const char *message)
{
    in->what = WS_BAD;
    (void)problem_set(&in->why, ERR_BADREQ, code, error, "%s", message);
}

void
ws_bad_member(struct ws_in *in, const char *name, const char *rule)
{
    char error[80], message[160];

    (void)snprintf(error, sizeof(error), "Invalid parameter: %s", name);
    (void)snprintf(message, sizeof(message), "%s must be %s", name, rule);
    ws_bad(in, "invalid_parameter", error, message);
}

void
ws_bad_type(struct ws_in *in, const char *type)
{
    char error[sizeof(in->why.error)];
    size_t n = utf8_whole(type, strnlen(type, 40));

    (void)snprintf(error, sizeof(error), WS_SAY_TYPE ": %.*s", (int)n, type);
    ws_bad(in, "unknown_type", error, "");
}

bool
ws_lacks(const cJSON *o, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, name);

    return v == NULL || cJSON_IsNull(v);
}

void
ws_ask(struct ws_in *in, const char *text)
{
    static const char *const ours[] = {"type", "content", "stream", "detach"};
    cJSON *o = in->ask;
    cJSON *message;

    if (text == NULL || text_blank(text, strlen(text))) {
        ws_bad(in, "missing_message", WS_SAY_MESSAGE,
               "Please provide a 'message' field");
        return;
    }
    in->stream = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, "stream"));
    message = cJSON_CreateString(text);
    if (message == NULL)
        abort(); /* as xmalloc does */
    cJSON_DeleteItemFromObjectCaseSensitive(o, "message");
    for (size_t i = 0; i < COUNT_OF(ours); i++)
        cJSON_DeleteItemFromObjectCaseSensitive(o, ours[i]);
    cJSON_AddItemToObject(o, "message", message);
    in->what = WS_ASK;
}

static const struct {
    const char *type;
    enum ws_what what;
} verbs[] = {
    {"ping", WS_PING},       {"stop", WS_STOP},
    {"auth", WS_AUTH},       {"logout", WS_LOGOUT},
    {"history", WS_HISTORY}, {"get_history", WS_HISTORY},
    {"clear", WS_CLEAR},     {"clear_history", WS_CLEAR},
};

bool
ws_verb(const char *type, enum ws_what *what)
{
    for (size_t i = 0; i < COUNT_OF(verbs); i++)
        if (strcmp(type, verbs[i].type) == 0) {
            *what = verbs[i].what;
            return true;
        }
    return false;
}

/* --- which dialect -------------------------------------------------------- */

/* Of a frame with a type. */
static enum ws_dialect
decide_typed(const struct ws *w, const char *type)
{
    enum ws_what what;

    if (strcmp(type, "chat_message") == 0)
        return WS_STREAMING;
    if (strcmp(type, "chat") == 0)
        return WS_CLIENT;
    if (!ws_verb(type, &what))
        return WS_UNDECIDED;
    /* Both have these; the clients of each know their own endpoint. */
    return w->at == WS_AT_CLIENT ? WS_STREAMING : WS_CLIENT;
}

static enum ws_dialect
decide(const struct ws *w, const cJSON *o)
{
    const cJSON *type = cJSON_GetObjectItemCaseSensitive(o, "type");
    const cJSON *message = cJSON_GetObjectItemCaseSensitive(o, "message");

    if (cJSON_IsString(type))
        return decide_typed(w, type->valuestring);
    if (!ws_lacks(o, "type"))
        return WS_UNDECIDED;
    if (cJSON_IsObject(message))
        return WS_STREAMING;
    if (cJSON_IsString(message))
        return WS_COMMANDS;
    return message == NULL && !ws_lacks(o, "content") ? WS_STREAMING
                                                      : WS_UNDECIDED;
}

/* What is wrong with a first frame that is of no dialect. */
static void
complain(struct ws_in *in)
{
    const cJSON *type = cJSON_GetObjectItemCaseSensitive(in->ask, "type");

    if (cJSON_IsString(type))
        ws_bad_type(in, type->valuestring);
    else if (!ws_lacks(in->ask, "type"))
        ws_bad_member(in, "type", "a string");
    else if (!ws_lacks(in->ask, "message"))
        ws_bad_member(in, "message", "a string");
    else
        ws_ask(in, NULL);
}

/* --- a frame -------------------------------------------------------------- */

static bool
parse(const char *s, size_t n, struct ws_in *in)
{
    struct problem why = {.err = OK};

    if (json_parse(s, n, &in->ask, &why) != OK) {
        ws_bad(in, "invalid_json", WS_SAY_FORMAT, why.message);
        in->why.err = why.err;
    } else if (!cJSON_IsObject(in->ask)) {
        ws_bad(in, "invalid_json", WS_SAY_FORMAT, "Send a JSON object.");
    } else {
        return true;
    }
    return false;
}

void
ws_read(struct ws *w, const char *s, size_t n, struct ws_in *in)
{
    enum ws_dialect d;

    (void)memset(in, 0, sizeof(*in));
    if (parse(s, n, in)) {
        d = w->dialect != WS_UNDECIDED ? w->dialect : decide(w, in->ask);
        w->dialect = d;
        if (d == WS_UNDECIDED)
            complain(in);
        else
            speeches[d]->read(w, in);
    }
    if (in->what == WS_ASK || in->what == WS_CONTEXT)
        return;
    /* Secrets come by "auth", and by what was meant to be one. */
    json_wipe(in->ask);
    in->ask = NULL;
}

void
ws_in_release(struct ws_in *in)
{
    cJSON_Delete(in->ask);
    in->ask = NULL;
    credentials_free(in->auth);
    in->auth = NULL;
}
