/*
 * Titles that a model writes: one run for a session (chat/aside.h). Which model
 * is asked: that of TITLE_MODEL, or with "auto" the cheap one of the provider
 * that answered, and if that one is refused the model that answered. It sees
 * the beginnings of the first question and its answer; a worker looks before
 * whether it was the first. The title is stored for good, unless the user named
 * the session meanwhile; what it cost is part of what the session costs.
 *
 * Commands are no messages and start none.
 */
#include "base/base.h"

#include "chat/titles.h"

#include "base/buf.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/text.h"
#include "chat/core.h"
#include "chat/turn_extra.h"
#include "lang/title.h"
#include "provider/models.h"

#define WRITE_MAX 64         /* tokens of an answer */
#define WRITE_MAX_THINK 2048 /* likewise, of a model that thinks before */
#define WRITE_MAX_UNKNOWN 1024
#define TEXT_MAX 4096 /* bytes of an answer that are looked at */
#define ASK_MAX (TITLE_QUESTION_MAX + TITLE_ANSWER_MAX + 256)

enum { ROUTES = 2 };

struct title_run {
    struct aside aside;
    struct route_choice routes[ROUTES];
    uint64_t session_no; /* of it; the worker's while it loads */
};

static void
run_failed(struct title_run *r, const char *code)
{
    metric_add(METRIC_TITLES_FAILED, 1);
    log_info("title.failed", "provider=%s code=%s",
             r->aside.route.provider->name, code);
    aside_useless(&r->aside, r->session_no);
}

/* --- storing ------------------------------------------------------------- */

static void
on_stored(void *arg, enum err e)
{
    struct title_run *r = arg;

    if (e == ERR_NOTFOUND) {
        aside_over(&r->aside); /* the session is gone */
    } else if (e != OK) {
        run_failed(r, err_code(e));
    } else {
        metric_add(METRIC_TITLES, 1);
        log_info("title.done", "provider=%s bytes=%zu ms=%" PRId64,
                 r->aside.route.provider->name, strlen(r->aside.op.patch.title),
                 aside_age_ms(&r->aside));
        aside_over(&r->aside);
    }
}

/* NULL: what came is no title. */
static const char *
read_title(struct title_run *r)
{
    const char *text, *title = NULL;
    struct buf out;
    size_t n;

    text = aside_text(&r->aside, TEXT_MAX, &n);
    buf_init(&out, STORE_TITLE_MAX + 1);
    if (title_clean(&out, text, n, STORE_TITLE_MAX))
        title = arena_strdup(&r->aside.ask->arena, buf_cstr(&out));
    buf_release(&out);
    return title;
}

static void
on_asked(void *arg, const char *code, bool cut)
{
    struct title_run *r = arg;
    struct store_op *op = &r->aside.op;

    if (code != NULL || cut) {
        run_failed(r, code != NULL ? code : "too_long");
        return;
    }
    op->kind = STORE_SESSION_PATCH;
    op->patch.only_no = r->session_no;
    op->patch.title = read_title(r);
    op->patch.titled = op->patch.only_untitled = true;
    op->patch.cost_micro = aside_cost(&r->aside);
    if (op->patch.title == NULL)
        run_failed(r, "no_title");
    else
        aside_store(&r->aside);
}

/* --- asking -------------------------------------------------------------- */

/* What the model may answer with. */
static int64_t
write_max(const struct route_choice *route)
{
    const struct model *m = model_find(route->provider->name, route->model);
    int64_t n = m == NULL      ? WRITE_MAX_UNKNOWN
                : m->reasoning ? WRITE_MAX_THINK
                               : WRITE_MAX;

    return m != NULL && m->output_tokens > 0 && m->output_tokens < n
               ? m->output_tokens
               : n;
}

static const struct ask *
on_prepare(void *arg, const struct route_choice *route, bool tight,
           struct problem *why)
{
    struct title_run *r = arg;
    struct turn_ask *a = r->aside.ask;

    if (tight) { /* it is short */
        (void)problem_set(why, ERR_TOOBIG, NULL, NULL, NULL);
        return NULL;
    }
    a->ask.max_tokens = write_max(route);
    if (prompt_build(a, route, r->aside.all->prompt, r->aside.all->en->scales,
                     false, &r->aside.report, why) != OK)
        return NULL;
    a->ask.cache = false; /* nothing of it is sent again */
    return &a->ask;
}

/* --- loading ------------------------------------------------------------- */

