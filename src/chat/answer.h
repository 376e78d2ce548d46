/*
 * An answer that is stored, and the events that tell of it: for a turn whose
 * log lacks its end, or is gone. Fill it on any thread, one at a time; append
 * on the loop thread.
 */
#ifndef CHAT_ANSWER_H
#define CHAT_ANSWER_H

#include "chat/extra.h"
#include "chat/stream.h"

struct answer {
    struct message m; /* its strings are below */
    struct buf text;
    struct buf stored; /* its extra, as it is or will be stored */
    struct extra extra;
    char provider[STORE_NAME_MAX + 1], model[STORE_NAME_MAX + 1];
};

void answer_init(struct answer *a);
void answer_release(struct answer *a);
/* As after answer_init; memory is kept. */
void answer_clear(struct answer *a);
/* A message_fn: arg is the answer, which is clear and takes a copy. */
bool answer_keep(void *arg, const struct message *m);
/* Make it the answer of a turn that its process left: the text and the context
 * of what the log has, who answered by its head, not finished. *seq is the
 * log's last event. */
void answer_from_log(struct answer *a, struct streamlog *l,
                     const struct turn_info *t, uint32_t *seq);
/* Append the end event to the turn's stream; if the stream is empty, the
 * other events before it, so that the end has the number that it had. */
MUST_USE enum err answer_append(const struct answer *a,
                                const struct turn_info *t, struct stream *s);

#endif
