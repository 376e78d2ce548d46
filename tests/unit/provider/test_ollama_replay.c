/* Replays of the Ollama provider (replay.h). */
#include "base/base.h"

#include "replay.h"

static const struct replay replay = {
    .provider = &provider_ollama,
    .folder = "tests/replay/ollama",
    .reply = "reply.ndjson",
};

static void
all_cases_read_as_they_should(void **state)
{
    (void)state;
    replay_all(&replay, 20, NULL);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_cases_read_as_they_should),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
