/*
 * The prompt. History is the newest messages that fit the named limits, in
 * order, without pairs whose answer never came (a failed turn is asked again
 * by its user; the model should not see the same question twice). The
 * session's summary (chat/summary.h) is loaded beside them: which of the two a
 * model is sent depends on its window. Loading runs on an acceptor or a
 * worker, building anywhere.
 */
#include "base/base.h"

#include "chat/prompt.h"

#include <math.h>

#include "base/buf.h"
#include "base/conf.h"

struct turn_ask *
turn_ask_new(void)
{
    struct turn_ask *a = xcalloc(1, sizeof(*a));

    arena_init(&a->arena);
    a->owner = "";
    a->notes = a->summary = "";
    a->temperature = a->ask.temperature = NAN;
    a->top_p = a->ask.top_p = NAN;
    a->ask.parallel_calls = -1;
    return a;
}

void
turn_ask_free(struct turn_ask *a)
{
    if (a == NULL)
        return;
    arena_release(&a->arena);
    free(a);
}

struct loading {
    struct turn_ask *ask;
    bool any;
};

/* Is this the empty answer of a turn that failed? */
static bool
is_failed(const struct message *m)
{
    return m->role == ROLE_ASSISTANT && m->text_len == 0;
}

static bool
take_message(void *arg, const struct message *m)
{
    struct loading *l = arg;
    struct turn_ask *a = l->ask;
    struct ask_message *to;

    if (!l->any)
        a->unloaded = m->seq;
    l->any = true;
    if (is_failed(m)) {
        if (a->n_history > 0 && a->history[a->n_history - 1].role == ROLE_USER)
            a->n_history--;
        if (a->n_summarised > a->n_history)
            a->n_summarised = a->n_history;
        return true;
    }
    if (m->role >= ROLE__MAX || a->n_history == PROMPT_HISTORY_MESSAGES)
        return true;
    to = &a->history[a->n_history++];
    (void)memset(to, 0, sizeof(*to));
    to->role = (enum role)m->role;
    to->text = arena_memdup0(&a->arena, m->text, m->text_len);
    to->len = m->text_len;
    if (m->seq < a->summary_upto)
        a->n_summarised = a->n_history;
    return true;
}

/* One that cannot be read is as good as none. */
static void
load_summary(struct store *s, struct turn_ask *a)
{
    struct session_summary sum;
    struct buf text;

    a->summary = "";
    a->summary_upto = 0;
    if (conf_int(CONF_SUMMARY) == 0)
        return;
    buf_init(&text, STORE_SUMMARY_MAX + 1);
    if (store_summary(s, a->owner, a->session_id, &sum, &text) == OK) {
        a->summary = arena_memdup0(&a->arena, text.data, text.len);
        a->summary_upto = sum.upto_seq;
    }
    buf_release(&text);
}

enum err
prompt_load(struct store *s, struct turn_ask *a, struct ident *existing)
{
    struct loading l = {.ask = a};
    struct session sess;
    enum err e;

    a->loaded = true;
    if (a->idem_key != NULL &&
        store_idem(s, a->owner, a->idem_scope, a->idem_key, existing) == OK)
        return ERR_CONFLICT;
    if (a->history_given || a->fresh) {
        a->expect_messages = a->fresh ? 0 : UINT32_MAX;
        return OK;
    }
    load_summary(s, a);
    a->n_history = a->n_summarised = 0;
    a->unloaded = 0;
    a->history = arena_alloc(&a->arena,
                             PROMPT_HISTORY_MESSAGES * sizeof(*a->history));
    e = store_messages(s, a->owner, a->session_id, UINT32_MAX,
                       PROMPT_HISTORY_MESSAGES, PROMPT_HISTORY_BYTES, &sess,
                       take_message, &l);
    if (e == ERR_NOTFOUND) {
        /* Not there, or another owner's: the commit will tell. */
        a->expect_messages = 0;
        return OK;
    }
    if (e != OK)
        return e;
    a->expect_messages = sess.n_messages;
    /* A conversation begins with its user. */
    while (a->n_history > 0 && a->history[0].role == ROLE_ASSISTANT) {
        a->history++;
        a->n_history--;
        a->unloaded++;
        if (a->n_summarised > 0)
            a->n_summarised--;
    }
    return OK;
}
