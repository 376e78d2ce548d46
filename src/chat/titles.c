/*
 * Titles that a model writes: a run for a session.
 *
 *   loading ──► asking ──────► storing ──► over
 *   (worker:    (aside:        (committer)
 *    is it the   one request)
 *    first?)
 *
 * As with summaries nobody waits for a run, and it has no reader; a stop cuts
 * it off. Which model is asked: that of TITLE_MODEL, or with "auto" the cheap
 * one of the provider that answered, and if that one is refused the model that
 * answered. It sees the beginnings of the first question and its answer. The
 * title is stored for good, unless the user named the session meanwhile; what
 * it cost is part of what the session costs.
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
#include "chat/aside.h"
#include "chat/core.h"
#include "chat/prompt_file.h"
#include "lang/title.h"
#include "provider/models.h"

#define WRITE_MAX 64         /* tokens of an answer */
#define WRITE_MAX_THINK 2048 /* likewise, of a model that thinks before */
#define WRITE_MAX_UNKNOWN 1024
#define TEXT_MAX 4096 /* bytes of an answer that are looked at */
#define ASK_MAX (TITLE_QUESTION_MAX + TITLE_ANSWER_MAX + 256)

enum { ROUTES = 2 };

struct title_run {
    struct titles *all;
    struct title_run *prev, *next;
    struct aside aside;
    struct route_choice routes[ROUTES];
    size_t n_routes;
    uint64_t session_no; /* of it; the worker's while it loads, as load_err */
    enum err load_err;
    struct job job;
    struct mail mail;
    struct store_op op;
    int64_t begun_ms; /* monotonic */
};

struct titles {
    struct engine *en;
    struct title_run *first;
    size_t n;
    bool wanted;                 /* constant, as is all below */
    char *prompt;                /* owned */
    struct generator_config gen; /* with limits of our own */
};

struct titles *
titles_new(struct engine *en)
{
    struct titles *all = xcalloc(1, sizeof(*all));

    all->en = en;
    all->wanted = !text_ieq(conf_str(CONF_TITLE_MODEL), "off");
    if (all->wanted)
        all->prompt = prompt_file_load(conf_root(), PROMPT_FILE_TITLE);
    all->gen = aside_config(en, TITLE_TOTAL_MS);
    return all;
}

static void
run_over(struct title_run *r)
{
    struct titles *all = r->all;

    if (r->prev != NULL)
        r->prev->next = r->next;
    else
        all->first = r->next;
    if (r->next != NULL)
        r->next->prev = r->prev;
    all->n--;
    all->en->busy_ms = loop_now_ms(all->en->loop);
    aside_release(&r->aside);
    free(r);
}

void
titles_free(struct titles *all)
{
    if (all == NULL)
        return;
    while (all->first != NULL)
        run_over(all->first);
    free(all->prompt);
    free(all);
}

bool
titles_busy(const struct titles *all)
{
    return all->n > 0;
}

static void
run_failed(struct title_run *r, const char *code)
{
    metric_add(METRIC_TITLES_FAILED, 1);
    log_info("title.failed", "provider=%s code=%s",
             r->aside.route.provider->name, code);
    run_over(r);
}

/* --- storing ------------------------------------------------------------- */

static void
on_stored(struct mail *m)
{
    struct title_run *r = m->arg;

    if (r->op.err == ERR_NOTFOUND) {
        run_over(r); /* the session is gone */
    } else if (r->op.err != OK) {
        run_failed(r, err_code(r->op.err));
    } else {
        metric_add(METRIC_TITLES, 1);
        log_info("title.done", "provider=%s bytes=%zu ms=%" PRId64,
                 r->aside.route.provider->name, strlen(r->op.patch.title),
                 loop_now_ms(r->all->en->loop) - r->begun_ms);
        run_over(r);
    }
}

