/*
 * The password file as a whole: read into a table, and changed by parley
 * passwd. Any thread; no state.
 */
#ifndef AUTH_HTPASSWD_FILE_H
#define AUTH_HTPASSWD_FILE_H

#include <sys/stat.h>

#include "auth/htpasswd_line.h"

#define HTPASSWD_FILE_MAX (8 * 1024 * 1024) /* bytes */
#define HTPASSWD_ADVICE_MAX 800             /* bytes, with the NUL */

struct htpasswd_user {
    const char *name; /* in the table's text */
    const char *hash;
    size_t cost_len; /* htpasswd_line */
    int line;
};

struct htpasswd_table {
    char *text;                  /* owned */
    size_t size;                 /* of the text */
    struct htpasswd_user *users; /* owned; by name */
    size_t n;
    size_t faults;       /* lines that are not used */
    const char *typical; /* a hash of the kind and cost that most users have;
                            NULL: there is no user */
    bool open_to_all;    /* everybody may read the file */
};

/* Something wrong with a line, or with the file. */
struct htpasswd_fault {
    int line;         /* 0: the file */
    const char *user; /* "" if there is no sound name */
    const char *what; /* "has MD5-crypt ($1$), which is too weak" */
    char advice[HTPASSWD_ADVICE_MAX]; /* commands that help; "" */
};
/* Valid during the call. */
typedef void htpasswd_fault_fn(void *arg, const struct htpasswd_fault *f);

/* Read path. ERR_NOTFOUND, ERR_FORBIDDEN, ERR_BADREQ as htpasswd_open;
 * ERR_AGAIN: it was written to meanwhile. st (may be NULL): what was read. */
MUST_USE enum err htpasswd_table_read(struct htpasswd_table **out,
                                      const char *path, struct stat *st,
                                      htpasswd_fault_fn *fn, void *arg,
                                      struct problem *why);
void htpasswd_table_free(struct htpasswd_table *t); /* overwrites; NULL is
                                                       fine */
/* NULL: there is none. */
const struct htpasswd_user *htpasswd_table_find(const struct htpasswd_table *t,
                                                const char *name);

/* --- changing it -------------------------------------------------------- */

/* A yescrypt hash of the usual cost, with a new salt. ERR_BADREQ: the password
 * is empty or too long, or has what basic_password_valid refuses. */
MUST_USE enum err htpasswd_hash(char out[HTPASSWD_HASH_MAX + 1],
                                const char *password, struct problem *why);
/* Give the user this hash, or none (NULL: the user goes), in place of all lines
 * of that name; the rest stays as it is. The file is replaced in one step, or
 * made (mode 0600), and keeps its owner and mode otherwise, except that others
 * may not read it. ERR_NOTFOUND: no such user is to go; ERR_FORBIDDEN,
 * ERR_BADREQ, ERR_STORE: why. */
MUST_USE enum err htpasswd_put(const char *path, const char *user,
                               const char *hash, struct problem *why);

#endif
