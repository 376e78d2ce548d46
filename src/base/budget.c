/*
 * One counter, changed by compare-and-swap: to look whether there is room and
 * to take it is one step, so that two threads never share the last bytes. It
 * orders nothing but itself; what the bytes hold has a lock of its own.
 */
#include "base/base.h"

#include "base/budget.h"

void
budget_init(struct budget *b, size_t max)
{
    b->max = max;
    b->used = 0;
}

bool
budget_take(struct budget *b, size_t n)
{
    size_t used;

    if (b == NULL)
        return true;
    used = __atomic_load_n(&b->used, __ATOMIC_RELAXED);
    do {
        if (used > b->max || n > b->max - used)
            return false;
    } while (!__atomic_compare_exchange_n(&b->used, &used, used + n, true,
                                          __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return true;
}

void
budget_force(struct budget *b, size_t n)
{
    if (b != NULL)
        (void)__atomic_add_fetch(&b->used, n, __ATOMIC_RELAXED);
}

void
budget_give(struct budget *b, size_t n)
{
    size_t before;

    if (b == NULL)
        return;
    before = __atomic_fetch_sub(&b->used, n, __ATOMIC_RELAXED);
    assert(before >= n);
}

size_t
budget_used(const struct budget *b)
{
    return __atomic_load_n(&b->used, __ATOMIC_RELAXED);
}
