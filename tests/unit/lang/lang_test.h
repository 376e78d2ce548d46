/* What every test of lang/ includes: base.h first, then cmocka. */
#ifndef TESTS_UNIT_LANG_TEST_H
#define TESTS_UNIT_LANG_TEST_H

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/mem.h"

/* s[0..n) is exactly this text? Says both when not. */
static inline void
assert_text(const char *s, size_t n, const char *want)
{
    char *copy = xmemdup0(n > 0 ? s : "", n);

    assert_string_equal(copy, want);
    free(copy);
}

/* unit, times over, in a new string of exactly n bytes (a NUL follows). */
static inline char *
repeat(const char *unit, size_t n)
{
    size_t len = strlen(unit);
    char *s = xmalloc(n + 1);

    for (size_t i = 0; i < n; i++)
        s[i] = unit[i % len];
    s[n] = '\0';
    return s;
}

#endif
