/*
 * The numbers of JSON: their shape, and whether a double can hold them.
 *
 * A double overflows at 2^1024 - 2^970, an integer of 309 digits. Only a
 * number of that very magnitude needs a conversion to tell, and its first 309
 * digits decide: they are converted without a decimal point, so no locale
 * has a say. Underflow to zero is no error.
 */
#include "base/base.h"

#include <math.h>

#include "base/json_scan.h"

#define DOUBLE_DIGITS 309 /* digits of the largest double before the point */
#define EXPONENT_MAX (INT64_C(1) << 56)

static size_t
digit_run(const char *s, size_t n)
{
    size_t i = 0;

    while (i < n && s[i] >= '0' && s[i] <= '9')
        i++;
    return i;
}

size_t
json_number_len(const char *s, size_t n)
{
    size_t i = n > 0 && s[0] == '-';
    size_t run = digit_run(s + i, n - i);

    if (run == 0 || (run > 1 && s[i] == '0'))
        return 0;
    i += run;
    if (i < n && s[i] == '.') {
        run = digit_run(s + i + 1, n - i - 1);
        if (run == 0)
            return 0;
        i += 1 + run;
    }
    if (i < n && (s[i] == 'e' || s[i] == 'E')) {
        i++;
        if (i < n && (s[i] == '+' || s[i] == '-'))
            i++;
        run = digit_run(s + i, n - i);
        if (run == 0)
            return 0;
        i += run;
    }
    return i;
}

/* The decimal exponent written behind 'e', saturated. */
static int64_t
exponent(const char *s, size_t n)
{
    bool minus = n > 0 && s[0] == '-';
    int64_t e = 0;

    for (size_t i = n > 0 && (s[0] == '-' || s[0] == '+'); i < n; i++)
        if (e < EXPONENT_MAX)
            e = e * 10 + (s[i] - '0');
    return minus ? -e : e;
}

bool
json_number_finite(const char *s, size_t n)
{
    char digits[DOUBLE_DIGITS + 1];
    size_t used = 0;
    int64_t scale = 0; /* the value is 0.digits * 10^scale */
    bool point = false;
    size_t i;

    for (i = s[0] == '-'; i < n && s[i] != 'e' && s[i] != 'E'; i++) {
        if (s[i] == '.') {
            point = true;
            continue;
        }
        if (used > 0 || s[i] != '0') {
            if (used < DOUBLE_DIGITS)
                digits[used++] = s[i];
            scale += !point;
        } else {
            scale -= point;
        }
    }
    if (used == 0)
        return true;
    if (i < n)
        scale += exponent(s + i + 1, n - i - 1);
    if (scale != DOUBLE_DIGITS)
        return scale < DOUBLE_DIGITS;
    memset(digits + used, '0', DOUBLE_DIGITS - used);
    digits[DOUBLE_DIGITS] = '\0';
    return isfinite(strtod(digits, NULL));
}
