/*
 * Looking at the index without touching it: all other calls put a new file in
 * the place of a damaged one, and who asks whether it is damaged wants to be
 * told, not helped.
 *
 * SQLite's own check reads every page and compares the tables with their
 * indexes. What is inside of FTS5's blocks it does not understand; damage there
 * is found by the first search that reads it.
 */
#include "base/base.h"

#include "store/search.h"

#include <sys/stat.h>
#include <unistd.h>

#include "store/search_file.h"
#include "store/search_lock.h"

static bool
is_damage(int rc)
{
    return (rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB;
}

/* The first thing that it has to say is "ok" or a fault. */
static int
quick_check(sqlite3 *db, bool *sound)
{
    sqlite3_stmt *stmt = NULL;
    const unsigned char *said;
    int rc = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &stmt, NULL);

    *sound = false;
    if (rc != SQLITE_OK)
        return rc;
    if (sqlite3_step(stmt) == SQLITE_ROW) {
        said = sqlite3_column_text(stmt, 0);
        *sound = said != NULL && strcmp((const char *)said, "ok") == 0;
    }
    return sqlite3_finalize(stmt);
}

/* The folder's lock is held. */
static int
check(struct search_conn *c, bool *damaged)
{
    bool ours = false, sound = false;
    int rc = sqlite3_open_v2(c->search->path, &c->db,
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

    if (rc == SQLITE_OK)
        rc = search_sql_set_up(c);
    if (rc == SQLITE_OK)
        rc = search_sql_check(c, &ours);
    if (rc == SQLITE_OK && ours)
        rc = quick_check(c->db, &sound);
    *damaged = is_damage(rc) || (rc == SQLITE_OK && !sound);
    return *damaged ? SQLITE_OK : rc;
}

static void
release(struct search_conn *c)
{
    search_token_free(c->tokenizer);
    if (c->db != NULL) {
        /* A log beside a damaged file is left as it is. */
        (void)sqlite3_db_config(c->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
                                NULL);
        (void)sqlite3_close(c->db);
    }
    (void)close(c->lock_fd);
}

enum err
search_check(const char *dir, bool *damaged)
{
    struct search_conn c = {.db = NULL};
    struct search *s = NULL;
    struct stat st;
    enum err e = search_open(&s, dir);

    *damaged = false;
    if (e != OK)
        return e;
    if (stat(s->path, &st) == 0) {
        c.search = s;
        c.lock_fd = search_lock_open(s->lock);
        e = c.lock_fd < 0 ? ERR_STORE : search_lock_shared(c.lock_fd);
        if (e == OK) {
            int rc = check(&c, damaged);

            if (rc != SQLITE_OK)
                e = search_failed(&c, "check", rc);
        }
        if (c.lock_fd >= 0)
            release(&c);
    }
    search_close(s);
    return e;
}
