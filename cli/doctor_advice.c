/*
 * The lines to change in a web server, one table. They are those of the files
 * in lighttpd/, apache/ and nginx/, where they stand with their reasons; a test
 * compares. "%s" is the path below which Parley is served.
 */
#include "base/base.h"

#include "doctor.h"

#include "base/conf.h"
#include "base/text.h"

enum web { LIGHTTPD, APACHE, HTACCESS, NGINX, WEB__MAX };

static const char *const names[WEB__MAX] = {"lighttpd", "apache", ".htaccess",
                                            "nginx"};

static const struct {
    enum doctor_advice advice;
    enum web web;
    const char *line;
} lines[] = {
    {ADVICE_BUFFERING, LIGHTTPD, "server.stream-response-body = 2"},
    {ADVICE_BUFFERING, APACHE,
     "ProxyPass … flushpackets=on retry=0 timeout=120"},
    {ADVICE_BUFFERING, HTACCESS, "SetEnvIf Request_URI . no-gzip=1"},
    {ADVICE_BUFFERING, NGINX, "fastcgi_buffering off;"},
    {ADVICE_BUFFERING, NGINX, "proxy_buffering off;"},

    {ADVICE_COMPRESSION, LIGHTTPD,
     "deflate.mimetypes = ( \"text/javascript\", \"text/css\", \"text/html\" "
     ")"},
    {ADVICE_COMPRESSION, APACHE, "SetEnvIf Request_URI \"^%s/\" no-gzip=1"},
    {ADVICE_COMPRESSION, HTACCESS, "SetEnvIf Request_URI . no-gzip=1"},
    {ADVICE_COMPRESSION, NGINX, "gzip off;"},

    {ADVICE_TIMEOUT, LIGHTTPD, "server.max-write-idle := 120"},
    {ADVICE_TIMEOUT, APACHE, "ProxyPass … flushpackets=on retry=0 timeout=120"},
    {ADVICE_TIMEOUT, NGINX, "fastcgi_read_timeout 120s;"},
    {ADVICE_TIMEOUT, NGINX, "proxy_read_timeout 100s;"},

    {ADVICE_UPGRADE, LIGHTTPD, "proxy.header = ( \"upgrade\" => \"enable\" )"},
    {ADVICE_UPGRADE, APACHE,
     "ProxyPass \"%s/ws/\" … upgrade=websocket timeout=100 retry=0"},
    {ADVICE_UPGRADE, NGINX, "proxy_http_version 1.1;"},
    {ADVICE_UPGRADE, NGINX, "proxy_set_header Upgrade $http_upgrade;"},
    {ADVICE_UPGRADE, NGINX, "proxy_set_header Connection \"Upgrade\";"},

    {ADVICE_BODY, LIGHTTPD, "server.max-request-size = 0"},
    {ADVICE_BODY, APACHE, "LimitRequestBody 0"},
    {ADVICE_BODY, HTACCESS, "LimitRequestBody 0"},
    {ADVICE_BODY, NGINX, "client_max_body_size 256m;"},

    {ADVICE_MOUNT, LIGHTTPD, "var.parley_mount = \"%s\""},
    {ADVICE_MOUNT, APACHE, "Define PARLEY_MOUNT %s"},
    {ADVICE_MOUNT, NGINX, "set $parley_mount \"%s\";"},

    {ADVICE_HEADERS, APACHE, "RequestHeader unset …: take such lines out"},
    {ADVICE_HEADERS, HTACCESS, "RequestHeader unset …: take such lines out"},
    {ADVICE_HEADERS, NGINX, "proxy_pass_request_headers on;"},

    {ADVICE_PAGE, LIGHTTPD,
     "include var.parley_root + \"/lighttpd/page.conf\""},
    {ADVICE_PAGE, APACHE,
     "RewriteRule \"^%s/$\" \"%s/static/index.html\" [PT,L]"},
    {ADVICE_PAGE, HTACCESS, "RewriteRule ^$ static/index.html [END]"},
    {ADVICE_PAGE, NGINX, "rewrite ^ /static/index.html last;"},

    {ADVICE_FILES, HTACCESS, "RewriteRule ^(.*)$ cgi-bin/chat.cgi/$1 [END]"},

    {ADVICE_HTTP2, LIGHTTPD,
     "server.feature-flags := ( \"server.h2proto\" => \"disable\" )"},
};

/* Which lines concern who says that it answers; a bit for each. */
static unsigned
webs_of(const char *server)
{
    if (text_istarts(server, "lighttpd"))
        return 1U << LIGHTTPD;
    if (text_istarts(server, "apache"))
        return 1U << APACHE | 1U << HTACCESS;
    if (text_istarts(server, "nginx"))
        return 1U << NGINX;
    return (1U << WEB__MAX) - 1; /* or a proxy that we do not know */
}

/* The path of the base; "" for the root of a host. */
static const char *
path_of(const char *base)
{
    const char *host = strstr(base, "://");
    const char *path = host != NULL ? strchr(host + 3, '/') : NULL;

    return path != NULL ? path : "";
}

/* The line with the path in it. */
static void
fill_in(char out[320], const char *line, const char *path)
{
    size_t n = 0;

    for (; *line != '\0' && n + 1 < 320; line++) {
        if (line[0] == '%' && line[1] == 's') {
            int k = snprintf(out + n, 320 - n, "%s", path);

            n += k > 0 && (size_t)k < 320 - n ? (size_t)k : 0;
            line++;
        } else {
            out[n++] = *line;
        }
    }
    out[n] = '\0';
}

void
doctor_advise(struct doctor *d, enum doctor_advice a)
{
    unsigned webs = webs_of(d->server);
    char line[320];

    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        if (lines[i].advice != a || (webs & 1U << lines[i].web) == 0)
            continue;
        fill_in(line, lines[i].line,
                a == ADVICE_MOUNT && *path_of(d->base) == '\0'
                    ? "/"
                    : path_of(d->base));
        doctor_change(d, names[lines[i].web], "%s", line);
    }
}
