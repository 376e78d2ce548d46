/*
 * Fuzzes upstream/guard.c: the first line is the list of hosts, the rest a URL.
 * What may be called is https, without a user in it, on the list, and if it is
 * an address of ours, by just this address, as curl reads it.
 */
#include "base/base.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>

#include "base/mem.h"
#include "base/text.h"
#include "upstream/guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* It has this somewhere. */
static bool
lists(const char *hosts, const char *s)
{
    return strcasestr(hosts, s) != NULL;
}

/* An IPv4 address that is not public is on the list itself. */
static void
check_literal(const char *host, const char *hosts, enum guard_class also)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    enum guard_class class;

    assert(also == GUARD_PUBLIC || also == GUARD_LOOPBACK ||
           also == GUARD_PRIVATE || also == GUARD_SHARED);
    assert(strcmp(host, "[::1]") != 0 || lists(hosts, "[::1]"));
    if (inet_pton(AF_INET, host, &in.sin_addr) != 1)
        return;
    class = guard_class((struct sockaddr *)&in, sizeof(in));
    assert(also == class);
    assert(class == GUARD_PUBLIC || lists(hosts, host));
}

static void
check_allowed(const char *url, const char *hosts, enum guard_class also)
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
    check_literal(host, hosts, also);
    n = strlen(host);
    if (n > 0 && host[n - 1] == '.') /* the same name, said in full */
        host[n - 1] = '\0';
    dot = strrchr(host, '.'); /* the end of it is on the list as well */
    assert(lists(hosts, dot != NULL ? dot : host));
    assert(guard_url(url, "", NULL, &why) == ERR_FORBIDDEN);
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
    enum guard_class also;
    enum err e;

    if (line == NULL)
        return 0;
    hosts = xmemdup0(s, (size_t)(line - s));
    url = xmemdup0(line + 1, size - (size_t)(line - s) - 1);
    e = guard_url(url, hosts, &also, &why);
    assert(e == why.err);
    assert(e == OK || e == ERR_BADREQ || e == ERR_FORBIDDEN);
    if (e == OK)
        check_allowed(url, hosts, also);
    free(hosts);
    free(url);
    return 0;
}
