/*
 * HTML pages, also as chapters of a book (files/epub.c). In the child
 * (files/extract.h).
 */
#ifndef FILES_HTML_H
#define FILES_HTML_H

#include "files/charset.h"
#include "files/compose.h"

#define HTML_DEPTH_MAX 10000 /* elements within each other */

/* Read a page into c. f gets its title; NULL: it is not wanted. Returns
 * c->err. */
enum err html_compose(struct source from, struct compose *c, struct facts *f);

/* What an element is to us. */
enum html_role {
    HTML_INLINE, /* it does not matter */
    HTML_DROP,   /* with all in it: no text for readers */
    HTML_BLOCK,  /* its text is apart from its neighbours' */
    HTML_HEADING,
    HTML_ITEM,
    HTML_TABLE,
    HTML_ROW,
    HTML_CELL,
    HTML_CODE,
    HTML_BREAK,
    HTML_IMAGE, /* has a text instead */
    HTML_TITLE,
};
/* By its name, in small letters. level: of a heading. */
enum html_role html_role_of(const char *name, int *level);

#endif
