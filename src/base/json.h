/*
 * JSON in: strict (RFC 8259 and one rule for each thing it leaves open, see
 * docs/WIRE.md), checked before cJSON builds the tree. JSON out: a writer
 * that places the commas.
 *
 * Rules: UTF-8 only, no BOM, no byte after the value but white space, no
 * duplicate member names (after unescaping), no lone surrogate escapes, no
 * \u0000, numbers must be finite as a double, depth <= JSON_DEPTH_MAX.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <cjson/cJSON.h>

#include "base/base.h"

struct buf;
struct arena;
struct ident; /* base/ident.h */

#define JSON_DEPTH_MAX 64      /* nested arrays and objects */
#define JSON_DEEP_MAX 960      /* the same, where depth is expected */
#define JSON_VALUES_MAX 262144 /* values in one text; bounds the tree */

/* Parse n bytes strictly. OK gives a tree to free with cJSON_Delete;
 * ERR_BADREQ (ERR_TOOBIG past JSON_VALUES_MAX) fills why (may be NULL) with
 * code "invalid_json" and where. */
MUST_USE enum err json_parse(const char *s, size_t n, cJSON **out,
                             struct problem *why);
/* The same for texts as deep as JSON_DEEP_MAX. */
MUST_USE enum err json_parse_deep(const char *s, size_t n, cJSON **out,
                                  struct problem *why);
/* The check alone: same rules, no tree. */
MUST_USE enum err json_check(const char *s, size_t n, struct problem *why);
/* Where a text breaks the rules, for who shows it with a line. */
struct json_broken {
    const char *rule; /* static; never the content */
    size_t at;        /* byte offset; n: it ends too early */
};
/* false: it is JSON, and out is as it was. */
bool json_broken(const char *s, size_t n, struct json_broken *out);
/* For replies of providers: cJSON's own leniency, bounded depth, NULL if it
 * is not JSON, if it may have more than JSON_VALUES_MAX values, or if more than
 * white space follows. Free with cJSON_Delete. */
cJSON *json_parse_lenient(const char *s, size_t n);
/* The same, with escapes that cJSON does not take (lone surrogates, \u0000)
 * read as U+FFFD: for what models write. */
cJSON *json_parse_mended(const char *s, size_t n);
/* Write U+FFFD over these escapes, in place. */
void json_mend(char *s, size_t n);

/* Overwrite the names and strings of a tree that may hold a secret (as deep as
 * JSON_DEEP_MAX), and free it. NULL is fine. */
void json_wipe(cJSON *o);

/* Getters. A missing or null member is OK and leaves *out as it was; a
 * member of another type is ERR_BADREQ with why filled ("<name> must be a
 * string"). Strings are borrowed from the tree. */
MUST_USE enum err json_get_str(const cJSON *o, const char *name,
                               const char **out, struct problem *why);
MUST_USE enum err json_get_bool(const cJSON *o, const char *name, bool *out,
                                struct problem *why);
MUST_USE enum err json_get_i64(const cJSON *o, const char *name, int64_t min,
                               int64_t max, int64_t *out, struct problem *why);
MUST_USE enum err json_get_num(const cJSON *o, const char *name, double min,
                               double max, double *out, struct problem *why);
/* Lenient twins for provider replies: wrong type reads as missing. */
const char *json_str(const cJSON *o, const char *name); /* NULL if not */
int64_t json_i64(const cJSON *o, const char *name, int64_t otherwise);
const cJSON *json_obj(const cJSON *o, const char *name); /* NULL if not */
const cJSON *json_arr(const cJSON *o, const char *name); /* NULL if not */

/* Writer. Begin with json_out_init on a buffer; errors stick in the buffer.
 * Names are C literals of ours and are not escaped. */
struct json_out {
    struct buf *buf; /* borrowed */
    bool comma;      /* the next value needs one before it */
};
void json_out_init(struct json_out *j, struct buf *b);
void json_begin_obj(struct json_out *j);
void json_end_obj(struct json_out *j);
void json_begin_arr(struct json_out *j);
void json_end_arr(struct json_out *j);
void json_name(struct json_out *j, const char *name);
void json_add_str(struct json_out *j, const char *s); /* NULL: null */
void json_add_strn(struct json_out *j, const char *s, size_t n);
void json_add_i64(struct json_out *j, int64_t v);
void json_add_num(struct json_out *j, double v); /* shortest round trip */
void json_add_bool(struct json_out *j, bool v);
void json_add_null(struct json_out *j);
void json_add_raw(struct json_out *j, const char *s, size_t n); /* JSON */
/* name and value in one call */
void json_put_str(struct json_out *j, const char *name, const char *s);
void json_put_strn(struct json_out *j, const char *name, const char *s,
                   size_t n);
void json_put_i64(struct json_out *j, const char *name, int64_t v);
/* A count of which -1 (any below 0) is not known: null. */
void json_put_count(struct json_out *j, const char *name, int64_t n);
void json_put_bool(struct json_out *j, const char *name, bool v);
void json_put_raw(struct json_out *j, const char *name, const char *s,
                  size_t n);
/* An id's text; a wall-clock time as YYYY-MM-DDThh:mm:ss.mmmZ. */
void json_put_ident(struct json_out *j, const char *name,
                    const struct ident *id);
void json_put_time(struct json_out *j, const char *name, int64_t wall_ms);
/* The same, where 0 is none: null. */
void json_put_when(struct json_out *j, const char *name, int64_t wall_ms);
/* s as a JSON string with its quotes; ill-formed UTF-8 becomes U+FFFD;
 * U+2028 and U+2029 are escaped; every line end is (so it fits on one SSE
 * line). Fast on plain runs. */
void json_escape(struct buf *out, const char *s, size_t n);

#endif
