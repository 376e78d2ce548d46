/*
 * Looking: which messages match, in which order, page by page.
 *
 * FTS5 gives the matches of one owner from the newest down (search.c: the
 * numbers). A common word may have half of all messages, so they are taken in
 * windows of SEARCH_WINDOW, and each window is ranked by itself: the time of a
 * page is bounded, and what is old comes late, as people expect.
 *
 * Ranks do not depend on other messages, so the same window is in the same
 * order again, whatever was added or forgotten meanwhile, and a page goes on
 * behind the last result of the one before. A session that has matches in
 * several windows is shown with the newest of them only.
 *
 * Results are gathered first and given when the connection is back: a slow
 * caller keeps no snapshot open.
 */
#include "base/base.h"

#include "store/search.h"

#include "base/buf.h"
#include "store/search_file.h"
#include "store/search_from.h"
#include "store/search_rank.h"
#include "store/search_snippet.h"
#include "store/search_words.h"
#include "store/search_write.h"

#define WINDOWS_MAX 4 /* of one page */
#define EXPR_MAX (8 * SEARCH_QUERY_MAX)

struct match {
    int64_t no, at_ms;
    uint64_t session_no;
    uint32_t seq, score;
};

/* Matches that are one result: those of a session, or one message. */
struct group {
    uint32_t score; /* of the best */
    uint64_t key;   /* session or message number: no two are equal */
    unsigned first, n;
};

struct look {
    struct search_conn *conn;
    const struct search_words *words;
    struct arena arena; /* all that follows is in it */
    const char *match;  /* for MATCH */
    int64_t owner;
    uint64_t session_no; /* if !sessions */
    bool sessions;       /* a result is a session */
    uint32_t limit;
    struct search_from from;
    bool done, full; /* no more matches; no more room on the page */
    struct match *matches;
    struct group *groups;
    unsigned n_matches, n_groups;
    struct result {
        struct search_hit hits[SEARCH_BEST];
        unsigned n;
    } * results;
    uint32_t n_results;
};

/* --- one window ---------------------------------------------------------- */

/* The expression for MATCH; session_no counts if there is one. */
static const char *
expression(struct look *l, const uint64_t *session_no)
{
    struct buf b;
    const char *s;

    buf_init(&b, EXPR_MAX);
    buf_addf(&b, "(text : (%s) AND owner : \"o%" PRId64 "\"", l->words->want,
             l->owner);
    if (session_no != NULL)
        buf_addf(&b, " AND session : \"s%" PRIu64 "\"", *session_no);
    buf_addc(&b, ')');
    if (*l->words->veto != '\0')
        buf_addf(&b, " NOT text : (%s)", l->words->veto);
    assert(!b.over);
    s = arena_strdup(&l->arena, buf_cstr(&b));
    buf_release(&b);
    return s;
}

