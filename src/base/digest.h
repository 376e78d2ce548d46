/* SHA-256 and HMAC-SHA-256 by OpenSSL. Pure; any thread. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/base.h"

#define DIGEST_LEN 32 /* bytes */

void digest_sha256(uint8_t out[DIGEST_LEN], const void *p, size_t n);
/* Of what is left of a file. ERR_STORE: it cannot be read (errno says why). */
MUST_USE enum err digest_file(uint8_t out[DIGEST_LEN], int fd);
void digest_hmac(uint8_t out[DIGEST_LEN], const void *key, size_t key_len,
                 const void *p, size_t n);
/* The first half of it in hexadecimal: a name that tells nothing. */
#define DIGEST_NAME_LEN 33 /* characters, with the NUL */
void digest_name(char out[DIGEST_NAME_LEN], const void *p, size_t n);
/* Equal in constant time. */
bool digest_equal(const void *a, const void *b, size_t n);

#endif
