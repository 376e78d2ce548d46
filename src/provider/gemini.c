/*
 * Google's Gemini API, generateContent (docs/WIRE.md). This file cuts replies
 * into responses; one is read in gemini_chunk.c, an error in gemini_error.c,
 * requests are made in gemini_build.c and gemini_contents.c, models and
 * embeddings are in gemini_lists.c. Any thread; no I/O, no globals.
 *
 * A reply of status 200 is one of three things, and its first byte tells: an
 * event stream (what is asked for), one JSON object (a reply that is not
 * streamed), or a JSON array of responses, which is what the API sends when a
 * gateway drops the alt=sse of the address.
 *
 * No event says that a stream is over. It is whole if a finishReason was seen
 * when the body ends, and not before: some models send more after it.
 *
 * An error in the middle of an event stream can come as bare JSON, not as an
 * event (the vendor's SDK looks for it in each piece that it receives). No
 * line of an event begins with a brace, so one that does ends the events, and
 * what follows is read as one JSON text.
 */
#include "base/base.h"

#include "provider/gemini.h"

#include "base/mem.h"
#include "provider/meaning.h"
#include "provider/wire_reply.h"

#define JSON_KEEP 512 /* bytes kept between elements of an array */

enum mode {
    MODE_START, /* only white space so far */
    MODE_SSE,
    MODE_TAIL, /* bare JSON after events */
    MODE_JSON,
    MODE_ARRAY,
    MODE_ENDED /* an error, or the array's end: the rest is ignored */
};

struct gemini_reader {
    enum mode mode;
    struct sse_parser sse;
    struct gemini_answer answer;
    struct buf json; /* TAIL, JSON: all of it; ARRAY: the element so far */
    char last;       /* SSE: the last byte */
    size_t depth;    /* ARRAY: open brackets and braces of the element */
    bool in_string, escaped; /* ARRAY */
    bool ended;              /* FINISH or ERROR was told */
};

/* One call of feed or end. */
struct call {
    struct gemini_reader *r;
    part_fn *fn;
    void *arg;
    struct problem *why;
};

static void *
reader_new(void)
{
    struct gemini_reader *r = xcalloc(1, sizeof(*r));

    sse_parse_init(&r->sse);
    buf_init(&r->json, WIRE_BODY_MAX);
    return r;
}

static void
reader_free(void *reader)
{
    struct gemini_reader *r = reader;

    if (r == NULL)
        return;
    sse_parse_release(&r->sse);
    buf_release(&r->json);
    free(r);
}

static enum err
garbage(struct problem *why)
{
    return reply_garbage(why, "Check the base URL of the Gemini API; it "
                              "usually ends in /v1beta.");
}

/* One response. ERR_HUP: read no more. */
static enum err
take_json(struct call *c, const char *s, size_t n)
{
    enum err e = gemini_chunk(&c->r->answer, s, n, c->fn, c->arg);

    if (e == ERR_HUP) {
        c->r->mode = MODE_ENDED;
        c->r->ended = true;
    }
    return e;
}

/* --- an event stream ----------------------------------------------------- */

static enum err
on_event(void *arg, const char *name, const char *data, size_t n)
{
    struct call *c = arg;
    enum err e;

    if (n == 0 || (n == 6 && memcmp(data, "[DONE]", 6) == 0))
        return OK; /* not Google's, but gateways' */
    e = take_json(c, data, n);
    if (e == ERR_UPSTREAM)
        return name[0] == '\0' ? garbage(c->why) : OK;
    return e;
}

/* A brace at the beginning of a line; NULL: none. */
static const char *
find_tail(const struct gemini_reader *r, const char *p, size_t n)
{
    const char *end = p + n, *s = p;

    for (; s < end && (s = memchr(s, '{', (size_t)(end - s))) != NULL; s++) {
        char before = s > p ? s[-1] : r->last;

        if (before == '\n' || before == '\r')
            return s;
    }
    return NULL;
}

static enum err
feed_json(struct call *c, const char *p, size_t n)
{
    buf_add(&c->r->json, p, n);
    return buf_status(&c->r->json) == OK ? OK : garbage(c->why);
}

static enum err
feed_sse(struct call *c, const char *p, size_t n)
{
    struct gemini_reader *r = c->r;
    const char *tail = find_tail(r, p, n);
    size_t events = tail != NULL ? (size_t)(tail - p) : n;
    enum err e;

    e = sse_parse(&r->sse, p, events, on_event, c);
    if (e == ERR_TOOBIG)
        return garbage(c->why);
    if (e != OK)
        return e == ERR_HUP ? OK : e;
    if (tail == NULL) {
        r->last = p[n - 1];
        return OK;
    }
    r->mode = MODE_TAIL;
    return feed_json(c, tail, n - events);
}

/* --- an array ------------------------------------------------------------ */

