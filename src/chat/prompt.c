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
#include "base/text.h"
#include "chat/extra.h"
#include "chat/retrieve.h"
#include "lang/title.h"

struct turn_ask *
turn_ask_new(void)
{
    struct turn_ask *a = xcalloc(1, sizeof(*a));

    arena_init(&a->arena);
    a->owner = "";
    a->notes = a->summary = "";
    a->session_context = a->session_model = "";
    a->parent = STORE_HEAD;
    a->temperature = a->ask.temperature = NAN;
    a->top_p = a->ask.top_p = NAN;
    a->ask.parallel_calls = -1;
    a->files = -1;
    return a;
}

void
turn_ask_free(struct turn_ask *a)
{
    if (a == NULL)
        return;
    retrieved_free(a->retrieved);
    arena_release(&a->arena);
    free(a);
}

void
turn_ask_note(struct turn_ask *a, const char *code, const char *message)
{
    struct buf b;

    buf_init(&b, TURN_ASK_NOTES_MAX);
    buf_adds(&b, a->notes);
    if (b.len > 0)
        buf_addc(&b, ',');
    buf_addf(&b, "{\"code\":\"%s\",\"message\":\"%s\"}", code, message);
    if (buf_status(&b) == OK)
        a->notes = arena_strdup(&a->arena, buf_cstr(&b));
    buf_release(&b);
}

struct loading {
    struct turn_ask *ask;
    uint32_t summary_upto; /* seq */
    uint32_t first;        /* seq of the first message given */
    bool any, is_first;    /* that one follows none */
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

    if (!l->any) {
        l->first = m->seq;
        l->is_first = m->parent == STORE_ROOT;
    }
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
    to->stays = extra_stays(m->extra, m->extra_len);
    if (m->seq < l->summary_upto)
        a->n_summarised = a->n_history;
    return true;
}

/* One that cannot be read, or that stands for messages of another line, is as
 * good as none. */
static void
load_summary(struct store *s, struct turn_ask *a, struct loading *l)
{
    struct session_summary sum;
    struct buf text;

    a->summary = "";
    if (conf_int(CONF_SUMMARY) == 0)
        return;
    buf_init(&text, STORE_SUMMARY_MAX + 1);
    if (store_summary(s, a->owner, a->session_id, &sum, &text) == OK &&
        sum.upto_seq > 0 &&
        store_line_holds(s, a->owner, a->session_id, a->parent,
                         sum.upto_seq - 1)) {
        a->summary = arena_memdup0(&a->arena, text.data, text.len);
        l->summary_upto = sum.upto_seq;
    }
    buf_release(&text);
}

/* A context that cannot be read is left out; the log says so. */
static enum err
take_session(struct store *s, struct turn_ask *a, const struct session *sess)
{
    struct buf text;

    if (a->temporary && !sess->temporary)
        return ERR_IMPOSSIBLE;
    a->temporary = sess->temporary;
    a->session_model = arena_strdup(&a->arena, sess->model);
    a->session_context = "";
    if (!sess->has_context)
        return OK;
    buf_init(&text, STORE_CONTEXT_MAX + 1);
    if (store_context(s, a->owner, a->session_id, &text) == OK)
        a->session_context = arena_memdup0(&a->arena, buf_cstr(&text),
                                           text.len);
    buf_release(&text);
    return OK;
}

enum err
prompt_session(struct store *s, struct turn_ask *a)
{
    struct session sess;

    if (a->fresh || store_session(s, a->owner, a->session_id, &sess) != OK)
        return OK;
    return take_session(s, a, &sess);
}

/* What its beginning is about. The store takes it where nothing was said. */
static void
name_session(struct turn_ask *a)
{
    size_t n = a->text_len > PROMPT_TITLE_LOOK
                   ? utf8_whole(a->text, PROMPT_TITLE_LOOK)
                   : a->text_len;
    struct buf title;

    buf_init(&title, PROMPT_TITLE_MAX + 1);
    if (title_text(&title, a->text, n, PROMPT_TITLE_MAX) &&
        buf_status(&title) == OK)
        a->title = arena_strdup(&a->arena, buf_cstr(&title));
    buf_release(&title);
}

