/*
 * What the files of auth/login share: the records of an owner's logins, read
 * and changed.
 */
#ifndef AUTH_LOGIN_INSIDE_H
#define AUTH_LOGIN_INSIDE_H

#include "auth/login_record.h"
#include "base/buf.h"
#include "base/digest.h"

#define LOGIN_PREFIX "login/" /* and the digest in hexadecimal */
#define LOGIN_HEX_LEN (2 * (size_t)DIGEST_LEN)
#define LOGIN_BATCH 100 /* looked at and taken away at once; two records each */

struct touch;

struct logins {
    struct logins_config config; /* constant */
    int64_t touch_ms;            /* constant */
    struct touch *touch;         /* owned */
};

/* The name of a record. */
struct login_rname {
    char s[STORE_RECORD_NAME_MAX + 1];
    size_t n;
};

struct login_rname login_rname(const char *hex);
/* hex may be the beginning of one, or "". */
struct login_rname login_owned_rname(const char *owner, const char *hex);
struct login_rname login_before_rname(const char *owner);
/* The name under which a cookie's value is known; false: it cannot be one. */
bool login_value_hex(const char *value, char hex[LOGIN_HEX_LEN + 1]);

/* When it ends if it is not used any more. */
int64_t login_ends(const struct logins *l, const struct login *in);
/* Set what is not in a record: id and ends_ms. */
void login_fill_in(const struct logins *l, const char *hex, struct login *in);
/* Read one; raw (may be NULL) is its bytes. ERR_NOTFOUND, ERR_STORE. */
MUST_USE enum err login_load(struct logins *l, const char *hex,
                             struct login *out, struct buf *raw);
/* raw: the bytes, if there are any. */
MUST_USE enum err login_load_before(struct logins *l, const char *owner,
                                    struct login_before *out, struct buf *raw);

/* Digests of an owner's logins. */
struct login_found {
    char hex[LOGIN_BATCH][LOGIN_HEX_LEN + 1];
    size_t n;
};
/* Those that begin like this. f is not initialised. */
MUST_USE enum err login_find_owned(struct logins *l, const char *owner,
                                   const char *begin, struct login_found *f);

/* Changes that are made together. n is 0 at first. */
struct login_batch {
    struct record_change change[STORE_RECORDS_MAX];
    struct login_rname name[STORE_RECORDS_MAX];
    size_t n;
};
/* One more; it takes the record away, unless the caller says otherwise. */
struct record_change *login_batch_add(struct login_batch *b,
                                      const struct login_rname *m);
/* A login ends. */
void login_batch_end(struct login_batch *b, const char *owner, const char *hex);
/* Do it; OK also if there is nothing to do. */
MUST_USE enum err login_batch_apply(struct logins *l,
                                    const struct login_batch *b);

#endif
