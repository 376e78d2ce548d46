/*
 * How a key looks: its secret in characters, its record in the store
 * (docs/WIRE.md). Pure but for the random characters; any thread. For
 * auth/apikey.c and tests.
 */
#ifndef AUTH_APIKEY_RECORD_H
#define AUTH_APIKEY_RECORD_H

#include "auth/apikey.h"
#include "base/digest.h"

/* A new secret with its id. */
void apikey_secret_make(char secret[APIKEY_SECRET_LEN + 1],
                        char id[APIKEY_ID_LEN + 1]);
/* Is it one, by its form and its checksum? Then id is its id. */
bool apikey_secret_check(const char *secret, char id[APIKEY_ID_LEN + 1]);
/* Is it an id, by its form? */
bool apikey_id_valid(const char *id);

/* What the store has of a key. */
struct apikey_record {
    struct apikey key;
    uint8_t digest[DIGEST_LEN]; /* of the whole secret */
    int64_t slot; /* which of the owner's it is: 0 to APIKEYS_MAX - 1 */
};
void apikey_record_write(struct buf *out, const struct apikey_record *r);
/* ERR_STORE: it is damaged. id is that of its name. */
MUST_USE enum err apikey_record_read(const char *id, const char *p, size_t n,
                                     struct apikey_record *out);

#endif
