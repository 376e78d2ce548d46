/*
 * Collections: whose documents they are, and who sees them. What they count is
 * kept with them and changed with each document, since it is asked for more
 * often than they change.
 */
#include "base/base.h"

#include "files/files.h"

#include "base/clock.h"
#include "base/text.h"
#include "files/shelf.h"

#define COUNTERS_MAX 100000 /* names tried before a claim gives up */

static void
collection_read(sqlite3_stmt *stmt, struct collection *c)
{
    c->id = sqlite3_column_int64(stmt, 0);
    shelf_text(stmt, 1, c->owner, sizeof(c->owner));
    shelf_text(stmt, 2, c->name, sizeof(c->name));
    shelf_text(stmt, 3, c->root, sizeof(c->root));
    c->documents = sqlite3_column_int64(stmt, 4);
    c->skipped = sqlite3_column_int64(stmt, 5);
    c->chunks = sqlite3_column_int64(stmt, 6);
    c->bytes = sqlite3_column_int64(stmt, 7);
    c->updated_ms = sqlite3_column_int64(stmt, 8);
}

static enum err
collection_named(struct shelf_conn *c, const char *owner, const char *name,
                 struct collection *out)
{
    enum err e;
    sqlite3_stmt *stmt = shelf_stmt(c, &e, SHELF_COLLECTION_NAMED, "tt", owner,
                                    name);

    if (e == OK)
        e = shelf_step(c, stmt);
    if (e == OK) {
        collection_read(stmt, out);
        (void)sqlite3_reset(stmt);
    }
    return e;
}

/* Have it, in a transaction that may write. */
static enum err
collection_have(struct shelf_conn *c, const char *owner, const char *name,
                const char *root, struct collection *out)
{
    enum err e = collection_named(c, owner, name, out);

    if (e != ERR_NOTFOUND)
        return e;
    e = shelf_do(c, SHELF_COLLECTION_ADD, "ttti", owner, name, root,
                 clock_wall_ms());
    if (e == OK)
        e = collection_named(c, owner, name, out);
    return e == OK && out->id >= SHELF_COLLECTIONS_MAX ? ERR_FULL : e;
}

enum err
files_collection(struct files *f, const char *owner, const char *name,
                 const char *root, struct collection *out)
{
    struct shelf_conn *c;
    enum err e;

    if (owner[0] == '\0' || strlen(owner) > FILES_OWNER_MAX ||
        name[0] == '\0' || strlen(name) >= sizeof(out->name) ||
        (root != NULL && strlen(root) >= sizeof(out->root)))
        return ERR_BADREQ;
    e = shelf_take(f, &c);
    if (e != OK)
        return e;
    e = collection_named(c, owner, name, out);
    if (e == ERR_NOTFOUND && root != NULL) {
        e = shelf_write(c);
        if (e == OK)
            e = shelf_end(c, collection_have(c, owner, name, root, out));
    }
    shelf_give(c);
    if (e == OK && root != NULL && strcmp(root, out->root) != 0)
        e = ERR_CONFLICT;
    return e;
}

enum err
files_collection_get(struct files *f, int64_t id, struct collection *out)
{
    sqlite3_stmt *stmt;
    struct shelf_conn *c;
    enum err e = shelf_take(f, &c);

    if (e != OK)
        return e;
    stmt = shelf_stmt(c, &e, SHELF_COLLECTION, "i", id);
    if (e == OK)
        e = shelf_step(c, stmt);
    if (e == OK) {
        collection_read(stmt, out);
        (void)sqlite3_reset(stmt);
    }
    shelf_give(c);
    return e;
}

enum err
files_collections(struct files *f, const char *owner, collection_fn *fn,
                  void *arg)
{
    sqlite3_stmt *stmt = NULL;
    struct collection found;
    struct shelf_conn *c;
    enum err e = shelf_take(f, &c);
    int rc;

    if (e != OK)
        return e;
    rc = sqlite3_prepare_v2(
        c->db,
        shelf_sql(owner != NULL ? SHELF_COLLECTIONS_OF : SHELF_COLLECTIONS), -1,
        &stmt, NULL);
    if (rc == SQLITE_OK && owner != NULL)
        rc = sqlite3_bind_text(stmt, 1, owner, -1, SQLITE_STATIC);
    if (rc != SQLITE_OK)
        e = shelf_failed(c, "collections", rc);
    while (e == OK && (e = shelf_step(c, stmt)) == OK) {
        collection_read(stmt, &found);
        if (!fn(arg, &found))
            break;
    }
    (void)sqlite3_finalize(stmt);
    shelf_give(c);
    return e == ERR_NOTFOUND ? OK : e;
}

