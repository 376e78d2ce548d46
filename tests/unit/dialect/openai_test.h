/* What the tests of OpenAI's dialect share: parts to be encoded, and the
 * answers that they make. */
#ifndef OPENAI_TEST_H
#define OPENAI_TEST_H

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/json.h"
#include "dialect/openai_out.h"

#define OUT_MAX (1024 * 1024)
#define ID_TEXT "01020304-0506-7708-890a-0b0c0d0e0f10"
#define NAMES(object)                                       \
    "{\"id\":\"chatcmpl-" ID_TEXT "\",\"object\":\"" object \
    "\",\"created\":1700000000,\"model\":\"gpt-x\""

static const struct usage unknown = {-1, -1, -1};
static const struct usage counted = {11, 7, 3};

static inline struct ident
test_id(void)
{
    struct ident id;

    assert_int_equal(ident_parse(ID_TEXT, strlen(ID_TEXT), &id), OK);
    return id;
}

static inline struct part
text_part(enum part_kind kind, int index, const char *text)
{
    return (struct part){
        .kind = kind, .index = index, .text = text, .len = strlen(text)};
}

static inline struct part
call_part(int index, const char *id, const char *name)
{
    return (struct part){
        .kind = PART_CALL, .index = index, .id = id, .name = name};
}

#define assert_has(text, part) assert_non_null(strstr(text, part))
#define assert_lacks(text, part) assert_null(strstr(text, part))

#endif
