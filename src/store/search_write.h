/*
 * Writing to the index, within a transaction of the caller's. For search*.c
 * only.
 */
#ifndef STORE_SEARCH_WRITE_H
#define STORE_SEARCH_WRITE_H

#include "store/search_sql.h"

/* What is left to wipe, in meta.scrub. */
enum search_scrub {
    SEARCH_SCRUB_NONE,
    SEARCH_SCRUB_REPLACED, /* messages that were replaced: with the next */
    SEARCH_SCRUB_FORGOTTEN /* somebody was told that it will be: now */
};

MUST_USE enum err search_meta(struct search_conn *c, uint64_t *cursor,
                              enum search_scrub *scrub);
/* Note that there is something to wipe. */
MUST_USE enum err search_scrub_want(struct search_conn *c,
                                    enum search_scrub what);
/* Wipe it; no transaction is open. */
MUST_USE enum err search_scrub(struct search_conn *c);
/* The words of a message by those values; adds, or takes away again. */
MUST_USE enum err search_words_put(struct search_conn *c, enum search_sql how,
                                   int64_t no, const char *text, size_t len,
                                   int64_t owner, uint64_t session_no);
/* Take a message out. */
MUST_USE enum err search_doc_drop(struct search_conn *c, int64_t no,
                                  int64_t owner, uint64_t session_no);
/* Take a session out, with its owner if it was the last one. ERR_NOTFOUND: it
 * is not there. */
MUST_USE enum err search_session_drop(struct search_conn *c,
                                      uint64_t session_no);
/* ERR_NOTFOUND: an owner without messages. */
MUST_USE enum err search_owner(struct search_conn *c, const char *owner,
                               int64_t *no);

#endif
