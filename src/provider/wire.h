/*
 * What builders and readers of several providers share: addresses and secret
 * headers of requests, JSON inside JSON, rows of embeddings. A provider's own
 * words stay in the provider's files. Pure.
 */
#ifndef PROVIDER_WIRE_H
#define PROVIDER_WIRE_H

#include "base/json.h"
#include "provider/provider.h"

#define WIRE_BODY_MAX (16 * 1024 * 1024) /* bytes of a reply in one piece */

/* --- requests ------------------------------------------------------------ */

/* q's URL becomes base_url (slashes at its end do not count) and path, and
 * HTTP/2 is tried on https. ERR_BADREQ "provider_address" with hint. */
MUST_USE enum err wire_url(struct upstream_request *q, const char *base_url,
                           const char *path, const char *hint,
                           struct problem *why);
/* Add a header of prefix and secret; nothing if secret is NULL or "". The
 * copy made on the way is wiped. ERR_BADREQ "provider_key" with hint: it is
 * not one line. */
MUST_USE enum err wire_secret(struct upstream_request *q, const char *name,
                              const char *prefix, const char *secret,
                              const char *hint, struct problem *why);

/* Is it the text of a JSON object, by the strict rules of base/json.h? */
bool wire_is_object(const char *s, size_t n);
/* A member whose value must be an object: s as it is if it is one, else
 * {"key": s}. */
void wire_put_object(struct json_out *j, const char *name, const char *s,
                     size_t n, const char *key);
/* A call's arguments as such a member; "" is {}. */
void wire_put_args(struct json_out *j, const char *name, const struct piece *p);
/* Are all schemas of the ask's tools objects? ERR_BADREQ "invalid_tool". */
MUST_USE enum err wire_tools_check(const struct ask *ask, struct problem *why);

/* What OpenAI's response_format asks for. */
enum wire_format_kind {
    WIRE_FORMAT_TEXT,
    WIRE_FORMAT_JSON,
    WIRE_FORMAT_SCHEMA
};
struct wire_format {
    enum wire_format_kind kind;
    char *schema; /* owned; a JSON object; NULL unless kind is SCHEMA */
};
/* format may be NULL. ERR_BADREQ "invalid_parameter": not understood. */
MUST_USE enum err wire_format_read(const char *format, struct wire_format *out,
                                   struct problem *why);
void wire_format_release(struct wire_format *f);

/* --- replies ------------------------------------------------------------- */

/* A place in a reply's text: names of members and numbers of items, as in
 * "message/tool_calls/0/function". Names that are escaped in the text are not
 * found. False: there is nothing there. */
struct wire_slice {
    const char *p; /* borrowed from the text */
    size_t n;
};
bool wire_find(const char *s, size_t n, const char *path,
               struct wire_slice *out);
/* Tell a call's arguments, an object, as its JSON text. Anything but an object
 * tells nothing. text: where args was read from, at path; it is told without
 * its white space, so that long numbers keep all their digits. If it is not
 * there, or not strict JSON, args is written anew. */
void wire_tell_args(const cJSON *args, const struct wire_slice *text,
                    const char *path, int index, part_fn *fn, void *arg);
/* Take an array of rows of numbers, all equally long. member: where in an
 * object the row is; NULL: it is the row. out is empty before and on error.
 * ERR_UPSTREAM with why. */
MUST_USE enum err wire_rows(const cJSON *rows, const char *member,
                            struct embeddings *out, struct problem *why);

#endif
