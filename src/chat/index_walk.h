/*
 * A walk through all of the store and the index: what the store does not have
 * is taken out, then what the index does not have is added. In bounded steps,
 * on one worker at a time. Errors are those of store/search.h.
 */
#ifndef CHAT_INDEX_WALK_H
#define CHAT_INDEX_WALK_H

#include "chat/index_feed.h"

#define WALK_DONE 1 /* the cursor of an index that a walk has filled */

struct walker {
    struct feed feed;
    const char *dir;  /* borrowed; of the index */
    uint64_t stamp;   /* the walk's number; 0: it has not begun */
    bool filling;     /* the second half */
    uint64_t at;      /* number of the session to go on with */
    int64_t begun_ms; /* monotonic */
};

void walker_init(struct walker *w, struct store *store, struct search *search,
                 const char *dir);
/* Begin, or go on. *over: that was all. After an error it begins anew. */
MUST_USE enum err walk_step(struct walker *w, bool *over);

#endif
