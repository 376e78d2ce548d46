/*
 * A connection to the index: its tables, its statements, and what SQLite's
 * errors mean. For search*.c only.
 */
#ifndef STORE_SEARCH_SQL_H
#define STORE_SEARCH_SQL_H

#include "store/search.h"
#include "store/search_token.h"

/* Statements, prepared when they are first used. */
enum search_sql {
    SEARCH_BEGIN,
    SEARCH_BEGIN_WRITE,
    SEARCH_COMMIT,
    SEARCH_ROLLBACK,
    SEARCH_META,
    SEARCH_META_CURSOR,
    SEARCH_META_SCRUB,
    SEARCH_OWNER,
    SEARCH_OWNER_ADD,
    SEARCH_OWNER_TRIM,
    SEARCH_SESSION,
    SEARCH_SESSIONS,
    SEARCH_SESSION_ADD,
    SEARCH_SESSION_DROP,
    SEARCH_GONE,
    SEARCH_GONE_ADD,
    SEARCH_DOC_AT,
    SEARCH_DOC_LAST,
    SEARCH_DOC_LAST_OF,
    SEARCH_DOC_ADD,
    SEARCH_DOC_DROP,
    SEARCH_DOC_OF,
    SEARCH_DOC_SHOW,
    SEARCH_BODY,
    SEARCH_BODY_ADD,
    SEARCH_BODY_DROP,
    SEARCH_WORDS_ADD,
    SEARCH_WORDS_DROP,
    SEARCH_WORDS_MERGE,
    SEARCH_WORDS_MATCH,
    SEARCH_WORDS_ANY,
    SEARCH_CHECKPOINT,
    SEARCH_COUNTS,
    SEARCH_SQL__N
};

struct search_conn {
    const struct search *search;
    sqlite3 *db;
    struct search_tokenizer *tokenizer;
    sqlite3_stmt *stmt[SEARCH_SQL__N];
    int lock_fd; /* of the folder; see search_lock.h */
    dev_t dev;   /* of the file that is open */
    ino_t ino;
    bool damaged; /* SQLite said so: the file has to be made anew */
};

/* Settings of a connection, and what is brought to its FTS5. An SQLite code. */
MUST_USE int search_sql_set_up(struct search_conn *c);
/* Make the tables in an empty file. An SQLite code. */
MUST_USE int search_sql_make(struct search_conn *c);
/* Are they there, and of this version? An SQLite code. */
MUST_USE int search_sql_check(struct search_conn *c, bool *ours);

/* A statement, reset, without values. NULL: failed (logged); *e says how. */
sqlite3_stmt *search_stmt(struct search_conn *c, enum search_sql which,
                          enum err *e);
/* Step to the next row: OK, or ERR_NOTFOUND: there is none (more). The
 * statement is reset unless there is a row. */
MUST_USE enum err search_step(struct search_conn *c, sqlite3_stmt *stmt);
/* Run a statement that has no values and gives nothing. */
MUST_USE enum err search_run(struct search_conn *c, enum search_sql which);
/* What SQLite's code means; logs it, and notes damage. */
enum err search_failed(struct search_conn *c, const char *at, int rc);

/* End a transaction that was begun: commit if e is OK, else roll back. */
MUST_USE enum err search_end(struct search_conn *c, enum err e);

#endif
