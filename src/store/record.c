/*
 * Records of the store. See pack.h for the bytes. A message's provider and
 * model keep a NUL behind them: a reader hands out pointers into the map and
 * copies nothing. Its text and extra have their lengths, and no NUL.
 */
#include "base/base.h"

#include "store/record.h"

#include "store/pack.h"

enum { SESSION_V = 2, MESSAGE_V = 3, TURN_V = 1, IDEM_V = 1, SCALAR_V = 1 };
enum { SUMMARY_V = 1, CONTEXT_V = 1, VALUE_V = 1 };
enum { SESSION_PLAIN_V = 1 }; /* a title only, and no branches */
enum { MESSAGE_PLAIN_V = 1 }; /* without cost and extra */
enum { MESSAGE_LINE_V = 2 };  /* each follows the one before */

/* Flags of a session. */
enum {
    SESSION_OPEN = 1,
    SESSION_TITLED = 2,
    SESSION_BRANCHED = 4,
    SESSION_PINNED = 8,
    SESSION_ARCHIVED = 16,
    SESSION_CONTEXT = 32,
    SESSION_HEAD = 64, /* its line is not just all of its messages */
    SESSION_FLAGS = 127
};

_Static_assert(RECORD_SESSION_MAX >=
                   2 + 6 * PACK_VAR_MAX + 16 + 2 + IDENT_SESSION_MAX + 2 +
                       STORE_OWNER_MAX + 2 + STORE_TITLE_MAX + 2 +
                       STORE_NAME_MAX + 2 + STORE_TAGS_MAX,
               "the longest session fits");
_Static_assert(RECORD_TURN_MAX >= 2 + 32 + 8 * PACK_VAR_MAX, "as does a turn");
_Static_assert(STORE_NAME_MAX < 256, "its length is one byte");
_Static_assert(TURN_STATE_OPEN == 1 && TURN_STATE_ENDED == 2, "WIRE.md");

/* --- sessions ----------------------------------------------------------- */

/* Is its line all of its messages? Then head and length need no bytes. */
static bool
is_line(const struct session *s)
{
    return s->length == s->n_messages &&
           s->head == (s->n_messages > 0 ? s->n_messages - 1 : 0);
}

static uint8_t
session_flags(const struct session *s)
{
    return (uint8_t)((s->open ? SESSION_OPEN : 0) |
                     (s->titled ? SESSION_TITLED : 0) |
                     (s->branched ? SESSION_BRANCHED : 0) |
                     (s->pinned ? SESSION_PINNED : 0) |
                     (s->archived ? SESSION_ARCHIVED : 0) |
                     (s->has_context ? SESSION_CONTEXT : 0) |
                     (is_line(s) ? 0 : SESSION_HEAD));
}

/* The open turn has its place even when there is none: a record that keeps
 * its length is overwritten in place. */
size_t
record_session_write(uint8_t out[RECORD_SESSION_MAX], const struct session *s)
{
    static const struct ident none;
    uint8_t *w = out;

    assert(!s->temporary);
    *w++ = SESSION_V;
    *w++ = session_flags(s);
    w = pack_put_var(w, s->n_messages);
    if (!is_line(s)) {
        w = pack_put_var(w, s->head);
        w = pack_put_var(w, s->length);
    }
    w = pack_put_var(w, pack_natural(s->created_ms));
    w = pack_put_var(w, pack_natural(s->updated_ms));
    w = pack_put_var(w, pack_natural(s->expires_ms));
    w = pack_put_id(w, s->open ? &s->open_turn : &none);
    w = pack_put_str(w, s->id, IDENT_SESSION_MAX);
    w = pack_put_str(w, s->owner, STORE_OWNER_MAX);
    w = pack_put_str(w, s->title, STORE_TITLE_MAX);
    w = pack_put_str(w, s->model, STORE_NAME_MAX);
    w = pack_put_str(w, s->tags, STORE_TAGS_MAX);
    assert(w <= out + RECORD_SESSION_MAX);
    return (size_t)(w - out);
}

/* n_messages and what is known of the line. Without branches it reaches from
 * the first message to its head; with them, some message is not on it. */
