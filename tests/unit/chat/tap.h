/*
 * A provider that a test plays by hand. A tap is one path of a small server
 * on 127.0.0.1: a request to it is answered with the frames that the test
 * puts, when it puts them. The provider named "tap" asks the tap that the
 * last message names ("tap 3 and any text") and turns frames into parts, so
 * a test decides each part, its bytes and its moment. The provider named
 * "local" answers from memory on a worker, with a gate to hold it.
 *
 * A frame is a kind, four bytes of length (little-endian), and the bytes:
 *   T text   R reasoning   M model   U usage ("in out cached")
 *   C tool call ("id name")   A its arguments
 *   F end marker (its finish as a digit)   E error part   X not understood
 *   N nothing (so that the head goes out)
 */
#ifndef CHAT_TAP_H
#define CHAT_TAP_H

#include "../upstream/fake_provider.h"

#include <semaphore.h>

#include "base/buf.h"
#include "provider/provider.h"

#define TAPS 8
#define TAP_WAIT_MS 30000 /* how long a test waits for what must come */
#define TAP_BYTES_MAX (64 * 1024 * 1024)

struct tap {
    struct buf out; /* to be sent */
    bool end, cut;  /* after out: as HTTP says, or not */
    int refuse;     /* so many requests get refuse_status */
    int refuse_status;
    int refuse_after_s; /* Retry-After; 0: a retry-after-ms of 1 */
    const char *why;    /* of the refusal, two characters: "$$" for want of
                           money, "++" too long, "kk" a bad key; NULL: none */
    int asked;          /* requests that came */
    int left;           /* requests that the other side dropped */
    char path[64];
};

static struct tap taps[TAPS];
static pthread_mutex_t tap_mu = PTHREAD_MUTEX_INITIALIZER; /* taps, tap_seen */
static pthread_cond_t tap_cond = PTHREAD_COND_INITIALIZER;
static struct fake *tap_server;
static char tap_url[64];

/* The last prompt as the provider was given it: "model|system|user:…|…|". */
static char tap_seen[8192];
static int tap_builds; /* how often it was given one */

/* --- the server ----------------------------------------------------------- */

static inline void
tap_wait_change(int ms)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_REALTIME, &at);
    at.tv_nsec += (long)ms * 1000000;
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    (void)pthread_cond_timedwait(&tap_cond, &tap_mu, &at);
}

/* Under tap_mu: take what is to be sent, as one chunk. */
static inline void
tap_take(struct tap *t, struct buf *chunk)
{
    buf_clear(chunk);
    if (t->out.len == 0)
        return;
    buf_addf(chunk, "%zx\r\n", t->out.len);
    buf_add(chunk, t->out.data, t->out.len);
    buf_adds(chunk, "\r\n");
    buf_clear(&t->out);
}

static inline bool
tap_peer_left(int fd)
{
    struct pollfd p = {fd, POLLRDHUP, 0};

    return poll(&p, 1, 0) > 0;
}

/* Serve one request until its end. Of several to one tap, one that the other
 * side dropped takes nothing any more, nor the end: a test cannot know whether
 * this has noticed the drop when it puts what is for the next one. */
static inline bool
tap_serve(const struct fake_request *rq, struct tap *t)
{
    bool head = false, left = false, more = true, cut;
    struct buf chunk;

    buf_init(&chunk, TAP_BYTES_MAX);
    (void)pthread_mutex_lock(&tap_mu);
    while (more) {
        left = tap_peer_left(rq->fd);
        if (left)
            break;
        if (t->out.len == 0 && !t->end && !t->cut) {
            tap_wait_change(5);
            continue;
        }
        tap_take(t, &chunk);
        more = !t->end && !t->cut;
        cut = t->cut;
        t->end = t->cut = false; /* what is put now is for the next request */
        (void)pthread_mutex_unlock(&tap_mu);
        if (!head && (chunk.len > 0 || !cut))
            fake_say(rq->fd, "HTTP/1.1 200 OK\r\nContent-Type: text/tap\r\n"
                             "Transfer-Encoding: chunked\r\n\r\n");
        head = true;
        fake_send(rq->fd, chunk.data, chunk.len);
        if (!more && !cut)
            fake_say(rq->fd, "0\r\n\r\n");
        (void)pthread_mutex_lock(&tap_mu);
    }
    if (left)
        t->left++;
    (void)pthread_cond_broadcast(&tap_cond);
    (void)pthread_mutex_unlock(&tap_mu);
    buf_release(&chunk);
    return false;
}

