/*
 * Rebinding needs three things: a name that its owner can point anywhere, a
 * server that listens where the owner cannot reach it but a visitor's browser
 * can, and nothing that asks the visitor who they are (their cookies are of
 * another name). Without ALLOWED_HOSTS the check looks for just these, since a
 * public site cannot know by which names it is reached, and should not have to
 * be told.
 *
 * What a page cannot feign, whatever it can add to its requests: that it came
 * by TLS with a certificate for the name. A browser says so by Sec-Fetch-Site,
 * which it sends to such servers (and to this very machine) alone, and by an
 * Origin that begins with https. So a server behind a proxy that ends TLS needs
 * no setting for its browsers.
 *
 * Names without a dot and those below the domains listed here are of the local
 * network: nobody can buy one.
 */
#include "base/base.h"

#include "http/request_host.h"

#include "base/text.h"
#include "http/request_peer.h"

#define NAME_MAX_LEN 254 /* bytes of a host's name, with a dot at the end */

/* A host as it is written, borrowed; an IPv6 address has its brackets. */
struct host {
    const char *name;
    size_t len; /* without a dot at the end */
    const char *port;
    size_t port_len; /* 0: none */
};

static const char *const local_domains[] = {
    "localhost", "local", "lan", "home", "home.arpa", "internal",
};

/* --- reading -------------------------------------------------------------- */

static bool
is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

/* How many bytes of s are a name or an address in brackets; 0: none. */
static size_t
name_len(const char *s, size_t n)
{
    const char *end = n > 0 && s[0] == '[' ? memchr(s, ']', n) : NULL;
    size_t len = 0;

    if (end !=
        NULL) { /* a zone is of one machine, and in no address of a site */
        len = (size_t)(end - s) + 1;
        return request_is_address(s, len) && !memchr(s, '%', len) ? len : 0;
    }
    while (len < n && is_name_char(s[len]))
        len++;
    return len <= NAME_MAX_LEN ? len : 0;
}

/* "a.example", "a.example:8080", "[::1]:8080" */
static bool
host_read(struct host *h, const char *s, size_t n)
{
    size_t len = name_len(s, n), port = len + 1;

    if (len == 0 || (len < n && s[len] != ':'))
        return false;
    h->name = s;
    h->len = s[len - 1] == '.' ? len - 1 : len;
    h->port = len < n ? s + port : "";
    h->port_len = len < n ? n - port : 0;
    for (size_t i = 0; i < h->port_len; i++)
        if (h->port[i] < '0' || h->port[i] > '9')
            return false;
    return h->len > 0 && h->port_len <= 5;
}

/* --- what a name is ------------------------------------------------------- */

/* Is it this name, or (below) one below it? */
static bool
ends_with(const struct host *h, const char *name, size_t n, bool below)
{
    if (h->len == n)
        return !below && strncasecmp(h->name, name, n) == 0;
    return below && h->len > n + 1 && h->name[h->len - n - 1] == '.' &&
           strncasecmp(h->name + h->len - n, name, n) == 0;
}

static bool
is_or_is_below(const struct host *h, const char *name)
{
    size_t n = strlen(name);

    return ends_with(h, name, n, false) || ends_with(h, name, n, true);
}

/* Is this machine asked by an address, or as localhost? */
static bool
is_here(const struct host *h)
{
    return request_is_address(h->name, h->len) ||
           is_or_is_below(h, "localhost");
}

/* Can nobody have a domain of this name? */
static bool
is_local(const struct host *h)
{
    if (memchr(h->name, '.', h->len) == NULL)
        return true;
    for (size_t i = 0; i < COUNT_OF(local_domains); i++)
        if (is_or_is_below(h, local_domains[i]))
            return true;
    return false;
}

bool
request_host_here(const struct request *rq)
{
    const char *s = request_header(rq, "Host");
    struct host h;

    return s == NULL || (host_read(&h, s, strlen(s)) && is_here(&h));
}

/* --- the list ------------------------------------------------------------- */

