/*
 * Fuzzes store/search_words.c and store/search_snippet.c. FTS5 accepts every
 * expression that is made from a query; a text that is the query itself holds
 * all that is wanted; and a snippet of it is well-formed, within its limits,
 * with marks in order.
 */
#include "base/base.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/search_snippet.h"
#include "store/search_words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static sqlite3 *db;
static sqlite3_stmt *put, *match;
static struct search_tokenizer *tokenizer;

static void
open_once(void)
{
    fts5_api *api;
    int rc;

    if (db != NULL)
        return;
    rc = sqlite3_open(":memory:", &db);
    assert(rc == SQLITE_OK);
    api = search_token_api(db);
    assert(api != NULL);
    rc = search_token_register(api);
    assert(rc == SQLITE_OK);
    tokenizer = search_token_new(api);
    assert(tokenizer != NULL);
    rc = sqlite3_exec(db,
                      "CREATE VIRTUAL TABLE words USING fts5 (text, owner,"
                      " prefix = '2 3', tokenize = '" SEARCH_TOKENIZER "');"
                      "INSERT INTO words VALUES ('some other text', 'o1');",
                      NULL, NULL, NULL);
    assert(rc == SQLITE_OK);
    rc = sqlite3_prepare_v2(db,
                            "INSERT OR REPLACE INTO words (rowid, text, owner)"
                            " VALUES (2, ?1, 'o2')",
                            -1, &put, NULL);
    assert(rc == SQLITE_OK);
    rc = sqlite3_prepare_v2(db, "SELECT rowid FROM words WHERE words MATCH ?1",
                            -1, &match, NULL);
    assert(rc == SQLITE_OK);
}

/* Which of the two rows match. */
static unsigned
rows(const char *expression)
{
    unsigned found = 0;
    int rc;

    (void)sqlite3_bind_text(match, 1, expression, -1, SQLITE_STATIC);
    while ((rc = sqlite3_step(match)) == SQLITE_ROW)
        found |= 1U << sqlite3_column_int(match, 0);
    assert(rc == SQLITE_DONE);
    rc = sqlite3_reset(match);
    assert(rc == SQLITE_OK);
    return found;
}

static void
check_match(const struct search_words *w, const struct buf *text)
{
    struct buf b;
    unsigned found;
    int rc;

    (void)sqlite3_bind_text(put, 1, text->data, (int)text->len, SQLITE_STATIC);
    rc = sqlite3_step(put);
    assert(rc == SQLITE_DONE);
    rc = sqlite3_reset(put);
    assert(rc == SQLITE_OK);
    buf_init(&b, 8 * SEARCH_QUERY_MAX);
    buf_addf(&b, "(text : (%s) AND owner : \"o2\")", w->want);
    found = rows(buf_cstr(&b));
    assert(found == 1U << 2);
    if (*w->veto != '\0') {
        buf_addf(&b, " NOT text : (%s)", w->veto);
        found = rows(buf_cstr(&b));
        assert(found == 0);
    }
    assert(!b.over);
    buf_release(&b);
}

static void
check_snippet(const struct search_words *w, const struct buf *text)
{
    struct search_snippet s;
    size_t at = 0;

    search_snippet_make(&s, w, tokenizer, text->data, text->len);
    assert(s.len <= SEARCH_SNIPPET_MAX && s.n_marks <= SEARCH_MARKS_MAX);
    assert(utf8_valid(s.text, s.len));
    assert(w->n_terms == 0 || s.n_marks > 0);
    for (unsigned i = 0; i < s.n_marks; i++) {
        assert(s.mark[i].at >= at && s.mark[i].len > 0);
        at = (size_t)s.mark[i].at + s.mark[i].len;
        assert(at <= s.len);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = xmemdup0(data, size); /* a read past it is seen */
    struct search_words w;
    struct arena arena;
    struct buf text;

    open_once();
    if (size > SEARCH_QUERY_MAX)
        size = SEARCH_QUERY_MAX;
    arena_init(&arena);
    buf_init(&text, 3 * SEARCH_QUERY_MAX);
    utf8_scrub(&text, copy, size);
    search_words_read(&w, &arena, tokenizer, copy, size);
    assert(w.n_terms <= SEARCH_TERMS_MAX);
    assert((w.n_terms == 0) == (*w.want == '\0'));
    if (w.n_terms > 0)
        check_match(&w, &text);
    if (text.len > 0)
        check_snippet(&w, &text);
    buf_release(&text);
    arena_release(&arena);
    free(copy);
    return 0;
}
