/*
 * What the files of the way in share: refusing with a member's name, and the
 * text of a value beside its tree. Only openai_in*.c include this.
 */
#ifndef DIALECT_OPENAI_IN_READ_H
#define DIALECT_OPENAI_IN_READ_H

#include "base/json.h"
#include "dialect/openai_in.h"

/* One request being read. */
struct openai_read {
    struct turn_ask *a;
    struct arena *arena;
    char *param; /* OPENAI_IN_PARAM_MAX bytes */
    struct problem *why;
};

/* A value as it stands in the text. */
struct openai_span {
    const char *s;
    size_t len;
};

/* Refuse: param is the member ("messages[2].content"), rule what it must be
 * or why it is not taken. Return ERR_BADREQ. */
enum err openai_refuse(struct openai_read *r, const char *code,
                       const char *param, const char *rule);
enum err openai_wrong_type(struct openai_read *r, const char *param,
                           const char *rule);
enum err openai_wrong_value(struct openai_read *r, const char *param,
                            const char *rule);
enum err openai_missing(struct openai_read *r, const char *param);
/* ERR_TOOBIG. */
enum err openai_too_many(struct openai_read *r, const char *param, size_t max);

/* A member that must be a string if it is there. *out NULL: not there, or
 * null. param: its full name. */
MUST_USE enum err openai_string(struct openai_read *r, const cJSON *o,
                                const char *name, const char *param,
                                const char **out);
MUST_USE enum err openai_bool(struct openai_read *r, const cJSON *o,
                              const char *name, bool *out);
MUST_USE enum err openai_number(struct openai_read *r, const cJSON *o,
                                const char *name, double min, double max,
                                double *out);
MUST_USE enum err openai_whole_number(struct openai_read *r, const cJSON *o,
                                      const char *name, int64_t min,
                                      int64_t max, int64_t *out);

/* Walk over the members or items of a value. text is checked JSON and begins
 * with it; it is moved behind what is returned. False: no more. name (of a
 * member, with its quotes) may be NULL. The order is that of cJSON's list. */
MUST_USE bool openai_walk(const char **text, struct openai_span *name,
                          struct openai_span *value);

/* A message on its way. */
struct openai_making {
    struct openai_read *r;
    struct ask_message *m;
    struct piece *pieces; /* room for as many as there can be */
    size_t n;
    size_t texts, others; /* pieces of text, and not of text */
    size_t index;         /* in the request */
    char param[OPENAI_IN_PARAM_MAX];
};

/* --- openai_in_parts.c ---------------------------------------------------- */

/* "messages[2]" and member; valid until the next call. */
const char *openai_param(struct openai_making *k, const char *member);
/* Copies the text. There must be room. */
struct piece *openai_add_piece(struct openai_making *k, enum piece_kind kind,
                               const char *text, size_t len);
/* A content: a string, or an array of parts. */
MUST_USE enum err openai_take_content(struct openai_making *k,
                                      const cJSON *content);
/* The pieces are complete: the message gets them, or their text if there is
 * nothing else. It has the text in any case. */
void openai_settle(struct openai_making *k, const char *between);

/* --- openai_in_messages.c, openai_in_tools.c ------------------------------ */

MUST_USE enum err openai_in_messages(struct openai_read *r,
                                     const cJSON *messages);
/* text: that of the array. */
MUST_USE enum err openai_in_tools(struct openai_read *r, const cJSON *tools,
                                  const struct openai_span *text);
MUST_USE enum err openai_in_choice(struct openai_read *r, const cJSON *choice);

#endif
