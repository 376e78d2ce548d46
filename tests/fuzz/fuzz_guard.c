/*
 * Fuzzes upstream/guard.c: the first line is the list of hosts, the rest a URL.
 * What may be called is https, without a user in it, on the list, and no
 * address of ours, as curl reads it.
 */
#include "base/base.h"

#include <curl/curl.h>

#include "base/mem.h"
#include "base/text.h"
#include "upstream/guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_allowed(const char *url, const char *hosts)
{
    char *scheme = NULL, *host = NULL, *user = NULL;
    CURLU *u = curl_url();
    struct problem why;
    char *dot;
    size_t n;

    assert(curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK);
    assert(curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK);
    assert(curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK);
    assert(curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_NO_USER);
    assert(text_ieq(scheme, "https"));
    assert(strcmp(host, "127.0.0.1") != 0 && strcmp(host, "[::1]") != 0);
    n = strlen(host);
    if (n > 0 && host[n - 1] == '.') /* the same name, said in full */
        host[n - 1] = '\0';
    dot = strrchr(host, '.'); /* the end of it is on the list as well */
    assert(strcasestr(hosts, dot != NULL ? dot : host) != NULL);
    assert(guard_url(url, "", &why) == ERR_FORBIDDEN);
    curl_free(scheme);
    curl_free(host);
    curl_url_cleanup(u);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *s = (const char *)data;
    const char *line = memchr(s, '\n', size);
    struct problem why = {.err = OK};
    char *hosts, *url;
    enum err e;

    if (line == NULL)
        return 0;
    hosts = xmemdup0(s, (size_t)(line - s));
    url = xmemdup0(line + 1, size - (size_t)(line - s) - 1);
    e = guard_url(url, hosts, &why);
    assert(e == why.err);
    assert(e == OK || e == ERR_BADREQ || e == ERR_FORBIDDEN);
    if (e == OK)
        check_allowed(url, hosts);
    free(hosts);
    free(url);
    return 0;
}
