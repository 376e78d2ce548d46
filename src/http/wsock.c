/*
 * Open WebSockets. A socket is open until a close frame was sent or received,
 * then it lingers: the rest is sent, our side is shut, and what the other side
 * still sends is read and dropped until it ends, or a time is over. Without
 * that the kernel would answer bytes that nobody read with a reset, and the
 * peer would lose the very frame that says why (a message that is too big is
 * still being sent when it is refused).
 *
 * An idle socket is this struct: libwslay's context and the buffers exist only
 * while something is under way. One timer serves pings, the idle limit and the
 * linger.
 */
#include "base/base.h"

#include "http/wsock_inside.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

#define READ_BYTES (16 * 1024) /* at once */
#define READ_ROUNDS 8          /* reads in one turn of the loop */
#define DEAD_PINGS 3           /* without a sign of life */

/* --- the end ------------------------------------------------------------- */

static void
wsock_free(struct wsock *w)
{
    struct wsocks *set = w->set;

    if (w->prev != NULL)
        w->prev->next = w->next;
    else
        set->list = w->next;
    if (w->next != NULL)
        w->next->prev = w->prev;
    set->n--;
    loop_timer_clear(set->c.loop, &w->timer);
    loop_io_forget(set->c.loop, &w->io);
    (void)close(w->io.fd);
    frames_release(&w->in);
    buf_release(&w->out);
    buf_release(&w->control);
    buf_release(&w->later);
    free(w->early);
    free(w);
}

static void
tell_owner(struct wsock *w)
{
    void *owner = w->owner;

    w->owner = NULL;
    if (owner != NULL)
        w->ops->closed(owner);
}

void
wsock_die(struct wsock *w)
{
    w->dead = true;
    loop_io_clear(w->set->c.loop, &w->io);
    loop_timer_set(w->set->c.loop, &w->timer, loop_now_ms(w->set->c.loop));
}

void
wsock_watch(struct wsock *w)
{
    size_t waits = w->out.len - w->out_at;
    uint32_t events = EPOLLRDHUP;

    if (w->dead)
        return;
    if (waits <= WSOCK_READ_PAUSE || w->state != WSOCK_OPEN)
        events |= EPOLLIN;
    if (waits > 0)
        events |= EPOLLOUT;
    if (loop_io_set(w->set->c.loop, &w->io, events) != OK)
        wsock_die(w);
}

/* All that can be said is: our side is shut when it is sent. */
static void
end_if_sent(struct wsock *w)
{
    if (w->state != WSOCK_ENDING || w->shut || w->dead ||
        w->out.len > w->out_at)
        return;
    w->shut = true;
    (void)shutdown(w->io.fd, SHUT_WR); /* ENOTCONN: it is gone, EOF follows */
}

static void
linger(struct wsock *w, enum wsock_state state)
{
    int64_t now_ms = loop_now_ms(w->set->c.loop);

    if (w->state == WSOCK_OPEN)
        w->end_ms = now_ms + w->set->c.close_ms;
    w->state = state;
    loop_timer_set(w->set->c.loop, &w->timer, w->dead ? now_ms : w->end_ms);
    end_if_sent(w);
    wsock_watch(w);
}

/* --- closing ------------------------------------------------------------- */

void
wsock_close(struct wsock *w, unsigned code, const char *reason)
{
    assert(w->owner != NULL);
    w->owner = NULL;
    linger(w, wsock_say_close(w, code, reason, strlen(reason)) ? WSOCK_CLOSING
                                                               : WSOCK_ENDING);
}

/* The same without the owner's doing. */
static void
close_by_itself(struct wsock *w, unsigned code, const char *reason,
                enum wsock_state state)
{
    (void)wsock_say_close(w, code, reason, strlen(reason));
    linger(w, state);
    tell_owner(w);
}

static void
on_writable(struct wsock *w)
{
    if (!wsock_flush(w))
        return;
    end_if_sent(w);
    if (!w->blocked || w->owner == NULL)
        return;
    w->blocked = false;
    w->ops->ready(w->owner);
}

/* --- reading ------------------------------------------------------------- */

static void
on_close_frame(struct wsock *w, const struct frames_item *it)
{
    if (w->state == WSOCK_OPEN)
        (void)wsock_say_close(w, it->code, it->data, it->len);
    linger(w, WSOCK_ENDING);
    tell_owner(w);
}

static void
on_item(struct wsock *w, const struct frames_item *it)
{
    switch (it->kind) {
    case FRAMES_TEXT:
    case FRAMES_BINARY:
        if (w->state != WSOCK_OPEN)
            return;
        w->active_ms = loop_now_ms(w->set->c.loop);
        w->ops->message(w->owner, it->data, it->len);
        return;
    case FRAMES_CLOSE: on_close_frame(w, it); return;
    case FRAMES_PING:
        if (w->state == WSOCK_OPEN)
            wsock_control(w, FRAMES_PONG, it->data, it->len);
        return;
    case FRAMES_PONG: return;
    }
}

