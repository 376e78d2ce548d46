/*
 * The events of ConverseStream, and a whole reply of Converse, as parts. Facts
 * from the service model bedrock-runtime 2023-09-30 (docs/WIRE.md).
 *
 * Blocks are numbered over the whole message; calls are counted here, so the
 * ordinal of a call is found again by its block's number. A thought's
 * signature may come in pieces and a sealed thought too, so either is told
 * when its block ends, not before: half of one is of no use to anybody.
 *
 * messageStop says why the answer ended, but its usage comes after it, in
 * metadata. The end is told behind both, or when the body ends.
 *
 * Model output that Bedrock itself could not read (malformed_tool_use and the
 * like) ends in an error: its calls must not be run.
 */
#include "base/base.h"

#include "provider/bedrock.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "provider/meaning.h"
#include "provider/wire.h"

#define CALLS_MAX 256                 /* tool calls in one answer */
#define THOUGHT_MAX (4 * 1024 * 1024) /* bytes of a signature or seal */
#define TOKENS_MAX INT64_C(1000000000000)

struct bedrock_events {
    enum finish finish; /* as messageStop said; FINISH_NONE: not yet */
    bool malformed;     /* it said that the output is no good */
    bool metadata;      /* it came */
    bool known;
    int n_calls;
    int64_t call_blocks[CALLS_MAX]; /* block of each call */
    int64_t thought_block;          /* of signature and seal */
    bool thought_told;              /* some text of that thought was told */
    struct buf signature, seal;     /* owned; seal is decoded */
};

/* One call of bedrock_event or its like. */
struct call {
    struct bedrock_events *s;
    part_fn *fn;
    void *arg;
};

struct bedrock_events *
bedrock_events_new(void)
{
    struct bedrock_events *s = xcalloc(1, sizeof(*s));

    buf_init(&s->signature, THOUGHT_MAX);
    buf_init(&s->seal, THOUGHT_MAX);
    return s;
}

void
bedrock_events_free(struct bedrock_events *s)
{
    if (s == NULL)
        return;
    buf_release(&s->signature);
    buf_release(&s->seal);
    free(s);
}

bool
bedrock_known(const struct bedrock_events *s)
{
    return s->known;
}

static enum err
garbage(struct problem *why)
{
    return reply_garbage(why, "Check that the address belongs to Bedrock's "
                              "runtime.");
}

/* --- parts -------------------------------------------------------------- */

static void
tell(struct call *c, enum part_kind kind, int index, const char *s, size_t n)
{
    struct part p = {.kind = kind, .text = s, .len = n, .index = index};

    if (n > 0)
        c->fn(c->arg, &p);
}

static void
tell_str(struct call *c, enum part_kind kind, int index, const char *s)
{
    if (s != NULL)
        tell(c, kind, index, s, strlen(s));
}

/* The thought's block ended: its signature or seal is whole. A thought without
 * text is told by an empty one. */
static void
tell_thought(struct call *c)
{
    struct bedrock_events *s = c->s;
    struct part empty = {.kind = PART_REASONING, .text = ""};
    struct buf text;

    if (s->signature.len > 0 && !s->thought_told)
        c->fn(c->arg, &empty);
    s->thought_told = false;
    tell(c, PART_SIGNATURE, -1, s->signature.data, s->signature.len);
    if (s->seal.len > 0) {
        buf_init(&text, 2 * THOUGHT_MAX);
        text_base64(&text, s->seal.data, s->seal.len);
        tell(c, PART_SEALED, -1, text.data, text.len);
        buf_release(&text);
    }
    buf_clear(&s->signature);
    buf_clear(&s->seal);
    buf_trim(&s->seal, 4096);
}

static enum err
tell_call(struct call *c, const cJSON *use, int64_t block)
{
    struct bedrock_events *s = c->s;
    struct part p = {.kind = PART_CALL, .index = s->n_calls};

    p.id = json_str(use, "toolUseId");
    p.name = json_str(use, "name");
    if (p.id == NULL)
        p.id = "";
    if (p.name == NULL || s->n_calls == CALLS_MAX)
        return ERR_UPSTREAM;
    s->call_blocks[s->n_calls++] = block;
    c->fn(c->arg, &p);
    return OK;
}

static int64_t
tokens(const cJSON *usage, const char *name)
{
    int64_t n = json_i64(usage, name, -1);

    return n >= 0 && n <= TOKENS_MAX ? n : -1;
}

