/*
 * What waits to be put into the index or taken out of it. Whoever shares it
 * guards it. For index*.c only.
 */
#ifndef CHAT_INDEX_QUEUE_H
#define CHAT_INDEX_QUEUE_H

#include "store/store.h"

#define GROWN_MAX 1000 /* sessions that wait */

/* A session that grew. */
struct grown {
    struct grown *next;
    char owner[STORE_OWNER_MAX + 1];
    char id[IDENT_SESSION_MAX + 1];
};

struct grown_list {
    struct grown *first; /* the latest */
    size_t n;
};

/* Note one, perhaps twice. False: there are GROWN_MAX. */
bool grown_note(struct grown_list *list, const char *owner, const char *id);
/* Take some of them; NULL: there are none. The caller frees them. */
struct grown *grown_take(struct grown_list *list);
void grown_free(struct grown *g); /* with all behind it; NULL is fine */

/* Numbers of sessions. */
struct numbers {
    uint64_t *no; /* owned */
    size_t n, cap;
};

void numbers_add(struct numbers *to, uint64_t no);

#endif
