/*
 * Addresses and URLs that a client may name. URLs are read by libcurl, which
 * makes the request as well: two readers of one URL may disagree on its host,
 * and then the check is of another one than the call. It also writes numeric
 * hosts (0x7f.1) in the usual form.
 *
 * The ranges are those of the IANA special-purpose registries that are not
 * globally reachable.
 */
#include "base/base.h"

#include "upstream/guard.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>

#include "base/text.h"

#define HTTPS_PORT "443"
#define HOST_MAX 253 /* characters of a name */

/* --- addresses ------------------------------------------------------------ */

struct range4 {
    uint32_t net;
    int bits;
    enum guard_class class;
};

static const struct range4 ranges4[] = {
    {0x00000000, 8, GUARD_UNSPECIFIED}, {0x7F000000, 8, GUARD_LOOPBACK},
    {0x0A000000, 8, GUARD_PRIVATE},     {0xAC100000, 12, GUARD_PRIVATE},
    {0xC0A80000, 16, GUARD_PRIVATE},    {0x64400000, 10, GUARD_SHARED},
    {0xA9FE0000, 16, GUARD_LINK_LOCAL}, {0xE0000000, 4, GUARD_MULTICAST},
    {0xF0000000, 4, GUARD_RESERVED},    {0xC0000000, 24, GUARD_RESERVED},
    {0xC0000200, 24, GUARD_RESERVED},   {0xC6336400, 24, GUARD_RESERVED},
    {0xCB007100, 24, GUARD_RESERVED},   {0xC6120000, 15, GUARD_RESERVED},
    {0xC0586300, 24, GUARD_RESERVED},
};

/* Where clouds answer their own machines, outside of the link's addresses. */
static const uint32_t metadata4[] = {
    0x646464C8, /* 100.100.100.200 */
    0xA83F8110, /* 168.63.129.16 */
};

static enum guard_class
class4(uint32_t a)
{
    for (size_t i = 0; i < COUNT_OF(metadata4); i++)
        if (a == metadata4[i])
            return GUARD_LINK_LOCAL;
    for (size_t i = 0; i < COUNT_OF(ranges4); i++)
        if ((a ^ ranges4[i].net) >> (32 - ranges4[i].bits) == 0)
            return ranges4[i].class;
    return GUARD_PUBLIC;
}

static uint32_t
be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

static const uint8_t zeroes[12];

/* An IPv4 address that a[16] stands for. */
static bool
inside(const uint8_t a[16], uint32_t *out)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255};
    static const uint8_t nat64[12] = {0, 0x64, 0xFF, 0x9B};

    if (memcmp(a, mapped, 12) == 0 || memcmp(a, nat64, 12) == 0 ||
        memcmp(a, zeroes, 12) == 0)
        *out = be32(a + 12);
    else if (a[0] == 0x20 && a[1] == 0x02) /* 6to4 */
        *out = be32(a + 2);
    else if (be32(a) == 0x20010000) /* Teredo: its client, inverted */
        *out = ~be32(a + 12);
    else
        return false;
    return true;
}

static const uint8_t metadata6[][16] = {
    {0xFD, 0x00, 0x0E, 0xC2, [14] = 0x02, [15] = 0x54}, /* fd00:ec2::254 */
    {0xFD, 0x20, 0x00, 0xCE, [14] = 0x02, [15] = 0x54}, /* fd20:ce::254 */
};

