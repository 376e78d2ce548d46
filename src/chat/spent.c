/*
 * Sums of what is known. A question costs nothing, and says nothing of it.
 */
#include "base/base.h"

#include "chat/spent.h"

#include "chat/result.h"

static bool
add_message(void *arg, const struct message *m)
{
    struct spent *s = arg;

    s->messages++;
    result_add(&s->usage.input_tokens, m->input_tokens);
    result_add(&s->usage.output_tokens, m->output_tokens);
    result_add(&s->usage.cached_tokens, m->cached_tokens);
    if (m->finish != FINISH_NONE)
        result_add(&s->cost_micro, m->cost_micro);
    return true;
}

enum err
spent_load(struct store *s, const char *owner, const char *id,
           struct session *sess, struct spent *out)
{
    static const struct spent none = {0, {-1, -1, -1}, -1};
    struct session_summary sum;
    enum err e;

    *out = none;
    e = store_all_messages(s, owner, id, 0, UINT32_MAX, sess, add_message, out);
    if (e == OK && store_summary(s, owner, id, &sum, NULL) == OK)
        result_add(&out->cost_micro, sum.cost_micro);
    if (e != OK)
        *out = none; /* it ended in the middle */
    return e;
}
