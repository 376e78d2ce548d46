/*
 * The prompt. History is the newest messages that fit the named limits, in
 * order, without pairs whose answer never came (a failed turn is asked again
 * by its user; the model should not see the same question twice). Loading
 * runs on an acceptor or a worker, building anywhere.
 */
#include "base/base.h"

#include "chat/prompt.h"

#include <math.h>

struct turn_ask *
turn_ask_new(void)
{
    struct turn_ask *a = xcalloc(1, sizeof(*a));

    arena_init(&a->arena);
    a->owner = "";
    a->notes = "";
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

/* Is this the empty answer of a turn that failed? */
static bool
is_failed(const struct message *m)
{
    return m->role == ROLE_ASSISTANT && m->text_len == 0;
}

static bool
take_message(void *arg, const struct message *m)
{
    struct turn_ask *a = arg;
    struct ask_message *to;

    if (is_failed(m)) {
        if (a->n_history > 0 && a->history[a->n_history - 1].role == ROLE_USER)
            a->n_history--;
        return true;
    }
    if (m->role >= ROLE__MAX || a->n_history == PROMPT_HISTORY_MESSAGES)
        return true;
    to = &a->history[a->n_history++];
    (void)memset(to, 0, sizeof(*to));
    to->role = (enum role)m->role;
    to->text = arena_memdup0(&a->arena, m->text, m->text_len);
    to->len = m->text_len;
    return true;
}

enum err
prompt_load(struct store *s, struct turn_ask *a, struct ident *existing)
{
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
    a->n_history = 0;
    a->history = arena_alloc(&a->arena,
                             PROMPT_HISTORY_MESSAGES * sizeof(*a->history));
    e = store_messages(s, a->owner, a->session_id, UINT32_MAX,
                       PROMPT_HISTORY_MESSAGES, PROMPT_HISTORY_BYTES, &sess,
                       take_message, a);
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
    }
    return OK;
}
