/*
 * What a session has used and cost: the sum over all of its messages, on
 * whatever line they are, with what was spent on its summaries and its title.
 * It is taken when it is asked for, in a pass over the heads of its messages.
 */
#ifndef CHAT_SPENT_H
#define CHAT_SPENT_H

#include "provider/provider.h"
#include "store/store.h"

struct spent {
    int64_t messages;
    struct usage usage; /* of answers; -1: nothing of it is known */
    int64_t cost_micro; /* micro-dollars; -1: none is known */
};

/* Any thread that may wait for the disk. sess may be NULL, else it is filled.
 * ERR_NOTFOUND, ERR_STORE: *out is that of a session without messages. */
MUST_USE enum err spent_load(struct store *s, const char *owner, const char *id,
                             struct session *sess, struct spent *out);

#endif
