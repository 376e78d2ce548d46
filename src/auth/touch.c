/*
 * What was tried lately is a small table by a digest of the name: two names
 * that fall into the same place push each other out, which costs a write that
 * was not needed and nothing else.
 */
#include "base/base.h"

#include "auth/touch.h"

#include <pthread.h>

#include "base/digest.h"
#include "base/mem.h"

#define PLACES 1024

struct place {
    uint64_t sum;     /* of the name */
    int64_t tried_ms; /* monotonic; 0: never */
};

struct touch {
    struct store *store;
    pthread_mutex_t mu; /* guards places */
    struct place places[PLACES];
};

/* One write, the store's until it is done; its bytes are behind it. */
struct note {
    struct store_op op;
    struct record_change change;
};

struct touch *
touch_new(struct store *s)
{
    struct touch *t = xcalloc(1, sizeof(*t));

    t->store = s;
    (void)pthread_mutex_init(&t->mu, NULL);
    return t;
}

void
touch_free(struct touch *t)
{
    if (t == NULL)
        return;
    (void)pthread_mutex_destroy(&t->mu);
    free(t);
}

bool
touch_due(struct touch *t, const char *name, size_t n, int64_t mono_ms)
{
    uint8_t digest[DIGEST_LEN];
    uint64_t sum;
    struct place *p;
    bool due;

    digest_sha256(digest, name, n);
    memcpy(&sum, digest, sizeof(sum));
    (void)pthread_mutex_lock(&t->mu);
    p = &t->places[sum % PLACES];
    due = p->sum != sum || p->tried_ms == 0 ||
          mono_ms - p->tried_ms >= TOUCH_RETRY_MS;
    if (due)
        *p = (struct place){.sum = sum, .tried_ms = mono_ms};
    (void)pthread_mutex_unlock(&t->mu);
    return due;
}

static void
note_done(struct store_op *op)
{
    free(op->arg);
}

static const char *
put(char **at, const char *p, size_t n)
{
    char *here = *at;

    memcpy(here, p, n);
    *at += n;
    return here;
}

void
touch_write(struct touch *t, const struct record_change *c)
{
    struct note *nt = xcalloc(1, sizeof(*nt) + c->n + c->len + c->was_len);
    char *at = (char *)(nt + 1);

    nt->change = *c;
    nt->change.expect = RECORD_SAME;
    nt->change.name = put(&at, c->name, c->n);
    nt->change.value = put(&at, c->value, c->len);
    nt->change.was = put(&at, c->was, c->was_len);
    nt->op.kind = STORE_RECORDS;
    nt->op.owner = "";
    nt->op.done = note_done;
    nt->op.arg = nt;
    nt->op.records.changes = &nt->change;
    nt->op.records.n = 1;
    store_submit(t->store, &nt->op);
}
