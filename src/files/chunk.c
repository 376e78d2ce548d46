/*
 * A window slides over the document's text: what came in since the last chunk,
 * at most one chunk and one block. When it holds more than a chunk can, the
 * best border is looked for, and only there; so most bytes are copied and never
 * looked at, and a document of any size needs the same few kilobytes.
 *
 * Borders, best first: where a block begins, where a sentence begins (in code:
 * where a line begins, best behind an empty one), where a line begins, between
 * words, between characters. They are found in chunk_border.c.
 *
 * Nothing is cleaned or left out: laid over each other, the chunks are the
 * text.
 */
#include "base/base.h"

#include "files/chunk_inside.h"

#include "base/mem.h"
#include "base/text.h"

#define LEAST (CHUNK_AIM / 2) /* bytes; a shorter chunk only if need be */
#define LAST_MAX 1200         /* bytes; what is left at the end is not cut */
#define PIECES_FIRST 64

struct chunker *
chunker_new(chunk_fn *fn, void *arg)
{
    struct chunker *c = xcalloc(1, sizeof(*c));

    c->fn = fn;
    c->arg = arg;
    c->text = xmalloc(WINDOW + 1);
    c->cap = PIECES_FIRST;
    c->pieces = xcalloc(c->cap, sizeof(c->pieces[0]));
    return c;
}

void
chunker_free(struct chunker *c)
{
    if (c == NULL)
        return;
    free(c->pieces);
    free(c->text);
    free(c);
}

/* --- chunks --------------------------------------------------------------- */

/* Where the chunk that begins at head ends, when all of it is too much. */
static size_t
choose_end(const struct chunker *c)
{
    size_t least = c->head + LEAST, aim = c->head + CHUNK_AIM;
    size_t most = c->head + CHUNK_MAX, first = c->done + 1, end;

    if (most >= c->len)
        most = c->len - 1;
    assert(first <= least && aim < most);
    for (int kind = BORDER_PIECE; kind <= BORDER_SENTENCE; kind++) {
        end = chunk_border_last(c, least, aim, (enum border)kind);
        if (end != 0)
            return end;
    }
    end = chunk_border_first(c, aim + 1, most);
    for (int kind = BORDER_PIECE; end == 0 && kind <= BORDER_SENTENCE; kind++)
        end = chunk_border_last(c, first, least - 1, (enum border)kind);
    for (int kind = BORDER_LINE; end == 0 && kind <= BORDER_WORD; kind++)
        end = chunk_border_last(c, first, most, (enum border)kind);
    if (end != 0)
        return end;
    while (is_inside(c, most))
        most--;
    return most;
}

/* Where the next chunk begins, if one ends at end: the last sentence or two. */
static size_t
choose_start(const struct chunker *c, size_t end)
{
    size_t low = c->head + 1, start = end;

    if (end > low + CHUNK_OVERLAP)
        low = end - CHUNK_OVERLAP;
    for (int n = 0; n < 2; n++) {
        size_t piece = chunk_border_last(c, low, start - 1, BORDER_PIECE);
        size_t sentence = chunk_border_last(c, low, start - 1, BORDER_SENTENCE);
        size_t next = piece > sentence ? piece : sentence;

        if (next == 0)
            break;
        start = next;
    }
    if (start == end) { /* one long sentence: some words of it */
        size_t most = low + CHUNK_OVERLAP / 2;
        size_t word = most < end ? chunk_border_last(c, low, most, BORDER_WORD)
                                 : 0;

        start = word != 0 ? word : end;
    }
    return start;
}

static enum err
emit(struct chunker *c, size_t end)
{
    struct chunk out = {.seq = c->seq++,
                        .start = c->base + (int64_t)c->head,
                        .len = end - c->head,
                        .page = chunk_piece(c, c->head)->page,
                        .heading = c->path,
                        .text = c->text + c->head};
    char kept = c->text[end];
    enum err e;

    assert(out.len > 0 && out.len <= CHUNK_MAX && end > c->done);
    c->text[end] = '\0';
    e = c->fn(c->arg, &out);
    c->text[end] = kept;
    c->done = end;
    return e;
}

/* Chunks, until no more than `most` bytes are left. */
static enum err
cut(struct chunker *c, size_t most)
{
    while (c->len - c->head > most) {
        size_t end = choose_end(c);
        enum err e = emit(c, end);

        if (e)
            return e;
        c->head = choose_start(c, end);
    }
    return OK;
}

