/*
 * Whose page sent a request. Browsers put the page's origin on every request
 * that can change something; comparing it with the host that was asked keeps
 * other sites' pages from acting in a visitor's name. Programs send none.
 *
 * What a browser adds without being asked (cookies, the password of a login by
 * the Basic scheme) proves who uses it, not which page wants something. So for
 * what changes state:
 *   - an Origin must be ours or listed;
 *   - without one, Sec-Fetch-Site must say that it was our page or the user
 *     (an address typed in), not another site's link or image;
 *   - old browsers send neither with a form or an image. They say that they are
 *     browsers, and a form has one of three types: then a Referer must be ours.
 *     JSON cannot be sent to another site without asking first (CORS);
 *   - a token that the page itself had to put into a header is proof enough:
 *     no page can do so for another site without asking first.
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

/* Is there a star in the list? */
static bool
takes_any(const char *list)
{
    while (*list) {
        size_t n;
        list += strspn(list, " \t,");
        n = strcspn(list, " \t,");
        if (n == 1 && *list == '*')
            return true;
        list += n;
    }
    return false;
}

static enum origin
list_answer(const char *list, const char *scheme, size_t scheme_len,
            const struct authority *origin)
{
    if (listed(list, scheme, scheme_len, origin))
        return ORIGIN_LISTED;
    return takes_any(list) ? ORIGIN_ANY : ORIGIN_FOREIGN;
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
        return without_origin(rq, takes_any(allowed));
    if (!printable(s))
        return ORIGIN_FOREIGN;
    sep = strstr(s, "://");
    if (!sep) /* "null" and other things without a host */
        return list_answer(allowed, "", 0, &any);
    port = default_port(s, (size_t)(sep - s));
    authority_split(&origin, sep + 3, strlen(sep + 3), port);
    if (host) {
        authority_split(&asked, host, strlen(host), port);
        if (authority_eq(&origin, &asked))
            return ORIGIN_OWN;
    }
    return list_answer(allowed, s, (size_t)(sep - s), &origin);
}

/* A header that a browser does not add by itself. */
static bool
has_token(const struct request *rq)
{
    const char *authorization = request_header(rq, "Authorization");
    const char *key = request_header(rq, "X-API-Key");

    return (authorization && text_istarts(authorization, "Bearer ")) ||
           (key && *key);
}

/* Something that a browser adds by itself. */
static bool
has_ambient(const struct request *rq)
{
    const char *authorization = request_header(rq, "Authorization");
    const char *cookie = request_header(rq, "Cookie");

    return (cookie && *cookie) ||
           (authorization && text_istarts(authorization, "Basic "));
}

static bool
is_browser(const struct request *rq)
{
    const char *agent = request_header(rq, "User-Agent");

    return agent &&
           (text_starts(agent, "Mozilla/") || text_starts(agent, "Opera/"));
}

/* Could an old browser's form, link or image have made it? */
static bool
is_simple(const struct request *rq)
{
    static const char *const types[] = {"", "application/x-www-form-urlencoded",
                                        "multipart/form-data", "text/plain"};

    if (rq->method == METHOD_GET || rq->method == METHOD_HEAD)
        return true;
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (strcmp(rq->type, types[i]) == 0)
            return rq->method == METHOD_POST;
    return false;
}

/* Is the page that a Referer names one of the host that was asked? */
static bool
referer_is_own(const struct request *rq)
{
    const char *s = request_header(rq, "Referer");
    const char *host = request_header(rq, "Host");
    const char *sep = s ? strstr(s, "://") : NULL;
    struct authority page, asked;
    const char *port;

    if (!sep || !host)
        return false;
    port = default_port(s, (size_t)(sep - s));
    authority_split(&page, sep + 3, strcspn(sep + 3, "/?#"), port);
    authority_split(&asked, host, strlen(host), port);
    return authority_eq(&page, &asked);
}

bool
request_foreign(const struct request *rq, const char *allowed)
{
    enum origin o = request_origin(rq, allowed);
    const char *site = request_header(rq, "Sec-Fetch-Site");
    const char *mode = request_header(rq, "Sec-Fetch-Mode");
    bool any = takes_any(allowed);

    if (o == ORIGIN_OWN || o == ORIGIN_LISTED || o == ORIGIN_ANY ||
        has_token(rq))
        return false;
    if (o == ORIGIN_FOREIGN)
        return true;
    if (site) /* a link changes nothing, even if all pages may */
        return strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0 &&
               (!any || (mode && strcmp(mode, "navigate") == 0));
    if (any)
        return false;
    return has_ambient(rq) && is_browser(rq) && is_simple(rq) &&
           !referer_is_own(rq);
}

bool
request_ambient(const struct request *rq, const char *allowed)
{
    enum origin o = request_origin(rq, allowed);
    const char *site = request_header(rq, "Sec-Fetch-Site");
    const char *mode = request_header(rq, "Sec-Fetch-Mode");

    if (o != ORIGIN_NONE)
        return o == ORIGIN_OWN || o == ORIGIN_LISTED;
    /* Another site may lead here, but not look through our eyes. */
    return !site || strcmp(site, "same-origin") == 0 ||
           strcmp(site, "none") == 0 || (mode && strcmp(mode, "navigate") == 0);
}
