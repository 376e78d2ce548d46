/*
 * multipart/form-data (RFC 7578), the form in which browsers and curl send
 * files. The body is pushed in pieces of any size and its parts come out in
 * pieces; nothing is held but the head of one part. What comes out does not
 * depend on how the body was cut, but for how the bytes of a part are cut.
 * Pure.
 */
#ifndef HTTP_MULTIPART_H
#define HTTP_MULTIPART_H

#include "base/base.h"

#define MULTIPART_BOUNDARY_MAX 70     /* characters (RFC 2046) */
#define MULTIPART_PARTS_MAX 256       /* parts in one body */
#define MULTIPART_HEAD_MAX (8 * 1024) /* bytes of one part's header lines */
#define MULTIPART_NAME_MAX 255        /* bytes, decoded */
#define MULTIPART_FILENAME_MAX 1023   /* bytes, decoded, without its path */
#define MULTIPART_TYPE_MAX 127        /* bytes */

struct multipart_part {
    const char *name;     /* of the field; UTF-8 without control characters */
    const char *filename; /* the same; the last component of a path, never "."
                             or "..". "": no file was chosen. NULL: no file */
    const char *type;     /* media type, lower case, no parameters; "": none */
};

/* Each part: begin once, bytes any number of times with n > 0, end once. What a
 * part points to is borrowed until its end. Anything but OK ends the parsing
 * and is its result; nothing is called after it. */
struct multipart_calls {
    enum err (*begin)(void *arg, const struct multipart_part *part);
    enum err (*bytes)(void *arg, const void *p, size_t n);
    enum err (*end)(void *arg);
};

struct multipart;

/* content_type is the request's header, with its boundary. ERR_TYPE: it is
 * another type. ERR_BADREQ: it has no good boundary. calls must live on. */
MUST_USE enum err multipart_new(const char *content_type,
                                const struct multipart_calls *calls, void *arg,
                                struct multipart **out, struct problem *why);
void multipart_free(struct multipart *m); /* NULL is fine */
/* More of the body. ERR_BADREQ "invalid_multipart", ERR_TOOBIG (a limit above),
 * or what a call said (then why is left alone). An error stays: whatever is fed
 * after it gives the same err. */
MUST_USE enum err multipart_feed(struct multipart *m, const void *bytes,
                                 size_t n, struct problem *why);
/* The body is over: ERR_BADREQ if that is too early. */
MUST_USE enum err multipart_end(const struct multipart *m, struct problem *why);

#endif
