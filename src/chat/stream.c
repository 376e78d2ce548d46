/*
 * Streams and readers: a hash of streams by turn id, a list of the changed
 * ones, and one pass over that list at the end of each loop turn. A reader
 * that cannot take more is skipped until it says so, so a slow one costs its
 * cursor and nothing else. Runs on the loop thread. It knows no HTTP.
 */
#include "base/base.h"

#include "chat/stream.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"

#define HUB_BUCKETS 4096             /* power of two */
#define HUB_SCRATCH_KEEP (64 * 1024) /* bytes kept between passes */
#define HUB_SCRATCH_MAX (64 * 1024 * 1024)
#define FOREIGN_POLL_MS 10 /* how often others' commits are looked for */
#define ALIVE_POLL_MS 1000 /* how often their processes are looked for */
#define PING_POLL_MS 1000
#define SWEEP_MS 1000
#define SWEEP_MAX 2000 /* streams dropped per sweep */

enum stream_kind {
    STREAM_LOCAL,   /* written by a turn of this process */
    STREAM_FOREIGN, /* written elsewhere: polled */
    STREAM_LEFT     /* written here to its end; readers catch up */
};

struct stream {
    struct hub *hub;
    struct ident id;
    struct stream *next; /* in the bucket */
    struct stream *dirty_next;
    struct reader *readers;
    uint32_t seq; /* of the last event appended here */
    enum stream_kind kind;
    bool dirty;
    struct process process; /* foreign: who writes it */
    int64_t checked_ms;
};

struct hub {
    struct hub_config c;
    struct stream *buckets[HUB_BUCKETS];
    struct stream *dirty;
    struct buf scratch;
    struct loop_hook hook;
    struct loop_timer ping, poll;
    size_t n_foreign;
    uint64_t txnid; /* seen last */
    int64_t swept_ms;
};

static size_t
bucket_of(const struct ident *id)
{
    /* The last bytes of an id are random. */
    return ((size_t)id->b[14] << 8 | id->b[15]) & (HUB_BUCKETS - 1);
}

static struct stream *
stream_find(struct hub *h, const struct ident *id)
{
    struct stream *s = h->buckets[bucket_of(id)];

    while (s != NULL && !ident_eq(&s->id, id))
        s = s->next;
    return s;
}

static void
poll_set(struct hub *h)
{
    if (h->n_foreign > 0 && h->poll.slot == 0)
        loop_timer_set(h->c.loop, &h->poll,
                       loop_now_ms(h->c.loop) + FOREIGN_POLL_MS);
}

static struct stream *
stream_new(struct hub *h, const struct ident *id, enum stream_kind kind)
{
    struct stream *s = xcalloc(1, sizeof(*s));
    size_t b = bucket_of(id);

    s->hub = h;
    s->id = *id;
    s->kind = kind;
    s->next = h->buckets[b];
    h->buckets[b] = s;
    if (kind == STREAM_FOREIGN) {
        h->n_foreign++;
        s->checked_ms = loop_now_ms(h->c.loop);
        poll_set(h);
    }
    return s;
}

/* Free a stream that nobody writes or reads; a dirty one waits for the end
 * of the pass. */
static void
stream_drop_if_idle(struct stream *s)
{
    struct hub *h = s->hub;
    struct stream **at = &h->buckets[bucket_of(&s->id)];

    if (s->kind == STREAM_LOCAL || s->readers != NULL || s->dirty)
        return;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    if (s->kind == STREAM_FOREIGN)
        h->n_foreign--;
    free(s);
}

static void
stream_mark(struct stream *s)
{
    if (s->dirty)
        return;
    s->dirty = true;
    s->dirty_next = s->hub->dirty;
    s->hub->dirty = s;
}

