/*
 * Who searches waits for two rows at most: that of the question, and that of
 * what was said before it (query_asked.c). What was typed is sent wherever the
 * setting says. What was said before it may quote a file that has to stay: who
 * asks says what of it may leave.
 */
#include "base/base.h"

#include "chat/query_asked.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "chat/core.h"
#include "chat/retrieve.h"

/* --- which model ---------------------------------------------------------- */

struct choice {
    const struct vector_model *wanted;
    struct vector_model best;
    int64_t most; /* chunks that have its vectors; 0: none */
};

static bool
choose(void *arg, const char *name, int64_t chunks)
{
    struct choice *c = arg;
    struct vector_model m;

    if (chunks <= 0 || chunks < c->most)
        return true;
    if (strcmp(name, c->wanted->name) == 0)
        m = *c->wanted;
    else if (chunks == c->most || !vector_model_named(name, &m))
        return true;
    c->best = m;
    c->most = chunks;
    return true;
}

/* Of which model questions are to be, by now. */
static bool
serving(struct query_vectors *all, struct vector_model *out)
{
    int64_t now_ms = clock_mono_ms();
    struct choice c = {.wanted = all->wanted, .most = 0};
    bool serves;

    (void)pthread_mutex_lock(&all->mu);
    serves = all->serves;
    *out = all->serving;
    if (all->served_ms != 0 &&
        now_ms - all->served_ms < QUERY_VECTOR_SERVE_MS) {
        (void)pthread_mutex_unlock(&all->mu);
        return serves;
    }
    (void)pthread_mutex_unlock(&all->mu);
    if (files_models(all->en->files, choose, &c) != OK)
        c.most = 0; /* the log says why */
    (void)pthread_mutex_lock(&all->mu);
    all->serving = *out = c.best;
    all->serves = c.most > 0;
    all->served_ms = now_ms;
    (void)pthread_mutex_unlock(&all->mu);
    return c.most > 0;
}

static bool
has_chunks(void *arg, const struct collection *c)
{
    bool *any = arg;

    *any = c->chunks > 0;
    return !*any;
}

/* --- a query -------------------------------------------------------------- */

static void
digest_of(uint8_t *out, const char *model, const char *text)
{
    struct buf b;

    buf_init(&b, VECTOR_MODEL_NAME_MAX + 4 * FILES_QUERY_MAX);
    buf_add(&b, model, strlen(model) + 1);
    buf_adds(&b, text);
    digest_sha256(out, b.data, b.len);
    buf_release(&b);
}

/* As it is sent: at most max bytes, the last of them or the first, UTF-8
 * without NULs. NULL: it says nothing. */
static char *
text_of(const char *s, size_t n, size_t max, bool last)
{
    size_t from = last && n > max ? n - max : 0;
    struct buf b;
    char *out;

    if (s == NULL)
        return NULL;
    while (from > 0 && from < n && ((unsigned char)s[from] & 0xc0) == 0x80)
        from++;
    if (n - from > max)
        n = from + utf8_whole(s + from, max);
    if (text_blank(s + from, n - from))
        return NULL;
    buf_init(&b, 3 * max + 1);
    utf8_scrub(&b, s + from, n - from);
    for (size_t i = 0; i < b.len; i++)
        if (b.data[i] == '\0')
            b.data[i] = ' ';
    out = xmemdup0(b.data, b.len);
    buf_release(&b);
    return out;
}

/* What was said before, as far as this model may be sent it. */
static char *
recent_of(const struct files_query *q, const struct buf *away,
          const struct vector_model *m)
{
    struct route_choice route = vector_model_route(m);

    return away == NULL || route_stays(&route)
               ? text_of(q->recent, q->recent_len, RETRIEVE_RECENT_MAX, true)
               : text_of(away->data, away->len, RETRIEVE_RECENT_MAX, true);
}

/* May the provider be asked at the moment? */
static bool
may_ask(const struct query_vectors *all)
{
    return all->late == 0 && clock_mono_ms() >= all->rest_until_ms &&
           !engine_draining(all->en);
}

static void
fill(struct files_query *q, const struct vector_model *m,
     struct query_text t[TEXTS], struct query_vector *out)
{
    if (t[RECENT].dims == t[TYPED].dims) {
        out->recent = t[RECENT].row;
        t[RECENT].row = NULL;
    }
    out->typed = t[TYPED].row;
    t[TYPED].row = NULL;
    (void)snprintf(out->model, sizeof(out->model), "%s", m->name);
    if (out->typed == NULL)
        return;
    q->vector = out->typed;
    q->recent_vector = out->recent;
    q->dims = t[TYPED].dims;
    q->model = out->model;
}

void
query_vector(struct engine *en, struct files_query *q,
             const struct payer *payer, const struct buf *away,
             struct query_vector *out)
{
    struct query_vectors *all = en->query_vectors;
    struct query_text t[TEXTS] = {{.text = NULL}};
    struct vector_model m;
    bool any = false, ask;

    *out = (struct query_vector){.typed = NULL};
    if (all == NULL || en->files == NULL || !serving(all, &m) ||
        files_collections(en->files, q->owner, has_chunks, &any) != OK || !any)
        return;
    t[TYPED].text = text_of(q->text, q->len, FILES_QUERY_MAX, false);
    if (t[TYPED].text == NULL)
        return;
    t[RECENT].text = recent_of(q, away, &m);
    for (size_t i = 0; i < TEXTS; i++)
        if (t[i].text != NULL)
            digest_of(t[i].digest, m.name, t[i].text);
    (void)pthread_mutex_lock(&all->mu);
    ask = !query_vectors_know(all, t) && may_ask(all);
    (void)pthread_mutex_unlock(&all->mu);
    if (ask)
        query_vectors_ask(all, &m, payer, t);
    fill(q, &m, t, out);
    for (size_t i = 0; i < TEXTS; i++) {
        free(t[i].text);
        free(t[i].row);
    }
}

void
query_vector_release(struct query_vector *v)
{
    free(v->typed);
    free(v->recent);
    *v = (struct query_vector){.typed = NULL};
}

/* --- life ----------------------------------------------------------------- */

struct query_vectors *
query_vectors_new(struct engine *en, const struct vector_model *wanted)
{
    struct query_vectors *all = xcalloc(1, sizeof(*all));
    pthread_condattr_t attr;

    all->en = en;
    all->wanted = wanted;
    (void)pthread_mutex_init(&all->mu, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&all->over, &attr);
    (void)pthread_condattr_destroy(&attr);
    return all;
}

void
query_vectors_free(struct query_vectors *all)
{
    if (all == NULL)
        return;
    for (size_t i = 0; i < QUERY_VECTORS_KEPT; i++)
        free(all->kept[i].row);
    (void)pthread_cond_destroy(&all->over);
    (void)pthread_mutex_destroy(&all->mu);
    free(all);
}
