/*
 * What a book says about itself: its title, and its chapters in the order in
 * which they are read. In the child (files/extract.h).
 */
#ifndef FILES_EPUB_H
#define FILES_EPUB_H

#include "files/part.h"

#define EPUB_ITEMS_MAX 20000    /* parts of a book */
#define EPUB_CHAPTERS_MAX 20000 /* in its order of reading */

struct epub_item; /* epub_package.c */

struct epub {
    char title[PART_TITLE_MAX];
    struct epub_item *items; /* owned; by id */
    size_t n_items, cap_items;
    char **chapters; /* owned, each; names in the archive */
    size_t n_chapters, cap_chapters;
    char folder[PART_NAME_MAX]; /* of the package; "" or with '/' at its end */
};

/* ERR_IMPOSSIBLE with a->why (SKIP_ENCRYPTED too: of a shop's making). */
enum err epub_open(struct archive *a, struct epub *out);
void epub_release(struct epub *e);

/* The part that a link leads to, seen from a folder: percent-decoded, without
 * its fragment, "." and ".." resolved. False: it leads out of the archive. */
bool epub_resolve(const char *folder, const char *link,
                  char out[PART_NAME_MAX]);

#endif
