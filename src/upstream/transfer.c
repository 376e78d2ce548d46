/*
 * Transfers: curl's multi interface on our loop. The loop thread runs all of
 * it; nothing here blocks. This file is their life and their time; how one
 * request looks to curl is in transfer_easy.c, descriptors are in
 * transfer_watch.c.
 *
 * curl must not be called from inside its own callbacks, but the owner of a
 * transfer may cancel it or start others there. So while curl runs, both are
 * only noted, and settle() does them after it returned. settle() also reads
 * curl's finished transfers: done is always called outside of curl.
 *
 * The times for the first byte and for silence are not curl's: one coarse
 * tick compares the time of the last byte of all running transfers, so that
 * a chunk costs no timer work. They are precise to TICK_MS.
 *
 * Easy handles are kept for the next transfer; connections live in the multi
 * handle and are reused whoever opened them. TLS sessions are shared.
 */
#include "base/base.h"

#include "upstream/transfer_impl.h"

#include "base/log.h"
#include "base/mem.h"
#include "upstream/head.h"

#define TICK_MS 250
#define CONNECTIONS_MAX 1024L /* idle connections kept */

/* --- life -------------------------------------------------------------- */

void
transfer_give_up(struct transfer *t, enum transfer_end end, const char *why)
{
    if (t->verdict == NULL) {
        t->verdict = why;
        t->end = end;
    }
}

static void
transfer_unlink(struct transfer *t)
{
    struct transfers *ts = t->ts;

    if (ts->walk == t)
        ts->walk = t->next;
    if (t->prev != NULL)
        t->prev->next = t->next;
    else
        ts->running = t->next;
    if (t->next != NULL)
        t->next->prev = t->prev;
    assert(ts->n_running > 0);
    if (--ts->n_running == 0)
        loop_timer_clear(ts->loop, &ts->tick);
}

/* Keep the handle for the next transfer, if it is as good as new. One that
 * shared its HTTP/2 connection to the end may hold its receive buffer still,
 * and refuses to be told the size of it, which the reset made curl forget. */
static void
easy_put(struct transfers *ts, CURL *easy)
{
    if (ts->n_pool < TRANSFER_POOL_MAX) {
        curl_easy_reset(easy);
        if (transfer_buffer_size(easy)) {
            ts->pool[ts->n_pool++] = easy;
            return;
        }
    }
    curl_easy_cleanup(easy);
}

/* Take the handle back from curl. An unfinished one closes its connection, or
 * resets its stream if it shares one, at once. */
static void
transfer_detach(struct transfer *t)
{
    struct transfers *ts = t->ts;

    if (t->added && !t->over)
        transfer_break_off(t);
    else if (t->added)
        (void)curl_multi_remove_handle(ts->multi, t->easy);
    t->added = false;
    if (t->easy != NULL)
        easy_put(ts, t->easy);
    t->easy = NULL;
}

static void
transfer_free(struct transfer *t)
{
    transfer_detach(t);
    transfer_drop_out(t);
    buf_release(&t->error);
    free(t);
}

/* A file of authorities that cannot be read trusts nobody. */
static bool
is_distrust(CURLcode rc)
{
    return rc == CURLE_PEER_FAILED_VERIFICATION ||
           rc == CURLE_SSL_CACERT_BADFILE;
}

/* The other side left: so does a proxy whose server is down. */
static bool
is_loss(CURLcode rc)
{
    return rc == CURLE_GOT_NOTHING || rc == CURLE_SEND_ERROR ||
           rc == CURLE_RECV_ERROR;
}

static enum transfer_end
classify(const struct transfer *t, CURLcode rc)
{
    curl_off_t connected_us = 0;

    if (rc == CURLE_OK)
        return t->head_done ? TRANSFER_COMPLETE : TRANSFER_FAILED;
    if (curl_easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME_T,
                          &connected_us) != CURLE_OK ||
        connected_us == 0)
        return t->guard_refused  ? TRANSFER_FORBIDDEN
               : is_distrust(rc) ? TRANSFER_UNTRUSTED
                                 : TRANSFER_CONNECT;
    if (rc == CURLE_OPERATION_TIMEDOUT)
        return TRANSFER_TIMEOUT;
    if (t->head_done)
        return TRANSFER_CUT;
    return is_loss(rc) ? TRANSFER_CONNECT : TRANSFER_FAILED;
}

