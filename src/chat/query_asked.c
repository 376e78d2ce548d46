/*
 * Rows are asked for together, by the loop, and read there (embed.h, soon),
 * since the one who waits may be the last worker.
 *
 * What is asked has two owners, who waits and the loop; whoever lets go last
 * frees it. When the wait is over, the request goes on: a provider that has to
 * load its model first would else never be done with it, and its answer is
 * kept for the next time. Meanwhile nobody else is asked, so that a provider
 * that hangs costs one wait and not one for each question; and none is for a
 * while after a failure.
 *
 * A budget that is used up is its owner's own matter, and no failure.
 */
#include "base/base.h"

#include "chat/query_asked.h"

#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/mem.h"
#include "chat/core.h"

/* --- what is kept --------------------------------------------------------- */

static float *
row_copy(const float *row, size_t dims)
{
    float *out = xcalloc(dims, sizeof(*out));

    (void)memcpy(out, row, dims * sizeof(*out));
    return out;
}

/* With the mutex. NULL: it is not known. */
static float *
row_find(struct query_vectors *all, const uint8_t *digest, size_t *dims)
{
    for (size_t i = 0; i < QUERY_VECTORS_KEPT; i++) {
        struct vector_kept *k = &all->kept[i];

        if (k->row == NULL || memcmp(k->key, digest, DIGEST_LEN) != 0)
            continue;
        k->used = ++all->uses;
        *dims = k->dims;
        return row_copy(k->row, k->dims);
    }
    return NULL;
}

bool
query_vectors_know(struct query_vectors *all, struct query_text t[TEXTS])
{
    bool whole = true;

    for (size_t i = 0; i < TEXTS; i++) {
        if (t[i].text == NULL || t[i].row != NULL)
            continue;
        t[i].row = row_find(all, t[i].digest, &t[i].dims);
        whole &= t[i].row != NULL;
    }
    return whole;
}

/* Likewise. In the place of the one that was used longest ago. */
static void
row_keep(struct query_vectors *all, const uint8_t *digest, const float *row,
         size_t dims)
{
    struct vector_kept *to = &all->kept[0];

    for (size_t i = 0; i < QUERY_VECTORS_KEPT; i++) {
        struct vector_kept *k = &all->kept[i];

        if (k->row != NULL && memcmp(k->key, digest, DIGEST_LEN) == 0) {
            to = k;
            break;
        }
        if (k->used < to->used)
            to = k;
    }
    free(to->row);
    (void)memcpy(to->key, digest, DIGEST_LEN);
    to->row = row_copy(row, dims);
    to->dims = dims;
    to->used = ++all->uses;
}

/* --- a request ------------------------------------------------------------ */

struct query_asked {
    struct embed em; /* first */
    struct query_vectors *all;
    struct query_asked *prev, *next;
    bool attached;
    struct loop_timer timer;
    struct vector_model model;
    char owner[STORE_OWNER_MAX + 1], key[64 + 1];
    size_t n;
    char *text[TEXTS]; /* owned */
    uint8_t digest[TEXTS][DIGEST_LEN];
    float *rows; /* owned */
    size_t dims;
    bool uneven;
    int refs;
    bool done, late;
};

static struct query_asked *
of(struct embed *em)
{
    return (struct query_asked *)(void *)em;
}

/* With the mutex; it is given back. */
static void
let_go(struct query_asked *a)
{
    struct query_vectors *all = a->all;
    bool last = --a->refs == 0;

    (void)pthread_mutex_unlock(&all->mu);
    if (!last)
        return;
    for (size_t i = 0; i < a->n; i++)
        free(a->text[i]);
    free(a->rows);
    free(a);
}

static void
on_late(struct loop_timer *t)
{
    embed_cancel(t->arg);
}

static void
on_attached(struct embed *em)
{
    struct query_asked *a = of(em);
    struct query_vectors *all = a->all;

    a->attached = true;
    a->next = all->first;
    if (a->next != NULL)
        a->next->prev = a;
    all->first = a;
    a->timer.fn = on_late;
    a->timer.arg = em;
    loop_timer_set(all->en->loop, &a->timer,
                   loop_now_ms(all->en->loop) + QUERY_VECTOR_LATE_MS);
}

/* The loop, or a worker. */
static void
on_rows(struct embed *em, size_t first, const struct embeddings *rows)
{
    struct query_asked *a = of(em);

    if (a->rows == NULL) {
        a->dims = rows->dimensions;
        a->rows = xcalloc(a->n * a->dims, sizeof(*a->rows));
    }
    a->uneven |= rows->dimensions != a->dims || first + rows->n > a->n;
    if (!a->uneven)
        (void)memcpy(a->rows + first * a->dims, rows->values,
                     rows->n * a->dims * sizeof(*a->rows));
}

