/*
 * Limits as they are written, bills and what they come to, and the words for
 * who has no more.
 */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <math.h>

#include "base/conf.h"
#include "base/log.h"
#include "chat/allowance.h"
#include "chat/prompt.h"
#include "chat/tokens.h"
#include "provider/models.h"

#define NOV_21 INT64_C(1795219200000) /* 2026-11-21, 00:00 UTC */

static const char models[] =
    "[{\"provider\":\"openai\",\"id\":\"cheap\",\"context\":8000,"
    "\"output\":2000,\"price\":{\"in\":1,\"cached\":0.5,\"out\":2}},"
    "{\"provider\":\"openai\",\"id\":\"dear\",\"output\":100000,"
    "\"price\":{\"in\":10,\"out\":50}}]";

static struct route_choice
route(const char *model)
{
    struct route_choice r = {.provider = &provider_openai, .model = model};

    return r;
}

/* --- dollars -------------------------------------------------------------- */

static void
dollars_are_exact(void **state)
{
    static const struct {
        const char *s;
        int64_t micro;
    } good[] = {{"", 0},
                {"0", 0},
                {"2.50", 2500000},
                {"2", 2000000},
                {".000001", 1},
                {"0.1", 100000},
                {"1.9999999", 1999999},
                {"1000000000000", INT64_C(1000000000000000000)}};
    static const char *const bad[] = {"-1", "a",  "1,5",           "1e3",
                                      "$2", " 2", "10000000000000"};
    int64_t micro;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_true(allowance_dollars(good[i].s, &micro));
        assert_int_equal(micro, good[i].micro);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(allowance_dollars(bad[i], &micro));
}

/* --- the file ------------------------------------------------------------- */

struct told {
    char text[1024];
    int line;
};

static void
tell(void *arg, int line, const char *rule)
{
    struct told *t = arg;
    size_t n = strlen(t->text);

    t->line = line;
    (void)snprintf(t->text + n, sizeof(t->text) - n, "%s|", rule);
}

static void
read_text(struct allowances *al, const char *s, struct told *t)
{
    memset(al, 0, sizeof(*al));
    memset(t, 0, sizeof(*t));
    allowance_read(al, s, strlen(s), tell, t);
}

static void
release(struct allowances *al)
{
    allowance_rows_free(&al->users);
    allowance_rows_free(&al->models);
}

static void
what_is_said_of_a_user_lies_over_the_rest(void **state)
{
    struct allowances al;
    struct ledger_limits l;
    struct told t;

    (void)state;
    read_text(&al,
              "{\"users\":{\"local/ben\":{\"day_usd\":0.25},"
              "\"local/*\":{\"month_tokens\":77,\"day_usd\":2},"
              "\"local/ann\":{\"day_tokens\":0,\"turns_at_once\":3}},"
              "\"models\":{\"openai/x\":{\"month_usd\":1.5}},"
              "\"anonymous\":{\"day_tokens\":9}}",
              &t);
    assert_string_equal(t.text, "");
    al.all = (struct ledger_limits){.day_tokens = 1000};
    l = allowance_of(&al, "local/ann");
    assert_int_equal(l.day_tokens, 0); /* none */
    assert_int_equal(l.month_tokens, 77);
    assert_int_equal(l.day_micro, 2000000);
    assert_int_equal(l.turns_at_once, 3);
    l = allowance_of(&al, "local/ben");
    assert_int_equal(l.day_tokens, 1000);
    assert_int_equal(l.day_micro, 250000);
    l = allowance_of(&al, "local/carl");
    assert_int_equal(l.day_micro, 2000000);
    l = allowance_of(&al, "jwt/ann");
    assert_int_equal(l.day_tokens, 1000);
    assert_int_equal(l.month_tokens, 0);
    assert_int_equal(allowance_find(&al.models, "openai/x")->month_micro,
                     1500000);
    assert_null(allowance_find(&al.models, "openai/y"));
    assert_int_equal(al.anonymous.day_tokens, 9);
    release(&al);
}

