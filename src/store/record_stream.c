/*
 * Records of the stream log: the head of a stream, and its events. An
 * event's data follows two bytes and is lent out in place.
 */
#include "base/base.h"

#include "store/record.h"

#include "store/pack.h"

enum { HEAD_V = 1, EVENT_V = 1 };
enum { HEAD_ENDED = 1, HEAD_STOP = 2 }; /* flags of a head */

_Static_assert(RECORD_HEAD_MAX >= 2 + 4 * PACK_VAR_MAX + 16 + 4 * 2 +
                                      IDENT_SESSION_MAX + STORE_OWNER_MAX +
                                      2 * STORE_NAME_MAX,
               "as does a head");
_Static_assert(EVENT_START == 1 && EVENT_CHUNK == 4 && EVENT_COMPLETE == 8 &&
                   EVENT_ERROR == 10,
               "WIRE.md");

/* --- stream heads and events -------------------------------------------- */

size_t
record_head_write(uint8_t out[RECORD_HEAD_MAX], const struct stream_head *h)
{
    uint8_t *w = out;

    assert(!h->temporary);
    *w++ = HEAD_V;
    *w++ = (uint8_t)((h->ended ? HEAD_ENDED : 0) | (h->stop ? HEAD_STOP : 0));
    w = pack_put_var(w, pack_natural(h->process.pid));
    w = pack_put_var(w, h->process.start_ticks);
    w = pack_put_var(w, pack_natural(h->begun_ms));
    w = pack_put_var(w, pack_natural(h->ended_ms));
    w = pack_put_id(w, &h->answer_message);
    w = pack_put_str(w, h->session_id, IDENT_SESSION_MAX);
    w = pack_put_str(w, h->owner, STORE_OWNER_MAX);
    w = pack_put_str(w, h->provider, STORE_NAME_MAX);
    w = pack_put_str(w, h->model, STORE_NAME_MAX);
    assert(w <= out + RECORD_HEAD_MAX);
    return (size_t)(w - out);
}

enum err
record_head_read(const void *p, size_t n, struct stream_head *out)
{
    struct pack_reader r = pack_reader(p, n);
    uint8_t flags;

    if (pack_get_u8(&r) != HEAD_V)
        return ERR_STORE;
    flags = pack_get_u8(&r);
    if ((flags & ~(HEAD_ENDED | HEAD_STOP)) != 0)
        return ERR_STORE;
    out->temporary = false;
    out->ended = (flags & HEAD_ENDED) != 0;
    out->stop = (flags & HEAD_STOP) != 0;
    out->process.pid = (int32_t)pack_get_max(&r, INT32_MAX);
    out->process.start_ticks = pack_get_var(&r);
    out->begun_ms = pack_get_natural(&r);
    out->ended_ms = pack_get_natural(&r);
    pack_get_id(&r, &out->answer_message);
    pack_get_str(&r, out->session_id, IDENT_SESSION_MAX);
    pack_get_str(&r, out->owner, STORE_OWNER_MAX);
    pack_get_str(&r, out->provider, STORE_NAME_MAX);
    pack_get_str(&r, out->model, STORE_NAME_MAX);
    return pack_end(&r);
}

void
record_event_write(uint8_t out[RECORD_EVENT_HEAD], enum event_type type)
{
    out[0] = EVENT_V;
    out[1] = (uint8_t)type;
}

enum err
record_event_read(const void *p, size_t n, struct event *out)
{
    const uint8_t *b = p;

    if (n < RECORD_EVENT_HEAD || b[0] != EVENT_V || b[1] < EVENT_START ||
        b[1] >= EVENT__MAX)
        return ERR_STORE;
    out->seq = 0;
    out->type = b[1];
    out->data = (const char *)b + RECORD_EVENT_HEAD;
    out->len = n - RECORD_EVENT_HEAD;
    return OK;
}
