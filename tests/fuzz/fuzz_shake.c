/*
 * Fuzzes client/shake.c. The first byte chooses: a reply to a handshake, which
 * must be judged the same with bytes behind its head and be unfinished without
 * its last byte; or an address, of which nothing may get into a request that
 * ends a line.
 */
#include "base/base.h"

#include "base/mem.h"
#include "client/shake.h"

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
try_reply(const char *s, size_t n)
{
    struct shake_reply r = {.head_len = 0}, again = {.head_len = 0};
    char *tight = xmalloc(n > 0 ? n : 1);
    enum err e;

    memcpy(tight, s, n);
    e = shake_reply(&r, tight, n, KEY);
    if (e == OK) {
        if (r.head_len > n || r.status < 100 || r.status > 599)
            abort();
        if (shake_reply(&again, tight, r.head_len, KEY) != OK ||
            again.head_len != r.head_len || again.status != r.status)
            abort();
        if (shake_reply(&again, tight, r.head_len - 1, KEY) != ERR_AGAIN)
            abort();
    }
    free(tight);
}

static void
try_url(const char *s, size_t n)
{
    char *url = xmemdup0(s, n);
    struct shake_url u;
    struct buf out;
    size_t lines = 0;

    if (shake_url(&u, url, "a-session") == OK) {
        buf_init(&out, 1 << 16);
        shake_request(&out, &u, KEY, "");
        if (buf_status(&out) != OK || u.path[0] != '/')
            abort();
        for (size_t i = 0; i < out.len; i++)
            lines += out.data[i] == '\n';
        if (lines != 8)
            abort();
        buf_release(&out);
    }
    free(url);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0)
        return 0;
    if (data[0] & 1)
        try_url((const char *)data + 1, n - 1);
    else
        try_reply((const char *)data + 1, n - 1);
    return 0;
}
