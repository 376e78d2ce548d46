/*
 * The index of words: opening it, feeding it.
 *
 * Each message has a number that grows with its time, however it came: FTS5
 * gives matches by their number, from the last one down, so the newest ones
 * are there first and the rest is not even read. Numbers count steps of
 * STEP_MS; if the step is taken, the number is the first one behind a run of
 * those that are. They are small because FTS5 writes the differences between
 * them with every word. Over 100,000 messages of a year, numbers that count
 * messages would take 6 % less of the whole index, and milliseconds 22 % more.
 */
#include "base/base.h"

#include "store/search.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/search_file.h"
#include "store/search_write.h"

#define FILE_NAME "messages.db"
#define STEP_MS 10000
#define EPOCH_MS INT64_C(1577836800000)    /* 2020 */
#define LATEST_MS INT64_C(253402300799999) /* the end of the year 9999 */
#define RUN_FIRST 16                       /* numbers looked at together */
#define RUN_MAX (INT64_C(1) << 40)

enum err
search_open(struct search **out, const char *dir)
{
    struct search *s = xcalloc(1, sizeof(*s));
    int n = snprintf(s->dir, sizeof(s->dir), "%s", dir);

    if (n < 0 || (size_t)n >= sizeof(s->dir) ||
        disk_path(s->path, dir, FILE_NAME) != OK ||
        disk_path(s->lock, dir, "lock") != OK) {
        free(s);
        return ERR_STORE;
    }
    (void)pthread_mutex_init(&s->mu, NULL);
    (void)pthread_cond_init(&s->given, NULL);
    *out = s;
    return OK;
}

void
search_close(struct search *s)
{
    if (s == NULL)
        return;
    assert(s->n_out == 0);
    search_file_close(s);
    (void)pthread_cond_destroy(&s->given);
    (void)pthread_mutex_destroy(&s->mu);
    free(s);
}

enum err
search_reset(struct search *s)
{
    return search_file_renew(s);
}

enum err
search_cursor(struct search *s, uint64_t *cursor)
{
    enum search_scrub scrub;
    struct search_conn *c;
    enum err e = search_take(s, &c);

    if (e != OK)
        return e;
    e = search_meta(c, cursor, &scrub);
    search_give(s, c);
    return e;
}

enum err
search_stats(struct search *s, struct search_stats *out)
{
    struct search_conn *c;
    sqlite3_stmt *stmt;
    enum err e = search_take(s, &c);

    memset(out, 0, sizeof(*out));
    if (e != OK)
        return e;
    stmt = search_stmt(c, SEARCH_COUNTS, &e);
    if (stmt != NULL)
        e = search_step(c, stmt);
    if (e == OK) {
        out->messages = (uint64_t)sqlite3_column_int64(stmt, 0);
        out->sessions = (uint64_t)sqlite3_column_int64(stmt, 1);
        out->cursor = (uint64_t)sqlite3_column_int64(stmt, 2);
        out->bytes = (uint64_t)sqlite3_column_int64(stmt, 3);
    }
    search_give(s, c);
    return e;
}

/* --- numbers ------------------------------------------------------------- */

/* The highest number taken within [from, to). */
static enum err
last_taken(struct search_conn *c, int64_t from, int64_t to, int64_t *no)
{
    enum err e;
    sqlite3_stmt *stmt = search_stmt(c, SEARCH_DOC_LAST, &e);

    if (stmt == NULL)
        return e;
    (void)sqlite3_bind_int64(stmt, 1, from);
    (void)sqlite3_bind_int64(stmt, 2, to);
    e = search_step(c, stmt);
    if (e == OK)
        *no = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_reset(stmt);
    return e;
}

/* A free number for a message of that time. */
static enum err
new_no(struct search_conn *c, int64_t at_ms, int64_t *no)
{
    int64_t late_ms = at_ms < LATEST_MS ? at_ms : LATEST_MS, last;
    int64_t from = late_ms > EPOCH_MS ? (late_ms - EPOCH_MS) / STEP_MS + 1 : 1;
    enum err e = last_taken(c, from, from + 1, &last);

    *no = from;
    for (int64_t run = RUN_FIRST; e == OK && run < RUN_MAX; run *= RUN_FIRST) {
        e = last_taken(c, from, from + run, &last);
        if (e == OK && last + 1 < from + run) {
            *no = last + 1;
            return OK;
        }
    }
    if (e == ERR_NOTFOUND)
        return OK;
    return e == OK ? ERR_STORE : e;
}

/* --- feeding ------------------------------------------------------------- */

static enum err
owner_no(struct search_conn *c, const char *name, int64_t *no)
{
    enum err e = search_owner(c, name, no);
    sqlite3_stmt *stmt;

    if (e != ERR_NOTFOUND)
        return e;
    stmt = search_stmt(c, SEARCH_OWNER_ADD, &e);
    if (stmt == NULL)
        return e;
    (void)sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
    e = search_step(c, stmt);
    (void)sqlite3_clear_bindings(stmt);
    *no = sqlite3_last_insert_rowid(c->db);
    return e == ERR_NOTFOUND ? OK : e;
}

