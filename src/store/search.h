/*
 * The index of words over all messages: who wrote what about X, and where. It
 * stands beside the store in DATA_DIR/search and is never the source of truth:
 * it may be missing, behind, damaged or deleted at any time. Whoever feeds it
 * asks for its cursor and reads the store from there on; a new index says 0,
 * and so does one that was damaged and made anew.
 *
 * What people may type: words, all of which must be there; "words in quotes"
 * in that order; -word or -"words" that must not be; and a word with * behind
 * it for all that begin so (of SEARCH_PREFIX_MIN characters; a shorter one is
 * taken as the whole word). Letters are compared without case and accents.
 * Chinese, Japanese, Korean, Thai and their neighbours need no spaces, and
 * emoji are words. Nothing is a syntax error; a query without a wanted word
 * finds nothing.
 *
 * Any number of processes and threads may use it. All calls block on the
 * disk: any thread but the loop's. SQLite is not touched before the first
 * call after search_open. Errors of all calls: ERR_BUSY, another process kept
 * it locked for seconds; ERR_FULL, the disk is; ERR_STORE, it failed (logged)
 * and, if the file was damaged, is a new one now.
 */
#ifndef STORE_SEARCH_H
#define STORE_SEARCH_H

#include "store/store.h"

#define SEARCH_QUERY_MAX (10 * 1024) /* bytes */
#define SEARCH_TERMS_MAX 64    /* words of a query; the rest is left out */
#define SEARCH_PREFIX_MIN 2    /* characters before a * */
#define SEARCH_LIMIT_MAX 100   /* results of a page */
#define SEARCH_BEST 3          /* messages that are shown of a session */
#define SEARCH_WINDOW 1000     /* matches that are ranked together */
#define SEARCH_BATCH_MAX 1000  /* messages of one search_add */
#define SEARCH_SNIPPET_MAX 320 /* bytes */
#define SEARCH_MARKS_MAX 16    /* marked places of a snippet */
#define SEARCH_CURSOR_MAX 96   /* bytes of a page's cursor, with its NUL */

struct search;

/* Remember the folder (DATA_DIR/search; made with mode 0700 when it is first
 * used). ERR_STORE: its name is too long. */
MUST_USE enum err search_open(struct search **out, const char *dir);
/* No call may be running. NULL is fine. */
void search_close(struct search *s);

/* --- feeding ------------------------------------------------------------- */

struct search_message {
    const char *owner;
    uint64_t session_no; /* of struct session: never used twice */
    const char *session_id;
    struct ident id;
    uint32_t seq;
    uint8_t role;
    int64_t at_ms; /* wall clock */
    const char *text;
    size_t text_len; /* at most STORE_TEXT_MAX */
};
/* How far the index has read, as its feeders said: the number is theirs. 0:
 * nothing is in it, and all has to be fed again. */
MUST_USE enum err search_cursor(struct search *s, uint64_t *cursor);
#define SEARCH_CURSOR_KEEP UINT64_MAX /* leave it as it is by now */
/* Add messages and set the cursor, both or none. A message of the same session
 * number and seq is replaced; messages of a session that was forgotten are left
 * out. n may be 0. ERR_TOOBIG: past SEARCH_BATCH_MAX or STORE_TEXT_MAX;
 * ERR_BADREQ: an owner or session id that the store cannot have. */
MUST_USE enum err search_add(struct search *s, const struct search_message *m,
                             size_t n, uint64_t cursor);
/* Forget sessions for good: when this returns OK, nothing of their text is in
 * any file of the index (nor of what was forgotten before and could not be
 * wiped then). That rewrites the list of words, so give all that are to go at
 * once. After ERR_BUSY or ERR_FULL call again; what the next search_add can
 * wipe it will. n may be 0. */
MUST_USE enum err search_forget(struct search *s, const uint64_t *session_no,
                                size_t n);
/* The same for sessions that stay, empty, or that are only not in the store
 * now: what is added to them from now on is taken. */
MUST_USE enum err search_clear(struct search *s, const uint64_t *session_no,
                               size_t n);
/* What it has last of a session, and whose it takes it for. ERR_NOTFOUND:
 * nothing. */
MUST_USE enum err search_last(struct search *s, uint64_t session_no,
                              uint32_t *seq, struct ident *id,
                              char owner[STORE_OWNER_MAX + 1]);
/* Numbers of sessions it has, in order, from one on: *n of at most max. */
MUST_USE enum err search_sessions(struct search *s, uint64_t from,
                                  uint64_t *session_no, size_t max, size_t *n);
/* Begin anew with an empty index: after the store was replaced, or to rebuild.
 * The forgotten sessions are forgotten, too. */
MUST_USE enum err search_reset(struct search *s);

/* Is the index in this folder damaged, or of another version? It is only read.
 * OK with *damaged false also when there is none. ERR_BUSY, ERR_STORE. */
MUST_USE enum err search_check(const char *dir, bool *damaged);

struct search_stats {
    uint64_t messages, sessions;
    uint64_t bytes; /* of the file, without what is being written */
    uint64_t cursor;
};
MUST_USE enum err search_stats(struct search *s, struct search_stats *out);

/* --- looking ------------------------------------------------------------- */

struct search_mark {
    uint16_t at, len; /* bytes of the snippet */
};
/* A message that matches. All of it is borrowed until the callback returns. */
struct search_hit {
    const char *session_id;
    uint64_t session_no;
    struct ident id;
    uint32_t seq;
    uint8_t role;
    int64_t at_ms;
    double score;        /* more is better; of this query only */
    const char *snippet; /* UTF-8 on one line, at most SEARCH_SNIPPET_MAX
                            bytes, "…" where it is cut */
    size_t snippet_len;
    struct search_mark mark[SEARCH_MARKS_MAX]; /* in order, apart */
    unsigned n_marks;
};
/* One result; n is at least 1, hits are the best first. false stops. */
typedef bool search_fn(void *arg, const struct search_hit *hits, size_t n);

struct search_ask {
    const char *owner;
    const char *q; /* UTF-8 or anything else */
    size_t q_len;
    uint32_t limit;     /* results; more than SEARCH_LIMIT_MAX counts as that */
    const char *cursor; /* of the page before; NULL or "": the first */
};
/* Sessions that hold matching messages, each with its SEARCH_BEST best ones:
 * the best and newest first, within each SEARCH_WINDOW of the newest matching
 * messages. next is the cursor of the next page, "" if there is none; a page
 * may be short, or empty, before the last. Messages that come meanwhile are
 * not in the pages of an earlier first one, and what has been shown does not
 * come again. Only the owner's own messages are looked at and counted.
 * ERR_TOOBIG: past SEARCH_QUERY_MAX; ERR_BADREQ: not a cursor of ours. */
MUST_USE enum err search_query(struct search *s, const struct search_ask *a,
                               char next[SEARCH_CURSOR_MAX], search_fn *fn,
                               void *arg);
/* The same within one session: a result is a message. */
MUST_USE enum err search_query_messages(struct search *s,
                                        const struct search_ask *a,
                                        uint64_t session_no,
                                        char next[SEARCH_CURSOR_MAX],
                                        search_fn *fn, void *arg);

#endif