static enum guard_class
class6(const uint8_t a[16])
{
    uint32_t v4;

    for (size_t i = 0; i < COUNT_OF(metadata6); i++)
        if (memcmp(a, metadata6[i], sizeof(metadata6[i])) == 0)
            return GUARD_LINK_LOCAL;
    if (memcmp(a, zeroes, 12) == 0 && be32(a + 12) <= 1)
        return a[15] == 1 ? GUARD_LOOPBACK : GUARD_UNSPECIFIED;
    if (inside(a, &v4))
        return class4(v4);
    if (a[0] == 0xFF)
        return GUARD_MULTICAST;
    if (a[0] == 0xFE && (a[1] & 0xC0) == 0x80)
        return GUARD_LINK_LOCAL;
    if ((a[0] & 0xFE) == 0xFC || (a[0] == 0xFE && (a[1] & 0xC0) == 0xC0))
        return GUARD_PRIVATE;
    if ((a[0] & 0xE0) != 0x20) /* only 2000::/3 is given out */
        return GUARD_RESERVED;
    if (be32(a) == 0x20010DB8 ||                /* documentation */
        (be32(a) & 0xFFFFFE00) == 0x20010000 || /* protocols: 2001::/23 */
        (be32(a) & 0xFFFFF000) == 0x3FFF0000)   /* documentation */
        return GUARD_RESERVED;
    return GUARD_PUBLIC;
}

enum guard_class
guard_class(const struct sockaddr *a, socklen_t n)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;

    if (n >= sizeof(in) && a->sa_family == AF_INET) {
        memcpy(&in, a, sizeof(in));
        return class4(ntohl(in.sin_addr.s_addr));
    }
    if (n >= sizeof(in6) && a->sa_family == AF_INET6) {
        memcpy(&in6, a, sizeof(in6));
        return class6(in6.sin6_addr.s6_addr);
    }
    return GUARD_RESERVED;
}

const char *
guard_class_name(enum guard_class c)
{
    static const char *const names[] = {
        "public", "unspecified", "loopback",  "private",
        "shared", "link-local",  "multicast", "reserved"};

    return (size_t)c < COUNT_OF(names) ? names[c] : "reserved";
}

/* --- URLs ----------------------------------------------------------------- */

/* Where the port of an entry begins; an IPv6 address has colons of its own. */
static const char *
port_of(const char *entry, size_t n)
{
    const char *from = entry[0] == '[' ? memchr(entry, ']', n) : entry;

    return from != NULL ? memchr(from, ':', n - (size_t)(from - entry)) : NULL;
}

/* Is a list's entry (a name, perhaps with a port or a star) this host? A star
 * is for names alone. */
static bool
entry_is(const char *entry, size_t n, const char *host, const char *port,
         bool named)
{
    const char *colon = port_of(entry, n);
    size_t name = colon != NULL ? (size_t)(colon - entry) : n;
    const char *want = colon != NULL ? colon + 1 : HTTPS_PORT;
    size_t want_n = colon != NULL ? n - name - 1 : strlen(HTTPS_PORT);
    size_t len = strlen(host);

    if (strlen(port) != want_n || memcmp(port, want, want_n) != 0)
        return false;
    if (named && name > 2 && entry[0] == '*' && entry[1] == '.') {
        entry++;
        name--;
        return len > name && strncasecmp(host + len - name, entry, name) == 0;
    }
    return len == name && strncasecmp(host, entry, name) == 0;
}

static bool
on_list(const char *hosts, const char *host, const char *port, bool named)
{
    if (hosts == NULL)
        return !text_ieq(host, "localhost");
    while (*hosts != '\0') {
        size_t n = strcspn(hosts, ", \t");

        if (n > 0 && entry_is(hosts, n, host, port, named))
            return true;
        hosts += n;
        hosts += strspn(hosts, ", \t");
    }
    return false;
}

/* Of a host that is an address; a name is public here. */
static enum guard_class
host_class(const char *host, bool *named)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    char plain[INET6_ADDRSTRLEN];
    size_t n = strlen(host);

    *named = false;
    if (host[0] == '[') {
        if (n < 4 || n - 2 >= sizeof(plain) || host[n - 1] != ']')
            return GUARD_RESERVED;
        memcpy(plain, host + 1, n - 2);
        plain[n - 2] = '\0';
        if (inet_pton(AF_INET6, plain, &in6.sin6_addr) != 1)
            return GUARD_RESERVED;
        return guard_class((struct sockaddr *)&in6, sizeof(in6));
    }
    if (inet_pton(AF_INET, host, &in.sin_addr) == 1)
        return guard_class((struct sockaddr *)&in, sizeof(in));
    *named = true;
    return GUARD_PUBLIC;
}

