/*
 * The tables and every statement that is run on them, in one place.
 *
 * A statement is prepared when a connection first needs it and kept with it.
 * None is put together at run time: what somebody typed is a value, and only
 * of MATCH (search_words.c).
 *
 * secure_delete overwrites what is deleted with zeros in the file; what it and
 * FTS5 leave behind is search_forget.c's.
 */
#include "base/base.h"

#include "store/search_sql.h"

#include "base/log.h"
#include "store/disk.h"
#include "store/search_file.h"
#include "store/search_lock.h"
#include "store/search_rank.h"

#define APPLICATION_ID 0x50726c79 /* "Prly" */
#define SCHEMA 1                  /* of the tables and of the tokenizer */

/* What a message says stands in body, apart from what is looked up while
 * ranking. doc.no grows with time (search.c). words has no copy of the text;
 * its columns owner and session hold "o" and "s" with a number, so that FTS5
 * itself passes over what is another's. Its lists of beginnings of words take a
 * quarter of the index; without them a prefix takes ten times as long. */
static const char schema[] =
    "CREATE TABLE meta (cursor INTEGER NOT NULL, scrub INTEGER NOT NULL);"
    "INSERT INTO meta VALUES (0, 0);"
    "CREATE TABLE owner (no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE session (no INTEGER PRIMARY KEY, owner INTEGER NOT NULL,"
    " id TEXT NOT NULL);"
    "CREATE INDEX session_owner ON session (owner);"
    "CREATE TABLE gone (session INTEGER PRIMARY KEY);"
    "CREATE TABLE doc (no INTEGER PRIMARY KEY, session INTEGER NOT NULL,"
    " seq INTEGER NOT NULL, at_ms INTEGER NOT NULL, bytes INTEGER NOT NULL,"
    " role INTEGER NOT NULL, id BLOB NOT NULL);"
    "CREATE UNIQUE INDEX doc_place ON doc (session, seq);"
    "CREATE TABLE body (no INTEGER PRIMARY KEY, text TEXT NOT NULL);"
    "CREATE VIRTUAL TABLE words USING fts5 (text, owner, session, content = '',"
    " columnsize = 0, prefix = '2 3', tokenize = '" SEARCH_TOKENIZER "');";