static bool
get_line(struct pack_reader *r, uint8_t flags, struct session *out)
{
    out->n_messages = (uint32_t)pack_get_max(r, UINT32_MAX);
    out->head = out->n_messages > 0 ? out->n_messages - 1 : 0;
    out->length = out->n_messages;
    out->branched = (flags & SESSION_BRANCHED) != 0;
    if ((flags & SESSION_HEAD) == 0)
        return !out->branched;
    out->head = (uint32_t)pack_get_max(r, UINT32_MAX);
    out->length = (uint32_t)pack_get_max(r, UINT32_MAX);
    if (out->head >= out->n_messages || out->length == 0 || is_line(out))
        return false;
    return out->branched ? out->length <= out->head + 1
                         : out->length == out->head + 1;
}

enum err
record_session_read(const void *p, size_t n, struct session *out)
{
    struct pack_reader r = pack_reader(p, n);
    uint8_t version = pack_get_u8(&r), flags;

    if (version != SESSION_V && version != SESSION_PLAIN_V)
        return ERR_STORE;
    flags = pack_get_u8(&r);
    if (flags > (version == SESSION_V ? SESSION_FLAGS : SESSION_OPEN) ||
        !get_line(&r, flags, out))
        return ERR_STORE;
    out->no = 0;
    out->temporary = false;
    out->open = (flags & SESSION_OPEN) != 0;
    out->titled = (flags & SESSION_TITLED) != 0;
    out->pinned = (flags & SESSION_PINNED) != 0;
    out->archived = (flags & SESSION_ARCHIVED) != 0;
    out->has_context = (flags & SESSION_CONTEXT) != 0;
    out->created_ms = pack_get_natural(&r);
    out->updated_ms = pack_get_natural(&r);
    out->expires_ms = version == SESSION_V ? pack_get_natural(&r) : 0;
    pack_get_id(&r, &out->open_turn);
    if (ident_is_zero(&out->open_turn) == out->open)
        return ERR_STORE;
    pack_get_str(&r, out->id, IDENT_SESSION_MAX);
    pack_get_str(&r, out->owner, STORE_OWNER_MAX);
    pack_get_str(&r, out->title, STORE_TITLE_MAX);
    out->model[0] = out->tags[0] = '\0';
    if (version == SESSION_V) {
        pack_get_str(&r, out->model, STORE_NAME_MAX);
        pack_get_str(&r, out->tags, STORE_TAGS_MAX);
    }
    return pack_end(&r);
}

/* --- messages ----------------------------------------------------------- */

/* How far back the parent is: 0 for the message before, seq for none. */
static uint32_t
message_back(const struct message *m)
{
    assert(m->parent == STORE_ROOT || m->parent < m->seq);
    return m->seq - (m->parent + 1); /* STORE_ROOT comes before 0 */
}

size_t
record_message_size(const struct message *m)
{
    size_t provider = strlen(m->provider), model = strlen(m->model);

    assert(provider <= STORE_NAME_MAX && model <= STORE_NAME_MAX);
    assert(m->text_len <= STORE_TEXT_MAX);
    assert(m->extra_len <= STORE_EXTRA_MAX);
    return 3 + pack_var_size(message_back(m)) +
           pack_var_size(pack_natural(m->at_ms)) + 32 +
           pack_var_size(pack_maybe(m->input_tokens)) +
           pack_var_size(pack_maybe(m->output_tokens)) +
           pack_var_size(pack_maybe(m->cached_tokens)) +
           pack_var_size(pack_maybe(m->cost_micro)) + 2 + provider + 2 + model +
           pack_var_size(m->extra_len) + m->extra_len + m->text_len;
}

void
record_message_write(void *out, size_t size, const struct message *m)
{
    uint8_t *w = out;

    *w++ = MESSAGE_V;
    *w++ = m->role;
    *w++ = m->finish;
    w = pack_put_var(w, message_back(m));
    w = pack_put_var(w, pack_natural(m->at_ms));
    w = pack_put_id(w, &m->id);
    w = pack_put_id(w, &m->turn);
    w = pack_put_var(w, pack_maybe(m->input_tokens));
    w = pack_put_var(w, pack_maybe(m->output_tokens));
    w = pack_put_var(w, pack_maybe(m->cached_tokens));
    w = pack_put_var(w, pack_maybe(m->cost_micro));
    w = pack_put_name(w, m->provider);
    w = pack_put_name(w, m->model);
    w = pack_put_var(w, m->extra_len);
    if (m->extra_len > 0)
        memcpy(w, m->extra, m->extra_len);
    w += m->extra_len;
    if (m->text_len > 0)
        memcpy(w, m->text, m->text_len);
    assert(w + m->text_len == (uint8_t *)out + size);
}

