/*
 * What the tests of the providers and their fuzz drivers share: parts written
 * down as text, neighbours of one kind merged, so that two ways of reading the
 * same bytes can be compared.
 *
 *   model "m"        text "Hi"        reasoning "Hm"      signature -1 "s"
 *   sealed "s"       call 0 "id" "name"                   args 0 "{}"
 *   usage 1 2 -1     finish stop      error code
 *   fail code | end ok | end incomplete
 */
#ifndef TRANSCRIPT_H
#define TRANSCRIPT_H

#include "base/base.h"

#include "base/json.h"
#include "base/mem.h"
#include "provider/provider.h"

#define TRANSCRIPT_MAX (64 * 1024 * 1024) /* bytes */

struct transcript {
    struct buf out;  /* finished lines */
    struct buf text; /* of the line under way */
    int kind;        /* its part_kind; -1: none */
    int index;       /* of the call it belongs to */
    bool ended;      /* FINISH or ERROR came */
    bool broken;     /* a part after the end, or a result without problem */
};

static inline void
transcript_init(struct transcript *t)
{
    buf_init(&t->out, TRANSCRIPT_MAX);
    buf_init(&t->text, TRANSCRIPT_MAX);
    t->kind = -1;
    t->ended = t->broken = false;
}

static inline void
transcript_release(struct transcript *t)
{
    buf_release(&t->out);
    buf_release(&t->text);
}

static inline void
transcript_flush(struct transcript *t)
{
    static const char *const names[] = {
        [PART_TEXT] = "text ",           [PART_REASONING] = "reasoning ",
        [PART_SIGNATURE] = "signature ", [PART_SEALED] = "sealed ",
        [PART_ARGS] = "args ",           [PART_MODEL] = "model ",
    };

    if (t->kind < 0)
        return;
    buf_adds(&t->out, names[t->kind]);
    if (t->kind == PART_ARGS || t->kind == PART_SIGNATURE)
        buf_addf(&t->out, "%d ", t->index);
    json_escape(&t->out, buf_cstr(&t->text), t->text.len);
    buf_addc(&t->out, '\n');
    buf_clear(&t->text);
    t->kind = -1;
}

static inline void
transcript_call(struct transcript *t, const struct part *p)
{
    buf_addf(&t->out, "call %d ", p->index);
    json_escape(&t->out, p->id, strlen(p->id));
    buf_addc(&t->out, ' ');
    json_escape(&t->out, p->name, strlen(p->name));
    buf_addc(&t->out, '\n');
}

/* A part_fn. */
static inline void
transcript_part(void *arg, const struct part *p)
{
    struct transcript *t = arg;
    bool indexed = p->kind == PART_ARGS || p->kind == PART_SIGNATURE;

    if (t->ended) {
        t->broken = true;
        return;
    }
    if (t->kind != (int)p->kind || (indexed && t->index != p->index))
        transcript_flush(t);
    switch (p->kind) {
    case PART_SIGNATURE:
    case PART_ARGS: t->index = p->index; /* fall through */
    case PART_TEXT:
    case PART_REASONING:
    case PART_SEALED:
    case PART_MODEL:
        t->kind = (int)p->kind;
        buf_add(&t->text, p->text, p->len);
        return;
    case PART_CALL: transcript_call(t, p); return;
    case PART_USAGE:
        buf_addf(&t->out, "usage %" PRId64 " %" PRId64 " %" PRId64 "\n",
                 p->usage.input_tokens, p->usage.output_tokens,
                 p->usage.cached_tokens);
        return;
    case PART_FINISH:
        buf_addf(&t->out, "finish %s\n", finish_name(p->finish));
        break;
    case PART_ERROR: buf_addf(&t->out, "error %s\n", p->problem->code); break;
    }
    t->ended = true;
}

/* The last line: how the reading ended. */
static inline void
transcript_end(struct transcript *t, bool fed, enum err e,
               const struct problem *why)
{
    transcript_flush(t);
    if (!fed || (e != OK && strcmp(why->code, "incomplete") != 0))
        buf_addf(&t->out, "fail %s\n", why->code);
    else
        buf_addf(&t->out, "end %s\n", e == OK ? "ok" : why->code);
}

/* Read a reply in pieces of n bytes, the first one of first bytes; each piece
 * is a block of its own, so that a sanitizer sees any look ahead. */
static inline enum err
transcript_read(struct transcript *t, const struct provider *provider,
                const char *s, size_t len, size_t first, size_t n)
{
    void *reader = provider->reader_new();
    struct problem why = {.err = OK};
    enum err e = OK;
    size_t at, piece = first;

    for (at = 0; e == OK && at < len; at += piece, piece = n) {
        char *copy;

        if (piece > len - at)
            piece = len - at;
        copy = xmalloc(piece);
        memcpy(copy, s + at, piece);
        e = provider->feed(reader, copy, piece, transcript_part, t, &why);
        memset(copy, 'x', piece);
        free(copy);
        if ((e != OK) != (why.err != OK))
            t->broken = true;
    }
    if (e != OK) {
        transcript_end(t, false, e, &why);
    } else {
        e = provider->end(reader, transcript_part, t, &why);
        transcript_end(t, true, e, &why);
    }
    provider->reader_free(reader);
    return e;
}

#endif
