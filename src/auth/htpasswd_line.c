/*
 * Lines of the password file. A hash must have the very shape of its kind, down
 * to its last character: what crypt(3) makes of a string that only begins like
 * a hash depends on its version. Costs have an upper bound, too, because they
 * are paid for at every sign-in, also for users that do not exist.
 */
#include "base/base.h"

#include "auth/htpasswd_line.h"

#include <crypt.h>

#include "auth/basic.h"
#include "base/text.h"

#define CRYPT64 \
    "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define BCRYPT_LEN 60 /* $2y$NN$, 22 of salt, 31 of hash */
#define SHA512_LEN 86 /* of the hash alone */
#define SHA512_SALT_MAX 16
#define YESCRYPT_LEN 43   /* of the hash alone */
#define YESCRYPT_PARAMS 3 /* flavor, N, r */

/* --- kinds that are used ------------------------------------------------ */

static bool
all_of(const char *s, size_t n, const char *set)
{
    for (size_t i = 0; i < n; i++)
        if (s[i] == '\0' || strchr(set, s[i]) == NULL)
            return false;
    return true;
}

/* $2a$, $2b$, $2y$: NULL if it is sound. */
static const char *
bcrypt(const char *s, size_t n, size_t *cost_len)
{
    int64_t cost;

    if (n != BCRYPT_LEN || s[6] != '$' ||
        text_i64(s + 4, 2, 4, 31, &cost) != OK || !all_of(s + 7, 53, CRYPT64))
        return "has a bcrypt hash that is not whole";
    if (cost > HTPASSWD_BCRYPT_COST_MAX)
        return "has a bcrypt hash whose cost is too high";
    *cost_len = 7;
    return NULL;
}

/* $6$salt$hash, $6$rounds=N$salt$hash */
static const char *
sha512(const char *s, size_t n, size_t *cost_len)
{
    static const char broken[] = "has a sha512-crypt hash that is not whole";
    static const char rounds[] = "rounds=";
    size_t at = 3, salt;
    const char *end;

    if (n > at + sizeof(rounds) && text_starts(s + at, rounds)) {
        const char *number = s + at + sizeof(rounds) - 1;
        int64_t value;

        end = memchr(number, '$', n - (size_t)(number - s));
        if (end == NULL || text_i64(number, (size_t)(end - number), 1000,
                                    999999999, &value) != OK)
            return broken;
        if (value > HTPASSWD_ROUNDS_MAX)
            return "has a sha512-crypt hash with too many rounds";
        at = (size_t)(end - s) + 1;
    }
    *cost_len = at;
    end = memchr(s + at, '$', n - at);
    if (end == NULL)
        return broken;
    salt = (size_t)(end - s) - at;
    if (salt == 0 || salt > SHA512_SALT_MAX || !all_of(s + at, salt, CRYPT64) ||
        n - at - salt - 1 != SHA512_LEN ||
        !all_of(end + 1, SHA512_LEN, CRYPT64))
        return broken;
    return NULL;
}

/* $y$jNr$salt$hash, as crypt_gensalt makes them: N is 2 to the power of one
 * more than the digit, r one more than the digit. */
static const char *
yescrypt(const char *s, size_t n, size_t *cost_len)
{
    static const char broken[] = "has a yescrypt hash that is not whole";
    size_t at = 3 + YESCRYPT_PARAMS + 1, salt;
    unsigned n_log2;
    uint64_t bytes;
    const char *end;

    if (n <= at || s[3] != 'j' || s[at - 1] != '$' ||
        !all_of(s + 4, 2, CRYPT64))
        return broken;
    n_log2 = (unsigned)(strchr(CRYPT64, s[4]) - CRYPT64) + 1;
    bytes = (uint64_t)(strchr(CRYPT64, s[5]) - CRYPT64 + 1) * 128;
    if (n_log2 > 28 || bytes << n_log2 > (uint64_t)HTPASSWD_YESCRYPT_MIB_MAX
                                             << 20)
        return "has a yescrypt hash that takes too much memory";
    *cost_len = at;
    end = memchr(s + at, '$', n - at);
    if (end == NULL)
        return broken;
    salt = (size_t)(end - s) - at;
    if (salt == 0 || !all_of(s + at, salt, CRYPT64) ||
        n - at - salt - 1 != YESCRYPT_LEN ||
        !all_of(end + 1, YESCRYPT_LEN, CRYPT64))
        return broken;
    return NULL;
}