static void
mistakes_are_told_with_their_place(void **state)
{
    static const struct {
        const char *text, *told;
    } cases[] = {
        {"[]", "must be an object|"},
        {"{\"user\":{}}",
         "user is unknown: users, models and anonymous are not|"},
        {"{\"users\":[]}", "users must be an object|"},
        {"{\"users\":{\"ann\":{}}}",
         "users: ann must be realm/name, such as local/ann|"},
        {"{\"models\":{\"gpt\":{}}}", "models: gpt must be provider/model|"},
        {"{\"users\":{\"a/b\":3}}", "a/b must be an object of limits|"},
        {"{\"users\":{\"a/b\":{\"day\":3}}}",
         "a/b: day is no limit: day_tokens, month_tokens, day_usd, month_usd "
         "and turns_at_once are|"},
        {"{\"users\":{\"a/b\":{\"day_tokens\":-3}}}",
         "a/b: day_tokens must be a number from 0 (no limit) on|"},
        {"{\"users\":{\"a/b\":{\"day_usd\":\"3\"}}}",
         "a/b: day_usd must be a number from 0 (no limit) on|"},
        {"{\"users\":{\"a/b\":{\"day_tokens\":1.5}}}",
         "a/b: day_tokens must be a whole number|"},
    };
    struct allowances al;
    struct told t;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        read_text(&al, cases[i].text, &t);
        assert_string_equal(t.text, cases[i].told);
        release(&al);
    }
    read_text(&al, "{\n\n\"users\": }", &t);
    assert_int_equal(t.line, 3);
    release(&al);
}

/* --- bills ---------------------------------------------------------------- */

static void
only_what_is_limited_is_charged(void **state)
{
    struct allowances al = {.answer_tokens = 4096};
    struct payer p = {.owner = NULL};
    struct route_choice r = route("cheap");
    struct bill b;

    (void)state;
    bill_init(&b, &al, &p, "local/ann", &r);
    assert_int_equal(b.what.n, 0);
    bill_init(&b, NULL, &p, "local/ann", &r);
    assert_int_equal(b.what.n, 0);
    al.all.turns_at_once = 2;
    al.anonymous.day_tokens = 5;
    bill_init(&b, &al, &p, "local/ann", &r);
    assert_int_equal(b.what.n, 1);
    assert_int_equal(b.charges[0].kind, LEDGER_OWNER);
    assert_string_equal(b.charges[0].name, "local/ann");
    assert_int_equal(bill_worst(&b, &al, &r, 1, 10, 0, NULL),
                     0); /* no budget */
    p = (struct payer){"anon/x", "key1", {.day_micro = 3}};
    bill_init(&b, &al, &p, "local/ann", &r);
    assert_int_equal(b.what.n, 3);
    assert_string_equal(b.charges[0].name, "anon/x");
    assert_int_equal(b.charges[1].kind, LEDGER_KEY);
    assert_string_equal(b.charges[1].name, "key1");
    assert_int_equal(b.charges[2].kind, LEDGER_GROUP);
    assert_string_equal(b.what.owner, "anon/x");
    assert_string_equal(b.what.model, "openai/cheap");
}

static void
the_worst_case_is_that_of_the_dearest_route(void **state)
{
    struct allowances al = {.all = {.day_tokens = 9}, .answer_tokens = 4096};
    struct payer p = {.owner = NULL};
    struct route_choice r[3] = {route("cheap"), route("dear"), route("new")};
    struct bill b;

    (void)state;
    bill_init(&b, &al, &p, "local/ann", &r[0]);
    assert_int_equal(bill_worst(&b, &al, r, 1, 100, 0, NULL),
                     2000); /* its most */
    assert_int_equal(b.what.tokens, 2100);
    assert_int_equal(b.what.input_micro, 100);
    assert_int_equal(b.what.micro, 100 + 2 * 2000);
    assert_int_equal(bill_worst(&b, &al, r, 1, 100, 50, NULL), 50);
    assert_int_equal(b.what.micro, 100 + 2 * 50);
    assert_int_equal(bill_worst(&b, &al, r, 3, 100, 0, NULL), 4096);
    assert_int_equal(b.what.tokens, 4196);
    assert_int_equal(b.what.input_micro, 1000);
    assert_int_equal(b.what.micro, 1000 + 50 * 4096);
    assert_int_equal(bill_worst(&b, &al, &r[2], 1, 100, 0, NULL), 4096);
    assert_int_equal(b.what.micro, 0); /* without a price */
}