static enum err
session_add(struct search_conn *c, const struct search_message *m,
            int64_t owner)
{
    enum err e;
    sqlite3_stmt *stmt = search_stmt(c, SEARCH_SESSION_ADD, &e);

    if (stmt == NULL)
        return e;
    (void)sqlite3_bind_int64(stmt, 1, (int64_t)m->session_no);
    (void)sqlite3_bind_int64(stmt, 2, owner);
    (void)sqlite3_bind_text(stmt, 3, m->session_id, -1, SQLITE_STATIC);
    e = search_step(c, stmt);
    (void)sqlite3_clear_bindings(stmt);
    return e == ERR_NOTFOUND ? OK : e;
}

/* Have the session; what is there of another one of that number, from another
 * store, is taken out. */
static enum err
session_have(struct search_conn *c, const struct search_message *m,
             int64_t *owner)
{
    bool same = false;
    enum err e = owner_no(c, m->owner, owner);
    sqlite3_stmt *stmt;

    if (e != OK)
        return e;
    stmt = search_stmt(c, SEARCH_SESSION, &e);
    if (stmt == NULL)
        return e;
    (void)sqlite3_bind_int64(stmt, 1, (int64_t)m->session_no);
    e = search_step(c, stmt);
    if (e == OK) {
        const char *id = (const char *)sqlite3_column_text(stmt, 1);

        same = sqlite3_column_int64(stmt, 0) == *owner && id != NULL &&
               strcmp(id, m->session_id) == 0;
    }
    (void)sqlite3_reset(stmt);
    if (e == OK && same)
        return OK;
    if (e == OK) {
        e = search_scrub_want(c, SEARCH_SCRUB_REPLACED);
        if (e == OK)
            e = search_session_drop(c, m->session_no);
        if (e == OK) /* it may have been the owner's only one */
            e = owner_no(c, m->owner, owner);
    }
    return e == OK || e == ERR_NOTFOUND ? session_add(c, m, *owner) : e;
}

/* Is the text of a message this one? */
static enum err
body_equal(struct search_conn *c, int64_t no, const char *text, size_t len,
           bool *equal)
{
    enum err e;
    sqlite3_stmt *stmt = search_stmt(c, SEARCH_BODY, &e);

    if (stmt == NULL)
        return e;
    (void)sqlite3_bind_int64(stmt, 1, no);
    e = search_step(c, stmt);
    if (e == OK) {
        const void *have = sqlite3_column_text(stmt, 0);

        *equal = (size_t)sqlite3_column_bytes(stmt, 0) == len &&
                 (len == 0 || memcmp(have, text, len) == 0);
    }
    (void)sqlite3_reset(stmt);
    c->damaged |= e == ERR_NOTFOUND;
    return e == ERR_NOTFOUND ? ERR_STORE : e;
}

/* What has the message's place. OK with *same: it is this one; ERR_NOTFOUND:
 * nothing has it (any more). */
static enum err
place(struct search_conn *c, const struct search_message *m, int64_t owner,
      const char *text, size_t len, bool *same)
{
    int64_t no = 0;
    enum err e;
    sqlite3_stmt *stmt = search_stmt(c, SEARCH_DOC_AT, &e);

    if (stmt == NULL)
        return e;
    (void)sqlite3_bind_int64(stmt, 1, (int64_t)m->session_no);
    (void)sqlite3_bind_int64(stmt, 2, m->seq);
    e = search_step(c, stmt);
    if (e == OK) {
        const void *id = sqlite3_column_blob(stmt, 3);

        no = sqlite3_column_int64(stmt, 0);
        *same = sqlite3_column_int64(stmt, 1) == m->at_ms &&
                sqlite3_column_int(stmt, 2) == m->role &&
                sqlite3_column_bytes(stmt, 3) == sizeof(m->id) &&
                memcmp(id, &m->id, sizeof(m->id)) == 0;
    }
    (void)sqlite3_reset(stmt);
    if (e == OK && *same)
        e = body_equal(c, no, text, len, same);
    if (e != OK || *same)
        return e;
    e = search_scrub_want(c, SEARCH_SCRUB_REPLACED);
    if (e == OK)
        e = search_doc_drop(c, no, owner, m->session_no);
    return e == OK ? ERR_NOTFOUND : e;
}

static enum err
doc_add(struct search_conn *c, const struct search_message *m, int64_t no,
        const char *text, size_t len)
{
    enum err e;
    sqlite3_stmt *stmt = search_stmt(c, SEARCH_DOC_ADD, &e);

    if (stmt == NULL)
        return e;
    (void)sqlite3_bind_int64(stmt, 1, no);
    (void)sqlite3_bind_int64(stmt, 2, (int64_t)m->session_no);
    (void)sqlite3_bind_int64(stmt, 3, m->seq);
    (void)sqlite3_bind_int64(stmt, 4, m->at_ms);
    (void)sqlite3_bind_int64(stmt, 5, (int64_t)len);
    (void)sqlite3_bind_int(stmt, 6, m->role);
    (void)sqlite3_bind_blob(stmt, 7, &m->id, sizeof(m->id), SQLITE_STATIC);
    e = search_step(c, stmt);
    (void)sqlite3_clear_bindings(stmt);
    if (e != ERR_NOTFOUND)
        return e;
    stmt = search_stmt(c, SEARCH_BODY_ADD, &e);
    if (stmt == NULL)
        return e;
    (void)sqlite3_bind_int64(stmt, 1, no);
    (void)sqlite3_bind_text(stmt, 2, text, (int)len, SQLITE_STATIC);
    e = search_step(c, stmt);
    (void)sqlite3_clear_bindings(stmt);
    return e == ERR_NOTFOUND ? OK : e;
}

