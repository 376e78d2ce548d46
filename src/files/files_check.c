/*
 * Is the index what it says it is? Numbers that are kept in two places agree,
 * every chunk has its vector, its sketch and its words, and none of these is
 * there without its chunk. For tests: it reads everything.
 */
#include "base/base.h"

#include "files/files.h"

#include "base/buf.h"
#include "files/shelf.h"
#include "files/shelf_vector.h"

/* Each gives a number that is to be 0. */
static const struct {
    const char *what, *sql;
} checks[] = {
    {"documents of no collection",
     "SELECT count(*) FROM document WHERE collection NOT IN"
     " (SELECT no FROM collection)"},
    {"documents with a number of another collection",
     "SELECT count(*) FROM document WHERE no >> 24 <> collection"},
    {"chunks of no document", "SELECT count(*) FROM chunk WHERE document NOT IN"
                              " (SELECT no FROM document)"},
    {"chunks outside of their document's numbers",
     "SELECT count(*) FROM chunk c JOIN document d ON d.no = c.document"
     " WHERE c.no <> d.first + c.seq OR c.seq >= d.chunks"},
    {"documents with other chunks than they say",
     "SELECT count(*) FROM document d WHERE d.chunks <>"
     " (SELECT count(*) FROM chunk c WHERE c.no >= d.first"
     " AND c.no < d.first + d.chunks)"},
    {"documents that are skipped and have chunks",
     "SELECT count(*) FROM document WHERE skip <> '' AND chunks > 0"},
    {"chunks without a vector",
     "SELECT count(*) FROM chunk WHERE no NOT IN (SELECT no FROM vector)"},
    {"vectors without a chunk",
     "SELECT count(*) FROM vector WHERE no & ((1 << 57) - 1) NOT IN"
     " (SELECT no FROM chunk)"},
    {"chunks without a sketch",
     "SELECT (SELECT count(*) FROM chunk) -"
     " (SELECT coalesce(sum(length(rows)), 0) / ?1 FROM sketch"
     " WHERE no < 1 << 57)"},
    {"sketches of no chunk of theirs",
     "SELECT count(*) FROM sketch s WHERE NOT EXISTS (SELECT 1 FROM chunk c"
     " WHERE c.no = s.no & ((1 << 57) - 1) AND c.document = s.document)"},
    {"collections that count wrong",
     "SELECT count(*) FROM collection c WHERE documents <>"
     " (SELECT count(*) FROM document d WHERE d.collection = c.no"
     " AND skip = '') OR skipped <> (SELECT count(*) FROM document d"
     " WHERE d.collection = c.no AND skip <> '') OR chunks <>"
     " (SELECT coalesce(sum(d.chunks), 0) FROM document d"
     " WHERE d.collection = c.no) OR bytes <>"
     " (SELECT coalesce(sum(size), 0) FROM document d"
     " WHERE d.collection = c.no AND skip = '')"},
    {"descriptions of no image",
     "SELECT count(*) FROM described WHERE document NOT IN"
     " (SELECT no FROM document WHERE image <> 0)"},
    {"words of no chunk", "SELECT count(*) FROM temp.places WHERE doc NOT IN"
                          " (SELECT no FROM chunk)"},
    {"chunks without words", "SELECT count(*) FROM chunk WHERE no NOT IN"
                             " (SELECT doc FROM temp.places)"},
};

static int
number(sqlite3 *db, const char *sql, int64_t *out)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

    if (rc == SQLITE_OK && sqlite3_bind_parameter_count(stmt) > 0)
        rc = sqlite3_bind_int64(stmt, 1, (int64_t)SKETCH_ROW);
    if (rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW)
        *out = sqlite3_column_int64(stmt, 0);
    return rc == SQLITE_OK ? sqlite3_finalize(stmt) : rc;
}

static int
pages(sqlite3 *db, struct buf *out)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db, "PRAGMA integrity_check(1)", -1, &stmt,
                                NULL);

    if (rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW) {
        const char *said = (const char *)sqlite3_column_text(stmt, 0);

        if (said == NULL || strcmp(said, "ok") != 0)
            buf_addf(out, "pages: %s\n", said != NULL ? said : "?");
    }
    return rc == SQLITE_OK ? sqlite3_finalize(stmt) : rc;
}

static enum err
check(struct shelf_conn *c, struct buf *out)
{
    static const char begin[] =
        "INSERT INTO words (words) VALUES ('integrity-check');"
        "CREATE VIRTUAL TABLE temp.terms USING fts5vocab"
        " (main, words, instance);"
        "CREATE TABLE temp.places AS SELECT DISTINCT doc FROM temp.terms";
    int rc = sqlite3_exec(c->db, begin, NULL, NULL, NULL);

    if (rc == SQLITE_OK)
        rc = pages(c->db, out);
    for (size_t i = 0; rc == SQLITE_OK && i < COUNT_OF(checks); i++) {
        int64_t wrong = -1;

        rc = number(c->db, checks[i].sql, &wrong);
        if (wrong != 0)
            buf_addf(out, "%s: %" PRId64 "\n", checks[i].what, wrong);
    }
    (void)sqlite3_exec(c->db,
                       "DROP TABLE IF EXISTS temp.places;"
                       "DROP TABLE IF EXISTS temp.terms",
                       NULL, NULL, NULL);
    if (rc != SQLITE_OK) {
        buf_addf(out, "SQLite: %s\n", sqlite3_errmsg(c->db));
        return shelf_failed(c, "check", rc);
    }
    return out->len == 0 ? OK : ERR_STORE;
}

enum err
files_check(struct files *f, struct buf *out)
{
    struct shelf_conn *c;
    enum err e = shelf_take(f, &c);

    if (e != OK)
        return e;
    e = check(c, out);
    shelf_give(c);
    return e;
}
