/*
 * An answer of the administrator's that is a list: an object with an array,
 * and perhaps more behind it. A handler begins it, has the rows put by what it
 * asks, ends the array, adds what is to follow, and answers; where something
 * fails on the way the answer is that problem. The thread of the request.
 */
#ifndef API_ADMIN_LIST_H
#define API_ADMIN_LIST_H

#include "api/admin.h"

#define ADMIN_LIST_MAX 1000 /* rows of one answer, which ?limit= may ask for */

struct admin_list {
    struct request *rq; /* until it is answered */
    struct buf body;
    struct json_out j;
    struct problem why; /* err is OK as long as nothing failed */
    uint32_t limit;     /* of rows */
    uint32_t left;      /* of these */
    bool more;          /* a row came for which none was left */
};

/* Begin {"name":[ for rq, whose ?limit= is read; body_max: bytes of all. */
void admin_list_begin(struct admin_list *l, struct request *rq,
                      const char *name, size_t body_max);
/* Another argument; NULL: it is not there, or something failed. */
const char *admin_list_arg(struct admin_list *l, const char *name);
/* May one more row be put? False: there is no place, and more is set. */
bool admin_list_row(struct admin_list *l);
/* The rows were read, with result e: the array ends. */
void admin_list_end(struct admin_list *l, enum err e);
/* The object ends, and is the answer. Takes rq, releases body. */
void admin_list_answer(struct admin_list *l);

#endif
