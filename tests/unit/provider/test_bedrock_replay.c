/*
 * Replays of the Bedrock provider (replay.h): streams of Converse and of
 * InvokeModel, framed by AWS's codec for JavaScript, and whole replies. AWS's
 * SDK reads the same from those that it takes.
 */
#include "base/base.h"

#include "replay.h"

static const struct replay replay = {
    .provider = &provider_bedrock,
    .folder = "tests/replay/bedrock",
    .reply = "reply.bin",
};

static void
all_cases_read_as_they_should(void **state)
{
    (void)state;
    replay_all(&replay, 38, NULL);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_cases_read_as_they_should),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
