/*
 * What a fetch sends, which URLs it may go to, and what its transfer has to
 * watch over.
 *
 * The operator's own server is asked as providers are: through a proxy if there
 * is one, wherever it is. Over plain http it is the loopback's alone, and since
 * whoever answers there is believed, the transfer makes sure of it again when
 * it connects, and no proxy is used. All else is guarded.
 *
 * URLs are read by libcurl, which makes the request as well.
 */
#include "base/base.h"

#include "auth/fetch_admit.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>

#include "base/mem.h"
#include "base/text.h"

struct origin {
    char *scheme, *host, *port; /* curl's; NULL: it is no URL that we take */
};

static void
origin_release(struct origin *o)
{
    curl_free(o->scheme);
    curl_free(o->host);
    curl_free(o->port);
    memset(o, 0, sizeof(*o));
}

static void
origin_init(struct origin *o, const char *url)
{
    char *user = NULL, *password = NULL;
    CURLU *u = curl_url();

    memset(o, 0, sizeof(*o));
    if (u == NULL)
        return;
    if (curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK) {
        IGNORE(curl_url_get(u, CURLUPART_USER, &user, 0));
        IGNORE(curl_url_get(u, CURLUPART_PASSWORD, &password, 0));
        IGNORE(curl_url_get(u, CURLUPART_SCHEME, &o->scheme, 0));
        IGNORE(curl_url_get(u, CURLUPART_HOST, &o->host, 0));
        IGNORE(curl_url_get(u, CURLUPART_PORT, &o->port, CURLU_DEFAULT_PORT));
    }
    if (user != NULL || password != NULL || o->scheme == NULL ||
        o->host == NULL || o->port == NULL)
        origin_release(o);
    curl_free(user);
    curl_free(password);
    curl_url_cleanup(u);
}

static bool
origin_same(const struct origin *a, const struct origin *b)
{
    return a->host != NULL && b->host != NULL &&
           text_ieq(a->scheme, b->scheme) && text_ieq(a->host, b->host) &&
           strcmp(a->port, b->port) == 0;
}

/* What a host is that is an address or the loopback's name. */
static bool
is_loopback(const char *host)
{
    struct sockaddr_in in = {.sin_family = AF_INET};

    return text_ieq(host, "localhost") || strcmp(host, "[::1]") == 0 ||
           (inet_pton(AF_INET, host, &in.sin_addr) == 1 &&
            guard_class((struct sockaddr *)&in, sizeof(in)) == GUARD_LOOPBACK);
}

static enum err
bad_url(struct problem *why, const char *message)
{
    return problem_set(why, ERR_BADREQ, "invalid_url", "The URL is not valid",
                       "%s", message);
}

static enum err
check_own(const struct origin *o, struct problem *why)
{
    if (o->host == NULL)
        return bad_url(why, "It has the form https://host/path, without a user "
                            "and a password.");
    if (text_ieq(o->scheme, "https") ||
        (text_ieq(o->scheme, "http") && is_loopback(o->host)))
        return OK;
    return bad_url(why, "It begins with https://; http:// is for this machine "
                        "alone (127.0.0.1, localhost).");
}

enum err
fetch_own_check(const char *url, struct problem *why)
{
    struct origin o;
    enum err e;

    origin_init(&o, url);
    e = check_own(&o, why);
    origin_release(&o);
    return e;
}

/* Sets guarded, plain and guard_also of q. */
static enum err
admit(const char *url, const char *own_url, struct upstream_request *q,
      struct problem *why)
{
    struct origin to, own = {NULL, NULL, NULL};
    enum err e;

    origin_init(&to, url);
    if (own_url != NULL)
        origin_init(&own, own_url);
    if (origin_same(&to, &own)) {
        e = check_own(&to, why);
        q->plain = text_ieq(to.scheme, "http");
        q->guarded = q->plain;
    } else {
        e = guard_url(url, NULL, &q->guard_also, why);
        q->guarded = true;
    }
    origin_release(&to);
    origin_release(&own);
    return e;
}

enum err
fetch_build(struct upstream_request *q, const struct fetch_ask *ask,
            struct problem *why)
{
    enum err e;

    upstream_request_init(q, FETCH_BODY_MAX);
    q->method = ask->method;
    q->secret = ask->secret;
    e = admit(ask->url, ask->own, q, why);
    if (e != OK)
        return e;
    q->url = xstrdup(ask->url);
    for (size_t i = 0; i < FETCH_HEADERS_MAX && ask->headers[i].name != NULL;
         i++)
        if (upstream_request_header(q, ask->headers[i].name,
                                    ask->headers[i].value) != OK)
            return problem_set(why, ERR_BADREQ, NULL, NULL,
                               "A header of the request is not valid.");
    if (ask->body == NULL)
        return OK;
    IGNORE(buf_room(&q->body, ask->body_len) == NULL); /* never moves */
    buf_add(&q->body, ask->body, ask->body_len);
    return buf_status(&q->body) == OK
               ? OK
               : problem_set(why, ERR_BADREQ, NULL, NULL,
                             "The request's body is too long.");
}
