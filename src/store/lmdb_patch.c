/*
 * What a user sets of a session, what is written about it, and where its line
 * ends. None of that moves it in its owner's list: it is not a use.
 */
#include "base/base.h"

#include "store/lmdb_batch.h"

#include "base/log.h"

int
batch_line_length(struct batch *b, const struct session *s, uint32_t leaf,
                  uint32_t *length, enum err *err)
{
    MDB_cursor *c = NULL;
    int rc;

    *err = OK;
    if (backend_length(s, leaf, length))
        return 0;
    rc = batch_cursor(b, DB_MESSAGES, &c);
    if (rc == 0)
        *err = lmdb_line_length(c, s->no, leaf, length);
    return rc;
}

/* The summary that is there, its text borrowed until the next write; without
 * one, or with one that is damaged (it is replaced), it reaches nowhere. */
static int
summary_before(struct batch *b, const uint8_t key[KEY_NO_LEN],
               struct session_summary *out, const char **text, size_t *len)
{
    static const struct session_summary none = {.cost_micro = -1};
    MDB_val v;
    int rc = batch_get(b, DB_SUMMARIES, key, KEY_NO_LEN, &v);

    *out = none;
    *text = "";
    *len = 0;
    if (rc != 0)
        return rc == MDB_NOTFOUND ? 0 : rc;
    if (record_summary_read(v.mv_data, v.mv_size, out, text, len) != OK) {
        log_error("store.damaged", "db=summaries");
        *out = none;
        *len = 0;
    }
    return 0;
}

/* --- patches -------------------------------------------------------------- */

static int
patch_check(struct batch *b, struct store_op *op, struct session *s,
            bool *fresh)
{
    int rc = batch_session_or_new(b, op, op->patch.create, op->patch.now_ms,
                                  op->patch.sessions_max, s, fresh, &op->err);

    op->patch.too_many_sessions = op->err == ERR_LIMIT;
    if (rc == 0 && op->err == OK && !*fresh)
        op->err = backend_patch_there(op, s,
                                      backend_gone(s, b->l->ttl_ms, b->now_ms));
    return rc;
}

/* Move the head. Nothing is left to move to in a session without messages. */
static int
patch_head(struct batch *b, struct store_op *op, struct session *s)
{
    uint32_t head;
    int rc;

    if (!op->patch.set_head)
        return 0;
    op->err = backend_parent(s, op->patch.head, false, &head);
    if (op->err != OK || head == STORE_ROOT)
        return 0;
    rc = batch_line_length(b, s, head, &s->length, &op->err);
    s->head = head;
    return rc;
}

int
batch_put_context(struct batch *b, const struct store_op *op, uint64_t no)
{
    const char *text = op->patch.context;
    uint8_t key[KEY_NO_LEN];
    void *record;
    size_t n;
    int rc;

    if (text == NULL)
        return 0;
    key_no(key, no);
    n = strlen(text);
    if (n == 0)
        return batch_del(b, DB_CONTEXTS, key, sizeof(key));
    rc = batch_reserve(b, DB_CONTEXTS, key, sizeof(key),
                       RECORD_CONTEXT_HEAD + n, &record);
    if (rc == 0)
        record_context_write(record, text, n);
    return rc;
}

/* What was spent on it stands beside the summary; where there is none, in one
 * that reaches nowhere. */
static int
add_cost(struct batch *b, const struct store_op *op, uint64_t no)
{
    uint8_t key[KEY_NO_LEN], record[RECORD_SUMMARY_MAX];
    struct session_summary sum;
    const char *text;
    size_t len;
    int rc;

    if (op->patch.cost_micro <= 0)
        return 0;
    key_no(key, no);
    rc = summary_before(b, key, &sum, &text, &len);
    if (rc != 0)
        return rc;
    sum.cost_micro = backend_add_cost(sum.cost_micro, op->patch.cost_micro);
    return batch_put(b, DB_SUMMARIES, key, sizeof(key), record,
                     record_summary_write(record, &sum, text, len));
}

int
batch_patch(struct batch *b, struct store_op *op)
{
    struct session s;
    bool fresh;
    int rc = patch_check(b, op, &s, &fresh);

    if (rc == 0 && op->err == OK)
        rc = patch_head(b, op, &s);
    if (rc != 0 || op->err != OK)
        return rc;
    backend_patch(&s, op);
    rc = fresh ? batch_put_new_session(b, &s) : batch_put_session(b, &s);
    op->patch.after = s;
    if (rc == 0)
        rc = batch_put_context(b, op, s.no);
    return rc != 0 ? rc : add_cost(b, op, s.no);
}

/* --- summaries ------------------------------------------------------------ */

/* Does the summary that is there reach as far as one up to seq `upto` would?
 * One of another line is worth nothing for this one. */
static int
summary_reaches(struct batch *b, const struct session *s,
                const struct session_summary *sum, uint32_t upto, bool *yes,
                enum err *err)
{
    MDB_cursor *c = NULL;
    int rc;

    *yes = upto <= sum->upto_seq;
    if (!*yes || !s->branched)
        return 0;
    rc = batch_cursor(b, DB_MESSAGES, &c);
    if (rc == 0 && sum->upto_seq <= s->n_messages)
        *err = lmdb_line_has(c, s->no, sum->upto_seq - 1, upto - 1, yes);
    return rc;
}

int
batch_summary(struct batch *b, struct store_op *op)
{
    uint8_t key[KEY_NO_LEN], record[RECORD_SUMMARY_MAX];
    uint32_t upto = op->summary.upto_seq;
    struct session_summary sum;
    struct session s;
    const char *text;
    bool reaches;
    size_t len;
    int rc = batch_own_session(b, op, &s);

    if (rc == 0 && op->err == OK && s.no != op->summary.session_no)
        op->err = ERR_NOTFOUND;
    if (rc != 0 || op->err != OK)
        return rc;
    if (upto == 0 || upto > s.n_messages) {
        op->err = ERR_CONFLICT;
        return 0;
    }
    key_no(key, s.no);
    rc = summary_before(b, key, &sum, &text, &len);
    if (rc == 0)
        rc = summary_reaches(b, &s, &sum, upto, &reaches, &op->err);
    if (rc != 0 || op->err != OK)
        return rc;
    if (reaches) {
        op->err = ERR_CONFLICT;
        return 0;
    }
    sum.upto_seq = upto;
    sum.cost_micro = backend_add_cost(sum.cost_micro, op->summary.cost_micro);
    return batch_put(b, DB_SUMMARIES, key, sizeof(key), record,
                     record_summary_write(record, &sum, op->summary.text,
                                          op->summary.text_len));
}
