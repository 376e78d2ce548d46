/*
 * A line of the password file, user:hash, and what can be said about one that
 * cannot be used. Pure; any thread.
 */
#ifndef AUTH_HTPASSWD_LINE_H
#define AUTH_HTPASSWD_LINE_H

#include "auth/htpasswd.h"

#define HTPASSWD_HASH_MAX 255       /* bytes of a hash */
#define HTPASSWD_BCRYPT_COST_MAX 16 /* each more takes twice the time */
#define HTPASSWD_ROUNDS_MAX 5000000 /* of sha512-crypt */
#define HTPASSWD_YESCRYPT_MIB_MAX 256

/* Points into the line. */
struct htpasswd_line {
    const char *user; /* NULL: there is no name that can be one */
    size_t user_len;
    const char *hash;
    size_t hash_len;
    size_t cost_len; /* of the hash: its first bytes, kind and cost */
};

/* n bytes without the newline. ERR_NOTFOUND: a comment, or nothing; ERR_BADREQ:
 * it cannot be used, *why says so ("has Apache's MD5, which is too weak"), and
 * out has the user if that is sound. What follows a second colon is ignored. */
MUST_USE enum err htpasswd_line_read(const char *s, size_t n,
                                     struct htpasswd_line *out,
                                     const char **why);

#endif
