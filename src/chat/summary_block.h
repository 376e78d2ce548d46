/*
 * What one run of the summariser works on: the oldest messages of a session
 * that no summary stands for yet, as far as they need not be sent as they are
 * and one request holds them. For chat/summary.c.
 */
#ifndef CHAT_SUMMARY_BLOCK_H
#define CHAT_SUMMARY_BLOCK_H

#include "chat/prompt.h"

#define SUMMARY_BLOCK_MESSAGES 512 /* in one run */

struct summary_said {
    uint32_t seq;
    struct ask_message m; /* its text is in the arena of ask */
};

/* All of it is set up by the caller; NULL and 0 where it is not known yet. */
struct summary_block {
    struct turn_ask *ask; /* owner, session_id; its arena holds all below */
    int64_t room;         /* tokens that the session's model may be sent; -1:
                             any number */
    int64_t read_max;     /* tokens that the summariser is given at most */
    bool pressed;         /* messages were left out already: summarise however
                             few there are */

    uint64_t session_no;
    uint32_t upto_seq;      /* the new summary stands for those before it */
    struct ask_message old; /* the summary there is; len 0: none */
    struct summary_said *said;
    size_t n_said;
};

/* Read the store. ERR_NOTFOUND: the session is gone, or there is nothing to
 * summarise (yet); ERR_STORE. Worker. */
MUST_USE enum err summary_block_load(struct store *s, struct summary_block *b);
/* Leave the newer half out. False: it has one exchange only. */
bool summary_block_halve(struct summary_block *b);
/* What the summariser is asked. */
void summary_block_text(const struct summary_block *b, struct buf *out);

/* prompt with {words} filled in for a model that may be sent so many tokens
 * (-1: any number); in the arena of a. */
const char *summary_prompt_fill(struct turn_ask *a, const char *prompt,
                                int64_t room);

#endif