/* Committer thread. */
static void
store_done(struct store_op *op)
{
    struct title_run *r = op->arg;

    r->mail.fn = on_stored;
    r->mail.arg = r;
    loop_post(r->all->en->loop, &r->mail);
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
    struct store_op *op = &r->op;

    if (code != NULL || cut) {
        run_failed(r, code != NULL ? code : "too_long");
        return;
    }
    op->kind = STORE_SESSION_PATCH;
    op->done = store_done;
    op->arg = r;
    op->owner = r->aside.ask->owner;
    op->session_id = r->aside.ask->session_id;
    op->patch.only_no = r->session_no;
    op->patch.title = read_title(r);
    op->patch.titled = op->patch.only_untitled = true;
    op->patch.cost_micro = aside_cost(&r->aside);
    if (op->patch.title == NULL)
        run_failed(r, "no_title");
    else
        store_submit(r->all->en->store, op);
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
    if (prompt_build(a, route, r->all->prompt, r->all->en->scales, false,
                     &r->aside.report, why) != OK)
        return NULL;
    a->ask.cache = false; /* nothing of it is sent again */
    return &a->ask;
}

static const struct aside_calls title_calls = {
    .prepare = on_prepare,
    .done = on_asked,
};

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
static void
load_run(void *arg)
{
    struct title_run *r = arg;
    const struct turn_ask *a = r->aside.ask;
    struct session s;
    size_t answers = 0;

    r->load_err = store_all_messages(r->all->en->store, a->owner, a->session_id,
                                     0, TITLE_MESSAGES_MAX + 1, &s,
                                     count_answer, &answers);
    if (r->load_err != OK)
        return;
    r->session_no = s.no;
    if (s.titled || s.n_messages > TITLE_MESSAGES_MAX || answers != 1)
        r->load_err = ERR_NOTFOUND;
}

static void
on_loaded(struct mail *m)
{
    struct title_run *r = m->arg;

    if (r->load_err == ERR_NOTFOUND || engine_draining(r->all->en))
        run_over(r);
    else if (r->load_err != OK)
        run_failed(r, err_code(r->load_err));
    else
        aside_start(&r->aside, &r->all->gen, r->routes, r->n_routes,
                    &title_calls, r);
}

/* --- beginning ----------------------------------------------------------- */

/* May this be the first answer of its session? A worker looks whether it is. */
static bool
is_early(const struct turn *t)
{
    return t->conversation_length <= TITLE_MESSAGES_MAX &&
           (t->finish == FINISH_STOP || t->finish == FINISH_LENGTH) &&
           !text_blank(t->text.data, t->text.len);
}

static bool
has_run(const struct titles *all, const struct turn_ask *a)
{
    const struct title_run *r = all->first;

    while (r != NULL && (strcmp(r->aside.ask->session_id, a->session_id) != 0 ||
                         strcmp(r->aside.ask->owner, a->owner) != 0))
        r = r->next;
    return r != NULL;
}

/* Who is asked; none: nobody can. A provider without a network writes no
 * titles, and a conversation with it is not shown to another by itself. */
static size_t
choose(const struct turn *t, struct route_choice out[ROUTES])
{
    const char *name = conf_str(CONF_TITLE_MODEL);
    struct problem why;
    size_t n = 0;

    if (t->ask->route.provider->answer != NULL)
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
run_new(struct titles *all, const struct turn *t,
        const struct route_choice routes[ROUTES], size_t n)
{
    struct title_run *r = xcalloc(1, sizeof(*r));

    aside_init(&r->aside, all->en, t->ask->owner, t->ask->session_id,
               &routes[0], TEXT_MAX);
    r->all = all;
    r->n_routes = n;
    for (size_t i = 0; i < n; i++) {
        r->routes[i] = routes[i];
        r->routes[i].model = arena_strdup(&r->aside.ask->arena,
                                          routes[i].model);
    }
    r->begun_ms = loop_now_ms(all->en->loop);
    put_question(r->aside.ask, t);
    r->next = all->first;
    if (r->next != NULL)
        r->next->prev = r;
    all->first = r;
    all->n++;
    return r;
}

void
titles_after(struct titles *all, const struct turn *t)
{
    struct route_choice routes[ROUTES];
    struct title_run *r;
    size_t n;

    if (!all->wanted || engine_draining(all->en) || !is_early(t) ||
        all->n == TITLE_RUNS_MAX || has_run(all, t->ask))
        return;
    n = choose(t, routes);
    if (n == 0)
        return;
    r = run_new(all, t, routes, n);
    r->job.run = load_run;
    r->job.arg = r;
    r->job.done.fn = on_loaded;
    r->job.done.arg = r;
    workers_run(all->en->workers, &r->job);
}
