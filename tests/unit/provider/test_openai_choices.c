/* Tests of provider/openai.c: which chunks of a stream come with their choices
 * as they stand, and that those are theirs. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/buf.h"
#include "provider/provider.h"

#define EVENT(choices) "data: {\"model\":\"m\",\"choices\":" choices "}\n\n"
#define PLAIN(content)                                       \
    "[{\"index\":0,\"delta\":{\"content\":\"" content "\"}," \
    "\"finish_reason\":null}]"

static struct buf told; /* "text=choices|" for each text */

static void
on_part(void *arg, const struct part *p)
{
    (void)arg;
    if (p->kind != PART_TEXT) {
        assert_null(p->choices);
        return;
    }
    buf_add(&told, p->text, p->len);
    buf_addc(&told, '=');
    if (p->choices != NULL)
        buf_add(&told, p->choices, p->choices_len);
    buf_addc(&told, '|');
}

static void
assert_told(const char *events, const char *want)
{
    void *reader = provider_openai.reader_new();
    struct problem why = {.err = OK};

    buf_init(&told, 1 << 16);
    assert_int_equal(provider_openai.feed(reader, events, strlen(events),
                                          on_part, NULL, &why),
                     OK);
    assert_string_equal(buf_cstr(&told), want);
    buf_release(&told);
    provider_openai.reader_free(reader);
}

static void
a_plain_text_comes_with_its_choices(void **state)
{
    (void)state;
    assert_told(EVENT(PLAIN("Hi")), "Hi=" PLAIN("Hi") "|");
    assert_told(EVENT(PLAIN("a\\n\\u00e9")),
                "a\n\xC3\xA9=" PLAIN("a\\n\\u00e9") "|");
    assert_told("data: { \"choices\" : [ { \"index\" : 0 , \"logprobs\":null, "
                "\"finish_reason\":null,\"delta\":{\"role\":\"assistant\","
                "\"content\":\"x\",\"tool_calls\":[]}} ] , \"usage\":null}\n\n",
                "x=[ { \"index\" : 0 , \"logprobs\":null, "
                "\"finish_reason\":null,\"delta\":{\"role\":\"assistant\","
                "\"content\":\"x\",\"tool_calls\":[]}} ]|");
}

static void
a_chunk_that_says_more_comes_without(void **state)
{
    (void)state;
    assert_told(EVENT("[{\"index\":0,\"delta\":{\"content\":\"x\"},"
                      "\"finish_reason\":\"stop\"}]"),
                "x=|");
    assert_told(EVENT("[{\"index\":0,\"delta\":{\"content\":\"x\","
                      "\"reasoning_content\":\"h\"},\"finish_reason\":null}]"),
                "x=|");
    assert_told(EVENT("[{\"index\":0,\"delta\":{\"content\":\"x\","
                      "\"reasoning\":\"h\"},\"finish_reason\":null}]"),
                "x=|");
    assert_told(EVENT("[{\"index\":0,\"delta\":{\"content\":\"x\","
                      "\"refusal\":\"no\"},\"finish_reason\":null}]"),
                "x=|no=|");
    assert_told(EVENT("[{\"index\":0,\"delta\":{\"content\":\"x\","
                      "\"tool_calls\":[{\"index\":0,\"id\":\"a\"}]},"
                      "\"finish_reason\":null}]"),
                "x=|");
}

static void
a_chunk_that_lacks_something_comes_without(void **state)
{
    (void)state;
    assert_told(EVENT("[{\"delta\":{\"content\":\"x\"},"
                      "\"finish_reason\":null}]"),
                "x=|");
    assert_told(EVENT("[{\"index\":0,\"delta\":{\"content\":\"x\"}}]"), "x=|");
    assert_told(EVENT("[{\"index\":1,\"delta\":{\"content\":\"y\"},"
                      "\"finish_reason\":null},{\"index\":0,\"delta\":"
                      "{\"content\":\"x\"},\"finish_reason\":null}]"),
                "x=|");
}

static void
an_empty_text_is_nothing(void **state)
{
    (void)state;
    assert_told(EVENT(PLAIN("")), "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_text_comes_with_its_choices),
        cmocka_unit_test(a_chunk_that_says_more_comes_without),
        cmocka_unit_test(a_chunk_that_lacks_something_comes_without),
        cmocka_unit_test(an_empty_text_is_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
