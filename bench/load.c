/* The load generator: many clients in one epoll loop, and what they saw as one
 * line of JSON.
 *
 *     load MODE [options] 127.0.0.1:PORT/path
 *
 *     post    --conns N --seconds S   requests back to back on N connections
 *     stream  --conns N --seconds S   the same with SSE streams; the last ones
 *                                     are read to their end
 *     once    --conns N --ramp-ms M   N streams, begun evenly over M, each
 *                                     read to its end
 *     hold    --conns N --ramp-ms M   the same, but held open: prints "ready
 *                                     {...}" when each stream has had its first
 *                                     event, and goes on until stdin closes
 *     stall   --conns N --ramp-ms M   as hold, but a stream whose first event
 *                                     has come is not read any more
 *
 * Common options: --body TEXT (the body of a POST; without it, a GET is sent),
 * --limit-s S (give up, and count what is missing as failed; default 60).
 *
 * Latencies are whole samples, sorted at the end, so percentiles are exact.
 * Pieces of answers are found by their "content" member, in our events and in
 * OpenAI's alike, and their bytes are counted: merged pieces lose nothing. The
 * texts of the stand-in model need no escapes, so a quote ends a piece. */
#include "bench.h"

#include <getopt.h>

#include "lines.h"
#include "reply.h"
#include "samples.h"

#define EVENTS_MAX 512
#define READ_MAX (256 * 1024)
#define STALL_RCVBUF 4096 /* so that the kernel does not read for us */

enum mode { POST, STREAM, ONCE, HOLD, STALL };

struct conn {
    int fd; /* -1: closed */
    bool connecting;
    bool complete; /* the end mark of the stream was seen */
    bool failed;   /* an error event, or a status other than 200 */
    bool stalled;
    struct reply reply;
    int64_t sent_ns;
    int64_t first_ns; /* first event; 0: none yet */
    int64_t text_ns;  /* first text; 0: none yet */
    struct lines lines;
};

static enum mode mode;
static long conns_max = 1, seconds = 1, ramp_ms, limit_s = 60;
static const char *body; /* NULL: GET */
static char *request;    /* owned; head and body */
static size_t request_len;
static struct sockaddr_storage target;
static socklen_t target_len;
static int ep;
static int64_t now_ns, stop_ns; /* requests begin before stop_ns only */
static long begun, open_count, ready_count, ok_count, failures;
static long long events_count, text_count, text_bytes, body_bytes;
static struct samples whole, first, text;

static void
report(const char *word, int64_t start_ns)
{
    (void)printf("%s{\"seconds\":%.4f,\"begun\":%ld,\"ok\":%ld,\"open\":%ld,"
                 "\"ready\":%ld,\"failures\":%ld,\"events\":%lld,"
                 "\"text_events\":%lld,\"text_bytes\":%lld,\"body_bytes\":%lld",
                 word, (double)(now_ns - start_ns) / 1e9, begun, ok_count,
                 open_count, ready_count, failures, events_count, text_count,
                 text_bytes, body_bytes);
    samples_print("whole_us", &whole);
    samples_print("first_us", &first);
    samples_print("text_us", &text);
    (void)printf("}\n");
    (void)fflush(stdout);
}

/* Say on stderr what the first failure was; the others are only counted. */
static void
failure(const struct conn *c, const char *why)
{
    if (failures++ == 0)
        (void)fprintf(stderr, "load: first failure: %s (status %d, %s)\n", why,
                      c->reply.status, errno != 0 ? strerror(errno) : "-");
}

static void
conn_close(struct conn *c)
{
    if (c->fd < 0)
        return;
    (void)close(c->fd);
    c->fd = -1;
    open_count--;
    reply_release(&c->reply);
    lines_release(&c->lines);
}

static void
conn_send(struct conn *c)
{
    ssize_t n;

    reply_release(&c->reply);
    reply_init(&c->reply);
    c->complete = c->failed = false;
    c->first_ns = c->text_ns = 0;
    lines_release(&c->lines);
    c->sent_ns = bench_now_ns();
    begun++;
    n = write(c->fd, request, request_len);
    if (n != (ssize_t)request_len) {
        failure(c, "request not taken");
        conn_close(c);
    }
}

static void
conn_open(struct conn *c)
{
    int size = STALL_RCVBUF;

    memset(c, 0, sizeof(*c));
    errno = 0;
    c->fd = bench_connect(&target, target_len);
    if (c->fd < 0) {
        begun++;
        failure(c, "no connection");
        return;
    }
    if (mode == STALL)
        (void)setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    open_count++;
    c->connecting = true;
    bench_watch(ep, EPOLL_CTL_ADD, c->fd, EPOLLIN | EPOLLOUT, c);
}

