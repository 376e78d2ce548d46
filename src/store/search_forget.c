/*
 * Forgetting. It has two steps: a transaction after which nothing of it is
 * found any more, and the wiping.
 *
 * The rows of the tables are overwritten as they are deleted (secure_delete).
 * FTS5 is not so quick: it notes which words of which message are deleted, and
 * the words themselves stay in its lists until these are merged into one; its
 * own remedy, an option of the same name, came with SQLite 3.42. So all lists
 * are merged, in steps that are transactions of their own, between which
 * others write. In the end, with all others locked out, the log of SQLite,
 * which holds pages as they were, is copied into the file and cut to nothing,
 * and so are the remains of rows that have moved (search_wipe.c).
 *
 * That costs a time in proportion to the index (bench/search.c tells it), for
 * one session as for a thousand. meta.scrub says that it is to be done, from
 * the first step until the last: who comes after a killed process does it.
 */
#include "base/base.h"

#include "store/search_write.h"

#include "base/log.h"
#include "store/search_file.h"
#include "store/search_lock.h"
#include "store/search_wipe.h"

#define MERGE_PAGES 1000 /* of the lists, in a step */
#define MERGE_STEPS 100000

/* --- what others use ----------------------------------------------------- */

enum err
search_meta(struct search_conn *c, uint64_t *cursor, enum search_scrub *scrub)
{
    enum err e;
    sqlite3_stmt *stmt = search_stmt(c, SEARCH_META, &e);

    *cursor = 0;
    *scrub = SEARCH_SCRUB_NONE;
    if (stmt == NULL)
        return e;
    e = search_step(c, stmt);
    if (e != OK) {
        c->damaged |= e == ERR_NOTFOUND;
        return ERR_STORE;
    }
    *cursor = (uint64_t)sqlite3_column_int64(stmt, 0);
    *scrub = (enum search_scrub)sqlite3_column_int(stmt, 1);
    (void)sqlite3_reset(stmt);
    return OK;
}

static enum err
scrub_set(struct search_conn *c, enum search_scrub what)
{
    enum err e;
    sqlite3_stmt *stmt = search_stmt(c, SEARCH_META_SCRUB, &e);

    if (stmt == NULL)
        return e;
    (void)sqlite3_bind_int(stmt, 1, (int)what);
    e = search_step(c, stmt);
    return e == ERR_NOTFOUND ? OK : e;
}

enum err
search_scrub_want(struct search_conn *c, enum search_scrub what)
{
    enum search_scrub now;
    uint64_t cursor;
    enum err e = search_meta(c, &cursor, &now);

    return e == OK && now < what ? scrub_set(c, what) : e;
}

