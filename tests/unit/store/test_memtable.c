/* The hash table of the store in memory. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "store/memtable.h"

struct thing {
    struct mem_node node;
    int no;
};

#define THINGS 1000

static struct thing *
find(const struct mem_table *t, uint64_t hash, int no)
{
    struct mem_node *n = mem_table_first(t, hash);

    for (; n != NULL; n = mem_table_next(n))
        if (((struct thing *)(void *)n)->no == no)
            return (struct thing *)(void *)n;
    return NULL;
}

static void
what_was_added_is_found_until_it_is_removed(void **state)
{
    static struct thing things[THINGS];
    struct mem_table t = {.n = 0};

    (void)state;
    assert_null(mem_table_first(&t, 0));
    for (int i = 0; i < THINGS; i++) {
        things[i].no = i;
        mem_table_add(&t, &things[i].node, mem_hash(0, &i, sizeof(i)));
    }
    assert_int_equal(t.n, THINGS);
    for (int i = 0; i < THINGS; i += 2)
        mem_table_remove(&t, &things[i].node);
    for (int i = 0; i < THINGS; i++)
        assert_ptr_equal(find(&t, mem_hash(0, &i, sizeof(i)), i),
                         i % 2 == 0 ? NULL : &things[i]);
    for (int i = 1; i < THINGS; i += 2)
        mem_table_remove(&t, &things[i].node);
    mem_table_release(&t);
}

static void
things_of_one_hash_are_all_found(void **state)
{
    static struct thing things[200];
    struct mem_table t = {.n = 0};
    unsigned n = 0;

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(things); i++)
        mem_table_add(&t, &things[i].node, i % 2 == 0 ? 64 : 128 + i);
    for (struct mem_node *at = mem_table_first(&t, 64); at != NULL;
         at = mem_table_next(at))
        n++;
    assert_int_equal(n, COUNT_OF(things) / 2);
    for (unsigned i = 0; i < COUNT_OF(things); i++)
        mem_table_remove(&t, &things[i].node);
    assert_null(mem_table_first(&t, 64));
    mem_table_release(&t);
}

static void
where_a_name_ends_is_part_of_its_hash(void **state)
{
    (void)state;
    assert_true(mem_hash_str(mem_hash_str(0, "ab"), "c") !=
                mem_hash_str(mem_hash_str(0, "a"), "bc"));
    assert_true(mem_hash_str(0, "a") == mem_hash(0, "a", 2));
    assert_true(mem_hash_str(0, "") != mem_hash_str(0, "a"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_added_is_found_until_it_is_removed),
        cmocka_unit_test(things_of_one_hash_are_all_found),
        cmocka_unit_test(where_a_name_ends_is_part_of_its_hash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
