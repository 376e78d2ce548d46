/*
 * Tool calls as Chat Completions streams them: deltas that name their call by
 * a number, the id and the name once, the arguments in pieces. From these come
 * parts with ordinals of our own, 0 for the call that began first.
 *
 * Servers differ, and which call a delta belongs to is decided so (seen in
 * OpenAI, llama.cpp, vLLM, Ollama, Mistral and Gemini's compatible API):
 * - The number decides, whatever order numbers come in. But a known number
 *   with another id and a name begins another call: some servers number all
 *   their calls 0.
 * - Without a number, a known id is that call; another id, or a name, begins
 *   one; with neither the delta belongs to the last call.
 *
 * A call is told when its name is known; arguments that come earlier wait.
 * The name is set once and not appended. All is bounded.
 */
#include "base/base.h"

#include "provider/openai.h"

#include "base/mem.h"

#define ID_MAX 1024          /* bytes of a call's id */
#define HELD_MAX (64 * 1024) /* bytes of arguments that wait for a name */
#define NO_NUMBER (-9)       /* of a call whose number is another's now */

struct openai_call_state {
    int64_t index;   /* the server's; NO_NUMBER or OPENAI_CALL_* */
    char *id;        /* owned */
    char *signature; /* owned; waits for the name; NULL: none */
    struct buf held; /* arguments that wait for the name */
    bool told;       /* PART_CALL was */
};

/* One chunk's worth of work. */
struct taking {
    struct openai_calls *s;
    part_fn *fn;
    void *arg;
};

void
openai_calls_init(struct openai_calls *s)
{
    memset(s, 0, sizeof(*s));
}

void
openai_calls_release(struct openai_calls *s)
{
    size_t i;

    for (i = 0; i < s->n; i++) {
        free(s->list[i].id);
        free(s->list[i].signature);
        buf_release(&s->list[i].held);
    }
    free(s->list);
    openai_calls_init(s);
}

/* --- which call --------------------------------------------------------- */

static struct openai_call_state *
by_index(struct openai_calls *s, int64_t index)
{
    size_t i;

    for (i = 0; i < s->n; i++) {
        if (s->list[i].index == index)
            return &s->list[i];
    }
    return NULL;
}

static struct openai_call_state *
by_id(struct openai_calls *s, const char *id)
{
    size_t i;

    for (i = s->n; id[0] != '\0' && i > 0; i--) {
        if (strcmp(s->list[i - 1].id, id) == 0)
            return &s->list[i - 1];
    }
    return NULL;
}

static struct openai_call_state *
find(struct openai_calls *s, const struct openai_call *call)
{
    struct openai_call_state *c;

    if (call->index == OPENAI_CALL_UNNUMBERED) {
        if (call->id[0] != '\0')
            return by_id(s, call->id);
        return call->name[0] == '\0' && s->n > 0 ? &s->list[s->n - 1] : NULL;
    }
    c = by_index(s, call->index);
    if (c != NULL && call->id[0] != '\0' && c->id[0] != '\0' &&
        call->name[0] != '\0' && strcmp(c->id, call->id) != 0) {
        c->index = NO_NUMBER;
        return NULL;
    }
    return c;
}

static struct openai_call_state *
begin(struct openai_calls *s, int64_t index)
{
    struct openai_call_state *c;

    if (s->n == OPENAI_CALLS_MAX)
        return NULL;
    if (s->n == s->cap) {
        s->cap = s->cap > 0 ? s->cap * 2 : 4;
        s->list = xrealloc(s->list, s->cap * sizeof(*s->list));
    }
    c = &s->list[s->n++];
    memset(c, 0, sizeof(*c));
    c->index = index;
    c->id = xstrdup("");
    buf_init(&c->held, HELD_MAX);
    return c;
}

/* --- parts -------------------------------------------------------------- */

static void
tell_text(struct taking *t, const struct openai_call_state *c,
          enum part_kind kind, const char *text, size_t n)
{
    struct part p = {.kind = kind, .text = text, .len = n};

    p.index = (int)(c - t->s->list);
    if (n > 0)
        t->fn(t->arg, &p);
}

static void
tell_call(struct taking *t, struct openai_call_state *c, const char *name)
{
    struct part p = {.kind = PART_CALL, .id = c->id, .name = name};

    p.index = (int)(c - t->s->list);
    c->told = true;
    t->fn(t->arg, &p);
    tell_text(t, c, PART_ARGS, c->held.data, c->held.len);
    buf_release(&c->held);
    if (c->signature != NULL)
        tell_text(t, c, PART_SIGNATURE, c->signature, strlen(c->signature));
}

/* --- deltas ------------------------------------------------------------- */

static enum err
set_id(struct openai_call_state *c, const char *id)
{
    if (c->told || id[0] == '\0')
        return OK;
    if (strlen(id) > ID_MAX)
        return ERR_TOOBIG;
    free(c->id);
    c->id = xstrdup(id);
    return OK;
}

static void
take_signature(struct taking *t, struct openai_call_state *c,
               const char *signature)
{
    if (signature == NULL)
        return;
    if (c->told) {
        tell_text(t, c, PART_SIGNATURE, signature, strlen(signature));
        return;
    }
    free(c->signature);
    c->signature = xstrdup(signature);
}

static enum err
take_args(struct taking *t, struct openai_call_state *c,
          const struct openai_text *args)
{
    if (c->told) {
        tell_text(t, c, PART_ARGS, args->p, args->len);
        return OK;
    }
    if (args->len > 0)
        buf_add(&c->held, args->p, args->len);
    return buf_status(&c->held);
}

static enum err
take_call(struct taking *t, const struct openai_call *call)
{
    struct openai_call_state *c = find(t->s, call);

    if (c == NULL && call->index == OPENAI_CALL_UNNUMBERED &&
        call->id[0] == '\0' && call->name[0] == '\0')
        return OK; /* it belongs to no call */
    if (c == NULL)
        c = begin(t->s, call->index);
    if (c == NULL || set_id(c, call->id) != OK)
        return ERR_TOOBIG;
    if (!c->told && call->name[0] != '\0')
        tell_call(t, c, call->name);
    take_signature(t, c, call->signature);
    return take_args(t, c, &call->args);
}

enum err
openai_calls_take(struct openai_calls *s, const struct openai_call *calls,
                  size_t n, part_fn *fn, void *arg)
{
    struct taking t = {s, fn, arg};
    enum err e = OK;
    size_t i;

    for (i = 0; i < n && e == OK; i++)
        e = take_call(&t, &calls[i]);
    return e;
}

void
openai_calls_end(struct openai_calls *s, part_fn *fn, void *arg)
{
    struct taking t = {s, fn, arg};
    size_t i;

    for (i = 0; i < s->n; i++) {
        if (!s->list[i].told)
            tell_call(&t, &s->list[i], "");
    }
}