/* What a model thinks is paid for, and comes on top where its provider lets it:
 * it is reserved, and not asked for as part of the answer. */
static void
thoughts_are_reserved_too(void **state)
{
    struct allowances al = {.all = {.day_tokens = 9}, .answer_tokens = 4096};
    struct payer p = {.owner = NULL};
    struct route_choice r = {.provider = &provider_anthropic, .model = "x"};
    struct bill b;

    (void)state;
    bill_init(&b, &al, &p, "local/ann", &r);
    assert_int_equal(bill_worst(&b, &al, &r, 1, 100, 50, "low"), 50);
    assert_int_equal(b.what.tokens, 100 + 50 + 2048);
    assert_int_equal(bill_worst(&b, &al, &r, 1, 100, 50, "none"), 50);
    assert_int_equal(b.what.tokens, 100 + 50);
    r.provider = &provider_bedrock;
    r.model = "anthropic.claude-x";
    assert_int_equal(bill_worst(&b, &al, &r, 1, 100, 50, "low"), 50);
    assert_int_equal(b.what.tokens, 100 + 50 + 2048);
    r.model = "amazon.nova-x";
    assert_int_equal(bill_worst(&b, &al, &r, 1, 100, 50, "low"), 50);
    assert_int_equal(b.what.tokens, 100 + 50);
}

/* Of routes that can say more and less, each is asked for what it can. */
static void
no_route_is_asked_for_more_than_it_can_say(void **state)
{
    struct turn_ask *a = turn_ask_new();
    struct route_choice r = route("cheap");

    (void)state;
    a->ask.max_tokens = a->answer_max = 4096;
    IGNORE(prompt_options(a, &r));
    assert_int_equal(a->ask.max_tokens, 2000);
    r = route("new");
    IGNORE(prompt_options(a, &r));
    assert_int_equal(a->ask.max_tokens, 4096);
    a->answer_max = 0; /* nothing is reserved: as it was asked for */
    a->ask.max_tokens = 9000;
    r = route("cheap");
    IGNORE(prompt_options(a, &r));
    assert_int_equal(a->ask.max_tokens, 9000);
    turn_ask_free(a);
}

static void
what_is_sent_is_estimated(void **state)
{
    struct turn_ask *a = turn_ask_new();
    struct ask_message m = {.role = ROLE_USER, .text = "12345678", .len = 8};
    struct tool tool = {.name = "1234", .description = "", .schema = "1234"};
    int64_t one;

    (void)state;
    a->ask.messages = &m;
    a->ask.n_messages = 1;
    one = bill_input(a, "");
    assert_int_equal(one, 2 * TOKENS_PER_MESSAGE + 2);
    a->ask.tools = &tool;
    a->ask.n_tools = 1;
    assert_int_equal(bill_input(a, ""), one + TOKENS_PER_MESSAGE + 2);
    a->ask.n_tools = 0;
    a->text = "12345678";
    a->text_len = 8;
    one = bill_input(a, "");
    assert_int_equal(bill_input(a, "12345678"), one + 2);
    a->history = &m;
    a->n_history = 1;
    assert_int_equal(bill_input(a, ""), one + TOKENS_PER_MESSAGE + 2);
    turn_ask_free(a);
}