enum err
record_message_read(const void *p, size_t n, uint32_t seq, struct message *out)
{
    struct pack_reader r = pack_reader(p, n);
    uint8_t version = pack_get_u8(&r);

    if (version < MESSAGE_PLAIN_V || version > MESSAGE_V)
        return ERR_STORE;
    out->seq = seq;
    out->role = pack_get_u8(&r);
    out->finish = pack_get_u8(&r);
    out->parent = seq - 1;
    if (version > MESSAGE_LINE_V)
        out->parent -= (uint32_t)pack_get_max(&r, seq);
    out->at_ms = pack_get_natural(&r);
    pack_get_id(&r, &out->id);
    pack_get_id(&r, &out->turn);
    out->input_tokens = pack_get_maybe(&r);
    out->output_tokens = pack_get_maybe(&r);
    out->cached_tokens = pack_get_maybe(&r);
    out->cost_micro = version == MESSAGE_PLAIN_V ? -1 : pack_get_maybe(&r);
    out->provider = pack_get_name(&r);
    out->model = pack_get_name(&r);
    out->extra_len = version == MESSAGE_PLAIN_V
                         ? 0
                         : (size_t)pack_get_max(&r, STORE_EXTRA_MAX);
    out->extra = (const char *)pack_get_bytes(&r, out->extra_len);
    out->text = (const char *)r.p;
    out->text_len = (size_t)(r.end - r.p);
    return r.bad || out->text_len > STORE_TEXT_MAX ? ERR_STORE : OK;
}

/* --- turns -------------------------------------------------------------- */

size_t
record_turn_write(uint8_t out[RECORD_TURN_MAX], const struct turn_info *t,
                  uint64_t session_no)
{
    uint8_t *w = out;

    assert(!t->temporary);
    *w++ = TURN_V;
    *w++ = (uint8_t)t->state;
    w = pack_put_var(w, session_no);
    w = pack_put_id(w, &t->user_message);
    w = pack_put_id(w, &t->answer_message);
    w = pack_put_var(w, pack_natural(t->begun_ms));
    w = pack_put_var(w, pack_natural(t->process.pid));
    w = pack_put_var(w, t->process.start_ticks);
    if (t->state == TURN_STATE_ENDED) {
        w = pack_put_var(w, pack_natural(t->ended_ms));
        w = pack_put_var(w, t->answer_seq);
        w = pack_put_var(w, t->conversation_length);
        w = pack_put_var(w, t->end_seq);
    }
    assert(w <= out + RECORD_TURN_MAX);
    return (size_t)(w - out);
}

enum err
record_turn_read(const void *p, size_t n, struct turn_info *out,
                 uint64_t *session_no)
{
    struct pack_reader r = pack_reader(p, n);
    uint8_t state;

    memset(out, 0, sizeof(*out));
    if (pack_get_u8(&r) != TURN_V)
        return ERR_STORE;
    state = pack_get_u8(&r);
    if (state != TURN_STATE_OPEN && state != TURN_STATE_ENDED)
        return ERR_STORE;
    out->state = state;
    *session_no = pack_get_var(&r);
    pack_get_id(&r, &out->user_message);
    pack_get_id(&r, &out->answer_message);
    out->begun_ms = pack_get_natural(&r);
    out->process.pid = (int32_t)pack_get_max(&r, INT32_MAX);
    out->process.start_ticks = pack_get_var(&r);
    if (state == TURN_STATE_ENDED) {
        out->ended_ms = pack_get_natural(&r);
        out->answer_seq = (uint32_t)pack_get_max(&r, UINT32_MAX);
        out->conversation_length = (uint32_t)pack_get_max(&r, UINT32_MAX);
        out->end_seq = (uint32_t)pack_get_max(&r, UINT32_MAX);
    }
    return pack_end(&r);
}

/* --- idempotency keys --------------------------------------------------- */

size_t
record_idem_write(uint8_t out[RECORD_IDEM_MAX], const struct ident *turn,
                  int64_t expires_ms)
{
    uint8_t *w = out;

    *w++ = IDEM_V;
    w = pack_put_id(w, turn);
    w = pack_put_var(w, pack_natural(expires_ms));
    return (size_t)(w - out);
}

