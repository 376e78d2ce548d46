/*
 * Fuzzes what is read of the audit log (ops/audit_line.c): a line, and
 * audit.head. The first byte chooses. What is taken for a line has all its
 * parts, and a head is written again as it was; texts from outside become a
 * line that is read again, and is JSON without control characters.
 */
#include "base/base.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "ops/audit_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
line(const char *s, size_t n)
{
    struct audit_parts p;

    if (audit_line_read(s, n, &p) != OK)
        return;
    assert(p.n > 0 && p.hashed < n);
    assert(strlen(p.prev) == AUDIT_HEX && strlen(p.hash) == AUDIT_HEX);
    assert(p.mac[0] == '\0' || strlen(p.mac) == AUDIT_HEX);
    (void)audit_hash_right(s, &p);
}

static void
head(const char *s, size_t n)
{
    struct audit_seal seal;
    struct audit_link link;
    char again[AUDIT_HEAD_LEN + 1];
    bool right;

    audit_seal_init(&seal, NULL);
    if (audit_head_read(s, n, &seal, &link, &right) != OK)
        return;
    assert(!right && n == AUDIT_HEAD_LEN);
    audit_head_write(again, &link, &seal);
    assert(memcmp(again, s, AUDIT_HEAD_LEN - 65) == 0);
}

static void
texts(const char *s, size_t n)
{
    char *text = xmemdup0(s, n);
    struct audit_fact f = {
        .what = AUDIT_LOGIN_FAILED,
        .who = text,
        .addr = text,
        .with = {AUDIT_TEXT("user", text), AUDIT_LIST("names", text)}};
    struct audit_link link;
    struct audit_seal seal;
    struct audit_parts p;
    struct buf body, out;

    audit_seal_init(&seal, text);
    audit_link_init(&link);
    buf_init(&body, AUDIT_LINE_MAX);
    buf_init(&out, AUDIT_LINE_MAX);
    audit_body(&body, &f, 0);
    audit_line(&out, &link, &seal, body.data, body.len);
    assert(buf_status(&out) == OK && out.data[out.len - 1] == '\n');
    for (size_t i = 0; i + 1 < out.len; i++)
        assert((unsigned char)out.data[i] >= ' ' && out.data[i] != 0x7F);
    assert(json_check(out.data, out.len - 1, NULL) == OK);
    assert(audit_line_read(out.data, out.len - 1, &p) == OK);
    assert(p.n == 1 && audit_hash_right(out.data, &p));
    assert(audit_mac_right(&seal, &p) == seal.keyed);
    buf_release(&body);
    buf_release(&out);
    free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *s = (const char *)data + 1;

    if (size == 0)
        return 0;
    switch (data[0] % 3) {
    case 0: line(s, size - 1); break;
    case 1: head(s, size - 1); break;
    default: texts(s, size - 1);
    }
    return 0;
}
