/*
 * AWS Bedrock: Converse and InvokeModel, streamed or whole (docs/WIRE.md). This
 * file reads replies; what is asked is built in bedrock_request.c and
 * bedrock_body.c, what an event says is in bedrock_event.c, or in
 * anthropic_event.c where Claude's own events come through InvokeModel.
 *
 * The first byte tells the two forms of a reply apart: a frame's length begins
 * with a small number, and JSON with a brace. In a stream an event's name does:
 * InvokeModel calls every one "chunk" and wraps the model's own in base64.
 * The first of them decides for the whole reply. Any thread; no I/O.
 */
#include "base/base.h"

#include "provider/bedrock.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "provider/anthropic.h"
#include "provider/eventstream.h"
#include "provider/meaning.h"
#include "provider/wire.h"
#include "provider/wire_reply.h"

enum mode {
    MODE_START, /* nothing yet, or white space */
    MODE_FRAMES,
    MODE_JSON,
    MODE_ENDED /* the end or an error was told: the rest is ignored */
};

struct bedrock_reader {
    enum mode mode;
    struct eventstream frames;
    struct bedrock_events *converse; /* owned */
    struct anthropic_events *claude; /* owned; NULL until a chunk came */
    struct buf json;                 /* MODE_JSON: the body so far */
    bool framed;                     /* a whole frame came */
};

/* One call of feed or end. */
struct call {
    struct bedrock_reader *r;
    part_fn *fn;
    void *arg;
    struct problem *why;
};

static void *
reader_new(void)
{
    struct bedrock_reader *r = xcalloc(1, sizeof(*r));

    eventstream_init(&r->frames);
    r->converse = bedrock_events_new();
    buf_init(&r->json, WIRE_BODY_MAX);
    return r;
}

static void
reader_free(void *reader)
{
    struct bedrock_reader *r = reader;

    if (r == NULL)
        return;
    eventstream_release(&r->frames);
    bedrock_events_free(r->converse);
    anthropic_events_free(r->claude);
    buf_release(&r->json);
    free(r);
}

static enum err
garbage(struct problem *why)
{
    return reply_garbage(why, "Check that the address belongs to Bedrock's "
                              "runtime.");
}

static void
tell_error(struct call *c, const struct provider_error *error)
{
    struct part p = {.kind = PART_ERROR, .problem = &error->problem};

    c->r->mode = MODE_ENDED;
    c->fn(c->arg, &p);
}

/* OK and ERR_HUP as they are; what the event readers say of garbage stands. */
static enum err
ended(struct call *c, enum err e)
{
    if (e == ERR_HUP)
        c->r->mode = MODE_ENDED;
    return e;
}

/* --- frames ------------------------------------------------------------- */

/* {"bytes": base64 of an event of Claude's}; without bytes it keeps the
 * connection alive. */
static enum err
take_chunk(struct call *c, const struct eventstream_frame *f)
{
    struct bedrock_reader *r = c->r;
    cJSON *tree = json_parse_lenient(f->payload, f->len);
    const char *bytes = json_str(tree, "bytes");
    struct buf event;
    enum err e = cJSON_IsObject(tree) ? OK : ERR_UPSTREAM;

    buf_init(&event, EVENTSTREAM_PAYLOAD_MAX);
    if (bytes != NULL)
        e = text_unbase64(&event, bytes, strlen(bytes));
    if (e != OK) {
        e = garbage(c->why);
    } else if (event.len > 0) {
        if (r->claude == NULL)
            r->claude = anthropic_events_new();
        e = anthropic_event(r->claude, event.data, event.len, c->fn, c->arg,
                            c->why);
    }
    buf_release(&event);
    cJSON_Delete(tree);
    return e;
}

