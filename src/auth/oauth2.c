/*
 * Fetches of tokens. A fetch is one request, or two if the server wants the
 * client's secret in the other place, for one login of one session, and those
 * who wait for it. There are few at a time: they are in a list. Tokens are not
 * kept here but with the login they belong to, so whatever forgets the login
 * (a logout, the session's last connection, time) forgets its token, and what
 * arrives after that is given to nobody.
 *
 * Nothing is renewed before somebody wants it: a session that lies idle asks
 * its token server for nothing.
 */
#include "base/base.h"

#include "auth/oauth2.h"

#include "auth/oauth2_wire.h"
#include "base/log.h"
#include "base/mem.h"

struct oauth2_fetch {
    struct oauth2_fetch *prev, *next;
    struct oauth2 *o;
    struct credentials *c; /* owned; the token in it is the one before */
    char *owner, *session_id;
    bool sign_in; /* keep the login as well, if it is right */
    struct transfer *transfer;
    struct buf reply;
    int status;
    int64_t start_ms;
    struct oauth2_wait *waits;
    bool ended;  /* those who wait are being told */
    bool doomed; /* oauth2_forget is about to end it */
};

struct oauth2 {
    struct oauth2_config is;
    struct oauth2_fetch *fetches;
    size_t n_fetches;
};

/* --- life ----------------------------------------------------------------- */

static int
bounded(int ms)
{
    return ms > 0 && ms < OAUTH2_TOTAL_MS ? ms : OAUTH2_TOTAL_MS;
}

struct oauth2 *
oauth2_new(const struct oauth2_config *c)
{
    struct oauth2 *o = xcalloc(1, sizeof(*o));
    struct transfer_limits *lim = &o->is.limits;

    o->is = *c;
    lim->connect_ms = bounded(lim->connect_ms);
    lim->first_byte_ms = bounded(lim->first_byte_ms);
    lim->idle_ms = bounded(lim->idle_ms);
    lim->total_ms = bounded(lim->total_ms);
    return o;
}

static void
fetch_unlink(struct oauth2_fetch *f)
{
    struct oauth2 *o = f->o;

    if (f->prev != NULL)
        f->prev->next = f->next;
    else
        o->fetches = f->next;
    if (f->next != NULL)
        f->next->prev = f->prev;
    o->n_fetches--;
}

static void
fetch_free(struct oauth2_fetch *f)
{
    transfer_cancel(f->transfer);
    credentials_free(f->c);
    free(f->owner);
    free(f->session_id);
    buf_wipe(&f->reply);
    free(f);
}

void
oauth2_free(struct oauth2 *o)
{
    if (o == NULL)
        return;
    while (o->fetches != NULL) {
        struct oauth2_fetch *f = o->fetches;

        while (f->waits != NULL) {
            f->waits->fetch = NULL;
            f->waits = f->waits->next;
        }
        fetch_unlink(f);
        fetch_free(f);
    }
    free(o);
}

/* --- those who wait ------------------------------------------------------- */

static void
wait_add(struct oauth2_fetch *f, struct oauth2_wait *w)
{
    assert(w->fetch == NULL && w->fn != NULL);
    w->fetch = f;
    w->prev = NULL;
    w->next = f->waits;
    if (w->next != NULL)
        w->next->prev = w;
    f->waits = w;
}

static void
wait_remove(struct oauth2_wait *w)
{
    struct oauth2_fetch *f = w->fetch;

    if (w->prev != NULL)
        w->prev->next = w->next;
    else
        f->waits = w->next;
    if (w->next != NULL)
        w->next->prev = w->prev;
    w->fetch = NULL;
}

void
oauth2_wait_cancel(struct oauth2_wait *w)
{
    struct oauth2_fetch *f = w->fetch;

    if (f == NULL)
        return;
    wait_remove(w);
    if (f->waits == NULL && !f->ended) {
        fetch_unlink(f);
        fetch_free(f);
    }
}

/* The fetch is over; token NULL: why says why. */
static void
finish(struct oauth2_fetch *f, const char *token, const struct problem *why)
{
    fetch_unlink(f);
    f->ended = true;
    transfer_cancel(f->transfer);
    f->transfer = NULL;
    while (f->waits != NULL) {
        struct oauth2_wait *w = f->waits;

        wait_remove(w);
        w->fn(w, token, why);
    }
    fetch_free(f);
}

/* --- how a fetch ends ----------------------------------------------------- */

static bool
good_until(const struct credentials *c, int64_t now_ms, int64_t early_ms)
{
    return c->token != NULL && now_ms < c->until_ms - early_ms;
}

