/*
 * A ring: the oldest key makes room. It is walked from one end to the other,
 * which a command that waits for a worker and the store can afford.
 */
#include "base/base.h"

#include "chat/command_key.h"

#include "base/mem.h"
#include "chat/prompt.h"

struct entry {
    char *owner, *scope, *key; /* owned; NULL: free */
    struct ident turn;
};

struct command_keys {
    struct entry ring[COMMAND_KEYS_MAX];
    size_t next; /* to be written */
};

static void
entry_release(struct entry *e)
{
    free(e->owner);
    free(e->scope);
    free(e->key);
    *e = (struct entry){.key = NULL};
}

/* Its place, or COMMAND_KEYS_MAX. */
static size_t
find(const struct command_keys *k, const struct turn_ask *a)
{
    size_t i;

    for (i = 0; i < COMMAND_KEYS_MAX; i++) {
        const struct entry *e = &k->ring[i];

        if (e->key != NULL && strcmp(e->key, a->idem_key) == 0 &&
            strcmp(e->scope, a->idem_scope) == 0 &&
            strcmp(e->owner, a->owner) == 0)
            break;
    }
    return i;
}

struct command_keys *
command_keys_new(void)
{
    return xcalloc(1, sizeof(struct command_keys));
}

void
command_keys_free(struct command_keys *k)
{
    for (size_t i = 0; k != NULL && i < COMMAND_KEYS_MAX; i++)
        entry_release(&k->ring[i]);
    free(k);
}

bool
command_keys_find(const struct command_keys *k, const struct turn_ask *a,
                  struct ident *turn)
{
    size_t i = a->idem_key != NULL ? find(k, a) : COMMAND_KEYS_MAX;

    if (i == COMMAND_KEYS_MAX)
        return false;
    *turn = k->ring[i].turn;
    return true;
}

void
command_keys_put(struct command_keys *k, const struct turn_ask *a,
                 const struct ident *turn)
{
    struct entry *e;
    size_t i;

    if (a->idem_key == NULL)
        return;
    i = find(k, a);
    if (i < COMMAND_KEYS_MAX) {
        k->ring[i].turn = *turn;
        return;
    }
    e = &k->ring[k->next];
    entry_release(e);
    e->owner = xstrdup(a->owner);
    e->scope = xstrdup(a->idem_scope);
    e->key = xstrdup(a->idem_key);
    e->turn = *turn;
    k->next = (k->next + 1) % COMMAND_KEYS_MAX;
}