/* Outside of curl: tell the owner, once, and free. */
static void
finish(struct transfer *t, CURLcode rc)
{
    struct transfer_result r = {0};

    if (t->verdict != NULL) {
        r.end = t->end;
        r.reason = t->verdict;
    } else {
        r.end = classify(t, rc);
        r.reason = t->out != NULL && t->out->reason[0] != '\0'
                       ? t->out->reason
                       : curl_easy_strerror(rc);
    }
    if (t->head_done) {
        r.head = &t->head;
        r.error_body = t->error.len > 0 ? buf_cstr(&t->error) : "";
        r.error_len = t->error.len;
    }
    t->gone = true;
    transfer_unlink(t);
    transfer_detach(t);
    t->calls.done(t->arg, &r);
    transfer_free(t);
}

/* Put it on the list of what curl's callbacks may not do. */
static void
note(struct transfer *t)
{
    if (t->noted)
        return;
    t->noted = true;
    t->later = t->ts->later;
    t->ts->later = t;
}

/* Hand the handle to curl; only its timer callback can come of it. */
static bool
transfer_add(struct transfer *t)
{
    CURLMcode rc = curl_multi_add_handle(t->ts->multi, t->easy);

    t->added = rc == CURLM_OK;
    if (!t->added)
        log_error("upstream.add", "reason=\"%s\"", curl_multi_strerror(rc));
    return t->added;
}

/* What was noted while curl ran. */
static void
settle_later(struct transfers *ts)
{
    struct transfer *t;

    while ((t = ts->later) != NULL) {
        ts->later = t->later;
        t->later = NULL;
        t->noted = false;
        if (t->gone) {
            transfer_unlink(t);
            transfer_free(t);
        } else if (!t->added && !transfer_add(t)) {
            transfer_give_up(t, TRANSFER_FAILED, "curl refused the transfer");
            finish(t, CURLE_FAILED_INIT);
        }
    }
}

/* After curl ran: everything that had to wait. */
static void
settle(struct transfers *ts)
{
    struct transfer *t;
    CURLMsg *m;
    int left;

    settle_later(ts);
    while ((m = curl_multi_info_read(ts->multi, &left)) != NULL) {
        CURLcode rc = m->data.result;
        char *private = NULL;

        if (m->msg != CURLMSG_DONE ||
            curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &private) !=
                CURLE_OK ||
            private == NULL)
            continue;
        t = (struct transfer *)(void *)private;
        t->over = true;
        finish(t, rc);
        settle_later(ts);
    }
}

void
transfers_run(struct transfers *ts, curl_socket_t fd, int what)
{
    CURLMcode rc;
    int running;

    assert(!ts->in_curl);
    ts->in_curl = true;
    rc = curl_multi_socket_action(ts->multi, fd, what, &running);
    ts->in_curl = false;
    if (rc != CURLM_OK)
        log_error("upstream.action", "reason=\"%s\"", curl_multi_strerror(rc));
    settle(ts);
}

/* --- timers ------------------------------------------------------------ */

static void
on_alarm(struct loop_timer *alarm)
{
    transfers_run(alarm->arg, CURL_SOCKET_TIMEOUT, 0);
}

static int
on_timer(CURLM *multi, long ms, void *arg)
{
    struct transfers *ts = arg;

    (void)multi;
    if (ms < 0)
        loop_timer_clear(ts->loop, &ts->alarm);
    else
        loop_timer_set(ts->loop, &ts->alarm, loop_now_ms(ts->loop) + ms);
    return 0;
}

static const char *
overdue(const struct transfer *t, int64_t now_ms)
{
    if (t->byte_ms == 0) {
        if (t->lim.first_byte_ms > 0 &&
            now_ms - t->start_ms >= t->lim.first_byte_ms)
            return "no first byte in time";
    } else if (t->lim.idle_ms > 0 && now_ms - t->byte_ms >= t->lim.idle_ms) {
        return "silent for too long";
    }
    return NULL;
}

static void
on_tick(struct loop_timer *tick)
{
    struct transfers *ts = tick->arg;
    int64_t now_ms = loop_now_ms(ts->loop);
    struct transfer *t;

    ts->walk = ts->running;
    while ((t = ts->walk) != NULL) {
        const char *why = overdue(t, now_ms);

        ts->walk = t->next;
        if (why != NULL) {
            transfer_give_up(t, TRANSFER_TIMEOUT, why);
            finish(t, CURLE_OPERATION_TIMEDOUT);
        }
    }
    if (ts->n_running > 0)
        loop_timer_set(ts->loop, tick, now_ms + TICK_MS);
}