static const char *
reason_of(unsigned code)
{
    switch (code) {
    case FRAMES_TOO_BIG: return "The message is too big";
    case FRAMES_BAD_TEXT: return "The text is not UTF-8";
    default: return "The frame breaks the protocol";
    }
}

static void
take(struct wsock *w, const char *p, size_t n)
{
    struct frames_item item;
    unsigned code = 0;
    enum err e = OK;

    if (w->state == WSOCK_ENDING)
        return;
    frames_give(&w->in, p, n);
    while (e == OK && !w->dead && w->state != WSOCK_ENDING) {
        e = frames_next(&w->in, &item, &code);
        if (e == OK)
            on_item(w, &item);
    }
    w->in.left = 0;
    if (e != ERR_BADREQ)
        return;
    if (w->state == WSOCK_OPEN) {
        log_info("wsock.refused", "code=%u", code);
        close_by_itself(w, code, reason_of(code), WSOCK_ENDING);
    } else {
        linger(w, WSOCK_ENDING);
    }
}

/* False: nothing more comes in this turn. */
static bool
read_some(struct wsock *w)
{
    char bytes[READ_BYTES];
    ssize_t n = recv(w->io.fd, bytes, sizeof(bytes), MSG_DONTWAIT);

    if (n < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
            wsock_die(w);
        return false;
    }
    if (n == 0) {
        wsock_die(w);
        return false;
    }
    w->heard_ms = loop_now_ms(w->set->c.loop);
    take(w, bytes, (size_t)n);
    return (size_t)n == sizeof(bytes);
}

static void
on_io(struct loop_io *io, uint32_t events)
{
    struct wsock *w = io->arg;

    if (events & EPOLLOUT)
        on_writable(w);
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        for (int i = 0; i < READ_ROUNDS && !w->dead && read_some(w); i++)
            ;
    wsock_watch(w);
}

/* --- time ---------------------------------------------------------------- */

static void
on_time(struct loop_timer *t)
{
    struct wsock *w = t->arg;
    const struct wsock_config *c = &w->set->c;
    int64_t now_ms = loop_now_ms(c->loop);
    char *early = w->early;

    if (w->dead || w->state != WSOCK_OPEN) {
        tell_owner(w);
        wsock_free(w);
        return;
    }
    loop_timer_set(c->loop, t, now_ms + c->ping_ms);
    if (early != NULL) {
        w->early = NULL;
        take(w, early, w->early_len);
        free(early);
        return;
    }
    if (now_ms - w->heard_ms >= DEAD_PINGS * c->ping_ms) {
        log_info("wsock.dead", "silent_ms=%" PRId64, now_ms - w->heard_ms);
        wsock_die(w);
    } else if (c->idle_ms > 0 && now_ms - w->active_ms >= c->idle_ms) {
        close_by_itself(w, FRAMES_GOING_AWAY, "Nothing was said for long",
                        WSOCK_CLOSING);
    } else {
        wsock_control(w, FRAMES_PING, NULL, 0);
    }
}

struct wsock *
wsock_new(struct wsocks *set, int fd, const struct wsock_ops *ops, void *owner,
          const char *p, size_t n)
{
    struct wsock *w = xcalloc(1, sizeof(*w));
    int64_t now_ms = loop_now_ms(set->c.loop);

    w->set = set;
    w->ops = ops;
    w->owner = owner;
    w->io.fd = fd;
    w->io.fn = on_io;
    w->io.arg = w;
    w->timer.fn = on_time;
    w->timer.arg = w;
    w->heard_ms = w->active_ms = now_ms;
    frames_init(&w->in, set->c.message_max);
    buf_init(&w->out, WSOCK_SAY_MAX);
    buf_init(&w->control, WSOCK_CONTROL_MAX);
    buf_init(&w->later, WSOCK_SAY_MAX);
    w->next = set->list;
    if (w->next != NULL)
        w->next->prev = w;
    set->list = w;
    set->n++;
    if (n > 0) {
        w->early = xmemdup0(p, n);
        w->early_len = n;
    }
    loop_timer_set(set->c.loop, &w->timer,
                   now_ms + (n > 0 ? 0 : set->c.ping_ms));
    wsock_watch(w);
    return w;
}

void
wsocks_abort(struct wsocks *set)
{
    while (set->list != NULL) {
        tell_owner(set->list);
        wsock_free(set->list);
    }
}
