/*
 * The examples of RFC 7515, appendix A, and the keys they are of. A.1, A.2, A.3
 * and A.5 sign the same claims (which RFC 7519, section 3.1, has as well):
 * {"iss":"joe", "exp":1300819380, "http://example.com/is_root":true}, and no
 * sub. For the tests of auth/jwk.c, jwk_set.c, jwt.c.
 */
#ifndef TESTS_JWT_VECTORS_H
#define TESTS_JWT_VECTORS_H

#define RFC_EXP_S 1300819380
#define RFC_CLAIMS                                                             \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNv" \
    "bS9pc19yb290Ijp0cnVlfQ"

/* A.1: HMAC SHA-256 */
#define RFC_A1_KEY                                                             \
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUu" \
    "TwjAzZr1Z9CAow"
#define RFC_A1                                             \
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." RFC_CLAIMS \
    ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

/* A.2: RSASSA-PKCS1-v1_5 SHA-256 */
#define RFC_A2_N                                                               \
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qP" \
    "CJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47s" \
    "oMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2" \
    "R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoud" \
    "F8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
#define RFC_A2                                                                 \
    "eyJhbGciOiJSUzI1NiJ9." RFC_CLAIMS                                         \
    ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4" \
    "Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_n" \
    "ZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_" \
    "dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np" \
    "6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"

/* A.3: ECDSA P-256 SHA-256 */
#define RFC_A3_X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define RFC_A3_Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define RFC_A3                                                                 \
    "eyJhbGciOiJFUzI1NiJ9." RFC_CLAIMS                                         \
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfK" \
    "TUJqPP3-Kg6NU1Q"

/* A.4: ECDSA P-521 SHA-512; its payload is no JSON */
#define RFC_A4_X                                                               \
    "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9" \
    "tsz4qUxcWceqwQGk"
#define RFC_A4_Y                                                               \
    "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZ" \
    "mh9ubmf63e3kyMj2"
#define RFC_A4                                                                 \
    "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA"                                          \
    ".AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-" \
    "KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iK" \
    "vU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn"

/* A.5: unsecured */
#define RFC_A5 "eyJhbGciOiJub25lIn0." RFC_CLAIMS "."

#define RFC_JWKS                                                              \
    "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"a2\",\"n\":\"" RFC_A2_N            \
    "\",\"e\":\"AQAB\"},{\"kty\":\"EC\",\"kid\":\"a3\",\"crv\":\"P-256\","    \
    "\"x\":\"" RFC_A3_X "\",\"y\":\"" RFC_A3_Y "\"},{\"kty\":\"EC\",\"kid\":" \
    "\"a4\",\"crv\":\"P-521\",\"x\":\"" RFC_A4_X "\",\"y\":\"" RFC_A4_Y       \
    "\"}]}"

#endif
