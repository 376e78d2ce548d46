/*
 * What was found and is there. The lookups are point reads: the session, and
 * each of its messages by the number that the index has of it.
 */
#include "base/base.h"

#include "chat/found.h"

#include "chat/engine.h"
#include "chat/index.h"

struct found {
    struct store *store;
    const struct found_ask *ask;
    found_fn *fn;
    void *arg;
};

static bool
is_it(void *arg, const struct message *m)
{
    struct ident *id = arg;

    if (!ident_eq(id, &m->id))
        memset(id, 0, sizeof(*id));
    return false;
}

static bool
is_there(const struct found *f, const struct session *s,
         const struct search_hit *hit)
{
    struct ident id = hit->id;

    return hit->seq < s->n_messages &&
           store_all_messages(f->store, s->owner, s->id, hit->seq, 1, NULL,
                              is_it, &id) == OK &&
           !ident_is_zero(&id);
}

static bool
on_hits(void *arg, const struct search_hit *hits, size_t n)
{
    struct search_hit there[SEARCH_BEST];
    const struct found *f = arg;
    struct session s;
    size_t n_there = 0;

    if (store_session(f->store, f->ask->search.owner, hits[0].session_id, &s) !=
            OK ||
        s.no != hits[0].session_no ||
        (f->ask->wanted != NULL && !f->ask->wanted(f->arg, &s)))
        return true;
    for (size_t i = 0; i < n && n_there < COUNT_OF(there); i++)
        if (is_there(f, &s, &hits[i]))
            there[n_there++] = hits[i];
    return n_there == 0 || f->fn(f->arg, &s, there, n_there);
}

enum err
found_query(struct engine *en, const struct found_ask *ask,
            char next[SEARCH_CURSOR_MAX], found_fn *fn, void *arg, bool *whole)
{
    struct found f = {engine_store(en), ask, fn, arg};
    uint64_t session_no = 0;
    struct session s;
    enum err e;

    *whole = false;
    next[0] = '\0';
    if (ask->session_id != NULL) {
        e = store_session(f.store, ask->search.owner, ask->session_id, &s);
        if (e != OK)
            return e;
        session_no = s.no;
    }
    return index_query(engine_index(en), &ask->search, session_no, next,
                       on_hits, &f, whole);
}

void
found_problem(struct problem *p, enum err e)
{
    if (e == ERR_TOOBIG)
        (void)problem_set(p, ERR_BADREQ, "invalid_q", "The query is too long",
                          "At most %d bytes.", SEARCH_QUERY_MAX);
    else if (e == ERR_BADREQ)
        (void)problem_set(p, e, "invalid_cursor", "Invalid cursor",
                          "Take it from 'next_cursor'.");
    else
        (void)problem_set(p, e == ERR_STORE ? ERR_BUSY : e, "search_failed",
                          "The search does not work for now",
                          "Try again in a moment.");
}
