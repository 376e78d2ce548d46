/*
 * The prose in a text that may be Markdown: paragraphs, list items, headings
 * and rows of tables as plain text, each character with where it came from.
 * Left out: code that is fenced or indented, comments, rules, link targets, the
 * markers of headings, lists, quotes and emphasis, the few HTML tags that chats
 * hold. Pure; any thread.
 */
#ifndef LANG_PLAIN_H
#define LANG_PLAIN_H

#include "base/base.h"

#define PLAIN_LINES_MAX 1000 /* of one block; then another begins */

enum plain_kind { PLAIN_PROSE, PLAIN_ITEM, PLAIN_HEADING, PLAIN_ROW };

struct plain_block {
    enum plain_kind kind;
    size_t start, end; /* in text, start < end */
};

struct plain {
    char *text; /* owned; UTF-8 if the input is; single spaces, and "\n" where
                   a line of the input ends that was not just wrapped */
    size_t len;
    uint32_t *from; /* owned; per byte of text: its place in the input */
    struct plain_block *blocks; /* owned; in the order of the input */
    size_t n;
};

/* Reads n bytes at s, at most UINT32_MAX of them. Bytes that are not UTF-8 are
 * left out. Memory: about six times n, time in proportion to n. Released by
 * plain_release. */
void plain_read(struct plain *p, const char *s, size_t n);
void plain_release(struct plain *p);

#endif