static const char *const sql[SEARCH_SQL__N] = {
    [SEARCH_BEGIN] = "BEGIN",
    [SEARCH_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [SEARCH_COMMIT] = "COMMIT",
    [SEARCH_ROLLBACK] = "ROLLBACK",
    [SEARCH_META] = "SELECT cursor, scrub FROM meta",
    [SEARCH_META_CURSOR] = "UPDATE meta SET cursor = ?1",
    [SEARCH_META_SCRUB] = "UPDATE meta SET scrub = ?1",
    [SEARCH_OWNER] = "SELECT no FROM owner WHERE name = ?1",
    [SEARCH_OWNER_ADD] = "INSERT INTO owner (name) VALUES (?1)",
    [SEARCH_OWNER_TRIM] = "DELETE FROM owner WHERE no = ?1 AND NOT EXISTS"
                          " (SELECT 1 FROM session WHERE owner = ?1)",
    [SEARCH_SESSION] = "SELECT owner, id FROM session WHERE no = ?1",
    [SEARCH_SESSIONS] = "SELECT no FROM session WHERE no >= ?1 ORDER BY no"
                        " LIMIT ?2",
    [SEARCH_SESSION_ADD] = "INSERT INTO session VALUES (?1, ?2, ?3)",
    [SEARCH_SESSION_DROP] = "DELETE FROM session WHERE no = ?1",
    [SEARCH_GONE] = "SELECT 1 FROM gone WHERE session = ?1",
    [SEARCH_GONE_ADD] = "INSERT OR IGNORE INTO gone VALUES (?1)",
    [SEARCH_DOC_AT] = "SELECT no, at_ms, role, id FROM doc"
                      " WHERE session = ?1 AND seq = ?2",
    [SEARCH_DOC_LAST] = "SELECT no FROM doc WHERE no >= ?1 AND no < ?2"
                        " ORDER BY no DESC LIMIT 1",
    [SEARCH_DOC_LAST_OF] = "SELECT d.seq, d.id, o.name FROM doc d"
                           " JOIN session s ON s.no = d.session"
                           " JOIN owner o ON o.no = s.owner"
                           " WHERE d.session = ?1"
                           " ORDER BY d.seq DESC LIMIT 1",
    [SEARCH_DOC_ADD] = "INSERT INTO doc VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [SEARCH_DOC_DROP] = "DELETE FROM doc WHERE no = ?1",
    [SEARCH_DOC_OF] = "SELECT no FROM doc WHERE session = ?1 LIMIT 1",
    [SEARCH_DOC_SHOW] = "SELECT d.role, d.id, b.text FROM doc d"
                        " JOIN body b ON b.no = d.no WHERE d.no = ?1",
    [SEARCH_BODY] = "SELECT text FROM body WHERE no = ?1",
    [SEARCH_BODY_ADD] = "INSERT INTO body VALUES (?1, ?2)",
    [SEARCH_BODY_DROP] = "DELETE FROM body WHERE no = ?1",
    [SEARCH_WORDS_ADD] = "INSERT INTO words (rowid, text, owner, session)"
                         " VALUES (?1, ?2, ?3, ?4)",
    [SEARCH_WORDS_DROP] =
        "INSERT INTO words (words, rowid, text, owner, session)"
        " VALUES ('delete', ?1, ?2, ?3, ?4)",
    [SEARCH_WORDS_MERGE] =
        "INSERT INTO words (words, rank) VALUES ('merge', ?1)",
    [SEARCH_WORDS_MATCH] = "SELECT d.no, d.session, d.seq, d.at_ms,"
                           " " SEARCH_RANK "(words, d.bytes)"
                           " FROM words CROSS JOIN doc d ON d.no = words.rowid"
                           " WHERE words MATCH ?1 AND words.rowid < ?2"
                           " ORDER BY words.rowid DESC LIMIT ?3",
    [SEARCH_WORDS_ANY] = "SELECT 1 FROM words WHERE words MATCH ?1"
                         " AND rowid >= ?2 AND rowid < ?3 LIMIT 1",
    [SEARCH_CHECKPOINT] = "PRAGMA wal_checkpoint(TRUNCATE)",
    [SEARCH_COUNTS] =
        "SELECT (SELECT count(*) FROM doc), (SELECT count(*) FROM session),"
        " (SELECT cursor FROM meta), page_count * page_size"
        " FROM pragma_page_count(), pragma_page_size()",
};

/* --- errors -------------------------------------------------------------- */

enum err
search_failed(struct search_conn *c, const char *at, int rc)
{
    enum err e = ERR_STORE;

    switch (rc & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: e = ERR_BUSY; break;
    case SQLITE_FULL: e = ERR_FULL; break;
    case SQLITE_TOOBIG: e = ERR_TOOBIG; break;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        if (disk_is_full(c->search->dir, EIO))
            e = ERR_FULL;
        break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: c->damaged = true; break;
    default: break;
    }
    /* Not sqlite3_errmsg: it may quote what somebody typed. */
    if (e == ERR_STORE)
        log_error("search.failed", "at=%s code=%d error=\"%s\"", at, rc,
                  sqlite3_errstr(rc));
    else
        log_warn("search.failed", "at=%s code=%d error=\"%s\"", at, rc,
                 sqlite3_errstr(rc));
    return e;
}

/* --- statements ---------------------------------------------------------- */

sqlite3_stmt *
search_stmt(struct search_conn *c, enum search_sql which, enum err *e)
{
    int rc;

    if (c->stmt[which] == NULL) {
        rc = sqlite3_prepare_v3(c->db, sql[which], -1,
                                SQLITE_PREPARE_PERSISTENT, &c->stmt[which],
                                NULL);
        if (rc != SQLITE_OK) {
            *e = search_failed(c, "prepare", rc);
            /* The statement is right: a table is not there. */
            c->damaged |= rc == SQLITE_ERROR;
            return NULL;
        }
    }
    (void)sqlite3_reset(c->stmt[which]);
    (void)sqlite3_clear_bindings(c->stmt[which]);
    *e = OK;
    return c->stmt[which];
}

enum err
search_step(struct search_conn *c, sqlite3_stmt *stmt)
{
    int rc = sqlite3_step(stmt);

    if (rc == SQLITE_ROW)
        return OK;
    (void)sqlite3_reset(stmt); /* says the same again */
    return rc == SQLITE_DONE ? ERR_NOTFOUND : search_failed(c, "step", rc);
}

enum err
search_run(struct search_conn *c, enum search_sql which)
{
    enum err e;
    sqlite3_stmt *stmt = search_stmt(c, which, &e);

    if (stmt == NULL)
        return e;
    e = search_step(c, stmt);
    return e == ERR_NOTFOUND ? OK : e;
}

enum err
search_end(struct search_conn *c, enum err e)
{
    if (e == OK)
        e = search_run(c, SEARCH_COMMIT);
    if (e != OK && sqlite3_get_autocommit(c->db) == 0)
        IGNORE(search_run(c, SEARCH_ROLLBACK)); /* e is the reason */
    return e;
}

/* --- the file ------------------------------------------------------------ */

int
search_sql_set_up(struct search_conn *c)
{
    fts5_api *api;
    int rc;

    (void)sqlite3_extended_result_codes(c->db, 1);
    (void)sqlite3_busy_timeout(c->db, SEARCH_BUSY_MS);
    (void)sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(c->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    rc = sqlite3_exec(c->db,
                      "PRAGMA secure_delete = ON;"
                      "PRAGMA temp_store = MEMORY;"
                      "PRAGMA cell_size_check = ON;"
                      "PRAGMA cache_size = -4096;"
                      "PRAGMA synchronous = NORMAL;"
                      "PRAGMA journal_size_limit = 4194304;",
                      NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        return rc;
    api = search_token_api(c->db);
    if (api == NULL || search_token_register(api) != SQLITE_OK ||
        search_rank_register(api) != SQLITE_OK)
        return SQLITE_MISUSE; /* an SQLite without FTS5 */
    c->tokenizer = search_token_new(api);
    return c->tokenizer != NULL ? SQLITE_OK : SQLITE_MISUSE;
}

int
search_sql_make(struct search_conn *c)
{
    char begin[160];
    int rc;

    (void)snprintf(
        begin, sizeof(begin),
        "PRAGMA auto_vacuum = NONE; PRAGMA journal_mode = WAL; BEGIN;"
        "PRAGMA application_id = %d; PRAGMA user_version = %d;",
        APPLICATION_ID, SCHEMA);
    rc = sqlite3_exec(c->db, begin, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(c->db, schema, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(c->db, "COMMIT", NULL, NULL, NULL);
    return rc;
}

static int
pragma_int(sqlite3 *db, const char *pragma, int *out)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db, pragma, -1, &stmt, NULL);

    if (rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW)
        *out = sqlite3_column_int(stmt, 0);
    return rc == SQLITE_OK ? sqlite3_finalize(stmt) : rc;
}

int
search_sql_check(struct search_conn *c, bool *ours)
{
    int version = 0, application = 0;
    int rc = pragma_int(c->db, "PRAGMA application_id", &application);

    if (rc == SQLITE_OK)
        rc = pragma_int(c->db, "PRAGMA user_version", &version);
    *ours = application == APPLICATION_ID && version == SCHEMA;
    if (rc == SQLITE_OK && !*ours)
        log_warn("search.version", "have=%d known=%d", version, SCHEMA);
    return rc;
}
