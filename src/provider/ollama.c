/*
 * Ollama's native chat (docs/WIRE.md). This file reads replies; requests are
 * made in ollama_build.c, an error is read in ollama_error.c, models and
 * embeddings are in ollama_lists.c. Any thread; no I/O, no globals.
 *
 * A reply is one JSON object per line, and a reply that is not streamed is one
 * line. The line with done:true ends it and holds the counts. An error after
 * the first byte is a line with only an error, in a reply of status 200.
 *
 * Thoughts come apart from the answer. A model whose template the server does
 * not know writes them into the answer, in tags: provider/think.h. Half a tag
 * at the end of a reply that broke off is not told.
 *
 * A call comes whole, its arguments as an object. The reason at the end is
 * "stop" also for calls, so they are counted. What the counts are not there
 * for is not known: the server leaves out a count of 0.
 */
#include "base/base.h"

#include "provider/ollama.h"

#include "base/mem.h"
#include "provider/meaning.h"
#include "provider/think.h"
#include "upstream/ndjson.h"

struct ollama_reader {
    struct ndjson lines;
    struct think think;
    int n_calls;
    bool model_told;
    bool seen;  /* an object came */
    bool known; /* something of this format came */
    bool ended; /* done or an error: the rest is ignored */
};

#define PATH_MAX_BYTES 64

/* One call of feed or end. */
struct call {
    struct ollama_reader *r;
    part_fn *fn;
    void *arg;
    struct problem *why;
    struct wire_slice line; /* under way */
};

static void *
reader_new(void)
{
    struct ollama_reader *r = xcalloc(1, sizeof(*r));

    ndjson_init(&r->lines);
    think_init(&r->think);
    return r;
}

static void
reader_free(void *reader)
{
    struct ollama_reader *r = reader;

    if (r == NULL)
        return;
    ndjson_release(&r->lines);
    free(r);
}

static enum err
garbage(struct problem *why)
{
    return reply_garbage(why, "Check that the base URL is that of an Ollama "
                              "server, without a path.");
}

/* --- parts --------------------------------------------------------------- */

static void
tell(struct call *c, enum part_kind kind, const char *text)
{
    struct part p = {.kind = kind, .text = text};

    if (text == NULL || text[0] == '\0')
        return;
    p.len = strlen(text);
    c->fn(c->arg, &p);
}

static void
tell_call(struct call *c, const cJSON *call, int number)
{
    struct part p = {.kind = PART_CALL, .id = "", .index = c->r->n_calls};
    const cJSON *function = json_obj(call, "function");
    const char *id = json_str(call, "id");
    char path[PATH_MAX_BYTES];

    p.name = json_str(function, "name");
    if (p.name == NULL || p.name[0] == '\0')
        return;
    if (id != NULL)
        p.id = id;
    c->r->n_calls++;
    c->fn(c->arg, &p);
    (void)snprintf(path, sizeof(path),
                   "message/tool_calls/%d/function/arguments", number);
    wire_tell_args(json_obj(function, "arguments"), &c->line, path, p.index,
                   c->fn, c->arg);
}

static void
flush(struct call *c)
{
    think_flush(&c->r->think, c->fn, c->arg);
}

static void
tell_message(struct call *c, const cJSON *message)
{
    const char *thinking = json_str(message, "thinking");
    const char *content = json_str(message, "content");
    const cJSON *call, *calls = json_arr(message, "tool_calls");
    int number = 0;

    if (thinking != NULL && thinking[0] != '\0') {
        flush(c);
        tell(c, PART_REASONING, thinking);
        c->r->think.state = THINK_TEXT; /* the server takes them apart */
    }
    if (content != NULL)
        think_feed(&c->r->think, content, strlen(content), c->fn, c->arg);
    if (cJSON_GetArraySize(calls) > 0)
        flush(c);
    cJSON_ArrayForEach(call, calls)
        tell_call(c, call, number++);
}

static void
tell_error(struct call *c, const char *s, size_t n)
{
    struct provider_error error;
    struct part p = {.kind = PART_ERROR, .problem = &error.problem};

    ollama_error(NULL, s, n, &error);
    c->r->ended = true;
    c->fn(c->arg, &p);
}

