/* Shared by chunk.c and chunk_border.c, and by nobody else. */
#ifndef FILES_CHUNK_INSIDE_H
#define FILES_CHUNK_INSIDE_H

#include "files/chunk.h"

#define LEVELS 6
#define WINDOW (CHUNK_MAX + BLOCK_MAX + LEVELS + 8) /* bytes */

/* A block, or a part of one that goes on. */
struct piece {
    size_t at; /* in the window */
    int page;
    uint8_t kind;
    bool joined; /* goes on from the one before: no border */
};

struct chunker {
    chunk_fn *fn;
    void *arg;
    char *text;   /* owned; WINDOW bytes and one */
    size_t len;   /* of the window */
    size_t head;  /* where the next chunk begins */
    size_t done;  /* what earlier chunks hold already, >= head */
    int64_t base; /* place of the window in the document */
    uint32_t seq;
    struct piece *pieces; /* owned; sorted; the first is at head or before */
    size_t n_pieces, cap;
    bool any, more;       /* there was a block; it goes on */
    bool body;            /* the section has more than headings */
    enum block_kind last; /* kind of the latest block */
    char titles[LEVELS][CHUNK_HEADING_MAX + 1];
    char path[CHUNK_HEADING_MAX + 1];
};

enum border {
    BORDER_PIECE,
    BORDER_GAP,
    BORDER_SENTENCE,
    BORDER_LINE,
    BORDER_WORD
};

static inline bool
is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* Within a character? */
static inline bool
is_inside(const struct chunker *c, size_t i)
{
    return i < c->len && ((unsigned char)c->text[i] & 0xC0) == 0x80;
}

/* The last piece that begins at i or before it. */
const struct piece *chunk_piece(const struct chunker *c, size_t i);
/* The last border of a kind within low..high, which are in the window; 0: there
 * is none. (No chunk ends at 0.) */
size_t chunk_border_last(const struct chunker *c, size_t low, size_t high,
                         enum border kind);
/* The first one that a block or a sentence makes; 0: there is none. */
size_t chunk_border_first(const struct chunker *c, size_t low, size_t high);

#endif
