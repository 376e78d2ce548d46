/* Tests of chat/called.c: what the audit log has of a call. */
#include "../ops/audit_test.h"

#include "chat/aside.h"
#include "chat/called.h"
#include "chat/core.h"
#include "chat/embed.h"
#include "chat/relay.h"

static struct turn_ask *ask;
static struct route_choice route;

static int
setup(void **state)
{
    struct audit_config c;

    assert_int_equal(audit_setup(state), 0);
    c = audit_config(NULL, 1 << 20);
    assert_int_equal(audit_start(&c), OK);
    ask = turn_ask_new();
    ask->owner = "anon/x";
    route = (struct route_choice){.provider = &provider_openai,
                                  .model = "gpt-4o"};
    return 0;
}

static int
teardown(void **state)
{
    audit_stop();
    turn_ask_free(ask);
    return audit_teardown(state);
}

/* All lines so far; to be freed. */
static char *
log_now(void)
{
    char *s;

    audit_stop();
    s = audit_slurp(AUDIT_LOG, NULL);
    return s != NULL ? s : xstrdup("");
}

static void
assert_logged(const char *text)
{
    char *s = log_now();

    if (strstr(s, text) == NULL)
        print_error("%s\n", s);
    assert_non_null(strstr(s, text));
    free(s);
}

static void
a_relay_says_who_paid_and_what_it_took(void **state)
{
    struct relay r = {.ask = ask,
                      .route = route,
                      .model = "gpt-4o-2024-08-06",
                      .due.asked = true,
                      .usage = {1000, 20, -1}};

    (void)state;
    ask->payer.owner = "local/ann";
    called_relay(&r, "stop");
    assert_logged("\"event\":\"provider_call\",\"who\":\"local/ann\","
                  "\"for\":\"relay\",\"provider\":\"openai\","
                  "\"model\":\"gpt-4o-2024-08-06\",\"input_tokens\":1000,"
                  "\"output_tokens\":20,\"cost_microusd\":");
}

static void
whose_it_is_stands_for_who_paid(void **state)
{
    struct aside a = {
        .ask = ask, .route = route, .due.asked = true, .usage = {-1, -1, -1}};

    (void)state;
    called_aside(&a, "provider_timeout");
    assert_logged("\"who\":\"anon/x\",\"for\":\"background\","
                  "\"provider\":\"openai\",\"model\":\"gpt-4o\","
                  "\"input_tokens\":-1,\"output_tokens\":-1,"
                  "\"cost_microusd\":-1,\"files\":[],"
                  "\"outcome\":\"provider_timeout\",");
}

static void
embeddings_are_calls(void **state)
{
    struct embed em = {.route = route, .tokens = 7};

    (void)state;
    called_embed(&em, "done");
    assert_logged("\"who\":\"\",\"for\":\"embedding\"");
}

static void
a_turn_is_a_call(void **state)
{
    struct turn t = {
        .ask = ask, .due.asked = true, .usage = {10, 2, -1}, .model = "gpt-4o"};

    (void)state;
    ask->route = route;
    called_turn(&t, "cancelled");
    assert_logged("\"for\":\"turn\"");
}

static void
what_asks_nobody_is_no_call(void **state)
{
    struct relay r = {.ask = ask, .route = route};
    struct turn t = {.ask = ask, .due.asked = true, .cached = true};
    struct aside a = {.ask = ask, .route = route};
    struct embed em = {.tokens = 7};
    char *s;

    em.route = (struct route_choice){.provider = &provider_offline,
                                     .model = "offline"};
    (void)state;
    called_relay(&r, "cancelled"); /* it was not asked */
    r.due.asked = true;
    r.route.provider = &provider_offline;
    called_relay(&r, "stop");
    ask->route = route;
    called_turn(&t, "stop"); /* the answer was kept */
    t.cached = t.due.asked = false;
    called_turn(&t, "budget_exceeded"); /* it could not be paid for */
    called_aside(&a, "budget_exceeded");
    called_embed(&em, "no_provider");
    s = log_now();
    assert_string_equal(s, "");
    free(s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_relay_says_who_paid_and_what_it_took),
        TEST(whose_it_is_stands_for_who_paid),
        TEST(embeddings_are_calls),
        TEST(a_turn_is_a_call),
        TEST(what_asks_nobody_is_no_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
