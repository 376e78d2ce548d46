/*
 * The bytes of a file as UTF-8, whatever it is written in: what a byte order
 * mark or an HTML page itself says, else UTF-8; single bytes that are none are
 * taken as Windows-1252. There is no NUL in the result. One thread.
 */
#ifndef FILES_CHARSET_H
#define FILES_CHARSET_H

#include "base/base.h"

#include <iconv.h>

#define CHARSET_LOOK 4096 /* bytes in which a page says what it is written in */
#define CHARSET_NAME_MAX 32

/* Where bytes come from. Returns how many, 0 at the end, -1 if it failed. */
struct source {
    ssize_t (*read)(void *arg, char *buf, size_t n);
    void *arg;
};

/* A descriptor as a source; arg points to it. */
ssize_t source_fd(void *fd, char *buf, size_t n);

enum charset_kind { CHARSET_UTF8, CHARSET_1252, CHARSET_UTF16, CHARSET_OTHER };

struct charset {
    struct source from;
    enum charset_kind kind;
    bool big;        /* UTF-16 with the high byte first */
    iconv_t convert; /* of CHARSET_OTHER */
    char in[CHARSET_LOOK];
    size_t in_at, in_len; /* what is not converted yet */
    bool ended, failed;   /* the source */
};

/* Looks at the beginning. Its end is charset_release. */
void charset_init(struct charset *c, struct source from);
void charset_release(struct charset *c);
/* As a source does; n is at least 16. Characters are not cut. */
ssize_t charset_read(void *charset, char *buf, size_t n);

/* What a byte is in Windows-1252; 0: nothing. */
uint32_t charset_western(unsigned char byte);

/* Load what is needed to read the file, while libraries can still be loaded:
 * the C library has a file for each charset but the commonest. Its place is not
 * changed. */
void charset_prepare(int fd);

#endif
