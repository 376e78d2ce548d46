/* Tests of chat/describe.c: the question, its estimate, and the answer. */
#include "chat_test.h"

#include <math.h>

#include "base/text.h"
#include "chat/describe.h"

static struct described said;

static bool
reads(const char *text)
{
    size_t n = strlen(text);
    char *copy = xmalloc(n + 1); /* without its end */
    bool is;

    (void)memset(&said, 'x', sizeof(said));
    (void)memcpy(copy, text, n);
    is = describe_read(copy, n, &said);
    free(copy);
    return is;
}

static void
the_question_is_the_prompt_and_the_image(void **state)
{
    struct describe_ask a;

    (void)state;
    describe_ask(&a, "gpt-4o", "Describe it.", "image/gif", "R0lG", 4);
    assert_string_equal(a.ask.model, "gpt-4o");
    assert_int_equal(a.ask.n_messages, 1);
    assert_int_equal(a.ask.messages[0].n_pieces, 2);
    assert_int_equal(a.ask.messages[0].pieces[0].kind, PIECE_TEXT);
    assert_string_equal(a.ask.messages[0].pieces[0].text, "Describe it.");
    assert_int_equal(a.ask.messages[0].pieces[1].kind, PIECE_IMAGE);
    assert_string_equal(a.ask.messages[0].pieces[1].media_type, "image/gif");
    assert_int_equal(a.ask.messages[0].pieces[1].len, 4);
    assert_true(isnan(a.ask.temperature));
    assert_int_equal(a.ask.max_tokens, DESCRIBE_ANSWER_MAX);
}

static void
an_estimate_grows_with_the_image_up_to_a_limit(void **state)
{
    int64_t none = describe_tokens("", 0, 0), small, middle, large;

    (void)state;
    small = describe_tokens("", 10, 10);
    middle = describe_tokens("", 1000, 750);
    large = describe_tokens("", 1096, 1096);
    assert_int_equal(middle - small, 1000 - 85);
    assert_true(large > middle);
    /* Scaled down to a side, so a panorama has less than a square. */
    assert_int_equal(describe_tokens("", 100000, 100000), none);
    assert_int_equal(describe_tokens("", UINT32_MAX, UINT32_MAX), none);
    assert_true(describe_tokens("", 15680, 1568) < middle);
    assert_int_equal(describe_tokens("", UINT32_MAX, 1), small);
    assert_true(describe_tokens("eight words of a prompt are counted too", 10,
                                10) > small);
}

static void
an_answer_is_found_whatever_is_around_it(void **state)
{
    static const char *const all[] = {
        "{\"description\":\"A red sun\",\"tags\":[\"sun\",\"sea\"]}",
        "```json\n{\"tags\": [\"sun\", \"sea\"],\n"
        "\"description\": \"A red  sun\"}\n```\n",
        "Here it is: {\"description\":\" A red sun \",\"tags\":\"sun, sea\","
        "\"more\":{\"a\":1}} I hope it helps.",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        assert_true(reads(all[i]));
        assert_string_equal(said.description, "A red sun");
        assert_string_equal(said.tags, "sun\nsea");
    }
    assert_true(reads("A red sun over the sea."));
    assert_string_equal(said.description, "A red sun over the sea.");
    assert_string_equal(said.tags, "");
    assert_true(reads("{\"description\":\"a\",\"tags\":[1,null,\"b\",[]]}"));
    assert_string_equal(said.tags, "b");
}

static void
an_answer_of_no_use_is_none(void **state)
{
    static const char *const all[] = {
        "",
        " \n",
        "{}",
        "{\"tags\":[\"sun\"]}",
        "{\"description\":\"\"}",
        "{\"description\":[\"a\"]}",
        "{\"description\":\"cut off",
        "}{",
        "[{\"description\":1}]",
        "{\"a\":1} {\"description\":\"two\"}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        assert_false(reads(all[i]));
        assert_string_equal(said.description, "");
    }
}

/* At the limit and one beyond it. */
static void
an_answer_is_cut_to_what_the_index_takes(void **state)
{
    struct buf b;

    (void)state;
    for (size_t n = FACTS_DESCRIPTION_MAX; n <= FACTS_DESCRIPTION_MAX + 1;
         n++) {
        buf_init(&b, 2 * FACTS_DESCRIPTION_MAX);
        buf_adds(&b, "{\"description\":\"");
        for (size_t i = 0; i < n; i++)
            buf_addc(&b, 'a');
        buf_adds(&b, "\",\"tags\":[");
        for (int i = 0; i <= DESCRIBE_TAGS_MAX; i++)
            buf_addf(&b, "%s\"t%d\"", i > 0 ? "," : "", i);
        buf_adds(&b, "]}");
        assert_true(reads(buf_cstr(&b)));
        assert_int_equal(strlen(said.description), FACTS_DESCRIPTION_MAX);
        assert_non_null(strstr(said.tags, "t19"));
        assert_null(strstr(said.tags, "t20"));
        buf_release(&b);
    }
    assert_true(reads("{\"description\":\"a\\u0007b\\u0000c\\u001b[31m\"}") ==
                false); /* NUL is no JSON here */
    assert_true(reads("{\"description\":\"a\\u0007b\\u001b[31m\\u202e\"}"));
    assert_true(utf8_valid(said.description, strlen(said.description)));
    assert_null(strchr(said.description, '\x1b'));
    assert_null(strchr(said.description, '\a'));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_question_is_the_prompt_and_the_image),
        cmocka_unit_test(an_estimate_grows_with_the_image_up_to_a_limit),
        cmocka_unit_test(an_answer_is_found_whatever_is_around_it),
        cmocka_unit_test(an_answer_of_no_use_is_none),
        cmocka_unit_test(an_answer_is_cut_to_what_the_index_takes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
