/*
 * The passes over the streams: at the end of each loop turn the log is
 * committed and every reader of a changed stream is given what is new; now and
 * then silent readers are pinged, the streams of other processes looked at,
 * and old ones dropped from the log. A reader that cannot take more is skipped
 * until it says so: a slow one costs its cursor and nothing else. Runs on the
 * loop thread.
 */
#include "base/base.h"

#include "chat/hub.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define HUB_SCRATCH_KEEP (64 * 1024) /* bytes kept between passes */
#define HUB_SCRATCH_MAX (64 * 1024 * 1024)
#define FOREIGN_POLL_MS 10 /* how often others' commits are looked for */
#define ALIVE_POLL_MS 1000 /* how often their processes are looked for */
#define PING_POLL_MS 1000
#define SWEEP_MS 1000
#define SWEEP_MAX 2000 /* streams dropped per sweep */

void
hub_poll_set(struct hub *h)
{
    if (h->n_foreign > 0 && h->poll.slot == 0)
        loop_timer_set(h->c.loop, &h->poll,
                       loop_now_ms(h->c.loop) + FOREIGN_POLL_MS);
}

/* Encode what is new for r. Returns true if it has all there is. */
static bool
reader_encode(struct hub *h, struct reader *r, bool *last)
{
    struct event ev;
    enum err e;

    for (;;) {
        if (r->ends_only)
            e = streamlog_last(h->c.log, &r->stream->id, &ev);
        else
            e = streamlog_next(h->c.log, &r->stream->id, r->after, &ev);
        if (e != OK || (r->ends_only && !EVENT_IS_END(ev.type)))
            return true;
        r->after = ev.seq;
        r->ops->event(r, &ev, &h->scratch);
        if (EVENT_IS_END(ev.type)) {
            *last = true;
            return true;
        }
        if (h->scratch.len >= READER_BATCH)
            return false;
    }
}

/* Send the scratch in pieces, from where the last time ended. A piece that the
 * reader cannot take ends it: the rest of a large event is encoded again when
 * there is room, instead of being kept for each slow reader. */
static enum err
reader_send(struct hub *h, struct reader *r, uint32_t from, bool last)
{
    size_t at = r->skip;
    enum err e;

    r->skip = 0;
    do {
        size_t left = h->scratch.len - at;
        struct buf piece = {.data = h->scratch.data}; /* NULL: it is empty */

        if (at > 0)
            piece.data += at;
        piece.len = left < READER_PIECE ? left : READER_PIECE;
        at += piece.len;
        e = r->ops->send(r, &piece, last && at == h->scratch.len);
        if (e == ERR_AGAIN && at < h->scratch.len) {
            r->after = from;
            r->skip = at;
            return e;
        }
    } while (e == OK && at < h->scratch.len);
    return e;
}

/* Give r what is new. True if more waits for another pass. */
static bool
reader_pump(struct hub *h, struct reader *r)
{
    uint32_t from = r->after;
    bool last = false;
    bool all;
    enum err e = OK;

    if (r->blocked)
        return false;
    buf_clear(&h->scratch);
    all = reader_encode(h, r, &last);
    if (h->scratch.len < r->skip) {
        reader_done(r); /* the log let go of what it was in the middle of */
        return false;
    }
    if (r->stream->kind == STREAM_LEFT && all && !last)
        h->c.orphan(h->c.arg, &r->stream->id); /* its end is lost */
    if (h->scratch.len > r->skip || last) {
        e = reader_send(h, r, from, last);
        r->sent_ms = loop_now_ms(h->c.loop);
    }
    r->blocked = e == ERR_AGAIN;
    if (r->blocked && r->skip > 0)
        return false;
    if (last || (e != OK && e != ERR_AGAIN) ||
        (r->once && h->scratch.len > 0)) {
        reader_done(r);
        return false;
    }
    return !all && !r->blocked;
}

static bool
stream_pump(struct stream *s)
{
    struct reader *r = s->readers;
    bool more = false;

    while (r != NULL) {
        struct reader *next = r->next;

        if (reader_pump(s->hub, r))
            more = true;
        r = next;
    }
    return more;
}

