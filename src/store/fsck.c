/*
 * Checking and repairing a store. The parts read all there is, in one
 * transaction, and collect what should be written instead; the writing comes
 * last, in that same transaction. So a repair is made from one state of the
 * store, and memory grows with what is wrong (and with the number of owners),
 * not with what there is.
 *
 * A repair begins with a look that changes nothing, which tells what is wrong,
 * and a repaired store is read once more before anybody says that it is sound.
 */
#include "base/base.h"

#include "store/fsck_inside.h"

#include <stdarg.h>

#include "base/log.h"
#include "base/mem.h"

#define TRIES 12 /* the map doubles each time */

/* --- faults and fixes ------------------------------------------------- */

void
fsck_key(char out[FSCK_KEY_MAX], enum db db, const MDB_val *k)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *b = k->mv_data;
    uint64_t no;
    uint32_t seq;
    size_t n = 0;

    if (db == DB_MESSAGES &&
        key_message_read(k->mv_data, k->mv_size, &no, &seq) == OK) {
        (void)snprintf(out, FSCK_KEY_MAX, "%" PRIu64 "/%" PRIu32, no, seq);
        return;
    }
    if ((db == DB_TURNS || db == DB_OPEN) &&
        k->mv_size == sizeof(struct ident)) {
        struct ident id;

        memcpy(id.b, k->mv_data, sizeof(id.b));
        ident_text(out, &id);
        return;
    }
    if ((db == DB_SESSIONS || db == DB_SUMMARIES || db == DB_CONTEXTS) &&
        key_no_read(k->mv_data, k->mv_size, &no) == OK) {
        (void)snprintf(out, FSCK_KEY_MAX, "%" PRIu64, no);
        return;
    }
    for (size_t i = 0; i < k->mv_size && n + 5 < FSCK_KEY_MAX; i++) {
        if (b[i] > ' ' && b[i] < 0x7f && b[i] != '\\' && db != DB_IDEM &&
            db != DB_RECENT) {
            out[n++] = (char)b[i];
            continue;
        }
        out[n++] = '\\';
        out[n++] = 'x';
        out[n++] = digits[b[i] >> 4];
        out[n++] = digits[b[i] & 15];
    }
    out[n] = '\0';
}

void
fsck_fault(struct fsck *f, enum db db, const char *key, bool fixable,
           const char *what, ...)
{
    char text[256];
    va_list ap;

    f->result->faults++;
    if (fixable)
        f->result->fixable++;
    if (f->quiet || f->conf->fault == NULL)
        return;
    va_start(ap, what);
    (void)vsnprintf(text, sizeof(text), what, ap);
    va_end(ap);
    f->conf->fault(f->conf->arg, lmdb_db_name(db), key, text, fixable);
}

void
fsck_fix(struct fsck *f, enum db db, const void *key, size_t key_len,
         const void *data, size_t len)
{
    struct fsck_fix *x;

    if (!f->mending || key_len > sizeof(x->key))
        return;
    if (f->n_fixes == f->cap) {
        f->cap = f->cap == 0 ? 16 : 2 * f->cap;
        f->fixes = xrealloc(f->fixes, f->cap * sizeof(*f->fixes));
    }
    x = &f->fixes[f->n_fixes++];
    x->db = db;
    memcpy(x->key, key, key_len);
    x->key_len = key_len;
    x->data = data == NULL ? NULL : xmemdup0(data, len);
    x->len = len;
}

void
fsck_drop(struct fsck *f, enum db db, const MDB_val *k, const char *what)
{
    char key[FSCK_KEY_MAX];

    fsck_key(key, db, k);
    fsck_fault(f, db, key, k->mv_size <= FSCK_FIX_MAX, "%s", what);
    fsck_fix(f, db, k->mv_data, k->mv_size, NULL, 0);
}

