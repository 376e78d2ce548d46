/*
 * Local accounts: a file of lines user:hash, as htpasswd and mkpasswd write it
 * (docs/WIRE.md). Hashes are bcrypt ($2a$, $2b$, $2y$), sha512-crypt ($6$) and
 * yescrypt ($y$); a line with another kind is reported with the command that
 * hashes anew, and disables nobody else.
 *
 * The file is read again when it changes (looked at once a second at the most),
 * all of it or nothing: a file that cannot be read, or has lines of which none
 * can be used, leaves the accounts as they were, and an error in the log.
 *
 * Hashes cost a core for a tenth of a second or more, so only some are computed
 * at once, equal questions share one, and a pair that was right is known for a
 * minute (as a keyed digest, until the file changes). A user who is not in the
 * file takes as long as one who is.
 *
 * Any thread; a check may block.
 */
#ifndef AUTH_HTPASSWD_H
#define AUTH_HTPASSWD_H

#include "base/base.h"
#include "base/digest.h"

#define HTPASSWD_USER_MAX 128     /* bytes of a name */
#define HTPASSWD_PASSWORD_MAX 511 /* bytes; what crypt(3) takes */
#define HTPASSWD_LOOK_MS 1000     /* between two looks at the file */

struct htpasswd;

/* Read the file; what is wrong with its lines goes to the log, one line each.
 * threads: how many may call at once (auth/verify.h). ERR_NOTFOUND: no such
 * file; ERR_FORBIDDEN: it may not be read, or others may write it; ERR_BADREQ:
 * no file, too big, or no line can be used. why names the file. An empty file
 * is fine: nobody can sign in. */
MUST_USE enum err htpasswd_open(struct htpasswd **out, const char *path,
                                unsigned threads, struct problem *why);
void htpasswd_close(struct htpasswd *h); /* NULL is fine; nobody is inside */

/* Is this the user's password? ERR_AUTH (code invalid_login; it does not say
 * which of the two is wrong); ERR_BUSY (login_busy, with retry_after_s): too
 * many are being computed, nothing was checked. Who asks keeps the count of
 * wrong ones (auth/guess.h). Both end with NUL; the caller wipes them. */
MUST_USE enum err htpasswd_check(struct htpasswd *h, const char *user,
                                 const char *password, struct problem *why);
/* Was this pair right within the last minute? Then a check is quick. Who has
 * to wait (auth/guess.h) must not be told. */
bool htpasswd_known(struct htpasswd *h, const char *user, const char *password);
/* A word that changes when the user's line does, so that what was given for
 * the old password can end; false: the user is not in the file. Quick. */
bool htpasswd_mark(struct htpasswd *h, const char *user,
                   char out[DIGEST_NAME_LEN]);
/* Is the user in the file? name may be "#" and the digest of a name that is too
 * long for an owner (auth/identity.h). Quick. */
bool htpasswd_has(struct htpasswd *h, const char *name);
size_t htpasswd_count(struct htpasswd *h); /* users who can sign in */

#endif
