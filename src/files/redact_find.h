/*
 * What redact.c looks for: each finder says what begins at a place of a text.
 * Inside files/. All are pure, look at ASCII alone, and together with the rule
 * that a finder is not asked again before the end of what it found they take
 * time linear in the text.
 */
#ifndef FILES_REDACT_FIND_H
#define FILES_REDACT_FIND_H

#include "base/base.h"

struct stretch {
    size_t start, end; /* bytes of the text; start < end */
};

/* Is there something that begins at `at` (< n)? What is to be blotted out, in
 * *out; it may begin later ("password: " stays), or earlier. */
typedef bool find_fn(const char *s, size_t n, size_t at, struct stretch *out);

/* --- redact_number.c ------------------------------------------------------ */

find_fn find_phone; /* +49 30 1234567, (555) 010-1234, 0800/123456 */
find_fn find_card;  /* 13 to 19 digits with a check digit (Luhn) */
find_fn find_iban;  /* of the length of its country, modulo 97 */

/* --- redact_key.c --------------------------------------------------------- */

find_fn find_mail;    /* an address of mail */
find_fn find_token;   /* "ghp_…" and what else begins as keys begin */
find_fn find_secret;  /* the value of "password = …", of "Bearer …" */
find_fn find_login;   /* the password of "https://name:password@host" */
find_fn find_random;  /* what only chance writes: 32 characters and more */
find_fn find_private; /* a private key in PEM */

/* --- letters -------------------------------------------------------------- */

static inline bool
is_digit_at(const char *s, size_t n, size_t i)
{
    return i < n && s[i] >= '0' && s[i] <= '9';
}

static inline bool
is_alnum_at(const char *s, size_t n, size_t i)
{
    return is_digit_at(s, n, i) ||
           (i < n && ((s[i] | 0x20) >= 'a' && (s[i] | 0x20) <= 'z'));
}

#endif
