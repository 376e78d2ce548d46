/*
 * HTTP Basic, read strictly: the base64 must be the one way to write these
 * bytes, padding included, so that one pair is one header. The limits are those
 * of the password file; a pair that passes here can be asked for there.
 *
 * The bytes of a password are in two places for as long as this runs, the
 * decoding buffer and out; the buffer is overwritten before it is freed.
 */
#include "base/base.h"

#include "auth/basic.h"

#include "base/buf.h"
#include "base/text.h"

#define PAIR_MAX (HTPASSWD_USER_MAX + 1 + HTPASSWD_PASSWORD_MAX)
#define ENCODED_MAX ((PAIR_MAX + 2) / 3 * 4)

bool
basic_user_valid(const char *s, size_t n)
{
    return n > 0 && n <= HTPASSWD_USER_MAX && text_plain(s, n) &&
           memchr(s, ':', n) == NULL && s[0] != ' ' && s[0] != '#' &&
           s[n - 1] != ' ';
}

bool
basic_password_valid(const char *s, size_t n)
{
    return n <= HTPASSWD_PASSWORD_MAX && text_plain(s, n);
}

static enum err
bad(struct problem *why, const char *what)
{
    return problem_set(why, ERR_BADREQ, "invalid_basic",
                       "Invalid Basic credentials",
                       "The Authorization header %s.", what);
}

static enum err
split(const struct buf *pair, struct basic *out, struct problem *why)
{
    const char *colon = memchr(pair->data, ':', pair->len);
    const char *password;
    size_t n, left;

    if (colon == NULL)
        return bad(why, "has no colon between name and password");
    n = (size_t)(colon - pair->data);
    password = colon + 1;
    left = pair->len - n - 1;
    if (!basic_user_valid(pair->data, n))
        return bad(why, "has a user name that cannot be one");
    if (!basic_password_valid(password, left))
        return bad(why, "has a password that is too long, not UTF-8, or has "
                        "control characters");
    memcpy(out->user, pair->data, n);
    memcpy(out->password, password, left);
    return OK;
}

enum err
basic_read(const char *header, struct basic *out, struct problem *why)
{
    struct buf pair;
    enum err e;
    size_t n;

    memset(out, 0, sizeof(*out));
    if (!text_istarts(header, "basic") ||
        (header[5] != ' ' && header[5] != '\0'))
        return ERR_NOTFOUND;
    header += 5;
    while (*header == ' ')
        header++;
    n = strnlen(header, ENCODED_MAX + 1);
    if (n == 0)
        return bad(why, "has no credentials");
    if (n > ENCODED_MAX)
        return bad(why, "is too long");
    buf_init(&pair, PAIR_MAX + 2);
    e = n % 4 == 0 ? text_unbase64(&pair, header, n) : ERR_BADREQ;
    if (e != OK || pair.len == 0)
        e = bad(why, "is not base64");
    else
        e = split(&pair, out, why);
    buf_wipe(&pair);
    return e;
}

void
basic_wipe(struct basic *b)
{
    explicit_bzero(b, sizeof(*b));
}
