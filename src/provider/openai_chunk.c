/*
 * One chunk of a Chat Completions stream, read with cJSON: the slow path,
 * which defines what a chunk means. A whole (not streamed) reply is read by
 * the same code, as it differs only in "message" for "delta".
 *
 * cJSON refuses a lone surrogate escape and ends a string at \u0000. Models do
 * send such things when their tokens cut a character, and losing the answer
 * for it would be wrong: both escapes are replaced by U+FFFD before parsing.
 */
#include "base/base.h"

#include "provider/openai.h"

#include "base/json.h"

#define SCRATCH_MAX (32 * 1024 * 1024) /* bytes; above any event */
#define SCRATCH_KEEP 256               /* bytes kept between chunks */

void
openai_chunk_init(struct openai_chunk *c)
{
    memset(c, 0, sizeof(*c));
    buf_init(&c->scratch, SCRATCH_MAX);
}

void
openai_chunk_clear(struct openai_chunk *c)
{
    struct buf scratch = c->scratch;

    cJSON_Delete(c->tree);
    memset(c, 0, sizeof(*c));
    buf_clear(&scratch);
    buf_trim(&scratch, SCRATCH_KEEP);
    c->scratch = scratch;
}

void
openai_chunk_release(struct openai_chunk *c)
{
    cJSON_Delete(c->tree);
    buf_release(&c->scratch);
}

enum finish
openai_finish(const char *s, size_t n)
{
    static const struct {
        const char *name;
        enum finish finish;
    } names[] = {
        {"stop", FINISH_STOP},
        {"length", FINISH_LENGTH},
        {"tool_calls", FINISH_TOOL_CALLS},
        {"function_call", FINISH_TOOL_CALLS},
        {"content_filter", FINISH_FILTER},
    };
    size_t i;

    for (i = 0; i < COUNT_OF(names); i++) {
        if (n == strlen(names[i].name) && memcmp(s, names[i].name, n) == 0)
            return names[i].finish;
    }
    return FINISH_STOP;
}

/* --- escapes that cJSON does not take ----------------------------------- */

static int
hex_digit(char h)
{
    if (h >= '0' && h <= '9')
        return h - '0';
    h |= 0x20;
    return h >= 'a' && h <= 'f' ? h - 'a' + 10 : -1;
}

int
openai_hex4(const char *p, const char *end)
{
    int i, v = 0;

    if (end - p < 4)
        return -1;
    for (i = 0; i < 4; i++) {
        int d = hex_digit(p[i]);

        if (d < 0)
            return -1;
        v = v * 16 + d;
    }
    return v;
}

/* The number of \uXXXX at s; -1 if there is none. */
static int
unit_at(const char *s, const char *end)
{
    if (end - s < 6 || s[0] != '\\' || s[1] != 'u')
        return -1;
    return openai_hex4(s + 2, end);
}

/* Copy one escape, or what stands for it; returns the bytes read. */
static size_t
mend_escape(struct buf *out, const char *s, const char *end)
{
    int unit = unit_at(s, end), low;
    size_t n = unit < 0 ? 2 : 6;

    if (n > (size_t)(end - s))
        n = (size_t)(end - s);
    if (unit >= 0xd800 && unit < 0xdc00) {
        low = unit_at(s + 6, end);
        if (low >= 0xdc00 && low < 0xe000) {
            buf_add(out, s, 12);
            return 12;
        }
    }
    if (unit == 0 || (unit >= 0xd800 && unit < 0xe000))
        buf_adds(out, "\\ufffd");
    else
        buf_add(out, s, n);
    return n;
}

static void
mend(struct buf *out, const char *s, const char *end)
{
    while (s < end) {
        const char *esc = memchr(s, '\\', (size_t)(end - s));

        if (esc == NULL)
            esc = end;
        buf_add(out, s, (size_t)(esc - s));
        s = esc;
        if (s < end)
            s += mend_escape(out, s, end);
    }
}

static cJSON *
parse(struct openai_chunk *c, const char *s, size_t n)
{
    cJSON *tree;

    if (memmem(s, n, "\\u", 2) == NULL)
        return json_parse_lenient(s, n);
    mend(&c->scratch, s, s + n);
    tree = buf_status(&c->scratch) == OK
               ? json_parse_lenient(c->scratch.data, c->scratch.len)
               : NULL;
    buf_clear(&c->scratch);
    return tree;
}

/* --- the tree ----------------------------------------------------------- */

static struct openai_text
text_of(const cJSON *o, const char *name)
{
    struct openai_text t = {json_str(o, name), 0};

    if (t.p != NULL)
        t.len = strlen(t.p);
    return t;
}

/* content as an array of parts: the texts of those of type "text". */
static void
join_parts(struct openai_chunk *c, const cJSON *parts)
{
    const cJSON *part;

    cJSON_ArrayForEach(part, parts) {
        const char *type = json_str(part, "type");
        const char *text = json_str(part, "text");

        if (type != NULL && text != NULL && strcmp(type, "text") == 0)
            buf_adds(&c->scratch, text);
    }
    c->content.p = c->scratch.data;
    c->content.len = c->scratch.len;
}

static void
read_choice(struct openai_chunk *c, const cJSON *choice)
{
    const cJSON *delta = json_obj(choice, "delta"), *parts;
    struct openai_text finish = text_of(choice, "finish_reason");

    if (finish.p != NULL)
        c->finish = openai_finish(finish.p, finish.len);
    if (delta == NULL)
        delta = json_obj(choice, "message");
    if (delta == NULL)
        return;
    c->content = text_of(delta, "content");
    parts = json_arr(delta, "content");
    if (parts != NULL)
        join_parts(c, parts);
    c->refusal = text_of(delta, "refusal");
    c->reasoning = text_of(delta, "reasoning");
    c->reasoning_content = text_of(delta, "reasoning_content");
}

static void
read_usage(struct openai_chunk *c, const cJSON *usage)
{
    const cJSON *details = json_obj(usage, "prompt_tokens_details");

    c->usage.input_tokens = json_i64(usage, "prompt_tokens", -1);
    c->usage.output_tokens = json_i64(usage, "completion_tokens", -1);
    c->usage.cached_tokens = -1;
    if (details != NULL)
        c->usage.cached_tokens = json_i64(details, "cached_tokens", -1);
    c->has_usage = c->usage.input_tokens >= 0 || c->usage.output_tokens >= 0;
}

static bool
is_word(const cJSON *o, const char *name, const char *word)
{
    const char *s = json_str(o, name);

    return s != NULL && strcmp(s, word) == 0;
}

enum err
openai_chunk_read(struct openai_chunk *c, const char *s, size_t n)
{
    const cJSON *choices, *choice, *usage, *error;
    cJSON *tree = parse(c, s, n);

    c->tree = tree;
    if (!cJSON_IsObject(tree))
        return ERR_UPSTREAM;
    error = cJSON_GetObjectItemCaseSensitive(tree, "error");
    if ((error != NULL && !cJSON_IsNull(error)) ||
        is_word(tree, "object", "error") || is_word(tree, "type", "error")) {
        c->is_error = c->known = true;
        return OK;
    }
    c->model = text_of(tree, "model");
    choices = json_arr(tree, "choices");
    cJSON_ArrayForEach(choice, choices) {
        if (cJSON_IsObject(choice) && json_i64(choice, "index", 0) == 0) {
            read_choice(c, choice);
            break;
        }
    }
    usage = json_obj(tree, "usage");
    if (usage != NULL)
        read_usage(c, usage);
    c->known = choices != NULL || usage != NULL;
    return OK;
}