/* Not yet to be renewed. */
static bool
is_fresh(const struct credentials *c, int64_t now_ms)
{
    int64_t tenth_ms = (c->until_ms - c->born_ms) / 10;

    return good_until(c, now_ms,
                      tenth_ms < OAUTH2_EARLY_MS ? tenth_ms : OAUTH2_EARLY_MS);
}

static void
fail(struct oauth2_fetch *f, const struct problem *why)
{
    log_warn("oauth2.failed", "status=%d code=%s", f->status, why->code);
    if (!f->sign_in && good_until(f->c, loop_now_ms(f->o->is.loop), 0))
        finish(f, f->c->token, NULL); /* the one before does for now */
    else
        finish(f, NULL, why);
}

/* Keep what came, if somebody is still there who it is for. */
static enum err
keep(struct oauth2_fetch *f, struct problem *why)
{
    struct oauth2 *o = f->o;
    struct credentials *c;
    enum err e;

    if (!f->sign_in)
        return credentials_renew(o->is.box, f->owner, f->session_id, f->c)
                   ? OK
                   : problem_set(why, ERR_AUTH, "signed_out", "Signed out",
                                 "The session has no such login any more.");
    c = credentials_copy(f->c);
    e = credentials_put(o->is.box, f->owner, f->session_id, &c,
                        loop_now_ms(o->is.loop));
    return e == OK ? OK : problem_set(why, e, NULL, NULL, NULL);
}

static void
succeed(struct oauth2_fetch *f, struct oauth2_reply *reply)
{
    int64_t now_ms = loop_now_ms(f->o->is.loop);
    struct problem why = {.err = OK};

    mem_free_secret(f->c->token);
    f->c->token = reply->token;
    reply->token = NULL;
    f->c->born_ms = f->start_ms; /* the server counts from before it answers */
    f->c->until_ms = f->start_ms + reply->life_s * 1000;
    log_info("oauth2.token", "ms=%" PRId64 " life_s=%" PRId64,
             now_ms - f->start_ms, reply->life_s);
    if (keep(f, &why) != OK)
        finish(f, NULL, &why);
    else
        finish(f, f->c->token, NULL);
}

/* --- requests ------------------------------------------------------------- */

static enum err send_request(struct oauth2_fetch *f, struct problem *why);

static void
on_head(void *arg, const struct upstream_head *head)
{
    struct oauth2_fetch *f = arg;

    f->status = head->status;
}

static void
on_data(void *arg, const char *p, size_t n)
{
    struct oauth2_fetch *f = arg;
    struct problem why = {.err = OK};

    buf_add(&f->reply, p, n);
    if (buf_status(&f->reply) == OK)
        return;
    (void)problem_set(&why, ERR_UPSTREAM, "token_server_failed",
                      "The token server's reply is not understood",
                      "It is too long.");
    fail(f, &why);
}

static void
on_done(void *arg, const struct transfer_result *r)
{
    struct oauth2_fetch *f = arg;
    struct oauth2_reply reply = {.token = NULL};
    struct problem why = {.err = OK};
    bool bad = f->status >= 400;
    enum err e;

    f->transfer = NULL;
    if (r->end != TRANSFER_COMPLETE) {
        log_warn("oauth2.unreached", "reason=\"%s\"", LOG_TEXT(r->reason));
        (void)oauth2_unreached(r->end, &why);
        fail(f, &why);
        return;
    }
    e = oauth2_reply_read(f->status, bad ? r->error_body : f->reply.data,
                          bad ? r->error_len : f->reply.len, &reply, &why);
    if (e != OK && reply.refused_client && !f->c->in_body) {
        f->c->in_body = true;
        e = send_request(f, &why);
        if (e == OK)
            return;
    }
    if (e == OK)
        succeed(f, &reply);
    else
        fail(f, &why);
    oauth2_reply_release(&reply);
}

/* The list of hosts may be checked again at each request: it costs little. */
static enum err
send_request(struct oauth2_fetch *f, struct problem *why)
{
    static const struct transfer_calls calls = {
        .head = on_head, .data = on_data, .done = on_done};
    struct oauth2 *o = f->o;
    struct upstream_request q;
    enum guard_class also;
    enum err e = guard_url(f->c->token_url, o->is.hosts, &also, why);

    if (e != OK)
        return e;
    oauth2_request(f->c, &q);
    q.guarded = true;
    q.guard_also = also;
    f->status = 0;
    f->start_ms = loop_now_ms(o->is.loop);
    buf_clear(&f->reply);
    f->transfer = transfer_start(o->is.transfers, &q, &o->is.limits, &calls, f);
    upstream_request_release(&q);
    return f->transfer != NULL ? OK
                               : problem_set(why, ERR_BADREQ, "invalid_url",
                                             "The URL is not valid", "%s", "");
}

