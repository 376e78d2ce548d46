/*
 * The index holds the first messages of a session, without gaps: so its last
 * one says how far it has read, and by that message's id it is seen whether
 * they are still the same. After every batch the session is looked at again,
 * until there is nothing to add. So whatever happens meanwhile, in whichever
 * process (the session grows, is cleared, is made anew), the last look finds
 * it: who clears a session takes it out of the index after the store did, and
 * who added old messages after that sees them when he looks.
 *
 * So it is with a session that was given to another owner: who meets it in the
 * index under another name adds it anew, which replaces what is there; and who
 * added it under the name that it had looks again under the one that it has.
 */
#include "base/base.h"

#include "chat/index_feed.h"

#include "base/mem.h"
#include "base/text.h"

/* Messages on their way. */
struct batch {
    struct search_message m[FEED_MESSAGES];
    size_t n, bytes;
    const struct session *s;
    bool known;        /* the index has the first one that is read, */
    struct ident last; /* by this id, */
    uint32_t from;     /* at this seq */
    bool foreign;      /* but as another owner's */
    bool changed;      /* it is another one */
    bool looked;
};

static bool
take(void *arg, const struct message *m)
{
    struct batch *b = arg;
    struct search_message *to = &b->m[b->n];
    size_t len = m->text_len < FEED_TEXT_MAX
                     ? m->text_len
                     : utf8_whole(m->text, FEED_TEXT_MAX);

    if (b->known && !b->looked) {
        b->looked = true;
        b->changed = m->seq != b->from || !ident_eq(&m->id, &b->last);
        return !b->changed;
    }
    if (b->n == FEED_MESSAGES || (b->n > 0 && b->bytes + len > FEED_BYTES))
        return false;
    *to = (struct search_message){
        .id = m->id,
        .seq = m->seq,
        .role = m->role,
        .at_ms = m->at_ms,
        .text = xmemdup0(m->text, len),
        .text_len = len,
    };
    b->bytes += len;
    b->n++;
    return true;
}

static void
batch_empty(struct batch *b)
{
    for (size_t i = 0; i < b->n; i++)
        free((void *)(uintptr_t)b->m[i].text);
    b->n = b->bytes = 0;
}

/* Read on behind what the index has; false: the store has no such session. */
static bool
batch_read(struct feed *f, struct batch *b, struct session *s,
           const char *owner, const char *id)
{
    b->looked = b->changed = false;
    if (store_all_messages(f->store, owner, id, b->from, FEED_MESSAGES + 1, s,
                           take, b) != OK)
        return false;
    b->changed |= b->known && !b->looked; /* there is none any more */
    for (size_t i = 0; i < b->n; i++) {
        b->m[i].owner = s->owner;
        b->m[i].session_id = s->id;
        b->m[i].session_no = s->no;
    }
    return true;
}

/* What the index has of a session. One without messages has nothing to replace
 * those that it holds as another's: they are to be taken out. */
static enum err
batch_known(struct feed *f, struct batch *b, const struct session *s)
{
    char owner[STORE_OWNER_MAX + 1];
    enum err e = search_last(f->search, s->no, &b->from, &b->last, owner);

    b->known = e == OK;
    b->foreign = e == OK && s->n_messages > 0 && strcmp(owner, s->owner) != 0;
    if (b->foreign)
        b->known = false;
    if (!b->known)
        b->from = 0;
    return e == ERR_NOTFOUND ? OK : e;
}

/* The session as the store has it. If something of it was added, it may be
 * another's meanwhile: then that one is its owner. */
static bool
find_session(struct feed *f, char owner[STORE_OWNER_MAX + 1], const char *id,
             bool added, struct session *s)
{
    enum err e = store_session(f->store, owner, id, s);

    if (e == ERR_NOTFOUND && added &&
        store_session_owner(f->store, id, owner) == OK)
        e = store_session(f->store, owner, id, s);
    return e == OK && !s->temporary;
}

