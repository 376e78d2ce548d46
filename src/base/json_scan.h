/*
 * The one pass over a JSON text that json_check and json_parse share. Private
 * to base/json*.c. Pure; any thread.
 */
#ifndef BASE_JSON_SCAN_H
#define BASE_JSON_SCAN_H

#include "base/base.h"

#define JSON_NUMBER_SHORT 63 /* characters that every cJSON reads */

struct json_fault {
    const char *rule; /* static; what was broken, never the content */
    size_t at;        /* byte offset */
    bool long_number; /* on OK: a number is longer than JSON_NUMBER_SHORT */
};

/* Check s[0..n) against the rules of json.h. f is filled in any case.
 * ERR_BADREQ, or ERR_TOOBIG past JSON_VALUES_MAX. */
MUST_USE enum err json_scan(const char *s, size_t n, struct json_fault *f);
/* The same with another depth, at most JSON_DEEP_MAX. */
MUST_USE enum err json_scan_deep(const char *s, size_t n, size_t depth_max,
                                 struct json_fault *f);

/* Four hex digits. */
bool json_hex4(const char *s, uint32_t *out);

/* The number that begins at s: its length, 0 if it is not well-formed. */
size_t json_number_len(const char *s, size_t n);
/* Is the well-formed number s[0..n) finite as a double? */
bool json_number_finite(const char *s, size_t n);

/* A name in the text. */
struct json_name_at {
    size_t at;    /* offset of the first byte behind the quote */
    size_t len;   /* bytes */
    bool escaped; /* holds a backslash */
};

/* The names of all open objects, outermost first. */
struct json_names {
    struct json_name_at *list; /* few, or owned */
    size_t count;
    size_t cap;
    struct json_name_at few[32];
};

void json_names_init(struct json_names *ns);
void json_names_release(struct json_names *ns);
void json_names_push(struct json_names *ns, const struct json_name_at *nm);
/* Take off the names from index first on. False if two of them are equal;
 * *at is then the offset of the later one. s is the text. */
bool json_names_pop(struct json_names *ns, size_t first, const char *s,
                    size_t *at);

#endif
