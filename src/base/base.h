/*
 * Included first by every .c file of the house: the standard headers, the
 * attributes, the error enum, and a ban on calls that are never right here.
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1 /* accept4, eventfd, memmem, qsort_r */
#endif

#include <sys/types.h>

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))
#define NORETURN __attribute__((noreturn))
/* Spells out that a result is ignored, where (void) does not silence gcc. */
#define IGNORE(e) \
    do {          \
        if (e) {} \
    } while (0)
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

#include "base/err.h"

/* Each has a bounded or checked replacement in base/. */
#undef sprintf /* macros of the C library under clang */
#undef vsprintf
#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol gmtime \
    localtime

#endif
