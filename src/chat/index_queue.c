/*
 * Lists with a ceiling. What is noted twice is done twice, which costs a look:
 * so only the latest are searched for it.
 */
#include "base/base.h"

#include "chat/index_queue.h"

#include "base/mem.h"

#define GROWN_LOOK 8   /* are looked at, lest one is noted twice */
#define GROWN_TAKE 100 /* at once, between two looks at the clock */

bool
grown_note(struct grown_list *list, const char *owner, const char *id)
{
    struct grown *g = list->first;

    for (int i = 0; i < GROWN_LOOK && g != NULL; i++, g = g->next)
        if (strcmp(g->id, id) == 0 && strcmp(g->owner, owner) == 0)
            return true;
    if (list->n == GROWN_MAX)
        return false;
    g = xcalloc(1, sizeof(*g));
    (void)snprintf(g->owner, sizeof(g->owner), "%s", owner);
    (void)snprintf(g->id, sizeof(g->id), "%s", id);
    g->next = list->first;
    list->first = g;
    list->n++;
    return true;
}

struct grown *
grown_take(struct grown_list *list)
{
    struct grown *all = list->first, **at = &all;

    for (size_t i = 0; *at != NULL && i < GROWN_TAKE; i++, list->n--)
        at = &(*at)->next;
    list->first = *at;
    *at = NULL;
    return all;
}

void
grown_free(struct grown *g)
{
    while (g != NULL) {
        struct grown *next = g->next;

        free(g);
        g = next;
    }
}

void
numbers_add(struct numbers *to, uint64_t no)
{
    if (to->n == to->cap) {
        to->cap = to->cap == 0 ? 16 : 2 * to->cap;
        to->no = xrealloc(to->no, to->cap * sizeof(*to->no));
    }
    to->no[to->n++] = no;
}
