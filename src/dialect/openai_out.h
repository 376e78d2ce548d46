/*
 * OpenAI's dialect, the way out: parts of an answer as the chunks of a Chat
 * Completions stream, and problems as that API's errors. The same answer in
 * one piece is in dialect/openai_whole.h. Pure: bytes go into the caller's
 * buffer.
 *
 * Where the provider speaks this wire as well, the choices of a chunk that
 * needs no change go out as they came (part.choices), below our own names: no
 * text of theirs is unescaped, escaped or parsed once more.
 *
 * A stream is: a chunk with the role, chunks with deltas, a chunk with the
 * finish_reason, the usage if it was asked for, [DONE]. Or, when it broke off,
 * an error instead of the last three.
 */
#ifndef DIALECT_OPENAI_OUT_H
#define DIALECT_OPENAI_OUT_H

#include "base/buf.h"
#include "base/ident.h"
#include "chat/result.h"

#define OPENAI_OUT_CALLS_MAX 256 /* tool calls of one answer */
#define OPENAI_OUT_MODEL_MAX 256 /* bytes of a model's name */
#define OPENAI_OUT_ID_MAX 46     /* "chatcmpl-", an ident's text, NUL */
#define OPENAI_OUT_CALL_ID_MAX 40

struct openai_out {
    char id[OPENAI_OUT_ID_MAX];
    char model[OPENAI_OUT_MODEL_MAX + 1]; /* that answers, as far as known */
    int64_t created_s;                    /* wall clock */
    bool usage;                           /* a chunk with it is wanted */
    bool begun;                           /* the chunk with the role is out */
    bool ended;
    struct buf head; /* owned; each chunk up to its delta */
    size_t names;    /* bytes of head, up to the value of "choices" */
    size_t calls;    /* told; counted from 0 */
    bool has_args[OPENAI_OUT_CALLS_MAX];
    enum part_kind carry_kind; /* whose the carry is */
    int carry_index;
    char carry[4]; /* the beginning of a character */
    size_t carry_len;
};

/* id: makes the completion's own. usage: as stream_options.include_usage. */
void openai_out_init(struct openai_out *o, const struct ident *id,
                     int64_t created_s, bool usage);
void openai_out_release(struct openai_out *o);
/* Who answers; not heard any more when the first chunk is out. */
void openai_out_model(struct openai_out *o, const char *s, size_t n);
/* The chunk with the role, if it is not out. with_calls: the answer begins
 * with a tool call, and has no text yet. */
void openai_out_begin(struct openai_out *o, bool with_calls, struct buf *out);
/* What a part says; nothing for those that only the end tells. Text may end
 * inside a character: its beginning is kept for the next part. */
void openai_out_part(struct openai_out *o, const struct part *p,
                     struct buf *out);
/* A whole answer's end. finish is none of INCOMPLETE, INTERRUPTED, ERROR. */
void openai_out_end(struct openai_out *o, enum finish finish,
                    const struct usage *u, struct buf *out);
/* The end of one that broke off. */
void openai_out_error(struct openai_out *o, const struct problem *p,
                      struct buf *out);

/* --- shared with the answer in one piece --------------------------------- */

struct json_out;

/* finish_reason's word. */
const char *openai_out_finish(enum finish finish);
/* The value of "usage": an object, or null if nothing is known. */
void openai_out_usage(struct json_out *j, const struct usage *u);
/* The members that all objects of this completion begin with. */
void openai_out_names(const struct openai_out *o, struct json_out *j,
                      const char *object);
/* The id of call number index: said, or made if said is "". room has
 * OPENAI_OUT_CALL_ID_MAX bytes. */
const char *openai_out_call_id(const struct openai_out *o, const char *said,
                               size_t index, char *room);
/* "extra_content" of a call from its signature, as Gemini's compatible API
 * has it; nothing if it cannot be one. */
void openai_out_signature(struct json_out *j, const char *s, size_t n);

/* --- errors --------------------------------------------------------------- */

/* {"error":{message,type,param,code}}; param NULL: null. */
void openai_out_problem(struct buf *out, const struct problem *p,
                        const char *param);
/* The status that fits p on this API where it differs from the usual one: a
 * provider's refusal shows as what it is. 0: the usual one. */
int openai_out_status(const struct problem *p);
/* Is it of no use to try again, whatever the status? */
bool openai_out_final(const struct problem *p);

#endif
