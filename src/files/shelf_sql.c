/*
 * The tables and every statement that is run on them, in one place. None is put
 * together at run time: what somebody typed is a value, and only of MATCH, one
 * quoted word at a time (query_scan.c).
 *
 * The list of words has no copy of the text and no places in it, only which
 * chunks have a word (shelf_token.c); what is taken out of it is given to it
 * once more, so the texts it was made of must be there until then.
 *
 * What is wrong with the file is not mended here. The labels that people gave
 * their documents are in it: an index that is quietly made anew without them
 * would show a model what was to stay on this machine. So damage is an error
 * until somebody removes the file and indexes again.
 */
#include "base/base.h"

#include "files/shelf.h"

#include "base/log.h"
#include "files/shelf_vector.h"

#define APPLICATION_ID 0x50726c46 /* "PrlF" */
#define SCHEMA 1                  /* of the tables and of the tokenizer */
#define RETRY_NS 5000000

static const char schema[] =
    "CREATE TABLE collection (no INTEGER PRIMARY KEY AUTOINCREMENT,"
    " owner TEXT NOT NULL, name TEXT NOT NULL, root TEXT NOT NULL,"
    " documents INTEGER NOT NULL DEFAULT 0,"
    " skipped INTEGER NOT NULL DEFAULT 0, chunks INTEGER NOT NULL DEFAULT 0,"
    " bytes INTEGER NOT NULL DEFAULT 0, updated_ms INTEGER NOT NULL,"
    " next_document INTEGER NOT NULL DEFAULT 1,"
    " next_chunk INTEGER NOT NULL DEFAULT 1, UNIQUE (owner, name));"
    "CREATE TABLE document (no INTEGER PRIMARY KEY,"
    " collection INTEGER NOT NULL, name TEXT NOT NULL, last TEXT NOT NULL,"
    " size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, hash BLOB NOT NULL,"
    " image INTEGER NOT NULL, skip TEXT NOT NULL, label INTEGER NOT NULL,"
    " label_fixed INTEGER NOT NULL, added_ms INTEGER NOT NULL,"
    " chunks INTEGER NOT NULL, text_len INTEGER NOT NULL,"
    " type TEXT NOT NULL, title TEXT NOT NULL, width INTEGER NOT NULL,"
    " height INTEGER NOT NULL, taken TEXT NOT NULL, latitude REAL,"
    " longitude REAL, camera TEXT NOT NULL, description TEXT NOT NULL,"
    " tags TEXT NOT NULL, first INTEGER NOT NULL, lang INTEGER NOT NULL,"
    " redactions TEXT NOT NULL, embedded INTEGER NOT NULL DEFAULT 0,"
    " UNIQUE (collection, name));"
    "CREATE INDEX document_last ON document (last);"
    "CREATE INDEX document_local ON document (collection) WHERE label = 2;"
    "CREATE INDEX document_embedded ON document (embedded) WHERE chunks > 0;"
    "CREATE TABLE chunk (no INTEGER PRIMARY KEY, document INTEGER NOT NULL,"
    " seq INTEGER NOT NULL, start INTEGER NOT NULL, bytes INTEGER NOT NULL,"
    " page INTEGER NOT NULL, heading TEXT NOT NULL, text TEXT NOT NULL);"
    "CREATE TABLE model (no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " dims INTEGER NOT NULL);"
    "CREATE TABLE vector (no INTEGER PRIMARY KEY, row BLOB NOT NULL);"
    "CREATE TABLE sketch (no INTEGER PRIMARY KEY, document INTEGER NOT NULL,"
    " rows BLOB NOT NULL);"
    "CREATE VIRTUAL TABLE words USING fts5 (text, content = '',"
    " columnsize = 0, detail = none,"
    " tokenize = '" SHELF_TOKENIZER "');"
    "INSERT INTO words (words, rank) VALUES ('hashsize', 8388608);"
    "INSERT INTO words (words, rank) VALUES ('automerge', 8);";