/* The newest matches below l->from.window, from the last one down. */
static enum err
window_read(struct look *l)
{
    enum err e;
    sqlite3_stmt *stmt = search_stmt(l->conn, SEARCH_WORDS_MATCH, &e);

    if (stmt == NULL)
        return e;
    (void)sqlite3_bind_text(stmt, 1, l->match, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(stmt, 2, l->from.window);
    (void)sqlite3_bind_int(stmt, 3, SEARCH_WINDOW);
    l->n_matches = 0;
    while (l->n_matches < SEARCH_WINDOW &&
           (e = search_step(l->conn, stmt)) == OK) {
        struct match *m = &l->matches[l->n_matches++];

        m->no = sqlite3_column_int64(stmt, 0);
        m->session_no = (uint64_t)sqlite3_column_int64(stmt, 1);
        m->seq = (uint32_t)sqlite3_column_int64(stmt, 2);
        m->at_ms = sqlite3_column_int64(stmt, 3);
        m->score = search_rank_score(sqlite3_column_double(stmt, 4), m->at_ms,
                                     l->from.now_ms);
    }
    (void)sqlite3_reset(stmt);
    return e == ERR_NOTFOUND ? OK : e;
}

static int
by_session(const void *a, const void *b)
{
    const struct match *x = a, *y = b;

    if (x->session_no != y->session_no)
        return x->session_no < y->session_no ? -1 : 1;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return (x->no < y->no) - (x->no > y->no);
}

static bool
before(uint32_t score_a, uint64_t key_a, uint32_t score_b, uint64_t key_b)
{
    return score_a != score_b ? score_a > score_b : key_a > key_b;
}

static int
by_score(const void *a, const void *b)
{
    const struct group *x = a, *y = b;

    return before(x->score, x->key, y->score, y->key) ? -1 : 1;
}

static void
window_group(struct look *l)
{
    if (l->sessions)
        qsort(l->matches, l->n_matches, sizeof(l->matches[0]), by_session);
    l->n_groups = 0;
    for (unsigned i = 0; i < l->n_matches; i++) {
        const struct match *m = &l->matches[i];
        struct group *g = l->n_groups > 0 ? &l->groups[l->n_groups - 1] : NULL;

        if (l->sessions && g != NULL && g->key == m->session_no)
            g->n += g->n < SEARCH_BEST;
        else
            l->groups[l->n_groups++] = (struct group){
                m->score, l->sessions ? m->session_no : (uint64_t)m->no, i, 1};
    }
    qsort(l->groups, l->n_groups, sizeof(l->groups[0]), by_score);
}

/* --- results ------------------------------------------------------------- */

/* Was the session shown with matches of a newer window? */
static enum err
shown_before(struct look *l, uint64_t session_no, bool *shown)
{
    enum err e;
    sqlite3_stmt *stmt;

    *shown = false;
    if (!l->sessions || l->from.window == l->from.top)
        return OK;
    stmt = search_stmt(l->conn, SEARCH_WORDS_ANY, &e);
    if (stmt == NULL)
        return e;
    (void)sqlite3_bind_text(stmt, 1, expression(l, &session_no), -1,
                            SQLITE_STATIC);
    (void)sqlite3_bind_int64(stmt, 2, l->from.window);
    (void)sqlite3_bind_int64(stmt, 3, l->from.top);
    e = search_step(l->conn, stmt);
    (void)sqlite3_reset(stmt);
    *shown = e == OK;
    return e == ERR_NOTFOUND ? OK : e;
}

/* The session's id, if it is the owner's. */
static enum err
session_id(struct look *l, uint64_t session_no, const char **id)
{
    enum err e;
    sqlite3_stmt *stmt = search_stmt(l->conn, SEARCH_SESSION, &e);

    if (stmt == NULL)
        return e;
    (void)sqlite3_bind_int64(stmt, 1, (int64_t)session_no);
    e = search_step(l->conn, stmt);
    if (e == OK) {
        const char *text = (const char *)sqlite3_column_text(stmt, 1);
        size_t n = (size_t)sqlite3_column_bytes(stmt, 1);

        if (sqlite3_column_int64(stmt, 0) == l->owner && text != NULL &&
            ident_session_valid(text, n))
            *id = arena_memdup0(&l->arena, text, n);
        else
            e = ERR_NOTFOUND;
    }
    (void)sqlite3_reset(stmt);
    l->conn->damaged |= e == ERR_NOTFOUND;
    return e == ERR_NOTFOUND ? ERR_STORE : e;
}

static enum err
hit_fill(struct look *l, const struct match *m, const char *id,
         struct search_hit *h)
{
    struct search_snippet snippet;
    enum err e;
    sqlite3_stmt *stmt = search_stmt(l->conn, SEARCH_DOC_SHOW, &e);

    if (stmt == NULL)
        return e;
    (void)sqlite3_bind_int64(stmt, 1, m->no);
    e = search_step(l->conn, stmt);
    if (e != OK || sqlite3_column_bytes(stmt, 1) != sizeof(h->id)) {
        l->conn->damaged |= e == OK || e == ERR_NOTFOUND;
        return e == OK || e == ERR_NOTFOUND ? ERR_STORE : e;
    }
    h->session_id = id;
    h->session_no = m->session_no;
    h->seq = m->seq;
    h->at_ms = m->at_ms;
    h->score = m->score / 1e6;
    h->role = (uint8_t)sqlite3_column_int(stmt, 0);
    memcpy(&h->id, sqlite3_column_blob(stmt, 1), sizeof(h->id));
    search_snippet_make(&snippet, l->words, l->conn->tokenizer,
                        (const char *)sqlite3_column_text(stmt, 2),
                        (size_t)sqlite3_column_bytes(stmt, 2));
    (void)sqlite3_reset(stmt);
    h->snippet = arena_memdup0(&l->arena, snippet.text, snippet.len);
    h->snippet_len = snippet.len;
    memcpy(h->mark, snippet.mark, sizeof(h->mark));
    h->n_marks = snippet.n_marks;
    return OK;
}

static enum err
result_add(struct look *l, const struct group *g)
{
    struct result *r = &l->results[l->n_results];
    const struct match *m = &l->matches[g->first];
    const char *id = "";
    enum err e = session_id(l, m->session_no, &id);

    for (r->n = 0; e == OK && r->n < g->n; r->n++)
        e = hit_fill(l, m + r->n, id, &r->hits[r->n]);
    l->n_results += e == OK;
    return e;
}

/* What of the window comes after what was shown, as far as there is room. */
static enum err
window_show(struct look *l)
{
    enum err e = OK;

    for (unsigned i = 0; i < l->n_groups && e == OK; i++) {
        const struct group *g = &l->groups[i];
        bool shown = false;

        if (!before(l->from.score, l->from.key, g->score, g->key))
            continue;
        if (l->n_results == l->limit) {
            l->full = true;
            return OK;
        }
        e = shown_before(l, l->matches[g->first].session_no, &shown);
        if (e == OK && !shown)
            e = result_add(l, g);
        l->from.score = g->score;
        l->from.key = g->key;
    }
    return e;
}

/* --- a page -------------------------------------------------------------- */

static enum err
page_windows(struct look *l)
{
    enum err e = OK;

    for (int i = 0; i < WINDOWS_MAX && l->n_results < l->limit; i++) {
        int64_t lowest;

        e = window_read(l);
        if (e != OK)
            return e;
        l->done = l->n_matches < SEARCH_WINDOW;
        if (l->n_matches == 0)
            return OK;
        if (l->from.top == INT64_MAX)
            l->from.top = l->from.window = l->matches[0].no + 1;
        lowest = l->matches[l->n_matches - 1].no;
        window_group(l);
        e = window_show(l);
        if (e != OK || l->full || l->done)
            break;
        l->from.window = lowest;
        l->from.score = UINT32_MAX;
        l->from.key = UINT64_MAX;
    }
    return e;
}

/* Gather the results of a page from one snapshot. */
static enum err
page(struct look *l, const char *owner)
{
    enum err e = search_run(l->conn, SEARCH_BEGIN);

    if (e != OK)
        return e;
    l->done = true;
    e = search_owner(l->conn, owner, &l->owner);
    if (e == OK) {
        l->match = expression(l, l->sessions ? NULL : &l->session_no);
        e = page_windows(l);
    }
    if (e == ERR_NOTFOUND) /* nothing is theirs */
        e = OK;
    return search_end(l->conn, e);
}

/* Find what the page shows; the connection is l->conn. */
static enum err
look(struct look *l, const struct search_ask *a, char next[SEARCH_CURSOR_MAX])
{
    struct search_words *words = arena_alloc(&l->arena, sizeof(*words));
    enum err e;

    search_words_read(words, &l->arena, l->conn->tokenizer, a->q, a->q_len);
    if (words->n_terms == 0)
        return OK;
    l->words = words;
    l->matches = arena_alloc(&l->arena, SEARCH_WINDOW * sizeof(*l->matches));
    l->groups = arena_alloc(&l->arena, SEARCH_WINDOW * sizeof(*l->groups));
    l->results = arena_alloc(&l->arena, l->limit * sizeof(*l->results));
    e = page(l, a->owner);
    if (e == OK && (l->full || !l->done))
        search_from_write(next, &l->from);
    return e;
}

static enum err
ask(struct search *s, struct look *l, const struct search_ask *a,
    char next[SEARCH_CURSOR_MAX], search_fn *fn, void *arg)
{
    enum err e = OK;

    l->from = search_from_first();
    if (a->q_len > SEARCH_QUERY_MAX)
        e = ERR_TOOBIG;
    else if (a->cursor != NULL && a->cursor[0] != '\0')
        e = search_from_read(a->cursor, &l->from);
    next[0] = '\0'; /* not before: it may be a->cursor */
    l->limit = a->limit < SEARCH_LIMIT_MAX ? a->limit : SEARCH_LIMIT_MAX;
    if (e != OK || a->q_len == 0 || l->limit == 0)
        return e;
    e = search_take(s, &l->conn);
    if (e != OK)
        return e;
    arena_init(&l->arena);
    e = look(l, a, next);
    search_give(s, l->conn);
    for (uint32_t i = 0; e == OK && i < l->n_results; i++)
        if (!fn(arg, l->results[i].hits, l->results[i].n))
            break;
    arena_release(&l->arena);
    return e;
}

enum err
search_query(struct search *s, const struct search_ask *a,
             char next[SEARCH_CURSOR_MAX], search_fn *fn, void *arg)
{
    struct look l = {.sessions = true};

    return ask(s, &l, a, next, fn, arg);
}

enum err
search_query_messages(struct search *s, const struct search_ask *a,
                      uint64_t session_no, char next[SEARCH_CURSOR_MAX],
                      search_fn *fn, void *arg)
{
    struct look l = {.session_no = session_no};

    return ask(s, &l, a, next, fn, arg);
}