enum err
record_idem_read(const void *p, size_t n, struct ident *turn,
                 int64_t *expires_ms)
{
    struct pack_reader r = pack_reader(p, n);

    if (pack_get_u8(&r) != IDEM_V)
        return ERR_STORE;
    pack_get_id(&r, turn);
    *expires_ms = pack_get_natural(&r);
    return pack_end(&r);
}

/* --- summaries ---------------------------------------------------------- */

_Static_assert(RECORD_SUMMARY_MAX >= 1 + 2 * PACK_VAR_MAX + STORE_SUMMARY_MAX,
               "the longest summary fits");

size_t
record_summary_write(uint8_t out[RECORD_SUMMARY_MAX],
                     const struct session_summary *s, const char *text,
                     size_t len)
{
    uint8_t *w = out;

    assert(len <= STORE_SUMMARY_MAX);
    *w++ = SUMMARY_V;
    w = pack_put_var(w, s->upto_seq);
    w = pack_put_var(w, pack_maybe(s->cost_micro));
    if (len > 0)
        memcpy(w, text, len);
    return (size_t)(w - out) + len;
}

enum err
record_summary_read(const void *p, size_t n, struct session_summary *out,
                    const char **text, size_t *len)
{
    struct pack_reader r = pack_reader(p, n);

    if (pack_get_u8(&r) != SUMMARY_V)
        return ERR_STORE;
    out->upto_seq = (uint32_t)pack_get_max(&r, UINT32_MAX);
    out->cost_micro = pack_get_maybe(&r);
    *text = (const char *)r.p;
    *len = (size_t)(r.end - r.p);
    return r.bad || *len > STORE_SUMMARY_MAX ? ERR_STORE : OK;
}

/* --- contexts ----------------------------------------------------------- */

void
record_context_write(void *out, const char *text, size_t len)
{
    uint8_t *w = out;

    assert(len > 0 && len <= STORE_CONTEXT_MAX);
    *w++ = CONTEXT_V;
    memcpy(w, text, len);
}

enum err
record_context_read(const void *p, size_t n, const char **text, size_t *len)
{
    struct pack_reader r = pack_reader(p, n);

    if (pack_get_u8(&r) != CONTEXT_V)
        return ERR_STORE;
    *text = (const char *)r.p;
    *len = (size_t)(r.end - r.p);
    return *len == 0 || *len > STORE_CONTEXT_MAX ? ERR_STORE : OK;
}

/* --- values under names ------------------------------------------------- */

_Static_assert(RECORD_VALUE_MAX >= 1 + PACK_VAR_MAX + STORE_RECORD_MAX,
               "the longest value fits");
_Static_assert(STORE_RECORD_MAX == 4096, "WIRE.md");

size_t
record_value_write(uint8_t out[RECORD_VALUE_MAX], int64_t expires_ms,
                   const void *value, size_t len)
{
    uint8_t *w = out;

    assert(len <= STORE_RECORD_MAX);
    *w++ = VALUE_V;
    w = pack_put_var(w, pack_natural(expires_ms));
    if (len > 0)
        memcpy(w, value, len);
    return (size_t)(w - out) + len;
}

enum err
record_value_read(const void *p, size_t n, int64_t *expires_ms,
                  const char **value, size_t *len)
{
    struct pack_reader r = pack_reader(p, n);

    if (pack_get_u8(&r) != VALUE_V)
        return ERR_STORE;
    *expires_ms = pack_get_natural(&r);
    *value = (const char *)r.p;
    *len = (size_t)(r.end - r.p);
    return r.bad || *len > STORE_RECORD_MAX ? ERR_STORE : OK;
}

/* --- single numbers ----------------------------------------------------- */

void
record_scalar_write(uint8_t out[RECORD_SCALAR_LEN], uint64_t v)
{
    out[0] = SCALAR_V;
    for (int i = 8; i > 0; i--) {
        out[i] = (uint8_t)v;
        v >>= 8;
    }
}

enum err
record_scalar_read(const void *p, size_t n, uint64_t *v)
{
    const uint8_t *b = p;

    if (n != RECORD_SCALAR_LEN || b[0] != SCALAR_V)
        return ERR_STORE;
    *v = 0;
    for (int i = 1; i < RECORD_SCALAR_LEN; i++)
        *v = *v << 8 | b[i];
    return OK;
}