static enum err
on_frame(void *arg, const struct eventstream_frame *f)
{
    struct call *c = arg;
    struct provider_error error;
    bool chunk = strcmp(f->type, "chunk") == 0;

    c->r->framed = true;
    if (strcmp(f->message_type, "exception") == 0 ||
        strcmp(f->message_type, "error") == 0) {
        bedrock_exception(f->type, f->payload, f->len, &error);
        tell_error(c, &error);
        return ERR_HUP;
    }
    if (strcmp(f->message_type, "event") != 0)
        return OK;
    if (chunk && !bedrock_known(c->r->converse))
        return ended(c, take_chunk(c, f));
    if (!chunk && c->r->claude == NULL)
        return ended(c, bedrock_event(c->r->converse, f->type, f->payload,
                                      f->len, c->fn, c->arg, c->why));
    return OK;
}

static enum err
feed_frames(struct call *c, const char *p, size_t n)
{
    enum err e = eventstream_feed(&c->r->frames, p, n, on_frame, c);

    if (e == ERR_BADREQ || e == ERR_TOOBIG)
        return garbage(c->why);
    return e == ERR_HUP ? OK : e;
}

/* --- the reply ---------------------------------------------------------- */

/* The first byte that is not white space decides. */
static void
choose(struct bedrock_reader *r, const char **p, size_t *n)
{
    int first = wire_first(p, n);

    if (first >= 0)
        r->mode = first == '{' ? MODE_JSON : MODE_FRAMES;
}

static enum err
feed(void *reader, const char *p, size_t n, part_fn *fn, void *arg,
     struct problem *why)
{
    struct bedrock_reader *r = reader;
    struct call c = {r, fn, arg, why};

    if (r->mode == MODE_START)
        choose(r, &p, &n);
    if (r->mode == MODE_JSON) {
        buf_add(&r->json, p, n);
        return buf_status(&r->json) == OK ? OK : garbage(why);
    }
    return r->mode == MODE_FRAMES ? feed_frames(&c, p, n) : OK;
}

/* A reply in one piece: Converse's, Claude's, or an error. */
static enum err
take_whole(struct call *c, const cJSON *tree)
{
    struct bedrock_reader *r = c->r;
    struct provider_error error;

    if (json_obj(tree, "output") != NULL)
        return bedrock_message(r->converse, r->json.data, r->json.len, c->fn,
                               c->arg, c->why);
    if (json_arr(tree, "content") != NULL) {
        r->claude = anthropic_events_new();
        return anthropic_message(r->claude, r->json.data, r->json.len, c->fn,
                                 c->arg, c->why);
    }
    if (json_str(tree, "message") == NULL &&
        json_str(tree, "Message") == NULL && json_str(tree, "__type") == NULL)
        return garbage(c->why);
    bedrock_error(NULL, r->json.data, r->json.len, &error);
    tell_error(c, &error);
    return OK;
}

static enum err
end_json(struct call *c)
{
    cJSON *tree = json_parse_lenient(c->r->json.data, c->r->json.len);
    enum err e = tree != NULL ? take_whole(c, tree) : reply_cut(c->why);

    cJSON_Delete(tree);
    return ended(c, e) == ERR_HUP ? OK : e;
}

static enum err
end(void *reader, part_fn *fn, void *arg, struct problem *why)
{
    struct bedrock_reader *r = reader;
    struct call c = {r, fn, arg, why};

    if (r->mode == MODE_ENDED)
        return OK;
    if (r->mode == MODE_JSON)
        return end_json(&c);
    if (bedrock_known(r->converse))
        return bedrock_events_end(r->converse, fn, arg, why);
    return r->framed && r->claude == NULL ? garbage(why) : reply_cut(why);
}

/* Others count them in. */
static int64_t
thought_tokens(const char *effort, const char *model)
{
    return bedrock_is_claude(model) ? anthropic_budget(effort) : 0;
}

const struct provider provider_bedrock = {
    .name = "bedrock",
    .build = bedrock_build,
    .reader_new = reader_new,
    .reader_free = reader_free,
    .feed = feed,
    .end = end,
    .error = bedrock_error,
    .models_build = bedrock_models_build,
    .models_read = bedrock_models_read,
    .thought_tokens = thought_tokens,
    .embed_max = 1,
    .embed_build = bedrock_embed_build,
    .embed_read = bedrock_embed_read,
};
