/* The FastCGI program that does least: it reads a request to its end and
 * writes the same few bytes. It shows what the web server and the protocol
 * cost by themselves.
 *
 * One process, one request at a time, no library: it is started with the
 * listening socket at descriptor 0, as every FastCGI program is. It looks at
 * the record headers only, since all that it must know is where the request
 * ends. lighttpd opens a connection for each request and so it closes each. */
#include "bench.h"

#define FCGI_END_REQUEST 3
#define FCGI_STDIN 5
#define FCGI_STDOUT 6

static const char answer[] =
    "Content-Type: application/json\r\n\r\n"
    "{\"message\":\"Hello, world. This is one line of text, and no more.\"}";

/* Read up to and with the empty STDIN record; false when the peer left. */
static bool
request_read(int fd)
{
    static unsigned char buf[65536];
    size_t have = 0, at = 0, len;
    ssize_t n;

    for (;;) {
        while (have - at >= 8) {
            len = (size_t)buf[at + 4] << 8 | buf[at + 5];
            if (buf[at + 1] == FCGI_STDIN && len == 0)
                return true;
            len += 8u + buf[at + 6];
            if (have - at < len)
                break;
            at += len;
        }
        memmove(buf, buf + at, have - at);
        have -= at;
        at = 0;
        if (have == sizeof(buf))
            return false; /* a record longer than any of ours */
        n = read(fd, buf + have, sizeof(buf) - have);
        if (n <= 0)
            return false;
        have += (size_t)n;
    }
}

int
main(void)
{
    unsigned char reply[sizeof(answer) + 64] = {1, FCGI_STDOUT, 0, 1};
    size_t len = sizeof(answer) - 1, at = 8 + len;
    int fd;

    bench_process_init();
    reply[4] = (unsigned char)(len >> 8);
    reply[5] = (unsigned char)len;
    memcpy(reply + 8, answer, len);
    memcpy(reply + at, "\1\6\0\1\0\0\0\0", 8); /* the end of STDOUT */
    memcpy(reply + at + 8, "\1\3\0\1\0\10\0\0", 8);
    memset(reply + at + 16, 0, 8); /* status 0, FCGI_REQUEST_COMPLETE */
    reply[at + 9] = FCGI_END_REQUEST;
    for (;;) {
        fd = accept4(0, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0)
            bench_die("accept");
        if (request_read(fd) && write(fd, reply, at + 24) < 0)
            errno = 0; /* the peer left: nothing to do about it */
        (void)close(fd);
    }
}
