/*
 * Words of a text, as the index knows them: folded to lower case, without
 * accents, at most SEARCH_TOKEN_MAX bytes. For search*.c only.
 */
#ifndef STORE_SEARCH_TOKEN_H
#define STORE_SEARCH_TOKEN_H

#include "base/base.h"

#include <sqlite3.h>

#define SEARCH_TOKEN_MAX 64 /* bytes; longer words are cut, here and there */
#define SEARCH_TOKENIZER "parley"

struct search_tokenizer;

/* FTS5's interface of a connection; NULL: it has none. */
fts5_api *search_token_api(sqlite3 *db);
/* Make the tokenizer known to a connection's FTS5. An SQLite code. */
MUST_USE int search_token_register(fts5_api *api);
/* One outside of FTS5, for queries and snippets; owned by the caller, freed
 * before the connection is closed. One thread at a time. NULL: FTS5 lacks
 * unicode61. */
struct search_tokenizer *search_token_new(fts5_api *api);
void search_token_free(struct search_tokenizer *t); /* NULL is fine */

/* A word: its folded form and where it stands in the text. false stops. */
typedef bool search_token_fn(void *arg, const char *word, size_t len,
                             size_t from, size_t to);
void search_token_walk(struct search_tokenizer *t, const char *text, size_t n,
                       search_token_fn *fn, void *arg);

#endif
