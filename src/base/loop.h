/*
 * The event loop: epoll, a timer heap, a mailbox, and hooks at the end of
 * each turn. One thread runs it and owns everything registered with it; the
 * only call for other threads is loop_post. Timers cost no system call: the
 * nearest one is epoll_wait's timeout. When thousands of events a second come,
 * those of half a millisecond are delivered together; letters and timers do not
 * wait.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include "base/base.h"

struct loop;

/* A watched descriptor; embed it. events are epoll's bits. The callback may
 * remove and free any loop_io, its own or another's. */
struct loop_io;
typedef void loop_io_fn(struct loop_io *io, uint32_t events);
struct loop_io {
    int fd;          /* borrowed */
    uint32_t events; /* what is registered; 0: not registered */
    loop_io_fn *fn;
    void *arg;
    unsigned gen; /* loop's */
};

/* A one-shot timer; embed it, zeroed. */
struct loop_timer;
typedef void loop_timer_fn(struct loop_timer *t);
struct loop_timer {
    int64_t at_ms; /* monotonic; when it fires */
    loop_timer_fn *fn;
    void *arg;
    size_t slot; /* where it lies; 0: not set; loop's */
};

/* A letter to the loop; embed it, zeroed. fn runs on the loop thread. */
struct mail;
typedef void mail_fn(struct mail *m);
struct mail {
    struct mail *next; /* mailbox's */
    mail_fn *fn;
    mail_fn *drop; /* instead of fn if the loop has ended: free what the letter
                      is about; NULL: somebody else knows of it */
    void *arg;
};

/* Called at the end of every turn of the loop, in order of registration,
 * repeatedly until no hook asks for more (a hook returns true if it did
 * something that an earlier hook should see). Embed it. */
struct loop_hook;
typedef bool loop_hook_fn(struct loop_hook *h);
struct loop_hook {
    loop_hook_fn *fn;
    void *arg;
    struct loop_hook *next; /* loop's */
};

/* NULL if the system has no descriptors left (logged). */
struct loop *loop_new(void);
/* NULL is fine. Nobody may post any more; letters not taken stay their
 * senders'. */
void loop_free(struct loop *l);
/* After loop_run: drop the letters that came too late. */
void loop_drop_mail(struct loop *l);
/* Run until loop_stop. The calling thread becomes the loop thread. */
void loop_run(struct loop *l);
void loop_stop(struct loop *l); /* loop thread; end after this turn */
int64_t loop_now_ms(const struct loop *l); /* monotonic, once per turn */

/* fd, fn and arg of io are set by the caller. Register, change or (events 0)
 * remove. Only a real change costs a system call. */
MUST_USE enum err loop_io_set(struct loop *l, struct loop_io *io,
                              uint32_t events);
void loop_io_clear(struct loop *l, struct loop_io *io); /* before close(fd) */
/* The same without the system call, for a descriptor that is closed right
 * after (and was not duplicated): closing removes it. */
void loop_io_forget(struct loop *l, struct loop_io *io);
void loop_timer_set(struct loop *l, struct loop_timer *t, int64_t at_ms);
void loop_timer_clear(struct loop *l, struct loop_timer *t);
void loop_hook_add(struct loop *l, struct loop_hook *h);
/* Any thread. The eventfd is written only if the box was empty. */
void loop_post(struct loop *l, struct mail *m);

#endif
