/*
 * Identifiers from the kernel's random numbers (getrandom), which are fetched a
 * few hundred bytes at a time per thread: OpenSSL's generator would be as good,
 * but takes milliseconds to start, and chat.cgi starts for every request.
 * Version 7 ids of one process increase strictly: when the clock has not moved
 * (or went back), the 12 bits after the milliseconds count on, and past their
 * end the milliseconds do. A forked child would cut the same ids from the same
 * bytes, so it throws them away.
 */
#include "base/base.h"

#include "base/ident.h"

#include <pthread.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/text.h"

#define POOL_LEN 512 /* bytes fetched at once */

static __thread struct {
    uint8_t bytes[POOL_LEN];
    size_t left;
} pool;

static pthread_mutex_t v7_mu = PTHREAD_MUTEX_INITIALIZER; /* guards v7_last */
static uint64_t v7_last; /* milliseconds << 12 | count */

static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

static void
forget_pool(void)
{
    (void)memset(pool.bytes, 0, sizeof(pool.bytes));
    pool.left = 0;
}

static void
watch_forks(void)
{
    (void)pthread_atfork(NULL, NULL, forget_pool);
}

void
ident_random(void *p, size_t n)
{
    uint8_t *to = p;

    while (n > 0) {
        ssize_t got = getrandom(to, n, 0);

        if (got < 0 && errno != EINTR) {
            (void)fputs("no random numbers\n", stderr);
            abort();
        }
        to += got > 0 ? got : 0;
        n -= got > 0 ? (size_t)got : 0;
    }
}

static void
pool_take(uint8_t *to, size_t n)
{
    if (pool.left < n) {
        (void)pthread_once(&fork_once, watch_forks);
        ident_random(pool.bytes, POOL_LEN);
        pool.left = POOL_LEN;
    }
    pool.left -= n;
    (void)memcpy(to, pool.bytes + pool.left, n);
    (void)memset(pool.bytes + pool.left, 0, n);
}

struct ident
ident_v4(void)
{
    struct ident id;

    pool_take(id.b, sizeof(id.b));
    id.b[6] = (uint8_t)((id.b[6] & 0x0f) | 0x40);
    id.b[8] = (uint8_t)((id.b[8] & 0x3f) | 0x80);
    return id;
}

struct ident
ident_v7(void)
{
    struct ident id;
    uint64_t stamp = (uint64_t)clock_wall_ms() << 12;

    (void)pthread_mutex_lock(&v7_mu);
    if (stamp <= v7_last)
        stamp = v7_last + 1;
    v7_last = stamp;
    (void)pthread_mutex_unlock(&v7_mu);
    pool_take(id.b + 8, 8);
    for (int i = 0; i < 6; i++)
        id.b[i] = (uint8_t)(stamp >> (52 - 8 * i));
    id.b[6] = (uint8_t)(0x70 | ((stamp >> 8) & 0x0f));
    id.b[7] = (uint8_t)stamp;
    id.b[8] = (uint8_t)((id.b[8] & 0x3f) | 0x80);
    return id;
}

struct ident
ident_beside(const struct ident *id, unsigned n)
{
    struct ident out = *id;

    assert(n < 4);
    out.b[15] = (uint8_t)((id->b[15] & ~3u) | n);
    return out;
}

void
ident_text(char out[IDENT_TEXT_LEN], const struct ident *id)
{
    static const char hex[] = "0123456789abcdef";
    char *to = out;

    for (size_t i = 0; i < sizeof(id->b); i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *to++ = '-';
        *to++ = hex[id->b[i] >> 4];
        *to++ = hex[id->b[i] & 15];
    }
    *to = '\0';
}

enum err
ident_parse(const char *s, size_t n, struct ident *out)
{
    char hex[2 * sizeof(out->b) + 1];
    size_t digits = 0;
    struct ident id;

    if (n != IDENT_TEXT_LEN - 1)
        return ERR_BADREQ;
    for (size_t i = 0; i < n; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash != (s[i] == '-'))
            return ERR_BADREQ;
        if (!dash)
            hex[digits++] = s[i];
    }
    hex[digits] = '\0';
    if (text_unhex(id.b, sizeof(id.b), hex) != OK)
        return ERR_BADREQ;
    *out = id;
    return OK;
}

bool
ident_is_zero(const struct ident *id)
{
    static const struct ident zero;

    return ident_eq(id, &zero);
}

bool
ident_eq(const struct ident *a, const struct ident *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

bool
ident_session_valid(const char *s, size_t n)
{
    if (n < 1 || n > IDENT_SESSION_MAX)
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = s[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              (c >= '0' && c <= '9') || c == '_' || c == '-'))
            return false;
    }
    return true;
}
