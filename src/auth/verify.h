/*
 * Comparing a password with a hash of crypt(3), at a bounded price: only some
 * are computed at once, equal questions share one computation, and what was
 * right is known for a while, as a digest under a key of this process.
 *
 * Any thread; verify_check may block.
 */
#ifndef AUTH_VERIFY_H
#define AUTH_VERIFY_H

#include "base/base.h"

#define VERIFY_KNOWN_MS 60000 /* what was right is not computed again */
#define VERIFY_WAIT_MS 2000   /* for others' computations */

struct verify;

struct verify_ask {
    const char *user;
    const char *password;
    const char *hash;    /* to compare with */
    bool never;          /* nobody's: takes as long, and is never right */
    uint64_t generation; /* what was right in another does not count */
};

/* threads: how many may call at once; half of them may compute, and one always
 * stays free of it, unless all ask the same. */
struct verify *verify_new(unsigned threads);
void verify_free(struct verify *v); /* NULL is fine; nobody is inside */

/* OK; ERR_AUTH: it is another; ERR_BUSY: too many are being computed, or there
 * is no memory for it. */
MUST_USE enum err verify_check(struct verify *v, const struct verify_ask *ask);
/* Was it right a short while ago? The hash is not looked at. Quick. */
bool verify_known(struct verify *v, const struct verify_ask *ask);

#endif