static enum err
is_gone(struct search_conn *c, uint64_t session_no, bool *gone)
{
    enum err e;
    sqlite3_stmt *stmt = search_stmt(c, SEARCH_GONE, &e);

    if (stmt == NULL)
        return e;
    (void)sqlite3_bind_int64(stmt, 1, (int64_t)session_no);
    e = search_step(c, stmt);
    (void)sqlite3_reset(stmt);
    *gone = e == OK;
    return e == ERR_NOTFOUND ? OK : e;
}

/* text is m's, as well-formed UTF-8. */
static enum err
add_one(struct search_conn *c, const struct search_message *m, const char *text,
        size_t len)
{
    int64_t owner, no;
    bool gone = false, same = false;
    enum err e = is_gone(c, m->session_no, &gone);

    if (e != OK || gone)
        return e;
    e = session_have(c, m, &owner);
    if (e != OK)
        return e;
    e = place(c, m, owner, text, len, &same);
    if (e != ERR_NOTFOUND)
        return e;
    e = new_no(c, m->at_ms, &no);
    if (e == OK)
        e = doc_add(c, m, no, text, len);
    if (e == OK)
        e = search_words_put(c, SEARCH_WORDS_ADD, no, text, len, owner,
                             m->session_no);
    return e;
}

static enum err
add_clean(struct search_conn *c, const struct search_message *m)
{
    const char *text = m->text_len > 0 ? m->text : "";
    struct buf clean;
    enum err e;

    if (utf8_valid(text, m->text_len))
        return add_one(c, m, text, m->text_len);
    buf_init(&clean, 3 * (size_t)STORE_TEXT_MAX);
    utf8_scrub(&clean, text, m->text_len);
    e = add_one(c, m, buf_cstr(&clean), clean.len);
    buf_release(&clean);
    return e;
}

/* By time: FTS5 wants growing numbers within a transaction. */
static int
by_time(const void *a, const void *b)
{
    const struct search_message *const *pa = a, *const *pb = b;
    const struct search_message *x = *pa, *y = *pb;

    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    return (x > y) - (x < y); /* as they were given */
}

static enum err
add_all(struct search_conn *c, const struct search_message *const *order,
        size_t n, uint64_t cursor)
{
    sqlite3_stmt *stmt;
    enum err e = search_run(c, SEARCH_BEGIN_WRITE);

    if (e != OK)
        return e;
    for (size_t i = 0; i < n && e == OK; i++)
        e = add_clean(c, order[i]);
    if (e == OK && cursor != SEARCH_CURSOR_KEEP) {
        stmt = search_stmt(c, SEARCH_META_CURSOR, &e);
        if (stmt != NULL) {
            (void)sqlite3_bind_int64(stmt, 1, (int64_t)cursor);
            e = search_step(c, stmt);
            e = e == ERR_NOTFOUND ? OK : e;
        }
    }
    return search_end(c, e);
}

static enum err
check_batch(const struct search_message *m, size_t n)
{
    if (n > SEARCH_BATCH_MAX)
        return ERR_TOOBIG;
    for (size_t i = 0; i < n; i++) {
        if (m[i].text_len > STORE_TEXT_MAX)
            return ERR_TOOBIG;
        if (strnlen(m[i].owner, STORE_OWNER_MAX + 1) > STORE_OWNER_MAX ||
            !ident_session_valid(
                m[i].session_id,
                strnlen(m[i].session_id, IDENT_SESSION_MAX + 1)))
            return ERR_BADREQ;
    }
    return OK;
}

enum err
search_add(struct search *s, const struct search_message *m, size_t n,
           uint64_t cursor)
{
    const struct search_message **order;
    enum search_scrub scrub;
    struct search_conn *c;
    uint64_t before;
    enum err e = check_batch(m, n);

    if (e == OK)
        e = search_take(s, &c);
    if (e != OK)
        return e;
    order = xmalloc((n + 1) * sizeof(*order));
    for (size_t i = 0; i < n; i++)
        order[i] = &m[i];
    qsort(order, n, sizeof(*order), by_time);
    e = add_all(c, order, n, cursor);
    free(order);
    /* What another could not finish. This batch is in, whatever comes of it. */
    if (e == OK && search_meta(c, &before, &scrub) == OK &&
        scrub == SEARCH_SCRUB_FORGOTTEN)
        IGNORE(search_scrub(c));
    search_give(s, c);
    return e;
}
