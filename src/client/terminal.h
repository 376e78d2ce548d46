/*
 * An answer on a terminal, while it comes: control characters of its text are
 * taken out, so that no answer can move the cursor or retitle the window, and
 * of Markdown the headings, bold words, code, bullets and quotations are shown
 * as such. Lines are not wrapped; the terminal does that. What cannot be
 * decided yet is kept back: at most some marks, never a word. The same bytes
 * give the same output however they are cut. Pure.
 */
#ifndef CLIENT_TERMINAL_H
#define CLIENT_TERMINAL_H

#include "base/buf.h"

struct terminal {
    bool plain; /* only take control characters out */
    enum {
        TERMINAL_BEGIN,  /* of a line: only white space so far */
        TERMINAL_MARKS,  /* a run of mark, n of it */
        TERMINAL_ESCAPE, /* behind a backslash */
        TERMINAL_TEXT,   /* in a line */
        TERMINAL_FENCE   /* in the line that opens or closes a code block */
    } state;
    char mark;      /* '#', '`', '*', '-', '+', '>' */
    unsigned n;     /* marks */
    bool at_begin;  /* the marks begin a line */
    bool spaced;    /* the character before the marks is white space */
    bool block;     /* in a block of code */
    unsigned fence; /* marks that opened it */
    unsigned code;  /* marks of the code in the line; 0: none */
    bool bold, heading, quote;
    char last;      /* the last character's last byte */
    bool c2;        /* a byte C2 is kept back */
    unsigned shown; /* style that the terminal has */
};

void terminal_init(struct terminal *t, bool plain);
void terminal_feed(struct terminal *t, const char *s, size_t n,
                   struct buf *out);
/* The text ended: what was kept back, and the normal style. */
void terminal_end(struct terminal *t, struct buf *out);

#endif
