/*
 * OpenAI's Chat Completions and everything that speaks it (llama.cpp, vLLM,
 * Ollama, LM Studio, gateways): docs/WIRE.md. This file reads replies; the
 * request is made in openai_build.c, one chunk is read in openai_chunk.c and
 * openai_fast.c, tool calls are put together in openai_calls.c, an error is
 * read in openai_error.c. Any thread; no I/O, no globals.
 *
 * A reply of status 200 is an event stream, one JSON object (a gateway that
 * does not stream, or an error with the wrong status), or garbage; its first
 * byte tells (provider/wire_reply.h).
 *
 * The usage comes in a chunk after the one with finish_reason, so the end is
 * reported only at [DONE] or at the end of the body. A body that ends after
 * finish_reason but without [DONE] is whole.
 */
#include "base/base.h"

#include "provider/openai.h"

#include "base/mem.h"
#include "provider/wire_reply.h"

static const char garbage_hint[] =
    "Check that the base URL belongs to a compatible API; it usually ends in "
    "/v1.";

struct openai_reader {
    struct wire_reply reply;
    openai_error_fn *error;
    struct openai_chunk chunk; /* its memory is reused */
    struct openai_calls calls;
    enum finish finish;
    bool model_told;
    bool known; /* something of this format came */
};

/* One call of feed or end. */
struct call {
    struct openai_reader *r;
    part_fn *fn;
    void *arg;
    struct problem *why;
};

void *
openai_reader_new(openai_error_fn *error)
{
    struct openai_reader *r = xcalloc(1, sizeof(*r));

    wire_reply_init(&r->reply);
    r->error = error;
    openai_chunk_init(&r->chunk);
    openai_calls_init(&r->calls);
    return r;
}

void
openai_reader_free(void *reader)
{
    struct openai_reader *r = reader;

    if (r == NULL)
        return;
    wire_reply_release(&r->reply);
    openai_chunk_release(&r->chunk);
    openai_calls_release(&r->calls);
    free(r);
}

static enum err
garbage(struct problem *why)
{
    return reply_garbage(why, garbage_hint);
}

/* --- parts -------------------------------------------------------------- */

static void
tell_text(struct call *c, enum part_kind kind, const struct openai_text *t)
{
    struct part p = {.kind = kind, .text = t->p, .len = t->len};

    if (t->len > 0)
        c->fn(c->arg, &p);
}

static void
tell_error(struct call *c, const char *s, size_t n)
{
    struct provider_error error;
    struct part p = {.kind = PART_ERROR, .problem = &error.problem};

    c->r->error(NULL, s, n, &error);
    c->r->reply.mode = WIRE_ENDED;
    c->fn(c->arg, &p);
}

static void
tell_finish(struct call *c)
{
    struct part p = {.kind = PART_FINISH, .finish = c->r->finish};

    openai_calls_end(&c->r->calls, c->fn, c->arg);
    if (p.finish == FINISH_NONE)
        p.finish = FINISH_STOP;
    if (p.finish == FINISH_STOP && c->r->calls.n > 0)
        p.finish = FINISH_TOOL_CALLS; /* some servers say "stop" to that */
    c->r->reply.mode = WIRE_ENDED;
    c->fn(c->arg, &p);
}

/* The answer's text, beside it as it stands if there is nothing else to it. */
static void
tell_content(struct call *c, const struct openai_chunk *k)
{
    struct part p = {
        .kind = PART_TEXT, .text = k->content.p, .len = k->content.len};

    if (k->choices.p != NULL && k->reasoning_content.len == 0 &&
        k->reasoning.len == 0 && k->refusal.len == 0 &&
        k->finish == FINISH_NONE) {
        p.choices = k->choices.p;
        p.choices_len = k->choices.len;
    }
    if (p.len > 0)
        c->fn(c->arg, &p);
}

/* ERR_TOOBIG: more calls than there may be. */
static enum err
tell_chunk(struct call *c, const struct openai_chunk *k)
{
    struct part usage = {.kind = PART_USAGE, .usage = k->usage};
    enum err e;

    if (!c->r->model_told && k->model.len > 0) {
        c->r->model_told = true;
        tell_text(c, PART_MODEL, &k->model);
    }
    tell_text(c, PART_REASONING,
              k->reasoning_content.len > 0 ? &k->reasoning_content
                                           : &k->reasoning);
    tell_content(c, k);
    tell_text(c, PART_TEXT, &k->refusal);
    e = openai_calls_take(&c->r->calls, k->calls, k->n_calls, c->fn, c->arg);
    if (e != OK)
        return e;
    if (k->finish != FINISH_NONE)
        c->r->finish = k->finish;
    if (k->has_usage)
        c->fn(c->arg, &usage);
    return OK;
}

