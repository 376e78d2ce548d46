/*
 * Full-text search: what the index finds is looked up in the store before it is
 * shown, since the index may lag behind it. Only a message that is still there,
 * by its id, in a session that is still there, is given. So nothing that was
 * deleted is ever seen, and a page may be shorter than its limit.
 */
#include "base/base.h"

#include "api/session_search.h"

#include "api/session_json.h"
#include "chat/index.h"
#include "chat/result.h"

#define FOUND_BODY_MAX (4 * 1024 * 1024) /* bytes */

struct found {
    struct store *store;
    const char *owner;
    const struct list_query *q;
    struct json_out *j;
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
           store_all_messages(f->store, f->owner, s->id, hit->seq, 1, NULL,
                              is_it, &id) == OK &&
           !ident_is_zero(&id);
}

/* Bytes mean nothing to who has read the snippet as a string. */
static int64_t
characters(const char *s, size_t bytes)
{
    int64_t n = 0;

    for (size_t i = 0; i < bytes; i++)
        n += ((unsigned char)s[i] & 0xc0) != 0x80;
    return n;
}

static void
put_hit(struct json_out *j, const struct search_hit *hit)
{
    json_begin_obj(j);
    json_put_ident(j, "message_id", &hit->id);
    json_put_str(j, "role", role_name((enum role)hit->role));
    json_put_time(j, "timestamp", hit->at_ms);
    json_put_strn(j, "snippet", hit->snippet, hit->snippet_len);
    json_name(j, "marks");
    json_begin_arr(j);
    for (unsigned i = 0; i < hit->n_marks; i++) {
        const struct search_mark *m = &hit->mark[i];

        json_begin_arr(j);
        json_add_i64(j, characters(hit->snippet, m->at));
        json_add_i64(j, characters(hit->snippet + m->at, m->len));
        json_end_arr(j);
    }
    json_end_arr(j);
    json_end_obj(j);
}

static bool
put_found(void *arg, const struct search_hit *hits, size_t n)
{
    struct found *f = arg;
    bool there[SEARCH_BEST] = {false}, any = false;
    struct session s;

    if (store_session(f->store, f->owner, hits[0].session_id, &s) != OK ||
        s.no != hits[0].session_no || !list_query_fits(f->q, &s))
        return true;
    for (size_t i = 0; i < n && i < SEARCH_BEST; i++)
        any |= there[i] = is_there(f, &s, &hits[i]);
    if (!any)
        return true;
    json_begin_obj(f->j);
    session_put(f->j, &s);
    json_name(f->j, "matches");
    json_begin_arr(f->j);
    for (size_t i = 0; i < n && i < SEARCH_BEST; i++)
        if (there[i])
            put_hit(f->j, &hits[i]);
    json_end_arr(f->j);
    json_end_obj(f->j);
    return true;
}

static void
search_failed(struct app *app, struct request *rq, enum err e)
{
    struct problem p = {.err = OK};

    if (e == ERR_TOOBIG)
        (void)problem_set(&p, ERR_BADREQ, "invalid_q", "The query is too long",
                          "At most %d bytes.", SEARCH_QUERY_MAX);
    else if (e == ERR_BADREQ)
        (void)problem_set(&p, e, "invalid_cursor", "Invalid cursor",
                          "Take it from 'next_cursor'.");
    else
        (void)problem_set(&p, e == ERR_STORE ? ERR_BUSY : e, "search_failed",
                          "The search does not work for now",
                          "Try again in a moment.");
    app_fail(app, rq, &p);
}

void
session_search(struct app *app, struct request *rq, const struct list_query *q)
{
    struct search_ask ask = {
        .owner = app_owner(rq),
        .q = q->q,
        .q_len = strlen(q->q),
        .limit = (uint32_t)q->limit,
        .cursor = q->cursor,
    };
    char next[SEARCH_CURSOR_MAX] = "";
    struct json_out j;
    struct found f = {engine_store(app->en), ask.owner, q, &j};
    bool whole = true;
    struct buf body;
    enum err e = OK;

    buf_init(&body, FOUND_BODY_MAX);
    json_out_init(&j, &body);
    json_begin_obj(&j);
    json_name(&j, "sessions");
    json_begin_arr(&j);
    if (app_lists(rq))
        e = index_query(engine_index(app->en), &ask, next, put_found, &f,
                        &whole);
    json_end_arr(&j);
    json_put_str(&j, "next_cursor", next[0] != '\0' ? next : NULL);
    json_put_bool(&j, "complete", whole);
    json_end_obj(&j);
    if (e != OK) {
        buf_release(&body);
        search_failed(app, rq, e);
        return;
    }
    app_json(app, rq, 200, &body);
}
