/*
 * A walk on the loop, which alone may read the log, in pieces that nobody who
 * streams will notice. A stream that is read while it is dropped ends as one
 * whose grace time is over does.
 */
#include "base/base.h"

#include "chat/command_streams.h"

#include "chat/core.h"

#define WALK_STREAMS 128 /* looked at in one go */

struct walk {
    struct engine *en;
    const char *owner, *session_id;
    struct ident at;
    bool over;
};

/* No message was made of it: it told a command. */
static bool
is_wanted(const struct walk *w, const struct stream_head *h)
{
    return h->ended && ident_is_zero(&h->answer_message) &&
           strcmp(h->session_id, w->session_id) == 0 &&
           strcmp(h->owner, w->owner) == 0;
}

/* Loop. */
static void
walk_on(void *arg)
{
    struct walk *w = arg;
    struct stream_head head;

    for (int i = 0; i < WALK_STREAMS && !w->over; i++) {
        if (streamlog_after(w->en->log, &w->at, &head) != OK)
            w->over = true;
        else if (is_wanted(w, &head) && !hub_has(w->en->hub, &w->at))
            IGNORE(streamlog_drop(w->en->log, &w->at)); /* else when old */
    }
}

void
command_streams_drop(struct engine *en, const char *owner,
                     const char *session_id)
{
    struct walk w = {.en = en, .owner = owner, .session_id = session_id};
    struct ident before;

    do {
        before = w.at;
        engine_call(en, walk_on, &w);
    } while (!w.over && !ident_eq(&before, &w.at)); /* the loop has ended */
}
