/*
 * Running statements. One is prepared when a connection first needs it, and
 * kept with it. What SQLite's codes mean is said here, and logged where they
 * are first seen.
 */
#include "base/base.h"

#include "files/shelf.h"

#include <stdarg.h>
#include <sys/statvfs.h>

#include "base/log.h"

#define FULL_BYTES (256 * 1024) /* less than this free is a full disk */

/* --- errors --------------------------------------------------------------- */

static bool
disk_is_full(const char *dir)
{
    struct statvfs fs;

    return statvfs(dir, &fs) == 0 &&
           (uint64_t)fs.f_bavail * fs.f_frsize < FULL_BYTES;
}

enum err
shelf_failed(struct shelf_conn *c, const char *at, int rc)
{
    enum err e = ERR_STORE;

    switch (rc & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: e = ERR_BUSY; break;
    case SQLITE_FULL: e = ERR_FULL; break;
    case SQLITE_TOOBIG: e = ERR_TOOBIG; break;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        if (disk_is_full(c->files->dir))
            e = ERR_FULL;
        break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        log_error("files.damaged",
                  "at=%s code=%d file=\"%s\" help=\"remove it and its -wal and "
                  "-shm, and index again; labels given by hand are in it\"",
                  at, rc, LOG_TEXT(c->files->path));
        return ERR_STORE;
    default: break;
    }
    /* Not sqlite3_errmsg: it may quote what somebody typed. */
    if (e == ERR_STORE)
        log_error("files.failed", "at=%s code=%d error=\"%s\"", at, rc,
                  sqlite3_errstr(rc));
    else
        log_warn("files.failed", "at=%s code=%d error=\"%s\"", at, rc,
                 sqlite3_errstr(rc));
    return e;
}

/* --- statements ----------------------------------------------------------- */

static int
bind_one(sqlite3_stmt *stmt, int i, char how, va_list *values)
{
    const void *bytes;
    size_t n;

    switch (how) {
    case 'i': return sqlite3_bind_int64(stmt, i, va_arg(*values, int64_t));
    case 'd': return sqlite3_bind_double(stmt, i, va_arg(*values, double));
    case 't':
        bytes = va_arg(*values, const char *); /* NULL is NULL */
        return sqlite3_bind_text(stmt, i, bytes, -1, SQLITE_STATIC);
    case 's':
    case 'b': break;
    default: assert(!"a kind of value");
    }
    bytes = va_arg(*values, const void *);
    n = va_arg(*values, size_t);
    if (n > INT32_MAX)
        return SQLITE_TOOBIG;
    return how == 's' ? sqlite3_bind_text(stmt, i, n > 0 ? bytes : "", (int)n,
                                          SQLITE_STATIC)
                      : sqlite3_bind_blob(stmt, i, n > 0 ? bytes : "", (int)n,
                                          SQLITE_STATIC);
}

static sqlite3_stmt *
statement(struct shelf_conn *c, enum err *e, enum shelf_sql which,
          const char *how, va_list *values)
{
    sqlite3_stmt *stmt = c->stmt[which];
    int rc = SQLITE_OK;

    if (stmt == NULL) {
        rc = sqlite3_prepare_v3(c->db, shelf_sql(which), -1,
                                SQLITE_PREPARE_PERSISTENT, &stmt, NULL);
        if (rc != SQLITE_OK) {
            *e = shelf_failed(c, "prepare", rc);
            return NULL;
        }
        c->stmt[which] = stmt;
    }
    (void)sqlite3_reset(stmt);
    for (int i = 0; rc == SQLITE_OK && how[i] != '\0'; i++)
        rc = bind_one(stmt, i + 1, how[i], values);
    if (rc != SQLITE_OK) {
        *e = shelf_failed(c, "bind", rc);
        return NULL;
    }
    *e = OK;
    return stmt;
}

sqlite3_stmt *
shelf_stmt(struct shelf_conn *c, enum err *e, enum shelf_sql which,
           const char *how, ...)
{
    sqlite3_stmt *stmt;
    va_list values;

    va_start(values, how);
    stmt = statement(c, e, which, how, &values);
    va_end(values);
    return stmt;
}

enum err
shelf_step(struct shelf_conn *c, sqlite3_stmt *stmt)
{
    int rc = sqlite3_step(stmt);

    if (rc == SQLITE_ROW)
        return OK;
    (void)sqlite3_reset(stmt); /* says the same again */
    return rc == SQLITE_DONE ? ERR_NOTFOUND : shelf_failed(c, "step", rc);
}

enum err
shelf_do(struct shelf_conn *c, enum shelf_sql which, const char *how, ...)
{
    sqlite3_stmt *stmt;
    va_list values;
    enum err e;

    va_start(values, how);
    stmt = statement(c, &e, which, how, &values);
    va_end(values);
    while (e == OK)
        e = shelf_step(c, stmt);
    if (stmt != NULL)
        (void)sqlite3_clear_bindings(stmt);
    return e == ERR_NOTFOUND ? OK : e;
}

enum err
shelf_int(struct shelf_conn *c, int64_t *out, enum shelf_sql which,
          const char *how, ...)
{
    sqlite3_stmt *stmt;
    va_list values;
    enum err e;

    va_start(values, how);
    stmt = statement(c, &e, which, how, &values);
    va_end(values);
    if (e == OK)
        e = shelf_step(c, stmt);
    if (e == OK && sqlite3_column_type(stmt, 0) == SQLITE_NULL)
        e = ERR_NOTFOUND;
    else if (e == OK)
        *out = sqlite3_column_int64(stmt, 0);
    if (stmt != NULL) {
        (void)sqlite3_reset(stmt);
        (void)sqlite3_clear_bindings(stmt);
    }
    return e;
}

void
shelf_text(sqlite3_stmt *stmt, int column, char *out, size_t max)
{
    const void *text = sqlite3_column_text(stmt, column);
    size_t n = (size_t)sqlite3_column_bytes(stmt, column);

    if (text == NULL)
        n = 0;
    if (n >= max)
        n = max - 1;
    memcpy(out, text != NULL ? text : "", n);
    out[n] = '\0';
}
