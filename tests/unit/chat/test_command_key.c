/* Tests of chat/command_key.c. */
#include "chat_test.h"

#include "chat/command_key.h"

static struct command_keys *keys;

static int
setup(void **state)
{
    (void)state;
    keys = command_keys_new();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    command_keys_free(keys);
    return 0;
}

static struct turn_ask
asked(const char *owner, const char *scope, const char *key)
{
    return (struct turn_ask){
        .owner = owner, .idem_scope = scope, .idem_key = key};
}

static void
a_key_is_of_its_owner_and_scope(void **state)
{
    struct turn_ask one = asked("ann", "s", "k"), other;
    struct ident turn = ident_v7(), got;

    (void)state;
    assert_false(command_keys_find(keys, &one, &got));
    command_keys_put(keys, &one, &turn);
    assert_true(command_keys_find(keys, &one, &got));
    assert_true(ident_eq(&got, &turn));
    other = asked("bob", "s", "k");
    assert_false(command_keys_find(keys, &other, &got));
    other = asked("ann", "", "k");
    assert_false(command_keys_find(keys, &other, &got));
    other = asked("ann", "s", "K");
    assert_false(command_keys_find(keys, &other, &got));
}

static void
the_last_turn_of_a_key_counts(void **state)
{
    struct turn_ask a = asked("", "s", "k");
    struct ident one = ident_v7(), two = ident_v7(), got;

    (void)state;
    command_keys_put(keys, &a, &one);
    command_keys_put(keys, &a, &two);
    assert_true(command_keys_find(keys, &a, &got));
    assert_true(ident_eq(&got, &two));
}

static void
no_key_is_not_remembered(void **state)
{
    struct turn_ask a = asked("", NULL, NULL);
    struct ident turn = ident_v7(), got;

    (void)state;
    command_keys_put(keys, &a, &turn);
    assert_false(command_keys_find(keys, &a, &got));
}

static void
the_oldest_make_room(void **state)
{
    char key[16] = "";
    struct turn_ask a = asked("", "s", key);
    struct ident turn = ident_v7(), got;

    (void)state;
    for (int i = 0; i < COMMAND_KEYS_MAX + 2; i++) {
        (void)snprintf(key, sizeof(key), "k-%d", i);
        command_keys_put(keys, &a, &turn);
    }
    for (int i = 0; i < COMMAND_KEYS_MAX + 2; i++) {
        (void)snprintf(key, sizeof(key), "k-%d", i);
        assert_int_equal(command_keys_find(keys, &a, &got), i >= 2);
    }
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_key_is_of_its_owner_and_scope),
        T(the_last_turn_of_a_key_counts),
        T(no_key_is_not_remembered),
        T(the_oldest_make_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
