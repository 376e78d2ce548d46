/* Tests of chat/held.c: what waits comes out as it went in. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "chat/held.h"

static struct held held;
static struct buf out; /* what was given: "kind index text|" */

static int
setup(void **state)
{
    (void)state;
    memset(&held, 0, sizeof(held));
    buf_init(&out, 3 * HELD_MAX);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    held_clear(&held);
    buf_release(&out);
    return 0;
}

static bool
add(enum part_kind kind, int index, const char *text)
{
    struct part p = {.kind = kind,
                     .index = index,
                     .text = text,
                     .len = strlen(text),
                     .choices = "[]",
                     .choices_len = 2};

    return held_add(&held, &p);
}

static void
on_part(void *arg, const struct part *p)
{
    assert_ptr_equal(arg, &out);
    assert_null(p->choices);
    if (p->kind == PART_CALL)
        buf_addf(&out, "call %d %s %s|", p->index, p->id, p->name);
    else
        buf_addf(&out, "%d %d %.*s|", (int)p->kind, p->index, (int)p->len,
                 p->text);
}

static void
assert_given(size_t max, const char *want)
{
    held_give(&held, max, on_part, &out);
    assert_string_equal(buf_cstr(&out), want);
    buf_clear(&out);
}

static void
neighbours_of_a_kind_are_one(void **state)
{
    struct part call = {.kind = PART_CALL, .id = "i", .name = "f", .index = 1};

    (void)state;
    assert_true(add(PART_MODEL, 0, "m"));
    assert_true(add(PART_REASONING, 0, "h"));
    assert_true(add(PART_REASONING, 0, "m"));
    assert_true(add(PART_TEXT, 0, "Hel"));
    assert_true(add(PART_TEXT, 0, "lo"));
    assert_true(held_add(&held, &call));
    assert_true(add(PART_ARGS, 1, "{"));
    assert_true(add(PART_ARGS, 1, "}"));
    assert_true(add(PART_ARGS, 0, "x"));
    assert_given(1000, "6 0 m|1 0 hm|0 0 Hello|call 1 i f|5 1 {}|5 0 x|");
    assert_null(held.first);
    assert_null(held.last);
    assert_int_equal(held.bytes, 0);
}

static void
signatures_are_never_joined_or_cut(void **state)
{
    (void)state;
    assert_true(add(PART_SIGNATURE, 0, "one"));
    assert_true(add(PART_SIGNATURE, 0, "two"));
    assert_given(1, "2 0 one|");
    assert_given(1, "2 0 two|");
}

static void
texts_are_given_in_pieces(void **state)
{
    (void)state;
    assert_true(add(PART_TEXT, 0, "abcdef"));
    assert_given(4, "0 0 abcd|");
    assert_true(add(PART_TEXT, 0, "gh")); /* joins what is left */
    assert_given(3, "0 0 efg|");
    assert_given(0, "");
    assert_given(100, "0 0 h|");
    assert_given(100, "");
}

static void
more_than_the_limit_is_not_kept(void **state)
{
    const size_t n = HELD_MAX / 2;
    char *half = xmalloc(n + 1);

    (void)state;
    memset(half, 'x', n);
    half[n] = '\0';
    assert_true(add(PART_TEXT, 0, half));
    assert_false(add(PART_TEXT, 0, half));
    assert_true(add(PART_TEXT, 0, "last"));
    held_give(&held, 2 * HELD_MAX, on_part, &out);
    assert_int_equal(out.len, n + strlen("0 0 last|"));
    assert_true(add(PART_TEXT, 0, half)); /* there is room again */
    free(half);
}

static void
many_small_parts_reach_the_limit_too(void **state)
{
    size_t n = 0;

    (void)state;
    while (add(PART_ARGS, (int)n, ""))
        n++;
    assert_true(n > 1000);
    assert_true(held.bytes <= HELD_MAX);
    held_clear(&held);
    assert_int_equal(held.bytes, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(neighbours_of_a_kind_are_one),
        T(signatures_are_never_joined_or_cut),
        T(texts_are_given_in_pieces),
        T(more_than_the_limit_is_not_kept),
        T(many_small_parts_reach_the_limit_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
