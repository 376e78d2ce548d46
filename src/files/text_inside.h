/*
 * What the readers of text share. Private to files/text*.c and their tests.
 *
 * Bytes go through a chain that is pushed: the decoder makes clean UTF-8 of
 * them, a reader gets that in pieces that end between characters (most readers
 * have them cut into lines first), and text_out makes blocks of what it says.
 * Nothing in the chain depends on where the pieces are cut, and nothing grows:
 * every buffer is an array.
 *
 * An error stays in text_out.e: after it nothing is given any more, so a reader
 * goes on without asking, and text.c stops at the end of the piece.
 */
#ifndef FILES_TEXT_INSIDE_H
#define FILES_TEXT_INSIDE_H

#include "files/text.h"

#define TEXT_WINDOW (32 * 1024)  /* bytes of a file that are read at once */
#define TEXT_LINE_MAX (8 * 1024) /* bytes; a longer line comes in pieces */

/* --- files/text_out.c: blocks --------------------------------------------- */

struct text_out {
    block_fn *fn;
    void *arg;
    struct facts *facts;
    enum err e;
    enum skip why;   /* with ERR_IMPOSSIBLE */
    uint64_t blocks; /* that were given */
    bool open;
    bool more; /* the open one goes on a line of the one before */
    enum block_kind kind;
    int level;
    size_t len; /* of the open one */
    char data[BLOCK_MAX];
};

void text_out_init(struct text_out *o, block_fn *fn, void *arg,
                   struct facts *facts);
/* Ends the open block, if there is one, and opens another. */
void text_out_begin(struct text_out *o, enum block_kind kind, int level);
/* To the open block; n bytes of whole characters. One that gets too long is
 * given up to its last line feed, or (a line longer than BLOCK_MAX) whole with
 * `more`, and goes on. */
void text_out_add(struct text_out *o, const char *s, size_t n);
/* Gives the open block, if there is one and anything is in it. */
void text_out_end(struct text_out *o);
/* The file cannot be read: the first reason stays. */
void text_out_fail(struct text_out *o, enum skip why);
/* facts.title: a heading without the marks in it. */
void text_out_title(struct text_out *o, const char *s, size_t n);

/* --- files/text_decode.c: bytes to clean UTF-8 ---------------------------- */

/* Takes n > 0 bytes of whole characters: UTF-8 without control characters but
 * LF and tab; every end of a line is an LF. */
typedef void text_sink(void *arg, const char *s, size_t n);

#define TEXT_BINARY_LOOK 8192 /* bytes: a NUL within them is no text's */
#define TEXT_BINARY_SPAN 4096 /* bytes, of which no more than */
#define TEXT_BINARY_BAD 256 /* are control characters that texts do not have */

enum text_code { TEXT_UTF8, TEXT_UTF16_LE, TEXT_UTF16_BE };

struct text_decode {
    text_sink *sink;
    void *arg;
    uint64_t pos; /* of the next byte in the file */
    uint64_t span;
    unsigned bad; /* in this span */
    bool binary;  /* it is no text: nothing more is given */
    bool begun;   /* the mark has been looked for */
    bool cr;      /* the last character was one: an LF is its other half */
    enum text_code code;
    uint16_t high; /* half of a pair; 0: none */
    size_t held;   /* bytes of a character that were left of the last piece */
    uint8_t hold[8];
    size_t len;
    char out[4096];
};

void text_decode_init(struct text_decode *d, text_sink *sink, void *arg);
void text_decode_feed(struct text_decode *d, const uint8_t *s, size_t n);
void text_decode_end(struct text_decode *d);

/* --- files/text_lines.c: lines -------------------------------------------- */

/* Takes a line without its LF, or a piece of one that is longer than
 * TEXT_LINE_MAX: `first` begins it, `last` ends it. A piece of nothing but
 * blanks is left out unless it is the only or the last one. */
typedef void text_line_fn(void *arg, const char *s, size_t n, bool first,
                          bool last);

struct text_lines {
    text_line_fn *fn;
    void *arg;
    bool cut; /* a piece of this line was given */
    size_t len;
    char data[TEXT_LINE_MAX];
};

void text_lines_init(struct text_lines *l, text_line_fn *fn, void *arg);
void text_lines_take(struct text_lines *l, const char *s, size_t n);
void text_lines_end(struct text_lines *l); /* the last one, if it has no LF */

size_t text_indent(const char *s, size_t n);  /* blanks and tabs before it */
size_t text_trimmed(const char *s, size_t n); /* n without those behind it */
bool text_line_blank(const char *s, size_t n);
size_t text_characters(const char *s, size_t n); /* of UTF-8 */
/* May `next` (a line without indentation) have been one with the line before
 * it, which has `prev` characters, until somebody's editor broke it? */
bool text_was_wrapped(size_t prev, const char *next, size_t n);
/* Adds a line to the open block: behind an LF, or joined with a blank (none
 * between two characters of a script that is written without). */
void text_out_line(struct text_out *o, bool joined, const char *s, size_t n);

/* --- files/text_row.c: rows of a table ------------------------------------ */

#define TEXT_COLUMNS_MAX 256
#define TEXT_HEAD_MAX 128          /* bytes; a longer head is cut */
#define TEXT_HEADS_MAX (16 * 1024) /* bytes, of all; the rest has none */

/* Writes "head: value, head: value"; empty cells are left out. */
struct text_row {
    struct text_out *out;
    unsigned n_heads;
    unsigned column;
    bool any;   /* something was written into this row */
    bool told;  /* and into this cell */
    bool blank; /* white space that only counts before more */
    size_t heads_len;
    uint16_t head_at[TEXT_COLUMNS_MAX + 1];
    char heads[TEXT_HEADS_MAX];
};

void text_row_init(struct text_row *r, struct text_out *out); /* no heads */
void text_row_head(struct text_row *r, const char *s, size_t n);
/* Bytes of the cell; white space becomes single blanks. */
void text_row_add(struct text_row *r, const char *s, size_t n);
void text_row_cell(struct text_row *r); /* the cell ends */
void text_row_end(struct text_row *r);  /* and the row: its last cell, too */

/* --- the readers ---------------------------------------------------------- */

struct text_reader {
    size_t size; /* of its state */
    void (*init)(void *reader, struct text_out *out);
    text_sink *take;
    void (*end)(void *reader);
};
extern const struct text_reader text_prose, text_markdown, text_source,
    text_csv, text_json;

/* text_read with pieces of another size, 1 to TEXT_WINDOW. For tests. */
MUST_USE enum err text_read_by(int fd, enum text_kind kind, block_fn *fn,
                               void *arg, struct facts *facts, enum skip *why,
                               size_t window);

#endif
