/*
 * Logins: what the cookie of somebody who signed in stands for. Its value is
 * 256 random bits; the store has a digest of it, never the value.
 *
 * A login ends when it was not used for LOGIN_IDLE_S, when it is LOGIN_MAX_S
 * old, when its owner ends it or all of them, or when its owner signs in anew
 * with it: then a new value takes its place. Logins are records of the store,
 * and each look-up reads it: an end counts in all processes at once. When one
 * was used last is written at most every LOGIN_TOUCH_MS (or a tenth of the idle
 * time, if that is less), and nobody waits for that; so the idle end may come
 * earlier by that much.
 *
 * Besides, an owner has a time before which their signed tokens (JWT) do not
 * count: login_end_all sets it, and whoever checks such a token asks
 * login_not_before.
 *
 * Every call may be made on any thread that may wait for the store.
 */
#ifndef AUTH_LOGIN_H
#define AUTH_LOGIN_H

#include "auth/identity.h"

struct json_out; /* base/json.h */

#define LOGIN_VALUE_LEN 43    /* characters of a cookie's value: base64url */
#define LOGIN_ID_LEN 16       /* characters of an id, which opens nothing */
#define LOGIN_WAY_MAX 64      /* bytes */
#define LOGIN_MARK_MAX 32     /* bytes */
#define LOGIN_AGENT_MAX 128   /* bytes that are kept of a User-Agent */
#define LOGIN_TOUCH_MS 300000 /* between two notes of its use */
/* Of one owner; one more ends the one that was not used for the longest. */
#define LOGINS_MAX 64
/* What the names of a login's records in the store begin with; ended by NULL.
 * Without these records everybody is signed out. */
extern const char *const login_record_names[];

struct login {
    char id[LOGIN_ID_LEN + 1];
    char owner[STORE_OWNER_MAX + 1];
    char name[IDENTITY_NAME_MAX + 1];
    char way[LOGIN_WAY_MAX + 1];     /* how they signed in: "password", … */
    char agent[LOGIN_AGENT_MAX + 1]; /* printable characters; "": not known */
    char addr[IDENTITY_ADDR_MAX + 1];
    char mark[LOGIN_MARK_MAX + 1]; /* of the password it began with; "" */
    unsigned may;                  /* enum may, as it was given */
    int64_t begun_ms;              /* wall clock, as all of these */
    int64_t used_ms;               /* may be LOGIN_TOUCH_MS late */
    int64_t ends_ms; /* at the latest: if it is not used any more */
};

struct logins;
struct logins_config {
    struct store *store; /* borrowed; must outlive it */
    int64_t idle_ms;     /* LOGIN_IDLE_S; 0: no such end */
    int64_t max_ms;      /* LOGIN_MAX_S */
};
/* c is copied. */
struct logins *logins_new(const struct logins_config *c);
void logins_free(struct logins *l); /* NULL is fine */

/* What is known of who signs in. Strings are borrowed; what is too long is cut,
 * control characters become '?'. */
struct login_wish {
    const char *owner;                     /* neither "" nor anonymous */
    const char *name, *way, *agent, *addr; /* NULL: "" */
    const char *mark;                      /* htpasswd_mark(); NULL: "" */
    unsigned may; /* what the way in itself gives; who is in ADMINS is asked at
                     each request, so MAY_ADMIN is here only by an issuer's
                     word */
    const char *old; /* value of the cookie that came with the request; that
                        login ends, whosever it was; NULL: none */
};
/* Sign in: value is what the cookie holds from now on. It is told here and
 * nowhere else. ERR_BADREQ: no owner who could; ERR_STORE, ERR_FULL. */
MUST_USE enum err login_begin(struct logins *l, const struct login_wish *w,
                              int64_t now_ms, char value[LOGIN_VALUE_LEN + 1],
                              struct login *out);
/* Whose cookie is this? ERR_AUTH: nobody's (any more); ERR_STORE. */
MUST_USE enum err login_find(struct logins *l, const char *value,
                             int64_t now_ms, struct login *out);
/* Who asks with it: way, may, owner, name, id and until_ms of out are set, its
 * addr stays as it is. */
void login_identity(const struct login *in, struct identity *out);

/* Its members as JSON, without braces. */
void login_put(struct json_out *j, const struct login *in);

/* The logins of an owner, or of all (NULL), `limit` of them, in no order that
 * means anything. fn returns false to stop, and may call nothing here. */
typedef bool login_fn(void *arg, const struct login *in);
MUST_USE enum err login_list(struct logins *l, const char *owner,
                             int64_t now_ms, uint32_t limit, login_fn *fn,
                             void *arg);
/* End the one with this value; OK also when there is none (any more). */
MUST_USE enum err login_end(struct logins *l, const char *value);
/* End one of the owner's by its id. ERR_NOTFOUND, ERR_STORE. */
MUST_USE enum err login_end_id(struct logins *l, const char *owner,
                               const char *id);
/* End all of the owner's that began before now_ms, and those of this very
 * moment that are there; tokens: their signed tokens from before now_ms as
 * well. API keys stay: apikey_revoke. *n (may be NULL): how many logins were
 * there. */
MUST_USE enum err login_end_all(struct logins *l, const char *owner,
                                bool tokens, int64_t now_ms, size_t *n);
/* *ms: tokens of this owner that were issued before it do not count; 0: all
 * may. A token's iat is in whole seconds, so one that was issued later in the
 * same second does not count either. ERR_STORE: it is not known, so none
 * may. */
MUST_USE enum err login_not_before(struct logins *l, const char *owner,
                                   int64_t *ms);

#endif
