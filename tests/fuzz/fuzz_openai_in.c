/*
 * Fuzzes the way into OpenAI's dialect: bytes as the body of a Chat Completions
 * request, or (an odd first byte) of an embeddings request. What is accepted
 * keeps every bound that the rest relies on, and can be sent to a provider of
 * the same wire as JSON; what is not says why.
 */
#include "base/base.h"

#include <math.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "dialect/openai_in.h"

#define REQUEST_MAX (16 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_piece(const struct ask_message *m, const struct piece *p)
{
    assert(p->text != NULL && strlen(p->text) == p->len);
    assert(utf8_valid(p->text, p->len));
    switch (p->kind) {
    case PIECE_TEXT: break;
    case PIECE_IMAGE: assert(m->role == ROLE_USER && p->len > 0); break;
    case PIECE_THOUGHT: assert(m->role == ROLE_ASSISTANT); break;
    case PIECE_CALL:
        assert(m->role == ROLE_ASSISTANT && p->name != NULL);
        assert(strlen(p->id) <= OPENAI_IN_ID_MAX);
        assert(p->signature == NULL || p->origin != NULL);
        break;
    case PIECE_RESULT:
        assert(m->role == ROLE_TOOL && p->id != NULL && p->name != NULL);
        break;
    }
}

static void
check_messages(const struct turn_ask *a)
{
    const struct ask *q = &a->ask;
    size_t at = openai_in_user(a);

    assert(q->n_messages > 0 && q->n_messages <= OPENAI_IN_MESSAGES_MAX);
    assert(at <= q->n_messages);
    for (size_t i = 0; i < q->n_messages; i++) {
        const struct ask_message *m = &q->messages[i];

        assert(m->role < ROLE__MAX);
        assert(m->text != NULL && utf8_valid(m->text, m->len));
        assert((m->pieces == NULL) == (m->n_pieces == 0));
        assert(at == q->n_messages || i <= at || m->role != ROLE_USER);
        for (size_t k = 0; k < m->n_pieces; k++)
            check_piece(m, &m->pieces[k]);
    }
}

static void
check_options(const struct ask *q)
{
    assert(isnan(q->temperature) ||
           (q->temperature >= 0 && q->temperature <= 2));
    assert(isnan(q->top_p) || (q->top_p >= 0 && q->top_p <= 1));
    assert(q->max_tokens >= 0 && q->max_tokens <= OPENAI_IN_TOKENS_MAX);
    assert(q->n_stop <= ASK_STOPS_MAX && q->n_tools <= OPENAI_IN_TOOLS_MAX);
    for (size_t i = 0; i < q->n_tools; i++) {
        assert(strlen(q->tools[i].name) <= OPENAI_IN_NAME_MAX);
        assert(json_check(q->tools[i].schema, strlen(q->tools[i].schema),
                          NULL) == OK);
    }
    assert(q->tool_choice != TOOL_CHOICE_NAMED || q->tool_named != NULL);
    assert(q->format == NULL ||
           json_check(q->format, strlen(q->format), NULL) == OK);
    assert(q->extra == NULL ||
           json_check(q->extra, strlen(q->extra), NULL) == OK);
}

/* On to a provider of this wire, and to one of another. */
static void
check_request(struct turn_ask *a, const char *model)
{
    static const struct account acc = {.base_url = "http://127.0.0.1:9/v1",
                                       .key = "k"};
    static const struct provider *const to[] = {
        &provider_openai, &provider_anthropic, &provider_gemini};

    a->ask.model = model;
    for (size_t i = 0; i < COUNT_OF(to); i++) {
        struct problem why = {.err = OK};
        struct upstream_request q;
        enum err e;

        upstream_request_init(&q, REQUEST_MAX);
        e = to[i]->build(&a->ask, &acc, &q, &why);
        assert(e == why.err);
        assert(e != OK || json_check(q.body.data, q.body.len, NULL) == OK);
        assert(e == OK || why.code[0] != '\0');
        upstream_request_release(&q);
    }
}

static void
try_chat(const char *body, size_t n)
{
    struct turn_ask *a = turn_ask_new();
    struct problem why = {.err = OK};
    struct openai_in in;
    enum err e = openai_in_chat(body, n, a, &in, &why);

    assert(e == why.err);
    assert(e == OK || e == ERR_BADREQ || e == ERR_TOOBIG);
    if (e == OK) {
        assert(in.model[0] != '\0' && strlen(in.model) <= OPENAI_IN_MODEL_MAX);
        assert(in.param[0] == '\0');
        openai_in_origin(a, "gemini");
        check_messages(a);
        check_options(&a->ask);
        check_request(a, in.model);
    } else {
        assert(why.code[0] != '\0' && why.error[0] != '\0');
    }
    turn_ask_free(a);
}

static void
try_embed(const char *body, size_t n)
{
    struct problem why = {.err = OK};
    struct openai_in_embed in;
    enum err e = openai_in_embed(body, n, &in, &why);

    assert(e == why.err);
    assert(e == OK || e == ERR_BADREQ || e == ERR_TOOBIG);
    if (e == OK) {
        assert(in.n_texts > 0 && in.n_texts <= OPENAI_IN_TEXTS_MAX);
        assert(in.dimensions >= 0 && in.dimensions <= EMBED_DIMENSIONS_MAX);
        for (size_t i = 0; i < in.n_texts; i++)
            assert(in.texts[i][0] != '\0' &&
                   utf8_valid(in.texts[i], strlen(in.texts[i])));
    }
    openai_in_embed_release(&in);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *body;

    if (size == 0)
        return 0;
    body = xmalloc(size);
    memcpy(body, data + 1, size - 1);
    body[size - 1] = '\0'; /* a request's body has one behind it */
    if (data[0] % 2 == 0)
        try_chat(body, size - 1);
    else
        try_embed(body, size - 1);
    free(body);
    return 0;
}
