/*
 * Seeing what is new in a session. Messages only ever come behind those that
 * are there, so how many were seen says which ones; the id of the last of them
 * shows whether they are still the same, since a session can be cleared and
 * filled again. The rest is a digest: if it is another one, something that is
 * told has changed. The head is part of it only as far as it is not simply the
 * last message, or each message would be news twice.
 *
 * A look is several snapshots of the store. What it finds is said only if they
 * fit each other; otherwise it begins anew, and somebody who is disturbed every
 * time comes back later.
 */
#include "base/base.h"

#include "chat/seen.h"

#include "base/digest.h"
#include "base/text.h"

#define TRIES 4
#define STATE_MAX (STORE_CONTEXT_MAX + 4096) /* bytes that are digested */

_Static_assert(SEEN_TEXT_MAX == 2 * (2 * SEEN_MARK + 1) + IDENT_TEXT_LEN +
                                    sizeof(".4294967295") + 1,
               "it all fits");

/* --- as text -------------------------------------------------------------- */

void
seen_text(char out[SEEN_TEXT_MAX], const struct seen *s)
{
    char session[2 * SEEN_MARK + 1], state[2 * SEEN_MARK + 1];
    char last[IDENT_TEXT_LEN] = "-";

    assert(s->kind != SEEN_NOTHING);
    text_hex(session, s->session, SEEN_MARK);
    text_hex(state, s->state, SEEN_MARK);
    if (s->n > 0)
        ident_text(last, &s->last);
    if (s->kind == SEEN_END)
        (void)snprintf(out, SEEN_TEXT_MAX, "%s.gone", session);
    else
        (void)snprintf(out, SEEN_TEXT_MAX, "%s.%" PRIu32 ".%s.%s", session,
                       s->n, last, state);
}

/* The next part of a text, up to a dot or the end. */
static bool
next_part(const char **at, const char **part, size_t *len)
{
    if (*at == NULL)
        return false;
    *part = *at;
    *len = strcspn(*at, ".");
    *at = (*at)[*len] == '.' ? *at + *len + 1 : NULL;
    return true;
}

static enum err
read_mark(const char **at, uint8_t out[SEEN_MARK])
{
    char hex[2 * SEEN_MARK + 1];
    const char *part;
    size_t len;

    if (!next_part(at, &part, &len) || len != 2 * SEEN_MARK)
        return ERR_BADREQ;
    (void)memcpy(hex, part, len);
    hex[len] = '\0';
    return text_unhex(out, SEEN_MARK, hex);
}

/* How many messages, and the last of them. */
static enum err
read_messages(const char **at, struct seen *out)
{
    const char *part;
    size_t len;
    int64_t n;

    if (!next_part(at, &part, &len) ||
        text_i64(part, len, 0, UINT32_MAX, &n) != OK ||
        !next_part(at, &part, &len))
        return ERR_BADREQ;
    out->n = (uint32_t)n;
    if (n == 0)
        return len == 1 && *part == '-' ? OK : ERR_BADREQ;
    return ident_parse(part, len, &out->last);
}

enum err
seen_read(const char *text, struct seen *out)
{
    const char *at = text;

    (void)memset(out, 0, sizeof(*out));
    if (read_mark(&at, out->session) != OK || at == NULL)
        return ERR_BADREQ;
    out->kind = SEEN_END;
    if (strcmp(at, "gone") == 0)
        return OK;
    out->kind = SEEN_SESSION;
    if (read_messages(&at, out) != OK || read_mark(&at, out->state) != OK ||
        at != NULL)
        return ERR_BADREQ;
    return OK;
}

/* --- digests -------------------------------------------------------------- */

static void
session_mark(uint8_t out[SEEN_MARK], const struct session *s)
{
    uint8_t digest[DIGEST_LEN];
    char text[64];
    int n = snprintf(text, sizeof(text), "%" PRIu64 " %" PRId64, s->no,
                     s->created_ms);

    digest_sha256(digest, text, (size_t)n);
    (void)memcpy(out, digest, SEEN_MARK);
}

static bool
is_session(const struct seen *seen, const struct session *s)
{
    uint8_t mark[SEEN_MARK];

    session_mark(mark, s);
    return memcmp(mark, seen->session, SEEN_MARK) == 0;
}

/* ERR_AGAIN: the context is gone meanwhile. */
static enum err
session_state(const struct seen_look *l, const struct session *s,
              uint8_t out[SEEN_MARK])
{
    uint8_t digest[DIGEST_LEN];
    struct buf b;
    enum err e = OK;

    buf_init(&b, STATE_MAX);
    buf_addf(&b, "%d %d %" PRId64 " %" PRId64 "\n", s->pinned, s->archived,
             s->expires_ms,
             s->n_messages == 0 || s->head + 1 == s->n_messages
                 ? -1
                 : (int64_t)s->head);
    buf_add(&b, s->title, strlen(s->title) + 1); /* NULs between them */
    buf_add(&b, s->model, strlen(s->model) + 1);
    buf_add(&b, s->tags, strlen(s->tags) + 1);
    if (s->has_context) {
        buf_addc(&b, 'c');
        e = store_context(l->store, l->owner, l->session_id, &b);
    }
    if (e == OK) {
        digest_sha256(digest, b.data, b.len);
        (void)memcpy(out, digest, SEEN_MARK);
    }
    buf_release(&b);
    return e == ERR_NOTFOUND ? ERR_AGAIN : e;
}

