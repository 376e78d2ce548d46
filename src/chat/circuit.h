/*
 * A circuit for each provider: after CIRCUIT_FAILURES failures in a row it
 * opens, and the provider is not asked any more; after a while one request is
 * let through, and what becomes of it closes or opens it again. Changed on the
 * loop thread; state and wait may be read from any.
 */
#ifndef CHAT_CIRCUIT_H
#define CHAT_CIRCUIT_H

#include "base/base.h"

#define CIRCUIT_FAILURES 5 /* in a row */

enum circuit_state { CIRCUIT_CLOSED, CIRCUIT_OPEN, CIRCUIT_HALF_OPEN };
const char *circuit_name(enum circuit_state s); /* "closed", "half_open" */

struct provider;
struct circuits;

/* open_ms: until an open one lets a request through; 0: none ever opens. */
struct circuits *circuits_new(int64_t open_ms);
void circuits_free(struct circuits *c); /* NULL is fine */
/* May it be asked? True makes the caller the one request of a half-open
 * circuit: it must report ok, failed or nothing. */
bool circuit_enter(struct circuits *c, const struct provider *p,
                   int64_t now_ms);
void circuit_ok(struct circuits *c, const struct provider *p);
/* The answer has begun: a half-open circuit closes without waiting for its
 * end, which may be minutes away; a failure then opens it at once. */
void circuit_began(struct circuits *c, const struct provider *p);
void circuit_failed(struct circuits *c, const struct provider *p,
                    int64_t now_ms);
/* The request ended without telling anything about the provider. */
void circuit_nothing(struct circuits *c, const struct provider *p);
/* Any thread. */
enum circuit_state circuit_state(struct circuits *c, const struct provider *p,
                                 int64_t now_ms);
/* Until an open one lets a request through, ms; 0 if it is not open. */
int64_t circuit_wait_ms(struct circuits *c, const struct provider *p,
                        int64_t now_ms);

#endif
