/*
 * One request as curl sees it: its options, and what curl calls back while the
 * reply comes in.
 *
 * Memory of a waiting stream is what limits their number: the receive buffer
 * is small, nothing is gathered, headers are not copied, and the request's
 * body is freed as soon as the reply has begun and all of it was sent.
 *
 * Certificates are checked against one file and no folder: curl keeps what it
 * read of a file for the next connections, but with a folder beside it reads
 * all again for each (some 150 authorities, tens of milliseconds in which the
 * loop does nothing else).
 */
#include "base/base.h"

#include "upstream/transfer_impl.h"

#include "base/clock.h"
#include "base/text.h"
#include "upstream/head.h"

#define UPLOAD_BUFFER 16384L /* bytes; the least that curl accepts */

void
transfer_drop_out(struct transfer *t)
{
    if (t->out == NULL)
        return;
    upstream_request_release(&t->out->q);
    free(t->out);
    t->out = NULL;
}

/* The reply has begun: the request is not needed again if all of it went out.
 * Over HTTP/2 curl may still hold a pointer into the body. */
static void
drop_sent(struct transfer *t)
{
    curl_off_t sent = 0;
    long version = 0;

    if (curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &sent) != CURLE_OK ||
        curl_easy_getinfo(t->easy, CURLINFO_HTTP_VERSION, &version) !=
            CURLE_OK ||
        (size_t)sent < t->out->q.body.len || version > CURL_HTTP_VERSION_1_1)
        return;
    if (curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, NULL) == CURLE_OK &&
        curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, NULL) == CURLE_OK)
        transfer_drop_out(t);
}

/* Was a connection opened for it, or one reused? */
static void
count_connection(struct transfer *t)
{
    long opened = 0;

    if (curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &opened) == CURLE_OK)
        t->ts->n_opened += (uint64_t)opened;
}

/* curl undoes compression in Transfer-Encoding, though nobody asked for it: a
 * few bytes would become very many. */
static bool
is_packed(const char *p, size_t n)
{
    static const char name[] = "transfer-encoding:";
    size_t len = sizeof(name) - 1;

    if (n < len || strncasecmp(p, name, len) != 0)
        return false;
    p += len;
    n -= len;
    while (n > 0 && (*p == ' ' || *p == '\t')) {
        p++;
        n--;
    }
    while (n > 0 && (unsigned char)p[n - 1] <= ' ')
        n--;
    return !text_ieqn(p, n, "chunked") && !text_ieqn(p, n, "identity");
}

static size_t
on_header(char *p, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;

    n *= size;
    if (t->gone)
        return 0;
    t->head_bytes += n;
    if (t->head_bytes > TRANSFER_HEAD_MAX) {
        transfer_give_up(t, TRANSFER_OVERSIZE, "reply headers too long");
        return 0;
    }
    if (t->head_done) /* a trailer */
        return n;
    if (is_packed(p, n)) {
        transfer_give_up(t, TRANSFER_FAILED, "reply is packed");
        return 0;
    }
    if (n > 2 || (n > 0 && *p != '\r' && *p != '\n')) {
        upstream_head_line(&t->head, p, n, clock_wall_ms());
        return n;
    }
    if (t->head.status < 200) /* an interim reply; another head follows */
        return n;
    t->head_done = true;
    count_connection(t);
    drop_sent(t);
    if (t->calls.head != NULL)
        t->calls.head(t->arg, &t->head);
    return t->gone ? 0 : n;
}

static size_t
on_data(char *p, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;

    n *= size;
    if (t->gone)
        return 0;
    t->byte_ms = loop_now_ms(t->ts->loop);
    if (t->head.status < 400) {
        if (t->calls.data != NULL)
            t->calls.data(t->arg, p, n);
        return t->gone ? 0 : n;
    }
    if (n > TRANSFER_ERROR_MAX - t->error.len) {
        buf_add(&t->error, p, TRANSFER_ERROR_MAX - t->error.len);
        transfer_give_up(t, TRANSFER_COMPLETE, "error body cut");
        return 0;
    }
    buf_add(&t->error, p, n);
    return n;
}

/* Point curl's header list into the request: nothing is copied. The empty
 * Expect keeps curl from waiting for a 100 before a long body. */
static struct curl_slist *
header_list(struct transfer_out *o)
{
    static char no_expect[] = "Expect:";
    size_t i;

    for (i = 0; i < o->q.n_headers; i++) {
        o->headers[i].data = o->q.headers[i];
        o->headers[i].next = &o->headers[i + 1];
    }
    o->headers[i].data = no_expect;
    o->headers[i].next = NULL;
    return o->headers;
}

/* The ends of a connection. curl tells the descriptor only afterwards. */
struct ends {
    long port;        /* ours; 0: there is none, or nobody else can share it */
    const char *peer; /* the handle's */
};

static struct ends
ends_of(const struct transfer *t)
{
    struct ends e = {.port = 0};
    char *peer = NULL;

    /* A request over HTTP/2 is kept to the end. */
    if (t->out == NULL || !t->out->q.http2 || t->easy == NULL ||
        curl_easy_getinfo(t->easy, CURLINFO_PRIMARY_IP, &peer) != CURLE_OK ||
        curl_easy_getinfo(t->easy, CURLINFO_LOCAL_PORT, &e.port) != CURLE_OK)
        e.port = 0;
    e.peer = peer != NULL ? peer : "";
    return e;
}