/* --- looking -------------------------------------------------------------- */

struct one {
    uint32_t seq;
    struct ident id;
    bool found;
};

static bool
take_one(void *arg, const struct message *m)
{
    struct one *one = arg;

    one->found = m->seq == one->seq;
    one->id = m->id;
    return false;
}

/* The id of a message of a session that is as it was; *s may be NULL. */
static enum err
message_id(const struct seen_look *l, const struct session *as_it_was,
           uint32_t seq, struct ident *id)
{
    struct one one = {.seq = seq};
    struct session s;
    enum err e = store_all_messages(l->store, l->owner, l->session_id, seq, 1,
                                    &s, take_one, &one);

    if (e == ERR_NOTFOUND ||
        (e == OK && (!one.found || s.no != as_it_was->no ||
                     s.n_messages < as_it_was->n_messages)))
        return ERR_AGAIN;
    *id = one.id;
    return e;
}

static void
say_end(struct seen_look *l, struct seen *now)
{
    static const struct ident none;

    now->kind = SEEN_END;
    l->calls->news(l->arg, now, NEWS_DELETED, NULL, &none);
}

static enum err
say_state(struct seen_look *l, struct seen *now, enum seen_news what,
          const struct session *s)
{
    struct ident head = {{0}};
    enum err e = OK;

    if (s->n_messages > 0)
        e = message_id(l, s, s->head, &head);
    if (e == OK)
        l->calls->news(l->arg, now, what, s, &head);
    return e;
}

/* For the first time: how it is, and nothing of what was said. */
static enum err
look_first(struct seen_look *l, struct seen *now, const struct session *s)
{
    enum err e = OK;

    (void)memset(now, 0, sizeof(*now));
    now->kind = SEEN_SESSION;
    session_mark(now->session, s);
    now->n = s->n_messages;
    if (now->n > 0)
        e = message_id(l, s, now->n - 1, &now->last);
    if (e == OK)
        e = session_state(l, s, now->state);
    return e == OK ? say_state(l, now, NEWS_SESSION, s) : e;
}

struct walk {
    struct seen_look *l;
    struct seen *now;
    uint32_t upto; /* seq */
    bool cleared;
    bool full;
};

static bool
take_message(void *arg, const struct message *m)
{
    struct walk *w = arg;

    if (m->seq + 1 == w->now->n) { /* the last one that was seen */
        w->cleared = !ident_eq(&m->id, &w->now->last);
        return !w->cleared;
    }
    if (m->seq >= w->upto)
        return false;
    w->now->n = m->seq + 1;
    w->now->last = m->id;
    w->l->calls->message(w->l->arg, w->now, m);
    w->full = w->l->out->len >= SEEN_BATCH;
    return !w->full;
}

static void
say_cleared(struct seen_look *l, struct seen *now, const struct seen *before,
            const struct session *s)
{
    static const struct ident none;

    buf_clear(l->out);
    *now = *before;
    now->n = 0;
    now->last = none;
    l->calls->news(l->arg, now, NEWS_CLEARED, s, &none);
    l->more = true;
}

/* Messages that came, then what else changed. */
static enum err
look_on(struct seen_look *l, struct seen *now, const struct session *s)
{
    struct seen before = *now;
    struct walk w = {l, now, s->n_messages, false, false};
    uint8_t state[SEEN_MARK];
    struct session later;
    enum err e;

    l->calls->begin(l->arg, s);
    e = store_all_messages(l->store, l->owner, l->session_id,
                           now->n > 0 ? now->n - 1 : 0, UINT32_MAX, &later,
                           take_message, &w);
    if (e == ERR_NOTFOUND || (e == OK && (!is_session(now, &later) ||
                                          later.branched != s->branched)))
        return ERR_AGAIN;
    if (e != OK)
        return e;
    if (w.cleared || later.n_messages < before.n) {
        say_cleared(l, now, &before, &later);
        return OK;
    }
    l->more = w.full || now->n < later.n_messages;
    if (l->more)
        return OK;
    e = session_state(l, &later, state);
    if (e != OK || memcmp(state, now->state, SEEN_MARK) == 0)
        return e;
    (void)memcpy(now->state, state, SEEN_MARK);
    return say_state(l, now, NEWS_CHANGED, &later);
}

static enum err
look_once(struct seen_look *l, struct seen *now)
{
    struct session s;
    enum err e = store_session(l->store, l->owner, l->session_id, &s);

    l->more = false;
    l->expires_ms = 0;
    if (e != OK && e != ERR_NOTFOUND)
        return e;
    if (e == ERR_NOTFOUND ||
        (now->kind == SEEN_SESSION && !is_session(now, &s))) {
        say_end(l, now);
        return OK;
    }
    l->expires_ms = s.expires_ms;
    return now->kind == SEEN_SESSION ? look_on(l, now, &s)
                                     : look_first(l, now, &s);
}

enum err
seen_look(struct seen_look *l, struct seen *seen)
{
    for (int i = 0; i < TRIES; i++) {
        struct seen now = *seen;
        enum err e = look_once(l, &now);

        if (e == OK)
            e = buf_status(l->out);
        if (e == OK) {
            *seen = now;
            return OK;
        }
        buf_clear(l->out);
        if (e != ERR_AGAIN)
            return e;
    }
    l->more = true;
    return OK;
}
