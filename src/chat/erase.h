/*
 * Taking things away for good: a session, or what was said in it, with all that
 * hangs on it (turns that run, streams in the log). One way for all who delete:
 * the API, the commands, the sweep of sessions whose time is over.
 */
#ifndef CHAT_ERASE_H
#define CHAT_ERASE_H

#include "chat/engine.h"

enum erase_what {
    ERASE_SESSION,
    ERASE_EXPIRED, /* the session, if its time is over */
    ERASE_MESSAGES /* the session stays, empty */
};

/* Any thread but the loop's; waits for the commit. by: the turn that does it:
 * it has the session to itself, and what waits behind it goes on; NULL: none
 * does. no: the session's number, 0: any. ERR_NOTFOUND; ERR_CONFLICT: a turn
 * of another process is open, or the time is not over. */
MUST_USE enum err erase(struct engine *en, const char *owner, const char *id,
                        uint64_t no, enum erase_what what,
                        const struct ident *by);

#endif