static void
what_the_provider_counted_is_used(void **state)
{
    static const struct usage unknown = {-1, -1, -1};
    struct usage u = {30, 10, 20};
    struct route_choice r = route("cheap");
    struct ledger_spent s;
    struct bill b;

    (void)state;
    bill_spent(&b, &s, "local/ann", &r, "cheap", &u, 99, 99, true);
    assert_string_equal(s.owner, "local/ann");
    assert_string_equal(s.model, "openai/cheap");
    assert_int_equal(s.input_tokens, 30);
    assert_int_equal(s.output_tokens, 10);
    assert_int_equal(s.cached_tokens, 20);
    assert_int_equal(s.micro, 10 + 10 + 20);
    bill_spent(&b, &s, "", &r, "cheap", &unknown, 50, 9, true);
    assert_int_equal(s.input_tokens, 50);
    assert_int_equal(s.output_tokens, 3);
    /* A count that came before the end is of what was said until then. */
    u.output_tokens = 1;
    bill_spent(&b, &s, "", &r, "cheap", &u, 50, 40, false);
    assert_int_equal(s.output_tokens, 10);
    bill_spent(&b, &s, "", &r, "cheap", &unknown, -1, 4, false);
    assert_int_equal(s.input_tokens, -1);
    assert_int_equal(s.micro, 2);
}

/* --- what is said --------------------------------------------------------- */

static void
a_refusal_says_what_is_left_and_when_it_ends(void **state)
{
    struct allowances al = {.all = {.day_micro = 2500000}};
    struct payer p = {.owner = NULL};
    struct route_choice r = route("cheap");
    struct ledger_over over = {.limit = LEDGER_DAY_MICRO,
                               .max = 2500000,
                               .left = 10,
                               .anew_ms = NOV_21};
    struct problem why;
    struct bill b;

    (void)state;
    bill_init(&b, &al, &p, "local/ann", &r);
    b.what.micro = 1000000;
    b.what.tokens = 1234;
    bill_problem(&b, &over, NOV_21 - 1500, &why);
    assert_int_equal(why.err, ERR_LIMIT);
    assert_string_equal(why.code, "budget_exceeded");
    assert_string_equal(why.message,
                        "Your budget of this day is 2.50 US dollars; 0.00001 "
                        "are left, and this may take 1.00.");
    assert_int_equal(why.retry_after_s, 2);
    assert_int_equal(why.quota.unit, QUOTA_MICRO);
    assert_int_equal(why.quota.left, 10);
    over.limit = LEDGER_MONTH_TOKENS;
    over.max = 500;
    bill_problem(&b, &over, NOV_21, &why);
    assert_string_equal(why.message,
                        "Your budget of this month is 500 tokens; 10 are left, "
                        "and this may take 1234.");
    assert_int_equal(why.retry_after_s, 1);
    assert_int_equal(why.quota.unit, QUOTA_TOKENS);
    over.limit = LEDGER_TURNS;
    over.max = 3;
    bill_problem(&b, &over, NOV_21, &why);
    assert_string_equal(why.code, "too_many_turns");
    assert_int_equal(why.retry_after_s, 1);
    assert_int_equal(why.quota.unit, QUOTA_TURNS);
    assert_int_equal(why.quota.left, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dollars_are_exact),
        cmocka_unit_test(what_is_said_of_a_user_lies_over_the_rest),
        cmocka_unit_test(mistakes_are_told_with_their_place),
        cmocka_unit_test(only_what_is_limited_is_charged),
        cmocka_unit_test(the_worst_case_is_that_of_the_dearest_route),
        cmocka_unit_test(thoughts_are_reserved_too),
        cmocka_unit_test(no_route_is_asked_for_more_than_it_can_say),
        cmocka_unit_test(what_is_sent_is_estimated),
        cmocka_unit_test(what_the_provider_counted_is_used),
        cmocka_unit_test(a_refusal_says_what_is_left_and_when_it_ends),
    };

    log_set_level(LOG_ERROR);
    if (models_parse(models, sizeof(models) - 1, NULL, NULL) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