enum err
search_words_put(struct search_conn *c, enum search_sql how, int64_t no,
                 const char *text, size_t len, int64_t owner,
                 uint64_t session_no)
{
    char owner_word[24], session_word[24];
    enum err e;
    sqlite3_stmt *stmt = search_stmt(c, how, &e);

    if (stmt == NULL)
        return e;
    (void)snprintf(owner_word, sizeof(owner_word), "o%" PRId64, owner);
    (void)snprintf(session_word, sizeof(session_word), "s%" PRIu64, session_no);
    (void)sqlite3_bind_int64(stmt, 1, no);
    (void)sqlite3_bind_text(stmt, 2, text, (int)len, SQLITE_STATIC);
    (void)sqlite3_bind_text(stmt, 3, owner_word, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(stmt, 4, session_word, -1, SQLITE_STATIC);
    e = search_step(c, stmt);
    (void)sqlite3_clear_bindings(stmt);
    return e == ERR_NOTFOUND ? OK : e;
}

static enum err
drop_by_no(struct search_conn *c, enum search_sql which, int64_t no)
{
    enum err e;
    sqlite3_stmt *stmt = search_stmt(c, which, &e);

    if (stmt == NULL)
        return e;
    (void)sqlite3_bind_int64(stmt, 1, no);
    e = search_step(c, stmt);
    return e == ERR_NOTFOUND ? OK : e;
}

enum err
search_doc_drop(struct search_conn *c, int64_t no, int64_t owner,
                uint64_t session_no)
{
    enum err e;
    sqlite3_stmt *body = search_stmt(c, SEARCH_BODY, &e);

    if (body == NULL)
        return e;
    (void)sqlite3_bind_int64(body, 1, no);
    e = search_step(c, body);
    if (e != OK) {
        c->damaged |= e == ERR_NOTFOUND;
        return ERR_STORE;
    }
    e = search_words_put(
        c, SEARCH_WORDS_DROP, no, (const char *)sqlite3_column_text(body, 0),
        (size_t)sqlite3_column_bytes(body, 0), owner, session_no);
    (void)sqlite3_reset(body);
    if (e == OK)
        e = drop_by_no(c, SEARCH_BODY_DROP, no);
    return e == OK ? drop_by_no(c, SEARCH_DOC_DROP, no) : e;
}

/* The next number that a statement with one value gives. */
static enum err
first_no(struct search_conn *c, enum search_sql which, int64_t value,
         int64_t *no)
{
    enum err e;
    sqlite3_stmt *stmt = search_stmt(c, which, &e);

    *no = 0;
    if (stmt == NULL)
        return e;
    (void)sqlite3_bind_int64(stmt, 1, value);
    e = search_step(c, stmt);
    if (e == OK)
        *no = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_reset(stmt);
    return e;
}

enum err
search_session_drop(struct search_conn *c, uint64_t session_no)
{
    int64_t owner, no;
    enum err e = first_no(c, SEARCH_SESSION, (int64_t)session_no, &owner);

    if (e != OK)
        return e;
    while ((e = first_no(c, SEARCH_DOC_OF, (int64_t)session_no, &no)) == OK) {
        e = search_doc_drop(c, no, owner, session_no);
        if (e != OK)
            return e;
    }
    if (e == ERR_NOTFOUND)
        e = drop_by_no(c, SEARCH_SESSION_DROP, (int64_t)session_no);
    return e == OK ? drop_by_no(c, SEARCH_OWNER_TRIM, owner) : e;
}

enum err
search_owner(struct search_conn *c, const char *owner, int64_t *no)
{
    enum err e;
    sqlite3_stmt *stmt = search_stmt(c, SEARCH_OWNER, &e);

    *no = 0;
    if (stmt == NULL)
        return e;
    (void)sqlite3_bind_text(stmt, 1, owner, -1, SQLITE_STATIC);
    e = search_step(c, stmt);
    if (e == OK)
        *no = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_reset(stmt);
    (void)sqlite3_clear_bindings(stmt);
    return e;
}

/* --- wiping -------------------------------------------------------------- */

/* One step of the merge; *more: it did something. FTS5 tells by the number of
 * rows it changed: its own note of the call is one. */
static enum err
merge(struct search_conn *c, bool *more)
{
    int before = sqlite3_total_changes(c->db);
    enum err e;
    sqlite3_stmt *stmt = search_stmt(c, SEARCH_WORDS_MERGE, &e);

    if (stmt == NULL)
        return e;
    (void)sqlite3_bind_int(stmt, 1, -MERGE_PAGES); /* < 0: of all lists */
    e = search_step(c, stmt);
    *more = sqlite3_total_changes(c->db) - before >= 2;
    return e == ERR_NOTFOUND ? OK : e;
}

/* Copy the log into the file and cut it to nothing. */
static enum err
checkpoint(struct search_conn *c)
{
    enum err e;
    sqlite3_stmt *stmt = search_stmt(c, SEARCH_CHECKPOINT, &e);

    if (stmt == NULL)
        return e;
    e = search_step(c, stmt);
    if (e == OK && sqlite3_column_int(stmt, 0) != 0)
        e = ERR_BUSY; /* somebody reads what was */
    (void)sqlite3_reset(stmt);
    return e == ERR_NOTFOUND ? ERR_STORE : e;
}

enum err
search_scrub(struct search_conn *c)
{
    enum search_scrub what;
    bool more = true;
    uint64_t cursor;
    enum err e = search_meta(c, &cursor, &what);

    if (e != OK || what == SEARCH_SCRUB_NONE)
        return e;
    for (int i = 0; i < MERGE_STEPS && e == OK && more; i++)
        e = merge(c, &more);
    if (e == OK)
        e = search_lock_alone(c->lock_fd);
    if (e != OK || !search_is_current(c))
        return e; /* another made it anew meanwhile: nothing is left */
    e = checkpoint(c);
    if (e == OK)
        e = search_wipe(c);
    return e == OK ? scrub_set(c, SEARCH_SCRUB_NONE) : e;
}

/* --- the calls ----------------------------------------------------------- */

static enum err
forget_one(struct search_conn *c, uint64_t session_no, bool for_good,
           bool *found)
{
    enum err e = search_session_drop(c, session_no);

    *found |= e == OK;
    if (e == ERR_NOTFOUND)
        e = OK;
    return e == OK && for_good
               ? drop_by_no(c, SEARCH_GONE_ADD, (int64_t)session_no)
               : e;
}

static enum err
forget_list(struct search_conn *c, const uint64_t *session_no, size_t n,
            bool for_good)
{
    bool found = false;
    enum err e = search_run(c, SEARCH_BEGIN_WRITE);

    if (e != OK)
        return e;
    for (size_t i = 0; i < n && e == OK; i++)
        e = forget_one(c, session_no[i], for_good, &found);
    if (e == OK && found)
        e = search_scrub_want(c, SEARCH_SCRUB_FORGOTTEN);
    return search_end(c, e);
}

static enum err
forget(struct search *s, const uint64_t *session_no, size_t n, bool for_good)
{
    struct search_conn *c;
    enum err e = search_take(s, &c);

    if (e != OK)
        return e;
    if (n > 0)
        e = forget_list(c, session_no, n, for_good);
    if (e == OK)
        e = search_scrub(c);
    search_give(s, c);
    return e;
}

enum err
search_forget(struct search *s, const uint64_t *session_no, size_t n)
{
    return forget(s, session_no, n, true);
}

enum err
search_clear(struct search *s, const uint64_t *session_no, size_t n)
{
    return forget(s, session_no, n, false);
}
