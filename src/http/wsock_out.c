/*
 * What a WebSocket sends. Bytes of frames come in pieces cut anywhere; the
 * frames in them are followed, so that what must stand between two frames (a
 * pong, a close) or between two messages (what somebody else says) is put
 * there. The kernel is asked to take all at once; the rest waits.
 */
#include "base/base.h"

#include "http/wsock_inside.h"

#include <sys/socket.h>

#include "base/log.h"

#define FRAME_MAX (1024 * 1024) /* bytes; no frame of ours is longer */

static void
emit(struct wsock *w, const char *p, size_t n)
{
    ssize_t sent = 0;

    if (w->dead || n == 0)
        return;
    if (w->out.len == 0) {
        do
            sent = send(w->io.fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
        while (sent < 0 && errno == EINTR);
        if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
            wsock_die(w);
            return;
        }
        if (sent < 0)
            sent = 0;
    }
    buf_add(&w->out, p + sent, n - (size_t)sent);
    if (buf_status(&w->out) != OK) {
        log_warn("wsock.full", "bytes=%zu", w->out.len);
        wsock_die(w);
    }
}

static bool
between_frames(const struct wsock *w)
{
    return w->frame_left == 0 && w->head_len == 0;
}

/* What waited for a place between two frames, or two messages. */
static void
emit_waiting(struct wsock *w)
{
    if (!between_frames(w))
        return;
    if (w->control.len > 0) {
        emit(w, w->control.data, w->control.len);
        buf_release(&w->control);
    }
    if (w->later.len > 0 && !w->mid_message) {
        emit(w, w->later.data, w->later.len);
        buf_release(&w->later);
    }
}

/* How many of the n bytes belong to the frame that is being written; moves on
 * behind them. */
static size_t
pass_frame(struct wsock *w, const char *p, size_t n)
{
    size_t some = 0;
    bool fin = false;

    while (w->frame_left == 0 && some < n) {
        uint64_t extent;

        assert(w->head_len < sizeof(w->head));
        w->head[w->head_len++] = p[some++];
        extent = frames_extent(w->head, w->head_len, &fin);
        if (extent == 0)
            continue;
        assert(extent <= FRAME_MAX);
        w->mid_message = !fin;
        w->frame_left = extent - w->head_len;
        w->head_len = 0;
        if (w->frame_left == 0)
            return some;
    }
    if (w->frame_left > n - some) {
        w->frame_left -= n - some;
        return n;
    }
    some += (size_t)w->frame_left;
    w->frame_left = 0;
    return some;
}

static enum err
written(struct wsock *w)
{
    if (w->dead)
        return ERR_HUP;
    w->active_ms = loop_now_ms(w->set->c.loop);
    w->blocked = w->out.len > 0;
    wsock_watch(w);
    return w->dead ? ERR_HUP : w->blocked ? ERR_AGAIN : OK;
}

enum err
wsock_write(struct wsock *w, const char *p, size_t n)
{
    size_t from = 0, at = 0;

    assert(w->state == WSOCK_OPEN);
    while (at < n) {
        at += pass_frame(w, p + at, n - at);
        if (between_frames(w) && (w->control.len > 0 || w->later.len > 0)) {
            emit(w, p + from, at - from);
            from = at;
            emit_waiting(w);
        }
    }
    emit(w, p + from, n - from);
    return written(w);
}

enum err
wsock_say(struct wsock *w, const char *text, size_t n)
{
    struct buf b;

    assert(w->state == WSOCK_OPEN);
    buf_init(&b, WSOCK_SAY_MAX);
    frames_put_text(&b, text, n);
    if (buf_status(&b) != OK)
        wsock_die(w);
    else if (between_frames(w) && !w->mid_message)
        emit(w, b.data, b.len);
    else
        buf_add(&w->later, b.data, b.len);
    buf_release(&b);
    if (buf_status(&w->later) != OK)
        wsock_die(w);
    return written(w);
}

bool
wsock_mid_message(const struct wsock *w)
{
    return w->mid_message || !between_frames(w);
}

void
wsock_control(struct wsock *w, enum frames_kind kind, const char *data,
              size_t n)
{
    struct buf b;

    buf_init(&b, FRAMES_HEAD_MAX + FRAMES_CONTROL_MAX);
    frames_put_control(&b, kind, 0, data, n);
    if (between_frames(w) && w->out.len - w->out_at < WSOCK_READ_PAUSE)
        emit(w, b.data, b.len);
    else if (w->control.len + b.len <= WSOCK_CONTROL_MAX)
        buf_add(&w->control, b.data, b.len);
    buf_release(&b);
    wsock_watch(w);
}

bool
wsock_say_close(struct wsock *w, unsigned code, const char *reason, size_t n)
{
    struct buf b;

    if (!between_frames(w))
        return false;
    emit_waiting(w);
    buf_init(&b, FRAMES_HEAD_MAX + FRAMES_CONTROL_MAX);
    frames_put_control(&b, FRAMES_CLOSE, code, reason, n);
    emit(w, b.data, b.len);
    buf_release(&b);
    return true;
}

bool
wsock_flush(struct wsock *w)
{
    ssize_t n = send(w->io.fd, w->out.data + w->out_at, w->out.len - w->out_at,
                     MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
            wsock_die(w);
        return false;
    }
    w->heard_ms = loop_now_ms(w->set->c.loop); /* somebody takes it */
    w->out_at += (size_t)n;
    if (w->out_at < w->out.len)
        return false;
    buf_release(&w->out);
    w->out_at = 0;
    emit_waiting(w);
    return w->out.len == 0;
}
