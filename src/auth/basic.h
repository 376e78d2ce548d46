/*
 * The Authorization header of HTTP Basic (RFC 7617): a name, the first colon,
 * a password, in UTF-8 and base64. Pure; any thread.
 */
#ifndef AUTH_BASIC_H
#define AUTH_BASIC_H

#include "auth/htpasswd.h"

/* Holds a password: basic_wipe it. */
struct basic {
    char user[HTPASSWD_USER_MAX + 1];
    char password[HTPASSWD_PASSWORD_MAX + 1];
};

/* header: the value of Authorization. ERR_NOTFOUND: it is of another scheme,
 * why is not touched; ERR_BADREQ (invalid_basic): base64 that is not strict,
 * no colon, no name, not UTF-8, control characters, or too long; out is all
 * zero then. */
MUST_USE enum err basic_read(const char *header, struct basic *out,
                             struct problem *why);
void basic_wipe(struct basic *b);
/* May a user be called so: 1 to HTPASSWD_USER_MAX bytes of UTF-8, without
 * colon or control characters, no blank at an end, and no '#' first? */
bool basic_user_valid(const char *s, size_t n);
/* Up to HTPASSWD_PASSWORD_MAX bytes of UTF-8 without control characters; may
 * be empty. */
bool basic_password_valid(const char *s, size_t n);

#endif
