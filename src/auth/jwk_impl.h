/* What a key is made of: for auth/jwk.c and auth/jwk_set.c alone. */
#ifndef AUTH_JWK_IMPL_H
#define AUTH_JWK_IMPL_H

#include "auth/jwk.h"

#include <cjose/jwk.h>

struct jwk {
    enum jwk_kind kind;
    size_t size;               /* bytes of the secret or of the modulus */
    char kid[JWK_KID_MAX + 1]; /* "": none */
    char alg[JWK_ALG_MAX + 1]; /* the only one it is for; "": all of its kind */
    cjose_jwk_t *key;          /* owned */
};

#endif
