/*
 * Mending turns that no process writes any more. The store and the log of such
 * a turn can disagree in three ways: its process died before the answer was
 * stored (the turn is open: it is closed as interrupted, with the text that
 * the log has); it died after that and before the end event (the event is
 * added); or the log has let go of an old stream that somebody asks for again
 * (it is made anew from the stored answer).
 *
 * A worker reads the store, the loop reads and writes the log, the committer
 * closes the turn. The same code serves a turn that lives in another process
 * and whose log is about to appear: it is looked for a few times.
 */
#include "base/base.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "chat/allowance.h"
#include "chat/answer.h"
#include "chat/core.h"
#include "chat/index.h"

#define MEND_LOOKS 20 /* for the log of a living process's turn */
#define MEND_LOOK_MS 50

struct mend {
    struct mend *next;
    struct engine *en;
    struct ident id;
    bool any_owner;
    char owner[STORE_OWNER_MAX + 1];
    struct reader *r; /* NULL: nobody waits */
    int looks;
    struct job job;
    struct loop_timer timer;
    /* what the store knows */
    enum err err;
    struct turn_info info;
    struct answer answer;
    /* closing it */
    struct store_op op;
    struct bill bill;
    struct mail mail;
};

static void mend_look(struct mend *m);

static void
mend_free(struct mend *m)
{
    struct mend **at = &m->en->mends;

    while (*at != m)
        at = &(*at)->next;
    *at = m->next;
    loop_timer_clear(m->en->loop, &m->timer);
    answer_release(&m->answer);
    free(m);
}

/* Whoever waits follows the stream, or is told that there is none. If nobody
 * does, those who follow it already are told. */
static void
mend_end(struct mend *m, enum err e)
{
    struct hub *h = m->en->hub;
    struct problem p = {.err = OK};

    if (e == OK && m->r != NULL && hub_attach(h, &m->id, m->r) != OK)
        e = ERR_STORE;
    if (e != OK)
        (void)problem_set(&p, e, NULL, NULL, NULL);
    if (e == ERR_NOTFOUND)
        (void)problem_set(&p, e, "turn_not_found", "No such turn",
                          "It does not exist, or it is not yours.");
    if (e != OK && m->r != NULL) {
        m->r->ops->fail(m->r, &p);
        m->r->ops->done(m->r);
    } else if (e != OK && !hub_has(h, &m->id)) {
        stream_close(stream_open(h, &m->id), &p);
    }
    mend_free(m);
}

/* Worker. */
static void
mend_read(void *arg)
{
    struct mend *m = arg;

    m->err = store_turn(m->en->store, &m->id, &m->info);
    if (m->err == OK && !m->any_owner && strcmp(m->owner, m->info.owner) != 0)
        m->err = ERR_NOTFOUND;
    if (m->err == OK && m->info.state == TURN_STATE_ENDED)
        m->err = store_turn_answer(m->en->store, &m->info, answer_keep,
                                   &m->answer);
}

/* Write what the log lacks: the end, or all of it. */
static void
mend_log(struct mend *m)
{
    struct stream_head head = {.ended = false};
    struct problem p = {.err = OK};
    struct event last;
    struct stream *s;
    enum err e = OK;

    streamlog_settle(m->en->log);
    if (streamlog_last(m->en->log, &m->id, &last) != OK)
        last.seq = 0;
    else if (EVENT_IS_END(last.type)) {
        mend_end(m, OK);
        return;
    }
    s = stream_open(m->en->hub, &m->id);
    stream_set_seq(s, last.seq);
    if (streamlog_head(m->en->log, &m->id, &head) != OK) {
        head.begun_ms = m->info.begun_ms;
        head.answer_message = m->info.answer_message;
        (void)snprintf(head.session_id, sizeof(head.session_id), "%s",
                       m->info.session_id);
        (void)snprintf(head.owner, sizeof(head.owner), "%s", m->info.owner);
        (void)snprintf(head.provider, sizeof(head.provider), "%s",
                       m->answer.provider);
        (void)snprintf(head.model, sizeof(head.model), "%s", m->answer.model);
        head.temporary = m->info.temporary;
    }
    head.process = process_self();
    if (head.temporary) /* it is kept in memory: to be said before its events */
        e = streamlog_put_head(m->en->log, &m->id, &head);
    if (e == OK)
        e = answer_append(&m->answer, &m->info, s);
    head.ended = true;
    head.ended_ms = clock_wall_ms();
    if (e == OK)
        e = streamlog_put_head(m->en->log, &m->id, &head);
    if (e == OK)
        e = streamlog_commit(m->en->log);
    if (e != OK)
        (void)problem_set(&p, e, NULL, NULL, NULL);
    stream_close(s, e != OK ? &p : NULL);
    if (e == ERR_CONFLICT && m->looks++ < MEND_LOOKS)
        mend_look(m); /* another process wrote it just now */
    else
        mend_end(m, e);
}

static void
on_closed(struct mail *mail)
{
    struct mend *m = mail->arg;
    char id[IDENT_TEXT_LEN];

    if (m->op.err == ERR_CONFLICT) {
        mend_look(m); /* another process was faster: see what it stored */
        return;
    }
    if (m->op.err != OK) {
        mend_end(m, m->op.err);
        return;
    }
    ident_text(id, &m->id);
    log_warn("turn.interrupted", "id=%s bytes=%zu", id, m->answer.text.len);
    metric_add(METRIC_TURNS_RECOVERED, 1);
    m->info.conversation_length = m->op.end.length;
    m->info.end_seq = m->op.end.end_seq;
    index_grown(m->en->index, m->info.owner, m->info.session_id);
    mend_log(m);
}

