/* SHA-256 and HMAC by OpenSSL's EVP. A failure there is a broken library. */
#include "base/base.h"

#include "base/digest.h"

#include "base/text.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

void
digest_sha256(uint8_t out[DIGEST_LEN], const void *p, size_t n)
{
    unsigned len = 0;

    if (EVP_Digest(p, n, out, &len, EVP_sha256(), NULL) != 1 ||
        len != DIGEST_LEN)
        abort();
}

void
digest_hmac(uint8_t out[DIGEST_LEN], const void *key, size_t key_len,
            const void *p, size_t n)
{
    unsigned len = 0;

    assert(key_len <= INT32_MAX);
    if (key_len == 0)
        key = ""; /* HMAC takes NULL for "the key of last time" */
    if (HMAC(EVP_sha256(), key, (int)key_len, p, n, out, &len) == NULL ||
        len != DIGEST_LEN)
        abort();
}

void
digest_name(char out[DIGEST_NAME_LEN], const void *p, size_t n)
{
    uint8_t sum[DIGEST_LEN];

    digest_sha256(sum, p, n);
    text_hex(out, sum, sizeof(sum) / 2);
}

bool
digest_equal(const void *a, const void *b, size_t n)
{
    return n == 0 || CRYPTO_memcmp(a, b, n) == 0;
}
