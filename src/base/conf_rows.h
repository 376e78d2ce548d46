/*
 * The table of settings, for base/conf.c alone (and its tests). A row is
 * declaration, bounds, help and documentation of a setting at once.
 */
#ifndef BASE_CONF_ROWS_H
#define BASE_CONF_ROWS_H

#include "base/conf.h"

enum type {
    TEXT,   /* one line or more, UTF-8 */
    LINE,   /* one line, UTF-8 */
    INT,    /* whole number within bounds */
    PATH,   /* of a file or folder; relative to the root */
    PREFIX, /* path of a URL: empty, or begins with a slash */
    URL,    /* http:// or https:// */
    PLACE,  /* host, host:port or URL; becomes a URL. min: the port */
    SWITCH, /* on or off */
    LEVEL   /* of the log */
};

struct row {
    const char *name;
    enum type type;
    const char *unit; /* "" if none */
    const char *def;
    int64_t min; /* INT; PLACE */
    int64_t max; /* INT */
    bool secret; /* its value is never printed */
    const char *help;
};

extern const struct row conf_rows[CONF__MAX];

/* Two names for one thing: if name is not set, also counts for it. */
struct conf_alias {
    enum conf_key name, also;
};

extern const struct conf_alias conf_aliases[];
extern const size_t conf_n_aliases;

#endif