/* --- start ------------------------------------------------------------- */

static CURL *
easy_get(struct transfers *ts)
{
    return ts->n_pool > 0 ? ts->pool[--ts->n_pool] : curl_easy_init();
}

static void
transfer_link(struct transfer *t)
{
    struct transfers *ts = t->ts;

    t->next = ts->running;
    if (t->next != NULL)
        t->next->prev = t;
    ts->running = t;
    if (ts->n_running++ == 0)
        loop_timer_set(ts->loop, &ts->tick, t->start_ms + TICK_MS);
}

/* curl and the libraries below it take milliseconds and megabytes to start: not
 * before they are needed. */
static void
start_curl(struct transfers *ts)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    ts->multi = curl_multi_init();
    ts->share = curl_share_init();
    if (ts->multi == NULL || ts->share == NULL) {
        log_error("upstream.init", "reason=\"curl does not start\"");
        abort();
    }
    (void)curl_share_setopt(ts->share, CURLSHOPT_SHARE,
                            CURL_LOCK_DATA_SSL_SESSION);
    (void)curl_multi_setopt(ts->multi, CURLMOPT_SOCKETFUNCTION,
                            transfer_on_socket);
    (void)curl_multi_setopt(ts->multi, CURLMOPT_SOCKETDATA, ts);
    (void)curl_multi_setopt(ts->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    (void)curl_multi_setopt(ts->multi, CURLMOPT_TIMERDATA, ts);
    (void)curl_multi_setopt(ts->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_MAX);
}

struct transfer *
transfer_start(struct transfers *ts, struct upstream_request *q,
               const struct transfer_limits *lim,
               const struct transfer_calls *calls, void *arg)
{
    struct transfer *t = xcalloc(1, sizeof(*t));

    assert(calls->done != NULL);
    if (ts->multi == NULL)
        start_curl(ts);
    t->ts = ts;
    t->out = xcalloc(1, sizeof(*t->out));
    t->out->q = *q;
    upstream_request_init(q, q->body.max);
    t->lim = *lim;
    t->calls = *calls;
    t->arg = arg;
    t->start_ms = loop_now_ms(ts->loop);
    buf_init(&t->error, TRANSFER_ERROR_MAX + 1);
    upstream_head_init(&t->head);
    t->easy = easy_get(ts);
    if (t->easy == NULL || !transfer_set_up(t)) {
        log_error("upstream.refused", "reason=\"not a usable URL\"");
        transfer_free(t);
        return NULL;
    }
    if (!ts->in_curl && !transfer_add(t)) {
        transfer_free(t);
        return NULL;
    }
    transfer_link(t);
    if (ts->in_curl)
        note(t);
    return t;
}

void
transfer_cancel(struct transfer *t)
{
    if (t == NULL || t->gone)
        return;
    t->gone = true;
    if (t->ts->in_curl || t->noted) {
        note(t);
        return;
    }
    transfer_unlink(t);
    transfer_free(t);
}

/* --- all of them ------------------------------------------------------- */

struct transfers *
transfers_new(struct loop *l)
{
    struct transfers *ts = xcalloc(1, sizeof(*ts));

    ts->loop = l;
    ts->alarm.fn = on_alarm;
    ts->alarm.arg = ts;
    ts->tick.fn = on_tick;
    ts->tick.arg = ts;
    return ts;
}

void
transfers_free(struct transfers *ts)
{
    if (ts == NULL)
        return;
    assert(!ts->in_curl);
    settle_later(ts);
    while (ts->running != NULL)
        transfer_cancel(ts->running);
    if (ts->multi != NULL) {
        (void)curl_multi_cleanup(ts->multi);
        for (size_t i = 0; i < ts->n_pool; i++)
            curl_easy_cleanup(ts->pool[i]);
        (void)curl_share_cleanup(ts->share);
        curl_global_cleanup();
    }
    loop_timer_clear(ts->loop, &ts->alarm);
    loop_timer_clear(ts->loop, &ts->tick);
    transfers_unwatch(ts);
    free(ts->ca_file);
    free(ts);
}

void
transfers_trust(struct transfers *ts, const char *ca_file)
{
    free(ts->ca_file);
    ts->ca_file = ca_file[0] != '\0' ? xstrdup(ca_file) : NULL;
}

size_t
transfers_running(const struct transfers *ts)
{
    return ts->n_running;
}

uint64_t
transfers_connections(const struct transfers *ts)
{
    return ts->n_opened;
}
