/*
 * POST /v1/embeddings: texts to a provider, rows back. The reply is written
 * piece by piece on a worker, since it may be megabytes of numbers, and sent
 * from the loop. When the client leaves, the provider is let go.
 */
#include "base/base.h"

#include "api/v1.h"

#include <sys/epoll.h>

#include "api/payer.h"
#include "api/who.h"
#include "base/mem.h"
#include "chat/embed.h"
#include "dialect/openai_in.h"
#include "dialect/openai_vectors.h"

#define BODY_MAX (80 * 1024 * 1024) /* bytes of a reply */

struct embedding {
    struct embed em; /* first */
    struct app *app;
    struct request *rq; /* owned */
    struct openai_in_embed in;
    struct loop_io io;
    struct buf body; /* the worker's while there is one */
    bool left;       /* the client */
};

static struct embedding *
of(struct embed *em)
{
    return (struct embedding *)(void *)em;
}

/* Worker. */
static void
on_rows(struct embed *em, size_t first, const struct embeddings *rows)
{
    struct embedding *x = of(em);

    for (size_t i = 0; i < rows->n; i++)
        openai_vectors_add(&x->body, first + i,
                           rows->values + i * rows->dimensions,
                           rows->dimensions, x->in.base64);
}

/* The reply, or what went wrong. */
static enum err
send_reply(struct embedding *x, const struct problem *p)
{
    struct problem over = {.err = OK};

    openai_vectors_end(&x->body, x->em.route.model, x->em.tokens);
    if (p == NULL && buf_status(&x->body) != OK) {
        (void)problem_set(&over, ERR_TOOBIG, NULL,
                          "The embeddings are too long for one reply",
                          "Send fewer texts at once.");
        p = &over;
    }
    if (p != NULL)
        return v1_problem(x->rq, p, NULL, NULL);
    return reply_json(x->rq, 200, x->body.data, x->body.len);
}

static void
on_done(struct embed *em, const struct problem *p)
{
    struct embedding *x = of(em);
    struct app *app = x->app;
    struct request *rq = x->rq;
    enum err e;

    loop_io_clear(engine_loop(app->en), &x->io);
    e = x->left ? ERR_HUP : send_reply(x, p);
    buf_release(&x->body);
    openai_in_embed_release(&x->in);
    free(x);
    app_end(app, rq, e);
}

static void
on_io(struct loop_io *io, uint32_t events)
{
    struct embedding *x = io->arg;

    (void)events; /* nothing is read or written yet: it is the end */
    x->left = true;
    loop_io_clear(engine_loop(x->app->en), io);
    embed_cancel(&x->em);
}

static void
on_attached(struct embed *em)
{
    struct embedding *x = of(em);

    /* Not for a CGI whose output is a file. */
    IGNORE(loop_io_set(engine_loop(x->app->en), &x->io,
                       conn_left_events(x->rq->conn)));
}

static const struct embed_ops ops = {
    .attached = on_attached,
    .rows = on_rows,
    .done = on_done,
};

/* Who makes embeddings of this model. */
static enum err
choose(struct embedding *x, struct problem *why)
{
    struct route_choice *route = &x->em.route;
    enum err e = v1_route(x->in.model, route, why);

    if (e == OK && route->provider->embed_build == NULL)
        e = problem_set(why, ERR_IMPOSSIBLE, "embeddings_not_supported",
                        "This model's provider makes no embeddings",
                        "Name a model of another provider; GET /v1/models "
                        "lists them.");
    if (e != OK)
        (void)snprintf(x->in.param, sizeof(x->in.param), "model");
    return e;
}

void
api_v1_embeddings(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct embedding *x = xcalloc(1, sizeof(*x));
    struct problem p = {.err = OK};
    enum err e = v1_check_type(rq, &p);

    if (e == OK)
        e = openai_in_embed(v1_body(rq), rq->body_len, &x->in, &p);
    if (e == OK)
        e = choose(x, &p);
    if (e != OK) {
        v1_fail(app, rq, &p, x->in.param);
        openai_in_embed_release(&x->in);
        free(x);
        return;
    }
    x->app = app;
    x->rq = rq;
    x->io.fd = rq->conn->fd;
    x->io.fn = on_io;
    x->io.arg = x;
    buf_init(&x->body, BODY_MAX);
    openai_vectors_begin(&x->body);
    x->em.ops = &ops;
    x->em.ask.texts = x->in.texts;
    x->em.ask.n_texts = x->in.n_texts;
    x->em.ask.dimensions = x->in.dimensions;
    payer_find(app, who_asks(rq), &x->em.payer);
    embed_post(app->en, &x->em);
}
