/*
 * Conversations from other programs, and from our own exports: a file is
 * pushed in pieces of any size, and each conversation is told as soon as it is
 * whole. What the file is shows by itself:
 *
 *   ours         {"format":"parley","sessions":[…]}, or one session a line
 *   ChatGPT      conversations.json: an array of objects with a mapping
 *   Open WebUI   an array of objects with a chat
 *   LibreChat    an object with conversationId and messages
 *   OpenAI       {"messages":[…]}, an array of messages, or lines of either
 *
 * One text may mix them. docs/WIRE.md says what is taken from each. The memory
 * is that of one conversation, however long the file: its text, its tree and
 * its messages. Pure; any thread, one at a time.
 */
#ifndef DIALECT_IMPORT_H
#define DIALECT_IMPORT_H

#include "base/json_items.h"
#include "chat/result.h"

/* Bytes of one conversation, as JSON. A longer one is a fault. */
#define IMPORT_CONVERSATION_MAX (IMPORT_CONVERSATION_MAX_MIB * 1024 * 1024)
#define IMPORT_CONVERSATION_MAX_MIB 16
#define IMPORT_MESSAGES_MAX 65536 /* of one conversation */

enum import_format {
    IMPORT_PARLEY,
    IMPORT_CHATGPT,
    IMPORT_OPENWEBUI,
    IMPORT_LIBRECHAT,
    IMPORT_OPENAI,
    IMPORT__MAX
};
const char *import_format_name(enum import_format f); /* "chatgpt" */

/* Strings are never NULL; "" is not known. Counts of -1 are not known. */
struct import_message {
    enum role role;     /* USER or ASSISTANT; others only from ours */
    enum finish finish; /* NONE: not said */
    const char *text;   /* UTF-8, no NUL inside; may be empty only in ours */
    size_t text_len;
    const char *id; /* as it was there; in plain lists it may occur twice */
    const char *provider, *model;
    int64_t at_ms; /* wall clock; 0: not known */
    struct usage usage;
    int64_t cost_micro;
    const char *extra; /* as struct message of store/store.h has it */
    size_t extra_len;
    /* Index of the message that it answers or goes on from; always less than
     * its own. -1: none, it begins the conversation. */
    int64_t parent;
    bool main; /* on the line that was shown last; others are branches */
};

struct import_session {
    enum import_format format;
    size_t item; /* counted from 1: which item of the file it was */
    uint64_t at; /* offset of that item */
    const char *id, *title, *context, *model;
    const char *const *tags;
    size_t n_tags;
    bool pinned, archived;
    int64_t created_ms, updated_ms;        /* wall clock; 0: not known */
    const struct import_message *messages; /* parents first, else as there */
    size_t n_messages;                     /* at least 1, except of ours */
};

/* What could not be taken. */
struct import_fault {
    size_t item;      /* counted from 1 */
    uint64_t at;      /* offset: of the item, or of what is wrong in it */
    const char *rule; /* static; never the content */
};

/* Each is given things that are good during the call. Non-zero stops the
 * import and is returned. */
struct import_sink {
    enum err (*session)(void *arg, const struct import_session *s);
    enum err (*fault)(void *arg, const struct import_fault *f);
    void *arg;
};

struct import_report {
    size_t items;    /* seen so far */
    size_t sessions; /* told */
    size_t messages; /* of these */
    size_t left_out; /* messages that hold nothing to take over: of the system,
                        of tools, hidden, empty */
    size_t faults;   /* told */
};

struct import_draft;
struct import {
    struct import_report report;
    /* private */
    struct json_items items;
    struct import_sink sink;
    struct import_draft *loose; /* owned; messages that stand alone; or NULL */
    uint32_t loose_list;        /* the array that they are from */
    size_t loose_bytes;
    bool loose_broken;  /* they were too many; the rest is passed over */
    uint32_t ours_list; /* the array that is of our sessions; 0: none, */
    bool newer;         /* written by a newer version */
};

void import_init(struct import *im, const struct import_sink *sink);
void import_release(struct import *im);
/* OK; ERR_BADREQ: the file cannot be read on, why (may be NULL) says where;
 * what came before is told. Or what the sink returned. Nothing may be fed
 * after an error. */
MUST_USE enum err import_feed(struct import *im, const char *s, size_t n,
                              struct problem *why);
/* The file ended. ERR_BADREQ: too early. A file that is whole but held nothing
 * that was taken is OK: the report says so. */
MUST_USE enum err import_end(struct import *im, struct problem *why);

#endif
