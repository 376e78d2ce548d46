/*
 * A budget: bytes that several parts of the program may hold together. Who
 * wants some takes them before, and gives back as many. Any thread.
 */
#ifndef BASE_BUDGET_H
#define BASE_BUDGET_H

#include "base/base.h"

#define BUDGET_EACH 24 /* bytes that an allocation costs beside its own */

struct budget {
    size_t max;  /* bytes; constant */
    size_t used; /* atomic */
};

void budget_init(struct budget *b, size_t max);
/* False: they would be more than max, and none was taken. In all three NULL
 * stands for a budget without an end. */
MUST_USE bool budget_take(struct budget *b, size_t n);
/* Take them whatever is left: what was begun must be able to end. */
void budget_force(struct budget *b, size_t n);
/* n was taken before. */
void budget_give(struct budget *b, size_t n);
/* More than max where some were forced. */
size_t budget_used(const struct budget *b);

#endif
