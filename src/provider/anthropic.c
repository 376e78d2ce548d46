/*
 * Anthropic's Messages API (docs/WIRE.md). This file makes the request's head
 * and reads the reply's frame; the body is in anthropic_body.c, an event in
 * anthropic_event.c, an error in anthropic_error.c. Any thread; no I/O, no
 * globals.
 *
 * A reply of status 200 is one of three things, and its first byte tells: an
 * event stream, one JSON object (it was asked for in one piece, or a gateway
 * does not stream), or something else altogether, which is garbage.
 *
 * message_stop is the end. A body that ends before it is cut off, even if a
 * stop_reason was told: the vendor's reader sees it so, too.
 *
 * The list of models comes in pages; the next one begins after last_id. There
 * are no embeddings.
 */
#include "base/base.h"

#include "provider/anthropic.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "provider/meaning.h"
#include "provider/wire.h"
#include "provider/wire_reply.h"

#define CURSOR_MAX 1024 /* bytes of a page's name */
#define VERSION_DEFAULT "2023-06-01"
#define MODELS_PAGE "1000" /* the most that the wire gives at once */

static const char garbage_hint[] =
    "Check that the provider's address belongs to the Messages API.";

/* --- the request -------------------------------------------------------- */

/* base_url may end in /v1, as OpenAI's does, or not, as the vendor's own.
 * path begins with /v1. */
static enum err
put_url(struct upstream_request *out, const struct account *acc,
        const char *path, struct problem *why)
{
    static const char version[] = "/v1";
    size_t len = strlen(acc->base_url), n = sizeof(version) - 1;

    while (len > 0 && acc->base_url[len - 1] == '/')
        len--;
    if (len > n && memcmp(acc->base_url + len - n, version, n) == 0)
        path += n;
    return wire_url(out, acc->base_url, path, "Check ANTHROPIC_BASE_URL.", why);
}

static enum err
put_headers(struct upstream_request *out, const struct account *acc,
            const char *accept, struct problem *why)
{
    const char *version = acc->version != NULL && acc->version[0] != '\0'
                              ? acc->version
                              : VERSION_DEFAULT;

    if (upstream_request_header(out, "Accept", accept) != OK ||
        upstream_request_header(out, "anthropic-version", version) != OK)
        return problem_set(why, ERR_BADREQ, "provider_version",
                           "The provider's version cannot be sent",
                           "ANTHROPIC_VERSION must be one line.");
    return wire_secret(out, "x-api-key", "", acc->key,
                       "ANTHROPIC_API_KEY must be one line.", why);
}

static enum err
build(const struct ask *ask, const struct account *acc,
      struct upstream_request *out, struct problem *why)
{
    enum err e = put_url(out, acc, "/v1/messages", why);

    out->method = "POST";
    if (e == OK)
        e = put_headers(out, acc,
                        ask->whole ? "application/json" : "text/event-stream",
                        why);
    if (e == OK)
        e = upstream_request_header(out, "Content-Type", "application/json");
    return e == OK ? anthropic_body(&out->body, ask, false, why) : e;
}

/* --- the reply ---------------------------------------------------------- */

struct reader {
    struct wire_reply reply;
    struct anthropic_events *events;
};

/* One call of feed or end. */
struct call {
    struct reader *r;
    part_fn *fn;
    void *arg;
    struct problem *why;
};

static void *
reader_new(void)
{
    struct reader *r = xcalloc(1, sizeof(*r));

    wire_reply_init(&r->reply);
    r->events = anthropic_events_new();
    return r;
}

static void
reader_free(void *reader)
{
    struct reader *r = reader;

    if (r == NULL)
        return;
    wire_reply_release(&r->reply);
    anthropic_events_free(r->events);
    free(r);
}

/* Names of events that this wire has; others may be of a kind of their own. */
static bool
is_ours(const char *name)
{
    return name[0] == '\0' || text_starts(name, "message_") ||
           text_starts(name, "content_block_");
}