/* Committer. */
static void
closed(struct store_op *op)
{
    struct mend *m = op->arg;

    m->mail.fn = on_closed;
    m->mail.arg = m;
    loop_post(m->en->loop, &m->mail);
}

/* What it used is not known but for the text: the rest is as was reserved. */
static void
mend_spent(struct mend *m)
{
    static const struct usage unknown = {-1, -1, -1};
    struct route_choice route;
    struct problem why;

    if (catalog_route(m->answer.provider, m->answer.model, &route, &why) == OK)
        bill_spent(&m->bill, &m->op.end.spent, m->info.owner, &route,
                   m->answer.model, &unknown, -1, (int64_t)m->answer.text.len,
                   false);
    else
        m->op.end.spent.worst = true; /* its provider is not set up any more */
}

/* Store the answer of a dead process's turn: the text that the log has. */
static void
mend_close_turn(struct mend *m)
{
    uint32_t seq = 0;

    answer_from_log(&m->answer, m->en->log, &m->info, &seq);
    (void)memset(&m->op, 0, sizeof(m->op));
    m->op.kind = STORE_TURN_END;
    m->op.done = closed;
    m->op.arg = m;
    m->op.owner = m->info.owner;
    m->op.session_id = m->info.session_id;
    m->op.end.turn = m->id;
    m->op.end.answer = m->answer.m;
    m->op.end.end_seq = seq + 1;
    mend_spent(m);
    store_submit(m->en->store, &m->op);
}

static void
on_look_timer(struct loop_timer *t)
{
    mend_look(t->arg);
}

/* A turn of which the store knows nothing, since it carried out a command (and
 * so has no message): its log is all there is. False: there is none that its
 * process left. */
static bool
mend_command(struct mend *m)
{
    struct stream_head head;
    uint32_t seq = 0;

    if (m->err != ERR_NOTFOUND ||
        streamlog_head(m->en->log, &m->id, &head) != OK || head.ended ||
        !ident_is_zero(&head.answer_message) || process_alive(&head.process) ||
        (!m->any_owner && strcmp(m->owner, head.owner) != 0))
        return false;
    m->info.id = m->id;
    m->info.state = TURN_STATE_ENDED;
    m->info.begun_ms = head.begun_ms;
    m->info.answer_message = head.answer_message;
    (void)snprintf(m->info.session_id, sizeof(m->info.session_id), "%s",
                   head.session_id);
    (void)snprintf(m->info.owner, sizeof(m->info.owner), "%s", head.owner);
    answer_from_log(&m->answer, m->en->log, &m->info, &seq);
    m->info.end_seq = seq + 1;
    mend_log(m);
    return true;
}

static void
on_read(struct mail *mail)
{
    struct mend *m = mail->arg;

    if (mend_command(m))
        return;
    if (m->err != OK) {
        mend_end(m, m->err);
    } else if (m->info.state == TURN_STATE_ENDED) {
        mend_log(m);
    } else if (!process_alive(&m->info.process)) {
        mend_close_turn(m);
    } else if (m->r == NULL) {
        mend_free(m);
    } else if (hub_attach(m->en->hub, &m->id, m->r) == OK) {
        mend_free(m);
    } else if (m->looks++ < MEND_LOOKS) {
        m->timer.fn = on_look_timer;
        m->timer.arg = m;
        loop_timer_set(m->en->loop, &m->timer,
                       loop_now_ms(m->en->loop) + MEND_LOOK_MS);
    } else {
        mend_end(m, ERR_NOTFOUND);
    }
}

static void
mend_look(struct mend *m)
{
    (void)memset(&m->job, 0, sizeof(m->job));
    answer_clear(&m->answer);
    m->job.run = mend_read;
    m->job.arg = m;
    m->job.done.fn = on_read;
    m->job.done.arg = m;
    workers_run(m->en->workers, &m->job);
}

void
mend_turn(struct engine *en, const char *owner, const struct ident *turn,
          struct reader *r)
{
    struct mend *m;

    if (r == NULL)
        for (m = en->mends; m != NULL; m = m->next)
            if (ident_eq(&m->id, turn))
                return;
    m = xcalloc(1, sizeof(*m));
    m->en = en;
    m->id = *turn;
    m->any_owner = owner == NULL;
    if (owner != NULL)
        (void)snprintf(m->owner, sizeof(m->owner), "%s", owner);
    m->r = r;
    answer_init(&m->answer);
    m->next = en->mends;
    en->mends = m;
    mend_look(m);
}

/* --- at start ------------------------------------------------------------ */

struct left {
    struct ident *ids;
    size_t n, cap;
};

static bool
collect(void *arg, const struct turn_info *t)
{
    struct left *l = arg;

    if (process_alive(&t->process))
        return true;
    if (l->n == l->cap) {
        l->cap = l->cap == 0 ? 16 : 2 * l->cap;
        l->ids = xrealloc(l->ids, l->cap * sizeof(*l->ids));
    }
    l->ids[l->n++] = t->id;
    return true;
}

void
mend_all_left(struct engine *en)
{
    struct left l = {.n = 0};

    if (store_open_turns(en->store, collect, &l) != OK)
        log_warn("turn.recovery", "read=failed");
    for (size_t i = 0; i < l.n; i++)
        mend_turn(en, NULL, &l.ids[i], NULL);
    free(l.ids);
}

void
mend_close(struct engine *en)
{
    while (en->mends != NULL) {
        struct mend *m = en->mends;

        if (m->r != NULL)
            m->r->ops->done(m->r);
        mend_free(m);
    }
}
