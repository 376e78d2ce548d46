/*
 * Vectors of the files by a provider (setting EMBED_MODEL), in the background:
 * what has none yet is taken a few chunks at a time, sent to the provider,
 * and kept. Of all processes on one data folder one does it, as long as it
 * lives; when it dies another goes on where it was. When the setting names
 * another model all is done anew, and the vectors of the one before are dropped
 * at the end, so that they serve until then (chat/query_vector.h).
 *
 * Labels count: a provider that is not on this machine is given nothing that is
 * local-only, and the rest blotted out. Who pays is FILE_EMBED_PAYER.
 */
#ifndef CHAT_FILE_EMBED_H
#define CHAT_FILE_EMBED_H

#include "base/base.h"

#define FILE_EMBED_PAYER "program/files" /* an owner whom nobody can be */
#define FILE_EMBED_LOCK "embed.lock"     /* in the folder of the index */
#define FILE_EMBED_BATCH 64              /* chunks at once, at most */

struct engine;
struct file_embed;

/* Behind retrieve_use: begin, if EMBED_MODEL names somebody and there is an
 * index. background: this process lives long enough to make vectors; else it
 * only has those of questions made. */
void file_embed_begin(struct engine *en, bool background);
/* Any thread. There is something new in the index: look at once. It is seen
 * after a while in any case. */
void file_embed_wake(struct engine *en);
/* Is a piece of work under way? NULL: no. Loop thread. */
bool file_embed_busy(const struct file_embed *fe);
/* The engine drains: let go what is asked. NULL is fine. Loop thread. */
void file_embed_stop(struct file_embed *fe);
/* Behind the loop, the workers and all that holds the engine. NULL is fine. */
void file_embed_free(struct file_embed *fe);

/* What is told of it. */
enum file_embed_state {
    FILE_EMBED_WORKING,
    FILE_EMBED_DONE,      /* nothing is left to do */
    FILE_EMBED_WAITING,   /* it failed, and is tried again */
    FILE_EMBED_STOPPED,   /* it failed, until somebody changes a setting */
    FILE_EMBED_ELSEWHERE, /* another process does it */
    FILE_EMBED__MAX
};
struct file_embed_told {
    const char *model; /* constant */
    const char *state; /* "working", "done", … */
    char code[64];     /* of the last problem; "": there is none */
};
/* Any thread. False: there is nothing to be told of. */
bool file_embed_tell(const struct engine *en, struct file_embed_told *out);

#endif
