/*
 * What is said between files/broker.c and files/serve.c: a request comes as one
 * packet with a socket of its own beside it, and its reply goes back on that.
 */
#ifndef FILES_BROKER_INSIDE_H
#define FILES_BROKER_INSIDE_H

#include "files/broker.h"

enum broker_op { BROKER_READ = 1, BROKER_OPEN };

struct broker_request {
    uint32_t op;
    int64_t document;
};

struct broker_reply {
    int32_t err;
    int32_t skip;
};

/* One packet, and a descriptor beside it (-1: none). Does not wait: false, too,
 * if nobody has taken those before for long. */
bool broker_send(int sock, const void *p, size_t n, int fd);
/* Returns its length; 0: the other end is closed; -1: it failed, or there is
 * none. *fd is the caller's; -1: none came. */
ssize_t broker_take(int sock, void *p, size_t n, int *fd);

#endif