/* "*.example" is below; what is read is the rest. */
static bool
element_read(struct host *e, bool *below, const char *s, size_t n)
{
    *below = n > 2 && s[0] == '*' && s[1] == '.';
    return *below ? host_read(e, s + 2, n - 2) : host_read(e, s, n);
}

/* The port that was asked, also where it is not written. */
static bool
asked_port(const struct request *rq, const struct host *h,
           const struct host *want)
{
    const char *port = h->port_len > 0   ? h->port
                       : request_tls(rq) ? "443"
                                         : "80";
    size_t n = h->port_len > 0 ? h->port_len : strlen(port);

    return want->port_len == 0 ||
           (want->port_len == n && memcmp(want->port, port, n) == 0);
}

static bool
is_listed(const struct request *rq, const struct host *h, const char *list)
{
    while (*list != '\0') {
        struct host e;
        bool below;
        size_t n;

        list += strspn(list, " \t,");
        n = strcspn(list, " \t,");
        if (n == 1 && *list == '*')
            return true;
        if (n > 0 && element_read(&e, &below, list, n) &&
            ends_with(h, e.name, e.len, below) && asked_port(rq, h, &e))
            return true;
        list += n;
    }
    return false;
}

enum err
request_hosts_read(const char *allowed, struct problem *why)
{
    while (*allowed != '\0') {
        struct host e;
        bool below;
        size_t n;

        allowed += strspn(allowed, " \t,");
        n = strcspn(allowed, " \t,");
        if (n > 0 && !(n == 1 && *allowed == '*') &&
            !element_read(&e, &below, allowed, n))
            return problem_set(why, ERR_BADREQ, NULL, NULL,
                               "%.*s is no host such as chat.example.org, "
                               "chat.example.org:8443 or *.example.org",
                               (int)(n < 60 ? n : 60), allowed);
        allowed += n;
    }
    return OK;
}

/* Is it the host of this address of ours? */
static bool
is_of_url(const struct host *h, const char *url)
{
    const char *sep = strstr(url, "://");
    struct host own;

    return sep != NULL && host_read(&own, sep + 3, strcspn(sep + 3, "/?#")) &&
           ends_with(h, own.name, own.len, false);
}

/* --- the danger ----------------------------------------------------------- */

/* Did a browser see a certificate for the name? */
static bool
is_certified(const struct request *rq, const struct host *h)
{
    const char *origin = request_header(rq, "Origin");
    const char *site = request_header(rq, "Sec-Fetch-Site");

    return request_tls(rq) || (site != NULL && *site != '\0') ||
           (origin != NULL && text_istarts(origin, "https://") &&
            is_of_url(h, origin));
}

static bool
is_inside(const char *addr)
{
    return addr == NULL || request_is_inside(addr);
}

static bool
may_be_rebound(const struct request *rq, const struct host *h)
{
    return is_inside(request_peer(rq)) &&
           is_inside(request_var(rq, "SERVER_ADDR")) && !is_local(h) &&
           !is_certified(rq, h);
}

static enum err
unknown(const struct host *h, struct problem *why)
{
    (void)problem_set(why, ERR_FORBIDDEN, "unknown_host",
                      "The server is not known by this name",
                      "Open it by its address or as localhost, or add %.*s to "
                      "ALLOWED_HOSTS if the name is yours.",
                      (int)(h->len < 100 ? h->len : 100), h->name);
    why->status = 421;
    return ERR_FORBIDDEN;
}

enum err
request_host_check(const struct request *rq, const struct request_hosts *hosts,
                   struct problem *why)
{
    const char *s = request_header(rq, "Host");
    struct host h;

    if (s == NULL || *s == '\0')
        return OK;
    if (!host_read(&h, s, strlen(s)))
        return problem_set(why, ERR_BADREQ, "invalid_host",
                           "The Host header is no host",
                           "It is a name or an address, and a port.");
    if (is_here(&h) || is_of_url(&h, hosts->own_url))
        return OK;
    if (hosts->allowed[strspn(hosts->allowed, " \t,")] != '\0')
        return is_listed(rq, &h, hosts->allowed) ? OK : unknown(&h, why);
    return hosts->open && may_be_rebound(rq, &h) ? unknown(&h, why) : OK;
}