/* --- and others --------------------------------------------------------- */

static const struct {
    const char *prefix;
    const char *(*check)(const char *s, size_t n, size_t *cost_len);
    const char *why; /* check is NULL: always this */
} kinds[] = {
    {"$2a$", bcrypt, NULL},
    {"$2b$", bcrypt, NULL},
    {"$2y$", bcrypt, NULL},
    {"$6$", sha512, NULL},
    {"$y$", yescrypt, NULL},
    {"$apr1$", NULL, "has Apache's MD5 ($apr1$), which is too weak"},
    {"$1$", NULL, "has MD5-crypt ($1$), which is too weak"},
    {"{SHA}", NULL, "has unsalted SHA-1 ({SHA}), which is too weak"},
    {"{SSHA}", NULL, "has SHA-1 ({SSHA}), which is too weak"},
    {"$5$", NULL, "has sha256-crypt ($5$), which is not taken"},
    {"$2x$", NULL, "has the faulty bcrypt of 2011 ($2x$)"},
    {"$7$", NULL, "has scrypt ($7$), which is not taken"},
    {"$gy$", NULL, "has gost-yescrypt ($gy$), which is not taken"},
    {"$md5", NULL, "has Sun's MD5, which is too weak"},
    {"$sha1$", NULL, "has SHA-1 ($sha1$), which is too weak"},
    {"$3$", NULL, "has the NT hash ($3$), which is too weak"},
    {"$", NULL, "has a kind of hash that is not known"},
    {"!", NULL, "is locked"},
    {"*", NULL, "is locked"},
};

static const char *
judge(const char *hash, size_t n, size_t *cost_len)
{
    char text[HTPASSWD_HASH_MAX + 1];
    const char *why = NULL;
    size_t i;

    if (n == 0)
        return "has no hash";
    if (n > HTPASSWD_HASH_MAX)
        return "has a hash that is too long";
    memcpy(text, hash, n);
    text[n] = '\0';
    for (i = 0; i < COUNT_OF(kinds); i++)
        if (text_starts(text, kinds[i].prefix))
            break;
    if (i == COUNT_OF(kinds))
        why = n == 13 && all_of(text, n, CRYPT64)
                  ? "has DES-crypt, which is too weak"
                  : "has no hash: is this the password itself?";
    else if (kinds[i].check == NULL)
        why = kinds[i].why;
    else
        why = kinds[i].check(text, n, cost_len);
    if (why == NULL && crypt_checksalt(text) == CRYPT_SALT_INVALID)
        why = "has a kind of hash that this system does not know";
    explicit_bzero(text, sizeof(text));
    return why;
}

/* --- a line ------------------------------------------------------------- */

enum err
htpasswd_line_read(const char *s, size_t n, struct htpasswd_line *out,
                   const char **why)
{
    const char *colon, *second;

    memset(out, 0, sizeof(*out));
    *why = NULL;
    while (n > 0 && (s[n - 1] == '\r' || s[n - 1] == ' ' || s[n - 1] == '\t'))
        n--;
    if (n == 0 || s[0] == '#')
        return ERR_NOTFOUND;
    colon = memchr(s, ':', n);
    if (colon == NULL)
        *why = "has no colon after a user";
    else if (!basic_user_valid(s, (size_t)(colon - s)))
        *why = "has a user name that cannot be one (too long, not UTF-8, or "
               "with control characters)";
    if (*why != NULL)
        return ERR_BADREQ;
    out->user = s;
    out->user_len = (size_t)(colon - s);
    out->hash = colon + 1;
    out->hash_len = n - out->user_len - 1;
    second = memchr(out->hash, ':', out->hash_len);
    if (second != NULL)
        out->hash_len = (size_t)(second - out->hash);
    *why = judge(out->hash, out->hash_len, &out->cost_len);
    return *why != NULL ? ERR_BADREQ : OK;
}
