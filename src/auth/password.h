/*
 * Is a new password one that others try first? Asked where a password is set.
 * Any characters may be in it, in any mixture: refused is only what is known,
 * or made of what is known. Reads a file below the project's folder each time;
 * any thread.
 */
#ifndef AUTH_PASSWORD_H
#define AUTH_PASSWORD_H

#include "base/base.h"

#define PASSWORD_MIN 8 /* characters */

/* What many people chose, one a line; a line that begins with "# " is none.
 * Below the project's folder. */
#define PASSWORD_LIST "etc/lexicon/passwords.txt"
#define PASSWORD_LIST_MAX (1024 * 1024) /* bytes; a longer one is not used */

/* What is wrong with it, as the end of a sentence ("it has …"); NULL: nothing
 * that can be seen. Refused are a short one; one that repeats a shorter one;
 * walks over a keyboard and characters in a row; a date; those that most people
 * chose; and a word of that list, of the user's name, or the name of this
 * program, also with other characters for letters (p4$$w0rd) and with up to
 * PASSWORD_MORE digits and signs around it. user may be "". root is the
 * project's folder (conf_root). Without the list there only the most obvious
 * ones are known, and the log says so. */
#define PASSWORD_MORE 8
const char *password_fault(const char *root, const char *user,
                           const char *password);

#endif
