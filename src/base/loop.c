/*
 * The event loop: level-triggered epoll, timers, a mailbox for other threads,
 * and hooks that run when a turn's events are done.
 *
 * A turn is: wait, run due timers, deliver events, run hooks. Work that many
 * events cause together (one commit, one flush per reader) belongs in a hook.
 *
 * Callbacks may remove and free any loop_io while events of the same turn
 * still wait in the array. So epoll is given no pointer but the descriptor
 * and a generation; the pointer lies in a table indexed by descriptor, and is
 * taken out when the registration ends. An event whose generation is not the
 * table's belongs to an earlier life of that descriptor and is dropped. The
 * table also forgives an owner that closed the descriptor first: the kernel
 * dropped it then, and the next registration takes the place.
 *
 * Timers cost no system call: the nearest one is the wait's time-out.
 *
 * A busy loop that wakes for each event pays more for waking than for the
 * event. So when many come, it lets those of a moment come together, as
 * network cards do with interrupts; letters and timers are not kept waiting,
 * and a loop with little to do never waits.
 */
#include "base/base.h"

#include "base/loop.h"

#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "base/mem.h"
#include "base/timers.h"

#define EVENTS_MAX 256 /* events a turn */
#define SLOTS_FIRST 64 /* descriptors the table begins with */
#define WAIT_MAX_MS 3600000

#define GATHER_US 500      /* between two turns of a busy loop */
#define GATHER_WINDOW_MS 4 /* over which events are counted */
#define GATHER_EVENTS 12   /* in a window: the loop is busy */

/* What a descriptor is registered for. */
struct slot {
    struct loop_io *io; /* borrowed; NULL: not registered */
    unsigned gen;       /* counts registrations of this descriptor */
};

struct loop {
    int epoll_fd;
    bool stop;
    int64_t now_ms;
    struct mailbox inbox;
    struct loop_io inbox_io;
    struct slot *slots; /* owned; by descriptor */
    size_t slot_count;
    struct timers timers;
    struct loop_hook *hooks; /* borrowed; in order of registration */
    int64_t turn_us;         /* monotonic; when this turn began */
    int64_t window_ms;       /* when the window began */
    unsigned window_events;  /* in it so far */
    bool busy;               /* by the window before */
    struct epoll_event events[EVENTS_MAX];
};

static void
on_inbox(struct loop_io *io, uint32_t events)
{
    struct loop *l = io->arg;
    struct mail *m = mailbox_take(&l->inbox);

    (void)events;
    while (m) {
        struct mail *next = m->next; /* fn may free m */

        m->fn(m);
        m = next;
    }
}

struct loop *
loop_new(void)
{
    struct loop *l = xcalloc(1, sizeof(*l));

    l->now_ms = clock_mono_ms();
    l->inbox.event_fd = -1;
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (l->epoll_fd < 0) {
        log_error("loop.epoll", "errno=%d", errno);
        goto fail;
    }
    if (mailbox_init(&l->inbox) != OK)
        goto fail;
    l->inbox_io.fd = l->inbox.event_fd;
    l->inbox_io.fn = on_inbox;
    l->inbox_io.arg = l;
    if (loop_io_set(l, &l->inbox_io, EPOLLIN) != OK)
        goto fail;
    return l;
fail:
    loop_free(l);
    return NULL;
}

void
loop_free(struct loop *l)
{
    if (!l)
        return;
    mailbox_release(&l->inbox);
    if (l->epoll_fd >= 0)
        (void)close(l->epoll_fd);
    timers_release(&l->timers);
    free(l->slots);
    free(l);
}

void
loop_drop_mail(struct loop *l)
{
    struct mail *m;

    while ((m = mailbox_take(&l->inbox)) != NULL) {
        while (m) {
            struct mail *next = m->next; /* drop may free m */

            if (m->drop)
                m->drop(m);
            m = next;
        }
    }
}

int64_t
loop_now_ms(const struct loop *l)
{
    return l->now_ms;
}

void
loop_stop(struct loop *l)
{
    l->stop = true;
}

void
loop_post(struct loop *l, struct mail *m)
{
    mailbox_post(&l->inbox, m);
}

/* ---- descriptors ---- */

static struct slot *
slot_of(struct loop *l, int fd)
{
    size_t i = (size_t)fd;
    size_t count = l->slot_count ? l->slot_count : SLOTS_FIRST;

    assert(fd >= 0);
    if (i < l->slot_count)
        return &l->slots[i];
    while (count <= i)
        count *= 2;
    l->slots = xrealloc(l->slots, count * sizeof(*l->slots));
    memset(l->slots + l->slot_count, 0,
           (count - l->slot_count) * sizeof(*l->slots));
    l->slot_count = count;
    return &l->slots[i];
}

/* Is io what its descriptor is registered for? */
static bool
is_current(const struct loop *l, const struct loop_io *io)
{
    size_t i = (size_t)io->fd;

    return io->events && io->fd >= 0 && i < l->slot_count &&
           l->slots[i].io == io && l->slots[i].gen == io->gen;
}

static int
control(struct loop *l, int op, const struct loop_io *io, uint32_t events)
{
    struct epoll_event ev = {.events = events};

    ev.data.u64 = (uint64_t)io->gen << 32 | (uint32_t)io->fd;
    return epoll_ctl(l->epoll_fd, op, io->fd, &ev);
}

