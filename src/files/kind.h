/*
 * What a file is, by its name and its first bytes.
 */
#ifndef FILES_KIND_H
#define FILES_KIND_H

#include "files/text.h"

#define KIND_LOOK 4096 /* bytes of a file that are looked at */

enum file_kind {
    KIND_NONE, /* nobody here reads it */
    KIND_TEXT, /* by text_read, in the same process */
    KIND_HTML, /* these in a process of their own: files/extract.h */
    KIND_PDF,
    KIND_DOCX,
    KIND_ODT,
    KIND_EPUB,
    KIND_IMAGE, /* JPEG, PNG, GIF, WebP */
};

struct kind {
    enum file_kind kind;
    enum text_kind text; /* of KIND_TEXT */
    const char *type;    /* media type; static; "" for KIND_NONE */
};

/* By the bytes where they are sure (magic numbers), else by the extension of
 * the name, else by whether they are text. head is the file's first n bytes, at
 * most KIND_LOOK. Never fails. Pure. */
struct kind kind_of(const char *name, const uint8_t *head, size_t n);

#endif
