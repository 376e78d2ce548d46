/* Tests of chat/kept.c: what was said is told again, byte for byte. */
#include "chat_test.h"

#include "chat/kept.h"

static struct kept kept;
static struct buf told; /* the parts that were told, in words */

static int
setup(void **state)
{
    (void)state;
    kept_init(&kept);
    buf_init(&told, 1 << 22);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    kept_release(&kept);
    buf_release(&told);
    return 0;
}

static void
on_part(void *arg, const struct part *p)
{
    static const char kinds[] = {
        [PART_TEXT] = 'T',   [PART_REASONING] = 'R', [PART_SIGNATURE] = 'S',
        [PART_SEALED] = 'X', [PART_CALL] = 'C',      [PART_ARGS] = 'A',
        [PART_MODEL] = 'M',  [PART_USAGE] = 'U',     [PART_FINISH] = 'F',
        [PART_ERROR] = 'E',
    };

    assert_ptr_equal(arg, &told);
    buf_addf(&told, "%c%d", kinds[p->kind], p->index);
    if (p->kind == PART_USAGE)
        buf_addf(&told, ":%" PRId64 ",%" PRId64 ",%" PRId64,
                 p->usage.input_tokens, p->usage.output_tokens,
                 p->usage.cached_tokens);
    else
        buf_addc(&told, ':');
    buf_add(&told, p->text, p->len);
    buf_addc(&told, ' ');
}

static void
add(enum part_kind kind, int index, const char *text)
{
    struct part p = {
        .kind = kind, .text = text, .len = strlen(text), .index = index};

    kept_add(&kept, &p);
}

static void
expect(const char *want)
{
    buf_clear(&told);
    kept_tell(&kept, on_part, &told);
    assert_string_equal(buf_cstr(&told), want);
}

static void
parts_are_told_in_order_and_neighbours_are_one(void **state)
{
    (void)state;
    add(PART_MODEL, 0, "m-2");
    add(PART_REASONING, 0, "let me ");
    add(PART_REASONING, 0, "see");
    add(PART_SIGNATURE, -1, "sig");
    add(PART_SIGNATURE, -1, "sig2");
    add(PART_TEXT, 0, "Hel");
    add(PART_TEXT, 0, "lo");
    add(PART_REASONING, 0, "hm");
    add(PART_TEXT, 0, ".");
    expect("M0:m-2 R0:let me see S-1:sig S-1:sig2 T0:Hello R0:hm T0:. ");
}

static void
what_calls_tools_is_unfit(void **state)
{
    struct part p = {.kind = PART_CALL, .id = "", .name = "now"};

    (void)state;
    add(PART_TEXT, 0, "Let me see.");
    assert_false(kept.unfit);
    kept_add(&kept, &p);
    assert_true(kept.unfit);
    add(PART_TEXT, 0, "Done.");
    assert_true(kept.unfit);
    kept_clear(&kept);
    assert_false(kept.unfit);
    add(PART_ARGS, 0, "{}");
    assert_true(kept.unfit);
}

static void
only_text_counts_as_text(void **state)
{
    (void)state;
    add(PART_MODEL, 0, "m-2");
    add(PART_REASONING, 0, "hm");
    add(PART_TEXT, 0, "");
    assert_false(kept.has_text);
    add(PART_TEXT, 0, " ");
    assert_true(kept.has_text);
    kept_clear(&kept);
    assert_false(kept.has_text);
}

static void
the_last_usage_is_told_at_the_end(void **state)
{
    struct part p = {.kind = PART_USAGE, .usage = {1, 2, -1}};

    (void)state;
    kept_add(&kept, &p);
    add(PART_TEXT, 0, "x");
    p.usage.output_tokens = 7;
    kept_add(&kept, &p);
    expect("T0:x U0:1,7,-1 ");
}

static void
ends_errors_and_empty_texts_are_left_out(void **state)
{
    struct problem bad = {.err = ERR_UPSTREAM};
    struct part error = {.kind = PART_ERROR, .problem = &bad};
    struct part end = {.kind = PART_FINISH, .finish = FINISH_STOP};

    (void)state;
    add(PART_TEXT, 0, "");
    kept_add(&kept, &error);
    kept_add(&kept, &end);
    expect("");
}

static void
bytes_of_any_kind_come_back(void **state)
{
    static const char odd[] = "\xE2\x82\0\xFF";
    struct part p = {.kind = PART_TEXT, .text = odd, .len = 4};

    (void)state;
    kept_add(&kept, &p);
    kept_tell(&kept, on_part, &told);
    assert_int_equal(told.len, 8);
    assert_memory_equal(told.data + 3, odd, 4);
}

static void
what_is_too_long_is_unfit_and_can_be_cleared(void **state)
{
    char *text = xmalloc(KEPT_MAX / 4 + 1);
    struct part p = {.kind = PART_TEXT, .text = text, .len = KEPT_MAX / 4};

    (void)state;
    (void)memset(text, 'x', KEPT_MAX / 4 + 1);
    for (int i = 0; i < 3; i++)
        kept_add(&kept, &p);
    assert_false(kept.unfit);
    kept_add(&kept, &p);
    assert_true(kept.unfit);
    add(PART_TEXT, 0, "more");
    assert_true(kept.unfit);
    kept_clear(&kept);
    add(PART_TEXT, 0, "short");
    expect("T0:short ");
    free(text);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(parts_are_told_in_order_and_neighbours_are_one),
        T(what_calls_tools_is_unfit),
        T(only_text_counts_as_text),
        T(the_last_usage_is_told_at_the_end),
        T(ends_errors_and_empty_texts_are_left_out),
        T(bytes_of_any_kind_come_back),
        T(what_is_too_long_is_unfit_and_can_be_cleared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
