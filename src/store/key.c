/*
 * Keys. A number is written big-endian because LMDB compares keys with
 * memcmp: then the order of the bytes is the order of the numbers, a range is
 * a walk to the next key, and no comparison function of ours runs in the
 * middle of a search. An owner is preceded by its length, so that no owner's
 * keys lie inside another's range. Times that are wanted newest first are
 * stored inverted.
 */
#include "base/base.h"

#include "store/key.h"

#include "base/digest.h"

_Static_assert(sizeof(struct ident) == 16, "WIRE.md");
_Static_assert(KEY_NO_LEN == 8, "WIRE.md");
_Static_assert(KEY_MESSAGE_LEN == KEY_NO_LEN + 4, "WIRE.md");
_Static_assert(KEY_EVENT_LEN == sizeof(struct ident) + 4, "WIRE.md");
_Static_assert(KEY_IDEM_LEN == DIGEST_LEN, "WIRE.md");
_Static_assert(STORE_OWNER_MAX < 256, "its length is one byte");
_Static_assert(KEY_RECENT_MAX <= 511, "LMDB's limit");

static void
put_be(uint8_t *out, uint64_t v, size_t width)
{
    while (width > 0) {
        out[--width] = (uint8_t)v;
        v >>= 8;
    }
}

static uint64_t
get_be(const uint8_t *p, size_t width)
{
    uint64_t v = 0;

    for (size_t i = 0; i < width; i++)
        v = v << 8 | p[i];
    return v;
}

void
key_no(uint8_t out[KEY_NO_LEN], uint64_t no)
{
    put_be(out, no, 8);
}

void
key_message(uint8_t out[KEY_MESSAGE_LEN], uint64_t no, uint32_t seq)
{
    put_be(out, no, 8);
    put_be(out + 8, seq, 4);
}

void
key_event(uint8_t out[KEY_EVENT_LEN], const struct ident *turn, uint32_t seq)
{
    memcpy(out, turn->b, 16);
    put_be(out + 16, seq, 4);
}

size_t
key_recent_owner(uint8_t out[KEY_RECENT_MAX], const char *owner)
{
    size_t n = strlen(owner);

    assert(n <= STORE_OWNER_MAX);
    out[0] = (uint8_t)n;
    memcpy(out + 1, owner, n);
    return 1 + n;
}

size_t
key_recent(uint8_t out[KEY_RECENT_MAX], const char *owner, int64_t updated_ms,
           uint64_t no)
{
    size_t n = key_recent_owner(out, owner);

    put_be(out + n, ~(uint64_t)updated_ms, 8);
    put_be(out + n + 8, no, KEY_NO_LEN);
    return n + 16;
}

size_t
key_owner(uint8_t out[STORE_OWNER_MAX], const char *owner)
{
    size_t n = strlen(owner);

    assert(n <= STORE_OWNER_MAX);
    if (n == 0)
        out[n++] = '\0'; /* no key is empty */
    else
        memcpy(out, owner, n);
    return n;
}

/* Each part with its length before it: ("a", "bc") is not ("ab", "c"). */
void
key_idem(uint8_t out[KEY_IDEM_LEN], const char *owner, const char *scope,
         const char *key)
{
    const char *parts[3] = {owner, scope, key};
    uint8_t digests[3][4 + DIGEST_LEN];

    /* The parts may be long: hash each, then the three together. */
    for (size_t i = 0; i < 3; i++) {
        size_t n = strlen(parts[i]);

        put_be(digests[i], n, 4);
        digest_sha256(digests[i] + 4, parts[i], n);
    }
    digest_sha256(out, digests, sizeof(digests));
}

enum err
key_no_read(const void *p, size_t n, uint64_t *no)
{
    if (n != KEY_NO_LEN)
        return ERR_STORE;
    *no = get_be(p, 8);
    return OK;
}

enum err
key_message_read(const void *p, size_t n, uint64_t *no, uint32_t *seq)
{
    const uint8_t *b = p;

    if (n != KEY_MESSAGE_LEN)
        return ERR_STORE;
    *no = get_be(b, 8);
    *seq = (uint32_t)get_be(b + 8, 4);
    return OK;
}

enum err
key_event_read(const void *p, size_t n, struct ident *turn, uint32_t *seq)
{
    const uint8_t *b = p;

    if (n != KEY_EVENT_LEN)
        return ERR_STORE;
    memcpy(turn->b, b, 16);
    *seq = (uint32_t)get_be(b + 16, 4);
    return OK;
}

enum err
key_recent_read(const void *p, size_t n, uint64_t *no)
{
    const uint8_t *b = p;

    if (n < 17 || n != 1 + (size_t)b[0] + 16)
        return ERR_STORE;
    *no = get_be(b + n - 8, 8);
    return OK;
}
