/*
 * What the tests of several providers share to look at requests, errors,
 * models and embeddings. Wanted JSON is written with ' for ".
 */
#ifndef ASKING_H
#define ASKING_H

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <math.h>

#include "base/json.h"
#include "base/mem.h"
#include "provider/provider.h"
#include "upstream/head.h"

#define ASKING_BODY_MAX (1024 * 1024) /* bytes */

#define TEXT(t) .text = (t), .len = sizeof(t) - 1
#define PIECES(p) .pieces = (p), .n_pieces = COUNT_OF(p)

static inline struct ask
ask_of(const char *model, const struct ask_message *messages, size_t n)
{
    struct ask a = {.model = model, .messages = messages, .n_messages = n};

    a.temperature = a.top_p = NAN;
    a.parallel_calls = -1;
    return a;
}

/* NULL: there is no such header. */
static inline const char *
header_of(const struct upstream_request *q, const char *name)
{
    size_t i, n = strlen(name);

    for (i = 0; i < q->n_headers; i++) {
        if (strncmp(q->headers[i], name, n) == 0 && q->headers[i][n] == ':')
            return q->headers[i] + n + 2;
    }
    return NULL;
}

/* The text with " for '; free it. */
static inline char *
quoted(const char *s)
{
    char *copy = xstrdup(s), *c;

    for (c = copy; *c != '\0'; c++)
        if (*c == '\'')
            *c = '"';
    return copy;
}

/* The body is this JSON, members in any order. */
static inline void
expect_body(struct upstream_request *q, const char *want)
{
    char *text = quoted(want);
    cJSON *a = NULL, *b = NULL;

    assert_int_equal(json_parse(text, strlen(text), &a, NULL), OK);
    assert_int_equal(json_parse(q->body.data, q->body.len, &b, NULL), OK);
    if (!cJSON_Compare(a, b, true))
        fail_msg("asked with\n%s\n--- wanted:\n%s", buf_cstr(&q->body), text);
    cJSON_Delete(a);
    cJSON_Delete(b);
    free(text);
}

/* Asking this sends that body. */
static inline void
expect_ask(const struct provider *p, const struct ask *a, const char *want)
{
    static const struct account acc = {.base_url = "http://h", .key = ""};
    struct upstream_request q;
    struct problem why;

    upstream_request_init(&q, ASKING_BODY_MAX);
    if (p->build(a, &acc, &q, &why) != OK)
        fail_msg("refused: %s %s", why.code, why.message);
    expect_body(&q, want);
    upstream_request_release(&q);
}

/* Asking this is refused so. */
static inline void
expect_refusal(const struct provider *p, const struct ask *a,
               const struct account *acc, enum err want, const char *code)
{
    static const struct account plain = {.base_url = "http://h", .key = ""};
    struct upstream_request q;
    struct problem why = {.err = OK};

    upstream_request_init(&q, ASKING_BODY_MAX);
    assert_int_equal(p->build(a, acc != NULL ? acc : &plain, &q, &why), want);
    assert_int_equal(why.err, want);
    if (code != NULL)
        assert_string_equal(why.code, code);
    assert_true(why.message[0] != '\0');
    upstream_request_release(&q);
}

/* What an error of this status (0: inside a reply) means. */
static inline struct provider_error
error_of(const struct provider *p, int status, const char *body)
{
    char *text = quoted(body);
    struct provider_error e;
    struct upstream_head h;

    upstream_head_init(&h);
    h.status = status;
    p->error(status != 0 ? &h : NULL, text, strlen(text), &e);
    free(text);
    return e;
}

/* Models as lines "id created context output". */
static inline void
note_model(void *arg, const struct model_info *m)
{
    buf_addf(arg, "%s %" PRId64 " %" PRId64 " %" PRId64 "\n", m->id,
             m->created_s, m->context_tokens, m->output_tokens);
}

static inline void
expect_models(const struct provider *p, const char *body, const char *want,
              const char *want_next)
{
    char *text = quoted(body);
    struct problem why;
    struct buf out, next;

    buf_init(&out, ASKING_BODY_MAX);
    buf_init(&next, ASKING_BODY_MAX);
    buf_adds(&next, "old");
    assert_int_equal(
        p->models_read(text, strlen(text), note_model, &out, &next, &why), OK);
    assert_string_equal(buf_cstr(&out), want);
    assert_string_equal(buf_cstr(&next), want_next);
    buf_release(&out);
    buf_release(&next);
    free(text);
}

/* No list of models. */
static inline void
expect_no_models(const struct provider *p, const char *body)
{
    char *text = quoted(body);
    struct problem why = {.err = OK};
    struct buf out, next;

    buf_init(&out, ASKING_BODY_MAX);
    buf_init(&next, ASKING_BODY_MAX);
    assert_int_equal(
        p->models_read(text, strlen(text), note_model, &out, &next, &why),
        ERR_UPSTREAM);
    assert_string_equal(why.code, "provider_garbage");
    assert_int_equal(out.len, 0);
    buf_release(&out);
    buf_release(&next);
    free(text);
}

/* No embeddings, and nothing is left behind. */
static inline void
expect_no_embeddings(const struct provider *p, const char *body)
{
    char *text = quoted(body);
    struct embeddings e = {.tokens = -1};
    struct problem why = {.err = OK};

    assert_int_equal(p->embed_read(text, strlen(text), &e, &why), ERR_UPSTREAM);
    assert_string_equal(why.code, "provider_garbage");
    assert_null(e.values);
    assert_int_equal(e.n, 0);
    embeddings_release(&e);
    free(text);
}

/* Fed a reply that never ends, the reader gives up at its limit. */
static inline void
expect_limit(const struct provider *p, const char *begin, size_t limit)
{
    void *reader = p->reader_new();
    struct problem why = {.err = OK};
    char block[64 * 1024];
    size_t fed = strlen(begin);
    enum err e;

    memset(block, 'x', sizeof(block));
    e = p->feed(reader, begin, strlen(begin), NULL, NULL, &why);
    while (e == OK && fed < 4 * limit) {
        e = p->feed(reader, block, sizeof(block), NULL, NULL, &why);
        fed += sizeof(block);
    }
    assert_int_equal(e, ERR_UPSTREAM);
    assert_string_equal(why.code, "provider_garbage");
    assert_in_range(fed, limit, limit + 2 * sizeof(block));
    p->reader_free(reader);
}

#endif
