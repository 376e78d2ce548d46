/*
 * What one generator does with the cache of answers: it asks for the request
 * that it is about to send, and gathers the parts of an answer to keep it. For
 * chat/generator.c. Loop thread only.
 */
#ifndef CHAT_RECALL_H
#define CHAT_RECALL_H

#include "chat/cache.h"

struct recall {
    struct cache *cache;     /* NULL: nothing is kept and nothing known */
    const char *owner;       /* borrowed */
    uint8_t key[DIGEST_LEN]; /* of the request asked for last */
    struct kept kept;        /* what was known of it, or came since */
};

/* cache may be NULL, owner too: then nothing is done. */
void recall_init(struct recall *r, struct cache *cache, const char *owner);
void recall_release(struct recall *r);
/* Is the answer to this request known? Then kept is all of it. Counts a hit,
 * or a miss unless the same was missed just before. */
MUST_USE bool recall_ask(struct recall *r, const struct route_choice *route,
                         const struct upstream_request *q, int64_t now_ms);
/* The provider said this. */
void recall_add(struct recall *r, const struct part *p);
/* That was all, and it ended so. Kept is a text that ended as the model
 * wished and calls no tools. */
void recall_keep(struct recall *r, enum finish finish, int64_t now_ms);

#endif
