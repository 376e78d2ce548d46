/*
 * Shared by the chunker's unit test and its fuzz driver: a document's text as
 * files/block.h defines it, written without the chunker, and a taker of chunks
 * that checks each against it.
 */
#ifndef TESTS_UNIT_FILES_CHUNK_TEST_H
#define TESTS_UNIT_FILES_CHUNK_TEST_H

#include "base/base.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "files/chunk.h"

#define DOCUMENT_MAX ((size_t)64 * 1024 * 1024)

/* The text of blocks, as the manual says. */
struct document_text {
    struct buf text;
    bool any, more;
    enum block_kind last;
};

static inline void
document_add(struct document_text *d, const struct block *b)
{
    if (d->any && !d->more) {
        buf_addc(&d->text, '\n');
        if (d->last != BLOCK_ROW || b->kind != BLOCK_ROW)
            buf_addc(&d->text, '\n');
    }
    if (b->kind == BLOCK_HEADING && !d->more) {
        for (int i = 0; i < b->level; i++)
            buf_addc(&d->text, '#');
        buf_addc(&d->text, ' ');
    }
    buf_add(&d->text, b->text, b->len);
    d->any = true;
    d->more = b->more;
    d->last = b->kind;
}

static inline void
document_end(struct document_text *d)
{
    if (d->any)
        buf_addc(&d->text, '\n');
}

/* What the chunks say, laid over each other. Asserts what holds of each. */
struct chunks_text {
    struct buf text;
    uint32_t n;
    int64_t start; /* of the last one */
    bool over;     /* chunks share text: the next begins within this one */
};

static inline enum err
chunks_take(void *arg, const struct chunk *c)
{
    struct chunks_text *x = arg;
    size_t known = x->text.len - (size_t)c->start;

    assert(c->seq == x->n);
    assert(c->len > 0 && c->len <= CHUNK_MAX && c->text[c->len] == '\0');
    assert(strlen(c->text) == c->len && utf8_valid(c->text, c->len));
    assert(strlen(c->heading) <= CHUNK_HEADING_MAX);
    assert(utf8_valid(c->heading, strlen(c->heading)));
    assert(c->start <= (int64_t)x->text.len); /* nothing is left out */
    assert(x->n == 0 ? c->start == 0 : c->start > x->start);
    assert(known <= CHUNK_OVERLAP && known < c->len);
    assert(known == 0 || memcmp(x->text.data + c->start, c->text, known) == 0);
    buf_add(&x->text, c->text + known, c->len - known);
    x->start = c->start;
    x->over = x->over || known > 0;
    x->n++;
    return OK;
}

static inline void
assert_same_text(const struct document_text *d, const struct chunks_text *x)
{
    assert(buf_status(&d->text) == OK && buf_status(&x->text) == OK);
    assert(d->text.len == x->text.len);
    assert(d->text.len == 0 ||
           memcmp(d->text.data, x->text.data, d->text.len) == 0);
}

#endif
