/*
 * Cookies (RFC 6265): what a browser sends back, and what it is told to keep.
 * Pure; any thread.
 */
#ifndef HTTP_COOKIE_H
#define HTTP_COOKIE_H

#include "http/request.h"

#define COOKIE_VALUE_MAX 512 /* bytes of a value of ours */

/* The value of the first cookie of this name in a Cookie header (NULL: there
 * is none). False: no such cookie, or its value is longer than
 * COOKIE_VALUE_MAX or has what no value of ours has: only letters, digits and
 * -_.~ are taken. */
bool cookie_find(const char *header, const char *name,
                 char out[COOKIE_VALUE_MAX + 1]);

/* The value of a cookie that cookie_set() gave this browser; else as above. */
bool cookie_own(const struct request *rq, const char *name,
                char out[COOKIE_VALUE_MAX + 1]);

/* Have the reply of rq set a cookie, for the paths below the base: HttpOnly,
 * SameSite=Lax, and Secure if `secure`. Then the browser knows it as
 * __Host-NAME (where the base is not "": __Secure-NAME), which no neighbour of
 * our host and nobody between can set. max_age_s 0: it is taken away; -1: it
 * ends with the browser. */
void cookie_set(struct request *rq, const char *name, const char *value,
                int64_t max_age_s, bool secure);

#endif