/* --- asking --------------------------------------------------------------- */

static bool
is_of(const struct oauth2_fetch *f, const char *owner, const char *session_id)
{
    return strcmp(f->owner, owner) == 0 &&
           strcmp(f->session_id, session_id) == 0;
}

/* Wait for the token of this login: of the request that is under way, or of a
 * new one. Takes c. */
static enum err
fetch_join(struct oauth2 *o, const char *owner, const char *session_id,
           struct credentials *c, struct oauth2_fetch **out,
           struct problem *why)
{
    struct oauth2_fetch *f = o->fetches;
    enum err e;

    while (f != NULL &&
           !(is_of(f, owner, session_id) && credentials_same(f->c, c)))
        f = f->next;
    *out = f;
    if (f != NULL || o->n_fetches == OAUTH2_FETCHES_MAX) {
        credentials_free(c);
        return f != NULL ? OK : problem_set(why, ERR_BUSY, NULL, NULL, NULL);
    }
    f = xcalloc(1, sizeof(*f));
    f->o = o;
    f->c = c;
    f->owner = xstrdup(owner);
    f->session_id = xstrdup(session_id);
    buf_init_secret(&f->reply, OAUTH2_REPLY_MAX);
    e = send_request(f, why);
    if (e != OK) {
        fetch_free(f);
        return e;
    }
    f->next = o->fetches;
    if (f->next != NULL)
        f->next->prev = f;
    o->fetches = f;
    o->n_fetches++;
    *out = f;
    return OK;
}

/* End the session's fetches, but those of the login `but` (may be NULL). Who is
 * told may begin others, which stay. */
static void
end_all(struct oauth2 *o, const char *owner, const char *session_id,
        const struct credentials *but, const char *sentence)
{
    struct problem why = {.err = OK};
    struct oauth2_fetch *f;

    (void)problem_set(&why, ERR_CONFLICT, "signed_out", sentence, "%s", "");
    for (f = o->fetches; f != NULL; f = f->next)
        f->doomed = is_of(f, owner, session_id) &&
                    (but == NULL || !credentials_same(f->c, but));
    for (f = o->fetches; f != NULL;)
        if (f->doomed) {
            finish(f, NULL, &why);
            f = o->fetches; /* it may be another list now */
        } else {
            f = f->next;
        }
}

enum err
oauth2_sign_in(struct oauth2 *o, const char *owner, const char *session_id,
               struct credentials **c, struct oauth2_wait *w,
               struct problem *why)
{
    int64_t now_ms = loop_now_ms(o->is.loop);
    struct credentials *has = credentials_find(o->is.box, owner, session_id,
                                               now_ms);
    bool fresh = has != NULL && credentials_same(has, *c) &&
                 is_fresh(has, now_ms);
    struct oauth2_fetch *f;
    enum err e;

    credentials_free(has);
    end_all(o, owner, session_id, *c, "Other credentials were given");
    if (fresh) {
        credentials_free(*c);
        *c = NULL;
        return OK;
    }
    e = fetch_join(o, owner, session_id, *c, &f, why);
    *c = NULL;
    if (e != OK)
        return e;
    f->sign_in = true;
    wait_add(f, w);
    return ERR_AGAIN;
}

enum err
oauth2_bearer(struct oauth2 *o, const char *owner, const char *session_id,
              char **token, struct oauth2_wait *w, struct problem *why)
{
    int64_t now_ms = loop_now_ms(o->is.loop);
    struct credentials *c = credentials_find(o->is.box, owner, session_id,
                                             now_ms);
    struct oauth2_fetch *f;
    enum err e;

    if (c == NULL || c->kind != CREDENTIALS_OAUTH2) {
        credentials_free(c);
        return problem_set(why, ERR_NOTFOUND, "not_signed_in", "Not signed in",
                           "The session has no OAuth2 login.");
    }
    if (is_fresh(c, now_ms)) {
        *token = xstrdup(c->token);
        credentials_free(c);
        return OK;
    }
    e = fetch_join(o, owner, session_id, c, &f, why);
    if (e != OK)
        return e;
    wait_add(f, w);
    return ERR_AGAIN;
}

void
oauth2_forget(struct oauth2 *o, const char *owner, const char *session_id,
              const char *sentence)
{
    end_all(o, owner, session_id, NULL, sentence);
}
