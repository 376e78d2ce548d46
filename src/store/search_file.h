/*
 * The file of the index: connections to it, and making it anew.
 * For search*.c only.
 *
 * A connection is used by one thread from search_take to search_give, and the
 * folder's lock file is locked shared meanwhile. Who makes the file anew locks
 * it exclusively: so nobody, in any process, writes to a file that is gone.
 */
#ifndef STORE_SEARCH_FILE_H
#define STORE_SEARCH_FILE_H

#include <pthread.h>

#include "store/disk.h"
#include "store/search_sql.h"

#define SEARCH_CONNS 4 /* connections of a process, at most */

struct search {
    char dir[DISK_PATH_MAX];
    char path[DISK_PATH_MAX]; /* of the file; SQLite's -wal and -shm beside */
    char lock[DISK_PATH_MAX];

    pthread_mutex_t mu; /* guards idle, n_idle, n_out */
    pthread_cond_t given;
    struct search_conn *idle[SEARCH_CONNS];
    unsigned n_idle, n_out;
};

/* A connection, opened or made anew if need be. OK must be followed by
 * search_give, which also makes the file anew if it was found damaged. */
MUST_USE enum err search_take(struct search *s, struct search_conn **out);
void search_give(struct search *s, struct search_conn *c);
/* Close idle connections and put an empty file in the place of the one there
 * is. */
MUST_USE enum err search_file_renew(struct search *s);
/* Is what the connection has open the file that is there now? */
bool search_is_current(const struct search_conn *c);
void search_file_close(struct search *s); /* the idle connections */

#endif
