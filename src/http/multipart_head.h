/*
 * The header lines of one part, and the boundary. Private to http/multipart*.c
 * and their tests.
 */
#ifndef HTTP_MULTIPART_HEAD_H
#define HTTP_MULTIPART_HEAD_H

#include "http/multipart.h"

struct multipart_head {
    bool file; /* a filename was said */
    char name[MULTIPART_NAME_MAX + 1];
    char filename[MULTIPART_FILENAME_MAX + 1];
    char type[MULTIPART_TYPE_MAX + 1];
};

/* "multipart/form-data; boundary=...". Results as multipart_new. */
MUST_USE enum err multipart_boundary(const char *content_type,
                                     char out[MULTIPART_BOUNDARY_MAX + 1],
                                     struct problem *why);
/* n bytes of lines, each with its CR LF. Results as multipart_feed. */
MUST_USE enum err multipart_head_read(struct multipart_head *h, const char *s,
                                      size_t n, struct problem *why);

/* ERR_BADREQ "invalid_multipart" with what is wrong. */
enum err multipart_invalid(struct problem *why, const char *what);

#endif