static enum err
refused(const struct loop_io *io)
{
    log_error("loop.epoll_ctl", "fd=%d errno=%d", io->fd, errno);
    return errno == ENOSPC || errno == ENOMEM ? ERR_BUSY : ERR_INTERNAL;
}

enum err
loop_io_set(struct loop *l, struct loop_io *io, uint32_t events)
{
    struct slot *slot;

    if (events == 0) {
        loop_io_clear(l, io);
        return OK;
    }
    if (is_current(l, io)) {
        if (io->events == events)
            return OK;
        if (control(l, EPOLL_CTL_MOD, io, events) < 0)
            return refused(io);
        io->events = events;
        return OK;
    }
    slot = slot_of(l, io->fd);
    io->gen = ++slot->gen;
    if (control(l, EPOLL_CTL_ADD, io, events) < 0 &&
        (errno != EEXIST || control(l, EPOLL_CTL_MOD, io, events) < 0)) {
        io->events = 0;
        return refused(io);
    }
    slot->io = io;
    io->events = events;
    return OK;
}

void
loop_io_forget(struct loop *l, struct loop_io *io)
{
    if (is_current(l, io))
        l->slots[io->fd].io = NULL;
    io->events = 0;
}

void
loop_io_clear(struct loop *l, struct loop_io *io)
{
    if (is_current(l, io)) {
        l->slots[io->fd].io = NULL;
        (void)control(l, EPOLL_CTL_DEL, io, 0); /* EBADF: closed already */
    }
    io->events = 0;
}

static void
deliver(struct loop *l, const struct epoll_event *ev)
{
    size_t fd = (uint32_t)ev->data.u64;
    unsigned gen = (unsigned)(ev->data.u64 >> 32);
    struct slot *slot = &l->slots[fd];
    uint32_t events;

    if (!slot->io || slot->gen != gen)
        return;
    events = ev->events & (slot->io->events | EPOLLERR | EPOLLHUP);
    if (events)
        slot->io->fn(slot->io, events);
}

/* ---- timers ---- */

void
loop_timer_set(struct loop *l, struct loop_timer *t, int64_t at_ms)
{
    timers_set(&l->timers, t, at_ms);
}

void
loop_timer_clear(struct loop *l, struct loop_timer *t)
{
    timers_clear(&l->timers, t);
}

/* How long epoll may wait: until the nearest timer. */
static int
wait_ms(const struct loop *l)
{
    int64_t next_ms = timers_next_ms(&l->timers);
    int64_t left;

    if (next_ms == INT64_MAX)
        return -1;
    left = next_ms - clock_mono_ms();
    if (left <= 0)
        return 0;
    return left < WAIT_MAX_MS ? (int)left : WAIT_MAX_MS;
}

/* ---- turns ---- */

void
loop_hook_add(struct loop *l, struct loop_hook *h)
{
    struct loop_hook **at = &l->hooks;

    while (*at)
        at = &(*at)->next;
    h->next = NULL;
    *at = h;
}

static void
run_hooks(struct loop *l)
{
    bool again;

    do {
        again = false;
        for (struct loop_hook *h = l->hooks; h; h = h->next)
            if (h->fn(h))
                again = true;
    } while (again);
}

static void
turn_begins(struct loop *l, int n_events)
{
    l->turn_us = clock_mono_us();
    l->now_ms = l->turn_us / 1000;
    if (n_events > 0)
        l->window_events += (unsigned)n_events;
    if (l->now_ms - l->window_ms < GATHER_WINDOW_MS)
        return;
    l->busy = l->now_ms - l->window_ms < 2 * GATHER_WINDOW_MS &&
              l->window_events >= GATHER_EVENTS;
    l->window_ms = l->now_ms;
    l->window_events = 0;
}

/* Wait until GATHER_US from the beginning of the last turn, but not past a
 * letter or a timer. */
static void
gather(const struct loop *l)
{
    struct pollfd inbox = {.fd = l->inbox.event_fd, .events = POLLIN};
    int64_t now_us = clock_mono_us();
    int64_t next_ms = timers_next_ms(&l->timers);
    int64_t until_us = l->turn_us + GATHER_US;
    struct timespec ts = {.tv_sec = 0};

    if (next_ms <= until_us / 1000)
        until_us = next_ms * 1000;
    if (until_us <= now_us)
        return;
    ts.tv_nsec = (long)(until_us - now_us) * 1000;
    (void)ppoll(&inbox, 1, &ts, NULL); /* EINTR: epoll_wait is next */
}

void
loop_run(struct loop *l)
{
    turn_begins(l, 0);
    while (!l->stop) {
        int n;

        if (l->busy)
            gather(l);
        n = epoll_wait(l->epoll_fd, l->events, EVENTS_MAX, wait_ms(l));
        if (n < 0 && errno != EINTR) {
            log_error("loop.epoll_wait", "errno=%d", errno);
            abort(); /* our descriptor or our memory is broken */
        }
        turn_begins(l, n);
        timers_run(&l->timers, l->now_ms);
        for (int i = 0; i < n; i++)
            deliver(l, &l->events[i]);
        run_hooks(l);
    }
    l->stop = false;
}
