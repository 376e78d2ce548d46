/*
 * How well a message matches. For search*.c only.
 */
#ifndef STORE_SEARCH_RANK_H
#define STORE_SEARCH_RANK_H

#include "base/base.h"

#include <sqlite3.h>

#define SEARCH_RANK "parley_rank"

/* Make the function of that name known to FTS5: (words, bytes) of a row, where
 * bytes is the length of its text. An SQLite code. */
MUST_USE int search_rank_register(fts5_api *api);
/* What it gave, with the message's age: an integer that is the same whenever
 * it is computed for the same row and now_ms, whatever else the index holds. */
uint32_t search_rank_score(double rank, int64_t at_ms, int64_t now_ms);

#endif
