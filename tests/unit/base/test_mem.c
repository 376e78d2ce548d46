/* Tests of base/mem.c. */
#include "base_test.h"

#include "base/mem.h"

static void
nothing_may_be_asked_for(void **state)
{
    char *p = xmalloc(0);
    char *q = xcalloc(0, 8);

    (void)state;
    assert_non_null(p);
    assert_non_null(q);
    p = xrealloc(p, 100);
    memset(p, 1, 100);
    p = xrealloc(p, 0);
    assert_non_null(p);
    free(p);
    free(q);
}

static void
xcalloc_gives_zeros(void **state)
{
    unsigned char *p = xcalloc(7, 9);

    (void)state;
    for (size_t i = 0; i < 63; i++)
        assert_int_equal(p[i], 0);
    free(p);
}

static void
a_copy_ends_with_nul_and_keeps_inner_ones(void **state)
{
    char *p = xmemdup0("a\0b", 3);
    char *q = xmemdup0(NULL, 0);
    char *r = xstrdup("word");

    (void)state;
    assert_memory_equal(p, "a\0b", 4);
    assert_string_equal(q, "");
    assert_string_equal(r, "word");
    assert_null(xstrdup(NULL));
    free(p);
    free(q);
    free(r);
}

static void
an_unused_arena_has_no_memory(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a);
    assert_null(a.head);
    assert_int_equal(a.used, 0);
    arena_release(&a);
    arena_release(&a);
}

static void
arena_memory_is_aligned_zeroed_and_apart(void **state)
{
    struct arena a;
    unsigned char *p[400];

    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < COUNT_OF(p); i++) {
        size_t n = i * 7 % 300;

        p[i] = arena_alloc(&a, n);
        assert_int_equal((uintptr_t)p[i] % 16, 0);
        for (size_t k = 0; k < n; k++)
            assert_int_equal(p[i][k], 0);
        memset(p[i], (int)(i & 255), n);
    }
    for (size_t i = 0; i < COUNT_OF(p); i++)
        for (size_t k = 0; k < i * 7 % 300; k++)
            assert_int_equal(p[i][k], i & 255);
    arena_release(&a);
}

static void
large_requests_leave_the_open_block_in_use(void **state)
{
    struct arena a;
    char *before;
    char *large;
    char *after;

    (void)state;
    arena_init(&a);
    before = arena_alloc(&a, 16);
    large = arena_alloc(&a, 1000000);
    memset(large, 1, 1000000);
    after = arena_alloc(&a, 16);
    assert_ptr_equal(after, before + 16);
    assert_true(a.used >= 1000032);
    arena_release(&a);
    assert_int_equal(a.used, 0);
}

static void
a_large_first_request_works(void **state)
{
    struct arena a;
    char *p;

    (void)state;
    arena_init(&a);
    p = arena_alloc(&a, 50000);
    p[49999] = 'x';
    assert_string_equal(arena_strdup(&a, "next"), "next");
    arena_release(&a);
}

static void
arena_copies_text(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a);
    assert_string_equal(arena_strdup(&a, "abc"), "abc");
    assert_null(arena_strdup(&a, NULL));
    assert_memory_equal(arena_memdup0(&a, "x\0y", 3), "x\0y", 4);
    assert_string_equal(arena_memdup0(&a, NULL, 0), "");
    arena_release(&a);
}

static void
what_was_secret_is_overwritten(void **state)
{
    char text[] = "secret";
    char *heap = xstrdup("secret");

    (void)state;
    mem_wipe(NULL, 5);
    mem_wipe_str(NULL);
    mem_free_secret(NULL);
    mem_wipe(text, 3);
    assert_memory_equal(text, "\0\0\0ret", 7);
    mem_wipe_str(heap);
    assert_memory_equal(heap, "\0\0\0\0\0\0", 7);
    mem_free_secret(heap);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_may_be_asked_for),
        cmocka_unit_test(xcalloc_gives_zeros),
        cmocka_unit_test(a_copy_ends_with_nul_and_keeps_inner_ones),
        cmocka_unit_test(an_unused_arena_has_no_memory),
        cmocka_unit_test(arena_memory_is_aligned_zeroed_and_apart),
        cmocka_unit_test(large_requests_leave_the_open_block_in_use),
        cmocka_unit_test(a_large_first_request_works),
        cmocka_unit_test(arena_copies_text),
        cmocka_unit_test(what_was_secret_is_overwritten),
    };

    return cmocka_run_group_tests_name("mem", tests, NULL, NULL);
}
