/*
 * Each directive is a row: what the line begins with, and how its value is
 * judged. Case counts for lighttpd and nginx, not for Apache; nobody writes
 * the former otherwise, so it is ignored for all.
 */
#include "base/base.h"

#include "ops/web_line.h"

#include "base/text.h"

/* How a value is judged. */
enum rule {
    IS_LESS_THAN_2, /* a number */
    IS_NOT_0,       /* a number */
    IS_ON,          /* the word */
    HAS_EVENTS,     /* text/event-stream is among them */
    TAKES_A_HEADER, /* one of ours is unset, or set to nothing */
    IS_TOO_FEW,     /* bytes, perhaps with k, m or g behind them */
    IS_TOO_FEW_KIB  /* a number */
};

static const struct {
    enum web_kind kind;
    const char *name;
    enum rule rule;
    enum web_harm harm;
} rows[] = {
    {WEB_LIGHTTPD, "server.stream-response-body", IS_LESS_THAN_2, WEB_BUFFERS},
    {WEB_LIGHTTPD, "deflate.mimetypes", HAS_EVENTS, WEB_COMPRESSES},
    {WEB_LIGHTTPD, "compress.filetype", HAS_EVENTS, WEB_COMPRESSES},
    {WEB_LIGHTTPD, "server.max-request-size", IS_TOO_FEW_KIB, WEB_SHORT},
    {WEB_APACHE, "FcgidOutputBufferSize", IS_NOT_0, WEB_BUFFERS},
    {WEB_APACHE, "AddOutputFilterByType", HAS_EVENTS, WEB_COMPRESSES},
    {WEB_APACHE, "RequestHeader", TAKES_A_HEADER, WEB_DROPS},
    {WEB_APACHE, "LimitRequestBody", IS_TOO_FEW, WEB_SHORT},
    {WEB_NGINX, "fastcgi_buffering", IS_ON, WEB_BUFFERS},
    {WEB_NGINX, "proxy_buffering", IS_ON, WEB_BUFFERS},
    {WEB_NGINX, "gzip_types", HAS_EVENTS, WEB_COMPRESSES},
    {WEB_NGINX, "brotli_types", HAS_EVENTS, WEB_COMPRESSES},
    {WEB_NGINX, "proxy_set_header", TAKES_A_HEADER, WEB_DROPS},
    {WEB_NGINX, "client_max_body_size", IS_TOO_FEW, WEB_SHORT},
};

/* The number at s and its unit in bytes; -1: there is none. */
static int64_t
number_at(const char *s)
{
    int64_t n;
    size_t digits = strspn(s, "0123456789");

    if (text_i64(s, digits, 0, INT64_C(1) << 30, &n) != OK)
        return -1;
    switch (s[digits]) {
    case 'k':
    case 'K': return n << 10;
    case 'm':
    case 'M': return n << 20;
    case 'g':
    case 'G': return n << 30;
    default: return n;
    }
}

static bool
takes_a_header(const char *value)
{
    bool unset = strcasestr(value, "unset") != NULL ||
                 strstr(value, "\"\"") != NULL || strstr(value, "''") != NULL;

    return unset && (strcasestr(value, "Last-Event-ID") != NULL ||
                     strcasestr(value, "Idempotency-Key") != NULL);
}

static bool
breaks(enum rule rule, const char *value, int64_t body_max)
{
    int64_t n = number_at(value);

    switch (rule) {
    case IS_LESS_THAN_2: return n == 0 || n == 1;
    case IS_NOT_0: return n > 0;
    case IS_ON: return text_istarts(value, "on");
    case HAS_EVENTS: return strcasestr(value, "text/event-stream") != NULL;
    case TAKES_A_HEADER: return takes_a_header(value);
    case IS_TOO_FEW: return n > 0 && n < body_max;
    case IS_TOO_FEW_KIB: return n > 0 && n < body_max >> 10;
    }
    return false;
}

enum web_harm
web_line(enum web_kind kind, const char *line, int64_t body_max)
{
    line += strspn(line, " \t");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t n = strlen(rows[i].name);
        const char *value = line + n;

        if (rows[i].kind != kind || !text_istarts(line, rows[i].name) ||
            strchr(" \t:=+", *value) == NULL)
            continue;
        value += strspn(value, " \t:=+");
        if (breaks(rows[i].rule, value, body_max))
            return rows[i].harm;
    }
    return WEB_HARMLESS;
}
