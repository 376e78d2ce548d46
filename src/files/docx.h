/*
 * What the two files of DOCX share: the styles of paragraphs, of which some are
 * headings. In the child (files/extract.h).
 */
#ifndef FILES_DOCX_H
#define FILES_DOCX_H

#include "files/archive.h"

#define DOCX_STYLES_MAX 2048
#define DOCX_ID_MAX 64 /* bytes of a style's id, with its NUL */

struct docx_style {
    char id[DOCX_ID_MAX];
    char based_on[DOCX_ID_MAX];
    int level;     /* of a heading; 0: none; -1: as the one it is based on */
    bool title;    /* of the document */
    bool contents; /* a line of a table of contents */
    bool list;
};

struct docx_styles {
    struct docx_style *at; /* owned */
    size_t n;
};

/* Read a part with styles; without the part there are none. ERR_IMPOSSIBLE with
 * a->why. */
enum err docx_styles_read(struct archive *a, const char *part,
                          struct docx_styles *out);
void docx_styles_release(struct docx_styles *s);
/* NULL: there is none of this id. */
const struct docx_style *docx_style(const struct docx_styles *s,
                                    const char *id);

#endif