static inline bool
tap_answer(const struct fake_request *rq)
{
    struct tap *t = &taps[(unsigned)strtoul(rq->path + 1, NULL, 10) % TAPS];
    int status = 0, after_s;
    const char *why;

    (void)pthread_mutex_lock(&tap_mu);
    t->asked++;
    if (t->refuse > 0) {
        t->refuse--;
        status = t->refuse_status;
    }
    after_s = t->refuse_after_s;
    why = t->why != NULL ? t->why : "no";
    (void)pthread_cond_broadcast(&tap_cond);
    (void)pthread_mutex_unlock(&tap_mu);
    if (status == 0)
        return tap_serve(rq, t);
    if (after_s > 0)
        fake_say(rq->fd,
                 "HTTP/1.1 %d No\r\nRetry-After: %d\r\nContent-Length: 2"
                 "\r\n\r\n%s",
                 status, after_s, why);
    else
        fake_say(rq->fd,
                 "HTTP/1.1 %d No\r\nretry-after-ms: 1\r\nContent-Length: 2"
                 "\r\n\r\n%s",
                 status, why);
    return true;
}

static inline void
taps_start(void)
{
    for (int i = 0; i < TAPS; i++) {
        memset(&taps[i], 0, sizeof(taps[i]));
        buf_init(&taps[i].out, TAP_BYTES_MAX);
    }
    tap_seen[0] = '\0';
    tap_builds = 0;
    tap_server = fake_start(tap_answer);
    (void)snprintf(tap_url, sizeof(tap_url), "http://127.0.0.1:%d",
                   tap_server->port);
}

static inline void
taps_stop(void)
{
    fake_stop(tap_server);
    for (int i = 0; i < TAPS; i++)
        buf_release(&taps[i].out);
}

/* --- what a test does ----------------------------------------------------- */

static inline void
tap_frame(struct buf *b, char kind, const char *s, size_t n)
{
    buf_addc(b, kind);
    for (int i = 0; i < 4; i++)
        buf_addc(b, (char)(n >> (8 * i) & 0xFF));
    buf_add(b, s, n);
}

static inline void
tap_put(int i, char kind, const char *s, size_t n)
{
    (void)pthread_mutex_lock(&tap_mu);
    tap_frame(&taps[i].out, kind, s, n);
    (void)pthread_cond_broadcast(&tap_cond);
    (void)pthread_mutex_unlock(&tap_mu);
}

static inline void
tap_text(int i, const char *s)
{
    tap_put(i, 'T', s, strlen(s));
}

/* The end marker, then the end of the reply. */
static inline void
tap_finish(int i, enum finish finish)
{
    char digit = (char)('0' + finish);

    (void)pthread_mutex_lock(&tap_mu);
    tap_frame(&taps[i].out, 'F', &digit, 1);
    taps[i].end = true;
    (void)pthread_cond_broadcast(&tap_cond);
    (void)pthread_mutex_unlock(&tap_mu);
}

/* The reply ends without a marker, or (cut) breaks off. */
static inline void
tap_close(int i, bool cut)
{
    (void)pthread_mutex_lock(&tap_mu);
    taps[i].end = !cut;
    taps[i].cut = cut;
    (void)pthread_cond_broadcast(&tap_cond);
    (void)pthread_mutex_unlock(&tap_mu);
}

static inline void
tap_refuse(int i, int times, int status)
{
    (void)pthread_mutex_lock(&tap_mu);
    taps[i].refuse = times;
    taps[i].refuse_status = status;
    (void)pthread_mutex_unlock(&tap_mu);
}