static void
tell_done(struct call *c, const cJSON *line)
{
    struct part usage = {.kind = PART_USAGE}, finish = {.kind = PART_FINISH};
    const char *reason = json_str(line, "done_reason");

    flush(c);
    usage.usage.input_tokens = json_i64(line, "prompt_eval_count", -1);
    usage.usage.output_tokens = json_i64(line, "eval_count", -1);
    usage.usage.cached_tokens = -1;
    if (usage.usage.input_tokens >= 0 || usage.usage.output_tokens >= 0)
        c->fn(c->arg, &usage);
    if (reason != NULL && strcmp(reason, "length") == 0)
        finish.finish = FINISH_LENGTH;
    else
        finish.finish = c->r->n_calls > 0 ? FINISH_TOOL_CALLS : FINISH_STOP;
    c->r->ended = true;
    c->fn(c->arg, &finish);
}

/* --- the reply ----------------------------------------------------------- */

static void
take_object(struct call *c, const cJSON *line)
{
    const cJSON *message = json_obj(line, "message");
    const cJSON *done = cJSON_GetObjectItemCaseSensitive(line, "done");
    const char *model = json_str(line, "model");

    if (message == NULL && !cJSON_IsBool(done))
        return; /* of a kind that is not known */
    c->r->known = true;
    if (!c->r->model_told && model != NULL && model[0] != '\0') {
        c->r->model_told = true;
        tell(c, PART_MODEL, model);
    }
    tell_message(c, message);
    if (cJSON_IsTrue(done))
        tell_done(c, line);
}

/* ERR_HUP: read no more. */
static enum err
on_line(void *arg, const char *s, size_t n)
{
    struct call *c = arg;
    cJSON *tree = json_parse_mended(s, n);
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(tree, "error");

    if (!cJSON_IsObject(tree)) {
        cJSON_Delete(tree);
        return garbage(c->why);
    }
    c->line = (struct wire_slice){s, n};
    c->r->seen = true;
    if (cJSON_IsString(error) || cJSON_IsObject(error))
        tell_error(c, s, n);
    else
        take_object(c, tree);
    cJSON_Delete(tree);
    return c->r->ended ? ERR_HUP : OK;
}

static enum err
feed(void *reader, const char *p, size_t n, part_fn *fn, void *arg,
     struct problem *why)
{
    struct ollama_reader *r = reader;
    struct call c = {.r = r, .fn = fn, .arg = arg, .why = why};
    enum err e;

    if (r->ended)
        return OK;
    e = ndjson_feed(&r->lines, p, n, on_line, &c);
    if (e == ERR_TOOBIG)
        return garbage(why);
    return e == ERR_HUP ? OK : e;
}

/* The last line may lack its end. One that does not parse is not all of it,
 * unless it does not even begin as an object. */
static enum err
end(void *reader, part_fn *fn, void *arg, struct problem *why)
{
    struct ollama_reader *r = reader;
    struct call c = {.r = r, .fn = fn, .arg = arg, .why = why};
    const struct buf *rest = &r->lines.line;
    bool begun;
    size_t i;

    if (r->ended)
        return OK;
    for (i = 0; i < rest->len && strchr(" \t\r", rest->data[i]) != NULL; i++)
        ;
    begun = i == rest->len || rest->data[i] == '{';
    if (ndjson_end(&r->lines, on_line, &c) == ERR_HUP)
        return OK;
    if (r->known || (begun && !r->seen))
        return reply_cut(why);
    return garbage(why); /* objects of some other kind, or none at all */
}

const struct provider provider_ollama = {
    .name = "ollama",
    .build = ollama_build,
    .reader_new = reader_new,
    .reader_free = reader_free,
    .feed = feed,
    .end = end,
    .error = ollama_error,
    .models_build = ollama_models_build,
    .models_read = ollama_models_read,
    .embed_max = OLLAMA_EMBED_MAX,
    .embed_build = ollama_embed_build,
    .embed_read = ollama_embed_read,
};