static bool
count_message(void *arg, const struct message *m)
{
    uint32_t *n = arg;

    (void)m;
    ++*n;
    return true;
}

/* How many messages of the line are before a seq. */
static enum err
line_count(struct store *s, const struct turn_ask *a,
           const struct session *sess, uint32_t seq, uint32_t *n)
{
    *n = sess->branched ? 0 : seq;
    if (!sess->branched || seq == 0)
        return OK;
    return store_line(s, a->owner, a->session_id, a->parent, seq, UINT32_MAX, 0,
                      NULL, count_message, n);
}

/* Reads the messages and what is known of those before them. */
static enum err
load_line(struct store *s, struct turn_ask *a, struct session *sess)
{
    struct loading l = {.ask = a};
    enum err e;

    load_summary(s, a, &l);
    e = store_line(s, a->owner, a->session_id, a->parent, UINT32_MAX,
                   PROMPT_HISTORY_MESSAGES, PROMPT_HISTORY_BYTES, sess,
                   take_message, &l);
    if (e == OK && l.any && !l.is_first)
        e = line_count(s, a, sess, l.first, &a->unloaded);
    if (e == OK)
        e = line_count(s, a, sess, l.summary_upto, &a->summary_upto);
    return e;
}

static bool
take_place(void *arg, const struct message *m)
{
    struct turn_ask *a = arg;
    bool other = m->role == ROLE_USER; /* this one stands beside it */

    a->root = other && m->parent == STORE_ROOT;
    a->parent = !other ? m->seq : a->root ? STORE_HEAD : m->parent;
    return true;
}

/* Where the new message goes, as its request says. */
static enum err
find_place(struct store *s, struct turn_ask *a)
{
    uint32_t seq;
    enum err e;

    a->parent = STORE_HEAD;
    a->root = false;
    if (a->follows == NULL)
        return OK;
    e = store_find_message(s, a->owner, a->session_id, a->follows, &seq);
    return e != OK ? e
                   : store_line(s, a->owner, a->session_id, seq, UINT32_MAX, 1,
                                0, NULL, take_place, a);
}

enum err
prompt_load(struct store *s, struct turn_ask *a, struct ident *existing)
{
    struct session sess;
    enum err e;

    a->loaded = true;
    a->title = NULL;
    if (a->idem_key != NULL &&
        store_idem(s, a->owner, a->idem_scope, a->idem_key, existing) == OK)
        return ERR_CONFLICT;
    if (a->fresh) {
        a->expect_messages = 0;
        name_session(a);
        return a->follows != NULL ? ERR_NOTFOUND : OK;
    }
    e = find_place(s, a);
    if (e != OK)
        return e;
    if (a->history_given) {
        a->expect_messages = UINT32_MAX;
        name_session(a);
        return prompt_session(s, a);
    }
    a->n_history = a->n_summarised = 0;
    a->unloaded = a->summary_upto = 0;
    a->summary = "";
    a->history = arena_alloc(&a->arena,
                             PROMPT_HISTORY_MESSAGES * sizeof(*a->history));
    e = a->root ? store_session(s, a->owner, a->session_id, &sess)
                : load_line(s, a, &sess);
    if (e == ERR_NOTFOUND) {
        /* Not there, or another owner's: the commit will tell. */
        a->expect_messages = a->follows == NULL ? 0 : UINT32_MAX;
        name_session(a);
        return OK;
    }
    if (e != OK)
        return e;
    a->expect_messages = sess.n_messages;
    if (sess.n_messages == 0)
        name_session(a);
    e = take_session(s, a, &sess);
    if (e != OK)
        return e;
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
