/*
 * The sentences about temporary chats, one place for the API and for turns.
 */
#include "base/base.h"

#include "chat/temporary.h"

#include "base/conf.h"

#define RETRY_S 5 /* streams that ended go when memory is short */

enum err
temporary_check(struct problem *why)
{
    if (conf_int(CONF_TEMPORARY_MIB) > 0)
        return OK;
    return problem_set(why, ERR_IMPOSSIBLE, "temporary_off",
                       "There are no temporary chats here",
                       "Leave 'temporary' out; the chat is stored then.");
}

enum err
temporary_problem(struct problem *p, enum err e)
{
    if (e == ERR_FULL) {
        (void)problem_set(p, e, "temporary_full",
                          "The memory for temporary chats is used up",
                          "Try again in a moment, delete a temporary chat, or "
                          "go on in an ordinary one.");
        p->retry_after_s = RETRY_S;
        return e;
    }
    if (e == ERR_IMPOSSIBLE)
        return problem_set(p, e, "not_temporary",
                           "The session is not a temporary one",
                           "Whether a chat is stored is said when it begins: "
                           "take another session_id.");
    return problem_set(p, e, NULL, NULL, NULL);
}

void
temporary_problem_if(bool is, struct problem *p, enum err e)
{
    if (is)
        (void)temporary_problem(p, e);
    else
        (void)problem_set(p, e, NULL, NULL, NULL);
}