/* Answers that say something, whatever line they are on. */
static bool
count_answer(void *arg, const struct message *m)
{
    size_t *n = arg;

    *n += m->role == ROLE_ASSISTANT && m->text_len > 0;
    return true;
}

/* Worker. ERR_NOTFOUND: the session needs none. */
static enum err
load(void *arg)
{
    struct title_run *r = arg;
    const struct turn_ask *a = r->aside.ask;
    struct session s;
    size_t answers = 0;
    enum err e = store_all_messages(r->aside.all->en->store, a->owner,
                                    a->session_id, 0, TITLE_MESSAGES_MAX + 1,
                                    &s, count_answer, &answers);

    if (e != OK)
        return e;
    r->session_no = s.no;
    return s.titled || s.n_messages > TITLE_MESSAGES_MAX || answers != 1
               ? ERR_NOTFOUND
               : OK;
}

static const struct aside_calls title_calls = {
    .load = load,
    .prepare = on_prepare,
    .done = on_asked,
    .stored = on_stored,
    .over = free,
};

static bool
are_wanted(void)
{
    return !text_ieq(conf_str(CONF_TITLE_MODEL), "off");
}

const struct aside_kind title_kind = {
    .wanted = are_wanted,
    .prompt = PROMPT_FILE_TITLE,
    .max = TITLE_RUNS_MAX,
    .total_ms = TITLE_TOTAL_MS,
    .calls = &title_calls,
};

/* --- beginning ----------------------------------------------------------- */

/* May this be the first answer of its session? A worker looks whether it is. */
static bool
is_early(const struct turn *t)
{
    return t->conversation_length <= TITLE_MESSAGES_MAX &&
           (t->finish == FINISH_STOP || t->finish == FINISH_LENGTH) &&
           !text_blank(t->text.data, t->text.len);
}

/* Who is asked; none: nobody can. A provider without a network writes no
 * titles, and a conversation with it is not shown to another by itself; nor is
 * one with what must stay on this machine. */
static size_t
choose(const struct turn *t, struct route_choice out[ROUTES])
{
    const char *name = conf_str(CONF_TITLE_MODEL);
    struct problem why;
    size_t n = 0;

    if (t->ask->route.provider->answer != NULL || turn_quotes(t))
        return 0;
    if (text_ieq(name, "auto") || name[0] == '\0') {
        n += catalog_cheap(&t->ask->route, &out[0]);
        out[n++] = t->ask->route;
        return n;
    }
    if (catalog_route(NULL, name, &out[0], &why) != OK) {
        log_warn("title.route", "code=%s", why.code);
        return 0;
    }
    return out[0].provider->answer == NULL ? 1 : 0;
}

/* What the model is shown: the beginnings of both. */
static void
put_question(struct turn_ask *a, const struct turn *t)
{
    size_t question = t->ask->text_len > TITLE_QUESTION_MAX
                          ? utf8_whole(t->ask->text, TITLE_QUESTION_MAX)
                          : t->ask->text_len;
    size_t answer = t->text.len > TITLE_ANSWER_MAX
                        ? utf8_whole(t->text.data, TITLE_ANSWER_MAX)
                        : t->text.len;
    struct buf b;

    buf_init(&b, ASK_MAX);
    buf_adds(&b, "<messages>\nUser: ");
    buf_add(&b, t->ask->text, question);
    buf_adds(&b, "\n\nAssistant: ");
    buf_add(&b, t->text.data, answer);
    buf_adds(&b, "\n</messages>\n\nWrite the title.");
    a->text_len = b.len;
    a->text = arena_memdup0(&a->arena, b.data, b.len);
    buf_release(&b);
}

static struct title_run *
run_new(struct asides *all, const struct turn *t,
        const struct route_choice routes[ROUTES], size_t n)
{
    struct title_run *r = xcalloc(1, sizeof(*r));

    aside_init(&r->aside, all, r, t->ask, &routes[0], TEXT_MAX);
    for (size_t i = 0; i < n; i++) {
        r->routes[i] = routes[i];
        r->routes[i].model = arena_strdup(&r->aside.ask->arena,
                                          routes[i].model);
    }
    put_question(r->aside.ask, t);
    return r;
}

void
titles_after(struct asides *all, const struct turn *t)
{
    struct route_choice routes[ROUTES];
    struct title_run *r;
    size_t n;

    if (!is_early(t) || !asides_may(all, t->ask))
        return;
    n = choose(t, routes);
    if (n == 0)
        return;
    r = run_new(all, t, routes, n);
    aside_begin(&r->aside, r->routes, n);
}
