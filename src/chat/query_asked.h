/*
 * What the files of chat/query_vector.h share. Requests, and the rows that are
 * kept of them, are in query_asked.c; which rows a query needs, in
 * query_vector.c.
 */
#ifndef CHAT_QUERY_ASKED_H
#define CHAT_QUERY_ASKED_H

#include <pthread.h>

#include "base/digest.h"
#include "chat/embed.h"
#include "chat/query_vector.h"

/* Texts of a query. */
enum { TYPED, RECENT, TEXTS };

struct vector_kept {
    uint8_t key[DIGEST_LEN]; /* of the model and the text */
    float *row;              /* owned; NULL: the place is free */
    size_t dims;
    uint64_t used; /* when, in order */
};

struct query_vectors {
    struct engine *en;
    const struct vector_model *wanted;
    struct query_asked *first; /* the loop's: what the engine has */

    pthread_mutex_t mu; /* guards all below, and done, late, refs of asked */
    pthread_cond_t over;
    struct vector_kept kept[QUERY_VECTORS_KEPT];
    uint64_t uses;
    size_t late;           /* requests that nobody waits for any more */
    int64_t rest_until_ms; /* monotonic */
    int64_t rest_ms;       /* 0: nothing has failed */
    struct vector_model serving;
    bool serves;
    int64_t served_ms; /* when that was looked up; 0: never */
};

/* One text of a query. */
struct query_text {
    char *text;                 /* owned; NULL: there is none */
    uint8_t digest[DIGEST_LEN]; /* of it and the model */
    float *row;                 /* owned; NULL: it is not known */
    size_t dims;
};

/* With the mutex. Fill in what is known. True: nothing is missing. */
bool query_vectors_know(struct query_vectors *all, struct query_text t[TEXTS]);
/* Ask for what is missing, wait, and fill in what came. */
void query_vectors_ask(struct query_vectors *all, const struct vector_model *m,
                       const struct payer *payer, struct query_text t[TEXTS]);

#endif
