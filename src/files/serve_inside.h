/*
 * What serve.c and serve_read.c share: the one has the threads, the other reads
 * documents and keeps folders.
 */
#ifndef FILES_SERVE_INSIDE_H
#define FILES_SERVE_INSIDE_H

#include <pthread.h>

#include "files/broker_inside.h"
#include "files/tried.h"

struct wanted {
    struct wanted *next;
    int64_t document;
    int reply; /* owned; -1: there were too many of them */
};

struct server {
    const struct serve *s;
    struct files *files;
    struct tried *tried;
    /* The reading thread's. */
    int crawl_lock;   /* held for as long as we live; -1: not ours */
    int64_t again_ms; /* monotonic, when what was put off is tried; 0: nothing
                         is */
    int64_t pause_ms; /* before that, the next time */
    bool put_off_folder; /* a folder was not written down for want of room */
    int sock;
    pthread_mutex_t mu; /* guards first, last, stopping */
    pthread_cond_t come;
    struct wanted *first, *last;
    bool stopping;
};

/* Is the reading thread wanted for something else? A server. */
bool serve_is_asked(void *sv);
/* Tell who waits on a socket. fd -1: none goes along. */
void serve_answer(int sock, enum err e, enum skip skip, int fd);

/* --- serve_confine.c ------------------------------------------------------ */

/* Give up what reading does not need, for ever. Before any thread, and once the
 * index has been opened: its folder is there. */
void serve_confine(const struct serve *s);

/* --- serve_read.c --------------------------------------------------------- */

/* Open a document, and tell that. Any thread. */
void serve_open(struct server *sv, int64_t id, int reply);
/* The rest is the reading thread's. */
enum err serve_read(struct server *sv, int64_t id, enum skip *skip);
/* Read what came while nobody could. False: not all, as there is something
 * else to do. */
bool serve_read_waiting(struct server *sv);
/* Look through the folders. Returns when they are to be again, monotonic. */
int64_t serve_crawl(struct server *sv);

#endif