static enum err
on_event(void *arg, const char *name, const char *data, size_t n)
{
    struct call *c = arg;
    struct part p = {.kind = PART_ERROR};
    struct provider_error error;
    enum err e;

    if (n == 0 || strcmp(name, "ping") == 0)
        return OK;
    if (strcmp(name, "error") == 0) {
        anthropic_error(NULL, data, n, &error);
        p.problem = &error.problem;
        c->r->reply.mode = WIRE_ENDED;
        c->fn(c->arg, &p);
        return ERR_HUP;
    }
    if (!is_ours(name))
        return OK;
    e = anthropic_event(c->r->events, data, n, c->fn, c->arg, c->why);
    if (e == ERR_HUP)
        c->r->reply.mode = WIRE_ENDED;
    return e;
}

static enum err
feed(void *reader, const char *p, size_t n, part_fn *fn, void *arg,
     struct problem *why)
{
    struct reader *r = reader;
    struct call c = {r, fn, arg, why};

    return wire_reply_feed(&r->reply, p, n, on_event, &c, garbage_hint, why);
}

/* The reply came in one piece; if it does not parse, it is not all of it. */
static enum err
end_json(struct call *c)
{
    struct reader *r = c->r;
    enum err e = anthropic_message(r->events, r->reply.json.data,
                                   r->reply.json.len, c->fn, c->arg, c->why);

    if (e == ERR_HUP) {
        r->reply.mode = WIRE_ENDED;
        return OK;
    }
    return e == OK ? reply_garbage(c->why, garbage_hint) : reply_cut(c->why);
}

static enum err
end(void *reader, part_fn *fn, void *arg, struct problem *why)
{
    struct reader *r = reader;
    struct call c = {r, fn, arg, why};

    if (r->reply.mode == WIRE_ENDED)
        return OK;
    if (r->reply.mode == WIRE_JSON)
        return end_json(&c);
    return r->reply.mode == WIRE_EVENTS && !anthropic_known(r->events)
               ? reply_garbage(why, garbage_hint)
               : reply_cut(why);
}

/* --- models ------------------------------------------------------------- */

static enum err
models_build(const struct account *acc, const char *page, int64_t now_ms,
             struct upstream_request *out, struct problem *why)
{
    struct buf path;
    enum err e;

    (void)now_ms;
    buf_init(&path, 4 * CURSOR_MAX);
    buf_adds(&path, "/v1/models?limit=" MODELS_PAGE);
    if (page[0] != '\0') {
        buf_adds(&path, "&after_id=");
        text_percent(&path, page, strlen(page));
    }
    e = buf_status(&path);
    if (e != OK)
        (void)problem_set(why, e, NULL, NULL, NULL);
    if (e == OK)
        e = put_url(out, acc, buf_cstr(&path), why);
    if (e == OK)
        e = put_headers(out, acc, "application/json", why);
    out->method = "GET";
    buf_release(&path);
    return e;
}

static enum err
models_read(const char *body, size_t n, model_fn *fn, void *arg,
            struct buf *next, struct problem *why)
{
    cJSON *tree = json_parse_lenient(body, n);
    const cJSON *list = json_arr(tree, "data"), *one;
    const char *last = json_str(tree, "last_id");

    buf_clear(next);
    if (list == NULL) {
        cJSON_Delete(tree);
        return reply_garbage(why, garbage_hint);
    }
    cJSON_ArrayForEach(one, list) {
        struct model_info m = {
            .id = json_str(one, "id"),
            .created_s = wire_time(json_str(one, "created_at")),
            .context_tokens = wire_limit(one, "max_input_tokens"),
            .output_tokens = wire_limit(one, "max_tokens"),
        };

        if (m.id != NULL && m.id[0] != '\0')
            fn(arg, &m);
    }
    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(tree, "has_more")) &&
        list->child != NULL && last != NULL && strlen(last) <= CURSOR_MAX)
        buf_adds(next, last);
    cJSON_Delete(tree);
    return OK;
}

static int64_t
thought_tokens(const char *effort, const char *model)
{
    (void)model;
    return anthropic_budget(effort);
}

const struct provider provider_anthropic = {
    .name = "anthropic",
    .build = build,
    .reader_new = reader_new,
    .reader_free = reader_free,
    .feed = feed,
    .end = end,
    .error = anthropic_error,
    .models_build = models_build,
    .models_read = models_read,
    .thought_tokens = thought_tokens,
};