/* inputTokens is what no cache held. */
static void
tell_usage(struct call *c, const cJSON *usage)
{
    struct part p = {.kind = PART_USAGE};
    int64_t in = tokens(usage, "inputTokens");
    int64_t read = tokens(usage, "cacheReadInputTokens");
    int64_t written = tokens(usage, "cacheWriteInputTokens");

    p.usage.input_tokens = in;
    if (in >= 0 && read > 0)
        p.usage.input_tokens += read;
    if (in >= 0 && written > 0)
        p.usage.input_tokens += written;
    p.usage.output_tokens = tokens(usage, "outputTokens");
    p.usage.cached_tokens = read;
    if (in >= 0 || p.usage.output_tokens >= 0)
        c->fn(c->arg, &p);
}

static void
tell_problem(struct call *c, struct provider_error *error)
{
    struct part p = {.kind = PART_ERROR, .problem = &error->problem};

    c->fn(c->arg, &p);
}

static void
tell_end(struct call *c)
{
    struct part p = {.kind = PART_FINISH, .finish = c->s->finish};
    struct provider_error error;

    tell_thought(c);
    if (c->s->malformed) {
        meaning_error(MEANS_FAILED, NULL, -1, &error);
        tell_problem(c, &error);
        return;
    }
    if (p.finish == FINISH_STOP && c->s->n_calls > 0)
        p.finish = FINISH_TOOL_CALLS;
    c->fn(c->arg, &p);
}

static void
take_stop(struct bedrock_events *s, const char *reason)
{
    static const struct {
        const char *reason;
        enum finish finish;
    } rows[] = {
        {"tool_use", FINISH_TOOL_CALLS},
        {"max_tokens", FINISH_LENGTH},
        {"model_context_window_exceeded", FINISH_LENGTH},
        {"guardrail_intervened", FINISH_FILTER},
        {"content_filtered", FINISH_FILTER},
    };
    size_t i;

    s->finish = FINISH_STOP; /* end_turn, stop_sequence, or news */
    for (i = 0; reason != NULL && i < COUNT_OF(rows); i++) {
        if (strcmp(reason, rows[i].reason) == 0)
            s->finish = rows[i].finish;
    }
    s->malformed = reason != NULL && text_starts(reason, "malformed_");
}

/* --- events ------------------------------------------------------------- */

/* ERR_TOOBIG, or ERR_BADREQ: not base64. */
static enum err
take_thought(struct call *c, const cJSON *thought, int64_t block)
{
    struct bedrock_events *s = c->s;
    const char *text = json_str(thought, "text");
    const char *signature = json_str(thought, "signature");
    const char *seal = json_str(thought, "redactedContent");

    if (block != s->thought_block)
        tell_thought(c);
    s->thought_block = block;
    tell_str(c, PART_REASONING, 0, text);
    s->thought_told |= text != NULL && text[0] != '\0';
    if (signature != NULL)
        buf_adds(&s->signature, signature);
    if (seal != NULL && text_unbase64(&s->seal, seal, strlen(seal)) != OK)
        return ERR_BADREQ;
    return buf_status(&s->signature) == OK ? buf_status(&s->seal) : ERR_TOOBIG;
}

static void
take_args(struct call *c, const cJSON *use, int64_t block)
{
    int i;

    for (i = c->s->n_calls - 1; i >= 0; i--) {
        if (c->s->call_blocks[i] == block) {
            tell_str(c, PART_ARGS, i, json_str(use, "input"));
            return;
        }
    }
}

static enum err
on_delta(struct call *c, const cJSON *o)
{
    const cJSON *delta = json_obj(o, "delta");
    const cJSON *use = json_obj(delta, "toolUse");
    const cJSON *thought = json_obj(delta, "reasoningContent");
    int64_t block = json_i64(o, "contentBlockIndex", 0);

    tell_str(c, PART_TEXT, 0, json_str(delta, "text"));
    if (use != NULL)
        take_args(c, use, block);
    return thought != NULL ? take_thought(c, thought, block) : OK;
}

static enum err
on_block_start(struct call *c, const cJSON *o)
{
    const cJSON *use = json_obj(json_obj(o, "start"), "toolUse");

    tell_thought(c);
    return use != NULL ? tell_call(c, use, json_i64(o, "contentBlockIndex", 0))
                       : OK;
}

static enum err
on_block_stop(struct call *c, const cJSON *o)
{
    if (json_i64(o, "contentBlockIndex", 0) == c->s->thought_block)
        tell_thought(c);
    return OK;
}

