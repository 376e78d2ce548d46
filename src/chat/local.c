/*
 * Local answers. The job on the worker has copies of all it reads, so that
 * the owner may cancel at any time; then its result is thrown away when it
 * comes. Runs on the loop thread but for local_run.
 */
#include "base/base.h"

#include "chat/local.h"

#include "base/buf.h"
#include "base/mem.h"

#define ANSWER_MAX (1024 * 1024) /* bytes */
#define PIECE_MIN 12             /* bytes, then to the end of the word */

struct local {
    struct local_config c;
    const struct provider *provider;
    part_fn *part;
    local_done_fn *done;
    void *arg;
    struct job job;
    bool working;       /* the worker has it */
    bool cancelled;     /* while the worker had it */
    struct ask ask;     /* the last message and the excerpts of files alone */
    struct arena arena; /* the excerpts */
    struct ask_message message;
    char *text; /* owned */
    struct buf answer;
    enum err err;
    size_t given; /* bytes of the answer handed out */
    struct loop_timer timer;
};

static void
local_free(struct local *l)
{
    loop_timer_clear(l->c.loop, &l->timer);
    buf_release(&l->answer);
    arena_release(&l->arena);
    free(l->text);
    free(l);
}

static void
local_end(struct local *l, enum err e)
{
    local_done_fn *done = l->done;
    void *arg = l->arg;

    local_free(l);
    done(arg, e);
}

static void
on_piece_timer(struct loop_timer *t)
{
    struct local *l = t->arg;
    const char *from = l->answer.len > 0 ? l->answer.data + l->given : "";
    size_t left = l->answer.len - l->given;
    size_t n = left < PIECE_MIN || l->c.delay_ms == 0 ? left : PIECE_MIN;
    struct part p = {.kind = PART_TEXT};

    while (n < left && from[n] != ' ' && from[n] != '\n')
        n++;
    p.text = from;
    p.len = n;
    l->given += n;
    if (n > 0)
        l->part(l->arg, &p);
    if (l->given == l->answer.len)
        local_end(l, OK);
    else
        loop_timer_set(l->c.loop, &l->timer,
                       loop_now_ms(l->c.loop) + l->c.delay_ms);
}

/* Worker. */
static void
local_run(void *arg)
{
    struct local *l = arg;

    l->err = l->provider->answer(&l->ask, &l->answer);
}

static void
local_ran(struct mail *m)
{
    struct local *l = m->arg;

    l->working = false;
    if (l->cancelled)
        local_free(l);
    else if (l->err != OK)
        local_end(l, l->err);
    else
        on_piece_timer(&l->timer);
}

/* The loop has ended before it came: who started it cancels it now. */
static void
local_drop(struct mail *m)
{
    struct local *l = m->arg;

    l->working = false;
    if (l->cancelled)
        local_free(l);
}

/* The words of a message, with or without pieces. */
static char *
text_of(const struct ask_message *m)
{
    struct buf b;
    char *text;

    if (m->pieces == NULL)
        return xmemdup0(m->text, m->len);
    buf_init(&b, ANSWER_MAX);
    for (size_t i = 0; i < m->n_pieces; i++) {
        if (m->pieces[i].kind != PIECE_TEXT || m->pieces[i].len == 0)
            continue;
        if (b.len > 0)
            buf_addc(&b, '\n');
        buf_add(&b, m->pieces[i].text, m->pieces[i].len);
    }
    text = xmemdup0(b.len > 0 ? b.data : "", b.len);
    buf_release(&b);
    return text;
}

/* The turn may end before the worker does. */
static void
copy_excerpts(struct local *l, const struct ask *ask)
{
    struct arena *a = &l->arena;
    struct excerpt *x = arena_alloc(a, (ask->n_excerpts + 1) * sizeof(*x));

    for (size_t i = 0; i < ask->n_excerpts; i++) {
        const struct excerpt *from = &ask->excerpts[i];

        x[i] = *from;
        x[i].name = arena_strdup(a, from->name);
        x[i].title = arena_strdup(a, from->title);
        x[i].heading = arena_strdup(a, from->heading);
        x[i].text = arena_memdup0(a, from->text, from->len);
    }
    l->ask.excerpts = x;
    l->ask.n_excerpts = ask->n_excerpts;
    l->ask.searched = ask->searched;
}

struct local *
local_start(const struct local_config *c, const struct provider *provider,
            const struct ask *ask, part_fn *part, local_done_fn *done,
            void *arg)
{
    struct local *l = xcalloc(1, sizeof(*l));

    assert(ask->n_messages > 0);
    l->c = *c;
    l->provider = provider;
    l->part = part;
    l->done = done;
    l->arg = arg;
    l->text = text_of(&ask->messages[ask->n_messages - 1]);
    l->message.role = ROLE_USER;
    l->message.text = l->text;
    l->message.len = strlen(l->text);
    l->ask.model = "";
    l->ask.messages = &l->message;
    l->ask.n_messages = 1;
    arena_init(&l->arena);
    copy_excerpts(l, ask);
    buf_init(&l->answer, ANSWER_MAX);
    l->timer.fn = on_piece_timer;
    l->timer.arg = l;
    l->job.run = local_run;
    l->job.arg = l;
    l->job.done.fn = local_ran;
    l->job.done.drop = local_drop;
    l->job.done.arg = l;
    l->working = true;
    workers_run(c->workers, &l->job);
    return l;
}

void
local_cancel(struct local *l)
{
    if (l == NULL)
        return;
    if (l->working)
        l->cancelled = true;
    else
        local_free(l);
}
