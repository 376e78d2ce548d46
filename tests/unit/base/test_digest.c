/* Tests of base/digest.c: the vectors of FIPS 180-4 and RFC 4231. */
#include "base_test.h"

#include "base/digest.h"
#include "base/text.h"

static void
same(const uint8_t *d, const char *want)
{
    char hex[2 * DIGEST_LEN + 1];

    text_hex(hex, d, DIGEST_LEN);
    assert_string_equal(hex, want);
}

static void
sha256_gives_the_known_digests(void **state)
{
    uint8_t d[DIGEST_LEN];

    (void)state;
    digest_sha256(d, NULL, 0);
    same(d, "e3b0c44298fc1c149afbf4c8996fb924"
            "27ae41e4649b934ca495991b7852b855");
    digest_sha256(d, "abc", 3);
    same(d, "ba7816bf8f01cfea414140de5dae2223"
            "b00361a396177a9cb410ff61f20015ad");
}

static void
hmac_gives_the_known_codes(void **state)
{
    uint8_t d[DIGEST_LEN];
    uint8_t key[131];

    (void)state;
    digest_hmac(d, "Jefe", 4, "what do ya want for nothing?", 28);
    same(d, "5bdcc146bf60754e6a042426089575c7"
            "5a003f089d2739839dec58b964ec3843");
    memset(key, 0xAA, sizeof(key));
    digest_hmac(d, key, sizeof(key),
                "Test Using Larger Than Block-Size Key - Hash Key First", 54);
    same(d, "60e431591ee0b67f0d8a26aacbf5b77f"
            "8e0bc6213728c5140546040f0ee37f54");
    digest_hmac(d, NULL, 0, NULL, 0);
    same(d, "b613679a0814d9ec772f95d778c35fc5"
            "ff1697c493715653c6c712144292c5ad");
}

static void
equal_looks_at_every_byte(void **state)
{
    uint8_t a[DIGEST_LEN];
    uint8_t b[DIGEST_LEN];

    (void)state;
    digest_sha256(a, "x", 1);
    memcpy(b, a, sizeof(b));
    assert_true(digest_equal(a, b, sizeof(a)));
    for (size_t i = 0; i < sizeof(b); i++) {
        b[i] ^= 1;
        assert_false(digest_equal(a, b, sizeof(a)));
        b[i] ^= 1;
    }
    assert_true(digest_equal(NULL, NULL, 0));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_gives_the_known_digests),
        cmocka_unit_test(hmac_gives_the_known_codes),
        cmocka_unit_test(equal_looks_at_every_byte),
    };

    return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
