/*
 * The chain of proxies is read from its near end. REMOTE_ADDR is certain: the
 * kernel told it to our web server. While an address is a trusted proxy's, the
 * element that it has put at the end of X-Forwarded-For is the next one; the
 * first that is not trusted is the client, and what stands before it is only
 * what that client says. So nobody can choose the address under which they are
 * counted.
 *
 * IPv4 in IPv6 (::ffff:1.2.3.4) is the IPv4 address: one client, one name.
 * The header Forwarded (RFC 7239) is not read: proxies that write it write
 * X-Forwarded-For, too, but not the other way round, and of two sources one
 * would be forged.
 */
#include "base/base.h"

#include "http/request_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/text.h"
#include "http/request_host.h"

#define ELEMENTS_MAX 64 /* of X-Forwarded-For that are looked at */

struct address {
    uint8_t bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
};

static struct network {
    struct address net;
    unsigned bits; /* of 128 */
} trusted[REQUEST_TRUST_MAX];
static size_t n_trusted;

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255};

static bool
is_v4(const struct address *a)
{
    return memcmp(a->bytes, mapped, sizeof(mapped)) == 0;
}

/* "1.2.3.4", "fe80::1", "fe80::1%eth0" */
static bool
address_read(struct address *a, const char *s, size_t n)
{
    const char *zone = memchr(s, '%', n);
    char text[INET6_ADDRSTRLEN];

    if (zone != NULL)
        n = (size_t)(zone - s);
    if (n == 0 || n >= sizeof(text))
        return false;
    memcpy(text, s, n);
    text[n] = '\0';
    memcpy(a->bytes, mapped, sizeof(mapped));
    return inet_pton(AF_INET, text, a->bytes + 12) == 1 ||
           inet_pton(AF_INET6, text, a->bytes) == 1;
}

static void
address_text(const struct address *a, char out[REQUEST_PEER_MAX + 1])
{
    const void *from = is_v4(a) ? a->bytes + 12 : a->bytes;

    out[0] = '\0';
    IGNORE(inet_ntop(is_v4(a) ? AF_INET : AF_INET6, from, out,
                     REQUEST_PEER_MAX + 1) == NULL);
}

/* The same with a port behind it: "1.2.3.4:80", "[::1]", "[::1]:80". */
static bool
element_read(struct address *a, const char *s, size_t n)
{
    const char *colon = memchr(s, ':', n);
    const char *end;

    if (n > 0 && s[0] == '[') {
        end = memchr(s, ']', n);
        return end != NULL && address_read(a, s + 1, (size_t)(end - s) - 1) &&
               !is_v4(a);
    }
    if (colon != NULL &&
        memchr(colon + 1, ':', (size_t)(s + n - colon) - 1) == NULL)
        n = (size_t)(colon - s);
    return address_read(a, s, n);
}

static bool
network_holds(const struct network *w, const struct address *a)
{
    unsigned whole = w->bits / 8, rest = w->bits % 8;

    return memcmp(w->net.bytes, a->bytes, whole) == 0 &&
           (rest == 0 ||
            (w->net.bytes[whole] ^ a->bytes[whole]) >> (8 - rest) == 0);
}

static bool
is_trusted(const struct address *a)
{
    for (size_t i = 0; i < n_trusted; i++)
        if (network_holds(&trusted[i], a))
            return true;
    return false;
}

/* "10.0.0.0/8", "::1" */
static bool
network_read(struct network *w, const char *s, size_t n)
{
    const char *slash = memchr(s, '/', n);
    size_t len = slash != NULL ? (size_t)(slash - s) : n;
    int64_t bits;
    bool v4;

    if (!address_read(&w->net, s, len))
        return false;
    v4 = memchr(s, ':', len) == NULL;
    bits = v4 ? 32 : 128;
    if (slash != NULL && text_i64(slash + 1, n - len - 1, 0, bits, &bits) != OK)
        return false;
    w->bits = (unsigned)bits + (v4 ? 96 : 0);
    return true;
}

enum err
request_trust(const char *proxies, struct problem *why)
{
    n_trusted = 0;
    for (const char *s = proxies; *s != '\0';) {
        size_t n = strcspn(s, ", \t");

        if (n > 0 && n_trusted == REQUEST_TRUST_MAX)
            return problem_set(why, ERR_TOOBIG, NULL, NULL,
                               "has more than %d elements", REQUEST_TRUST_MAX);
        if (n > 0 && !network_read(&trusted[n_trusted], s, n))
            return problem_set(why, ERR_BADREQ, NULL, NULL,
                               "%.*s is no address and no network such as "
                               "10.0.0.0/8",
                               (int)(n < 60 ? n : 60), s);
        n_trusted += n > 0;
        s += n;
        s += strspn(s, ", \t");
    }
    return OK;
}

