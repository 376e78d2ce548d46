/*
 * API keys: secrets that programs send instead of a password. A key has an
 * owner, a name, a set of things that it may do, and perhaps an end and limits.
 * The store has a digest of the secret, never the secret: it is told once, when
 * the key is made.
 *
 * A secret is APIKEY_PREFIX, the key's id, 30 random characters (178 bits) and
 * a checksum of five, 50 characters of A-Z, a-z, 0-9 and one _: a mistyped one
 * is known without a look into the store, and a scanner of source code finds
 * one.
 *
 * Keys are records of the store, and each look-up reads it: what another
 * process makes or revokes counts at once. When a key was used last is written
 * at most once in APIKEY_TOUCH_MS, and nobody waits for that.
 *
 * Every call may be made on any thread that may wait for the store.
 */
#ifndef AUTH_APIKEY_H
#define AUTH_APIKEY_H

#include "auth/identity.h"

struct json_out; /* base/json.h */

#define APIKEY_PREFIX "prly_"
#define APIKEY_ID_LEN 10     /* characters; public */
#define APIKEY_SECRET_LEN 50 /* characters, with prefix, id and checksum */
#define APIKEY_NAME_MAX 64   /* characters of a name */
#define APIKEY_NAME_SIZE (4 * APIKEY_NAME_MAX + 1) /* bytes, with the NUL */
#define APIKEYS_MAX 32 /* keys of one owner, also those that have ended */
#define APIKEY_TOUCH_MS (3600 * 1000) /* between two notes of its use */
/* So long a key that has ended is listed still, and refused as one that has
 * ended; then it is gone. */
#define APIKEY_KEEP_MS (INT64_C(30) * 24 * 3600 * 1000)

/* What a key may use up; -1: no such limit, never 0. Money is in
 * micro-dollars. They are kept here and carried out by the ledger. */
struct apikey_limits {
    int64_t day_tokens, month_tokens;
    int64_t day_micro, month_micro;
};

struct apikey {
    char id[APIKEY_ID_LEN + 1];
    char owner[STORE_OWNER_MAX + 1];
    char name[APIKEY_NAME_SIZE]; /* "": none was given */
    unsigned may;                /* enum may */
    int64_t made_ms;             /* wall clock, as all of these */
    int64_t used_ms;             /* 0: never; may be APIKEY_TOUCH_MS late */
    int64_t expires_ms;          /* 0: never */
    struct apikey_limits limits;
};

/* Is this string meant to be one of our keys? (What begins like one is not to
 * be tried as anything else.) */
bool apikey_looks(const char *secret);
/* No limits at all. */
void apikey_limits_init(struct apikey_limits *l);
/* The scopes "read", "chat" (or "write", which is the same) and "admin", each
 * with what is before it; 0: there is none of that name. */
unsigned apikey_scope(const char *word);
/* The word for it: "read", "chat" or "admin". */
const char *apikey_scope_name(unsigned may);

struct apikeys;
/* s is borrowed, and must outlive it. */
struct apikeys *apikeys_new(struct store *s);
void apikeys_free(struct apikeys *k); /* NULL is fine */

/* What is wished for a new key. Strings are borrowed. */
struct apikey_wish {
    const char *owner;  /* neither "" nor anonymous */
    const char *name;   /* may be ""; no control characters */
    unsigned may;       /* enum may; MAY_READ is always in it */
    unsigned maker_may; /* what the maker may: may has to be within it */
    int64_t expires_ms; /* wall clock; 0: never */
    struct apikey_limits limits;
};
/* Make one. secret is told here and nowhere else: the caller shows it once,
 * and wipes it. ERR_BADREQ: a name, an end or a limit that cannot be;
 * ERR_FORBIDDEN: more than its maker may; ERR_LIMIT (too_many_keys): the owner
 * has APIKEYS_MAX; ERR_STORE, ERR_FULL. why is filled. */
MUST_USE enum err apikey_make(struct apikeys *k, const struct apikey_wish *w,
                              char secret[APIKEY_SECRET_LEN + 1],
                              struct apikey *out, struct problem *why);
/* Whose secret is this? ERR_AUTH with the code invalid_key (mistyped, revoked
 * or never made: it does not tell which) or key_expired; ERR_STORE. MAY_ADMIN
 * counts only as long as the owner is an administrator (auth/admins.h). */
MUST_USE enum err apikey_find(struct apikeys *k, const char *secret,
                              int64_t now_ms, struct apikey *out,
                              struct problem *why);
/* As it refuses one that was never made; returns ERR_AUTH. */
enum err apikey_refuse(struct problem *why);
/* Who asks with a key: way, may, owner, name, id and until_ms of out are set,
 * its addr stays as it is. */
void apikey_identity(const struct apikey *key, struct identity *out);
/* Its members as JSON, without braces and without the secret; owner: also whose
 * it is. */
void apikey_put(struct json_out *j, const struct apikey *key, bool owner);

/* The keys of an owner in the order in which they were made first; owner NULL:
 * of all, in the order of ids. after: the id behind which it goes on (only with
 * owner NULL), or NULL. fn returns false to stop, and may call nothing here. */
typedef bool apikey_fn(void *arg, const struct apikey *key);
MUST_USE enum err apikey_list(struct apikeys *k, const char *owner,
                              const char *after, uint32_t limit, apikey_fn *fn,
                              void *arg);
/* One of them, by its id; owner NULL: whosever. ERR_NOTFOUND, ERR_STORE. */
MUST_USE enum err apikey_get(struct apikeys *k, const char *owner,
                             const char *id, struct apikey *out);
/* From now on it is none. owner NULL: whosever. ERR_NOTFOUND also when it is
 * another owner's; ERR_STORE. */
MUST_USE enum err apikey_revoke(struct apikeys *k, const char *owner,
                                const char *id);

#endif
