/*
 * What the fuzz drivers of providers share: a reply that is fed in pieces must
 * mean the same as fed whole, and errors and lists are read or refused, but
 * never half.
 */
#ifndef REPLIES_H
#define REPLIES_H

#include "../unit/provider/transcript.h"
#include "upstream/head.h"

static inline void
replies_read(struct transcript *t, const struct provider *p, const char *s,
             size_t n, size_t first, size_t piece)
{
    transcript_init(t);
    (void)transcript_read(t, p, s, n, first, piece);
    if (t->broken)
        abort();
}

/* Whole, and in pieces of which the first may be of another size. */
static inline void
replies_compare(const struct provider *p, const char *s, size_t n, size_t first,
                size_t piece)
{
    struct transcript whole, pieces;

    replies_read(&whole, p, s, n, n, n);
    replies_read(&pieces, p, s, n, first, piece);
    if (strcmp(buf_cstr(&whole.out), buf_cstr(&pieces.out)) != 0)
        abort();
    transcript_release(&whole);
    transcript_release(&pieces);
}

/* Pieces of one size, and a cut in two. */
static inline void
replies_split(const struct provider *p, const char *s, size_t n, size_t piece)
{
    replies_compare(p, s, n, piece, piece);
    replies_compare(p, s, n, piece, n);
}

/* The body of an error. status 0: of one inside a stream. */
static inline void
replies_error(const struct provider *p, const char *s, size_t n, int status)
{
    struct upstream_head head;
    struct provider_error e;

    upstream_head_init(&head);
    head.status = status;
    p->error(status != 0 ? &head : NULL, s, n, &e);
    if (e.problem.err == OK || e.problem.code[0] == '\0' || e.wait_ms < -1)
        abort();
}

static inline void
replies_on_model(void *arg, const struct model_info *m)
{
    (void)arg;
    if (m->id == NULL || m->id[0] == '\0' || m->created_s < -1 ||
        m->context_tokens < -1 || m->context_tokens == 0)
        abort();
}

static inline void
replies_models(const struct provider *p, const char *s, size_t n)
{
    struct problem why = {.err = OK};
    struct buf next;

    buf_init(&next, TRANSCRIPT_MAX);
    if (p->models_read(s, n, replies_on_model, NULL, &next, &why) != why.err)
        abort();
    buf_release(&next);
}

static inline void
replies_embeddings(const struct provider *p, const char *s, size_t n)
{
    struct embeddings e = {.tokens = -1};
    struct problem why = {.err = OK};

    if (p->embed_read(s, n, &e, &why) != why.err ||
        (why.err == OK) != (e.n > 0 && e.dimensions > 0))
        abort();
    embeddings_release(&e);
}

/* The first byte chooses for the drivers whose providers have it all: even,
 * the rest is a reply's body; odd, it is an error's, a list of models and
 * embeddings. */
static inline void
replies_any(const struct provider *p, const uint8_t *data, size_t n)
{
    static const int statuses[] = {0, 400, 404, 429, 500};
    char *copy;

    if (n < 2)
        return;
    copy = xmalloc(n - 1);
    memcpy(copy, data + 1, n - 1);
    if (data[0] % 2 == 0) {
        replies_split(p, copy, n - 1, data[0] % 64 / 2 + 1);
    } else {
        replies_error(p, copy, n - 1,
                      statuses[data[0] / 2 % COUNT_OF(statuses)]);
        replies_models(p, copy, n - 1);
        replies_embeddings(p, copy, n - 1);
    }
    free(copy);
}

#endif
