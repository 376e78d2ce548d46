/*
 * The words of texts and of queries, for the index: as FTS5's unicode61 makes
 * them (small letters, accents removed), but emoji are words, and of scripts
 * without spaces each character is one, and each two neighbours are another.
 * For the index's own files only. A tokenizer is used by one thread at a time.
 */
#ifndef FILES_SHELF_TOKEN_H
#define FILES_SHELF_TOKEN_H

#include <sqlite3.h>

#include "base/buf.h"
#include "files/stems.h"

#define SHELF_TOKENIZER "shelf"
#define SHELF_WORD_MAX WORD_FOLD_MAX /* bytes; the rest is left out */

enum shelf_word_kind {
    SHELF_WORD,
    SHELF_CHARACTER, /* of a script without spaces */
    SHELF_PAIR,      /* of these */
};

struct shelf_word {
    const char *s;   /* len bytes, no NUL behind; borrowed */
    size_t len;      /* 1 to SHELF_WORD_MAX */
    size_t from, to; /* bytes of the text */
    enum shelf_word_kind kind;
};
/* false: enough. */
typedef bool shelf_word_fn(void *arg, const struct shelf_word *w);

struct shelf_token;

/* The interface to FTS5 of a connection; NULL: it has none. */
fts5_api *shelf_token_api(sqlite3 *db);
/* stems: borrowed; NULL: it has some of its own. NULL: failed. */
struct shelf_token *shelf_token_new(fts5_api *api, struct stems *stems);
void shelf_token_free(struct shelf_token *t); /* NULL is fine */
/* Let the tables of a connection use it. What it is given to index begins with
 * SHELF_TOKEN_MARK and '0' + the language. What it is given to look for is
 * one word, as it is. An SQLite code. */
#define SHELF_TOKEN_MARK '\x01'
MUST_USE int shelf_token_register(fts5_api *api, struct shelf_token *t);

/* What can be given instead of such a text: its words, as the tokenizer of
 * another thread found them. n bytes at text, with the mark; out is written
 * anew. */
#define SHELF_TOKEN_LIST '\x02'
void shelf_token_list(struct shelf_token *t, const char *text, size_t n,
                      struct buf *out);

void shelf_token_walk(struct shelf_token *t, const char *text, size_t n,
                      shelf_word_fn *fn, void *arg);
/* The stem of a word; its length, at most SHELF_WORD_MAX. LANG_NONE: as in
 * English. */
size_t shelf_token_stem(struct shelf_token *t, enum lang lang, const char *word,
                        size_t n, char out[SHELF_WORD_MAX + 1]);

#endif