static int
put_fix(struct fsck *f, const struct fsck_fix *x)
{
    MDB_val k = {x->key_len, (void *)(uintptr_t)x->key}, v = {x->len, x->data};
    int rc;

    if (x->data != NULL)
        return mdb_put(f->txn, f->dbi[x->db], &k, &v, 0);
    rc = mdb_del(f->txn, f->dbi[x->db], &k, NULL);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static void
drop_fixes(struct fsck *f)
{
    for (size_t i = 0; i < f->n_fixes; i++)
        free(f->fixes[i].data);
    free(f->fixes);
    f->fixes = NULL;
    f->n_fixes = f->cap = 0;
}

/* --- reading ---------------------------------------------------------- */

int
fsck_get(struct fsck *f, enum db db, const void *key, size_t key_len,
         MDB_val *v)
{
    MDB_val k = {key_len, (void *)(uintptr_t)key};

    return f->have[db] ? mdb_get(f->txn, f->dbi[db], &k, v) : MDB_NOTFOUND;
}

bool
fsck_has(struct fsck *f, enum db db, const void *key, size_t key_len)
{
    MDB_val v;

    return fsck_get(f, db, key, key_len, &v) == 0;
}

enum err
fsck_session(struct fsck *f, uint64_t no, struct session *out)
{
    uint8_t key[KEY_NO_LEN];
    MDB_val v;

    key_no(key, no);
    if (fsck_get(f, DB_SESSIONS, key, sizeof(key), &v) != 0)
        return ERR_NOTFOUND;
    if (record_session_read(v.mv_data, v.mv_size, out) != OK)
        return ERR_STORE;
    out->no = no;
    return OK;
}

enum err
fsck_message(struct fsck *f, uint64_t no, uint32_t seq, struct message *out)
{
    uint8_t key[KEY_MESSAGE_LEN];
    MDB_val v;

    key_message(key, no, seq);
    if (fsck_get(f, DB_MESSAGES, key, sizeof(key), &v) != 0)
        return ERR_NOTFOUND;
    return record_message_read(v.mv_data, v.mv_size, seq, out);
}

enum err
fsck_turn(struct fsck *f, const struct ident *id, struct turn_info *out,
          uint64_t *no)
{
    MDB_val v;

    if (fsck_get(f, DB_TURNS, id->b, sizeof(id->b), &v) != 0)
        return ERR_NOTFOUND;
    return record_turn_read(v.mv_data, v.mv_size, out, no);
}

void
fsck_walk(struct fsck *f, enum db db, fsck_record_fn *fn)
{
    MDB_cursor *c;
    MDB_val k, v;
    int rc;

    if (!f->have[db])
        return;
    rc = mdb_cursor_open(f->txn, f->dbi[db], &c);
    if (rc == 0) {
        while ((rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)) == 0)
            fn(f, &k, &v);
        mdb_cursor_close(c);
    }
    if (rc != MDB_NOTFOUND)
        fsck_fault(f, db, "*", false, "cannot be read to its end: %s",
                   mdb_strerror(rc));
}

/* --- one check -------------------------------------------------------- */

/* The databases, in a transaction that only reads. */
static int
find_dbs(struct fsck *f)
{
    for (int i = 0; i < DB__N; i++) {
        int rc = mdb_dbi_open(f->txn, lmdb_db_name((enum db)i), 0, &f->dbi[i]);

        f->have[i] = rc == 0;
        if (rc != 0 && rc != MDB_NOTFOUND)
            return rc;
    }
    return 0;
}

/* What kind of store is it? Also that it is none: LMDB with other things. */
static enum err
check_format(struct fsck *f)
{
    uint64_t format;
    MDB_val v;

    f->listed = fsck_has(f, DB_META, "listed", 6);
    if (!f->have[DB_META] || fsck_get(f, DB_META, "format", 6, &v) != 0) {
        if (f->have[DB_SESSIONS])
            fsck_fault(f, DB_META, "format", false, "is not there");
        return OK;
    }
    if (record_scalar_read(v.mv_data, v.mv_size, &format) != OK ||
        format == 0) {
        fsck_fault(f, DB_META, "format", false, "cannot be decoded");
        return OK;
    }
    if (format <= LMDB_FORMAT)
        return OK;
    log_error("fsck.format",
              "have=%" PRIu64 " known=%d error=\"written by a newer version "
              "of this program\"",
              format, LMDB_FORMAT);
    return ERR_STORE;
}

