/*
 * What is new in a session, as server-sent events. docs/WIRE.md has them.
 * Workers.
 */
#ifndef API_SESSION_NEWS_H
#define API_SESSION_NEWS_H

#include "chat/seen.h"

/* Put what is new since *seen behind what is in out (which is empty), and move
 * *seen. As seen_look, of which more and expires_ms are. */
struct session_news {
    struct store *store;
    const char *owner, *session_id; /* borrowed */
    struct buf *out;                /* max: SEEN_OUT_MAX */
    bool more;                      /* out */
    int64_t expires_ms;             /* out */
};
MUST_USE enum err session_news(struct session_news *n, struct seen *seen);

#endif
