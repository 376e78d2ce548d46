/*
 * What the provider is sent, and what its answer means. When it refuses what it
 * is sent, half of it is tried, down to one chunk; if that one is refused and a
 * word that nobody can object to is not, then the chunk is said to have no
 * vector, and the rest goes on. One that is blank has none in any case; the
 * word is sent in its place, so that the rows keep their order.
 */
#include "base/base.h"

#include "chat/file_embed_inside.h"

#include "base/mem.h"
#include "base/text.h"
#include "chat/core.h"
#include "files/files.h"

#define BUDGET_MAX_MS 60000 /* until a budget is looked at again */
#define PLAIN_TEXT "Parley" /* what no provider refuses */

/* --- taking --------------------------------------------------------------- */

void
file_batch_clear(struct file_batch *b)
{
    for (size_t i = 0; i < b->n; i++)
        free(b->text[i]);
    b->n = 0;
    buf_clear(&b->names);
}

static bool
is_named(struct buf *names, const char *name)
{
    size_t n = strlen(name);
    const char *s = buf_cstr(names);

    for (; *s != '\0'; s += strcspn(s, "\n"), s += *s == '\n')
        if (strcspn(s, "\n") == n && memcmp(s, name, n) == 0)
            return true;
    return false;
}

bool
file_batch_take(void *arg, int64_t chunk, const char *name, const char *text,
                size_t n)
{
    struct file_batch *b = arg;

    b->chunk[b->n] = chunk;
    b->text[b->n] = text_blank(text, n) ? NULL : xmemdup0(text, n);
    for (size_t i = 0; b->text[b->n] != NULL && i < n; i++)
        if (text[i] == '\0')
            b->text[b->n][i] = ' ';
    b->ask[b->n] = b->text[b->n] != NULL ? b->text[b->n] : PLAIN_TEXT;
    b->n++;
    if (!is_named(&b->names, name))
        buf_addf(&b->names, "%s%s", b->names.len > 0 ? "\n" : "", name);
    return b->n < FILE_EMBED_BATCH;
}

/* --- its answer ----------------------------------------------------------- */

static struct file_embed *
of(struct embed *em)
{
    return (struct file_embed *)(void *)em;
}

static void
on_attached(struct embed *em)
{
    of(em)->attached = true;
}

/* Worker. */
static void
on_rows(struct embed *em, size_t first, const struct embeddings *rows)
{
    struct file_embed *fe = of(em);

    if (fe->rows == NULL) {
        fe->dims = rows->dimensions;
        fe->rows = xcalloc(em->ask.n_texts * fe->dims, sizeof(*fe->rows));
    }
    if (rows->dimensions != fe->dims || first + rows->n > em->ask.n_texts) {
        fe->uneven = true;
        return;
    }
    (void)memcpy(fe->rows + first * fe->dims, rows->values,
                 rows->n * fe->dims * sizeof(*fe->rows));
}

void
file_embed_drop(struct file_embed *fe)
{
    free(fe->rows);
    fe->rows = NULL;
}

/* Is what was sent the reason, and not who sent it? */
static bool
is_refusal(const struct problem *p)
{
    return p->err == ERR_TOOBIG || p->err == ERR_BADREQ ||
           strcmp(p->code, "context_too_long") == 0 ||
           strcmp(p->code, "provider_rejected") == 0;
}

static bool
is_of_key(const struct problem *p)
{
    return strcmp(p->code, "provider_auth") == 0 ||
           strcmp(p->code, "provider_forbidden") == 0;
}

static void
failed(struct file_embed *fe, const struct problem *p, bool asked)
{
    int64_t wait_ms = 1000 * (int64_t)p->retry_after_s;
    bool plain = fe->plain;

    file_embed_drop(fe);
    fe->plain = false;
    if (fe->stopping || p->err == ERR_STOPPING) {
        fe->step = IDLE;
    } else if (is_of_key(p)) {
        file_embed_give_up(fe, p->code);
    } else if (is_refusal(p) && !plain && fe->batch.n > 1) {
        fe->size = fe->batch.n / 2;
        file_embed_load(fe);
    } else if (is_refusal(p) && !plain) {
        fe->plain = true;
        file_embed_ask(fe);
    } else {
        if (asked && fe->size > 1) /* it may have been too much at once */
            fe->size /= 2;
        if (!asked && wait_ms > BUDGET_MAX_MS)
            wait_ms = BUDGET_MAX_MS;
        file_embed_rest(fe, p->code, wait_ms);
    }
}

static void
on_done(struct embed *em, const struct problem *p)
{
    struct file_embed *fe = of(em);
    struct problem uneven = {.err = OK};

    fe->attached = false;
    if (p == NULL && fe->uneven) {
        (void)problem_set(&uneven, ERR_UPSTREAM, "provider_garbage", NULL,
                          NULL);
        p = &uneven;
    }
    if (p != NULL) {
        failed(fe, p, em->tries > 0);
        return;
    }
    for (size_t i = 0; i < fe->batch.n; i++)
        if (fe->plain || fe->batch.text[i] == NULL)
            (void)memset(fe->rows + i * fe->dims, 0,
                         fe->dims * sizeof(*fe->rows));
    file_embed_store(fe);
}

static const struct embed_ops ops = {
    .attached = on_attached,
    .rows = on_rows,
    .done = on_done,
};

/* For the batch, or the plain text instead of its only chunk. */
void
file_embed_ask(struct file_embed *fe)
{
    static const char *const plain[] = {PLAIN_TEXT};
    struct embed *em = &fe->em;

    (void)memset(em, 0, sizeof(*em));
    em->ops = &ops;
    em->route = vector_model_route(&fe->model);
    em->ask.texts = fe->plain ? plain : fe->batch.ask;
    em->ask.n_texts = fe->plain ? 1 : fe->batch.n;
    em->payer.owner = FILE_EMBED_PAYER;
    em->aside = true;
    if (fe->leaves && !fe->plain)
        em->files = buf_cstr(&fe->batch.names);
    fe->uneven = false;
    fe->step = ASKING;
    embed_post(fe->en, em);
}