static bool
hub_hook(struct loop_hook *hook)
{
    struct hub *h = hook->arg;
    struct stream *list = h->dirty;

    if (streamlog_commit(h->c.log) != OK)
        log_error("stream.commit", "lost=events");
    if (list == NULL)
        return false;
    h->dirty = NULL;
    while (list != NULL) {
        struct stream *s = list;

        list = s->dirty_next;
        s->dirty = false;
        if (stream_pump(s))
            stream_mark(s);
        stream_drop_if_idle(s);
    }
    streamlog_rest(h->c.log);
    buf_clear(&h->scratch);
    buf_trim(&h->scratch, HUB_SCRATCH_KEEP);
    return h->dirty != NULL;
}

/* Call fn for every stream; it may drop the one it is given. */
static void
hub_each(struct hub *h, void (*fn)(struct stream *s))
{
    for (size_t b = 0; b < HUB_BUCKETS; b++) {
        struct stream *s = h->buckets[b];

        while (s != NULL) {
            struct stream *next = s->next;

            fn(s);
            s = next;
        }
    }
}

static void
stream_ping(struct stream *s)
{
    struct hub *h = s->hub;
    int64_t now_ms = loop_now_ms(h->c.loop);
    struct reader *r = s->readers;

    while (r != NULL) {
        struct reader *next = r->next;

        if (!r->blocked && now_ms - r->sent_ms >= h->c.ping_ms) {
            r->sent_ms = now_ms;
            if (r->ops->ping(r) == ERR_HUP)
                reader_done(r);
        }
        r = next;
    }
    stream_drop_if_idle(s);
}

static void
hub_ping(struct loop_timer *t)
{
    struct hub *h = t->arg;
    int64_t now_ms = loop_now_ms(h->c.loop);

    hub_each(h, stream_ping);
    if (now_ms - h->swept_ms >= SWEEP_MS) {
        h->swept_ms = now_ms;
        (void)streamlog_sweep(h->c.log, clock_wall_ms(), SWEEP_MAX);
        streamlog_rest(h->c.log);
    }
    loop_timer_set(h->c.loop, t, now_ms + PING_POLL_MS);
}

static void
stream_check_owner(struct stream *s)
{
    struct hub *h = s->hub;
    int64_t now_ms = loop_now_ms(h->c.loop);

    if (s->kind != STREAM_FOREIGN || now_ms - s->checked_ms < ALIVE_POLL_MS)
        return;
    s->checked_ms = now_ms;
    if (!stream_is_written(&s->process))
        h->c.orphan(h->c.arg, &s->id);
}

static void
stream_mark_foreign(struct stream *s)
{
    if (s->kind == STREAM_FOREIGN)
        stream_mark(s);
}

static void
hub_poll(struct loop_timer *t)
{
    struct hub *h = t->arg;
    uint64_t txnid = streamlog_txnid(h->c.log);

    if (txnid != h->txnid) {
        h->txnid = txnid;
        hub_each(h, stream_mark_foreign);
    }
    hub_each(h, stream_check_owner);
    hub_poll_set(h);
}

struct hub *
hub_new(const struct hub_config *c)
{
    struct hub *h = xcalloc(1, sizeof(*h));

    h->c = *c;
    buf_init(&h->scratch, HUB_SCRATCH_MAX);
    h->hook.fn = hub_hook;
    h->hook.arg = h;
    loop_hook_add(c->loop, &h->hook);
    h->ping.fn = hub_ping;
    h->ping.arg = h;
    h->poll.fn = hub_poll;
    h->poll.arg = h;
    loop_timer_set(c->loop, &h->ping, clock_mono_ms() + PING_POLL_MS);
    return h;
}

static void
stream_release(struct stream *s)
{
    while (s->readers != NULL)
        reader_done(s->readers);
    free(s);
}

void
hub_free(struct hub *h)
{
    if (h == NULL)
        return;
    loop_timer_clear(h->c.loop, &h->ping);
    loop_timer_clear(h->c.loop, &h->poll);
    hub_each(h, stream_release);
    buf_release(&h->scratch);
    free(h);
}