_Static_assert(LABEL_LOCAL_ONLY == 2, "document_local");

/* It came later, and programs that do not know it do not miss it: a file gets
 * it when it is opened. */
#define DESCRIBED_EXISTS \
    "SELECT count(*) FROM sqlite_schema WHERE name = 'described'"
static const char described[] =
    "CREATE TABLE IF NOT EXISTS described (document INTEGER PRIMARY KEY,"
    " hash BLOB NOT NULL, model TEXT NOT NULL, description TEXT NOT NULL,"
    " tags TEXT NOT NULL);";

#define DOCUMENT                                                          \
    "SELECT d.no, d.collection, c.owner, d.name, d.size, d.mtime_ns,"     \
    " d.hash, d.image, d.skip, d.label, d.label_fixed, d.added_ms,"       \
    " d.chunks, d.text_len, d.type, d.title, d.width, d.height, d.taken," \
    " d.latitude, d.longitude, d.camera, d.description, d.tags, d.first," \
    " d.lang, d.redactions, coalesce(m.model, '') FROM document d"        \
    " JOIN collection c ON c.no = d.collection"                           \
    " LEFT JOIN described m ON m.document = d.no "
#define COLLECTION                                                     \
    "SELECT no, owner, name, root, documents, skipped, chunks, bytes," \
    " updated_ms, next_document, next_chunk FROM collection "