enum err
files_bytes(struct files *f, int64_t collection, int64_t *out)
{
    struct shelf_conn *c;
    enum err e = shelf_take(f, &c);

    if (e != OK)
        return e;
    e = shelf_int(c, out, SHELF_COLLECTION_BYTES, "i", collection);
    shelf_give(c);
    return e;
}

/* --- dropping ------------------------------------------------------------- */

static enum err
drop_all(struct shelf_conn *c, int64_t id)
{
    int64_t at = id << SHELF_DOCUMENT_BITS, no;
    int64_t end = (id + 1) << SHELF_DOCUMENT_BITS;
    enum err e = shelf_int(c, &no, SHELF_COLLECTION, "i", id);

    if (e != OK)
        return e;
    while ((e = shelf_int(c, &no, SHELF_DOCUMENT_NEXT, "ii", at, end)) == OK) {
        e = shelf_document_empty(c, no);
        if (e == OK)
            e = shelf_do(c, SHELF_DESCRIBED_DROP, "i", no);
        if (e == OK)
            e = shelf_do(c, SHELF_DOCUMENT_DROP, "i", no);
        if (e != OK)
            return e == ERR_NOTFOUND ? ERR_STORE : e;
        at = no;
    }
    return e == ERR_NOTFOUND ? shelf_do(c, SHELF_COLLECTION_DROP, "i", id) : e;
}

enum err
files_collection_drop(struct files *f, int64_t id)
{
    struct shelf_conn *c;
    enum err e = shelf_take(f, &c);

    if (e != OK)
        return e;
    e = shelf_write(c);
    if (e == OK)
        e = shelf_end(c, drop_all(c, id));
    shelf_give(c);
    return e;
}

/* --- claiming ------------------------------------------------------------- */

/* A name that `to` has not: the one it has, or with a number behind it. */
static enum err
free_name(struct shelf_conn *c, const char *to, const char *name, char *out,
          size_t max)
{
    struct collection taken;
    enum err e = OK;

    for (int i = 1; e == OK && i < COUNTERS_MAX; i++) {
        char number[16] = "";
        size_t room;

        if (i > 1)
            (void)snprintf(number, sizeof(number), " %d", i);
        room = max - 1 - strlen(number);
        (void)snprintf(
            out, max, "%.*s%s",
            (int)(strlen(name) > room ? utf8_whole(name, room) : strlen(name)),
            name, number);
        e = collection_named(c, to, out, &taken);
    }
    return e == ERR_NOTFOUND ? OK : e == OK ? ERR_CONFLICT : e;
}

static enum err
claim_one(struct shelf_conn *c, int64_t id, const char *to)
{
    struct collection has;
    char name[sizeof(has.name)];
    enum err e;
    sqlite3_stmt *stmt = shelf_stmt(c, &e, SHELF_COLLECTION, "i", id);

    if (e == OK)
        e = shelf_step(c, stmt);
    if (e != OK)
        return e;
    collection_read(stmt, &has);
    (void)sqlite3_reset(stmt);
    e = free_name(c, to, has.name, name, sizeof(name));
    if (e == OK)
        e = shelf_do(c, SHELF_COLLECTION_OWNER, "itt", id, to,
                     (const char *)name);
    return e;
}

/* What goes over is not the owner's any more: the first one is another. */
static enum err
claim_all(struct shelf_conn *c, const char *from, const char *to)
{
    enum err e;
    int64_t id;

    while ((e = shelf_int(c, &id, SHELF_COLLECTION_FIRST, "t", from)) == OK) {
        e = claim_one(c, id, to);
        if (e != OK)
            return e;
    }
    return e == ERR_NOTFOUND ? OK : e;
}

enum err
files_claim(struct files *f, const char *from, const char *to)
{
    struct shelf_conn *c;
    enum err e;

    if (to[0] == '\0' || strlen(to) > FILES_OWNER_MAX)
        return ERR_BADREQ;
    if (strcmp(from, to) == 0)
        return OK;
    e = shelf_take(f, &c);
    if (e != OK)
        return e;
    e = shelf_write(c);
    if (e == OK)
        e = shelf_end(c, claim_all(c, from, to));
    shelf_give(c);
    return e;
}