/* --- the reply ---------------------------------------------------------- */

/* One JSON text: a chunk, or the whole reply. ERR_UPSTREAM: it is none;
 * ERR_TOOBIG: it is past a limit. */
static enum err
take_json(struct call *c, const char *s, size_t n)
{
    struct openai_chunk *k = &c->r->chunk;
    enum err e = OK;

    if (!openai_chunk_fast(k, s, n))
        e = openai_chunk_read(k, s, n);
    if (e == OK && k->is_error) {
        tell_error(c, s, n);
    } else if (e == OK) {
        c->r->known |= k->known;
        e = tell_chunk(c, k);
    }
    openai_chunk_clear(k);
    return e;
}

static bool
is_done(const char *s, size_t n)
{
    static const char done[] = "[DONE]";
    size_t len = sizeof(done) - 1;

    if (n < len || memcmp(s, done, len) != 0)
        return false;
    while (n > len && (s[n - 1] == ' ' || s[n - 1] == '\t'))
        n--;
    return n == len;
}

static enum err
on_event(void *arg, const char *name, const char *data, size_t n)
{
    struct call *c = arg;
    bool error = strcmp(name, "error") == 0;
    enum err e;

    if (n == 0)
        return OK;
    if (is_done(data, n)) {
        c->r->known = true;
        tell_finish(c);
    } else if (error) {
        tell_error(c, data, n);
    } else {
        e = take_json(c, data, n);
        /* Named ones may be of a kind of their own. */
        if (e == ERR_TOOBIG || (e != OK && name[0] == '\0'))
            return garbage(c->why);
    }
    /* HUP: read no more of it. */
    return c->r->reply.mode == WIRE_ENDED ? ERR_HUP : OK;
}

enum err
openai_feed(void *reader, const char *p, size_t n, part_fn *fn, void *arg,
            struct problem *why)
{
    struct openai_reader *r = reader;
    struct call c = {r, fn, arg, why};

    return wire_reply_feed(&r->reply, p, n, on_event, &c, garbage_hint, why);
}

/* The reply came in one piece; if it does not parse, it is not all of it. */
static enum err
end_json(struct call *c)
{
    struct openai_reader *r = c->r;
    enum err e = take_json(c, r->reply.json.data, r->reply.json.len);

    if (e != OK)
        return e == ERR_TOOBIG ? garbage(c->why) : reply_cut(c->why);
    if (r->reply.mode == WIRE_ENDED)
        return OK;
    if (!r->known)
        return garbage(c->why);
    tell_finish(c);
    return OK;
}

enum err
openai_end(void *reader, part_fn *fn, void *arg, struct problem *why)
{
    struct openai_reader *r = reader;
    struct call c = {r, fn, arg, why};

    if (r->reply.mode == WIRE_ENDED)
        return OK;
    if (r->reply.mode == WIRE_JSON)
        return end_json(&c);
    if (r->finish != FINISH_NONE) {
        tell_finish(&c);
        return OK;
    }
    return r->reply.mode == WIRE_EVENTS && !r->known ? garbage(why)
                                                     : reply_cut(why);
}

/* --- the provider ------------------------------------------------------- */

static void *
reader_new(void)
{
    return openai_reader_new(openai_error);
}

static enum err
models_build(const struct account *acc, const char *page, int64_t now_ms,
             struct upstream_request *out, struct problem *why)
{
    (void)page;
    (void)now_ms;
    return openai_models_ask(&openai_wire, acc, out, why);
}

const struct provider provider_openai = {
    .name = "openai",
    .build = openai_build,
    .reader_new = reader_new,
    .reader_free = openai_reader_free,
    .feed = openai_feed,
    .end = openai_end,
    .error = openai_error,
    .models_build = models_build,
    .models_read = openai_models_read,
    .embed_max = OPENAI_EMBED_MAX,
    .embed_build = openai_embed_build,
    .embed_read = openai_embed_read,
};