static const char *const sql[SHELF_SQL__N] = {
    [SHELF_BEGIN] = "BEGIN",
    [SHELF_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [SHELF_COMMIT] = "COMMIT",
    [SHELF_ROLLBACK] = "ROLLBACK",
    [SHELF_COLLECTION] = COLLECTION "WHERE no = ?1",
    [SHELF_COLLECTION_NAMED] = COLLECTION "WHERE owner = ?1 AND name = ?2",
    [SHELF_COLLECTIONS] = COLLECTION "ORDER BY name, owner",
    [SHELF_COLLECTIONS_OF] = COLLECTION "WHERE owner IN (?1, '*')"
                                        " ORDER BY name, owner",
    [SHELF_COLLECTION_FIRST] = "SELECT min(no) FROM collection"
                               " WHERE owner = ?1",
    [SHELF_COLLECTION_ADD] = "INSERT INTO collection"
                             " (owner, name, root, updated_ms)"
                             " VALUES (?1, ?2, ?3, ?4)",
    [SHELF_COLLECTION_COUNT] =
        "UPDATE collection SET documents = documents + ?2,"
        " skipped = skipped + ?3, chunks = chunks + ?4, bytes = bytes + ?5,"
        " updated_ms = ?6, next_document = next_document + ?7,"
        " next_chunk = next_chunk + ?8 WHERE no = ?1",
    [SHELF_COLLECTION_DROP] = "DELETE FROM collection WHERE no = ?1",
    [SHELF_COLLECTION_BYTES] = "SELECT coalesce(sum(size), 0) FROM document"
                               " WHERE collection = ?1",
    [SHELF_COLLECTION_OWNER] =
        "UPDATE collection SET owner = ?2, name = ?3 WHERE no = ?1",
    [SHELF_DOCUMENT] = DOCUMENT "WHERE d.no = ?1",
    [SHELF_DOCUMENT_NAMED] = DOCUMENT "WHERE d.collection = ?1 AND d.name = ?2",
    /* Owner, collection, behind which name and number, how many. */
    [SHELF_DOCUMENTS] = DOCUMENT "WHERE (d.name, d.no) > (?3, ?5)"
                                 " ORDER BY d.name, d.no LIMIT ?4",
    [SHELF_DOCUMENTS_OF] = DOCUMENT "WHERE c.owner IN (?1, '*')"
                                    " AND (d.name, d.no) > (?3, ?5)"
                                    " ORDER BY d.name, d.no LIMIT ?4",
    [SHELF_DOCUMENTS_IN] = DOCUMENT "WHERE d.collection = ?2"
                                    " AND (d.name, d.no) > (?3, ?5)"
                                    " AND (?1 IS NULL OR c.owner IN (?1, '*'))"
                                    " ORDER BY d.name, d.no LIMIT ?4",
    [SHELF_DOCUMENT_ADD] =
        "INSERT INTO document VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7,"
        " ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,"
        " ?22, ?23, ?24, ?25, ?26, ?27, 0)",
    [SHELF_DOCUMENT_DROP] = "DELETE FROM document WHERE no = ?1",
    [SHELF_DOCUMENT_LABEL] = "UPDATE document SET label = ?2, label_fixed = 1"
                             " WHERE no = ?1",
    [SHELF_DOCUMENT_RULES] =
        "UPDATE document SET redactions = ?3,"
        " label = CASE label_fixed WHEN 0 THEN ?2 ELSE label END"
        " WHERE no = ?1 AND (redactions <> ?3"
        " OR (label_fixed = 0 AND label <> ?2))",
    [SHELF_DOCUMENT_FIND] = "SELECT d.no FROM collection c JOIN document d"
                            " ON d.collection = c.no WHERE c.owner = ?1"
                            " AND d.name = ?2 ORDER BY d.no LIMIT 1",
    [SHELF_DOCUMENT_FIND_LAST] =
        "SELECT min(d.no) FROM document d JOIN collection c"
        " ON c.no = d.collection WHERE d.last = ?2 AND c.owner = ?1"
        " HAVING count(*) = 1",
    [SHELF_DOCUMENT_NEXT] = "SELECT no FROM document WHERE no > ?1 AND no < ?2"
                            " ORDER BY no LIMIT 1",
    [SHELF_DOCUMENT_EMBEDDED] = "UPDATE document SET embedded = ?2"
                                " WHERE no = ?1",
    [SHELF_CHUNK_ADD] = "INSERT INTO chunk VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7,"
                        " ?8)",
    [SHELF_CHUNK_DROP] = "DELETE FROM chunk WHERE no >= ?1 AND no < ?2",
    [SHELF_CHUNKS] = "SELECT no, heading, text FROM chunk"
                     " WHERE no >= ?1 AND no < ?2 ORDER BY no",
    [SHELF_CHUNK_TEXT] = "SELECT start, text FROM chunk WHERE no >= ?1"
                         " AND no < ?2 AND start + bytes > ?3 ORDER BY no",
    [SHELF_CHUNK_SHOW] = "SELECT document, seq, start, page, heading, text"
                         " FROM chunk WHERE no = ?1",
    [SHELF_CHUNK_DOCUMENT] = "SELECT document FROM chunk WHERE no = ?1",
    [SHELF_WORDS_ADD] = "INSERT INTO words (rowid, text) VALUES (?1, ?2)",
    [SHELF_WORDS_DROP] = "INSERT INTO words (words, rowid, text)"
                         " VALUES ('delete', ?1, ?2)",
    [SHELF_WORDS_MATCH] = "SELECT rowid FROM words WHERE words MATCH ?1"
                          " AND rowid >= ?2 AND rowid < ?3",
    [SHELF_SKETCH_ADD] = "INSERT INTO sketch VALUES (?1, ?2, ?3)",
    [SHELF_SKETCH_DROP] = "DELETE FROM sketch WHERE no >= ?1 AND no < ?2",
    [SHELF_SKETCH_SCAN] = "SELECT no, document, rows FROM sketch"
                          " WHERE no >= ?1 AND no < ?2 ORDER BY no",
    [SHELF_SKETCH_SUM] = "SELECT coalesce(sum(length(rows)), 0) FROM sketch"
                         " WHERE no >= ?1 AND no < ?2",
    [SHELF_VECTOR_ADD] = "INSERT INTO vector VALUES (?1, ?2)",
    [SHELF_VECTOR_DROP] = "DELETE FROM vector WHERE no >= ?1 AND no < ?2",
    [SHELF_VECTOR_NTH] = "SELECT no FROM vector WHERE no >= ?1 AND no < ?2"
                         " ORDER BY no LIMIT 1 OFFSET ?3",
    [SHELF_VECTOR_COSINE] = "SELECT cosine(row, ?2) FROM vector WHERE no = ?1",
    [SHELF_VECTOR_HAS] = "SELECT 1 FROM vector WHERE no = ?1",
    [SHELF_VECTOR_COUNT] = "SELECT count(*) FROM vector"
                           " WHERE no >= ?1 AND no < ?2",
    [SHELF_MODEL] = "SELECT no, dims FROM model WHERE name = ?1",
    [SHELF_MODEL_NEXT] = "SELECT min(no) FROM model WHERE no > ?1",
    [SHELF_MODELS] = "SELECT no, name FROM model ORDER BY no",
    [SHELF_MODELS_OTHER] = "SELECT no FROM model WHERE name <> ?1 LIMIT 1",
    [SHELF_MODEL_FREE] =
        "SELECT coalesce(min(no), 0) + 1 FROM (SELECT 0 AS no UNION ALL"
        " SELECT no FROM model) AS m WHERE NOT EXISTS"
        " (SELECT 1 FROM model WHERE model.no = m.no + 1)",
    [SHELF_MODEL_ADD] = "INSERT INTO model VALUES (?1, ?2, ?3)",
    [SHELF_MODEL_DROP] = "DELETE FROM model WHERE no = ?1",
    [SHELF_MODEL_FADE] = "UPDATE model SET name = '-' || no WHERE no = ?1",
    [SHELF_MODEL_FORGET] = "UPDATE document SET embedded = 0"
                           " WHERE embedded = ?1 AND chunks > 0",
    [SHELF_PENDING] =
        "SELECT c.no, c.text, d.label, d.redactions, c.start, d.first,"
        " d.chunks, d.image, d.name FROM document d"
        " JOIN chunk c ON c.no >= d.first AND c.no < d.first + d.chunks"
        " WHERE d.chunks > 0 AND (d.embedded < ?1 OR d.embedded > ?1)"
        " AND (?2 = 0 OR d.label <> 2) AND NOT EXISTS"
        " (SELECT 1 FROM vector v WHERE v.no = ?3 + c.no) LIMIT ?4",
    [SHELF_LOCAL] = "SELECT first, chunks FROM document"
                    " WHERE collection = ?1 AND label = 2",
    [SHELF_DESCRIBED] = "SELECT hash, model, description, tags FROM described"
                        " WHERE document = ?1",
    [SHELF_DESCRIBED_PUT] =
        "INSERT OR REPLACE INTO described VALUES (?1, ?2, ?3, ?4, ?5)",
    [SHELF_DESCRIBED_HAVE] =
        "INSERT OR IGNORE INTO described VALUES (?1, ?2, ?3, '', '')",
    [SHELF_DESCRIBED_DROP] = "DELETE FROM described WHERE document = ?1",
};

const char *
shelf_sql(enum shelf_sql which)
{
    return sql[which];
}

/* --- the file ------------------------------------------------------------- */

static int
pragma_int(sqlite3 *db, const char *pragma, int *out)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db, pragma, -1, &stmt, NULL);

    if (rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW)
        *out = sqlite3_column_int(stmt, 0);
    return rc == SQLITE_OK ? sqlite3_finalize(stmt) : rc;
}