/* A line of the stream that carries data. */
static void
event_seen(struct conn *c, const char *line, size_t len)
{
    size_t start = len < 96 ? len : 96;
    const char *p, *q;

    events_count++;
    if (c->first_ns == 0) {
        c->first_ns = now_ns;
        ready_count++;
        samples_add(&first, now_ns - c->sent_ns);
    }
    if (memmem(line, start, "response_complete", 17) != NULL ||
        memmem(line, start, "[DONE]", 6) != NULL) {
        c->complete = true;
        return;
    }
    if (memmem(line, start, "\"type\":\"error\"", 14) != NULL)
        c->failed = true;
    p = memmem(line, len, "\"content\":\"", 11);
    if (p == NULL)
        return;
    p += 11;
    q = memchr(p, '"', len - (size_t)(p - line));
    if (q == NULL || q == p)
        return;
    text_count++;
    text_bytes += q - p;
    if (c->text_ns == 0) {
        c->text_ns = now_ns;
        samples_add(&text, now_ns - c->sent_ns);
    }
}

static void
line_seen(void *arg, const char *line, size_t len)
{
    struct conn *c = arg;

    if (len > 5 && memcmp(line, "data:", 5) == 0)
        event_seen(c, line, len);
}

static void
body_seen(void *arg, const char *bytes, size_t n)
{
    struct conn *c = arg;

    body_bytes += (long long)n;
    if (mode != POST && c->reply.status == 200)
        lines_feed(&c->lines, bytes, n, line_seen, c);
}

/* The reply is over: count it, and ask again or leave. */
static void
conn_done(struct conn *c)
{
    bool again = (mode == POST || mode == STREAM) && now_ns < stop_ns;

    errno = 0;
    if (c->reply.status != 200)
        failure(c, "not a 200");
    else if (c->failed)
        failure(c, "an error event");
    else if (mode != POST && !c->complete)
        failure(c, "a stream without its end");
    else
        ok_count++;
    samples_add(&whole, now_ns - c->sent_ns);
    if (!again || c->reply.close)
        conn_close(c);
    if (again && c->fd >= 0)
        conn_send(c);
    else if (again)
        conn_open(c);
}

static void
conn_read(struct conn *c)
{
    static char buf[READ_MAX];
    ssize_t n = read(c->fd, buf, sizeof(buf));

    if (n < 0 && errno == EAGAIN)
        return;
    now_ns = bench_now_ns();
    if (n <= 0) {
        if (n == 0)
            errno = 0;
        if (n == 0 && reply_closed(&c->reply)) {
            conn_done(c);
            return;
        }
        failure(c, "closed early");
        conn_close(c);
        return;
    }
    reply_feed(&c->reply, buf, (size_t)n, NULL, body_seen, c);
    if (c->reply.status != 0 && c->reply.status != 200 && failures == 0)
        (void)fprintf(stderr, "load: %.*s\n", n > 600 ? 600 : (int)n, buf);
    if (c->reply.state == REPLY_BAD) {
        failure(c, "bad framing");
        conn_close(c);
    } else if (c->reply.state == REPLY_DONE) {
        conn_done(c);
    } else if (mode == STALL && c->first_ns != 0 && !c->stalled) {
        c->stalled = true;
        bench_watch(ep, EPOLL_CTL_MOD, c->fd, 0, c);
    }
}

static void
conn_event(struct conn *c, uint32_t events)
{
    if (c->fd < 0)
        return;
    if (c->connecting && (events & EPOLLOUT) != 0) {
        c->connecting = false;
        bench_watch(ep, EPOLL_CTL_MOD, c->fd, EPOLLIN, c);
        conn_send(c);
        return;
    }
    if (c->stalled) {
        failure(c, "closed while stalled");
        conn_close(c);
        return;
    }
    conn_read(c);
}

/* Open the streams whose time has come, and say when the next one's is. */
static int64_t
conns_begin(struct conn *conns, long *opened, int64_t start_ns)
{
    int64_t due_ns;

    for (; *opened < conns_max; (*opened)++) {
        due_ns = start_ns + ramp_ms * 1000000LL * *opened / conns_max;
        if (due_ns > bench_now_ns())
            return due_ns;
        conn_open(&conns[*opened]);
    }
    return INT64_MAX;
}

