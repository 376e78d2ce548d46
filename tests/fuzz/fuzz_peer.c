/*
 * Fuzzes http/request_peer.c: a list of trusted proxies, the address that
 * connected, X-Forwarded-For and X-Forwarded-Proto, one a line. Whoever it is
 * has an address in its usual form or none, and without a trusted proxy it is
 * who connected, whatever the headers say.
 */
#include "base/base.h"

#include <arpa/inet.h>

#include "http/request_peer.h"

#define LINES 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct request *
make(char *lines[LINES], const char *forwarded)
{
    const char *vars[] = {"REQUEST_METHOD=GET", lines[1], lines[3], forwarded,
                          NULL};
    struct request *rq;
    struct problem why;

    IGNORE(request_new(&rq, vars, "", &why)); /* also a bad one has a peer */
    return rq;
}

static void
check(const struct request *rq)
{
    const char *peer = request_peer(rq);
    uint8_t bytes[16];

    if (*peer != '\0')
        assert(inet_pton(strchr(peer, ':') ? AF_INET6 : AF_INET, peer, bytes) ==
               1);
    assert(!request_local(rq) || *peer != '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const prefix[LINES] = {
        "", "REMOTE_ADDR=", "HTTP_X_FORWARDED_FOR=", "HTTP_X_FORWARDED_PROTO="};
    char *lines[LINES];
    struct problem why;
    struct request *rq, *bare;

    for (size_t i = 0; i < LINES; i++) {
        const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
        size_t n = end ? (size_t)(end - data) : size;
        size_t room = strlen(prefix[i]) + n + 1;

        lines[i] = xcalloc(1, room);
        (void)snprintf(lines[i], room, "%s%.*s", prefix[i], (int)n,
                       n ? (const char *)data : "");
        data += end ? n + 1 : n;
        size -= end ? n + 1 : n;
    }
    IGNORE(request_trust(lines[0], &why));
    rq = make(lines, lines[2]);
    check(rq);
    bare = make(lines, "HTTP_X=1");
    check(bare);
    if (!request_peer_trusted(rq)) {
        assert(strcmp(request_peer(rq), request_peer(bare)) == 0);
        assert(request_tls(rq) == request_tls(bare));
    }
    request_free(rq);
    request_free(bare);
    for (size_t i = 0; i < LINES; i++)
        free(lines[i]);
    return 0;
}
