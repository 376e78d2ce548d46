/* Which name was probably meant. Pure. */
#ifndef OPS_NEAREST_H
#define OPS_NEAREST_H

#include "base/base.h"

#define NEAREST_MAX 64 /* bytes of a name; longer ones are near to nothing */

/* How many letters must be put in, taken out or changed to make b of a;
 * NEAREST_MAX if one is too long. */
size_t nearest_distance(const char *a, const char *b);
/* The one of names that differs least, if it is by a typing mistake: by at
 * most two letters, and less than a third of them. NULL: none. */
const char *nearest_name(const char *name, const char *const *names, size_t n);

#endif
