/*
 * Replies: a head, then a body, in one buffer and as a rule one system call.
 *
 * Content-Length is known last and must go out first, so the buffer begins
 * with a gap that is just long enough for that line; it is written flush
 * against the rest of the head when the body is complete, and sending starts
 * there. (The order of CGI header fields is free.)
 */
#include "base/base.h"

#include "http/reply.h"

#include <stdarg.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "http/request_peer.h"

#define GAP sizeof("Content-Length: 18446744073709551615\r\n")
#define HEADERS_ALLOWED                                             \
    "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, " \
    "X-API-Key, X-Parley-Session, X-Request-Id"
#define HEADERS_EXPOSED                                            \
    "Content-Disposition, Location, Retry-After, X-Request-Id, "   \
    "X-RateLimit-Limit-Requests, X-RateLimit-Remaining-Requests, " \
    "X-RateLimit-Reset-Requests, X-RateLimit-Limit-Tokens, "       \
    "X-RateLimit-Remaining-Tokens, X-RateLimit-Reset-Tokens, "     \
    "X-Budget-Limit-USD, X-Budget-Remaining-USD"
#define REPLY_POLICY                                            \
    "default-src 'none'; base-uri 'none'; form-action 'none'; " \
    "frame-ancestors 'none'"
#define PREFLIGHT_S "7200" /* seconds; the longest that Chromium keeps */

/* What each err is to a client. */
static const struct {
    int status;
    int retry_after_s; /* 0: no header */
} table[ERR__MAX] = {
    [OK] = {200, 0},           [ERR_BADREQ] = {400, 0},
    [ERR_AUTH] = {401, 0},     [ERR_FORBIDDEN] = {403, 0},
    [ERR_NOTFOUND] = {404, 0}, [ERR_METHOD] = {405, 0},
    [ERR_CONFLICT] = {409, 0}, [ERR_TOOBIG] = {413, 0},
    [ERR_TYPE] = {415, 0},     [ERR_IMPOSSIBLE] = {422, 0},
    [ERR_LIMIT] = {429, 1},    [ERR_UPSTREAM] = {502, 0},
    [ERR_TIMEOUT] = {504, 0},  [ERR_FULL] = {503, 10},
    [ERR_BUSY] = {503, 1},     [ERR_STOPPING] = {503, 2},
    [ERR_STORE] = {500, 0},    [ERR_INTERNAL] = {500, 0},
    [ERR_AGAIN] = {500, 0},    [ERR_HUP] = {500, 0},
};

