/* Reports of use: api/usage_report.h. */
#include "base/base.h"

#include "api/usage_report.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/buf.h"

#define NOW_MS INT64_C(1795261234000) /* 2026-11-21 */

static enum err
read_query(struct usage_report *r, const char *query, struct problem *why)
{
    char text[256];
    const char *vars[] = {"REQUEST_METHOD=GET", "PATH_INFO=/usage", text, NULL};
    struct request *rq;
    enum err e;

    (void)snprintf(text, sizeof(text), "QUERY_STRING=%s", query);
    assert_int_equal(request_new(&rq, vars, "", why), OK);
    e = usage_report_read(r, rq, NOW_MS, why);
    request_free(rq);
    return e;
}

static void
it_is_of_this_month_if_nothing_is_said(void **state)
{
    struct usage_report r;
    struct problem why;

    (void)state;
    assert_int_equal(read_query(&r, "", &why), OK);
    assert_int_equal(r.from, 20261101);
    assert_int_equal(r.to, 20261121);
    assert_int_equal(r.by, USAGE_BY_DAY);
    assert_int_equal(
        read_query(&r, "from=2024-02-29&to=2024-03-01&by=user", &why), OK);
    assert_int_equal(r.from, 20240229);
    assert_int_equal(r.to, 20240301);
    assert_int_equal(r.by, USAGE_BY_USER);
    assert_int_equal(read_query(&r, "to=2026-01-31", &why), OK);
    assert_true(r.from <= r.to);
}

static void
what_is_no_day_is_refused(void **state)
{
    const char *const wrong[] = {
        "from=2026-02-30", "from=2026-13-01", "from=2026-1-01",
        "to=yesterday",    "to=20261121",     "from=2026-11-21T00:00",
        "from=0000-00-00", "by=color",        "from=2026-11-21&to=2026-11-20",
        "from=1990-01-01",
    };
    struct usage_report r;
    struct problem why;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_int_equal(read_query(&r, wrong[i], &why), ERR_BADREQ);
        assert_string_equal(why.code, "invalid_query");
    }
}

static void
rows_are_added_up(void **state)
{
    const struct ledger_row rows[] = {
        {20261120, "local/bob", "offline/small", {1, 10, 2, 0, 500000}},
        {20261120, "local/ann", "offline/small", {2, 20, 4, 1, 0}},
        {20261121, "local/bob", "offline/great", {3, 30, 6, 0, 250000}},
    };
    const char *const want[] = {
        "{\"day\":\"2026-11-20\",\"turns\":3,",
        "{\"day\":\"2026-11-21\",",
        "{\"model\":\"offline/great\",\"turns\":3,",
        "{\"model\":\"offline/small\",\"turns\":3,",
        "{\"user\":\"local/ann\",\"turns\":2,",
        ("{\"user\":\"local/bob\",\"turns\":4,\"input_tokens\":40,"
         "\"output_tokens\":8,\"cached_tokens\":0,\"cost_usd\":0.75}"),
    };
    const char *const by[] = {"by=day", "by=model", "by=user"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(by); i++) {
        struct ledger_query q = {.row = NULL};
        struct usage_report r;
        struct problem why;
        struct json_out j;
        struct buf b;
        const char *text;

        assert_int_equal(read_query(&r, by[i], &why), OK);
        usage_report_query(&r, "local/x", &q);
        assert_int_equal(q.from, 20261101);
        assert_string_equal(q.owner, "local/x");
        for (size_t k = 0; k < COUNT_OF(rows); k++)
            assert_true(q.row(q.arg, &rows[k]));
        assert_int_equal(usage_report_whole(&r, &why), OK);
        buf_init(&b, USAGE_REPORT_MAX);
        json_out_init(&j, &b);
        json_begin_obj(&j);
        usage_report_put(&j, &r);
        json_end_obj(&j);
        text = buf_cstr(&b);
        assert_non_null(strstr(text, want[2 * i]));
        assert_non_null(strstr(text, want[2 * i + 1]));
        assert_true(strstr(text, want[2 * i]) < strstr(text, want[2 * i + 1]));
        assert_non_null(strstr(text, "\"total\":{\"turns\":6,\"input_tokens\":"
                                     "60,\"output_tokens\":12,"));
        buf_release(&b);
        usage_report_release(&r);
    }
}

static void
too_many_sums_are_told(void **state)
{
    struct ledger_query q = {.row = NULL};
    struct usage_report r;
    struct problem why;
    char user[32];
    int n = 0;

    (void)state;
    assert_int_equal(read_query(&r, "by=user", &why), OK);
    usage_report_query(&r, NULL, &q);
    for (bool more = true; more && n < 1000000; n++) {
        struct ledger_row row = {20261120, user, "m", {1, 1, 1, 1, 1}};

        (void)snprintf(user, sizeof(user), "local/%d", n);
        more = q.row(q.arg, &row);
    }
    assert_int_equal(n, 20001);
    assert_int_equal(usage_report_whole(&r, &why), ERR_BADREQ);
    usage_report_release(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_of_this_month_if_nothing_is_said),
        cmocka_unit_test(what_is_no_day_is_refused),
        cmocka_unit_test(rows_are_added_up),
        cmocka_unit_test(too_many_sums_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
