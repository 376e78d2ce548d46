/* What the small programs of this folder have in common: a clock, sockets,
 * epoll, and dying with a sentence.
 *
 * The programs measure Parley, so they must not be built from it: a fault in
 * the library would bend the ruler as well. They share this one header and
 * nothing else. Everything is static inline; a failure that has no sensible
 * continuation ends the program, since a benchmark that limps is worse than
 * one that stops. */
#ifndef BENCH_H
#define BENCH_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define BENCH_NS_PER_S 1000000000LL
#define BENCH_NS_PER_US 1000LL

/* Print a sentence and the reason in errno, and end with status 1. */
__attribute__((noreturn, format(printf, 1, 2))) static inline void
bench_die(const char *format, ...)
{
    int reason = errno;
    va_list ap;

    va_start(ap, format);
    (void)vfprintf(stderr, format, ap);
    va_end(ap);
    if (reason != 0)
        (void)fprintf(stderr, ": %s", strerror(reason));
    (void)fputc('\n', stderr);
    exit(1);
}

/* Heap memory or the end of the program; with n = 0 too it is not NULL. */
__attribute__((returns_nonnull)) static inline void *
bench_alloc(void *old, size_t n)
{
    void *p = realloc(old, n > 0 ? n : 1);

    if (p == NULL)
        bench_die("out of memory for %zu bytes", n);
    return p;
}

/* Nanoseconds of the monotonic clock. */
static inline int64_t
bench_now_ns(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * BENCH_NS_PER_S + ts.tv_nsec;
}

/* The whole number that text holds, or the end of the program when it holds
 * something else or a value outside min..max. name is for the sentence. */
static inline long
bench_number(const char *name, const char *text, long min, long max)
{
    char *end;
    long v;

    errno = 0;
    v = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || v < min || v > max) {
        errno = 0;
        bench_die("%s wants a number from %ld to %ld, not \"%s\"", name, min,
                  max, text);
    }
    return v;
}

/* Raise the soft limit of descriptors to the hard one, leave SIGPIPE to
 * write(), and end when the parent ends, however it ends. */
static inline void
bench_process_init(void)
{
    struct rlimit rl;

    if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
        rl.rlim_cur = rl.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &rl); /* the old limit may do too */
    }
    (void)signal(SIGPIPE, SIG_IGN);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
}

static inline void
bench_nonblock(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        bench_die("fcntl");
}

/* An address is "/path/of/a/socket" or "127.0.0.1:port". Fills *sa and gives
 * its length; dies when the text is neither. */
static inline socklen_t
bench_address(const char *text, struct sockaddr_storage *sa)
{
    struct sockaddr_un *un = (struct sockaddr_un *)sa;
    struct sockaddr_in *in = (struct sockaddr_in *)sa;
    const char *colon = strchr(text, ':');
    char host[INET_ADDRSTRLEN];

    memset(sa, 0, sizeof(*sa));
    errno = 0;
    if (text[0] == '/') {
        if (strlen(text) >= sizeof(un->sun_path))
            bench_die("socket path too long: %s", text);
        un->sun_family = AF_UNIX;
        memcpy(un->sun_path, text, strlen(text) + 1);
        return sizeof(*un);
    }
    if (colon == NULL || (size_t)(colon - text) >= sizeof(host))
        bench_die("not an address: %s", text);
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    in->sin_family = AF_INET;
    in->sin_port = htons((uint16_t)bench_number("port", colon + 1, 0, 65535));
    if (inet_pton(AF_INET, host, &in->sin_addr) != 1)
        bench_die("not an IPv4 address: %s", host);
    return sizeof(*in);
}

/* A non-blocking listening socket; its address is printed on stdout as
 * "listening ADDRESS", with the port that the kernel chose for port 0. */
static inline int
bench_listen(const char *text)
{
    struct sockaddr_storage sa;
    socklen_t len = bench_address(text, &sa);
    struct sockaddr_in in = {0};
    int one = 1, fd;

    fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        bench_die("socket");
    if (sa.ss_family == AF_UNIX)
        (void)unlink(text); /* left by an earlier run, or not there */
    else
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, (struct sockaddr *)&sa, len) < 0 || listen(fd, 4096) < 0)
        bench_die("cannot listen at %s", text);
    if (sa.ss_family == AF_UNIX) {
        (void)printf("listening %s\n", text);
    } else {
        len = sizeof(in);
        if (getsockname(fd, (struct sockaddr *)&in, &len) < 0)
            bench_die("getsockname");
        (void)printf("listening %.*s:%d\n", (int)strcspn(text, ":"), text,
                     ntohs(in.sin_port));
    }
    (void)fflush(stdout);
    return fd;
}

/* A non-blocking socket that is connecting or connected, or -1 with errno.
 * Small writes leave at once. */
static inline int
bench_connect(const struct sockaddr_storage *sa, socklen_t len)
{
    int one = 1, fd, e;

    fd = socket(sa->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (sa->ss_family == AF_INET)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (connect(fd, (const struct sockaddr *)sa, len) < 0 &&
        errno != EINPROGRESS) {
        e = errno;
        (void)close(fd);
        errno = e;
        return -1;
    }
    return fd;
}

/* Add or change what is waited for on fd; ptr comes back with the event. */
static inline void
bench_watch(int ep, int op, int fd, uint32_t events, void *ptr)
{
    struct epoll_event ev = {.events = events, .data.ptr = ptr};

    if (epoll_ctl(ep, op, fd, &ev) < 0)
        bench_die("epoll_ctl");
}

/* Wait for events until the monotonic time until_ns; a negative one is for
 * ever, a past one looks only. Nanoseconds, so that short pauses are kept. */
static inline int
bench_wait(int ep, struct epoll_event *events, int max, int64_t until_ns)
{
    int64_t left_ns = 0;
    struct timespec ts;
    int n;

    if (until_ns >= 0) {
        left_ns = until_ns - bench_now_ns();
        if (left_ns < 0)
            left_ns = 0;
    }
    ts.tv_sec = left_ns / BENCH_NS_PER_S;
    ts.tv_nsec = left_ns % BENCH_NS_PER_S;
    n = epoll_pwait2(ep, events, max, until_ns < 0 ? NULL : &ts, NULL);
    if (n < 0 && errno != EINTR)
        bench_die("epoll_pwait2");
    return n < 0 ? 0 : n;
}

#endif
