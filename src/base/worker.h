/*
 * A few threads for short jobs that may touch the disk. A job runs on a
 * worker; its result goes back to the loop as mail.
 */
#ifndef BASE_WORKER_H
#define BASE_WORKER_H

#include "base/loop.h"

struct workers;
typedef void job_fn(void *arg);
struct job {
    struct job *next; /* workers' */
    job_fn *run;      /* worker thread */
    struct mail done; /* posted to the loop after run; fn NULL: none */
    void *arg;
};

/* Fewer threads if the system gives no more; NULL if none. l may be NULL if
 * no job will have a letter. */
struct workers *workers_new(unsigned threads, struct loop *l);
/* Finish what is queued, join, free. NULL is fine. */
void workers_free(struct workers *w);
void workers_run(struct workers *w, struct job *j); /* any thread */

#endif
