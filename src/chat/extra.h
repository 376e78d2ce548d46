/*
 * What is known of an answer beside its text and its counts, as the store
 * keeps it (struct message, extra): one JSON object with the members below.
 * Pure; any thread.
 */
#ifndef CHAT_EXTRA_H
#define CHAT_EXTRA_H

#include "base/buf.h"

/* Each is JSON text of one line, or NULL if there is none. */
struct extra {
    const char *notes;      /* array of {"code","message"} */
    const char *tool_calls; /* array of {"id","name","arguments"} */
    const char *context;    /* object: what the model saw */
    const char *citations;  /* array: excerpts of files it stands on */
    const char *feedback;   /* object: {"rating","comment","timestamp"} */
    struct buf text;        /* extra_read's; they point into it */
};

/* Read a stored object; n may be 0. A member that is not there, or is of
 * another kind, is NULL; so are all of them if it is no JSON object. White
 * space between tokens is dropped, all else is kept as it stands. */
void extra_read(struct extra *x, const char *s, size_t n);
/* Of one that was read, or is all zero. */
void extra_release(struct extra *x);

/* Does what is stored say that the answer stands on a file that must not leave
 * this machine as it is? n may be 0. */
bool extra_stays(const char *s, size_t n);

/* What a model elsewhere is shown in place of such an answer. */
#define EXTRA_HELD \
    "[This answer quotes a file that must not leave the user's machine.]"

/* Write the object into out, which is empty and has room for STORE_EXTRA_MAX
 * bytes; nothing if there is no member, or none but empty arrays. A member
 * that does not fit beside those before it is left out: an answer is never
 * lost for what is said of it. Only these members are read, and they must
 * be JSON. */
void extra_write(struct buf *out, const struct extra *x);

#endif
