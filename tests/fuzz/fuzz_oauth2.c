/*
 * Fuzzes auth/oauth2_wire.c: the first byte chooses the status of a token
 * server's reply, the rest is its body. A token can be sent in a header, lives
 * for a bounded time, and nothing of a reply comes back in a sentence.
 */
#include "base/base.h"

#include "auth/oauth2_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_token(const struct oauth2_reply *r)
{
    size_t n = strlen(r->token);

    assert(n > 0 && n <= CREDENTIALS_VALUE_MAX);
    for (size_t i = 0; i < n; i++)
        assert(r->token[i] > ' ' && r->token[i] <= '~');
    assert(r->life_s >= 0 && r->life_s <= OAUTH2_LIFE_MAX_S);
    assert(!r->refused_client);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = {200, 201, 302, 400, 401, 403, 429, 503};
    struct problem why = {.err = OK}, again = {.err = OK};
    struct oauth2_reply r, blank;
    int status;
    enum err e;

    if (size == 0)
        return 0;
    status = statuses[data[0] % COUNT_OF(statuses)];
    e = oauth2_reply_read(status, (const char *)data + 1, size - 1, &r, &why);
    assert(e == why.err);
    assert((e == OK) == (r.token != NULL));
    if (e == OK) {
        assert(status < 300);
        check_token(&r);
    } else if (status == 429 || status == 503) {
        /* The same as of an empty body, if it has no code that we know. */
        assert(oauth2_reply_read(status, "", 0, &blank, &again) != OK);
        assert(strcmp(why.code, "token_refused") == 0 ||
               strcmp(why.message, again.message) == 0);
    }
    oauth2_reply_release(&r);
    return 0;
}