/* What is left, as chunks; the next one begins anew. */
static enum err
flush(struct chunker *c)
{
    enum err e = cut(c, LAST_MAX);

    if (e == OK && c->len > c->done)
        e = emit(c, c->len);
    c->head = c->done = c->len;
    return e;
}

/* Give up what lies before head. */
static void
slide(struct chunker *c)
{
    size_t by = c->head, first = 0;

    if (by == 0)
        return;
    memmove(c->text, c->text + by, c->len - by);
    while (first + 1 < c->n_pieces && c->pieces[first + 1].at <= by)
        first++;
    c->n_pieces -= first;
    memmove(c->pieces, c->pieces + first, c->n_pieces * sizeof(c->pieces[0]));
    for (size_t i = 0; i < c->n_pieces; i++)
        c->pieces[i].at -= c->pieces[i].at < by ? c->pieces[i].at : by;
    c->len -= by;
    c->done -= by;
    c->base += (int64_t)by;
    c->head = 0;
}

/* --- blocks --------------------------------------------------------------- */

static void
add(struct chunker *c, const char *s, size_t n)
{
    assert(n <= WINDOW - c->len);
    memcpy(c->text + c->len, s, n);
    c->len += n;
}

/* "Setting up > Keys"; of a long path, the end. */
static void
write_path(struct chunker *c)
{
    size_t first = 0, len = 0, used = 0;

    for (size_t i = LEVELS; i > 0; i--) {
        size_t n = strlen(c->titles[i - 1]);

        if (n > 0 && used + n + (used > 0 ? 3 : 0) > CHUNK_HEADING_MAX) {
            first = i;
            break;
        }
        used += n > 0 ? n + (used > 0 ? 3 : 0) : 0;
    }
    for (size_t i = first; i < LEVELS; i++) {
        size_t n = strlen(c->titles[i]);

        if (n == 0)
            continue;
        if (len > 0) {
            memcpy(c->path + len, " > ", 3);
            len += 3;
        }
        memcpy(c->path + len, c->titles[i], n);
        len += n;
    }
    c->path[len] = '\0';
}

static int
level_of(const struct block *b)
{
    return b->level < 1 ? 1 : b->level > LEVELS ? LEVELS : b->level;
}

static void
note_heading(struct chunker *c, const struct block *b)
{
    int level = level_of(b);
    size_t n = b->len < CHUNK_HEADING_MAX ? b->len : CHUNK_HEADING_MAX;
    char *title = c->titles[level - 1];

    n = utf8_whole(b->text, n);
    memcpy(title, b->text, n);
    title[n] = '\0';
    for (size_t i = 0; i < n; i++)
        title[i] = is_blank(title[i]) ? ' ' : title[i];
    for (int i = level; i < LEVELS; i++)
        c->titles[i][0] = '\0';
    write_path(c);
}

static void
add_piece(struct chunker *c, const struct block *b)
{
    struct piece *last = c->n_pieces > 0 ? &c->pieces[c->n_pieces - 1] : NULL;

    if (c->more && last != NULL && last->page == b->page &&
        last->kind == (uint8_t)b->kind)
        return;
    if (c->n_pieces == c->cap) {
        c->cap *= 2;
        c->pieces = xrealloc(c->pieces, c->cap * sizeof(c->pieces[0]));
    }
    assert(c->pieces != NULL && c->n_pieces < c->cap);
    c->pieces[c->n_pieces++] = (struct piece){
        .at = c->len,
        .page = b->page,
        .kind = (uint8_t)b->kind,
        .joined = c->more,
    };
}

enum err
chunker_add(void *chunker, const struct block *b)
{
    struct chunker *c = chunker;
    enum err e;

    assert(b->len <= BLOCK_MAX);
    if (b->len == 0)
        return OK;
    if (c->any && !c->more)
        add(c, "\n\n", c->last == BLOCK_ROW && b->kind == BLOCK_ROW ? 1 : 2);
    if (b->kind == BLOCK_HEADING && !c->more) {
        e = c->body ? flush(c) : OK;
        if (e)
            return e;
        slide(c);
        note_heading(c, b);
        c->body = false;
    }
    add_piece(c, b);
    if (b->kind == BLOCK_HEADING && !c->more) {
        add(c, "######", (size_t)level_of(b));
        add(c, " ", 1);
    }
    add(c, b->text, b->len);
    c->body = c->body || b->kind != BLOCK_HEADING;
    c->any = true;
    c->more = b->more;
    c->last = b->kind;
    e = cut(c, CHUNK_MAX);
    slide(c);
    return e;
}

enum err
chunker_end(struct chunker *c)
{
    if (!c->any)
        return OK;
    add(c, "\n", 1);
    return flush(c);
}
