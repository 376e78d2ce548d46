/*
 * The shared files of AWS: ~/.aws/credentials and ~/.aws/config, of which one
 * profile's access keys and region are taken. Only plain keys: a profile whose
 * keys come from elsewhere (single sign-on, a role, another program) is told
 * apart, so that its owner can be told.
 *
 *   [default]                    # in config: [default], [profile NAME]
 *   aws_access_key_id = AKIA…
 *   aws_secret_access_key = …    ; a comment follows a blank
 *   region = eu-central-1
 */
#ifndef PROVIDER_AWS_PROFILE_H
#define PROVIDER_AWS_PROFILE_H

#include "base/base.h"

#define AWS_PROFILE_FILE_MAX (1 << 20) /* bytes; a longer file is refused */
#define AWS_PROFILE_VALUE_MAX 8192     /* bytes of one value */

enum aws_profile_file { AWS_PROFILE_CREDENTIALS, AWS_PROFILE_CONFIG };

struct aws_profile {
    bool found;       /* there is a section of that name */
    bool elsewhere;   /* it says how to get keys in a way we have not */
    char *access_key; /* all four owned; NULL: not in the file */
    char *secret_key;
    char *session_token;
    char *region;
};

/* line counts from 1; 0: the file as a whole. rule is static. */
typedef void aws_profile_bad_fn(void *arg, int line, const char *rule);

void aws_profile_init(struct aws_profile *p);
void aws_profile_release(struct aws_profile *p); /* wipes the keys */

/* Take profile name from the text of a file, into p as it is: what the text
 * does not say stays. Lines of that profile that are not understood are
 * reported and left out. Pure. */
void aws_profile_parse(struct aws_profile *p, const char *s, size_t n,
                       enum aws_profile_file kind, const char *name,
                       aws_profile_bad_fn *bad, void *arg);

/* The same from a file. ERR_NOTFOUND: it is not there (not reported);
 * ERR_STORE: it cannot be read, ERR_TOOBIG: it is too long (both reported). */
MUST_USE enum err aws_profile_read(struct aws_profile *p, const char *path,
                                   enum aws_profile_file kind, const char *name,
                                   aws_profile_bad_fn *bad, void *arg);

#endif
