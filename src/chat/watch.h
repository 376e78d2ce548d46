/*
 * Who watches which session, and waking them when it may have changed. In this
 * process the committer says so; the commits of other processes are looked for
 * now and then, and only while somebody watches. A watch is woken too often
 * rather than too late: what changed, if anything, it finds in the store
 * (chat/seen.h). Loop thread.
 */
#ifndef CHAT_WATCH_H
#define CHAT_WATCH_H

#include "chat/engine.h"

struct watches;
struct watch;

/* None of these may join or leave but for the watch it is given. */
struct watch_calls {
    /* The session may have changed. */
    void (*wake)(struct watch *w);
    /* The engine drains: give what there is, then leave. */
    void (*stop)(struct watch *w);
    /* The engine ends now, and no worker is left: leave, and be gone. */
    void (*drop)(struct watch *w);
};

/* Embed it; zero it, and set calls. */
struct watch {
    const struct watch_calls *calls;
    struct watch *prev, *next; /* of the same bucket; watches' */
    unsigned bucket;
};

struct watches *watches_new(struct engine *en);
void watches_free(struct watches *ws); /* drops all; NULL is fine */
/* The engine drains: all are stopped, also those that come from now on. */
void watches_stop(struct watches *ws);

size_t watches_count(const struct watches *ws);

/* From now on no change is missed: look at the store after it, not before.
 * ERR_BUSY: there are as many as this process can hold (engine_capacity). A
 * watch counts as a reader until it leaves. */
MUST_USE enum err watch_join(struct engine *en, struct watch *w,
                             const char *session_id);
void watch_leave(struct engine *en, struct watch *w);

#endif
