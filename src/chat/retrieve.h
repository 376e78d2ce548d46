/*
 * What the files say about a question, looked up before it is asked: twice if
 * need be, since a model on this machine may be shown more than one elsewhere.
 * Which of the two it is shown is decided when its prompt is built, for each
 * route anew, so that a fallback to another machine never gets what must stay.
 */
#ifndef CHAT_RETRIEVE_H
#define CHAT_RETRIEVE_H

#include "base/buf.h"
#include "chat/prompt.h"
#include "files/files.h"

#define RETRIEVE_RECENT_MAX 1500       /* bytes of what was said before */
#define RETRIEVE_NAMED_MAX (24 * 1024) /* bytes of a file that is named */
#define RETRIEVE_MIN 0.12  /* similarity, where nobody asked for files */
#define RETRIEVE_LISTED 24 /* excerpts for who answers from files alone */

struct engine;

struct retrieved {
    struct files_found here; /* for a model on this machine */
    struct files_found away; /* for any other; the same if !differs */
    bool differs;
    bool local;               /* only a model on this machine was to have any */
    struct excerpt *excerpts; /* here's, for the offline provider */
    struct sights *sights;    /* owned; chat/sight.h; NULL: there are none */
};

/* The index that turns look into; once, before the engine runs. Borrowed; NULL:
 * there is none. */
void retrieve_use(struct engine *en, struct files *f);
struct files *retrieve_files(const struct engine *en);

/* Say that there is no file of this name; hint NULL: what is always said. Gives
 * ERR_NOTFOUND. */
enum err retrieve_missing(struct problem *why, const char *name,
                          const char *hint);
/* Are the files that a names there, for who asks? ERR_NOTFOUND with why; where
 * there is no index, a note. Acceptor or worker. */
MUST_USE enum err retrieve_check(const struct engine *en, struct turn_ask *a,
                                 struct problem *why);
/* Look for a->text, where the request or FILES_USE want it, and take the files
 * that it names, whatever they say; sets a->retrieved.
 * What fails is logged and as good as nothing found. Acceptor or worker. */
void retrieve(struct engine *en, struct turn_ask *a);

/* What was said in a conversation, newest last, as files_query has it: as much
 * of the newest as has room. leaves: but for what must not leave. */
void retrieve_recent(const struct ask_message *m, size_t n, bool leaves,
                     struct buf *out);

/* --- chat/retrieved.c ----------------------------------------------------- */

/* As whom the index is asked by somebody: who is nobody in particular, and may
 * see no list, sees what is shared. */
const char *retrieve_as(const char *who, bool lists);
/* The same for a turn: who asks, not whose session it is (another's may be gone
 * on with by its id). */
const char *retrieve_viewer(const struct turn_ask *a);
void retrieved_free(const struct retrieved *r); /* NULL is fine */
/* What this route may be shown. Never NULL: nothing has n 0. */
const struct files_found *retrieved_for(const struct retrieved *r, bool stays);

#endif
