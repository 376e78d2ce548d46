/*
 * The record is a JSON object of the members that were set, under a name that
 * does not tell whose it is. A new setting of the server reaches who never
 * chose: so a member that is not there stays not there, and null takes one
 * away.
 */
#include "base/base.h"

#include "api/file_config.h"

#include "api/file_json.h"
#include "api/who.h"
#include "base/conf.h"
#include "base/digest.h"
#include "base/json.h"

#define ROUNDS 3 /* of a conversation that count, unless asked otherwise */
#define TRIES 16 /* others may be faster so often */
#define NAME "files/config/"
#define NAME_MAX_ (sizeof(NAME) + DIGEST_NAME_LEN)

/* Where no system prompt is set. */
#define SYSTEM_TEXT                                                        \
    "You are a helpful assistant. Where excerpts of the user's files are " \
    "given, answer from them and name the files; if they do not hold the " \
    "answer, say so."

static size_t
record_name(char out[NAME_MAX_], const char *owner)
{
    char digest[DIGEST_NAME_LEN];

    digest_name(digest, owner, strlen(owner));
    return (size_t)snprintf(out, NAME_MAX_, NAME "%s", digest);
}

static void
config_default(struct file_config *c)
{
    const char *prompt = conf_str(CONF_SYSTEM_PROMPT);

    c->top_k = conf_int(CONF_FILES_TOP_K);
    c->recency_bias = 0;
    c->chat_rounds = ROUNDS;
    c->system_prompt = *prompt != '\0' ? prompt : SYSTEM_TEXT;
}

/* What is not there stays as it is. */
static enum err
config_read(struct file_config *c, const cJSON *o, struct problem *why)
{
    const char *prompt = NULL;

    if (!cJSON_IsObject(o))
        return problem_set(why, ERR_BADREQ, "invalid_json",
                           "The body is not a JSON object", "%s", "");
    if (json_get_i64(o, "top_k", 1, FILES_TOP_K_MAX, &c->top_k, why) != OK ||
        json_get_num(o, "recency_bias", 0, 1, &c->recency_bias, why) != OK ||
        json_get_i64(o, "chat_rounds", 0, FILE_CONFIG_ROUNDS_MAX,
                     &c->chat_rounds, why) != OK ||
        json_get_str(o, "system_prompt", &prompt, why) != OK)
        return why->err;
    if (prompt == NULL)
        return OK;
    if (strlen(prompt) > FILE_CONFIG_PROMPT_MAX)
        return problem_set(why, ERR_TOOBIG, "prompt_too_long",
                           "The system prompt is too long", "At most %d bytes.",
                           FILE_CONFIG_PROMPT_MAX);
    (void)snprintf(c->own, sizeof(c->own), "%s", prompt);
    c->system_prompt = c->own;
    return OK;
}

/* The members that the owner set; never NULL. was is the record as it stands,
 * empty where there is none. */
static cJSON *
load_set(struct store *s, const char *owner, struct buf *was)
{
    char name[NAME_MAX_];
    size_t n = record_name(name, owner);
    cJSON *o = NULL;

    buf_clear(was);
    if (store_record(s, name, n, was) == OK)
        o = json_parse_lenient(buf_cstr(was), was->len);
    if (!cJSON_IsObject(o)) {
        cJSON_Delete(o);
        o = cJSON_CreateObject();
    }
    if (o == NULL)
        abort(); /* as xmalloc does */
    return o;
}

void
file_config_load(struct store *s, const char *owner, struct file_config *out)
{
    struct problem ignored;
    struct buf was;
    cJSON *o;

    buf_init(&was, STORE_RECORD_MAX + 1);
    o = load_set(s, owner, &was);
    config_default(out);
    IGNORE(config_read(out, o, &ignored));
    cJSON_Delete(o);
    buf_release(&was);
}

/* --- the routes ---------------------------------------------------------- */

