/*
 * Titles of sessions that a model writes (setting TITLE_MODEL). A session is
 * named by the first words of its first question at once; when its first
 * answer is stored, and its user gave it no name, a cheap model is asked for a
 * better one. In the background, once for a session: if nothing useful comes
 * the first words stay, and a name that its user gives meanwhile stays as well.
 * Loop thread only.
 */
#ifndef CHAT_TITLES_H
#define CHAT_TITLES_H

#include "chat/aside.h"

#define TITLE_RUNS_MAX 8        /* at once, of all sessions */
#define TITLE_TOTAL_MS 30000    /* for one, with all tries */
#define TITLE_QUESTION_MAX 4096 /* bytes that the model is shown of it */
#define TITLE_ANSWER_MAX 2048   /* likewise */
#define TITLE_MESSAGES_MAX \
    8 /* of a session; in a longer one the first
                                   answer is over */

struct turn;

extern const struct aside_kind title_kind;

/* The answer of t is stored: ask for a title if its session needs one. Copies
 * what it needs; never fails. all: of that kind. */
void titles_after(struct asides *all, const struct turn *t);

#endif
