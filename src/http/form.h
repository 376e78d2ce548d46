/*
 * application/x-www-form-urlencoded, for query strings and for bodies of
 * `curl -d`. Pure; decoded strings live in the arena.
 */
#ifndef HTTP_FORM_H
#define HTTP_FORM_H

#include "base/mem.h"

#define FORM_FIELDS_MAX 256

struct form_field {
    const char *name;
    const char *value;
    size_t value_len;
};
struct form {
    struct form_field *fields; /* in the arena */
    size_t n;
};

/* UTF-8 after decoding, no NUL; else ERR_BADREQ ("invalid_form").
 * More than FORM_FIELDS_MAX fields: ERR_TOOBIG. */
MUST_USE enum err form_parse(struct form *f, struct arena *a, const char *s,
                             size_t n, struct problem *why);
/* The first field of that name, NULL if none. */
const struct form_field *form_get(const struct form *f, const char *name);

#endif
