/*
 * Where a page of results goes on, and the cursor that says so to a client.
 * For search*.c and the tests. Pure but for the clock.
 */
#ifndef STORE_SEARCH_FROM_H
#define STORE_SEARCH_FROM_H

#include "store/search.h"

struct search_from {
    int64_t now_ms; /* wall clock at the first page */
    int64_t top;    /* messages with smaller numbers were there then */
    int64_t window; /* the window's are smaller than that */
    uint32_t score; /* the last result that was shown of the window: */
    uint64_t key;   /* its score, and the number of its session or message */
};

/* The first page, now. */
struct search_from search_from_first(void);
void search_from_write(char out[SEARCH_CURSOR_MAX],
                       const struct search_from *f);
/* ERR_BADREQ: not one of ours. */
MUST_USE enum err search_from_read(const char *s, struct search_from *f);

#endif
