/*
 * Notes of when something was used last, which nobody waits for: a record is
 * written anew if it is still what it was, and this process tries it at most
 * once in TOUCH_RETRY_MS for one name, whatever comes of it. For auth/apikey.c
 * and auth/login.c. Any thread.
 */
#ifndef AUTH_TOUCH_H
#define AUTH_TOUCH_H

#include "store/store.h"

#define TOUCH_RETRY_MS 60000

struct touch;
struct touch *touch_new(struct store *s); /* borrowed */
void touch_free(struct touch *t);         /* what is on its way goes on */

/* Is it worth a try? If so, the caller tries. mono_ms: monotonic. */
bool touch_due(struct touch *t, const char *name, size_t n, int64_t mono_ms);
/* Write the record anew, if its value is `was`. Copies all. */
void touch_write(struct touch *t, const struct record_change *c);

#endif
