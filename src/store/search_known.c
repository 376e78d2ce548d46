/*
 * What the index has already: so that who feeds it can compare with the store,
 * and need not read what is in it.
 */
#include "base/base.h"

#include "store/search.h"

#include "store/search_file.h"
#include "store/search_sql.h"

static enum err
last_of(struct search_conn *c, uint64_t session_no, uint32_t *seq,
        struct ident *id, char owner[STORE_OWNER_MAX + 1])
{
    enum err e;
    sqlite3_stmt *stmt = search_stmt(c, SEARCH_DOC_LAST_OF, &e);
    const void *have;
    const char *name;

    if (stmt == NULL)
        return e;
    (void)sqlite3_bind_int64(stmt, 1, (int64_t)session_no);
    e = search_step(c, stmt);
    if (e != OK)
        return e;
    *seq = (uint32_t)sqlite3_column_int64(stmt, 0);
    have = sqlite3_column_blob(stmt, 1);
    memset(id, 0, sizeof(*id));
    if (have != NULL && sqlite3_column_bytes(stmt, 1) == sizeof(*id))
        memcpy(id, have, sizeof(*id));
    name = (const char *)sqlite3_column_text(stmt, 2);
    (void)snprintf(owner, STORE_OWNER_MAX + 1, "%s", name == NULL ? "" : name);
    (void)sqlite3_reset(stmt);
    return OK;
}

enum err
search_last(struct search *s, uint64_t session_no, uint32_t *seq,
            struct ident *id, char owner[STORE_OWNER_MAX + 1])
{
    struct search_conn *c;
    enum err e = search_take(s, &c);

    if (e != OK)
        return e;
    e = last_of(c, session_no, seq, id, owner);
    search_give(s, c);
    return e;
}

enum err
search_sessions(struct search *s, uint64_t from, uint64_t *session_no,
                size_t max, size_t *n)
{
    struct search_conn *c;
    sqlite3_stmt *stmt;
    enum err e = search_take(s, &c);

    *n = 0;
    if (e != OK)
        return e;
    stmt = search_stmt(c, SEARCH_SESSIONS, &e);
    if (stmt != NULL) {
        (void)sqlite3_bind_int64(stmt, 1, (int64_t)from);
        (void)sqlite3_bind_int64(stmt, 2, (int64_t)max);
        while (*n < max && (e = search_step(c, stmt)) == OK)
            session_no[(*n)++] = (uint64_t)sqlite3_column_int64(stmt, 0);
        (void)sqlite3_reset(stmt);
        e = e == ERR_NOTFOUND ? OK : e;
    }
    search_give(s, c);
    return e;
}