static bool
stdin_open(void)
{
    char bytes[64];
    ssize_t n = read(0, bytes, sizeof(bytes));

    return n > 0 || (n < 0 && errno == EAGAIN);
}

static void
run(struct conn *conns)
{
    static struct epoll_event events[EVENTS_MAX];
    bool holding = mode == HOLD || mode == STALL, told = false;
    int64_t start_ns = bench_now_ns(), end_ns, next_ns;
    long opened = 0, n, i;

    now_ns = start_ns;
    stop_ns = start_ns + seconds * BENCH_NS_PER_S;
    end_ns = start_ns + limit_s * BENCH_NS_PER_S;
    if (holding) {
        bench_nonblock(0);
        bench_watch(ep, EPOLL_CTL_ADD, 0, EPOLLIN, NULL);
    }
    for (;;) {
        next_ns = conns_begin(conns, &opened, start_ns);
        if (opened == conns_max && open_count == 0 && !holding)
            break;
        if (holding && !told && opened == conns_max &&
            ready_count + failures >= conns_max) {
            told = true;
            report("ready ", start_ns);
        }
        n = bench_wait(ep, events, EVENTS_MAX,
                       next_ns < end_ns ? next_ns : end_ns);
        now_ns = bench_now_ns();
        if (now_ns >= end_ns)
            break;
        for (i = 0; i < n; i++)
            if (events[i].data.ptr != NULL)
                conn_event(events[i].data.ptr, events[i].events);
            else if (!stdin_open())
                goto out;
    }
out:
    now_ns = bench_now_ns();
    if (!holding)
        failures += open_count; /* given up at the limit */
    report("", start_ns);
}

static void
request_init(const char *url)
{
    const char *slash = strchr(url, '/');
    char address[64];
    int n;

    errno = 0;
    if (slash == NULL || (size_t)(slash - url) >= sizeof(address))
        bench_die("want 127.0.0.1:PORT/path, not \"%s\"", url);
    memcpy(address, url, (size_t)(slash - url));
    address[slash - url] = '\0';
    target_len = bench_address(address, &target);
    n = asprintf(&request,
                 "%s %s HTTP/1.1\r\nHost: %s\r\nAccept: %s\r\n"
                 "Content-Type: application/json\r\n"
                 "Content-Length: %zu\r\n\r\n%s",
                 body != NULL ? "POST" : "GET", slash, address,
                 mode == POST ? "application/json" : "text/event-stream",
                 body != NULL ? strlen(body) : 0, body != NULL ? body : "");
    if (n < 0)
        bench_die("out of memory");
    request_len = (size_t)n;
}

int
main(int argc, char **argv)
{
    static const struct option options[] = {
        {"conns", required_argument, NULL, 'c'},
        {"seconds", required_argument, NULL, 's'},
        {"ramp-ms", required_argument, NULL, 'r'},
        {"limit-s", required_argument, NULL, 'l'},
        {"body", required_argument, NULL, 'b'},
        {NULL, 0, NULL, 0},
    };
    static const char *const modes[] = {"post", "stream", "once", "hold",
                                        "stall"};
    struct conn *conns;
    int opt, i;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt == 'c')
            conns_max = bench_number("--conns", optarg, 1, 1000000);
        else if (opt == 's')
            seconds = bench_number("--seconds", optarg, 1, 3600);
        else if (opt == 'r')
            ramp_ms = bench_number("--ramp-ms", optarg, 0, 3600000);
        else if (opt == 'l')
            limit_s = bench_number("--limit-s", optarg, 1, 3600);
        else if (opt == 'b')
            body = optarg;
        else
            return 2;
    }
    for (i = 0; i < 5 && optind < argc; i++)
        if (strcmp(argv[optind], modes[i]) == 0)
            break;
    if (i == 5 || optind + 2 != argc) {
        (void)fprintf(stderr, "usage: load post|stream|once|hold|stall "
                              "[options] 127.0.0.1:PORT/path\n");
        return 2;
    }
    mode = (enum mode)i;
    bench_process_init();
    ep = epoll_create1(EPOLL_CLOEXEC);
    request_init(argv[optind + 1]);
    conns = calloc((size_t)conns_max, sizeof(*conns));
    if (conns == NULL)
        bench_die("out of memory");
    for (i = 0; i < conns_max; i++)
        conns[i].fd = -1;
    run(conns);
    for (i = 0; i < conns_max; i++)
        conn_close(&conns[i]);
    free(conns);
    free(request);
    return failures > 0 ? 1 : 0;
}
