/*
 * What somebody has seen of a session, in a line of text that a client can
 * keep, and what is new since then. There is no log of changes: what is new is
 * found in the store, so it can be asked for after any time and in any process.
 * Any thread that may read the store.
 */
#ifndef CHAT_SEEN_H
#define CHAT_SEEN_H

#include "store/store.h"

#define SEEN_MARK 8             /* bytes of a digest */
#define SEEN_TEXT_MAX 84        /* bytes, with the NUL */
#define SEEN_BATCH (16 * 1024)  /* bytes after which one look has enough */
#define SEEN_OUT_MAX (64 << 20) /* bytes; a batch with the longest message */

enum seen_kind {
    SEEN_NOTHING, /* all zero */
    SEEN_SESSION,
    SEEN_END /* of a session; there may be another one of its name */
};

struct seen {
    enum seen_kind kind;
    uint8_t session[SEEN_MARK]; /* which one: its number and age */
    uint32_t n;                 /* messages: all with a lower seq */
    struct ident last;          /* the last of these; zero if n is 0 */
    uint8_t state[SEEN_MARK];   /* of what else is told of it */
};

void seen_text(char out[SEEN_TEXT_MAX], const struct seen *s);
/* ERR_BADREQ if it is no such text. */
MUST_USE enum err seen_read(const char *text, struct seen *out);

enum seen_news {
    NEWS_SESSION, /* nothing was seen before: this is how it is */
    NEWS_CHANGED,
    NEWS_CLEARED, /* all messages that were seen are gone */
    NEWS_DELETED  /* or its time is over, or it is another one; the end */
};

/* Who says it, into the buffer of the look. `now` is what was seen with that.
 * They must not call the store, but for begin. */
struct seen_calls {
    /* Messages of it may follow, with seqs below its n_messages. May be called
     * again. */
    void (*begin)(void *arg, const struct session *s);
    void (*message)(void *arg, const struct seen *now, const struct message *m);
    /* s: NULL if it is gone. head: the id of the line's last message, zero if
     * there is none. */
    void (*news)(void *arg, const struct seen *now, enum seen_news what,
                 const struct session *s, const struct ident *head);
};

struct seen_look {
    struct store *store;
    const char *owner, *session_id; /* borrowed */
    const struct seen_calls *calls;
    void *arg;
    struct buf *out; /* what calls write to; empty */
    /* out */
    bool more;          /* there may be more: look again */
    int64_t expires_ms; /* wall clock; the session's own; 0: none */
};
/* Say what is new since *seen, at least one thing if there is any, and move
 * *seen. The same for the same *seen as long as nothing else changes but that
 * more comes. On an error nothing was said. */
MUST_USE enum err seen_look(struct seen_look *l, struct seen *seen);

#endif
