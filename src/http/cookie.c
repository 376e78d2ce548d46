/*
 * Cookies. Ours hold a random value and nothing else, so what is taken from a
 * header is narrow: a value with any other character is none of ours. Where a
 * name comes twice the first one counts, which is the one with the longer path
 * (RFC 6265 section 5.4).
 *
 * Under TLS names have a prefix for which browsers refuse what came by plain
 * HTTP, and what another host of the same domain set. Whether there is TLS is
 * not known of every request (a WebSocket's comes by another way), so a name
 * with the prefix counts everywhere: no browser sends it but under TLS.
 */
#include "base/base.h"

#include "http/cookie.h"

#include <ctype.h>

#include "http/request_peer.h"

#define HOST_PREFIX "__Host-" /* path "/" only */
#define SECURE_PREFIX "__Secure-"
#define NAME_SIZE 64

static bool
is_ours(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)s[i]) && strchr("-_.~", s[i]) == NULL)
            return false;
    return n <= COOKIE_VALUE_MAX;
}

bool
cookie_find(const char *header, const char *name,
            char out[COOKIE_VALUE_MAX + 1])
{
    size_t name_len = strlen(name);

    out[0] = '\0';
    while (header != NULL && *header != '\0') {
        size_t n;

        header += strspn(header, " \t;");
        n = strcspn(header, ";");
        if (n > name_len && header[name_len] == '=' &&
            memcmp(header, name, name_len) == 0) {
            const char *value = header + name_len + 1;
            size_t len = n - name_len - 1;

            while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
                len--;
            if (!is_ours(value, len))
                return false;
            memcpy(out, value, len);
            out[len] = '\0';
            return true;
        }
        header += n;
    }
    return false;
}

/* Is there one with this prefix? */
static bool
find_prefixed(const struct request *rq, const char *prefix, const char *name,
              char out[COOKIE_VALUE_MAX + 1])
{
    char whole[NAME_SIZE];

    (void)snprintf(whole, sizeof(whole), "%s%s", prefix, name);
    return cookie_find(request_header(rq, "Cookie"), whole, out);
}

bool
cookie_own(const struct request *rq, const char *name,
           char out[COOKIE_VALUE_MAX + 1])
{
    const char *prefix = *rq->base == '\0' ? HOST_PREFIX : SECURE_PREFIX;

    return find_prefixed(rq, prefix, name, out) ||
           (!request_tls(rq) && find_prefixed(rq, "", name, out));
}

void
cookie_set(struct request *rq, const char *name, const char *value,
           int64_t max_age_s, bool secure)
{
    char line[COOKIE_VALUE_MAX + REQUEST_PATH_MAX + 256];
    char age[48] = "";
    const char *prefix = !secure             ? ""
                         : *rq->base == '\0' ? HOST_PREFIX
                                             : SECURE_PREFIX;

    assert(is_ours(value, strlen(value)));
    if (max_age_s >= 0)
        (void)snprintf(age, sizeof(age), "; Max-Age=%" PRId64, max_age_s);
    /* The base comes from the request line: it must not end the attribute. */
    if (strcspn(rq->base, "; ,\"\\") != strlen(rq->base) ||
        strlen(rq->base) > REQUEST_PATH_MAX)
        return;
    (void)snprintf(line, sizeof(line),
                   "%s%s=%s; Path=%s/; HttpOnly; SameSite=Lax%s%s", prefix,
                   name, value, rq->base, secure ? "; Secure" : "", age);
    request_head_add(rq, "Set-Cookie", line);
}
