/* What tests of files/ include that need no index: base.h first, then
 * cmocka. */
#ifndef TESTS_UNIT_FILES_PLAIN_TEST_H
#define TESTS_UNIT_FILES_PLAIN_TEST_H

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#endif