/* Wait until *count is at least n. */
static inline void
tap_wait_count(const int *count, int n)
{
    int64_t until_ms = clock_mono_ms() + TAP_WAIT_MS;
    bool come;

    (void)pthread_mutex_lock(&tap_mu);
    while (*count < n && clock_mono_ms() < until_ms)
        tap_wait_change(20);
    come = *count >= n;
    (void)pthread_mutex_unlock(&tap_mu);
    assert_true(come);
}

static inline void
tap_wait_asked(int i, int n)
{
    tap_wait_count(&taps[i].asked, n);
}

static inline void
tap_wait_left(int i, int n)
{
    tap_wait_count(&taps[i].left, n);
}

static inline int
tap_count(const int *count)
{
    int n;

    (void)pthread_mutex_lock(&tap_mu);
    n = *count;
    (void)pthread_mutex_unlock(&tap_mu);
    return n;
}

static inline void
assert_seen(const char *want)
{
    char seen[sizeof(tap_seen)];

    (void)pthread_mutex_lock(&tap_mu);
    memcpy(seen, tap_seen, sizeof(seen));
    (void)pthread_mutex_unlock(&tap_mu);
    assert_string_equal(seen, want);
}

/* --- the provider --------------------------------------------------------- */

static inline void
tap_remember(const struct ask *ask)
{
    size_t most = ask->passing ? 4096 : 60; /* all where there are excerpts */
    struct buf b;

    buf_init(&b, sizeof(tap_seen) - 1);
    buf_addf(&b, "%s|%s|", ask->model, ask->system != NULL ? ask->system : "");
    for (size_t i = 0; i < ask->n_messages; i++)
        buf_addf(
            &b, "%s:%.*s|", role_name(ask->messages[i].role),
            (int)(ask->messages[i].len < most ? ask->messages[i].len : most),
            ask->messages[i].text);
    (void)pthread_mutex_lock(&tap_mu);
    tap_builds++;
    (void)snprintf(tap_seen, sizeof(tap_seen), "%s", buf_cstr(&b));
    (void)pthread_cond_broadcast(&tap_cond);
    (void)pthread_mutex_unlock(&tap_mu);
    buf_release(&b);
}

static inline enum err
tap_build(const struct ask *ask, const struct account *acc,
          struct upstream_request *out, struct problem *why)
{
    const char *text = ask->messages[ask->n_messages - 1].text;
    char url[128];

    tap_remember(ask);
    if (strncmp(text, "unaskable", 9) == 0)
        return problem_set(why, ERR_BADREQ, "unaskable", "Not to be asked",
                           "Ask something else.");
    (void)snprintf(url, sizeof(url), "%s/%.1s", acc->base_url,
                   strncmp(text, "tap ", 4) == 0 ? text + 4 : "0");
    if (strncmp(text, "nowhere", 7) == 0)
        (void)snprintf(url, sizeof(url), "nowhere://");
    out->method = "POST";
    out->url = xstrdup(url);
    buf_addf(&out->body, "%s?%.60s", ask->model, text);
    return OK;
}

struct tap_reader {
    struct buf in;
    bool finished;
};

static inline void *
tap_reader_new(void)
{
    struct tap_reader *r = xcalloc(1, sizeof(*r));

    buf_init(&r->in, TAP_BYTES_MAX);
    return r;
}

static inline void
tap_reader_free(void *reader)
{
    struct tap_reader *r = reader;

    buf_release(&r->in);
    free(r);
}

