/* Tests of api/ws_count.c. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "api/ws_count.h"

#define MANY 1000

static void
a_client_has_no_more_than_it_may(void **state)
{
    struct ws_counts *c = ws_counts_new();
    struct ws_count *a[3], *other;

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_non_null(a[i] = ws_count_take(c, "a", 3));
    assert_null(ws_count_take(c, "a", 3));
    assert_non_null(other = ws_count_take(c, "b", 3));
    ws_count_give(c, a[1]);
    assert_non_null(a[1] = ws_count_take(c, "a", 3));
    assert_null(ws_count_take(c, "a", 3));
    for (int i = 0; i < 3; i++)
        ws_count_give(c, a[i]);
    ws_count_give(c, other);
    ws_count_give(c, NULL);
    ws_counts_free(c);
    ws_counts_free(NULL);
}

static void
zero_is_any_number(void **state)
{
    struct ws_counts *c = ws_counts_new();

    (void)state;
    for (int i = 0; i < MANY; i++)
        assert_non_null(ws_count_take(c, "a", 0));
    ws_counts_free(c);
}

static void
there_may_be_many_clients(void **state)
{
    struct ws_counts *c = ws_counts_new();
    struct ws_count *n[MANY];
    char key[20];

    (void)state;
    for (int i = 0; i < MANY; i++) {
        snprintf(key, sizeof(key), "client %d", i);
        assert_non_null(n[i] = ws_count_take(c, key, 1));
    }
    for (int i = 0; i < MANY; i++) {
        snprintf(key, sizeof(key), "client %d", i);
        assert_null(ws_count_take(c, key, 1));
        ws_count_give(c, n[i]);
    }
    ws_counts_free(c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_has_no_more_than_it_may),
        cmocka_unit_test(zero_is_any_number),
        cmocka_unit_test(there_may_be_many_clients),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