static enum err
on_message_start(struct call *c, const cJSON *o)
{
    (void)c;
    (void)o;
    return OK;
}

static enum err
on_message_stop(struct call *c, const cJSON *o)
{
    take_stop(c->s, json_str(o, "stopReason"));
    if (!c->s->metadata)
        return OK;
    tell_end(c);
    return ERR_HUP;
}

static enum err
on_metadata(struct call *c, const cJSON *o)
{
    c->s->metadata = true;
    tell_usage(c, json_obj(o, "usage"));
    if (c->s->finish == FINISH_NONE)
        return OK;
    tell_end(c);
    return ERR_HUP;
}

static const struct {
    const char *type;
    enum err (*take)(struct call *c, const cJSON *o);
} kinds[] = {
    {"contentBlockDelta", on_delta},     {"contentBlockStart", on_block_start},
    {"contentBlockStop", on_block_stop}, {"messageStart", on_message_start},
    {"messageStop", on_message_stop},    {"metadata", on_metadata},
};

enum err
bedrock_event(struct bedrock_events *s, const char *type, const char *json,
              size_t n, part_fn *fn, void *arg, struct problem *why)
{
    struct call c = {s, fn, arg};
    enum err e = ERR_UPSTREAM;
    cJSON *tree;
    size_t i = 0;

    while (i < COUNT_OF(kinds) && strcmp(type, kinds[i].type) != 0)
        i++;
    if (i == COUNT_OF(kinds))
        return OK;
    tree = json_parse_mended(json, n);
    if (cJSON_IsObject(tree)) {
        s->known = true;
        e = kinds[i].take(&c, tree);
    }
    cJSON_Delete(tree);
    return e == OK || e == ERR_HUP ? e : garbage(why);
}

enum err
bedrock_events_end(struct bedrock_events *s, part_fn *fn, void *arg,
                   struct problem *why)
{
    struct call c = {s, fn, arg};

    if (s->finish == FINISH_NONE)
        return reply_cut(why);
    tell_end(&c);
    return OK;
}

/* --- a whole reply ------------------------------------------------------ */

/* text is all of the reply, and number the block's. */
static enum err
whole_call(struct call *c, const cJSON *use, const struct wire_slice *text,
           int number)
{
    enum err e = tell_call(c, use, number);
    char path[64];

    if (e != OK)
        return e;
    snprintf(path, sizeof(path), "output/message/content/%d/toolUse/input",
             number);
    wire_tell_args(json_obj(use, "input"), text, path, c->s->n_calls - 1, c->fn,
                   c->arg);
    return OK;
}

static enum err
whole_block(struct call *c, const cJSON *block, const struct wire_slice *text,
            int number)
{
    const cJSON *thought = json_obj(block, "reasoningContent");
    const cJSON *in = json_obj(thought, "reasoningText"), *cited;
    const cJSON *use = json_obj(block, "toolUse");
    enum err e = OK;

    tell_str(c, PART_TEXT, 0, json_str(block, "text"));
    cJSON_ArrayForEach(cited,
                       json_arr(json_obj(block, "citationsContent"), "content"))
        tell_str(c, PART_TEXT, 0, json_str(cited, "text"));
    if (thought != NULL)
        e = take_thought(c, in != NULL ? in : thought, 0);
    tell_thought(c);
    return e == OK && use != NULL ? whole_call(c, use, text, number) : e;
}

enum err
bedrock_message(struct bedrock_events *s, const char *json, size_t n,
                part_fn *fn, void *arg, struct problem *why)
{
    struct call c = {s, fn, arg};
    cJSON *tree = json_parse_mended(json, n);
    const cJSON *message = json_obj(json_obj(tree, "output"), "message"), *b;
    const char *reason = json_str(tree, "stopReason");
    const struct wire_slice text = {json, n};
    enum err e = message != NULL && reason != NULL ? OK : ERR_UPSTREAM;
    int number = 0;

    s->known |= e == OK;
    cJSON_ArrayForEach(b, json_arr(message, "content")) {
        if (e == OK)
            e = whole_block(&c, b, &text, number++);
    }
    if (e == OK) {
        take_stop(s, reason);
        tell_usage(&c, json_obj(tree, "usage"));
        tell_end(&c);
    }
    cJSON_Delete(tree);
    return e == OK ? ERR_HUP : garbage(why);
}
