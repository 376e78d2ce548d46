/*
 * What other threads ask of the engine: each call is a letter to the loop, and
 * what the loop does with it. Only engine_call waits.
 */
#include "base/base.h"

#include <semaphore.h>

#include "chat/command_key.h"
#include "chat/core.h"

#define STOPPING_RETRY_S 2

enum post_kind { POST_ASK, POST_FOLLOW, POST_STOP, POST_CALL };

struct post {
    struct mail mail;
    struct engine *en;
    enum post_kind kind;
    struct turn_ask *ask;
    struct ident turn;
    char owner[STORE_OWNER_MAX + 1];
    struct reader *r;
    void (*fn)(void *arg);
    void *arg;
    sem_t *called;
};

static struct turn *
turn_find(struct engine *en, const struct ident *id)
{
    struct turn *t = en->turns;

    while (t != NULL && !ident_eq(&t->id, id))
        t = t->next;
    return t;
}

/* Is the turn another's? False also when nothing here knows it. The log says
 * whose it was when it began, and its session may have been given away since;
 * of a command only the log knows. */
static bool
is_others(struct engine *en, const char *owner, const struct ident *id)
{
    struct turn_info info;
    struct stream_head head;
    const struct turn *t;

    if (streamlog_head(en->log, id, &head) == OK)
        return strcmp(store_turn(en->store, id, &info) == OK ? info.owner
                                                             : head.owner,
                      owner) != 0;
    t = turn_find(en, id); /* it has not begun */
    return t != NULL && strcmp(t->ask->owner, owner) != 0;
}

static void
take_follow(struct engine *en, const char *owner, const struct ident *turn,
            struct reader *r)
{
    if (is_others(en, owner, turn) || hub_attach(en->hub, turn, r) != OK)
        mend_turn(en, owner, turn, r); /* which looks at the owner too */
}

static void
take_ask(struct engine *en, struct turn_ask *ask, struct reader *r)
{
    struct turn *twin = session_twin(en->sessions, ask);
    struct problem p = {.err = OK};
    struct stream_head head;
    struct ident known;

    if (twin == NULL && command_keys_find(en->keys, ask, &known)) {
        twin = turn_find(en, &known);
        if (twin == NULL && streamlog_head(en->log, &known, &head) == OK) {
            take_follow(en, ask->owner, &known, r);
            turn_ask_free(ask);
            return;
        }
    }
    if (twin != NULL) {
        /* The same request again, before the store knows its key. */
        if (twin->stream != NULL)
            stream_attach(twin->stream, r);
        else
            take_follow(en, ask->owner, &twin->id, r);
        turn_ask_free(ask);
        return;
    }
    if (atomic_load(&en->draining)) {
        (void)problem_set(&p, ERR_STOPPING, NULL, NULL, NULL);
        p.retry_after_s = STOPPING_RETRY_S;
    } else if (engine_full(en)) {
        (void)problem_set(&p, ERR_BUSY, "too_many_streams", NULL, NULL);
        p.retry_after_s = 5;
    } else {
        turn_start(en, ask, r);
        return;
    }
    turn_ask_free(ask);
    r->ops->fail(r, &p);
    r->ops->done(r);
}

/* Ask the process that writes this turn to cancel it: a flag in the head. */
static void
wish_stop(struct engine *en, const struct ident *turn)
{
    struct stream_head head;

    if (streamlog_head(en->log, turn, &head) != OK || head.ended)
        return;
    head.stop = true;
    if (streamlog_put_head(en->log, turn, &head) == OK)
        IGNORE(streamlog_commit(en->log)); /* logged there */
}

static void
take_stop(struct engine *en, const char *owner, const struct ident *turn,
          struct reader *r)
{
    struct turn *t = turn_find(en, turn);

    if (is_others(en, owner, turn)) {
        take_follow(en, owner, turn, r);
        return;
    }
    if (t != NULL) {
        if (t->stream != NULL)
            stream_attach(t->stream, r);
        else
            take_follow(en, owner, turn, r);
        turn_cancel(t);
        return;
    }
    wish_stop(en, turn);
    take_follow(en, owner, turn, r);
}

