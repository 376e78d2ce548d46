/*
 * What is known of a turn beside its text: notes, what the model was sent,
 * what it cost. For chat/turn.c and turn_end.c. Loop thread.
 */
#ifndef CHAT_TURN_EXTRA_H
#define CHAT_TURN_EXTRA_H

#include "chat/turn.h"

/* Add {"code", "message"} to the notes; dropped where there is no room. */
void turn_note(struct turn *t, const char *code, const char *fmt, ...)
    PRINTF(3, 4);
/* The notes as a JSON array. */
void turn_notes_json(struct buf *out, const struct turn *t);
/* Is there something to say of what the model was sent: what was left out, and
 * what was brought along? */
bool turn_was_cut(const struct turn *t);
/* Excerpts of files that the answer names, or (if it names none) that a model
 * was shown, as a JSON array. */
void turn_citations_json(struct buf *out, const struct turn *t);
/* How many those are. */
uint32_t turn_citations(const struct turn *t);
/* Each of them as an event. */
MUST_USE enum err turn_tell_citations(struct turn *t);
/* Say, once, which files it was not shown because they must stay here. */
void turn_held_note(struct turn *t);
/* Say which images of the index it has in words alone, and why. */
void turn_sight_notes(struct turn *t);
/* Was the model shown a file that must not leave this machine as it is? */
bool turn_quotes(const struct turn *t);
/* What it was sent, as a JSON object: the data of EVENT_CONTEXT. */
void turn_context_json(struct buf *out, const struct turn *t);
/* What is stored with the answer (chat/extra.h). */
void turn_extra_json(struct buf *out, const struct turn *t);
/* Micro-dollars; -1: not known; 0: the answer was kept from before. */
int64_t turn_cost(const struct turn *t);

/* Its problem is that there is no room: on disk, or for temporary chats. */
void turn_problem_full(struct turn *t);

#endif
