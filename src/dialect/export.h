/*
 * Conversations written out, one or many, in a form that is handed on in
 * pieces while it is made: the memory is that of a few pieces, however long a
 * conversation or a message.
 *
 *   EXPORT_JSON      {"format":"parley","version":1,"sessions":[…]}
 *   EXPORT_JSONL     one session a line
 *   EXPORT_MARKDOWN  for people
 *
 * What the first two hold is read back by dialect/import.h with nothing lost;
 * docs/WIRE.md has their members. Calls come in the order begin, then for each
 * session: session, its messages, session_end; then end. Pure; any thread, one
 * at a time.
 */
#ifndef DIALECT_EXPORT_H
#define DIALECT_EXPORT_H

#include "base/buf.h"
#include "base/json.h"
#include "chat/result.h"

#define EXPORT_VERSION 1
#define EXPORT_ID_MAX 64             /* bytes of a message's id */
#define EXPORT_PIECE (64 * 1024)     /* bytes; about so many are handed on */
#define EXPORT_BUF_MAX (1024 * 1024) /* bytes that wait, at most */

enum export_format { EXPORT_JSON, EXPORT_JSONL, EXPORT_MARKDOWN, EXPORT__MAX };
/* "json", "jsonl", "md" (or "markdown"); ERR_BADREQ. */
MUST_USE enum err export_format_parse(const char *s, enum export_format *out);
const char *export_media_type(enum export_format f);
const char *export_suffix(enum export_format f); /* "json", "jsonl", "md" */

/* Strings may be NULL where "" means that there is none. */
struct export_session {
    const char *id, *title, *context, *model;
    const char *const *tags;
    size_t n_tags;
    bool pinned, archived;
    int64_t created_ms, updated_ms; /* wall clock; 0: not known */
    const char *head; /* id of the last message shown, if not the last one */
};

struct export_message {
    enum role role;
    enum finish finish;
    const char *id; /* at most EXPORT_ID_MAX bytes */
    /* Of the message that it answers or goes on from; "": none, it begins the
     * conversation; NULL: the one before. */
    const char *parent_id;
    const char *provider, *model;
    int64_t at_ms; /* wall clock; 0: not known */
    struct usage usage;
    int64_t cost_micro; /* -1: not known */
    const char *text;   /* UTF-8; what is not becomes U+FFFD in JSON */
    size_t text_len;
    const char *extra; /* as struct message of store/store.h has it */
    size_t extra_len;
};

/* Takes all n bytes. Non-zero stops: it is returned from then on. */
typedef enum err export_flush_fn(void *arg, const char *s, size_t n);

struct export
{
    enum export_format format;
    struct buf buf;
    struct json_out json;
    export_flush_fn *flush;
    void *arg;
    enum err err;                    /* what flush said first */
    bool any_session, any_message;   /* of this export, of this session */
    char last_id[EXPORT_ID_MAX + 1]; /* of the message before */
};

void export_init(struct export *x, enum export_format f, export_flush_fn *flush,
                 void *arg);
void export_release(struct export *x);
/* OK, what flush returned, or ERR_TOOBIG when an extra or an id is longer than
 * a store would hold. */
MUST_USE enum err export_begin(struct export *x);
MUST_USE enum err export_session(struct export *x,
                                 const struct export_session *s);
MUST_USE enum err export_message(struct export *x,
                                 const struct export_message *m);
MUST_USE enum err export_session_end(struct export *x);
/* All is handed on. */
MUST_USE enum err export_end(struct export *x);

#endif
