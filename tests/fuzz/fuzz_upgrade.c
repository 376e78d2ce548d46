/*
 * The opening handshake of a WebSocket: any bytes as a head. What is accepted
 * has a key that can be answered, and every request can be refused.
 */
#include "base/base.h"

#include "http/upgrade.h"

#include "http/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct upgrade_peer peer = {"127.0.0.1", n % 2 == 0,
                                n % 3 == 0 ? "/base" : ""};
    struct request *rq;
    struct problem p;
    struct buf out;
    enum err e;

    if (n > UPGRADE_HEAD_MAX)
        return 0;
    e = upgrade_read((const char *)data, n, &peer, &rq, &p);
    assert(rq != NULL && rq->id[0] != '\0' && rq->path[0] == '/');
    buf_init(&out, 64 * 1024);
    if (e == OK)
        e = upgrade_check(rq, &p);
    if (e == OK)
        upgrade_switch(&out, rq);
    else
        upgrade_refuse(&out, rq, &p);
    assert(buf_status(&out) == OK);
    assert(memcmp(out.data, "HTTP/1.1 ", 9) == 0);
    /* No line of the client's becomes one of ours. */
    if (e == OK)
        assert(memmem(out.data, out.len - 4, "\r\n\r\n", 4) == NULL);
    else
        assert(reply_status(&p) >= 400);
    buf_release(&out);
    request_free(rq);
    return 0;
}
