/*
 * A connection that curl makes (names, proxies, TLS and all) and hands over,
 * for what is not HTTP: a WebSocket's. Bytes go through curl, which has the
 * TLS; waiting is poll's.
 */
#include "base/base.h"

#include "client/carrier.h"

#include <curl/curl.h>
#include <poll.h>

#include "base/mem.h"
#include "client/inside.h"

struct carrier_line {
    CURL *easy;
    curl_socket_t fd;
};

/* Called by curl while it connects, at least once a second. */
static int
on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct carrier *carrier = arg;

    (void)a, (void)b, (void)c, (void)d;
    return atomic_load(&carrier->stops) > 0;
}

static enum carrier_end
end_of(CURLcode code)
{
    switch (code) {
    case CURLE_OK: return CARRIER_DONE;
    case CURLE_ABORTED_BY_CALLBACK: return CARRIER_STOPPED;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE: return CARRIER_WRONG;
    default: return CARRIER_NOWHERE;
    }
}

enum carrier_end
carrier_dial(struct carrier *c, const char *url, struct carrier_line **out,
             char why[CARRIER_WHY_MAX])
{
    struct carrier_line *l = xcalloc(1, sizeof(*l));
    char error[CURL_ERROR_SIZE] = "";
    CURLcode code;

    l->easy = carrier_easy(c, url);
    (void)curl_easy_setopt(l->easy, CURLOPT_CONNECT_ONLY, 1L);
    (void)curl_easy_setopt(l->easy, CURLOPT_HTTP_VERSION,
                           (long)CURL_HTTP_VERSION_1_1);
    (void)curl_easy_setopt(l->easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
    (void)curl_easy_setopt(l->easy, CURLOPT_NOPROGRESS, 0L);
    (void)curl_easy_setopt(l->easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    (void)curl_easy_setopt(l->easy, CURLOPT_XFERINFODATA, c);
    (void)curl_easy_setopt(l->easy, CURLOPT_ERRORBUFFER, error);
    code = curl_easy_perform(l->easy);
    (void)curl_easy_setopt(l->easy, CURLOPT_ERRORBUFFER, NULL);
    if (code == CURLE_OK &&
        curl_easy_getinfo(l->easy, CURLINFO_ACTIVESOCKET, &l->fd) == CURLE_OK &&
        l->fd != CURL_SOCKET_BAD) {
        *out = l;
        return CARRIER_DONE;
    }
    carrier_why(why, (int)code, error);
    carrier_hang_up(l);
    return code == CURLE_OK ? CARRIER_NOWHERE : end_of(code);
}

void
carrier_hang_up(struct carrier_line *l)
{
    if (l == NULL)
        return;
    curl_easy_cleanup(l->easy);
    free(l);
}

ssize_t
carrier_read(struct carrier_line *l, void *p, size_t n)
{
    size_t got = 0;
    CURLcode code = curl_easy_recv(l->easy, p, n, &got);

    if (code == CURLE_AGAIN)
        return 0;
    return code == CURLE_OK && got > 0 ? (ssize_t)got : -1;
}

ssize_t
carrier_write(struct carrier_line *l, const void *p, size_t n)
{
    size_t put = 0;
    CURLcode code = curl_easy_send(l->easy, p, n, &put);

    if (code == CURLE_AGAIN)
        return 0;
    return code == CURLE_OK ? (ssize_t)put : -1;
}

bool
carrier_wait(struct carrier *c, struct carrier_line *l, bool write, int ms)
{
    struct pollfd fds[2] = {
        {.fd = l->fd, .events = (short)(write ? POLLIN | POLLOUT : POLLIN)},
        {.fd = c->wake_fd, .events = POLLIN},
    };
    int before = atomic_load(&c->stops);

    (void)poll(fds, 2, ms);
    if (fds[1].revents != 0)
        carrier_drain(c);
    return atomic_load(&c->stops) == before;
}