/* The last element of a list, which *n bytes are; *n becomes what is before
 * it. False: the list is empty. */
static bool
take_last(const char *list, size_t *n, const char **at, size_t *len)
{
    const char *comma;
    size_t end = *n, start;

    if (*n == 0)
        return false;
    comma = memrchr(list, ',', *n);
    start = comma != NULL ? (size_t)(comma - list) + 1 : 0;
    *n = comma != NULL ? (size_t)(comma - list) : 0;
    while (start < end && (list[start] == ' ' || list[start] == '\t'))
        start++;
    while (end > start && (list[end - 1] == ' ' || list[end - 1] == '\t'))
        end--;
    *at = list + start;
    *len = end - start;
    return true;
}

/* Does a proxy that is not trusted say that it speaks for somebody? */
static bool
speaks_for_another(const struct request *rq)
{
    static const char *const headers[] = {"X-Forwarded-For", "Forwarded",
                                          "X-Real-IP", "Via"};

    for (size_t i = 0; i < COUNT_OF(headers); i++)
        if (request_header(rq, headers[i]) != NULL)
            return true;
    return false;
}

static bool
is_loopback(const struct address *a)
{
    static const uint8_t one[16] = {[15] = 1};

    return (is_v4(a) && a->bytes[12] == 127) ||
           memcmp(a->bytes, one, sizeof(one)) == 0;
}

bool
request_is_address(const char *s, size_t n)
{
    struct address a;

    return element_read(&a, s, n);
}

/* Not of the internet at large: RFC 1918, RFC 3927, RFC 4193, RFC 4291. */
static bool
is_private(const struct address *a)
{
    const uint8_t *b = is_v4(a) ? a->bytes + 12 : a->bytes;

    if (!is_v4(a))
        return (b[0] & 0xfe) == 0xfc || (b[0] == 0xfe && (b[1] & 0xc0) == 0x80);
    return b[0] == 10 || (b[0] == 172 && (b[1] & 0xf0) == 16) ||
           (b[0] == 192 && b[1] == 168) || (b[0] == 169 && b[1] == 254);
}

bool
request_is_inside(const char *addr)
{
    struct address a;

    return !address_read(&a, addr, strlen(addr)) || is_loopback(&a) ||
           is_private(&a);
}

/* The last proxy on the way, which is trusted, saw TLS or did not. */
static bool
forwarded_tls(const struct request *rq, bool otherwise)
{
    const char *list = request_header(rq, "X-Forwarded-Proto"), *at;
    size_t n = list != NULL ? strlen(list) : 0, len;

    if (!take_last(list, &n, &at, &len))
        return otherwise;
    return text_ieqn(at, len, "https");
}

static bool
said_tls(const struct request *rq)
{
    const char *https = request_var(rq, "HTTPS");
    const char *scheme = request_var(rq, "REQUEST_SCHEME");

    if (https != NULL && *https != '\0')
        return !text_ieq(https, "off") && strcmp(https, "0") != 0;
    return scheme != NULL && text_ieq(scheme, "https");
}

void
request_peer_find(struct request *rq)
{
    const char *addr = request_var(rq, "REMOTE_ADDR");
    const char *list = request_header(rq, "X-Forwarded-For"), *at;
    size_t n = list != NULL ? strlen(list) : 0, len;
    struct address a, next;
    bool forwarded;

    rq->peer[0] = '\0';
    rq->local = rq->trusted = false;
    rq->tls = said_tls(rq);
    if (addr == NULL || !address_read(&a, addr, strlen(addr)))
        return;
    forwarded = rq->trusted = is_trusted(&a);
    if (forwarded)
        rq->tls = forwarded_tls(rq, rq->tls);
    for (int i = 0; i < ELEMENTS_MAX && is_trusted(&a); i++) {
        if (!take_last(list, &n, &at, &len))
            break;
        if (!element_read(&next, at, len)) {
            n = 1; /* "unknown", a name: no more is known, least of all this */
            break;
        }
        a = next;
    }
    address_text(&a, rq->peer);
    rq->local = is_loopback(&a) && request_host_here(rq) &&
                (forwarded ? n == 0 : !speaks_for_another(rq));
}

const char *
request_peer(const struct request *rq)
{
    return rq->peer;
}

bool
request_tls(const struct request *rq)
{
    return rq->tls;
}

bool
request_local(const struct request *rq)
{
    return rq->local;
}

bool
request_peer_trusted(const struct request *rq)
{
    return rq->trusted;
}

bool
request_peer_ambiguous(const struct request *rq)
{
    return rq->trusted && (request_header_twice(rq, "X-Forwarded-For") ||
                           request_header_twice(rq, "X-Forwarded-Proto"));
}
