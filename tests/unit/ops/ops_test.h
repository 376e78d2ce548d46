/* What the tests of src/ops need. */
#ifndef OPS_TEST_H
#define OPS_TEST_H

#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#endif