static void
detach(struct query_asked *a)
{
    struct query_vectors *all = a->all;

    if (!a->attached)
        return;
    loop_timer_clear(all->en->loop, &a->timer);
    if (a->prev != NULL)
        a->prev->next = a->next;
    else
        all->first = a->next;
    if (a->next != NULL)
        a->next->prev = a->prev;
}

/* With the mutex: what is known of the provider now. asked: it was. */
static void
learn(struct query_vectors *all, const struct problem *p, bool asked)
{
    if (p == NULL) {
        all->rest_ms = 0;
        all->rest_until_ms = 0;
    } else if (asked && p->err != ERR_STOPPING) {
        all->rest_ms = all->rest_ms == 0 ? QUERY_VECTOR_REST_MS
                                         : 2 * all->rest_ms;
        if (all->rest_ms > QUERY_VECTOR_REST_MAX_MS)
            all->rest_ms = QUERY_VECTOR_REST_MAX_MS;
        all->rest_until_ms = clock_mono_ms() + all->rest_ms;
    }
}

static void
on_done(struct embed *em, const struct problem *p)
{
    struct query_asked *a = of(em);
    struct query_vectors *all = a->all;
    struct problem uneven = {.err = OK};

    detach(a);
    if (p == NULL && (a->uneven || a->dims > FILES_DIMS_MAX)) {
        (void)problem_set(&uneven, ERR_UPSTREAM, "provider_garbage", NULL,
                          NULL);
        p = &uneven;
    }
    if (p != NULL && p->err != ERR_STOPPING)
        log_info("files.query", "provider=%s code=%s", em->route.provider->name,
                 p->code);
    (void)pthread_mutex_lock(&all->mu);
    learn(all, p, em->tries > 0);
    for (size_t i = 0; p == NULL && i < a->n; i++)
        row_keep(all, a->digest[i], a->rows + i * a->dims, a->dims);
    a->done = true;
    all->late -= a->late;
    (void)pthread_cond_broadcast(&all->over);
    let_go(a);
}

static const struct embed_ops ops = {
    .attached = on_attached,
    .rows = on_rows,
    .done = on_done,
};

/* With the mutex: wait until it is done, or the time is over. */
static void
wait_for(struct query_asked *a, int64_t ms)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += (time_t)(ms / 1000);
    at.tv_nsec += (long)(ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_nsec -= 1000000000;
        at.tv_sec++;
    }
    while (!a->done)
        if (pthread_cond_timedwait(&a->all->over, &a->all->mu, &at) != 0)
            break;
    if (!a->done) {
        a->late = true;
        a->all->late++;
    }
}

static struct query_asked *
asked_new(struct query_vectors *all, const struct vector_model *m,
          const struct payer *payer)
{
    struct query_asked *a = xcalloc(1, sizeof(*a));
    struct embed *em = &a->em;

    a->all = all;
    a->model = *m;
    a->refs = 2;
    em->ops = &ops;
    em->route = vector_model_route(&a->model);
    em->ask.texts = (const char *const *)a->text;
    (void)snprintf(a->owner, sizeof(a->owner), "%s",
                   payer->owner != NULL ? payer->owner : "");
    (void)snprintf(a->key, sizeof(a->key), "%s",
                   payer->key != NULL ? payer->key : "");
    em->payer.owner = a->owner;
    em->payer.key = a->key;
    em->payer.key_limits = payer->key_limits;
    em->aside = em->soon = true;
    return a;
}

void
query_vectors_ask(struct query_vectors *all, const struct vector_model *m,
                  const struct payer *payer, struct query_text t[TEXTS])
{
    struct query_asked *a = asked_new(all, m, payer);

    for (size_t i = 0; i < TEXTS; i++) {
        if (t[i].text == NULL || t[i].row != NULL)
            continue;
        (void)memcpy(a->digest[a->n], t[i].digest, DIGEST_LEN);
        a->text[a->n++] = xstrdup(t[i].text);
    }
    a->em.ask.n_texts = a->n;
    embed_post(all->en, &a->em);
    (void)pthread_mutex_lock(&all->mu);
    wait_for(a, conf_int(CONF_EMBED_WAIT_MS));
    IGNORE(query_vectors_know(all, t));
    let_go(a);
}

void
query_vectors_stop(struct query_vectors *all)
{
    while (all->first != NULL) {
        struct query_asked *a = all->first;

        if (!a->em.working) {
            embed_cancel(&a->em);
            continue;
        }
        detach(a); /* the worker's: its end is near */
        a->attached = false;
        embed_cancel(&a->em);
    }
}
