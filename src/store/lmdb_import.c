/*
 * Many messages at once: a conversation from elsewhere, or the copy of one.
 * They have no turns: nothing was asked here, and a turn belongs to one session
 * alone.
 */
#include "base/base.h"

#include "store/lmdb_batch.h"

/* The session that they go into, new or not. */
static int
import_check(struct batch *b, struct store_op *op, struct session *s)
{
    bool fresh;
    int rc;

    if (op->import.from > 0) {
        rc = batch_own_session(b, op, s);
        if (rc == 0 && op->err == OK && s->no != op->import.session_no)
            op->err = ERR_NOTFOUND;
    } else {
        rc = batch_session(b, op->owner, op->session_id, s, &op->err);
        if (rc == 0 && (op->err == OK || op->err == ERR_FORBIDDEN))
            op->err = ERR_CONFLICT;
        if (rc == 0 && op->err == ERR_NOTFOUND)
            rc = batch_session_or_new(b, op, true, op->patch.now_ms,
                                      op->patch.sessions_max, s, &fresh,
                                      &op->err);
    }
    if (rc == 0 && op->err == OK)
        op->err = backend_import_check(op, s);
    return rc;
}

/* The session's record follows when all is counted; a new one is put before,
 * so that its number is the last one and its messages fill their pages. */
static int
put_messages(struct batch *b, struct store_op *op, struct session *s)
{
    int rc = 0;

    for (uint32_t i = 0; i < op->import.n && rc == 0; i++) {
        struct message *m = &op->import.messages[i];

        backend_count(s, m, m->parent);
        rc = batch_put_message(b, s->no, m);
    }
    return rc;
}

/* The head's line: with branches it takes a walk over what was put. */
static int
put_head(struct batch *b, struct store_op *op, struct session *s)
{
    MDB_cursor *c = NULL;
    int rc;

    if (s->n_messages == 0)
        return 0;
    s->head = op->import.head;
    s->length = s->head + 1;
    if (!s->branched)
        return 0;
    rc = batch_cursor(b, DB_MESSAGES, &c);
    if (rc != 0)
        return rc;
    /* Not ours alone any more: something is written. */
    return lmdb_line_length(c, s->no, s->head, &s->length) == OK
               ? 0
               : MDB_CORRUPTED;
}

int
batch_import(struct batch *b, struct store_op *op)
{
    bool fresh = op->import.from == 0;
    struct session s;
    int64_t was_ms;
    int rc = import_check(b, op, &s);

    if (rc != 0 || op->err != OK)
        return rc;
    was_ms = s.updated_ms;
    s.updated_ms = op->import.updated_ms;
    if (fresh) {
        backend_patch(&s, op);
        rc = batch_put_new_session(b, &s);
    }
    if (rc == 0)
        rc = put_messages(b, op, &s);
    if (rc == 0)
        rc = put_head(b, op, &s);
    if (rc == 0)
        rc = batch_put_session(b, &s);
    if (rc == 0 && !fresh)
        rc = batch_relist(b, &s, was_ms);
    if (rc == 0 && fresh)
        rc = batch_put_context(b, op, s.no);
    op->import.after = s;
    return rc;
}
