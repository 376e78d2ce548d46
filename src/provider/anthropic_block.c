/*
 * Content blocks as parts. They come one after the other, and each has its
 * index; what belongs to a block that nobody here wants (a server's tool, say)
 * is told by that index and left out.
 *
 * Two things wait for the end of their block: a signature, since a later
 * signature_delta replaces an earlier one, and arguments that came with the
 * beginning of a call, since deltas replace them. Both as the accumulation in
 * lib/MessageStream of @anthropic-ai/sdk has it. Any thread; pure.
 */
#include "base/base.h"

#include "provider/anthropic_block.h"

#include "base/json.h"
#include "base/mem.h"

void
anthropic_blocks_init(struct anthropic_blocks *bs)
{
    memset(bs, 0, sizeof(*bs));
}

void
anthropic_blocks_release(struct anthropic_blocks *bs)
{
    size_t i;

    for (i = 0; i < ANTHROPIC_OPEN_MAX; i++)
        free(bs->open[i].held);
}

void
anthropic_tell(struct anthropic_blocks *bs, enum part_kind kind, int index,
               const char *text)
{
    struct part p = {.kind = kind, .text = text, .index = index};

    if (text == NULL || text[0] == '\0')
        return;
    p.len = strlen(text);
    bs->fn(bs->arg, &p);
}

static bool
is(const char *s, const char *word)
{
    return s != NULL && strcmp(s, word) == 0;
}

static struct anthropic_block *
find(struct anthropic_blocks *bs, int64_t index)
{
    size_t i;

    for (i = 0; i < ANTHROPIC_OPEN_MAX; i++) {
        if (bs->open[i].kind != BLOCK_NONE && bs->open[i].index == index)
            return &bs->open[i];
    }
    return NULL;
}

static void
hold(struct anthropic_block *b, const char *text)
{
    free(b->held);
    b->held = xstrdup(text);
}

/* --- the end ------------------------------------------------------------ */

/* A thought without text is begun by an empty one, or its signature would be
 * taken for that of the thought before. */
static void
tell_signature(struct anthropic_blocks *bs, const struct anthropic_block *b)
{
    struct part empty = {.kind = PART_REASONING, .text = "", .index = -1};

    if (b->held == NULL || b->held[0] == '\0')
        return;
    if (!b->spoke)
        bs->fn(bs->arg, &empty);
    anthropic_tell(bs, PART_SIGNATURE, -1, b->held);
}

static void
stop(struct anthropic_blocks *bs, struct anthropic_block *b)
{
    if (b->kind == BLOCK_THINKING)
        tell_signature(bs, b);
    else if (b->kind == BLOCK_CALL)
        anthropic_tell(bs, PART_ARGS, b->call, b->held);
    free(b->held);
    memset(b, 0, sizeof(*b));
}

/* --- the beginning ------------------------------------------------------ */

static void
start_call(struct anthropic_blocks *bs, struct anthropic_block *b,
           const cJSON *content)
{
    const char *id = json_str(content, "id"), *name = json_str(content, "name");
    const cJSON *input = json_obj(content, "input");
    struct part p = {.kind = PART_CALL, .index = bs->calls};
    char *text;

    p.id = id != NULL ? id : "";
    p.name = name != NULL ? name : "";
    b->kind = BLOCK_CALL;
    b->call = bs->calls++;
    bs->fn(bs->arg, &p);
    if (input == NULL || input->child == NULL)
        return;
    text = cJSON_PrintUnformatted(input);
    if (text != NULL)
        hold(b, text);
    cJSON_free(text);
}

static void
start_thinking(struct anthropic_blocks *bs, struct anthropic_block *b,
               const cJSON *content)
{
    const char *text = json_str(content, "thinking");
    const char *signature = json_str(content, "signature");

    b->kind = BLOCK_THINKING;
    b->spoke = text != NULL && text[0] != '\0';
    anthropic_tell(bs, PART_REASONING, -1, text);
    if (signature != NULL)
        hold(b, signature);
}

/* Room for a block; one that was never ended gives way. */
static struct anthropic_block *
make_room(struct anthropic_blocks *bs, int64_t index)
{
    struct anthropic_block *b = find(bs, index);

    if (b == NULL) {
        b = &bs->open[bs->next];
        bs->next = (bs->next + 1) % ANTHROPIC_OPEN_MAX;
    }
    stop(bs, b);
    b->index = index;
    return b;
}

void
anthropic_block_start(struct anthropic_blocks *bs, int64_t index,
                      const cJSON *content)
{
    struct anthropic_block *b = make_room(bs, index);
    const char *type = json_str(content, "type");

    b->kind = BLOCK_OTHER;
    if (is(type, "text")) {
        b->kind = BLOCK_TEXT;
        anthropic_tell(bs, PART_TEXT, -1, json_str(content, "text"));
    } else if (is(type, "tool_use")) {
        start_call(bs, b, content);
    } else if (is(type, "thinking")) {
        start_thinking(bs, b, content);
    } else if (is(type, "redacted_thinking")) {
        anthropic_tell(bs, PART_SEALED, -1, json_str(content, "data"));
    }
}

/* --- what comes between ------------------------------------------------- */

static void
on_thinking(struct anthropic_blocks *bs, struct anthropic_block *b,
            const char *text)
{
    if (text == NULL || text[0] == '\0')
        return;
    b->spoke = true;
    anthropic_tell(bs, PART_REASONING, -1, text);
}

static void
on_args(struct anthropic_blocks *bs, struct anthropic_block *b,
        const char *text)
{
    if (text == NULL || text[0] == '\0')
        return;
    free(b->held);
    b->held = NULL;
    anthropic_tell(bs, PART_ARGS, b->call, text);
}

/* A delta of another kind than its block is left out, as the vendor's own
 * reader does; citations are among them. */
void
anthropic_block_delta(struct anthropic_blocks *bs, int64_t index,
                      const cJSON *delta)
{
    struct anthropic_block *b = find(bs, index);
    const char *type = json_str(delta, "type");
    const char *signature = json_str(delta, "signature");

    if (b == NULL || type == NULL)
        return;
    if (b->kind == BLOCK_TEXT && is(type, "text_delta"))
        anthropic_tell(bs, PART_TEXT, -1, json_str(delta, "text"));
    else if (b->kind == BLOCK_THINKING && is(type, "thinking_delta"))
        on_thinking(bs, b, json_str(delta, "thinking"));
    else if (b->kind == BLOCK_CALL && is(type, "input_json_delta"))
        on_args(bs, b, json_str(delta, "partial_json"));
    else if (b->kind == BLOCK_THINKING && is(type, "signature_delta") &&
             signature != NULL)
        hold(b, signature);
}

void
anthropic_block_stop(struct anthropic_blocks *bs, int64_t index)
{
    struct anthropic_block *b = find(bs, index);

    if (b != NULL)
        stop(bs, b);
}

void
anthropic_blocks_stop(struct anthropic_blocks *bs)
{
    size_t i;

    for (i = 0; i < ANTHROPIC_OPEN_MAX; i++)
        stop(bs, &bs->open[(bs->next + i) % ANTHROPIC_OPEN_MAX]);
}
