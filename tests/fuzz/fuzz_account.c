/*
 * Fuzzes what is read of accounts: secrets of keys, and the records of keys,
 * logins and times (auth/apikey_record.c, auth/login_record.c). A record that
 * is taken is written and read again as the same; what is tidied fits, and is
 * UTF-8 without control characters.
 */
#include "base/base.h"

#include "auth/apikey_record.h"
#include "auth/login_record.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
key(const char *p, size_t n)
{
    struct apikey_record r, again;
    struct buf b;

    if (apikey_record_read("0123456789", p, n, &r) != OK)
        return;
    buf_init(&b, STORE_RECORD_MAX);
    apikey_record_write(&b, &r);
    assert(buf_status(&b) == OK);
    assert(apikey_record_read("0123456789", b.data, b.len, &again) == OK);
    assert(memcmp(r.digest, again.digest, sizeof(r.digest)) == 0);
    assert(strcmp(r.key.owner, again.key.owner) == 0 &&
           strcmp(r.key.name, again.key.name) == 0);
    assert(r.key.may == again.key.may && r.slot == again.slot &&
           r.key.expires_ms == again.key.expires_ms &&
           r.key.limits.month_micro == again.key.limits.month_micro);
    buf_release(&b);
}

static void
login(const char *p, size_t n)
{
    struct login in, again;
    struct login_before before;
    struct buf b;

    IGNORE(login_before_read(p, n, &before));
    if (login_record_read(p, n, &in) != OK)
        return;
    buf_init(&b, STORE_RECORD_MAX);
    login_record_write(&b, &in);
    assert(buf_status(&b) == OK);
    assert(login_record_read(b.data, b.len, &again) == OK);
    assert(strcmp(in.owner, again.owner) == 0 &&
           strcmp(in.agent, again.agent) == 0 && in.may == again.may &&
           in.used_ms == again.used_ms);
    buf_release(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *s = xmemdup0(data, size); /* a read past it is seen */
    char id[APIKEY_ID_LEN + 1], tidy[32];

    if (apikey_secret_check(s, id))
        assert(strlen(s) == APIKEY_SECRET_LEN && apikey_id_valid(id));
    key(s, size);
    login(s, size);
    text_show(tidy, sizeof(tidy), s);
    assert(strlen(tidy) < sizeof(tidy) && utf8_valid(tidy, strlen(tidy)));
    for (const char *p = tidy; *p != '\0'; p++)
        assert((unsigned char)*p >= ' ' && *p != 0x7f);
    free(s);
    return 0;
}
