/*
 * What builders and readers of several providers share: addresses and secret
 * headers of requests, JSON inside JSON, pieces and options of an ask, rows of
 * embeddings. A provider's own words stay in the provider's files; how replies
 * begin is in provider/wire_reply.h. Pure.
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
/* Add what goes with a body of JSON: its type, and what is taken in return. */
MUST_USE enum err wire_json_headers(struct upstream_request *q,
                                    const char *accept, struct problem *why);

/* Is it the text of a JSON object, by the strict rules of base/json.h? */
bool wire_is_object(const char *s, size_t n);
/* A member whose value must be an object: s as it is if it is one, else
 * {"key": s}. */
void wire_put_object(struct json_out *j, const char *name, const char *s,
                     size_t n, const char *key);
/* A call's arguments as such a member; "" is {}. */
void wire_put_args(struct json_out *j, const char *name, const struct piece *p);
/* Did all of the conversation fit into the body? ERR_TOOBIG with why. */
MUST_USE enum err wire_body_fits(const struct buf *body, struct problem *why);
/* The same for texts to embed. */
MUST_USE enum err wire_texts_fit(const struct buf *body, struct problem *why);

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

/* --- wire_ask.c: an ask --------------------------------------------------- */

/* Part of a text that somebody else owns. */
struct wire_slice {
    const char *p;
    size_t n;
};

/* A message's pieces; its text alone is one. */
size_t wire_pieces(const struct ask_message *m);
struct piece wire_piece(const struct ask_message *m, size_t i);
/* Wires with two sides: is it of the user's (with tools), or of the
 * assistant's? A system message is of neither. */
bool wire_on_side(const struct ask_message *m, bool user);
bool wire_blank(const struct piece *p); /* white space at most */
/* Is the piece sent on that side, where blank texts are refused, and thoughts
 * are taken back only if they are signed and of this provider? */
bool wire_sent(const struct piece *p, bool user, const char *provider);

/* Tell the ask's system text, then those in the history; none is empty. */
typedef void wire_text_fn(void *arg, const char *s, size_t n);
void wire_system(const struct ask *ask, wire_text_fn *fn, void *arg);

void wire_put_number(struct json_out *j, const char *name,
                     double v); /* NaN: nothing */
/* The texts that end an answer, if there are any. blank: also those of white
 * space alone, which some wires refuse. */
void wire_put_stops(struct json_out *j, const char *name, const struct ask *ask,
                    bool blank);
/* "model", "input" and "dimensions", as OpenAI's wire has them. */
void wire_put_embed(struct json_out *j, const struct embed_ask *ask);

/* Are all schemas of the ask's tools objects? ERR_BADREQ "invalid_tool". */
MUST_USE enum err wire_tools_check(const struct ask *ask, struct problem *why);
/* A tool as OpenAI's wire has it: {"type": "function", "function": {..}}.
 * strict: say whether strict mode was asked for. */
void wire_put_function(struct json_out *j, const struct tool *t, bool strict);
/* A schema for wires that want "type" in it, where OpenAI's has none for any
 * object. Its own text is kept, for the sake of its numbers. empty: for one
 * without members, or that is no object. */
void wire_put_schema(struct json_out *j, const char *name, const char *schema,
                     const char *empty);

/* An image in base64, as the piece or its data URL has it. */
struct wire_image {
    struct wire_slice type; /* p NULL: data is an address */
    struct wire_slice data;
};
/* Borrows from p. ERR_IMPOSSIBLE with why: a data URL not in base64. */
MUST_USE enum err wire_image(const struct piece *p, struct wire_image *out,
                             struct problem *why);
/* ERR_IMPOSSIBLE "image_not_supported"; message: what would be. */
enum err wire_image_refused(struct problem *why, const char *message);

/* --- replies ------------------------------------------------------------- */

/* The value at a place in a JSON text: names of members and numbers of items,
 * as in "message/tool_calls/0/function". Names that are escaped in the text are
 * not found. False: there is nothing there. */
bool wire_find(const char *s, size_t n, const char *path,
               struct wire_slice *out);
/* Tell a call's arguments, an object, as its JSON text. Anything but an object
 * tells nothing. text: where args was read from, at path; it is told without
 * its white space, so that long numbers keep all their digits. If it is not
 * there, or not strict JSON, args is written anew. */
void wire_tell_args(const cJSON *args, const struct wire_slice *text,
                    const char *path, int index, part_fn *fn, void *arg);
/* A limit in a list of models: -1 (not known) if it is missing, null or 0. */
int64_t wire_limit(const cJSON *model, const char *name);
/* An RFC 3339 time ("2025-09-29T00:00:00Z") in seconds; -1: it is none, or
 * before 1970. s may be NULL. */
int64_t wire_time(const char *s);
/* Take an array of rows of numbers, all equally long. member: where in an
 * object the row is; NULL: it is the row. out is empty before and on error.
 * ERR_UPSTREAM with why. */
MUST_USE enum err wire_rows(const cJSON *rows, const char *member,
                            struct embeddings *out, struct problem *why);

#endif
