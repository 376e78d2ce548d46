/*
 * Streams in memory. They lie in an array in the order of their turns' ids, so
 * that the next one is found as in LMDB's tree; ids grow with time, so a new
 * one is put at its end. Each stream has its events in an array, every event an
 * allocation of its own: appending moves none that a reader holds.
 *
 * What a stream takes is taken from a budget that it shares with the sessions
 * themselves. When it is used up, streams that have ended go first; whoever
 * asks for one of them again is given it anew, from the stored answer. The end
 * of a stream is not refused: without it a reader would wait for ever.
 */
#include "base/base.h"

#include "store/streamlog_memory.h"

#include "base/budget.h"
#include "base/mem.h"

#define LOW_SHARE 8  /* less than this part of room left is too little */
#define EVENTS_MIN 8 /* of a stream that are room for at first */

struct kept_event {
    uint32_t seq;
    enum event_type type;
    size_t len;
    char data[];
};

struct kept_stream {
    struct ident turn;
    struct stream_head head;
    struct kept_event **events; /* owned; their seqs grow */
    size_t n, cap;
};

struct memory_streams {
    struct budget *room;
    struct kept_stream **streams; /* owned; in the order of their turns */
    size_t n, cap;
};

struct memory_streams *
memory_streams_new(struct budget *room)
{
    struct memory_streams *m = xcalloc(1, sizeof(*m));

    m->room = room;
    return m;
}

/* --- finding ---------------------------------------------------------- */

static int
compare(const struct ident *a, const struct ident *b)
{
    return memcmp(a->b, b->b, sizeof(a->b));
}

