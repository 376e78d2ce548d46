/*
 * How many sockets each client has open, by a key that names the client. Exact,
 * since it is counted where the sockets are and nowhere else. Loop thread.
 */
#ifndef API_WS_COUNT_H
#define API_WS_COUNT_H

#include "base/base.h"

struct ws_counts;
struct ws_count; /* one client's */

struct ws_counts *ws_counts_new(void);
void ws_counts_free(struct ws_counts *c); /* NULL is fine */
/* One more for this client; NULL: it has max already (0: any number). */
struct ws_count *ws_count_take(struct ws_counts *c, const char *key,
                               size_t max);
/* One less. NULL is fine. */
void ws_count_give(struct ws_counts *c, struct ws_count *n);

#endif