static inline enum err
tap_part(struct tap_reader *r, char kind, const char *s, size_t n, part_fn *fn,
         void *arg, struct problem *why)
{
    struct part p = {.kind = PART_TEXT, .text = s, .len = n};
    struct problem bad = {.err = OK};
    char text[64] = "", *space;

    switch (kind) {
    case 'T': break;
    case 'R': p.kind = PART_REASONING; break;
    case 'M': p.kind = PART_MODEL; break;
    case 'U':
        p.kind = PART_USAGE;
        (void)snprintf(text, sizeof(text), "%.*s", (int)n, s);
        (void)sscanf(text, "%" SCNd64 " %" SCNd64 " %" SCNd64,
                     &p.usage.input_tokens, &p.usage.output_tokens,
                     &p.usage.cached_tokens);
        break;
    case 'C':
        (void)snprintf(text, sizeof(text), "%.*s", (int)n, s);
        space = strchr(text, ' ');
        *space = '\0';
        p = (struct part){.kind = PART_CALL, .id = text, .name = space + 1};
        break;
    case 'A': p.kind = PART_ARGS; break;
    case 'F':
        p.kind = PART_FINISH;
        p.finish = (enum finish)(s[0] - '0');
        r->finished = true;
        break;
    case 'E':
        p.kind = PART_ERROR;
        (void)problem_set(&bad, ERR_UPSTREAM, "tap_error", "The tap failed",
                          "Try another tap.");
        p.problem = &bad;
        break;
    case 'X':
        return problem_set(why, ERR_UPSTREAM, "tap_garbage",
                           "The tap gave garbage", "Try another tap.");
    default: return OK;
    }
    fn(arg, &p);
    return OK;
}

static inline enum err
tap_feed(void *reader, const char *bytes, size_t n, part_fn *fn, void *arg,
         struct problem *why)
{
    struct tap_reader *r = reader;
    enum err e = OK;
    size_t at = 0;

    buf_add(&r->in, bytes, n);
    while (e == OK && r->in.len - at >= 5) {
        const unsigned char *h = (const unsigned char *)r->in.data + at;
        size_t len = h[1] | (size_t)h[2] << 8 | (size_t)h[3] << 16 |
                     (size_t)h[4] << 24;

        if (r->in.len - at - 5 < len)
            break;
        e = tap_part(r, (char)h[0], r->in.data + at + 5, len, fn, arg, why);
        at += 5 + len;
    }
    buf_drop(&r->in, at);
    return e;
}

static inline enum err
tap_end(void *reader, part_fn *fn, void *arg, struct problem *why)
{
    const struct tap_reader *r = reader;

    (void)fn;
    (void)arg;
    if (r->finished)
        return OK;
    (void)problem_set(why, ERR_UPSTREAM, "tap_truncated", "The tap ran dry",
                      "Try again.");
    why->retryable = true;
    return ERR_UPSTREAM;
}

static inline void
tap_error(const struct upstream_head *head, const char *body, size_t n,
          struct provider_error *out)
{
    static const struct {
        const char *body;
        enum fault fault;
    } faults[] = {
        {"$$", FAULT_MONEY}, {"++", FAULT_TOO_LONG}, {"kk", FAULT_KEY}};

    out->fault = FAULT_OTHER;
    for (size_t i = 0; i < COUNT_OF(faults); i++)
        if (n == 2 && memcmp(body, faults[i].body, 2) == 0)
            out->fault = faults[i].fault;
    (void)problem_set(&out->problem, ERR_UPSTREAM, "tap_refused",
                      "The tap refused", "It said %d.", head->status);
    out->problem.retryable = head->status >= 500;
}

static const struct provider tap_provider = {
    .name = "tap",
    .build = tap_build,
    .reader_new = tap_reader_new,
    .reader_free = tap_reader_free,
    .feed = tap_feed,
    .end = tap_end,
    .error = tap_error,
};

/* --- the local one -------------------------------------------------------- */

static const char *local_text = "";
static enum err local_err = OK;
static sem_t *local_gate;  /* waited for if not NULL */
static sem_t *local_there; /* posted when the worker has arrived */

static inline enum err
local_answer(const struct ask *ask, struct buf *out)
{
    assert(ask->n_messages == 1);
    if (local_there != NULL)
        (void)sem_post(local_there);
    while (local_gate != NULL && sem_wait(local_gate) != 0)
        ;
    buf_adds(out, local_text);
    return local_err;
}

static const struct provider local_provider = {
    .name = "local",
    .answer = local_answer,
};

#endif
