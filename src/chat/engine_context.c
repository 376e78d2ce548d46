/*
 * What the model sees of a turn that is still answered: its context event, in
 * the stream log, whichever process writes it. Once the turn has ended the
 * same object is stored with the answer. The log is read on the loop; the
 * asking thread waits.
 */
#include "base/base.h"

#include "chat/core.h"

struct context_call {
    struct engine *en;
    const struct ident *turn;
    struct stream_head *head;
    struct buf *out;
    enum err err;
};

/* A prompt can be made twice before any text comes: the last one counts. */
static void
context_find(void *arg)
{
    struct context_call *c = arg;
    struct streamlog *l = c->en->log;
    struct event ev = {.seq = 0};

    c->err = streamlog_head(l, c->turn, c->head);
    while (c->err == OK && streamlog_next(l, c->turn, ev.seq, &ev) == OK &&
           (ev.type == EVENT_START || ev.type == EVENT_CONTEXT)) {
        if (ev.type == EVENT_START)
            continue;
        buf_clear(c->out);
        buf_add(c->out, ev.data, ev.len);
    }
    streamlog_rest(l);
}

enum err
engine_context(struct engine *en, const struct ident *turn,
               struct stream_head *head, struct buf *out)
{
    struct context_call c = {en, turn, head, out, ERR_NOTFOUND};

    engine_call(en, context_find, &c);
    return c.err;
}
