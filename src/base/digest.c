/* SHA-256 and HMAC by OpenSSL's EVP. A failure there is a broken library. */
#include "base/base.h"

#include "base/digest.h"

#include "base/text.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <unistd.h>

#define PIECE (16 * 1024) /* bytes of a file at once */

void
digest_sha256(uint8_t out[DIGEST_LEN], const void *p, size_t n)
{
    unsigned len = 0;

    if (EVP_Digest(p, n, out, &len, EVP_sha256(), NULL) != 1 ||
        len != DIGEST_LEN)
        abort();
}

enum err
digest_file(uint8_t out[DIGEST_LEN], int fd)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    uint8_t piece[PIECE];
    unsigned len = 0;
    ssize_t n;

    if (md == NULL || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
        abort();
    while ((n = read(fd, piece, sizeof(piece))) > 0 ||
           (n < 0 && errno == EINTR))
        if (n > 0 && EVP_DigestUpdate(md, piece, (size_t)n) != 1)
            abort();
    if (EVP_DigestFinal_ex(md, out, &len) != 1 || len != DIGEST_LEN)
        abort();
    EVP_MD_CTX_free(md);
    return n == 0 ? OK : ERR_STORE;
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
