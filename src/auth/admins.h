/*
 * Who is an administrator: the owners that ADMINS names, separated by commas.
 * A name without a slash is that of a local account, "ann" is "local/ann".
 * Anonymous owners never are. Any thread, once settings are loaded.
 */
#ifndef AUTH_ADMINS_H
#define AUTH_ADMINS_H

#include "base/base.h"

bool admins_any(void); /* does ADMINS name somebody? */
bool admins_has(const char *owner);
/* The same for another list of the same form. */
bool admins_listed(const char *list, const char *owner);

#endif