/* May an operator list an address of this class? Never what a machine finds
 * on its own link: the metadata of clouds is there. */
static bool
may_be_listed(enum guard_class c)
{
    return c == GUARD_PUBLIC || c == GUARD_LOOPBACK || c == GUARD_PRIVATE ||
           c == GUARD_SHARED;
}

struct parts {
    char *scheme, *host, *port, *user, *password; /* curl's; may be NULL */
};

static enum err
bad(struct problem *why, const char *message)
{
    return problem_set(why, ERR_BADREQ, "invalid_url", "The URL is not valid",
                       "%s", message);
}

static enum err
forbidden(struct problem *why, const char *code, const char *error,
          const char *message)
{
    return problem_set(why, ERR_FORBIDDEN, code, error, "%s", message);
}

static enum err
check_host(const struct parts *p, const char *hosts, enum guard_class *also,
           struct problem *why)
{
    size_t n = strlen(p->host);
    bool named, listed;

    if (n == 0 || n > HOST_MAX || p->host[0] == '.')
        return bad(why, "Its host is not valid.");
    for (const char *s = p->host; *s != '\0'; s++)
        if ((unsigned char)*s <= 0x20 || (unsigned char)*s >= 0x7f)
            return bad(why, "Its host is to be written in ASCII (xn--…).");
    if (p->host[n - 1] == '.') /* the same name, said in full */
        p->host[n - 1] = '\0';
    *also = host_class(p->host, &named);
    listed = on_list(hosts, p->host, p->port, named);
    if (*also != GUARD_PUBLIC &&
        (hosts == NULL || !listed || !may_be_listed(*also)))
        return forbidden(why, "address_not_allowed",
                         "This address may not be called",
                         "It is not one of the internet at large.");
    if (!listed)
        return forbidden(why, "host_not_allowed", "This host may not be called",
                         "The server has a list of those that may.");
    if (text_ieq(p->host, "localhost"))
        *also = GUARD_LOOPBACK;
    return OK;
}

static enum err
check_parts(const struct parts *p, const char *hosts, enum guard_class *also,
            struct problem *why)
{
    if (p->scheme == NULL || p->host == NULL || p->port == NULL)
        return bad(why, "It has the form https://host/path.");
    if (!text_ieq(p->scheme, "https"))
        return bad(why, "It begins with https://.");
    if (p->user != NULL || p->password != NULL)
        return bad(why, "It has no user and no password in it.");
    return check_host(p, hosts, also, why);
}

enum err
guard_url(const char *url, const char *hosts, enum guard_class *also,
          struct problem *why)
{
    struct parts p = {NULL, NULL, NULL, NULL, NULL};
    enum guard_class class = GUARD_PUBLIC;
    CURLU *u = curl_url();
    enum err e;

    if (also != NULL)
        *also = GUARD_PUBLIC;
    if (u == NULL)
        return problem_set(why, ERR_INTERNAL, NULL, NULL, NULL);
    if (curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) ==
        CURLUE_OK) {
        IGNORE(curl_url_get(u, CURLUPART_SCHEME, &p.scheme, 0));
        IGNORE(curl_url_get(u, CURLUPART_HOST, &p.host, 0));
        IGNORE(curl_url_get(u, CURLUPART_PORT, &p.port, CURLU_DEFAULT_PORT));
        IGNORE(curl_url_get(u, CURLUPART_USER, &p.user, 0));
        IGNORE(curl_url_get(u, CURLUPART_PASSWORD, &p.password, 0));
    }
    e = check_parts(&p, hosts, &class, why);
    if (e == OK && also != NULL)
        *also = class;
    curl_free(p.scheme);
    curl_free(p.host);
    curl_free(p.port);
    curl_free(p.user);
    curl_free(p.password);
    curl_url_cleanup(u);
    return e;
}
