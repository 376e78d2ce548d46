/* Replays of the Hugging Face provider (replay.h). */
#include "base/base.h"

#include "replay.h"

static void
all_cases_read_as_they_should(void **state)
{
    static const struct replay replay = {
        .provider = &provider_huggingface,
        .folder = "tests/replay/huggingface",
        .reply = "reply.sse",
    };

    (void)state;
    replay_all(&replay, 16, NULL);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_cases_read_as_they_should),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