/* Put the batch into the index, or take the session out. */
static enum err
batch_write(struct feed *f, struct batch *b, uint64_t no)
{
    enum err e = OK;

    if (b->changed)
        e = search_clear(f->search, &no, 1);
    else if (b->n > 0)
        e = search_add(f->search, b->m, b->n, SEARCH_CURSOR_KEEP);
    f->bytes += b->bytes;
    f->added += e == OK ? b->n : 0;
    f->dropped += b->changed;
    return e;
}

enum err
feed_session(struct feed *f, const char *owner, const char *id)
{
    struct batch *b = xmalloc(sizeof(*b));
    char whose[STORE_OWNER_MAX + 1];
    struct session s;
    enum err e = OK;
    bool more = true, added = false, ever = false;

    (void)snprintf(whose, sizeof(whose), "%s", owner);
    b->n = b->bytes = 0;
    while (e == OK && more && find_session(f, whose, id, ever, &s)) {
        uint64_t no = s.no;

        e = batch_known(f, b, &s);
        /* Nothing to do; or it takes nothing of one that was forgotten. */
        if (e != OK ||
            (!b->known && !b->foreign && (s.n_messages == 0 || added)))
            break;
        if (!batch_read(f, b, &s, whose, id)) {
            batch_empty(b);
            if (!ever || store_session(f->store, whose, id, &s) != ERR_NOTFOUND)
                break;
            continue; /* it was given away */
        }
        if (s.no != no) { /* another one by now */
            batch_empty(b);
            continue;
        }
        more = b->changed || b->n > 0;
        added = b->n > 0;
        ever |= added;
        e = batch_write(f, b, no);
        batch_empty(b);
    }
    batch_empty(b);
    free(b);
    return e;
}

/* --- steps through all ---------------------------------------------------- */

struct one {
    char owner[STORE_OWNER_MAX + 1];
    char id[IDENT_SESSION_MAX + 1];
};

struct step {
    struct one one[FEED_STEP];
    size_t n;
};

static bool
take_one(void *arg, const struct session *s)
{
    struct step *step = arg;
    struct one *o = &step->one[step->n];

    (void)snprintf(o->owner, sizeof(o->owner), "%s", s->owner);
    (void)snprintf(o->id, sizeof(o->id), "%s", s->id);
    return ++step->n < FEED_STEP;
}

enum err
feed_each(struct store *store, uint64_t *from, feed_fn *fn, void *arg)
{
    struct step *step = xmalloc(sizeof(*step));
    enum err e = OK;
    uint64_t next;

    step->n = 0;
    if (store_walk(store, *from, FEED_STEP, &next, take_one, step) != OK)
        next = 0;
    for (size_t i = 0; i < step->n && e == OK; i++)
        e = fn(arg, step->one[i].owner, step->one[i].id);
    if (e == OK)
        *from = next;
    free(step);
    return e;
}

static enum err
fill_one(void *arg, const char *owner, const char *id)
{
    return feed_session(arg, owner, id);
}

enum err
feed_fill(struct feed *f, uint64_t *from)
{
    return feed_each(f->store, from, fill_one, f);
}

static bool
take_no(void *arg, const struct session *s)
{
    *(uint64_t *)arg = s->no;
    return false;
}

/* The store is asked after the index, so what is new is in both. */
enum err
feed_trim(struct feed *f, uint64_t *from)
{
    uint64_t no[FEED_STEP], gone[FEED_STEP], have, next;
    size_t n, n_gone = 0;
    enum err e = search_sessions(f->search, *from, no, FEED_STEP, &n);

    for (size_t i = 0; e == OK && i < n; i++) {
        have = 0;
        if (store_walk(f->store, no[i], 1, &next, take_no, &have) != OK)
            return OK; /* it cannot be told */
        if (have != no[i])
            gone[n_gone++] = no[i];
    }
    /* Without any, it wipes what somebody who died has forgotten. */
    if (e == OK && (n_gone > 0 || n < FEED_STEP))
        e = search_clear(f->search, gone, n_gone);
    if (e != OK)
        return e;
    f->dropped += n_gone;
    *from = n == FEED_STEP ? no[n - 1] + 1 : 0;
    return OK;
}
