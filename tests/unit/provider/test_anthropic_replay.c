/* Replays of the Anthropic provider (replay.h). Those named aimock- and the
 * plain one-body ones are bytes of @copilotkit/aimock; tests/e2e reads all of
 * them with the vendor's SDK as well. */
#include "base/base.h"

#include "replay.h"

static const struct replay replay = {
    .provider = &provider_anthropic,
    .folder = "tests/replay/anthropic",
    .reply = "reply.sse",
};

static void
all_cases_read_as_they_should(void **state)
{
    (void)state;
    replay_all(&replay, 40, NULL);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_cases_read_as_they_should),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
