/*
 * What a line of Markdown is (CommonMark's blocks, and GitHub's tables). All of
 * them take a line without its indentation and without blanks at its end, but
 * the first two. Pure.
 */
#ifndef FILES_TEXT_MARK_H
#define FILES_TEXT_MARK_H

#include "base/base.h"

/* How far it is indented, in columns; a tab goes to the next fourth. */
size_t mark_columns(const char *s, size_t n);
/* How many bytes of it are indentation of at most so many columns. */
size_t mark_unindent(const char *s, size_t n, size_t columns);

/* "## Text ##": its level and where its text is (len 0: it has none). 0: it is
 * no heading. */
int mark_heading(const char *s, size_t n, const char **text, size_t *len);
/* "====" makes a heading of level 1 of the line before, "----" of 2; else 0. */
int mark_underline(const char *s, size_t n);
/* "```" or "~~~": how many; 0: it opens no code. c is which. */
size_t mark_fence(const char *s, size_t n, char *c);
bool mark_fence_ends(const char *s, size_t n, char c, size_t count);
bool mark_rule(const char *s, size_t n); /* "---", "* * *" */
/* "- item", "12. item": bytes up to the item's text; 0: it is none. number is
 * its number, 0 for a bullet. */
size_t mark_item(const char *s, size_t n, unsigned *number);
bool mark_table(const char *s, size_t n); /* "|---|:--:|" below the heads */
/* Bytes of the cell that begins at s, without the bar that ends it. */
size_t mark_cell(const char *s, size_t n);
/* "title: Anna's letter", "title = ..." : is it the member of that name, and
 * what is its value, without quotes? */
bool mark_member(const char *s, size_t n, const char *name, const char **value,
                 size_t *len);
/* May such a line stand in front matter? */
bool mark_front(const char *s, size_t n);

#endif
