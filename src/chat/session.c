/*
 * Serialising the turns of a session: a hash of slots, each with the turn that
 * runs and a queue of those that wait. Across processes the store's begin
 * operation sees to it (ERR_CONFLICT); this only makes that rare. Runs on the
 * loop thread.
 */
#include "base/base.h"

#include "chat/session.h"

#include "base/mem.h"
#include "chat/turn.h"

#define SESSION_BUCKETS 4096 /* power of two */

struct session_slot {
    struct session_slot *next; /* in the bucket */
    struct turn *running;
    struct turn *head, *tail; /* waiting */
    size_t n_waiting;
    size_t bucket;
    char id[IDENT_SESSION_MAX + 1];
};

struct sessions {
    struct session_slot *buckets[SESSION_BUCKETS];
    size_t queue_max;
};

static size_t
bucket_of(const char *id)
{
    uint32_t h = 2166136261U; /* FNV-1a */

    for (; *id != '\0'; id++)
        h = (h ^ (uint8_t)*id) * 16777619U;
    return (h ^ h >> 15) & (SESSION_BUCKETS - 1);
}

struct sessions *
sessions_new(size_t queue_max)
{
    struct sessions *s = xcalloc(1, sizeof(*s));

    s->queue_max = queue_max;
    return s;
}

void
sessions_free(struct sessions *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < SESSION_BUCKETS; i++)
        assert(s->buckets[i] == NULL);
    free(s);
}

static struct session_slot *
slot_find(struct sessions *s, const char *id)
{
    struct session_slot *slot = s->buckets[bucket_of(id)];

    while (slot != NULL && strcmp(slot->id, id) != 0)
        slot = slot->next;
    return slot;
}

static bool
is_twin(const struct turn *t, const struct turn_ask *ask)
{
    return t->ask->idem_key != NULL &&
           strcmp(t->ask->idem_key, ask->idem_key) == 0 &&
           strcmp(t->ask->owner, ask->owner) == 0;
}

struct turn *
session_twin(struct sessions *s, const struct turn_ask *ask)
{
    struct session_slot *slot = slot_find(s, ask->session_id);
    struct turn *t;

    if (slot == NULL || ask->idem_key == NULL)
        return NULL;
    if (is_twin(slot->running, ask))
        return slot->running;
    for (t = slot->head; t != NULL && !is_twin(t, ask); t = t->slot_next)
        continue;
    return t;
}

enum err
session_enter(struct sessions *s, struct turn *t)
{
    size_t b = bucket_of(t->ask->session_id);
    struct session_slot *slot = slot_find(s, t->ask->session_id);

    if (slot == NULL) {
        slot = xcalloc(1, sizeof(*slot));
        (void)snprintf(slot->id, sizeof(slot->id), "%s", t->ask->session_id);
        slot->bucket = b;
        slot->next = s->buckets[b];
        s->buckets[b] = slot;
        slot->running = t;
        t->slot = slot;
        return OK;
    }
    if (slot->n_waiting == s->queue_max)
        return ERR_LIMIT;
    if (slot->tail != NULL)
        slot->tail->slot_next = t;
    else
        slot->head = t;
    slot->tail = t;
    slot->n_waiting++;
    t->slot = slot;
    return ERR_AGAIN;
}

static void
slot_free(struct sessions *s, struct session_slot *slot)
{
    struct session_slot **at = &s->buckets[slot->bucket];

    while (*at != slot)
        at = &(*at)->next;
    *at = slot->next;
    free(slot);
}

static void
leave_queue(struct session_slot *slot, struct turn *t)
{
    struct turn **at = &slot->head;
    struct turn *before = NULL;

    while (*at != t) {
        before = *at;
        at = &(*at)->slot_next;
    }
    *at = t->slot_next;
    if (slot->tail == t)
        slot->tail = before;
    slot->n_waiting--;
    t->slot_next = NULL;
}

void
session_leave(struct sessions *s, struct turn *t)
{
    struct session_slot *slot = t->slot;
    struct turn *next;

    if (slot == NULL)
        return;
    t->slot = NULL;
    if (slot->running != t) {
        leave_queue(slot, t);
        return;
    }
    next = slot->head;
    slot->running = next;
    if (next == NULL) {
        slot_free(s, slot);
        return;
    }
    slot->head = next->slot_next;
    if (slot->head == NULL)
        slot->tail = NULL;
    slot->n_waiting--;
    next->slot_next = NULL;
    turn_go(next);
}
