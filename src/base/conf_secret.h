/*
 * Where secrets may lie: in the environment, or in a file that only its owner
 * can read. Private to base/conf.c and its test.
 */
#ifndef BASE_CONF_SECRET_H
#define BASE_CONF_SECRET_H

#include "base/buf.h"

#define CONF_SECRET_MAX 65536 /* bytes of a file that holds one secret */

/* The setting that name (NAME_FILE) gives the file of: NAME in out, which has
 * room for n bytes. False: it does not end with _FILE, or is too long. */
bool conf_secret_of(const char *name, char *out, size_t n);

/* Can others than its owner read this file? False if it is not there. */
bool conf_secret_exposed(const char *path);

/* Add what the file holds to out, without the line ends at its end. Returns
 * NULL, or the rule that it breaks (static). *exposed: others can read it, so
 * nothing was read. */
const char *conf_secret_read(const char *path, struct buf *out, bool *exposed);

#endif