static const char *origins = "";
static const char *key_header = ""; /* another one than X-API-Key */

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {409, "Conflict"},
    {410, "Gone"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {426, "Upgrade Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {507, "Insufficient Storage"},
};

const char *
reply_reason(int status)
{
    for (size_t i = 0; i < COUNT_OF(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Status";
}

static bool
without_body(int status)
{
    return status == 204 || status == 304;
}

/* What a page of another origin may do, and read. A reply differs by origin, so
 * a cache must know that from those that say nothing of it, too. */
static void
add_cors(struct buf *out, const struct request *rq)
{
    enum origin o = *origins ? request_origin(rq, origins) : ORIGIN_NONE;

    if (*origins)
        buf_adds(out, "Vary: Origin\r\n");
    if (o != ORIGIN_LISTED && o != ORIGIN_ANY)
        return;
    buf_adds(out, "Access-Control-Allow-Origin: ");
    buf_adds(out, request_header(rq, "Origin"));
    buf_adds(out, "\r\nAccess-Control-Expose-Headers: " HEADERS_EXPOSED "\r\n");
    if (o == ORIGIN_LISTED)
        buf_adds(out, "Access-Control-Allow-Credentials: true\r\n");
}

/* Status and the headers of every reply. Nothing of ours is a page, but for
 * the one that says so: if a browser is made to show a reply as one, it loads
 * nothing, runs nothing and stands in no frame. */
static void
add_common(struct buf *out, const struct request *rq, int status)
{
    buf_adds(out, "Status: ");
    buf_add_i64(out, status);
    buf_addc(out, ' ');
    buf_adds(out, reply_reason(status));
    buf_adds(out, "\r\nX-Request-Id: ");
    buf_adds(out, rq->id);
    buf_adds(out, "\r\nX-Content-Type-Options: nosniff\r\n"
                  "Referrer-Policy: no-referrer\r\n"
                  "Cross-Origin-Resource-Policy: same-origin\r\n");
    if (request_tls(rq))
        buf_adds(out, "Strict-Transport-Security: max-age=31536000\r\n");
    add_cors(out, rq);
    if (rq->head_more != NULL)
        buf_adds(out, rq->head_more);
}

void
reply_begin(struct reply *rp, struct request *rq, int status, size_t body_max)
{
    assert(status >= 200 && status <= 599);
    memset(rp, 0, sizeof(*rp));
    rp->rq = rq;
    rp->status = status;
    rp->body_max = body_max;
    buf_init(&rp->out, GAP + REPLY_HEAD_MAX);
    if (buf_room(&rp->out, GAP))
        rp->out.len = GAP;
    add_common(&rp->out, rq, status);
}

void
reply_header(struct reply *rp, const char *name, const char *fmt, ...)
{
    char value[2048];
    va_list ap;
    int n;

    assert(rp->body_at == 0);
    va_start(ap, fmt);
    n = vsnprintf(value, sizeof(value), fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof(value)) {
        rp->out.over = true;
        return;
    }
    for (char *p = value; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
    if (strcasecmp(name, "Cache-Control") == 0)
        rp->cache_set = true;
    if (strcasecmp(name, "Content-Security-Policy") == 0)
        rp->policy_set = true;
    buf_adds(&rp->out, name);
    buf_adds(&rp->out, ": ");
    buf_adds(&rp->out, value);
    buf_adds(&rp->out, "\r\n");
}

/* --- what is left of a limit ---------------------------------------------- */

static void
quota_line(struct buf *out, const char *what, const char *unit, int64_t v,
           const char *end)
{
    buf_addf(out, "X-RateLimit-%s-%s: %" PRId64 "%s\r\n", what, unit, v, end);
}

/* reset_s 0: that is not known. */
static void
quota_lines(struct buf *out, const struct problem_quota *q, int64_t reset_s)
{
    const char *unit = q->unit == QUOTA_TOKENS ? "Tokens" : "Requests";

    quota_line(out, "Limit", unit, q->max, "");
    quota_line(out, "Remaining", unit, q->left, "");
    if (reset_s > 0)
        quota_line(out, "Reset", unit, reset_s, "s");
}

static void
quota_dollars(struct buf *out, const char *name, int64_t micro)
{
    buf_addf(out, "%s: %" PRId64 ".%06" PRId64 "\r\n", name, micro / 1000000,
             micro % 1000000);
}

void
reply_quota(struct reply *rp, const struct problem *p)
{
    const struct problem_quota *q = &p->quota;

    assert(rp->body_at == 0);
    if (q->unit == QUOTA_NONE)
        return;
    if (q->unit == QUOTA_MICRO) {
        quota_dollars(&rp->out, "X-Budget-Limit-USD", q->max);
        quota_dollars(&rp->out, "X-Budget-Remaining-USD", q->left);
        return;
    }
    quota_lines(&rp->out, q, q->anew_ms > 0 ? p->retry_after_s : 0);
    if (q->unit == QUOTA_TURNS)
        rp->left_set = true;
}

/* How often its client may ask. */
static void
add_left(struct buf *out, const struct request *rq)
{
    int64_t ms = rq->left.anew_ms - clock_wall_ms();

    if (rq->left.unit != QUOTA_NONE)
        quota_lines(out, &rq->left, ms > 0 ? (ms + 999) / 1000 : 0);
}

/* --- the end of the head -------------------------------------------------- */

struct buf *
reply_body(struct reply *rp, const char *content_type)
{
    assert(rp->body_at == 0);
    if (!rp->cache_set)
        reply_header(rp, "Cache-Control", "no-store");
    if (!rp->policy_set)
        reply_header(rp, "Content-Security-Policy", REPLY_POLICY);
    if (!rp->left_set)
        add_left(&rp->out, rp->rq);
    if (content_type)
        reply_header(rp, "Content-Type", "%s", content_type);
    buf_adds(&rp->out, "\r\n");
    rp->body_at = rp->out.len;
    rp->out.max = rp->body_at + rp->body_max;
    return &rp->out;
}

/* Write Content-Length into the end of the gap; returns where to start. */
static size_t
fill_gap(struct reply *rp, size_t body_len)
{
    char line[GAP];
    int n;

    if (without_body(rp->status))
        return GAP;
    n = snprintf(line, sizeof(line), "Content-Length: %zu\r\n", body_len);
    memcpy(rp->out.data + GAP - n, line, (size_t)n);
    return GAP - (size_t)n;
}

enum err
reply_end(struct reply *rp)
{
    struct problem p;
    size_t start, end;
    enum err e;

    if (rp->body_at == 0)
        (void)reply_body(rp, NULL);
    if (rp->out.over) {
        log_error("reply.over", "status=%d bytes=%zu", rp->status, rp->out.len);
        buf_release(&rp->out);
        if (rp->status == 500)
            return conn_end(rp->rq->conn, NULL, 0);
        (void)problem_set(&p, ERR_INTERNAL, NULL, NULL, NULL);
        return reply_problem(rp->rq, &p, NULL);
    }
    start = fill_gap(rp, rp->out.len - rp->body_at);
    end = rp->rq->method == METHOD_HEAD || without_body(rp->status)
              ? rp->body_at
              : rp->out.len;
    e = conn_end(rp->rq->conn, rp->out.data + start, end - start);
    if (e == ERR_TOOBIG) { /* past CONN_REST_MAX: nothing was sent */
        log_error("reply.too_big", "bytes=%zu", end - start);
        e = ERR_HUP;
    }
    buf_release(&rp->out);
    return e;
}

int
reply_status(const struct problem *p)
{
    return p->status ? p->status : table[p->err].status;
}

void
reply_problem_json(struct buf *out, const struct problem *p,
                   const char *request_id)
{
    struct json_out j;

    json_out_init(&j, out);
    json_begin_obj(&j);
    json_put_str(&j, "error", p->error[0] ? p->error : err_text(p->err));
    json_put_str(&j, "message", p->message);
    json_put_str(&j, "code", p->code[0] ? p->code : err_code(p->err));
    json_put_str(&j, "request_id", request_id);
    json_end_obj(&j);
}

enum err
reply_problem(struct request *rq, const struct problem *p, const char *allow)
{
    int after = p->retry_after_s ? p->retry_after_s
                                 : table[p->err].retry_after_s;
    struct reply rp;

    reply_begin(&rp, rq, reply_status(p), 8 * 1024);
    if (after > 0)
        reply_header(&rp, "Retry-After", "%d", after);
    if (allow)
        reply_header(&rp, "Allow", "%s", allow);
    reply_quota(&rp, p);
    reply_problem_json(reply_body(&rp, "application/json"), p, rq->id);
    return reply_end(&rp);
}

enum err
reply_json(struct request *rq, int status, const char *json, size_t n)
{
    struct reply rp;

    reply_begin(&rp, rq, status, n);
    buf_add(reply_body(&rp, "application/json"), json, n);
    return reply_end(&rp);
}

/* Does CORS allow the page that asks anything? */
static bool
may_ask(const struct request *rq)
{
    enum origin o = *origins ? request_origin(rq, origins) : ORIGIN_NONE;

    return o == ORIGIN_LISTED || o == ORIGIN_ANY;
}

enum err
reply_options(struct request *rq, const char *allow)
{
    struct reply rp;

    reply_begin(&rp, rq, 204, 0);
    reply_header(&rp, "Allow", "%s", allow);
    if (may_ask(rq)) {
        reply_header(&rp, "Access-Control-Allow-Methods", "%s", allow);
        reply_header(&rp, "Access-Control-Allow-Headers", "%s%s%s",
                     HEADERS_ALLOWED, *key_header ? ", " : "", key_header);
        reply_header(&rp, "Access-Control-Max-Age", PREFLIGHT_S);
    }
    return reply_end(&rp);
}

void
reply_stream_head(struct buf *out, const struct request *rq,
                  const char *content_type, const char *extra)
{
    add_common(out, rq, 200);
    buf_adds(out, "Content-Type: ");
    buf_adds(out, content_type);
    buf_adds(out, "\r\nCache-Control: no-store\r\n"
                  "Content-Security-Policy: " REPLY_POLICY "\r\n"
                  "X-Accel-Buffering: no\r\n");
    add_left(out, rq);
    if (extra)
        buf_adds(out, extra);
    buf_adds(out, "\r\n");
}

void
reply_set_origins(const char *allowed)
{
    origins = allowed;
}

void
reply_set_key_header(const char *name)
{
    key_header = text_ieq(name, "X-API-Key") ? "" : name;
}