/* Where the turn's stream is, or would be. */
static size_t
place_of(const struct memory_streams *m, const struct ident *turn)
{
    size_t from = 0, to = m->n;

    while (from < to) {
        size_t mid = from + (to - from) / 2;

        if (compare(&m->streams[mid]->turn, turn) < 0)
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

static struct kept_stream *
find(const struct memory_streams *m, const struct ident *turn)
{
    size_t at;

    if (m == NULL || m->n == 0)
        return NULL;
    at = place_of(m, turn);
    return at < m->n && ident_eq(&m->streams[at]->turn, turn) ? m->streams[at]
                                                              : NULL;
}

bool
memory_streams_has(const struct memory_streams *m, const struct ident *turn)
{
    return find(m, turn) != NULL;
}

/* --- costs ------------------------------------------------------------ */

static size_t
event_cost(size_t len)
{
    return sizeof(struct kept_event) + len + BUDGET_EACH +
           2 * sizeof(struct kept_event *);
}

static size_t
stream_cost(void)
{
    return sizeof(struct kept_stream) + 2 * BUDGET_EACH +
           2 * sizeof(struct kept_stream *);
}

static void
stream_free(struct memory_streams *m, struct kept_stream *s)
{
    size_t bytes = stream_cost();

    for (size_t i = 0; i < s->n; i++) {
        bytes += event_cost(s->events[i]->len);
        free(s->events[i]);
    }
    budget_give(m->room, bytes);
    free(s->events);
    free(s);
}

void
memory_streams_free(struct memory_streams *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; i < m->n; i++)
        stream_free(m, m->streams[i]);
    free(m->streams);
    free(m);
}

static void
drop_at(struct memory_streams *m, size_t at)
{
    stream_free(m, m->streams[at]);
    m->n--;
    memmove(m->streams + at, m->streams + at + 1,
            (m->n - at) * sizeof(struct kept_stream *));
}

/* Make room for n bytes, at the expense of streams that have ended. */
static enum err
take_room(struct memory_streams *m, size_t n)
{
    size_t at = 0;

    while (!budget_take(m->room, n)) {
        while (at < m->n && !m->streams[at]->head.ended)
            at++;
        if (at == m->n)
            return ERR_FULL;
        drop_at(m, at);
    }
    return OK;
}

/* --- writing ---------------------------------------------------------- */

void
memory_streams_put_head(struct memory_streams *m, const struct ident *turn,
                        const struct stream_head *h)
{
    struct kept_stream *s = find(m, turn);
    size_t at;

    if (s == NULL) {
        s = xcalloc(1, sizeof(*s));
        s->turn = *turn;
        budget_force(m->room, stream_cost());
        if (m->n == m->cap) {
            m->cap = m->cap == 0 ? EVENTS_MIN : 2 * m->cap;
            m->streams = xrealloc(m->streams,
                                  m->cap * sizeof(struct kept_stream *));
        }
        at = place_of(m, turn);
        memmove(m->streams + at + 1, m->streams + at,
                (m->n - at) * sizeof(struct kept_stream *));
        m->streams[at] = s;
        m->n++;
    }
    s->head = *h;
}

enum err
memory_streams_append(struct memory_streams *m, const struct ident *turn,
                      uint32_t seq, enum event_type type, const void *data,
                      size_t n)
{
    struct kept_stream *s = find(m, turn);
    struct kept_event *ev;
    bool ended;

    assert(s != NULL);
    if (n > STREAMLOG_EVENT_MAX)
        return ERR_TOOBIG;
    if (s->n > 0 && s->events[s->n - 1]->seq >= seq)
        return ERR_CONFLICT;
    ended = s->head.ended;
    s->head.ended = false; /* it is not to make room for itself */
    if (EVENT_IS_END(type)) {
        budget_force(m->room, event_cost(n));
    } else if (take_room(m, event_cost(n)) != OK) {
        s->head.ended = ended;
        return ERR_FULL;
    }
    s->head.ended = ended;
    if (s->n == s->cap) {
        s->cap = s->cap == 0 ? EVENTS_MIN : 2 * s->cap;
        s->events = xrealloc(s->events, s->cap * sizeof(struct kept_event *));
    }
    ev = xmalloc(sizeof(*ev) + n);
    ev->seq = seq;
    ev->type = type;
    ev->len = n;
    if (n > 0)
        memcpy(ev->data, data, n);
    s->events[s->n++] = ev;
    return OK;
}

bool
memory_streams_drop(struct memory_streams *m, const struct ident *turn)
{
    if (find(m, turn) == NULL)
        return false;
    drop_at(m, place_of(m, turn));
    return true;
}

static bool
is_low(const struct memory_streams *m)
{
    size_t max = m->room->max, used = budget_used(m->room);

    return used > max || max - used < max / LOW_SHARE;
}

size_t
memory_streams_sweep(struct memory_streams *m, int64_t before_ms, size_t max)
{
    size_t dropped = 0, at = 0;

    while (m != NULL && at < m->n && dropped < max) {
        const struct stream_head *h = &m->streams[at]->head;

        if (h->ended && (h->ended_ms < before_ms || is_low(m))) {
            drop_at(m, at);
            dropped++;
        } else {
            at++;
        }
    }
    return dropped;
}

/* --- reading ---------------------------------------------------------- */

enum err
memory_streams_head(const struct memory_streams *m, const struct ident *turn,
                    struct stream_head *out)
{
    const struct kept_stream *s = find(m, turn);

    if (s == NULL)
        return ERR_NOTFOUND;
    *out = s->head;
    return OK;
}

static enum err
give(const struct kept_stream *s, size_t at, struct event *out)
{
    const struct kept_event *ev;

    if (at >= s->n)
        return ERR_NOTFOUND;
    ev = s->events[at];
    *out = (struct event){
        .seq = ev->seq, .type = ev->type, .data = ev->data, .len = ev->len};
    return OK;
}

enum err
memory_streams_next(const struct memory_streams *m, const struct ident *turn,
                    uint32_t after, struct event *out)
{
    const struct kept_stream *s = find(m, turn);
    size_t from = 0, to;

    if (s == NULL)
        return ERR_NOTFOUND;
    /* Events count from 1, mostly without a gap. */
    if (after < s->n && s->events[after]->seq == after + 1)
        return give(s, after, out);
    for (to = s->n; from < to;) {
        size_t mid = from + (to - from) / 2;

        if (s->events[mid]->seq <= after)
            from = mid + 1;
        else
            to = mid;
    }
    return give(s, from, out);
}

enum err
memory_streams_last(const struct memory_streams *m, const struct ident *turn,
                    struct event *out)
{
    const struct kept_stream *s = find(m, turn);

    return s == NULL || s->n == 0 ? ERR_NOTFOUND : give(s, s->n - 1, out);
}

enum err
memory_streams_after(const struct memory_streams *m, struct ident *turn,
                     struct stream_head *out)
{
    size_t at;

    if (m == NULL || m->n == 0)
        return ERR_NOTFOUND;
    at = place_of(m, turn);
    if (at < m->n && ident_eq(&m->streams[at]->turn, turn))
        at++;
    if (at == m->n)
        return ERR_NOTFOUND;
    *turn = m->streams[at]->turn;
    *out = m->streams[at]->head;
    return OK;
}