static void
send_config(struct app *app, struct request *rq, const struct file_config *c)
{
    struct json_out j;
    struct buf body;

    buf_init(&body, 8 * (strlen(c->system_prompt) + FILE_CONFIG_PROMPT_MAX));
    json_out_init(&j, &body);
    json_begin_obj(&j);
    json_put_i64(&j, "top_k", c->top_k);
    json_name(&j, "recency_bias");
    json_add_num(&j, c->recency_bias);
    json_put_i64(&j, "chat_rounds", c->chat_rounds);
    json_put_str(&j, "system_prompt", c->system_prompt);
    json_end_obj(&j);
    app_json(app, rq, 200, &body);
}

void
api_config(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct file_config c;

    file_config_load(engine_store(app->en), app_owner(rq), &c);
    send_config(app, rq, &c);
}

/* Put what was sent over what is set. */
static void
merge(cJSON *set, const cJSON *sent)
{
    static const char *const names[] = {"top_k", "recency_bias", "chat_rounds",
                                        "system_prompt"};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(sent, names[i]);
        cJSON *copy;

        if (v == NULL)
            continue;
        cJSON_DeleteItemFromObjectCaseSensitive(set, names[i]);
        if (cJSON_IsNull(v))
            continue;
        copy = cJSON_Duplicate(v, true);
        if (copy == NULL || !cJSON_AddItemToObject(set, names[i], copy))
            abort(); /* as xmalloc does */
    }
}

/* ERR_CONFLICT: it is not as it was. */
static enum err
save(struct store *s, const char *owner, const cJSON *set,
     const struct buf *was)
{
    struct store_op op = {.kind = STORE_RECORDS, .owner = ""};
    struct record_change change = {.expires_ms = 0};
    char *text = cJSON_PrintUnformatted(set);
    char name[NAME_MAX_];
    enum err e;

    if (text == NULL)
        abort(); /* as xmalloc does */
    change.name = name;
    change.n = record_name(name, owner);
    change.value = text;
    change.len = strlen(text);
    change.expect = was->len > 0 ? RECORD_SAME : RECORD_ABSENT;
    change.was = was->data;
    change.was_len = was->len;
    op.records.changes = &change;
    op.records.n = 1;
    e = change.len > STORE_RECORD_MAX ? ERR_TOOBIG : store_apply(s, &op);
    cJSON_free(text);
    return e;
}

/* Two requests at once may set different members. */
static enum err
change_set(struct store *s, const char *owner, const cJSON *sent,
           struct problem *why)
{
    enum err e = ERR_CONFLICT;
    struct buf was;

    buf_init(&was, STORE_RECORD_MAX + 1);
    for (int i = 0; i < TRIES && e == ERR_CONFLICT; i++) {
        cJSON *set = load_set(s, owner, &was);

        merge(set, sent);
        e = save(s, owner, set, &was);
        cJSON_Delete(set);
    }
    buf_release(&was);
    return e == OK ? OK : problem_set(why, e, NULL, NULL, NULL);
}

void
api_config_set(void *arg, struct request *rq)
{
    struct app *app = arg;
    const char *owner = app_owner(rq);
    struct problem p = {.err = OK};
    struct file_config c;
    cJSON *sent = NULL;
    enum err e = json_parse(rq->body != NULL ? rq->body : "", rq->body_len,
                            &sent, &p);

    config_default(&c);
    if (e == OK && owner[0] == '\0' && !app_lists(rq))
        e = problem_set(&p, ERR_AUTH, "owner_needed", "Who are you?",
                        "Sign in, or let the browser keep cookies.");
    if (e == OK)
        e = config_read(&c, sent, &p);
    if (e == OK)
        e = change_set(engine_store(app->en), owner, sent, &p);
    cJSON_Delete(sent);
    if (e != OK) {
        app_fail(app, rq, &p);
        return;
    }
    file_config_load(engine_store(app->en), owner, &c);
    send_config(app, rq, &c);
}
