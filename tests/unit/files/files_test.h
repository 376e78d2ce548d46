/* What every test of files/ includes: base.h first, then cmocka. */
#ifndef TESTS_UNIT_FILES_TEST_H
#define TESTS_UNIT_FILES_TEST_H

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#endif
