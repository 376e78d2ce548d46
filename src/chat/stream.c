/*
 * Streams and readers: who writes which stream here, who follows it, and when
 * one is let go. What readers are given, and when, is hub.c. Runs on the loop
 * thread. It knows no HTTP.
 */
#include "base/base.h"

#include "chat/stream.h"

#include "base/mem.h"
#include "base/metric.h"
#include "chat/hub.h"

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
        hub_poll_set(h);
    }
    return s;
}

void
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
    if (s->forgotten)
        IGNORE(streamlog_drop(h->c.log, &s->id)); /* else when it is old */
    free(s);
}

void
stream_mark(struct stream *s)
{
    if (s->dirty)
        return;
    s->dirty = true;
    s->dirty_next = s->hub->dirty;
    s->hub->dirty = s;
}

void
reader_done(struct reader *r)
{
    reader_detach(r);
    r->ops->done(r);
}

bool
stream_is_written(const struct process *p)
{
    struct process self = process_self();

    return process_alive(p) &&
           (p->pid != self.pid || p->start_ticks != self.start_ticks);
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
stream_forget(struct stream *s)
{
    s->forgotten = true;
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

    if (s != NULL && s->forgotten)
        return ERR_NOTFOUND;
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
        if (!head.ended && !stream_is_written(&head.process))
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

bool
hub_has(struct hub *h, const struct ident *turn)
{
    struct stream *s = stream_find(h, turn);

    return s != NULL && s->kind == STREAM_LOCAL;
}
