/* LMDB behind the store's back, for tests of the store's files. */
#ifndef RAW_TEST_H
#define RAW_TEST_H

#include <lmdb.h>

#include "store_test.h"

/* A database of a store that is closed, in a transaction: to be ended, and the
 * environment closed, by the caller. */
static inline MDB_dbi
raw_open(const char *dir, MDB_env **env, MDB_txn **txn, unsigned flags,
         const char *db)
{
    MDB_dbi dbi;

    assert_int_equal(mdb_env_create(env), 0);
    assert_int_equal(mdb_env_set_maxdbs(*env, 16), 0);
    assert_int_equal(mdb_env_set_mapsize(*env, TEST_MAP), 0);
    assert_int_equal(mdb_env_open(*env, dir, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(*env, NULL, flags, txn), 0);
    assert_int_equal(mdb_dbi_open(*txn, db, flags == 0 ? MDB_CREATE : 0, &dbi),
                     0);
    return dbi;
}

static inline size_t
raw_entries(const char *dir, const char *db)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi = raw_open(dir, &env, &txn, MDB_RDONLY, db);
    MDB_stat st;

    assert_int_equal(mdb_stat(txn, dbi, &st), 0);
    mdb_txn_abort(txn);
    mdb_env_close(env);
    return st.ms_entries;
}

#endif