/* curl writes the reset of an HTTP/2 stream down and sends it when it next has
 * to do with that connection, which may be minutes later, and a model would
 * be paid for until then. If nobody else uses the connection, it is closed. If
 * a neighbour does, that one is paused and goes on at once, which makes curl
 * send what is waiting. */
void
transfer_break_off(struct transfer *t)
{
    struct ends mine = ends_of(t), its;
    struct transfer *o;

    (void)curl_easy_setopt(t->easy, CURLOPT_FORBID_REUSE, 1L);
    (void)curl_multi_remove_handle(t->ts->multi, t->easy);
    t->added = false;
    for (o = t->ts->running; o != NULL && mine.port != 0; o = o->next) {
        if (o == t || o->gone || !o->added)
            continue;
        its = ends_of(o);
        if (its.port == mine.port && strcmp(its.peer, mine.peer) == 0 &&
            curl_easy_pause(o->easy, CURLPAUSE_RECV) == CURLE_OK &&
            curl_easy_pause(o->easy, CURLPAUSE_CONT) == CURLE_OK)
            return;
    }
}

/* Add up failures, so that one question at the end is enough. */
#define SET(option, value) (bad |= curl_easy_setopt(e, option, value))

/* Whom to trust: the file of the settings, else the system's. A system that
 * has a folder only keeps its folder. */
static unsigned
set_trust(struct transfer *t, CURL *e)
{
    const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);
    bool system_file = v->age >= CURLVERSION_SEVENTH && v->cainfo != NULL;
    unsigned bad = 0;

    if (t->ts->ca_file != NULL)
        SET(CURLOPT_CAINFO, t->ts->ca_file);
    if (t->ts->ca_file != NULL || system_file)
        SET(CURLOPT_CAPATH, NULL);
    return bad;
}

static bool
set_request(struct transfer *t, CURL *e)
{
    struct upstream_request *q = &t->out->q;
    bool tls = text_istarts(q->url, "https:");
    bool http2 = tls && q->http2;
    unsigned bad = 0;

    SET(CURLOPT_URL, q->url);
    SET(CURLOPT_HTTPHEADER, header_list(t->out));
    SET(CURLOPT_HTTP_VERSION,
        http2 ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_1_1);
    if (http2)
        SET(CURLOPT_PIPEWAIT, 1L);
    if (tls) {
        SET(CURLOPT_SHARE, t->ts->share);
        bad |= set_trust(t, e);
    }
    if (strcmp(q->method, "POST") == 0) {
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body.len);
        SET(CURLOPT_POSTFIELDS, q->body.len > 0 ? q->body.data : "");
    } else if (strcmp(q->method, "GET") != 0) {
        SET(CURLOPT_CUSTOMREQUEST, q->method);
    }
    if (t->lim.connect_ms > 0)
        SET(CURLOPT_CONNECTTIMEOUT_MS, (long)t->lim.connect_ms);
    if (t->lim.total_ms > 0)
        SET(CURLOPT_TIMEOUT_MS, (long)t->lim.total_ms);
    return bad == 0;
}

static bool
set_guard(struct transfer *t, CURL *e)
{
    unsigned bad = 0;

    SET(CURLOPT_PROTOCOLS_STR, t->out->q.plain ? "http" : "https");
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_FRESH_CONNECT, 1L);
    SET(CURLOPT_FORBID_REUSE, 1L);
    SET(CURLOPT_OPENSOCKETFUNCTION, transfer_on_guarded);
    SET(CURLOPT_OPENSOCKETDATA, t);
    return bad == 0;
}

static bool
set_common(struct transfer *t, CURL *e)
{
    unsigned bad = 0;

    SET(CURLOPT_PRIVATE, t);
    SET(CURLOPT_ERRORBUFFER, t->out->reason);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, t);
    SET(CURLOPT_WRITEFUNCTION, on_data);
    SET(CURLOPT_WRITEDATA, t);
    SET(CURLOPT_OPENSOCKETFUNCTION, transfer_on_open);
    SET(CURLOPT_OPENSOCKETDATA, t->ts);
    SET(CURLOPT_CLOSESOCKETFUNCTION, transfer_on_close);
    SET(CURLOPT_CLOSESOCKETDATA, t->ts);
    bad |= !transfer_buffer_size(e);
    SET(CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L); /* never wait for a resolver thread */
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_TCP_NODELAY, 1L);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    return bad == 0;
}

/* curl itself looks at the URL only when the transfer runs; a bad one is
 * better refused before that. */
static bool
url_ok(const char *url)
{
    CURLU *u = curl_url();
    bool ok = u != NULL && url != NULL &&
              (text_istarts(url, "http://") || text_istarts(url, "https://")) &&
              curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK;

    curl_url_cleanup(u);
    return ok;
}

bool
transfer_buffer_size(CURL *easy)
{
    return curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)TRANSFER_BUFFER) ==
           CURLE_OK;
}

bool
transfer_set_up(struct transfer *t)
{
    return url_ok(t->out->q.url) && set_common(t, t->easy) &&
           set_request(t, t->easy) &&
           (!t->out->q.guarded || set_guard(t, t->easy));
}
