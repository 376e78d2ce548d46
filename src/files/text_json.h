/*
 * What the two halves of the reader of JSON share: the scanner in text_json.c
 * says what comes, text_json_row.c makes rows of it. Private to them.
 *
 * A row outside of arrays is one value behind its path: "server > host: x". An
 * object in an array, or in a file of one object per line, is a record: one row
 * of all that is in it, "users > name: Anna, address.city: Bern". An object
 * that begins on the line of its brace, at the root, is a record as long as no
 * array of objects is in it.
 */
#ifndef FILES_TEXT_JSON_H
#define FILES_TEXT_JSON_H

#include "files/text_inside.h"

#define TEXT_JSON_DEPTH_MAX 512 /* arrays and objects in each other */
#define TEXT_JSON_NAME_MAX 128  /* bytes; a longer name is cut */
#define TEXT_JSON_PATH_MAX 1024 /* bytes of all names; the rest is left out */
#define TEXT_JSON_LOOK 1024     /* bytes of a string; see json_row_text */
#define TEXT_JSON_ROW_LONG 800  /* bytes; then the record goes on in another */

struct json_row {
    struct text_out *out;
    size_t depth;
    size_t record;   /* depth of the record; 0: outside of any */
    size_t rel;      /* where the record's own names begin in path */
    bool soft;       /* the root is a record until a better one comes */
    bool run;        /* the scalar before is of the same array */
    bool blank;      /* white space that only counts before more */
    bool flows;      /* the string is text, and its name was written */
    bool data;       /* it is not: the rest is left out */
    size_t look_len; /* of a string, until one of these is known */
    size_t path_len;
    uint16_t at[TEXT_JSON_DEPTH_MAX + 1]; /* of path, before a frame's name */
    bool object[TEXT_JSON_DEPTH_MAX + 1];
    char path[TEXT_JSON_PATH_MAX];
    char look[TEXT_JSON_LOOK];
};

void json_row_init(struct json_row *r, struct text_out *out);
/* An array or object begins; the depth is below its maximum. later: the root
 * of a second text in the file. */
void json_row_open(struct json_row *r, bool object, bool later);
void json_row_close(struct json_row *r);
/* The name of the next value. */
void json_row_name(struct json_row *r, const char *s, size_t n);
/* The root's first name is on another line than its brace. */
void json_row_hard(struct json_row *r);
/* A number or word. */
void json_row_scalar(struct json_row *r, const char *s, size_t n);
/* A string, in pieces, and its end. What has no blank in its first
 * TEXT_JSON_LOOK bytes (of ASCII) is data of a machine and left out. */
void json_row_text(struct json_row *r, const char *s, size_t n);
void json_row_text_end(struct json_row *r);
/* Back to the root, whatever is open. */
void json_row_reset(struct json_row *r);

#endif
