/*
 * Both halves compare (index_feed.c), so a walk may stop anywhere and begin
 * again, and several processes may walk at once.
 *
 * The cursor of the index says whether it was ever whole: 0, a new one;
 * WALK_DONE; or the number of the walk that is filling it. Who ends a walk says
 * WALK_DONE only if that number is still there: an index that was replaced
 * meanwhile has 0, and is walked again.
 */
#include "base/base.h"

#include "chat/index_walk.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

void
walker_init(struct walker *w, struct store *store, struct search *search,
            const char *dir)
{
    *w = (struct walker){
        .feed = {.store = store, .search = search},
        .dir = dir,
    };
}

static bool
any_session(void *arg, const struct session *s)
{
    (void)s;
    *(bool *)arg = true;
    return false;
}

/* Neither a session to add nor an index to clean: SQLite stays closed. */
static bool
nothing_there(struct walker *w)
{
    bool any = false;
    uint64_t next;

    return access(w->dir, F_OK) != 0 &&
           store_walk(w->feed.store, 0, 1, &next, any_session, &any) == OK &&
           !any;
}

static enum err
begin(struct walker *w)
{
    uint64_t cursor, stamp;
    enum err e;

    do
        ident_random(&stamp, sizeof(stamp));
    while (stamp <= WALK_DONE || stamp > INT64_MAX);
    w->filling = false;
    w->at = 0;
    w->feed.added = w->feed.dropped = 0;
    w->begun_ms = clock_mono_ms();
    e = search_cursor(w->feed.search, &cursor);
    if (e == OK && cursor != WALK_DONE)
        e = search_add(w->feed.search, NULL, 0, stamp);
    if (e == OK)
        w->stamp = stamp;
    return e;
}

/* Behind the last step. */
static enum err
end(struct walker *w, bool *over)
{
    uint64_t cursor;
    enum err e = search_cursor(w->feed.search, &cursor);

    if (e == OK && cursor == w->stamp)
        e = search_add(w->feed.search, NULL, 0, WALK_DONE);
    w->stamp = 0;
    *over = e == OK && cursor != 0; /* another process may be filling it, too */
    if (*over && w->feed.added + w->feed.dropped > 0)
        log_info("index.walk",
                 "messages=%" PRIu64 " forgotten=%" PRIu64 " ms=%" PRId64,
                 w->feed.added, w->feed.dropped, clock_mono_ms() - w->begun_ms);
    return e;
}

enum err
walk_step(struct walker *w, bool *over)
{
    enum err e;

    *over = false;
    if (w->stamp == 0) {
        *over = nothing_there(w);
        return *over ? OK : begin(w);
    }
    e = w->filling ? feed_fill(&w->feed, &w->at) : feed_trim(&w->feed, &w->at);
    if (e != OK)
        w->stamp = 0;
    else if (w->at == 0 && w->filling)
        e = end(w, over);
    else if (w->at == 0)
        w->filling = true;
    return e;
}
