/*
 * The public keys of an issuer, from a URL or a file, kept and renewed.
 *
 * Of a URL: fetched when the first token needs them. A token whose key is not
 * among them has them fetched again, at most once in JWKS_RETRY_MS; so do keys
 * older than JWKS_AGE_MS, while the old ones serve on. All threads share one
 * request, and only those whose key is not there wait for it, in one of the
 * few places of auth/fetch.h. When a fetch fails the old keys stay, up to
 * JWKS_OLD_MS.
 *
 * A file is read when the keys are opened, and again when it has changed.
 *
 * Any thread.
 */
#ifndef AUTH_JWKS_H
#define AUTH_JWKS_H

#include "auth/jwk.h"

#define JWKS_AGE_MS (15 * 60 * 1000)      /* older keys are fetched again */
#define JWKS_OLD_MS (24 * 60 * 60 * 1000) /* still older ones are not used */
#define JWKS_RETRY_MS (60 * 1000)         /* between two fetches */
#define JWKS_FIRST_MS (5 * 1000)          /* while there are no keys at all */
#define JWKS_LOOK_MS 1000                 /* between two looks at a file */

struct fetcher; /* auth/fetch.h */
struct jwks;

/* place: a URL or the path of a file. own: as in struct fetch_ask; NULL: the
 * place is of the settings itself. fetcher may be NULL for a file. ERR_BADREQ:
 * the file cannot be read or has no usable key, the URL is none. Copies. */
MUST_USE enum err jwks_open(struct jwks **out, const char *place,
                            const char *own, struct fetcher *f,
                            struct problem *why);
/* After fetcher_stop. NULL is fine. */
void jwks_close(struct jwks *s);

/* The key of a token whose header has this kid (NULL: none) and alg. OK: it
 * lives until *set is given to jwk_set_drop. Else why is filled: ERR_AUTH:
 * there is no such key; ERR_BUSY: the keys cannot be had just now. no_wait:
 * ERR_AGAIN (why is not filled) instead of waiting. */
MUST_USE enum err jwks_find(struct jwks *s, const char *kid, const char *alg,
                            bool no_wait, const struct jwk **key,
                            struct jwk_set **set, struct problem *why);
/* Tests: another clock for the ages. Before the first find. */
void jwks_clock(struct jwks *s, int64_t (*now_ms)(void));

#endif
