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
#include "upstream/sse_parse.h"

#define CURSOR_MAX 1024 /* bytes of a page's name */
#define VERSION_DEFAULT "2023-06-01"
#define MODELS_PAGE "1000" /* the most that the wire gives at once */

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

enum mode {
    MODE_START, /* only white space so far */
    MODE_SSE,
    MODE_JSON,
    MODE_ENDED /* the end or an error was told: the rest is ignored */
};

struct reader {
    enum mode mode;
    struct sse_parser sse;
    struct buf json; /* MODE_JSON: the body so far */
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

    sse_parse_init(&r->sse);
    buf_init(&r->json, WIRE_BODY_MAX);
    r->events = anthropic_events_new();
    return r;
}

static void
reader_free(void *reader)
{
    struct reader *r = reader;

    if (r == NULL)
        return;
    sse_parse_release(&r->sse);
    buf_release(&r->json);
    anthropic_events_free(r->events);
    free(r);
}

static enum err
garbage(struct problem *why)
{
    return reply_garbage(why, "Check that the provider's address belongs to "
                              "the Messages API.");
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
        c->r->mode = MODE_ENDED;
        c->fn(c->arg, &p);
        return ERR_HUP;
    }
    if (!is_ours(name))
        return OK;
    e = anthropic_event(c->r->events, data, n, c->fn, c->arg, c->why);
    if (e == ERR_HUP)
        c->r->mode = MODE_ENDED;
    return e;
}

/* The first byte that is not white space decides. */
static enum err
choose(struct call *c, const char **p, size_t *n)
{
    while (*n > 0 && memchr(" \t\r\n", **p, 4) != NULL) {
        (*p)++;
        (*n)--;
    }
    if (*n == 0)
        return OK;
    if (**p == '<')
        return garbage(c->why);
    c->r->mode = **p == '{' ? MODE_JSON : MODE_SSE;
    return OK;
}

static enum err
feed(void *reader, const char *p, size_t n, part_fn *fn, void *arg,
     struct problem *why)
{
    struct reader *r = reader;
    struct call c = {r, fn, arg, why};
    enum err e;

    if (r->mode == MODE_START && choose(&c, &p, &n) != OK)
        return ERR_UPSTREAM;
    if (r->mode == MODE_JSON) {
        buf_add(&r->json, p, n);
        return buf_status(&r->json) == OK ? OK : garbage(why);
    }
    if (r->mode != MODE_SSE)
        return OK;
    e = sse_parse(&r->sse, p, n, on_event, &c);
    if (e == ERR_TOOBIG)
        return garbage(why);
    return e == ERR_HUP ? OK : e;
}

/* The reply came in one piece; if it does not parse, it is not all of it. */
static enum err
end_json(struct call *c)
{
    struct reader *r = c->r;
    enum err e = anthropic_message(r->events, r->json.data, r->json.len, c->fn,
                                   c->arg, c->why);

    if (e == ERR_HUP) {
        r->mode = MODE_ENDED;
        return OK;
    }
    return e == OK ? garbage(c->why) : reply_cut(c->why);
}

static enum err
end(void *reader, part_fn *fn, void *arg, struct problem *why)
{
    struct reader *r = reader;
    struct call c = {r, fn, arg, why};

    if (r->mode == MODE_ENDED)
        return OK;
    if (r->mode == MODE_JSON)
        return end_json(&c);
    return r->mode == MODE_SSE && !anthropic_known(r->events) ? garbage(why)
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

/* 2025-09-29T00:00:00Z; the wire's times are UTC. -1: it is not one. */
static int64_t
time_of(const char *s)
{
    struct tm tm = {0};

    if (s == NULL || strptime(s, "%Y-%m-%dT%H:%M:%S", &tm) == NULL)
        return -1;
    return (int64_t)timegm(&tm);
}

/* Missing, null and 0 all mean that it is not known. */
static int64_t
count_of(const cJSON *o, const char *name)
{
    int64_t v = json_i64(o, name, -1);

    return v > 0 ? v : -1;
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
        return garbage(why);
    }
    cJSON_ArrayForEach(one, list) {
        struct model_info m = {
            .id = json_str(one, "id"),
            .created_s = time_of(json_str(one, "created_at")),
            .context_tokens = count_of(one, "max_input_tokens"),
            .output_tokens = count_of(one, "max_tokens"),
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
};
