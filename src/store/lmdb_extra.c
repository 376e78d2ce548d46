/*
 * What is added to a message after it was stored: its record is written anew
 * with another extra, in one transaction.
 */
#include "base/base.h"

#include "store/lmdb_batch.h"

#include "base/log.h"
#include "base/mem.h"

/* The record under the key is borrowed from the map, so it is copied before it
 * is written over. */
static int
put_again(struct batch *b, uint64_t no, const MDB_val *old, struct store_op *op)
{
    char *copy = xmemdup0(old->mv_data, old->mv_size);
    struct message m;
    int rc = 0;

    if (record_message_read(copy, old->mv_size, op->extra.seq, &m) != OK) {
        log_error("store.damaged", "db=messages no=%" PRIu64, no);
        op->err = ERR_STORE;
    } else if (!ident_eq(&m.id, &op->extra.message)) {
        op->err = ERR_NOTFOUND;
    } else {
        m.extra = op->extra.text;
        m.extra_len = op->extra.len;
        rc = batch_put_message(b, no, &m);
    }
    free(copy);
    return rc;
}

int
batch_extra(struct batch *b, struct store_op *op)
{
    uint8_t key[KEY_MESSAGE_LEN];
    struct session s;
    MDB_val v;
    int rc = batch_own_session(b, op, &s);

    if (rc != 0 || op->err != OK)
        return rc;
    key_message(key, s.no, op->extra.seq);
    rc = batch_get(b, DB_MESSAGES, key, sizeof(key), &v);
    if (rc == MDB_NOTFOUND) {
        op->err = ERR_NOTFOUND;
        return 0;
    }
    return rc != 0 ? rc : put_again(b, s.no, &v, op);
}
