/*
 * Hugging Face's router: OpenAI's wire (docs/WIRE.md) before many providers of
 * inference, so requests, replies and the list of models are those of
 * openai*.c. What is different:
 *
 * - The account that pays may be an organisation's: X-HF-Bill-To.
 * - Errors come in three shapes, of the router and of who is behind it. A
 *   model that no provider serves is an error 400; it means that the model is
 *   not there, so that another provider can be asked. A model that is being
 *   loaded says how long that takes.
 * - Thoughts of open models stand in the text as <think>…</think>, wherever
 *   the provider behind the router does not take them apart (think.c).
 *
 * The router has no embeddings on this wire. Any thread; no I/O, no globals.
 */
#include "base/base.h"

#include "provider/openai.h"

#include "base/json.h"
#include "base/mem.h"
#include "provider/think.h"

#define LOADING_MAX_S 600 /* a longer estimate is not believed */

static const struct openai_wire wire = {
    .name = "huggingface",
    .org_header = "X-HF-Bill-To",
    .url_setting = "HF_BASE_URL",
    .key_setting = "HF_API_KEY",
};

static enum err
build(const struct ask *ask, const struct account *acc,
      struct upstream_request *out, struct problem *why)
{
    return openai_ask(&wire, ask, acc, out, why);
}

static enum err
models_build(const struct account *acc, const char *page, int64_t now_ms,
             struct upstream_request *out, struct problem *why)
{
    (void)page;
    (void)now_ms;
    return openai_models_ask(&wire, acc, out, why);
}

/* --- errors ------------------------------------------------------------- */

/* {"error": "text"}, {"error": {"message": "text"}} or {"message": "text"}. */
static const char *
text_of(const cJSON *o)
{
    const char *text = json_str(json_obj(o, "error"), "message");

    if (text == NULL)
        text = json_str(o, "error");
    return text != NULL ? text : json_str(o, "message");
}

/* The router's words, and those of its clients' own checks, for a model that
 * is not served. "not supported" alone can be about an option. */
static bool
is_no_model(const char *text)
{
    static const char *const phrases[] = {
        "not supported by any provider", "model not supported by",
        "not supported by provider",     "is not supported for task",
        "is not a chat model",
    };
    size_t i;

    for (i = 0; text != NULL && i < COUNT_OF(phrases); i++) {
        if (strcasestr(text, phrases[i]) != NULL)
            return true;
    }
    return false;
}

static int64_t
wait_of(const cJSON *o)
{
    const cJSON *s = cJSON_GetObjectItemCaseSensitive(o, "estimated_time");

    if (!cJSON_IsNumber(s) || !(s->valuedouble > 0) ||
        s->valuedouble > LOADING_MAX_S)
        return -1;
    return (int64_t)(s->valuedouble * 1000);
}

static void
error(const struct upstream_head *head, const char *body, size_t n,
      struct provider_error *out)
{
    enum meaning m = openai_meaning(head, body, n);
    cJSON *tree = n > 0 ? json_parse_lenient(body, n) : NULL;

    if ((m == MEANS_REJECTED || m == MEANS_ERROR) && is_no_model(text_of(tree)))
        m = MEANS_MODEL;
    meaning_error(m, head, wait_of(tree), out);
    cJSON_Delete(tree);
}

/* --- the reply ---------------------------------------------------------- */

struct reader {
    void *openai;
    struct think think;
};

/* One call of feed or end: parts go through the splitter. */
struct call {
    struct reader *r;
    part_fn *fn;
    void *arg;
};

static void *
reader_new(void)
{
    struct reader *r = xcalloc(1, sizeof(*r));

    r->openai = openai_reader_new(error);
    think_init(&r->think);
    return r;
}

static void
reader_free(void *reader)
{
    struct reader *r = reader;

    if (r == NULL)
        return;
    openai_reader_free(r->openai);
    free(r);
}

static void
on_part(void *arg, const struct part *p)
{
    struct call *c = arg;

    if (p->kind == PART_TEXT) {
        think_feed(&c->r->think, p->text, p->len, c->fn, c->arg);
        return;
    }
    if (p->kind == PART_CALL || p->kind == PART_FINISH || p->kind == PART_ERROR)
        think_flush(&c->r->think, c->fn, c->arg);
    c->fn(c->arg, p);
}

static enum err
feed(void *reader, const char *p, size_t n, part_fn *fn, void *arg,
     struct problem *why)
{
    struct call c = {reader, fn, arg};

    return openai_feed(c.r->openai, p, n, on_part, &c, why);
}

/* Of an answer that broke off inside a tag, the beginning of the tag is
 * neither text nor reasoning. */
static enum err
end(void *reader, part_fn *fn, void *arg, struct problem *why)
{
    struct call c = {reader, fn, arg};

    return openai_end(c.r->openai, on_part, &c, why);
}

const struct provider provider_huggingface = {
    .name = "huggingface",
    .build = build,
    .reader_new = reader_new,
    .reader_free = reader_free,
    .feed = feed,
    .end = end,
    .error = error,
    .models_build = models_build,
    .models_read = openai_models_read,
};