static int
tables_make(struct shelf_conn *c)
{
    char version[120];
    int rc, tables = -1;

    /* Who comes second finds them made. */
    rc = sqlite3_exec(c->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        return rc;
    (void)snprintf(version, sizeof(version),
                   "PRAGMA application_id = %d; PRAGMA user_version = %d;",
                   APPLICATION_ID, SCHEMA);
    rc = pragma_int(c->db, "SELECT count(*) FROM sqlite_schema", &tables);
    if (rc == SQLITE_OK && tables == 0) {
        rc = sqlite3_exec(c->db, version, NULL, NULL, NULL);
        if (rc == SQLITE_OK)
            rc = sqlite3_exec(c->db, schema, NULL, NULL, NULL);
        if (rc == SQLITE_OK)
            log_info("files.new", "result=ok");
    }
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(c->db, "COMMIT", NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        (void)sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

/* Whose file it is, and its version, as of one moment: another process may be
 * making the tables. */
static int
stamp_read(struct shelf_conn *c, int *application, int *version)
{
    int rc = sqlite3_exec(c->db, "BEGIN", NULL, NULL, NULL);

    if (rc == SQLITE_OK)
        rc = pragma_int(c->db, "PRAGMA application_id", application);
    if (rc == SQLITE_OK)
        rc = pragma_int(c->db, "PRAGMA user_version", version);
    if (sqlite3_get_autocommit(c->db) == 0)
        (void)sqlite3_exec(c->db, "COMMIT", NULL, NULL, NULL);
    return rc;
}

static int
described_have(struct shelf_conn *c)
{
    int tables = 0;
    int rc = pragma_int(c->db, DESCRIBED_EXISTS, &tables);

    return rc == SQLITE_OK && tables == 0
               ? sqlite3_exec(c->db, described, NULL, NULL, NULL)
               : rc;
}

/* Are the tables there, and of this version? They are made where nothing is. */
static int
tables_have(struct shelf_conn *c, bool *ours)
{
    int version = 0, application = 0;
    int rc = stamp_read(c, &application, &version);

    if (rc == SQLITE_OK && application == 0 && version == 0) {
        /* SQLite gives up at once here where another does the same. */
        rc = sqlite3_exec(c->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
        if (rc == SQLITE_OK)
            rc = tables_make(c);
        if (rc == SQLITE_OK)
            rc = stamp_read(c, &application, &version);
    }
    *ours = application == APPLICATION_ID && version == SCHEMA;
    if (rc == SQLITE_OK && *ours)
        rc = described_have(c);
    if (rc == SQLITE_OK && !*ours)
        log_error("files.version",
                  "have=%d known=%d file=\"%s\" help=\"remove it and index "
                  "again\"",
                  version, SCHEMA, LOG_TEXT(c->files->path));
    return rc;
}

static int
patience_ms(const struct shelf_conn *c)
{
    return c->files->opened ? SHELF_READ_MS : SHELF_BUSY_MS;
}

static int
settings(struct shelf_conn *c)
{
    fts5_api *api;
    int rc;

    (void)sqlite3_extended_result_codes(c->db, 1);
    (void)sqlite3_busy_timeout(c->db, patience_ms(c));
    (void)sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(c->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    rc = sqlite3_exec(c->db,
                      "PRAGMA page_size = 8192;"
                      "PRAGMA secure_delete = ON;"
                      "PRAGMA temp_store = MEMORY;"
                      "PRAGMA cell_size_check = ON;"
                      "PRAGMA cache_size = -8192;"
                      "PRAGMA synchronous = FULL;"
                      "PRAGMA journal_size_limit = 16777216;",
                      NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = shelf_vector_register(c->db);
    if (rc != SQLITE_OK)
        return rc;
    api = shelf_token_api(c->db);
    if (api == NULL) /* an SQLite without FTS5 */
        return SQLITE_MISUSE;
    c->token = shelf_token_new(api, NULL);
    return c->token != NULL ? shelf_token_register(api, c->token)
                            : SQLITE_MISUSE;
}

enum err
shelf_set_up(struct shelf_conn *c)
{
    struct timespec pause = {0, RETRY_NS};
    bool ours = false;
    int rc = settings(c);

    for (int i = 0; rc == SQLITE_OK; i++) {
        rc = tables_have(c, &ours);
        if ((rc & 0xff) != SQLITE_BUSY || i >= patience_ms(c) / 5)
            break;
        (void)nanosleep(&pause, NULL);
        rc = SQLITE_OK;
    }
    if (rc != SQLITE_OK)
        return shelf_failed(c, "open", rc);
    return ours ? OK : ERR_STORE;
}
