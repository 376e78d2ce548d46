/*
 * URLs that a provider names, and where a browser goes after signing in. The
 * page names that place in its link, so anybody who makes a link can name one:
 * it has to be of this very site, or a login here would be the first half of
 * somebody's phishing. Pure.
 */
#include "base/base.h"

#include "auth/oidc_wire.h"

#include "base/text.h"

/* --- a provider's --------------------------------------------------------- */

/* The host of an authority, without its port: how long it is. */
static size_t
host_len(const char *s)
{
    size_t n = strcspn(s, "/?#");
    const char *end = s[0] == '[' ? memchr(s, ']', n) : NULL;

    if (end != NULL)
        return (size_t)(end - s) + 1;
    return strcspn(s, ":/?#");
}

static bool
port_ok(const char *s)
{
    size_t n = strcspn(s, "/?#");
    int64_t port;

    return n == 0 ||
           (s[0] == ':' && text_i64(s + 1, n - 1, 1, 65535, &port) == OK);
}

static bool
is_loopback(const char *host, size_t n)
{
    unsigned a, b, c;
    int used = 0;

    if (text_ieqn(host, n, "localhost") || text_ieqn(host, n, "[::1]"))
        return true;
    return n <= 15 &&
           sscanf(host, "127.%3u.%3u.%3u%n", &a, &b, &c, &used) == 3 &&
           (size_t)used == n && a < 256 && b < 256 && c < 256;
}

bool
oidc_url_plain(const char *url)
{
    return text_istarts(url, "http://");
}

/* Where its host begins and how long that is; NULL: it is no such URL. */
static const char *
host_of(const char *url, size_t *len)
{
    const char *host = url + (oidc_url_plain(url) ? 7 : 8);
    size_t n, all = strlen(url);

    if (all > OIDC_URL_MAX ||
        (!oidc_url_plain(url) && !text_istarts(url, "https://")))
        return NULL;
    for (size_t i = 0; i < all; i++)
        if (url[i] <= ' ' || url[i] > '~' || strchr("\\\"<>^`{|}#", url[i]))
            return NULL;
    if (memchr(host, '@', strcspn(host, "/?")) != NULL)
        return NULL;
    n = host_len(host);
    if (n == 0 || !port_ok(host + n))
        return NULL;
    *len = n;
    return host;
}

bool
oidc_url_ok(const char *url, bool plain)
{
    size_t n = 0;
    const char *host = host_of(url, &n);

    return host != NULL &&
           (!oidc_url_plain(url) || (plain && is_loopback(host, n)));
}

/* --- ours ----------------------------------------------------------------- */

/* The characters of a path, a query and a fragment (RFC 3986), but those that
 * need escapes anyway. A backslash is a slash to browsers. */
static bool
char_ok(char c)
{
    return c > ' ' && c <= '~' && strchr("\\\"<>^`{|}", c) == NULL;
}

/* One segment of a path: is it "." or ".." in any spelling? */
static bool
is_dots(const char *s, size_t n)
{
    size_t dots = 0;

    for (size_t i = 0; i < n; dots++) {
        if (s[i] == '.')
            i += 1;
        else if (n - i >= 3 && text_ieqn(s + i, 3, "%2e"))
            i += 3;
        else
            return false;
    }
    return dots == 1 || dots == 2;
}

bool
oidc_redirect_ok(const char *url)
{
    size_t n;

    return host_of(url, &n) != NULL;
}

bool
oidc_next_ok(const char *next, const char *base)
{
    size_t n = strcspn(next, "?#"), len = strlen(base);

    if (strlen(next) > OIDC_NEXT_MAX || strncmp(next, base, len) != 0 ||
        next[len] != '/')
        return false;
    for (const char *s = next; *s != '\0'; s++)
        if (!char_ok(*s))
            return false;
    for (size_t at = 0; at < n;) {
        size_t segment;

        at++; /* the slash */
        segment = strcspn(next + at, "/?#");
        if (is_dots(next + at, segment) || (segment == 0 && at < n))
            return false; /* "//" begins the name of another host */
        at += segment;
    }
    return true;
}

void
oidc_next_error(struct buf *out, const char *next, const char *code)
{
    size_t n = strcspn(next, "#");
    const char *query = memchr(next, '?', n);

    buf_add(out, next, n);
    if (query == NULL)
        buf_addc(out, '?');
    else if (next[n - 1] != '?')
        buf_addc(out, '&');
    buf_adds(out, "login_error=");
    text_percent(out, code, strlen(code));
    buf_adds(out, next + n);
}
