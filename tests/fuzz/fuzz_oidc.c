/*
 * Fuzzes what is read of an OpenID provider and of links to it: the first byte
 * says what the rest is. A document that is taken has only URLs that may be
 * called; tokens can be put into a header; a path that is taken stays on this
 * host; what is in a record of an attempt is read as it was written.
 */
#include "base/base.h"

#include "auth/oidc_attempt.h"
#include "auth/oidc_id.h"
#include "auth/oidc_wire.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ISSUER "http://127.0.0.1:8080"

static void
fuzz_document(const char *p, size_t n)
{
    struct problem why = {.err = OK};
    struct oidc_provider d;
    const char *urls[] = {d.authorization, d.token, d.jwks, d.userinfo,
                          d.end_session};
    enum err e = oidc_discovery_read(ISSUER, p, n, &d, &why);

    assert(e == why.err);
    for (size_t i = 0; e == OK && i < COUNT_OF(urls); i++)
        assert(i > 2 && *urls[i] == '\0' ? true : oidc_url_ok(urls[i], true));
}

static void
assert_plain(const char *s)
{
    for (; *s != '\0'; s++)
        assert(*s > ' ' && *s <= '~');
}

static void
fuzz_tokens(const char *p, size_t n)
{
    struct problem why = {.err = OK};
    struct oidc_tokens t;
    int status = n > 0 && p[0] == ' ' ? 400 : 200;
    enum err e = oidc_tokens_read(status, p, n, &t, &why);

    assert(e == why.err && (e == OK) == (t.id != NULL));
    if (e == OK)
        assert_plain(t.id);
    if (t.access != NULL)
        assert_plain(t.access);
    oidc_tokens_release(&t);
}

static void
fuzz_next(const char *s)
{
    struct buf b;

    if (!oidc_next_ok(s, "/below"))
        return;
    assert_plain(s);
    assert(strncmp(s, "/below/", 7) == 0 && s[7] != '/');
    buf_init(&b, OIDC_LOCATION_MAX);
    oidc_next_error(&b, s, "code");
    assert(oidc_next_ok(buf_cstr(&b), "/below") || b.len > OIDC_NEXT_MAX);
    assert(strstr(buf_cstr(&b), "login_error=code") != NULL);
    buf_release(&b);
}

static void
fuzz_attempt(const char *p, size_t n)
{
    struct oidc_attempt a, again;
    struct buf b;

    if (oidc_attempt_read(p, n, &a) != OK)
        return;
    buf_init(&b, 64 * 1024);
    oidc_attempt_write(&b, &a);
    assert(oidc_attempt_read(b.data, b.len, &again) == OK);
    assert(strcmp(a.next, again.next) == 0);
    assert(strcmp(a.redirect_uri, again.redirect_uri) == 0);
    assert(strcmp(a.verifier, again.verifier) == 0);
    buf_release(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char name[IDENTITY_NAME_MAX + 1];
    const char *p = (const char *)data + 1;
    char *text;

    if (size == 0)
        return 0;
    switch (data[0]) {
    case 'd': fuzz_document(p, size - 1); break;
    case 't': fuzz_tokens(p, size - 1); break;
    case 'a': fuzz_attempt(p, size - 1); break;
    case 'u':
        if (oidc_id_userinfo(p, size - 1, "42", name))
            for (const char *c = name; *c != '\0'; c++)
                assert((unsigned char)*c >= ' ' && *c != 0x7f);
        break;
    default:
        text = xmemdup0(p, size - 1);
        fuzz_next(text);
        IGNORE(oidc_url_ok(text, true));
        free(text);
    }
    return 0;
}