static void
on_post(struct mail *m)
{
    struct post *p = m->arg;

    p->en->busy_ms = loop_now_ms(p->en->loop);
    switch (p->kind) {
    case POST_ASK: take_ask(p->en, p->ask, p->r); break;
    case POST_FOLLOW: take_follow(p->en, p->owner, &p->turn, p->r); break;
    case POST_STOP: take_stop(p->en, p->owner, &p->turn, p->r); break;
    case POST_CALL:
        p->fn(p->arg);
        (void)sem_post(p->called);
        break;
    }
    free(p);
}

/* The loop has ended. */
static void
drop_post(struct mail *m)
{
    struct post *p = m->arg;
    struct problem why = {.err = OK};

    if (p->kind == POST_CALL) { /* this thread was the loop's */
        on_post(m);
        return;
    }
    (void)problem_set(&why, ERR_STOPPING, NULL, NULL, NULL);
    why.retry_after_s = STOPPING_RETRY_S;
    turn_ask_free(p->ask);
    p->r->ops->fail(p->r, &why);
    p->r->ops->done(p->r);
    free(p);
}

static struct post *
post_new(struct engine *en, enum post_kind kind, struct reader *r)
{
    struct post *p = xcalloc(1, sizeof(*p));

    p->en = en;
    p->kind = kind;
    p->r = r;
    p->mail.fn = on_post;
    p->mail.drop = drop_post;
    p->mail.arg = p;
    return p;
}

void
engine_ask(struct engine *en, struct turn_ask *ask, struct reader *r)
{
    struct post *p = post_new(en, POST_ASK, r);

    p->ask = ask;
    loop_post(en->loop, &p->mail);
}

static void
post_turn(struct engine *en, enum post_kind kind, const char *owner,
          const struct ident *turn, struct reader *r)
{
    struct post *p = post_new(en, kind, r);

    p->turn = *turn;
    (void)snprintf(p->owner, sizeof(p->owner), "%s", owner);
    loop_post(en->loop, &p->mail);
}

void
engine_follow(struct engine *en, const char *owner, const struct ident *turn,
              struct reader *r)
{
    post_turn(en, POST_FOLLOW, owner, turn, r);
}

void
engine_stop_turn(struct engine *en, const char *owner, const struct ident *turn,
                 struct reader *r)
{
    post_turn(en, POST_STOP, owner, turn, r);
}

void
engine_call(struct engine *en, void (*fn)(void *arg), void *arg)
{
    struct post *p = post_new(en, POST_CALL, NULL);
    sem_t called;
    bool over;

    (void)sem_init(&called, 0, 0);
    p->fn = fn;
    p->arg = arg;
    p->called = &called;
    (void)pthread_mutex_lock(&en->call_mu);
    over = en->over;
    if (!over)
        loop_post(en->loop, &p->mail);
    (void)pthread_mutex_unlock(&en->call_mu);
    if (over)
        free(p);
    else
        while (sem_wait(&called) != 0)
            continue;
    (void)sem_destroy(&called);
}

struct forget {
    struct engine *en;
    const char *session_id;
    const struct ident *turns;
    size_t n;
};

static bool
is_forgotten(const struct forget *f, const struct turn *t)
{
    return (f->n > 0 && ident_eq(&t->id, &f->turns[f->n - 1])) ||
           (f->session_id != NULL &&
            strcmp(t->ask->session_id, f->session_id) == 0);
}

static void
forget(void *arg)
{
    struct forget *f = arg;

    for (struct turn *t = f->en->turns, *next; t != NULL; t = next) {
        next = t->next;
        if (is_forgotten(f, t))
            turn_cancel(t);
    }
    for (size_t i = 0; i < f->n; i++)
        if (!hub_has(f->en->hub, &f->turns[i]))
            IGNORE(streamlog_drop(f->en->log, &f->turns[i]));
    if (f->en->cache != NULL)
        cache_clear(f->en->cache);
}

void
engine_forget(struct engine *en, const char *session_id,
              const struct ident *turns, size_t n)
{
    struct forget f = {en, session_id, turns, n};

    engine_call(en, forget, &f);
}

/* --- what others of the loop borrow --------------------------------------- */

struct circuits *
engine_circuits(struct engine *en)
{
    return en->circuits;
}

const struct allowances *
engine_allowances(const struct engine *en)
{
    return en->allowances;
}

struct transfers *
engine_transfers(struct engine *en)
{
    return en->transfers;
}

void
engine_work(struct engine *en, struct job *j)
{
    workers_run(en->workers, j);
}
