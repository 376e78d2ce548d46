/*
 * What does not come back with a backup. The copy is written to once, in one
 * transaction, before it takes the place of the store; nobody else knows of it,
 * so no lock is needed. A backup of before there were records has none to lose.
 */
#include "base/base.h"

#include "store/backup_leave.h"

#include "store/fsck_inside.h"

#define ROOM ((size_t)64 << 20) /* bytes of map, for pages that change */

static int
drop_records(struct backup *b, MDB_txn *txn, MDB_dbi dbi, const char *begin)
{
    size_t n = strlen(begin);
    MDB_val k = {n, (void *)(uintptr_t)begin}, v;
    MDB_cursor *c;
    int rc = mdb_cursor_open(txn, dbi, &c);

    if (rc != 0)
        return rc;
    rc = mdb_cursor_get(c, &k, &v, MDB_SET_RANGE);
    while (rc == 0 && k.mv_size >= n && memcmp(k.mv_data, begin, n) == 0) {
        rc = mdb_cursor_del(c, 0);
        if (rc == 0)
            rc = mdb_cursor_get(c, &k, &v, MDB_NEXT);
        b->left_out++;
    }
    mdb_cursor_close(c);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int
backup_leave_out(struct backup *b, const char *dir)
{
    size_t map = (size_t)b->found.bytes + ROOM;
    MDB_env *env = NULL;
    MDB_txn *txn = NULL;
    MDB_dbi dbi;
    int rc = mdb_env_create(&env);

    if (rc != 0)
        return rc;
    rc = mdb_env_set_maxdbs(env, DB__N);
    if (rc == 0)
        rc = mdb_env_set_mapsize(env, map);
    if (rc == 0)
        rc = mdb_env_open(env, dir, MDB_NOLOCK, 0600);
    if (rc == 0)
        rc = mdb_txn_begin(env, NULL, 0, &txn);
    if (rc == 0)
        rc = mdb_dbi_open(txn, lmdb_db_name(DB_RECORDS), 0, &dbi);
    for (size_t i = 0; rc == 0 && b->ended[i] != NULL; i++)
        rc = drop_records(b, txn, dbi, b->ended[i]);
    if (rc == 0)
        rc = mdb_txn_commit(txn);
    else if (txn != NULL)
        mdb_txn_abort(txn);
    mdb_env_close(env);
    return rc == MDB_NOTFOUND ? 0 : rc; /* of before there were any */
}
