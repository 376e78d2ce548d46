/*
 * A conversation on its way from an item of a file to a struct import_session:
 * what the readers of the formats fill. Private to dialect/import*.c.
 */
#ifndef DIALECT_IMPORT_DRAFT_H
#define DIALECT_IMPORT_DRAFT_H

#include "base/json.h"
#include "base/mem.h"
#include "dialect/import.h"

/* A message, or a place in the tree where none is taken over. */
struct import_node {
    struct import_message m; /* parent and main are set at the end */
    const char *id;          /* "": nobody refers to it */
    const char *parent;      /* id; "" or unknown: none */
    bool follows;            /* its parent is the node before it */
    bool keep;               /* it is a message */
};

struct import_draft {
    struct import_session s;
    const cJSON *item; /* strings are borrowed from here; NULL: copied */
    struct arena arena;
    struct import_node *nodes; /* owned */
    size_t n, cap;
    const char *current; /* id of the last message shown; "": the last one */
    bool newest;         /* without current: the one of the latest time */
    size_t left_out;
    bool talked; /* a message of a user or an assistant was kept */
    /* by import_draft_settle, owned */
    struct import_message *messages;
};

struct import_draft *import_draft_new(enum import_format format,
                                      const cJSON *item);
void import_draft_free(struct import_draft *d); /* NULL is fine */

/* A node that is not kept yet; NULL past IMPORT_MESSAGES_MAX. Good until the
 * next one. Its strings are "". */
struct import_node *import_draft_node(struct import_draft *d);
/* Set its text and keep it; or leave it out if there is none. */
void import_draft_text(struct import_draft *d, struct import_node *nd,
                       const char *text);
/* System text: the conversation's context if nothing was said before, else
 * left out. */
void import_draft_system(struct import_draft *d, const char *text);
/* Put the messages in order and make the session whole. NULL, or the rule that
 * the conversation breaks. */
const char *import_draft_settle(struct import_draft *d);

/* --- what several readers need -------------------------------------------- */

/* The member if it is a string, else ""; copied if the draft has no item. */
const char *import_str(struct import_draft *d, const cJSON *o,
                       const char *name);
/* A time: seconds since 1970 (or milli-, micro-, nanoseconds: they are told
 * apart by their size), or ISO 8601. 0: none, or none since
 * 1970. */
int64_t import_time(const cJSON *o, const char *name);
bool import_true(const cJSON *o, const char *name);
/* Strings of an array become the session's tags. */
void import_tags(struct import_draft *d, const cJSON *array);
/* FINISH_NONE if it is no name of ours, nor of those that others have. */
enum finish import_finish(const char *name);
/* A content: a string, or an array of parts, of which those that are no text
 * become a note ("[image]"). NULL: it is neither; "": nothing. */
const char *import_content(struct import_draft *d, const cJSON *content);

/* --- the formats ---------------------------------------------------------- */

/* Fill the draft of an item that was recognised. NULL, or the rule that it
 * breaks. */
const char *import_read_messages(struct import_draft *d, const cJSON *item);
const char *import_read_chatgpt(struct import_draft *d, const cJSON *item);
const char *import_read_openwebui(struct import_draft *d, const cJSON *item);
const char *import_read_librechat(struct import_draft *d, const cJSON *item);
/* One message of a list. With a rule the list may be gone on with. */
const char *import_read_message(struct import_draft *d, const cJSON *o);

#endif