/* The reader is finished: out of the stream, then its own affair. */
static void
reader_done(struct reader *r)
{
    reader_detach(r);
    r->ops->done(r);
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

/* Give r what is new. True if more waits for another pass. */
static bool
reader_pump(struct hub *h, struct reader *r)
{
    bool last = false;
    bool all;
    enum err e = OK;

    if (r->blocked)
        return false;
    buf_clear(&h->scratch);
    all = reader_encode(h, r, &last);
    if (h->scratch.len > 0 || last) {
        e = r->ops->send(r, &h->scratch, last);
        r->sent_ms = loop_now_ms(h->c.loop);
    }
    if (last || (e != OK && e != ERR_AGAIN) ||
        (r->once && h->scratch.len > 0)) {
        reader_done(r);
        return false;
    }
    r->blocked = e == ERR_AGAIN;
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
    if (!process_alive(&s->process))
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
    poll_set(h);
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

struct stream *
stream_open(struct hub *h, const struct ident *turn)
{
    struct stream *s = stream_find(h, turn);

    if (s == NULL)
        return stream_new(h, turn, STREAM_LOCAL);
    /* A dead process's stream that has readers here: taken over. */
    assert(s->kind != STREAM_LOCAL);
    if (s->kind == STREAM_FOREIGN)
        h->n_foreign--;
    s->kind = STREAM_LOCAL;
    return s;
}

enum err
stream_append(struct stream *s, enum event_type type, const void *data,
              size_t n)
{
    enum err e = streamlog_append(s->hub->c.log, &s->id, s->seq + 1, type, data,
                                  n);

    if (e != OK)
        return e;
    s->seq++;
    metric_add(METRIC_EVENTS, 1);
    stream_mark(s);
    return OK;
}

const struct ident *
stream_id(const struct stream *s)
{
    return &s->id;
}

uint32_t
stream_seq(const struct stream *s)
{
    return s->seq;
}

void
stream_set_seq(struct stream *s, uint32_t seq)
{
    s->seq = seq;
}

void
stream_close(struct stream *s, const struct problem *p)
{
    assert(s->kind == STREAM_LOCAL);
    if (p != NULL) {
        while (s->readers != NULL) {
            struct reader *r = s->readers;

            r->ops->fail(r, p);
            reader_done(r);
        }
    }
    s->kind = STREAM_LEFT;
    stream_drop_if_idle(s);
}

void
stream_attach(struct stream *s, struct reader *r)
{
    assert(r->stream == NULL);
    r->stream = s;
    r->prev = NULL;
    r->next = s->readers;
    if (s->readers != NULL)
        s->readers->prev = r;
    s->readers = r;
    r->sent_ms = loop_now_ms(s->hub->c.loop);
    metric_add(METRIC_READERS, 1);
    stream_mark(s);
    r->ops->attached(r);
}

struct reader *
stream_first_reader(struct stream *s)
{
    return s->readers;
}

/* Has r seen the end event of this turn? */
static bool
seen_all(struct hub *h, const struct ident *turn, const struct reader *r)
{
    struct event last;

    return r->after > 0 && streamlog_last(h->c.log, turn, &last) == OK &&
           EVENT_IS_END(last.type) && last.seq <= r->after;
}

enum err
hub_attach(struct hub *h, const struct ident *turn, struct reader *r)
{
    struct stream *s = stream_find(h, turn);
    struct stream_head head;
    enum err e;

    if (seen_all(h, turn, r)) {
        r->ops->fail(r, NULL);
        r->ops->done(r);
        return OK;
    }
    if (s == NULL) {
        e = streamlog_head(h->c.log, turn, &head);
        if (e != OK)
            return e;
        s = stream_new(h, turn, head.ended ? STREAM_LEFT : STREAM_FOREIGN);
        s->process = head.process;
        if (!head.ended && !process_alive(&head.process))
            h->c.orphan(h->c.arg, turn);
    }
    stream_attach(s, r);
    return OK;
}

void
reader_detach(struct reader *r)
{
    if (r->stream == NULL)
        return;
    if (r->prev != NULL)
        r->prev->next = r->next;
    else
        r->stream->readers = r->next;
    if (r->next != NULL)
        r->next->prev = r->prev;
    /* An idle stream is dropped by the next pass over it. */
    stream_mark(r->stream);
    r->stream = NULL;
    r->prev = NULL;
    r->next = NULL;
    metric_add(METRIC_READERS, -1);
}

void
reader_resume(struct reader *r)
{
    r->blocked = false;
    if (r->stream != NULL)
        stream_mark(r->stream);
}

void
hub_mark(struct hub *h, const struct ident *turn)
{
    struct stream *s = stream_find(h, turn);

    if (s != NULL)
        stream_mark(s);
}

bool
hub_has(struct hub *h, const struct ident *turn)
{
    struct stream *s = stream_find(h, turn);

    return s != NULL && s->kind == STREAM_LOCAL;
}
