/*
 * Who asks, and what they may do. Made by auth/auth.h for each request and for
 * each WebSocket; plain data, to be copied.
 *
 * An owner is the name under which sessions, keys, usage and budgets are kept:
 * a realm, a slash, and a name in it, so that the same name of two realms is
 * two owners.
 *
 *   ""              nobody: no cookie, not signed in
 *   anon/ID         an anonymous owner; ID is made from the owner cookie, and
 *                   does not tell it
 *   local/NAME      an account of the password file
 *   jwt/SUB         the subject of a token that was signed with our own secret
 *   oidc/ISSUER/SUB a subject of an issuer (by login, or by its tokens)
 *   proxy/NAME      whom a trusted proxy names
 *
 * A name that would make it too long, or that has control characters, is
 * replaced by a digest of it.
 */
#ifndef AUTH_IDENTITY_H
#define AUTH_IDENTITY_H

#include "store/store.h"

#define IDENTITY_NAME_MAX 128 /* bytes of a name that is shown */
#define IDENTITY_ID_MAX 64    /* characters of a key's or a login's id */
#define IDENTITY_ADDR_MAX 45  /* characters of an IPv6 address */

/* What one may do, as bits. */
enum may {
    MAY_READ = 1,  /* see what is one's own */
    MAY_WRITE = 2, /* ask, change, delete */
    MAY_ADMIN = 4, /* see and change what is of others */
    MAY_ALL = MAY_READ | MAY_WRITE | MAY_ADMIN,
    MAY_USER = MAY_READ | MAY_WRITE
};

enum identity_way {
    IDENTITY_ANONYMOUS,
    IDENTITY_LOGIN, /* the cookie of a login */
    IDENTITY_JWT,
    IDENTITY_KEY,
    IDENTITY_BASIC,
    IDENTITY_PROXY,
    IDENTITY__MAX
};

struct identity {
    enum identity_way way;
    unsigned may;                     /* enum may */
    char owner[STORE_OWNER_MAX + 1];  /* "": nobody */
    char name[IDENTITY_NAME_MAX + 1]; /* to be shown; "": none */
    char id[IDENTITY_ID_MAX + 1];     /* of the key or the login; "" */
    char addr[IDENTITY_ADDR_MAX + 1]; /* of the client; "": not known */
    int64_t since_ms;                 /* wall clock; of a JWT: when issued */
    int64_t until_ms;                 /* wall clock; 0: no end is known */
};

/* Is this owner one who never signed in? "" is, too. */
bool identity_owner_anonymous(const char *owner);
/* realm/name, or realm/digest of the name: see above. host may be NULL. */
void identity_owner(char out[STORE_OWNER_MAX + 1], const char *realm,
                    const char *host, const char *name);
/* An owner as people write one: a name without a slash is that of a local
 * account, "ann" is "local/ann". False: it is "", or too long. */
bool identity_named(char out[STORE_OWNER_MAX + 1], const char *name);
/* An issuer's URL as the host of such a name: without its scheme, and with its
 * slashes written as %2F. Cut where it is too long. */
#define IDENTITY_ISSUER_MAX 80 /* bytes */
void identity_issuer(char out[IDENTITY_ISSUER_MAX + 1], const char *issuer);
#define IDENTITY_COOKIE_LEN 32 /* hexadecimal digits of an owner cookie */
/* The owner that an owner cookie's value stands for; false: it is none. A
 * value may have a session behind a '~' that was made before the cookie was
 * kept: *session, else NULL. */
bool identity_cookie_read(const char *value, char owner[STORE_OWNER_MAX + 1],
                          const char **session);
/* A new value, random. */
void identity_cookie_make(char out[IDENTITY_COOKIE_LEN + 1]);

/* A word for the way, for logs and the API: "anonymous", "login", … */
const char *identity_way_name(enum identity_way way);
/* "user", "admin" or "read-only". */
const char *identity_role(const struct identity *who);

#endif
