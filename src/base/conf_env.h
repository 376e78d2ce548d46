/*
 * The reader of .env files. Private to base/conf.c and its test.
 *
 *   KEY=value          # a comment follows a blank
 *   export KEY='taken as it is'
 *   KEY="with \n \t \" \\ \$ escapes, over several lines if need be"
 *
 * Nothing is expanded.
 */
#ifndef BASE_CONF_ENV_H
#define BASE_CONF_ENV_H

#include "base/base.h"

#define CONF_ENV_MAX (1 << 20) /* bytes; a longer file is a mistake */

/* name and value are valid during the call. */
typedef void conf_env_fn(void *arg, const char *name, const char *value);
/* line counts from 1, 0: the file as a whole; rule is static. */
typedef void conf_env_bad_fn(void *arg, int line, const char *rule);

/* Read the file; one that is not there has no lines. */
void conf_env_read(const char *path, conf_env_fn *fn, conf_env_bad_fn *bad,
                   void *arg);
/* The same from memory. */
void conf_env_parse(const char *s, size_t n, conf_env_fn *fn,
                    conf_env_bad_fn *bad, void *arg);

#endif
