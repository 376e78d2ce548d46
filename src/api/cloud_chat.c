/*
 * POST /api/cloud-chat and POST /api/chat. The context is one JSON body, or the
 * frames that a WebSocket would have been sent, as events. The local answer is
 * what POST /chat gives.
 */
#include "base/base.h"

#include "api/cloud_chat.h"

#include "api/chat.h"
#include "api/file_json.h"
#include "api/package.h"
#include "api/who.h"
#include "base/conf.h"

#define PROVIDERS_MAX 16
#define RESULT_BODY_MAX (64 * 1024 * 1024) /* bytes; a body, escaped */

void
cloud_local(cJSON *ask)
{
    const struct provider *rows[PROVIDERS_MAX];
    bool configured[PROVIDERS_MAX];
    size_t n = catalog_list(rows, configured, PROVIDERS_MAX);
    const char *local = "offline";

    for (size_t i = 0; i < n; i++)
        if (configured[i] && strcmp(rows[i]->name, "ollama") == 0)
            local = "ollama";
    cJSON_DeleteItemFromObjectCaseSensitive(ask, "provider");
    if (cJSON_AddStringToObject(ask, "provider", local) == NULL ||
        (!cJSON_HasObjectItem(ask, "files") &&
         cJSON_AddTrueToObject(ask, "files") == NULL))
        abort(); /* as xmalloc does */
}

/* The request's object, checked. Its end is cJSON_Delete. */
static enum err
read_body(struct request *rq, cJSON **out, struct problem *why)
{
    cJSON *o = NULL;
    enum err e;

    if (strcmp(rq->type, "application/json") != 0 && *rq->type != '\0')
        return problem_set(why, ERR_TYPE, NULL, NULL, NULL);
    e = json_parse(rq->body != NULL ? rq->body : "", rq->body_len, &o, why);
    if (e == OK && !cJSON_IsObject(o))
        e = problem_set(why, ERR_BADREQ, "invalid_json",
                        "The body is not a JSON object",
                        "Send an object with a 'message' field.");
    if (e == OK)
        e = ws_context_check(o, why);
    if (e == OK)
        *out = o;
    else
        cJSON_Delete(o);
    if (e != OK && why->message[0] == '\0')
        (void)snprintf(why->message, sizeof(why->message),
                       "Correct the request and send it again.");
    return e;
}

/* One frame as a server-sent event. */
static void
put_event(struct buf *out, const char *name, const struct buf *frame)
{
    buf_adds(out, "event: ");
    buf_adds(out, name);
    buf_adds(out, "\ndata: ");
    buf_add(out, frame->data, frame->len);
    buf_adds(out, "\n\n");
}

static void
answer_events(struct app *app, struct request *rq, const struct buf *result)
{
    struct buf status;
    struct reply rp;
    struct buf *out;

    buf_init(&status, REPLY_HEAD_MAX);
    ws_context_status(&status);
    reply_begin(&rp, rq, 200, RESULT_BODY_MAX);
    out = reply_body(&rp, "text/event-stream");
    put_event(out, "status", &status);
    put_event(out, "result", result);
    buf_release(&status);
    app_end(app, rq, reply_end(&rp));
}

void
api_cloud_chat(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct problem p = {.err = OK};
    struct package pack;
    struct buf result;
    cJSON *o = NULL;
    enum err e = read_body(rq, &o, &p);

    if (e != OK) {
        app_fail(app, rq, &p);
        return;
    }
    buf_init(&result, RESULT_BODY_MAX / 2);
    e = package_make(&pack, app, files_viewer(rq), who_asks(rq), o, true, &p);
    if (e == OK)
        ws_context_result(&pack.c, &result);
    if (e == OK && buf_status(&result) != OK)
        e = package_too_big(&p);
    package_release(&pack);
    cJSON_Delete(o);
    if (e == OK && request_accepts(rq, "text/event-stream")) {
        answer_events(app, rq, &result);
        buf_release(&result);
    } else if (e == OK) {
        app_json(app, rq, 200, &result);
    } else {
        buf_release(&result);
        app_fail(app, rq, &p);
    }
}

void
api_local_chat(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct ask_options opt = {.stream = false};
    struct problem p = {.err = OK};
    struct turn_ask *ask = NULL;
    cJSON *o = NULL;
    enum err e = read_body(rq, &o, &p);

    if (e == OK) {
        cloud_local(o);
        e = ask_from_json(o, app_owner(rq),
                          request_header(rq, "Idempotency-Key"), &ask, &opt,
                          &p);
        cJSON_Delete(o);
    }
    if (e != OK)
        app_fail(app, rq, &p);
    else
        chat_begin(app, rq, ask, chat_kind(rq, &opt));
}