/* Where the run of bytes ends that changes nothing: at a byte that does. */
static size_t
run(const struct gemini_reader *r, const char *p, size_t n)
{
    size_t i = 0;

    if (r->escaped)
        return 0;
    while (i < n && p[i] != '"' &&
           (r->in_string
                ? p[i] != '\\'
                : p[i] != '{' && p[i] != '}' && p[i] != '[' && p[i] != ']'))
        i++;
    return i;
}

static enum err
element_ends(struct call *c)
{
    struct buf *json = &c->r->json;
    enum err e = take_json(c, json->data, json->len);

    buf_clear(json);
    buf_trim(json, JSON_KEEP);
    return e == ERR_UPSTREAM ? garbage(c->why) : e;
}

/* One byte that may change the state. */
static enum err
array_byte(struct call *c, char b)
{
    struct gemini_reader *r = c->r;

    if (r->depth == 0 && b != '{') { /* between elements */
        if (b == ']')
            r->mode = MODE_ENDED;
        else if (b != ',' && b != ' ' && b != '\n' && b != '\r' && b != '\t')
            return garbage(c->why);
        return OK;
    }
    buf_addc(&r->json, b);
    if (r->escaped) {
        r->escaped = false;
    } else if (r->in_string) {
        r->escaped = b == '\\';
        r->in_string = b != '"';
    } else if (b == '"') {
        r->in_string = true;
    } else if (b == '{' || b == '[') {
        r->depth++;
    } else if (--r->depth == 0) {
        return buf_status(&r->json) == OK ? element_ends(c) : garbage(c->why);
    }
    return OK;
}

static enum err
feed_array(struct call *c, const char *p, size_t n)
{
    struct gemini_reader *r = c->r;
    enum err e = OK;

    while (n > 0 && r->mode == MODE_ARRAY) {
        size_t skip = r->depth > 0 ? run(r, p, n) : 0;

        buf_add(&r->json, p, skip);
        p += skip;
        n -= skip;
        if (n == 0)
            break;
        e = array_byte(c, *p++);
        n--;
        if (e != OK)
            return e == ERR_HUP ? OK : e;
    }
    return buf_status(&r->json) == OK ? OK : garbage(c->why);
}

/* --- the reply ----------------------------------------------------------- */

/* The first byte that is not white space decides. */
static enum err
choose(struct call *c, const char **p, size_t *n)
{
    switch (wire_first(p, n)) {
    case -1: return OK;
    case '<': return garbage(c->why);
    case '{': c->r->mode = MODE_JSON; return OK;
    case '[':
        c->r->mode = MODE_ARRAY;
        (*p)++;
        (*n)--;
        return OK;
    default: c->r->mode = MODE_SSE; return OK;
    }
}

static enum err
feed(void *reader, const char *p, size_t n, part_fn *fn, void *arg,
     struct problem *why)
{
    struct gemini_reader *r = reader;
    struct call c = {r, fn, arg, why};

    if (r->mode == MODE_START && choose(&c, &p, &n) != OK)
        return ERR_UPSTREAM;
    if (n == 0)
        return OK;
    switch (r->mode) {
    case MODE_SSE: return feed_sse(&c, p, n);
    case MODE_ARRAY: return feed_array(&c, p, n);
    case MODE_TAIL:
    case MODE_JSON: return feed_json(&c, p, n);
    default: return OK;
    }
}

static enum err
tell_finish(struct call *c)
{
    struct gemini_reader *r = c->r;
    struct part p = {.kind = PART_FINISH, .finish = r->answer.finish};

    if (p.finish == FINISH_STOP && r->answer.n_calls > 0)
        p.finish = FINISH_TOOL_CALLS;
    r->mode = MODE_ENDED;
    r->ended = true;
    c->fn(c->arg, &p);
    return OK;
}

static enum err
end(void *reader, part_fn *fn, void *arg, struct problem *why)
{
    struct gemini_reader *r = reader;
    struct call c = {r, fn, arg, why};
    enum mode mode = r->mode;
    enum err e = OK;

    if (r->ended)
        return OK;
    if (mode == MODE_JSON || mode == MODE_TAIL)
        e = take_json(&c, r->json.data, r->json.len);
    if (e == ERR_HUP)
        return OK;
    if (r->answer.finish != FINISH_NONE)
        return tell_finish(&c);
    if (r->answer.known || mode == MODE_START || mode == MODE_ARRAY ||
        (mode == MODE_JSON && e != OK))
        return reply_cut(why);
    return garbage(why);
}

const struct provider provider_gemini = {
    .name = "gemini",
    .build = gemini_build,
    .reader_new = reader_new,
    .reader_free = reader_free,
    .feed = feed,
    .end = end,
    .error = gemini_error,
    .models_build = gemini_models_build,
    .models_read = gemini_models_read,
    .embed_max = GEMINI_EMBED_MAX,
    .embed_build = gemini_embed_build,
    .embed_read = gemini_embed_read,
};