/* All of it, in f->txn. The result is set anew. */
static enum err
check(struct fsck *f, struct fsck_result *result)
{
    enum err e;

    f->result = result;
    e = check_format(f);
    if (e != OK)
        return e;
    if (f->have[DB_MESSAGES] &&
        mdb_cursor_open(f->txn, f->dbi[DB_MESSAGES], &f->messages) != 0)
        return ERR_STORE;
    fsck_sessions(f);
    fsck_orphans(f);
    fsck_turns(f);
    fsck_lists(f);
    fsck_ledger(f);
    fsck_records(f);
    if (f->messages != NULL)
        mdb_cursor_close(f->messages);
    f->messages = NULL;
    fsck_owners_free(f);
    result->left = result->faults;
    return OK;
}

/* --- without repair --------------------------------------------------- */

static enum err
look(const struct fsck_config *c, bool quiet, struct fsck_result *out)
{
    struct fsck f = {.conf = c, .quiet = quiet};
    MDB_env *env = NULL;
    enum err e = ERR_STORE;
    int rc;

    memset(out, 0, sizeof(*out));
    rc = fsck_env_open(c->dir, c->still, out, &env);

    if (rc == 0) {
        rc = fsck_env_begin(env, &f.txn);
        if (rc == 0) {
            rc = find_dbs(&f);
            if (rc == 0)
                e = check(&f, out);
            mdb_txn_abort(f.txn);
        }
        mdb_env_close(env);
    }
    if (rc == 0 || rc == ENOENT)
        return rc == 0 ? e : ERR_NOTFOUND;
    log_error("fsck.open", "dir=\"%s\" error=\"%s\"", c->dir, mdb_strerror(rc));
    return ERR_STORE;
}

/* --- with repair ------------------------------------------------------ */

/* Check, and write what should be. An LMDB result; *e is what a check says. */
static int
mend_once(struct fsck *f, struct lmdb *l, struct fsck_result *out, enum err *e)
{
    int rc = 0;

    *e = lmdb_write_begin(l, &f->txn);
    if (*e != OK)
        return 0;
    memcpy(f->dbi, l->dbi, sizeof(f->dbi));
    memset(out, 0, sizeof(*out));
    *e = check(f, out);
    for (int puts = 0; puts < 2; puts++) /* what is put, stays */
        for (size_t i = 0; i < f->n_fixes && *e == OK && rc == 0; i++)
            if ((f->fixes[i].data != NULL) == (puts != 0))
                rc = put_fix(f, &f->fixes[i]);
    if (*e == OK && rc == 0 && f->n_fixes > 0)
        rc = lmdb_write_commit(l, f->txn);
    else
        lmdb_write_abort(l, f->txn);
    drop_fixes(f);
    return rc;
}

static enum err
mend(const struct fsck_config *c, struct lmdb *l, struct fsck_result *out)
{
    struct fsck f = {.conf = c, .quiet = true, .mending = true};
    enum err e = OK;
    int rc = MDB_MAP_FULL;

    for (int i = 0; i < DB__N; i++)
        f.have[i] = true; /* opening it made them */
    for (int i = 0; i < TRIES && rc == MDB_MAP_FULL && e == OK; i++) {
        rc = mend_once(&f, l, out, &e);
        if (e == OK && rc == MDB_MAP_FULL)
            e = lmdb_env_grow(l);
    }
    if (e == OK && rc != 0)
        e = lmdb_err(l, "fsck", rc);
    return e;
}

enum err
fsck_run(const struct fsck_config *c, struct fsck_result *out)
{
    struct store_config sc = {.dir = c->dir, .map_bytes = c->map_bytes};
    struct fsck_result again;
    void *l;
    enum err e;

    assert(!c->repair || !c->still);
    e = look(c, false, out);
    if (e != OK || !c->repair || out->faults == 0)
        return e;
    e = lmdb_backend.open(&l, &sc);
    if (e != OK)
        return e;
    e = mend(c, l, &again);
    lmdb_backend.close(l);
    if (e == OK)
        e = look(c, true, &again);
    if (e == OK)
        out->left = again.left;
    return e;
}
