/*
 * The mailbox: a stack that posters push with compare-and-swap and the owner
 * takes whole with one exchange, then turns round.
 *
 * Nobody pops single letters, so the usual trouble of lock-free stacks (a
 * node that comes back at the same address) cannot occur, and there is no
 * lock that a descheduled poster could hold.
 *
 * Waking. Only the poster that finds the box empty writes the eventfd; under
 * load that is one write per batch. The owner first resets the eventfd, then
 * takes: a letter posted between the two is taken now and costs one empty
 * wake-up later; the other order could lose a wake-up. The members of struct
 * mailbox are plain, the accesses are atomic (GCC's and Clang's builtins).
 */
#include "base/base.h"

#include "base/mailbox.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

enum err
mailbox_init(struct mailbox *b)
{
    b->head = NULL;
    b->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (b->event_fd < 0) {
        log_error("mailbox.eventfd", "errno=%d", errno);
        return ERR_BUSY;
    }
    return OK;
}

void
mailbox_release(struct mailbox *b)
{
    if (b->event_fd >= 0)
        (void)close(b->event_fd);
    b->event_fd = -1;
    b->head = NULL;
}

void
mailbox_post(struct mailbox *b, struct mail *m)
{
    struct mail *old = __atomic_load_n(&b->head, __ATOMIC_RELAXED);
    int fd = b->event_fd;
    uint64_t one = 1;

    do {
        m->next = old;
    } while (!__atomic_compare_exchange_n(&b->head, &old, m, true,
                                          __ATOMIC_RELEASE, __ATOMIC_RELAXED));
    /* m may be gone by now; old was only compared with NULL. */
    if (!old && fd >= 0)
        (void)!write(fd, &one, sizeof(one)); /* full: it is readable anyway */
}

struct mail *
mailbox_take(struct mailbox *b)
{
    struct mail *m;
    struct mail *first = NULL;
    uint64_t count;

    if (b->event_fd >= 0)
        (void)!read(b->event_fd, &count, sizeof(count)); /* reset or EAGAIN */
    m = __atomic_exchange_n(&b->head, NULL, __ATOMIC_ACQUIRE);
    while (m) {
        struct mail *next = m->next;

        m->next = first;
        first = m;
        m = next;
    }
    return first;
}

/* Sleep at most timeout_ms, less if a letter comes. */
static void
nap(const struct mailbox *b, int timeout_ms)
{
    struct pollfd p = {.fd = b->event_fd, .events = POLLIN};

    (void)poll(&p, 1, timeout_ms); /* EINTR: the caller looks again */
}

struct mail *
mailbox_wait(struct mailbox *b, int timeout_ms)
{
    int64_t end_ms = timeout_ms > 0 ? clock_mono_ms() + timeout_ms : 0;
    int left_ms = timeout_ms;

    for (;;) {
        struct mail *m = mailbox_take(b);

        if (m || left_ms == 0)
            return m;
        nap(b, left_ms);
        if (timeout_ms > 0) {
            int64_t left = end_ms - clock_mono_ms();

            left_ms = left > 0 ? (int)left : 0;
        }
    }
}
