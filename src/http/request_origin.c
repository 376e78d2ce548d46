/*
 * Whose page sent a request. Browsers put the page's origin on every request
 * that can change something; comparing it with the host that was asked keeps
 * other sites' pages from acting in a visitor's name. Programs send none.
 */
#include "base/base.h"

#include "http/request.h"

#include "base/text.h"

#define ORIGIN_MAX 300 /* bytes; a host name has at most 253 */

/* host[:port] with its default port resolved; borrowed. */
struct authority {
    const char *host;
    size_t host_len;
    const char *port;
    size_t port_len;
};

static const char *
default_port(const char *scheme, size_t n)
{
    if (text_ieqn(scheme, n, "http"))
        return "80";
    if (text_ieqn(scheme, n, "https"))
        return "443";
    return "";
}

/* otherwise: the port if none is written. */
static void
authority_split(struct authority *a, const char *s, size_t n,
                const char *otherwise)
{
    size_t at = n;

    while (at > 0 && s[at - 1] >= '0' && s[at - 1] <= '9')
        at--;
    if (at > 0 && s[at - 1] == ':') {
        a->host_len = at - 1;
        a->port = s + at;
        a->port_len = n - at;
    } else {
        a->host_len = n;
        a->port_len = 0;
    }
    a->host = s;
    if (a->port_len == 0) {
        a->port = otherwise;
        a->port_len = strlen(otherwise);
    }
}

static bool
authority_eq(const struct authority *a, const struct authority *b)
{
    return a->host_len == b->host_len && a->host_len > 0 &&
           strncasecmp(a->host, b->host, a->host_len) == 0 &&
           a->port_len == b->port_len &&
           memcmp(a->port, b->port, a->port_len) == 0;
}

/* Does one element of the list stand for this origin? */
static bool
element_allows(const char *s, size_t n, const char *scheme, size_t scheme_len,
               const struct authority *origin)
{
    const char *sep = memmem(s, n, "://", 3);
    struct authority a;

    if (n == 1 && *s == '*')
        return true;
    if (sep) {
        if ((size_t)(sep - s) != scheme_len ||
            strncasecmp(s, scheme, scheme_len) != 0)
            return false;
        n -= (size_t)(sep + 3 - s);
        s = sep + 3;
    }
    while (n > 0 && s[n - 1] == '/')
        n--;
    authority_split(&a, s, n, default_port(scheme, scheme_len));
    return authority_eq(&a, origin);
}

static bool
listed(const char *list, const char *scheme, size_t scheme_len,
       const struct authority *origin)
{
    while (*list) {
        size_t n;
        list += strspn(list, " \t,");
        n = strcspn(list, " \t,");
        if (n && element_allows(list, n, scheme, scheme_len, origin))
            return true;
        list += n;
    }
    return false;
}

static bool
printable(const char *s)
{
    size_t n = 0;

    for (; s[n]; n++)
        if (n >= ORIGIN_MAX || s[n] <= 0x20 || s[n] >= 0x7f)
            return false;
    return n > 0;
}

/* No Origin: a browser may still say that the page is another site's. */
static enum origin
without_origin(const struct request *rq, bool any)
{
    const char *site = request_header(rq, "Sec-Fetch-Site");
    const char *mode = request_header(rq, "Sec-Fetch-Mode");

    if (any || !site || strcmp(site, "cross-site") != 0)
        return ORIGIN_NONE;
    return mode && strcmp(mode, "navigate") == 0 ? ORIGIN_NONE : ORIGIN_FOREIGN;
}

enum origin
request_origin(const struct request *rq, const char *allowed)
{
    const char *s = request_header(rq, "Origin");
    const char *host = request_header(rq, "Host");
    struct authority any = {"", 0, "", 0}, origin, asked;
    const char *sep, *port;

    if (!s || !*s)
        return without_origin(rq, listed(allowed, "", 0, &any));
    if (!printable(s))
        return ORIGIN_FOREIGN;
    sep = strstr(s, "://");
    if (!sep) /* "null" and other things without a host */
        return listed(allowed, "", 0, &any) ? ORIGIN_LISTED : ORIGIN_FOREIGN;
    port = default_port(s, (size_t)(sep - s));
    authority_split(&origin, sep + 3, strlen(sep + 3), port);
    if (host) {
        authority_split(&asked, host, strlen(host), port);
        if (authority_eq(&origin, &asked))
            return ORIGIN_OWN;
    }
    return listed(allowed, s, (size_t)(sep - s), &origin) ? ORIGIN_LISTED
                                                          : ORIGIN_FOREIGN;
}

bool
request_foreign(const struct request *rq, const char *allowed)
{
    return request_origin(rq, allowed) == ORIGIN_FOREIGN;
}
