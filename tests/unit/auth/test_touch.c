/* Notes of use that nobody waits for: auth/touch.h. */
#include "base/base.h"

#include "auth/touch.h"

#include "accounts_test.h"

static void
one_name_is_tried_once_in_a_while(void **state)
{
    struct accounts *a = *state;
    struct touch *t;

    a->s = accounts_open(a->dir);
    t = touch_new(a->s);
    assert_true(touch_due(t, "a", 1, 1));
    assert_false(touch_due(t, "a", 1, 1));
    assert_false(touch_due(t, "a", 1, TOUCH_RETRY_MS));
    assert_true(touch_due(t, "b", 1, 2));
    assert_true(touch_due(t, "a", 1, TOUCH_RETRY_MS + 1));
    assert_false(touch_due(t, "a", 1, TOUCH_RETRY_MS + 2));
    touch_free(t);
    touch_free(NULL);
}

static void
a_record_is_written_only_over_what_was_read(void **state)
{
    struct accounts *a = *state;
    char name[] = "n", was[] = "one", value[] = "two";
    struct record_change c = {.name = name,
                              .n = 1,
                              .value = value,
                              .len = 3,
                              .was = was,
                              .was_len = 3};
    struct touch *t;
    struct buf got;

    a->s = accounts_open(a->dir);
    t = touch_new(a->s);
    buf_init(&got, 16);
    touch_write(t, &c); /* there is none */
    settle(a->s);
    assert_int_equal(store_record(a->s, "n", 1, &got), ERR_NOTFOUND);
    record_set(a->s, "n", 1, "one", 3);
    touch_write(t, &c);
    name[0] = was[0] = value[0] = 'x'; /* it has copies */
    settle(a->s);
    assert_int_equal(store_record(a->s, "n", 1, &got), OK);
    assert_string_equal(buf_cstr(&got), "two");
    name[0] = 'n';
    was[0] = 'o';
    value[0] = 'o';
    touch_write(t, &c); /* it is another by now */
    touch_free(t);
    settle(a->s);
    buf_clear(&got);
    assert_int_equal(store_record(a->s, "n", 1, &got), OK);
    assert_string_equal(buf_cstr(&got), "two");
    buf_release(&got);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ON_ACCOUNTS(one_name_is_tried_once_in_a_while),
        ON_ACCOUNTS(a_record_is_written_only_over_what_was_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
